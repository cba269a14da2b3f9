"""The mind and the hands speak of the same things: what the planner writes can be drawn and said."""

from __future__ import annotations

import re
from pathlib import Path

from agent.planners.offline.lexicon import Entry, load_lexicons
from configs.characters import load_characters
from configs.voices import load_voices
from tools.layout.catalog import check_storyboard, expressions, places, poses

OFFLINE = Path(__file__).parents[2] / "agent" / "planners" / "offline"


def entries(subject: str) -> dict[str, Entry]:
    """The words of one subject, over all files."""
    files = [lexicon for lexicon in load_lexicons().values() if lexicon.subject == subject]
    assert files
    return {name: entry for lexicon in files for name, entry in lexicon.entries.items()}


def test_every_pose_and_place_the_planner_knows_can_be_drawn() -> None:
    assert set(entries("pose")) <= set(poses())
    assert {name for name, entry in entries("place").items() if entry.instead is None} <= set(places())


def test_every_place_that_can_be_drawn_can_be_asked_for() -> None:
    assert set(places()) <= set(entries("place"))


def test_the_habits_of_the_storyboard_artist_name_only_poses_that_exist() -> None:
    text = "".join(
        (OFFLINE / "direction" / name).read_text(encoding="utf-8") for name in ("acting.yaml", "places.yaml")
    )
    lists = re.findall(r"\b(?:poses|speaking|silent|on_land_only): \[([a-z_, ]+)\]", text)
    named = {pose.strip() for found in lists for pose in found.split(",")}
    assert len(named) > 8
    assert named <= set(poses())


def test_every_character_has_a_voice_and_every_emotion_a_face() -> None:
    assert set(load_characters()) <= set(load_voices().voices)
    assert len(expressions()) >= 8


def test_a_storyboard_of_the_planner_has_nothing_the_stage_does_not_know() -> None:
    from agent.planners.base import PlanRequest
    from agent.planners.offline.planner import OfflinePlanner

    planner = OfflinePlanner()
    for text in ("make a beach scene with Luca and Alberto", "Giulia trema nel bosco di notte", "a cat fishing at sea"):
        request = PlanRequest(text=text)
        board = planner.compose(planner.understand(request), request).storyboard
        assert check_storyboard(board) == []
