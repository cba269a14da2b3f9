"""What holds for every storyboard that is composed, whatever the brief."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.intent import Brief, OutputKind
from agent.planners.base import PlanRequest
from agent.planners.offline.blocking import apart
from agent.planners.offline.compose import compose
from agent.planners.offline.direction import load_direction
from agent.planners.offline.pacing import speech_need
from tests.agent.planners.offline.briefs import briefs, intent, one_of
from tools.storyboard import Line, Storyboard
from tools.timeline import estimate_speech_s, shot_timeline

outputs = st.sampled_from(
    [
        ["image", "voice", "music", "subtitles", "video"],
        ["image", "voice", "music", "subtitles", "video"],
        ["image"],
        ["voice"],
        ["image", "video"],
        ["script"],
        [],
    ]
)


def spoken(board: Storyboard) -> list[Line]:
    return [line for shot in board.shots for line in shot.dialogue]


@settings(max_examples=100, deadline=None)
@given(briefs(), outputs, st.sampled_from(["en", "it", "fr"]))
def test_every_storyboard_is_sound(brief: Brief, wanted: list[OutputKind], language: str) -> None:
    before = brief.model_copy(deep=True)
    composition = compose(intent(brief, outputs=wanted, language=language), PlanRequest(text="a scene"))
    board = composition.storyboard
    assert brief == before
    assert Storyboard.model_validate(board.model_dump()) == board

    given_lines = [line for beat in brief.beats for line in beat.dialogue]
    assert spoken(board) == given_lines
    assert {member.id for member in board.cast} <= {member.id for member in brief.cast}
    placed = {p.character for shot in board.shots for p in shot.placements}
    assert placed <= {member.id for member in brief.cast}

    assert abs(sum(shot.duration_s for shot in board.shots) - board.duration_s) < 1e-6
    if brief.duration_s and not composition.problems:
        assert abs(board.duration_s - brief.duration_s) < 1e-6
    for shot in board.shots:
        assert shot.duration_s >= speech_need(shot.dialogue) - 1e-6
        clips = [(0.5, 0.5 + estimate_speech_s(line.text)) for line in shot.dialogue]
        assert shot_timeline(shot.duration_s, board.fps, clips).stretched_s == 0


@settings(max_examples=100, deadline=None)
@given(briefs())
def test_nobody_hides_anybody(brief: Brief) -> None:
    board = compose(intent(brief), PlanRequest(text="a scene")).storyboard
    blocking = load_direction().coverage.blocking
    for shot in board.shots:
        assert len(shot.placements) <= blocking.capacity[board.aspect][shot.framing]
        for a, b in itertools.combinations(shot.placements, 2):
            assert apart(a, b, shot.framing, board.aspect, blocking), (shot.framing, board.aspect, a, b)


@settings(max_examples=60, deadline=None)
@given(briefs())
def test_what_was_said_of_a_performance_holds_in_every_shot(brief: Brief) -> None:
    if len(brief.beats) != 1:
        return
    stated = {p.character: p for p in brief.beats[0].performances}
    board = compose(intent(brief), PlanRequest(text="a scene")).storyboard
    for shot in board.shots:
        for placement in shot.placements:
            wanted = stated.get(placement.character)
            if wanted and wanted.pose:
                assert placement.pose == wanted.pose
            if wanted and wanted.facing:
                assert placement.facing == wanted.facing


@settings(max_examples=40, deadline=None)
@given(briefs())
def test_a_list_of_shots_gets_one_shot_a_beat(brief: Brief) -> None:
    listed = brief.model_copy(update={"explicit_shots": True})
    board = compose(intent(listed), PlanRequest(text="a scene")).storyboard
    assert len(board.shots) == max(1, len(brief.beats))
    for beat, shot in zip(brief.beats, board.shots, strict=False):
        assert shot.dialogue == beat.dialogue
        for field in ("camera", "location", "time_of_day", "weather"):
            if getattr(beat, field) is not None:
                assert getattr(shot, field) == getattr(beat, field)


@settings(max_examples=40, deadline=None)
@given(briefs(), one_of(OutputKind))
def test_the_same_request_gives_the_same_storyboard(brief: Brief, output: OutputKind) -> None:
    first = compose(intent(brief, outputs=[output]), PlanRequest(text="again"))
    assert compose(intent(brief, outputs=[output]), PlanRequest(text="again")) == first
