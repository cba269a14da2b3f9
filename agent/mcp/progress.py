"""How far a scene has come, as MCP tells it: a number that only grows, and a line of words."""

from __future__ import annotations

from typing import Any

from agent.progress import TOOL_NAMES

__all__ = ["ProgressMeter"]

LEAST_STEP = 0.01
_OVER = ("done", "cached", "failed", "cancelled")


class ProgressMeter:
    """Takes in the events of a run; says when there is something to tell."""

    def __init__(self) -> None:
        self._planned = 0
        self._calls: dict[str, float] = {}
        self._told = 0.0

    def take(self, event: dict[str, Any]) -> tuple[float, str] | None:
        """The fraction done, 0..1, and what is being done; None where it has not moved by a hundredth."""
        node = event.get("node")
        if node == "reason" and "storyboard" in event:
            self._planned = _calls_of(event["storyboard"])
            return self._moved(LEAST_STEP, f"planned: {event['storyboard'].get('title', '')}")
        if node != "act":
            return None
        over = event["status"] in _OVER
        self._calls[event["call_id"]] = 1.0 if over else min(0.99, float(event["fraction"]))
        fraction = sum(self._calls.values()) / max(self._planned, len(self._calls), 1)
        tool = TOOL_NAMES.get(event["tool"], event["tool"])
        return self._moved(min(0.99, fraction), f"{tool}: {event['call_id']} {event['status']}")

    def _moved(self, fraction: float, text: str) -> tuple[float, str] | None:
        if fraction < self._told + LEAST_STEP and self._told:
            return None
        self._told = max(self._told, fraction)
        return self._told, text


def _calls_of(board: dict[str, Any]) -> int:
    """About how many calls a whole film takes, the reviews among them."""
    lines = sum(len(shot.get("dialogue", [])) for shot in board.get("shots", []))
    return 2 * (2 * len(board.get("shots", [])) + lines + 5)
