"""What one does after another, posters, places that are refused, who turns up beside a described one."""

from __future__ import annotations

import pytest

from tests.agent.planners.offline.test_cards import made
from tests.agent.planners.offline.test_followups import told


def poses_by_shot(text: str) -> list[set[str]]:
    return [{p.pose for p in shot.placements} for shot in made(text).shots]


@pytest.mark.parametrize(
    ("text", "poses"),
    [
        ("Luca walks in, looks around, sits down, and falls asleep", [{"walk"}, {"sit"}, {"lie"}]),
        ("Luca runs along the beach. He jumps. He sits and waves.", [{"run"}, {"jump"}, {"sit"}]),
        ("Two friends argue on a rooftop; at the end they hug", [{"talk"}, {"hold"}]),
        (
            "Luca and Alberto talk at the harbour. They walk home. At the end they laugh.",
            [{"talk"}, {"walk"}, {"stand", "hands_on_hips"}],
        ),
        ("Luca e Giulia litigano in cucina, poi fanno pace", [{"talk"}, {"hold"}]),
    ],
)
def test_each_deed_of_the_same_one_has_its_own_shot(text: str, poses: list[set[str]]) -> None:
    assert poses_by_shot(text) == poses


@pytest.mark.parametrize("text", ["Luca sits and waves on the beach", "Luca dances. Giulia waves. A forest at night."])
def test_what_goes_on_at_once_stays_one_beat(text: str) -> None:
    shots = made(text).shots
    assert all({p.pose for p in s.placements} <= {p.pose for p in shots[0].placements} for s in shots)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            'a poster for "The Lighthouse Keepers" with Luca and Giulia in front of a lighthouse',
            "The Lighthouse Keepers",
        ),
        ('movie poster: "Night Boat", Alberto on a boat at night', "Night Boat"),
        ('una locandina per il film "Estate" con Luca in spiaggia', "Estate"),
    ],
)
def test_a_poster_bears_the_name_of_its_film_and_nobody_says_it(text: str, title: str) -> None:
    board = made(text)
    assert [shot.text_overlay for shot in board.shots] == [title]
    assert not any(shot.dialogue for shot in board.shots)
    assert board.cast


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Luca is not at the beach but in the kitchen", "kitchen"),
        ("Luca and Alberto are NOT on the beach", "harbour"),
        ("they don't swim at the beach, Luca and Alberto just sit", "beach"),
    ],
)
def test_a_place_where_they_are_not_is_not_shown(text: str, place: str) -> None:
    assert {shot.location for shot in made(text).shots} == {place}


def test_one_without_a_sheet_beside_a_described_one_is_there() -> None:
    assert [m.id for m in made("Leo and an old fisherman talk at the harbour").cast] == ["leo", "old_fisherman"]


def test_a_place_that_cannot_be_drawn_is_a_scene_all_the_same() -> None:
    assert made("a wedding on the moon").shots


@pytest.mark.parametrize(
    ("scene", "ask", "new"),
    [
        ("Luca and Giulia dance on the beach", "replace Giulia with a robot called Bip", "bip"),
        ("Luca e una volpe nel bosco", "sostituisci la volpe con un orso di nome Bruno", "bruno"),
    ],
)
def test_a_newcomer_with_a_name_takes_ones_place(scene: str, ask: str, new: str) -> None:
    before, after, intent = told(scene, ask)
    assert not intent.questions
    assert [m.id for m in after.cast] == ["luca", new]
    assert [len(s.placements) for s in after.shots] == [len(s.placements) for s in before.shots]
