"""What an expectation looks at: one turn, or all of them as one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evals.result import CallSeen, Check, TurnRecord

__all__ = ["Seen"]


@dataclass(frozen=True)
class Seen:
    """What was seen of a turn, or of the whole scenario.

    Attributes:
        turns: one, or all in order.
        folder: of the scenario.
        whole: it is all of it, so that numbers are sums.
        checks: that were held so far.
    """

    turns: tuple[TurnRecord, ...]
    folder: Path
    whole: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def last(self) -> TurnRecord:
        """The turn whose storyboard and message count."""
        return self.turns[-1]

    @property
    def number(self) -> int:
        """Of the turn; 0: the whole scenario."""
        return 0 if self.whole else self.last.number

    @cached_property
    def calls(self) -> list[CallSeen]:
        """All calls, in order."""
        return [call for turn in self.turns for call in turn.calls]

    @property
    def production(self) -> Path:
        """The folder of the production that the last turn is about."""
        found = [turn.production for turn in self.turns if turn.production]
        return self.folder / (found[-1] if found else "nothing_was_made")

    @property
    def board(self) -> dict[str, Any] | None:
        """The storyboard."""
        return self.last.storyboard
