"""A model without sense: whatever it says, every request ends in a film that holds what the user fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent.compiler import compile_calls
from agent.intent import Intent
from agent.planners.base import PlanRequest
from evals.peer.server import Peer
from tests.agent.planners.chat_model.desk import Desk
from tests.agent.planners.offline.test_read import planner as rules
from tests.agent.planners.offline.test_read import rows
from tools.registry import Registry
from tools.runtime.graph import CallGraph
from tools.storyboard import Storyboard

FILM = ("image", "voice", "music", "subtitles", "video")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One client for all: opening one takes longer than a request."""
    with Peer(seed=7) as up, pytest.MonkeyPatch.context() as patch:
        yield Desk(up, tmp_path_factory.mktemp("random"), patch)


@pytest.fixture
def desk(shared: Desk) -> Desk:
    shared.peer.reset()
    return shared


def fixed_holds(floor: Intent, ground: Storyboard, board: Storyboard) -> None:
    """What the user fixed, looked up anew: nothing of this asks the planner's own gate."""
    brief = floor.brief
    assert brief is not None
    beats = brief.beats
    quoted = [(one.character, one.text, one.delivery, one.language) for beat in beats for one in beat.dialogue]
    spoken = [(one.character, one.text, one.delivery, one.language) for shot in board.shots for one in shot.dialogue]
    if quoted:
        assert spoken == [
            (one.character, one.text, one.delivery, one.language) for shot in ground.shots for one in shot.dialogue
        ]
    if brief.cast:
        assert {one.id for one in board.cast} == {one.id for one in ground.cast}
    for field in ("location", "time_of_day", "weather"):
        said = {value for beat in beats if (value := getattr(beat, field)) is not None}
        found = {getattr(shot, field) for shot in board.shots}
        assert said <= found, field
        if len(beats) == 1 and said:
            assert found == said, field
    assert board.aspect == (brief.aspect or "16:9")
    assert board.fps == ground.fps
    assert board.style == ground.style
    if brief.title:
        assert board.title == ground.title
    if brief.duration_s is not None:
        assert board.duration_s == pytest.approx(ground.duration_s, abs=0.011)
    if brief.explicit_shots:
        assert len(board.shots) == len(ground.shots)
    for beat in beats:
        if beat.text_overlay:
            assert any(shot.text_overlay == beat.text_overlay.strip()[:200] for shot in board.shots)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The tools with what they take."""
    return Registry.load()


def compiles(written: Storyboard, registry: Registry) -> Storyboard:
    """The storyboard, read anew, of which a film can be made: every call is one that its tool takes."""
    board = Storyboard.model_validate(written.model_dump())
    calls = compile_calls(board, FILM)
    CallGraph.build(calls, (), registry)
    assert calls[-1].tool == "edit_video"
    return board


@pytest.mark.parametrize("row", rows())
def test_every_request_ends_in_a_valid_storyboard(row: dict[str, Any], desk: Desk, registry: Registry) -> None:
    history = tuple(("human", text) for text in row.get("after", []))
    request = desk.request(row["ask"], history=history, board=row.get("board", False))
    plain = PlanRequest(request.text, request.history, request.storyboard)
    floor = rules().understand(plain)
    intent = desk.planner.understand(request)
    if floor.confidence >= 0.7:
        assert intent.kind == floor.kind
    assert (intent.language, intent.files, intent.variations) == (floor.language, floor.files, floor.variations)
    assert intent.confidence >= floor.confidence
    if floor.kind == "scene":
        assert intent.kind == "scene"
        assert set(floor.outputs) <= set(intent.outputs) <= set(floor.outputs) | {"voice", "subtitles"}
    if intent.kind == "scene":
        made = desk.planner.compose(intent, request)
        board = compiles(made.storyboard, registry)
        if floor.kind == "scene":
            ground = rules().compose(floor, plain)
            fixed_holds(floor, ground.storyboard, board)
            assert set(made.problems) <= set(ground.problems)
    elif intent.kind == "edit":
        assert intent.edits[: len(floor.edits)] == floor.edits
        assert request.storyboard is not None
        made = desk.planner.revise(request.storyboard, intent, request)
        compiles(made.storyboard, registry)
    else:
        assert desk.planner.answer(intent, request).strip()
    assert desk.peer.refused == [], [seen.error for seen in desk.peer.refused]
    assert len(desk.peer.requests) <= 14
