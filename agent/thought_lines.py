"""What is thought in a turn, in the terminal: a line where a model or a strategy did something, else silence.

The whole record is `studio trace --thoughts`; here stands only what tells a waiting person that something goes on.
"""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

from agent.printing import tell

__all__ = ["ThoughtLines", "line_of"]

OURS = ("", "offline", "rules", "user", "policy", "tool", "mcp")
"""Who else than a model thinks."""
NARROWEST = 40


class ThoughtLines:
    """Prints thoughts as they come: one dim line each, cut to the width at a word, none twice in a row."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._last = ""

    def update(self, event: dict[str, Any]) -> None:
        """Take in one thought."""
        line = line_of(event)
        if not line or line == self._last:
            return
        self._last = line
        tell(self.console, f"  · {_cut(line, max(NARROWEST, self.console.width - 6))}", "dim")


def line_of(event: dict[str, Any]) -> str:
    """A thought in one line; empty for one that a person who waits need not see.

    Args:
        event: `{"node": "thought", ...}` with the fields of `agent.turns.Thought`.
    """
    kind, source, label = event["kind"], event["source"], event["label"]
    text = " ".join(event["text"].split())
    by_model = source not in OURS
    match kind:
        case "piece":
            return f"{label} by {source}" if by_model else ""
        case "thought":
            return text if by_model else ""
        case "action":
            return _called(text)
        case "lesson" | "plan":
            return text
        case "note" if label == "strategy":
            name = str(event.get("data", {}).get("strategy", "plain"))
            # Nothing is said of what goes without saying.
            return "" if name == "plain" else f"strategy: {name.replace('_', ' ')}"
        case "note" if source == "policy" and label == "storyboard":
            return text
        case "note" if text.startswith("kept: "):
            return text
    return ""


def _called(text: str) -> str:
    """A call with what it is about, without the marks of JSON."""
    name, _, arguments = text.partition(" ")
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return name
    about = (
        [str(one) for one in found.values() if isinstance(one, str | int | float)] if isinstance(found, dict) else []
    )
    return f"{name}: {', '.join(about)}" if about else name


def _cut(line: str, most: int) -> str:
    if len(line) <= most:
        return line
    return f"{line[: most - 1].rsplit(' ', 1)[0]}…"
