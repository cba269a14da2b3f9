"""`studio mcp` plans with the chat model that the settings name, within the limits of a turn, as the agent does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from evals.peer.server import Peer
from tests.agent.planners.chat_model.scripts import JEALOUSY, script_all

ROOT = Path(__file__).parents[3]
REQUEST = "a funny scene about jealousy at the harbour, 20 seconds"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer(seed=11) as up:
        yield up


def planned(productions: Path, peer: Peer, request: str, **more: str) -> tuple[str, dict[str, Any]]:
    """What plan_scene answers: its text and its data."""
    from mcp import Client, StdioServerParameters

    env = {
        "STUDIO_PRODUCTIONS": str(productions), "STUDIO_PROFILE": "cpu", "PYTHONPATH": str(ROOT),
        "STUDIO_LLM_BASE_URL": peer.url, "STUDIO_PRIMARY": "server/tiny-random", **more,
    }  # fmt: skip
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "agent", "mcp"], env=env, cwd=str(productions)
    )
    found: list[Any] = []

    async def run() -> None:
        with anyio.fail_after(300):
            async with Client(parameters, cache=None) as client:
                found.append(await client.call_tool("plan_scene", {"request": request}))

    anyio.run(run)
    assert not found[0].is_error, found[0].content[0].text
    return found[0].content[0].text, found[0].structured_content["data"]["storyboard"]


def test_a_story_is_invented_by_the_primary(tmp_path: Path, peer: Peer) -> None:
    script_all(peer, JEALOUSY)
    _, board = planned(tmp_path, peer, REQUEST)
    assert board["title"] == "The Other Boat"
    assert "You are jealous of a boat." in str(board["shots"])
    assert 1 <= len(peer.requests) <= 6
    assert peer.refused == []
    kept = list((tmp_path / ".studio" / "thoughts").glob("mcp-*.jsonl"))
    assert len(kept) == 1, "each call is a turn, and its thoughts are kept"
    assert "server/tiny-random" in kept[0].read_text(encoding="utf-8")


def test_where_the_rules_are_to_plan_nobody_is_asked(tmp_path: Path, peer: Peer) -> None:
    planned(tmp_path, peer, REQUEST, STUDIO_PLANNER="offline")
    assert peer.requests == []


def test_a_call_spends_what_a_turn_may_and_what_the_model_did_not_give_is_told(tmp_path: Path, peer: Peer) -> None:
    script_all(peer, JEALOUSY)
    text, board = planned(tmp_path, peer, REQUEST, STUDIO_MAX_STEPS="1")
    assert len(peer.requests) == 1
    assert board["shots"], "the rules write the rest"
    assert "tiny-random" in text
    assert "the turn's budget is spent" in text
