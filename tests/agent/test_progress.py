"""The storyboard in terminals of any width: no word is cut in two, and nothing of it is lost."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from agent.progress import NARROW, show_storyboard

BOARD = {
    "title": "Luca at the rooftop",
    "duration_s": 3.0,
    "aspect": "1:1",
    "cast": [{"id": "luca", "name": "Luca Paguro"}],
    "shots": [
        {
            "id": "s1",
            "framing": "medium",
            "camera": "static",
            "duration_s": 3.0,
            "location": "town_square",
            "time_of_day": "sunset",
            "weather": "rain",
            "text_overlay": "[b]Hi",
            "placements": [{"character": "luca", "pose": "hands_on_hips", "expression": "excited"}],
            "dialogue": [{"character": "luca", "text": "Over here!"}],
        }
    ],
}


@pytest.mark.parametrize("width", [NARROW - 20, NARROW - 1, NARROW, 100])
def test_every_word_stands_whole(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    show_storyboard(console, BOARD)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    for word in (
        "rooftop",
        "s1",
        "medium",
        "static",
        "square",
        "sunset",
        "rain",
        "Paguro",
        "excited",
        "Over",
        "[b]Hi",
    ):
        assert word in told, word
    assert ("┃" in told) == (width >= NARROW)
