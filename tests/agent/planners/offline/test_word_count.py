"""A script of a stated number of words: read in five languages, told where it was not reached, never drawn."""

from __future__ import annotations

import pytest

from agent.planners.base import PlanRequest
from agent.planners.offline.planner import OfflinePlanner


@pytest.fixture(scope="module")
def planner() -> OfflinePlanner:
    return OfflinePlanner()


@pytest.mark.parametrize(
    ("text", "count", "action"),
    [
        ("write a script of 300 words with Luca and Alberto at the beach", 300, "Luca and Alberto are at the beach"),
        ("write a 120-word script: Luca and Alberto argue", 120, "Luca and Alberto argue"),
        ("Schreib ein Drehbuch mit etwa 200 Wörtern mit Luca am Strand", 200, "Luca ist am Strand"),
        ("scrivi una sceneggiatura di circa 1.200 parole con Luca e Alberto", 1200, "Luca e Alberto"),
        ("un guion de 150 palabras con Luca en la playa", 150, "Luca está en la playa"),
        ("un scénario de 150 mots avec Luca sur la plage", 150, "Luca est sur la plage"),
        ("a dialogue of 200-300 words between Luca and Giulia", 250, "Luca and Giulia have a dialogue"),
        ("a dialogue of 1,000 spoken words between Luca and Giulia", 1000, "Luca and Giulia have a dialogue"),
    ],
)
def test_the_length_of_a_script_is_read_and_is_no_part_of_the_story(
    planner: OfflinePlanner, text: str, count: int, action: str
) -> None:
    intent = planner.understand(PlanRequest(text))
    assert intent.brief is not None
    assert intent.brief.script_words == count
    assert [beat.action for beat in intent.brief.beats] == [action]
    assert intent.questions == []


@pytest.mark.parametrize(
    "text",
    [
        "Luca writes a letter of 200 words to Giulia",
        "Luca writes 300 words in his diary",
        "a script: Luca says 3 words to Giulia",
        "a script with Luca at the beach, 30 seconds",
        "a script of 99999 words with Luca",
    ],
)
def test_other_numbers_and_other_words_are_none(planner: OfflinePlanner, text: str) -> None:
    intent = planner.understand(PlanRequest(text))
    assert intent.brief is not None
    assert intent.brief.script_words is None


def test_a_script_that_misses_the_length_says_so(planner: OfflinePlanner) -> None:
    spoken = 'a script of 10 words, Luca: "We can do this, we really can do this now!"'
    for text, told in ((spoken, False), (spoken.replace("10 words", "300 words"), True)):
        request = PlanRequest(text)
        made = planner.compose(planner.understand(request), request)
        assert any("spoken words" in one for one in made.assumptions) == told
    request = PlanRequest("scrivi una sceneggiatura di 200 parole con Luca e Alberto")
    made = planner.compose(planner.understand(request), request)
    assert "Hai chiesto 200 parole parlate; sono 0." in made.assumptions
