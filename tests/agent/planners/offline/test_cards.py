"""Titles beside a story, and lengths said of every shot."""

from __future__ import annotations

import pytest

from agent.planners.base import PlanRequest
from tests.agent.planners.offline.test_followups import planner, told
from tools.storyboard import Storyboard

SHOTS = "Shot 1: wide, a robot on a rooftop at sunset.\nShot 2: the robot looks at a flower.\nShot 3: the robot waves."


def made(text: str) -> Storyboard:
    request = PlanRequest(text, (), None)
    return planner().compose(planner().understand(request), request).storyboard


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"{SHOTS} 5 seconds each.", [5, 5, 5]),
        ("1. Luca runs, 2 seconds 2. Luca stops 3. Luca sits, each 3 seconds", [2, 3, 3]),
        ("3 shots, 4 seconds each: 1. Luca runs 2. Luca stops 3. Luca sits", [4, 4, 4]),
    ],
)
def test_a_length_of_each_shot_is_that_of_every_shot_without_its_own(text: str, seconds: list[float]) -> None:
    assert [shot.duration_s for shot in made(text).shots] == seconds


@pytest.mark.parametrize(
    ("text", "at", "title"),
    [
        ('Luca waves on the rooftop at sunset, with a title card "Hello"', 0, "Hello"),
        (
            "Kwame runs on the beach at sunset. He jumps. Then he waves. 4 seconds, with a title card 'Kwame'",
            0,
            "Kwame",
        ),
        ('Luca waves on the beach with a title card "The End"', -1, "The End"),
        ('Luca waves on the beach, with an end card "Bye"', -1, "Bye"),
        ("Luca balla in piazza, con un cartello all'inizio: Una storia di Luca", 0, "Una storia di Luca"),
    ],
)
def test_a_card_that_comes_along_opens_the_film_unless_it_ends_it(text: str, at: int, title: str) -> None:
    board = made(text)
    assert [shot.text_overlay for shot in board.shots if shot.text_overlay] == [title]
    assert board.shots[at].text_overlay == title
    assert len({(shot.location, shot.time_of_day) for shot in board.shots}) == 1


@pytest.mark.parametrize(
    ("ask", "at", "title"),
    [
        ("add a title card at the beginning: A film by Me", 0, "A film by Me"),
        ("add a title card at the end: Fine", -1, "Fine"),
        ("aggiungi un cartello all'inizio: Il robot", 0, "Il robot"),
    ],
)
def test_a_card_is_added_without_quotation_marks(ask: str, at: int, title: str) -> None:
    before, after, _ = told(SHOTS, ask)
    assert len(after.shots) == len(before.shots) + 1
    assert after.shots[at].text_overlay == title
