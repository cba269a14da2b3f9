"""One turn of a conversation: what it may spend on chat models, and what was thought in it.

Thoughts are written to a file as they come (one JSON object a line), so that a killed turn still tells how far it came;
the graph's state holds none of them, since every step would store all of them anew.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.chat_models.errors import BudgetSpent
from agent.requests import without_controls

__all__ = ["Spending", "Thought", "Turn", "Turns", "read_thoughts"]

LONGEST_THOUGHT = 4_000
"""Characters of one thought that are kept."""
MOST_BYTES = 16_000_000
"""Of a turn's file that are read: a turn of 40 steps has some hundred thousand."""
_TURN_ID = re.compile(r"[^A-Za-z0-9_-]+")

ThoughtKind = Literal["request", "thought", "action", "observation", "piece", "score", "lesson", "plan", "note"]


class Thought(BaseModel):
    """One step of a turn, as a person reads it.

    Attributes:
        kind: a request to the agent, a thought, an action (tool call), its observation, a piece of the plan, a score
            of a draft, a lesson for next time, a change of plan, or a note.
        text: in plain words.
        source: who it is from: `provider/model`, `offline` (rules), or the name of a node or tool.
        label: what the step was about: `intent`, `script`, `shot 2`, the name of a tool.
        seconds, tokens: what it took.
        data: what belongs to it, as JSON data; never a secret.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ThoughtKind
    text: str
    source: str = ""
    label: str = ""
    seconds: float = 0.0
    tokens: int = 0
    data: dict[str, Any] = Field(default_factory=dict)


@dataclass
class Spending:
    """What one turn may still spend on chat models; every request asks here first.

    Attributes:
        steps, tokens, seconds: the limits.
        cancel: a person stopped the turn.
    """

    steps: int
    tokens: int
    seconds: float
    cancel: threading.Event = field(default_factory=threading.Event)
    used_steps: int = 0
    used_tokens: int = 0
    used_seconds: float = 0.0
    used_calls: int = 0
    """Calls of functions that were run for a model."""
    down: set[str] = field(default_factory=set)
    """Models that did not answer in this turn: they are not waited for again."""
    closed: dict[str, str] = field(default_factory=dict)
    """Models whose server turned us away (key, name, credit), and what is said of it: not asked again in this turn."""

    def allow(self, label: str) -> float:
        """Count one more step; the seconds that it may take.

        Raises:
            BudgetSpent: a limit is reached; it names which.
        """
        for used, limit, what in (
            (self.used_steps, self.steps, "steps"),
            (self.used_tokens, self.tokens, "tokens"),
            (self.used_seconds, self.seconds, "seconds"),
        ):
            if used >= limit:
                raise BudgetSpent(f"{label}: this turn's {limit:g} {what} for chat models are used up")
        self.used_steps += 1
        return self.seconds - self.used_seconds

    def spend(self, tokens: int, seconds: float) -> None:
        """Book what a step took."""
        self.used_tokens += tokens
        self.used_seconds += seconds


@dataclass
class Turn:
    """One turn: its spending, its thoughts, and who is told of them as they come.

    Attributes:
        path: file of its thoughts; None: they are kept in memory alone.
        unkept: why its thoughts could not be written to that file; empty: they are.
    """

    id: str
    spending: Spending
    path: Path | None = None
    tell: Callable[[Any], None] = field(default=lambda _event: None)
    thoughts: list[Thought] = field(default_factory=list)
    unkept: str = ""
    _waiting: list[str] = field(default_factory=list, repr=False)
    _owed: dict[str, tuple[int, float]] = field(default_factory=dict, repr=False)

    def book(self, source: str, tokens: int, seconds: float) -> None:
        """Spend what a request took; the next thought of that source tells it."""
        self.spending.spend(tokens, seconds)
        before = self._owed.get(source, (0, 0.0))
        self._owed[source] = (before[0] + tokens, before[1] + seconds)

    def think(self, kind: ThoughtKind, text: str, **more: Any) -> Thought:
        """Keep one thought, write it to the turn's file, and tell it: an event `{"node": "thought", ...}`."""
        clean = without_controls(text).strip()
        if len(clean) > LONGEST_THOUGHT:
            clean = clean[:LONGEST_THOUGHT] + " […]"
        tokens, seconds = self._owed.pop(more.get("source", ""), (0, 0.0))
        thought = Thought(kind=kind, text=clean, **{"tokens": tokens, "seconds": round(seconds, 3)} | more)
        self.thoughts.append(thought)
        if self.path is not None:
            # Notes alone are no thoughts worth a file; they wait for the first that is.
            line = json.dumps({"at": round(time.time(), 3), **thought.model_dump(mode="json", exclude_defaults=True)})
            self._waiting.append(line + "\n")
            if kind == "note" and len(self._waiting) == len(self.thoughts):
                self.tell({"node": "thought", **thought.model_dump(mode="json")})
                return thought
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as file:
                    file.write("".join(self._waiting))
                self._waiting.clear()
            except OSError as error:
                # A record that cannot be written must not end the work; whoever answers the user says it, once.
                self.unkept = error.strerror or str(error)
                self.path = None
        self.tell({"node": "thought", **thought.model_dump(mode="json")})
        return thought


class Turns:
    """The turns under way: nodes of one turn get the same `Turn`.

    Args:
        folder: where thoughts are kept, one file a turn; None keeps them in memory alone.
        limits: makes the spending of a new turn.
    """

    KEPT = 64
    ON_DISK = 200
    """Turns whose thoughts are kept on disk."""

    def __init__(self, folder: Path | None, limits: Callable[[], Spending]) -> None:
        self.folder = folder
        self._limits = limits
        self._turns: dict[str, Turn] = {}
        self._lock = threading.Lock()

    def of(self, turn_id: str) -> Turn:
        """The turn of this id (the id of the human message that began it), begun if it is new."""
        name = _TURN_ID.sub("_", turn_id)[:80] or "turn"
        with self._lock:
            if name not in self._turns:
                path = self.folder / f"{name}.jsonl" if self.folder else None
                self._turns[name] = Turn(name, self._limits(), path)
                for old in list(self._turns)[: -self.KEPT]:
                    del self._turns[old]
                self._thin()
            return self._turns[name]

    def _thin(self) -> None:
        """Drop the thoughts of long ago; a folder that cannot be tidied is left as it is."""
        if self.folder is None:
            return
        try:
            files = sorted(self.folder.glob("*.jsonl"), key=lambda one: one.stat().st_mtime)
            for old in files[: -self.ON_DISK]:
                old.unlink(missing_ok=True)
        except OSError:
            return


def read_thoughts(path: Path) -> Iterator[Thought]:
    """The thoughts of a turn's file, in order; a line that was cut off by a kill is left out.

    Of a file that is larger than any turn's, only the beginning is read.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES)
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            data = json.loads(line)
            data.pop("at", None)
            yield Thought.model_validate(data)
        except (ValueError, AttributeError, ValidationError, RecursionError):
            continue
