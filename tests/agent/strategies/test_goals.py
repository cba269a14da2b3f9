"""Requests of several steps: how they are read, and what becomes of storyboards that are joined."""

from __future__ import annotations

import time

import pytest

from agent.planners.base import PlanRequest
from agent.planners.offline.planner import OfflinePlanner
from agent.strategies.goals import Goal, joined, read_plan
from tools.storyboard import CastMember, Placement, Shot, Storyboard


def goals(text: str) -> list[Goal]:
    plan = read_plan(text, "turn", has_board=False)
    return plan.goals if plan else []


def board(people: int, *, first: int = 0, shots: int = 1, seconds: float = 4.0) -> Storyboard:
    cast = [CastMember(id=f"c{at}", name=f"C{at}", known=False) for at in range(first, first + people)]
    made = [
        Shot(
            id=f"s{at + 1}",
            duration_s=seconds,
            placements=[Placement(character=one.id) for one in cast[at * 8 : at * 8 + 8]],
        )
        for at in range(max(shots, -(-people // 8)))
    ]
    return Storyboard(title="A film", cast=cast, shots=made, duration_s=sum(one.duration_s for one in made))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("make the beach scene with Luca, then the same at night, and join them", ["make", "change", "join"]),
        ("make a picture of Luca, then use it as reference for a scene", ["make", "reference"]),
        ("make a beach scene.\n\n   Then   make it   longer", ["make", "change"]),
        ("make a beach scene, then Alberto waves", []),
        ("look up beaches in Liguria, then make a scene there", []),
        ("look up beaches in Liguria, then make a scene there, then make it night", ["make", "change"]),
        ("make a scene" + " and so on" * 500 + ", then make it night", []),
    ],
)
def test_steps_are_cut_off_where_the_studio_is_spoken_to(text: str, kinds: list[str]) -> None:
    assert [goal.kind for goal in goals(text)] == kinds


def test_what_is_looked_up_is_of_the_step_that_needs_it() -> None:
    first = goals("look up beaches in Liguria, then make a scene there, then make it night")[0]
    intent = OfflinePlanner().understand(PlanRequest(text=first.text))
    assert (intent.kind, intent.search_words) == ("scene", "beaches in Liguria")


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("write a script with Luca; then, if it is longer than 20 s, shorten it", "make it 20 seconds long"),
        ("scrivi un copione con Luca; poi, se è più lungo di 20 secondi, accorcialo", "falla durare 20 secondi"),
        ("make a picture of Luca, then use it as reference for a beach scene", "make a beach scene with Luca"),
        (
            "fai un'immagine di Luca, poi usala come riferimento per una scena al porto",
            "fai una scena al porto con Luca",
        ),
        ("fai un disegno di Luca, poi usalo come riferimento per un film al porto", "fai un film al porto con Luca"),
    ],
)
def test_a_step_stays_in_the_language_it_was_said_in(text: str, second: str) -> None:
    plan = read_plan(text, "turn", has_board=False)
    assert plan is not None
    drawn = Storyboard(
        title="Luca",
        cast=[CastMember(id="luca", name="Luca Paguro", known=True)],
        shots=[Shot(id="s1", duration_s=30.0, placements=[Placement(character="luca")])],
        duration_s=30.0,
    )
    assert plan.over("done", "", drawn, {}).goals[1].text == second


@pytest.mark.parametrize(
    "text",
    [
        "make a scene" + " " * 3_900 + "x",
        " " * 4_000,
        "make a scene, then if" + " " * 3_900 + "shorten it",
        "“" * 4_000,
    ],
)
def test_no_request_keeps_the_reader_busy(text: str) -> None:
    begun = time.monotonic()
    read_plan(text, "turn", has_board=True)
    assert time.monotonic() - begun < 5.0


def test_two_films_become_one() -> None:
    whole, left = joined([board(2, shots=2), board(2, first=1, shots=3)])
    assert left == 0
    assert [shot.id for shot in whole.shots] == ["s1", "s2", "s3", "s4", "s5"]
    assert [member.id for member in whole.cast] == ["c0", "c1", "c2"]


@pytest.mark.parametrize(
    ("second", "shots", "left"),
    [
        (board(8, first=16), 2, 1),
        (board(1, shots=15, seconds=120.0), 16, 1),
        (board(1, shots=60), 60, 2),
    ],
    ids=["people", "minutes", "shots"],
)
def test_what_one_film_does_not_hold_is_left_out_and_counted(second: Storyboard, shots: int, left: int) -> None:
    whole, out = joined([board(16, seconds=10.0), second])
    assert (len(whole.shots), out) == (shots, left)
