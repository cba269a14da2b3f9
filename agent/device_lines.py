"""What a device does, as lines in the terminal. A run without models has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.printing import tell
from tools.runtime.telemetry.figures import bytes_text, seconds_text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["DeviceLines"]

_TOLD_S = 0.5
"""A device that was free sooner was not waited for."""


class DeviceLines:
    """Prints the plan before it runs, then what moves, and in yellow what went another way than planned."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._planned = False
        self._last = ""

    def update(self, event: dict[str, Any]) -> None:
        """Take in an event with the fields of `tools.runtime.events.DeviceEvent`."""
        tell_it = getattr(self, f"_{event['action']}", None)
        if tell_it is not None:
            tell_it(event)

    def _say(self, text: str, style: str = "") -> None:
        # Whoever waits is told so again and again.
        if text != self._last:
            tell(self._console, f"  {text}", style)
        self._last = text

    def _plan(self, event: dict[str, Any]) -> None:
        head, *lines = str(event["text"]).split("\n")
        if self._planned:
            self._say(f"planned anew: {head}", "dim")
            return
        self._planned = True
        self._say(f"plan for {event['device']}: {head}")
        for line in lines:
            tell(self._console, f"  {line}", "dim")

    def _wait(self, event: dict[str, Any]) -> None:
        self._say(f"waiting for {event['device']}: {event['text']}", "yellow")

    def _lease(self, event: dict[str, Any]) -> None:
        if event["seconds"] >= _TOLD_S:
            self._say(f"{event['device']} is free, after {seconds_text(event['seconds'])}")

    def _load(self, event: dict[str, Any]) -> None:
        beside = event.get("moved_s", 0.0) - event["seconds"]
        more = f", and {seconds_text(beside)} beside a call" if beside >= 0.05 else ""
        on = f"{bytes_text(event['bytes'])} on {event['device']}"
        self._say(f"loaded {event['model']}: {seconds_text(event['seconds'])}{more}; {on}", "dim")

    def _evict(self, event: dict[str, Any]) -> None:
        took = f": {seconds_text(event['seconds'])}" if event["seconds"] >= 0.01 else ""
        self._say(f"evicted {event['model']}{took}", "dim")

    def _unload(self, event: dict[str, Any]) -> None:
        self._say(f"unloaded {event['model']} from host memory", "dim")

    def _prefetch(self, event: dict[str, Any]) -> None:
        if event["text"]:
            self._say(f"loading {event['model']} beside a call failed: {event['text']}", "yellow")

    def _lost(self, event: dict[str, Any]) -> None:
        self._say(f"lost {event['model']}: the process that held it ended", "yellow")

    def _step_down(self, event: dict[str, Any]) -> None:
        self._say(event["text"] or f"memory ran out on {event['device']}", "yellow")

    def _again(self, event: dict[str, Any]) -> None:
        self._say(event["text"], "yellow")
