"""A planner that asks the peer, and the turn it asks in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.chat_models.roles import ChatModels
from agent.planners.base import PlanRequest
from agent.planners.chat_model import ChatModelPlanner
from agent.turns import Spending, Thought, Turn
from configs.settings import Settings
from evals.peer.server import Peer
from tests.agent.planners.offline.test_read import board

__all__ = ["Desk", "line", "pieces"]


class Desk:
    """A planner at a peer. Each request has a turn of its own."""

    def __init__(self, peer: Peer, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", peer.url)
        monkeypatch.delenv("STUDIO_LLM_API_KEY", raising=False)
        self.peer = peer
        settings = {"primary": f"server/{peer.models[0]}", "model_timeout_s": 30, **settings}
        self.settings = Settings(productions=folder, **settings)
        self.planner = ChatModelPlanner(ChatModels(self.settings), self.settings)
        self.turns = 0

    def turn(self, steps: int = 40) -> Turn:
        """A fresh turn."""
        self.turns += 1
        return Turn(f"turn{self.turns}", Spending(steps, 1_000_000, 600.0))

    def request(self, text: str, **more: Any) -> PlanRequest:
        """A request in a turn of its own; `board=True`: on the storyboard of the reader's tests."""
        if more.pop("board", False):
            more["storyboard"] = board()
        return PlanRequest(text, turn=more.pop("turn", None) or self.turn(), **more)


def pieces(turn: Turn) -> dict[str, Thought]:
    """The last thought about each piece, by label."""
    return {thought.label: thought for thought in turn.thoughts if thought.kind == "piece"}


def line(who: str, text: str, beat: int = 1, **more: Any) -> dict[str, Any]:
    """A line of a scripted script."""
    return {"beat": beat, "who": who, "text": text, "emotion": "neutral", "delivery": "normal", **more}
