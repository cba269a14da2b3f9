"""Whatever goes wrong with one piece, the film is made without it, the trace says so, and so does the message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.chat_models.roles import ChatModels
from agent.planners.base import Composition, PlanRequest
from agent.planners.chat_model import ChatModelPlanner
from agent.planners.offline.planner import OfflinePlanner
from agent.turns import Spending, Turn
from agent.wiring import create_context
from configs.settings import Settings
from evals.peer.replies import refuses, says
from evals.peer.server import Peer
from tests.agent.planners.chat_model.desk import Desk, pieces
from tests.agent.planners.chat_model.scripts import JEALOUSY, answers_of, script_all
from tools.errors import InvalidInput, MissingPrerequisite

REQUEST = "a funny scene about jealousy at the harbour with Luca and Alberto, 20 seconds"
LABELS = {"Understanding": "intent", "Outline": "outline", "Script": "script", "Revision": "revision",
          "ShotPrompts": "prompts"}  # fmt: skip
WRONG: dict[str, Any] = {
    "no JSON": says("I would be happy to help with your film!"),
    "cut": says('{"title": "The ot'),
    "empty": says(""),
    "declined": refuses(),
    "another shape": {"answer": 42},
    "a list": [1, 2, 3],
    "nonsense numbers": says('{"lines": NaN}'),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Peer(seed=3, mode="scripted") as up, pytest.MonkeyPatch.context() as patch:
        yield Desk(up, tmp_path_factory.mktemp("bad"), patch)


@pytest.fixture
def desk(shared: Desk) -> Desk:
    shared.peer.reset()
    # What was answered well before is not asked again; here each test asks.
    for file in (shared.settings.state_dir / "pieces").glob("*.json"):
        file.unlink()
    return shared


def made(desk: Desk, text: str = REQUEST, turn: Turn | None = None) -> tuple[Composition, list[str], Turn]:
    """The composition, all that the user is told, and the turn."""
    request = desk.request(text, turn=turn)
    assert request.turn is not None
    intent = desk.planner.understand(request)
    composed = desk.planner.compose(intent, request)
    return composed, [*intent.remarks, *composed.remarks], request.turn


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("piece", LABELS)
def test_a_bad_piece_is_the_rules_own_and_told(piece: str, wrong: str, desk: Desk) -> None:
    desk.peer.script(WRONG[wrong], schema=piece, times=None)
    script_all(desk.peer, JEALOUSY, piece)
    composed, told, turn = made(desk)
    sources = {label: thought.source for label, thought in pieces(turn).items()}
    assert sources[LABELS[piece]] == "offline"
    if piece not in ("Understanding", "Outline"):
        assert {source for label, source in sources.items() if label != LABELS[piece]} == {"server/tiny-random"}
    assert sum("tiny-random" in one for one in told) == 1, told
    board = composed.storyboard
    assert board.duration_s == 20.0
    assert {shot.location for shot in board.shots} == {"harbour"}
    assert {one.id for one in board.cast} == {"luca", "alberto"}


BAD_FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown place": ("Understanding", {"place": "moon base"}),
    "unknown character": ("Understanding", {"characters": ["bruno"]}),
    "unknown mood": ("Understanding", {"mood": "jazzy"}),
    "unknown pose": ("Outline", {"beats": [{**JEALOUSY["Outline"]["beats"][0], "people": [
        {"who": "luca", "pose": "levitate", "expression": "happy", "facing": None}]}] * 4}),
    "unknown emotion": ("Outline", {"beats": [{**JEALOUSY["Outline"]["beats"][0], "people": [
        {"who": "luca", "pose": "sit", "expression": "hangry", "facing": None}]}] * 4}),
    "too many beats": ("Outline", {"beats": JEALOUSY["Outline"]["beats"] * 6}),
    "no beats": ("Outline", {"beats": []}),
    "a stranger speaks": ("Script", {"lines": [{**JEALOUSY["Script"]["lines"][0], "who": "bruno"}]}),
    "no such beat": ("Script", {"lines": [{**JEALOUSY["Script"]["lines"][0], "beat": 9}]}),
    "lines without words": ("Script", {"lines": [{**JEALOUSY["Script"]["lines"][0], "text": "..."}]}),
    "no such line": ("Revision", {"lines": [{"line": 40, "text": "Hello.", "emotion": "happy"}]}),
    "no such shot": ("ShotPrompts", {"shots": [{"shot": 99, "prompt": "sea", "negative": ""}]}),
    "empty prompts": ("ShotPrompts", {"shots": [{"shot": 1, "prompt": " ,. ", "negative": ""}]}),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_what_does_not_exist_is_not_taken(case: str, desk: Desk) -> None:
    piece, fields = BAD_FIELDS[case]
    script_all(desk.peer, answers_of(JEALOUSY, **{piece: fields}))
    _, told, turn = made(desk)
    assert pieces(turn)[LABELS[piece]].source == "offline", case
    assert sum("tiny-random" in one for one in told) == 1, told
    asked = [seen for seen in desk.peer.requests if seen.schema_name == piece]
    assert len(asked) == 2, "mended once"


def test_a_mended_piece_is_taken(desk: Desk) -> None:
    desk.peer.script({"lines": []}, schema="Script")
    script_all(desk.peer, JEALOUSY)
    _, told, turn = made(desk)
    assert pieces(turn)["script"].source == "server/tiny-random"
    assert not any("tiny-random" in one for one in told)


def test_a_short_script_is_asked_for_again_and_then_taken(desk: Desk) -> None:
    script_all(desk.peer, JEALOUSY)
    composed, _, turn = made(desk, REQUEST.replace("20 seconds", "90 seconds"))
    assert len([seen for seen in desk.peer.requests if seen.schema_name == "Script"]) == 2
    assert pieces(turn)["script"].source == "server/tiny-random"
    assert any(shot.dialogue for shot in composed.storyboard.shots)


def test_a_server_that_is_down_is_asked_once_and_told_in_one_line(tmp_path: Path, monkeypatch: Any) -> None:
    with Peer() as gone:
        desk = Desk(gone, tmp_path, monkeypatch)
    composed, told, turn = made(desk)
    lines = [one for one in told if "tiny-random" in one]
    assert len(set(lines)) == 1
    assert "did not answer" in lines[0]
    assert "rules" in lines[0]
    assert {thought.source for thought in pieces(turn).values()} == {"offline"}
    plain = PlanRequest(REQUEST)
    rules = OfflinePlanner()
    assert composed.storyboard == rules.compose(rules.understand(plain), plain).storyboard


def test_a_spent_budget_ends_the_asking(desk: Desk) -> None:
    script_all(desk.peer, JEALOUSY)
    turn = Turn("spent", Spending(2, 1_000_000, 600.0))
    composed, told, turn = made(desk, turn=turn)
    assert len(desk.peer.requests) == 2
    sources = {label: thought.source for label, thought in pieces(turn).items()}
    assert sources["outline"] == "server/tiny-random"
    assert sources["script"] == sources["prompts"] == "offline"
    assert sum("budget" in one for one in told) == 1
    assert not any(shot.dialogue for shot in composed.storyboard.shots)


def test_nobody_is_asked_without_a_turn(desk: Desk) -> None:
    request = PlanRequest(REQUEST)
    assert desk.planner.understand(request) == OfflinePlanner().understand(request)
    assert desk.peer.requests == []


@pytest.mark.parametrize("settings", [{"planner": "offline", "primary": "server/tiny-random"}, {"primary": ""}])
def test_the_offline_planner_is_taken_where_it_is_named_or_nobody_else_is(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    assert isinstance(create_context(Settings(productions=tmp_path, **settings)).planner, OfflinePlanner)


def test_a_chat_model_is_taken_where_one_is_named(tmp_path: Path) -> None:
    context = create_context(Settings(productions=tmp_path, primary="ollama/qwen2.5:14b"))
    assert isinstance(context.planner, ChatModelPlanner)


def test_a_chat_model_that_is_wanted_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match="STUDIO_PRIMARY"):
        create_context(Settings(productions=tmp_path, planner="chat_model"))


def test_a_model_that_may_not_be_asked_is_told_and_done_without(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-canary")
    settings = Settings(productions=tmp_path, primary="openai/gpt-4o-mini", network=False)
    request = PlanRequest(REQUEST, turn=Turn("off", Spending(9, 9_000, 9.0)))
    intent = ChatModelPlanner(ChatModels(settings), settings).understand(request)
    assert intent.kind == "scene"
    assert any("STUDIO_NETWORK" in one for one in intent.remarks)
    assert "canary" not in intent.model_dump_json()
    wanted = settings.model_copy(update={"planner": "chat_model"})
    with pytest.raises(InvalidInput, match="STUDIO_NETWORK"):
        ChatModelPlanner(ChatModels(wanted), wanted).understand(request)
