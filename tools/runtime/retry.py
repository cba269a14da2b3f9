"""Whether what failed is tried again, and when: the rules of retries.yaml, applied."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from configs.retries import RetryRule
from tools.errors import Cancelled, OutOfMemory, ToolError

__all__ = ["Retries", "Retry", "Rules", "run_again"]

T = TypeVar("T")
Rules = Mapping[Any, RetryRule]
"""Rules by the name of an error's class (a `configs.retries.ErrorKind`)."""

_LOOK_EVERY_S = 0.05
_SPREAD = 0.25
"""Pauses differ by so much, lest many that failed together come back together."""


def _no_ladder(_error: OutOfMemory) -> str:
    """For what can do nothing to need less memory."""
    return ""


@dataclass(frozen=True)
class Retry:
    """It is tried again.

    Attributes:
        error: what the last attempt ended with.
        attempt: which attempt comes now, counted from 1.
        of: how many there are for this kind of error.
        pause_s: seconds until then.
        step: what was done to need less memory; empty where memory was not the matter.
    """

    error: ToolError
    attempt: int
    of: int
    pause_s: float
    step: str = ""


@dataclass
class Retries:
    """Counts the failures of one thing, and decides after each. Kinds are counted apart, so that the sum is bounded.

    Attributes:
        rules: by kind of error.
        key: names the thing; pauses of different things differ a little, those of one thing never.
        ladder: takes the next step down in memory and says which; empty where none is left.
        failures: how many of each rule there were; may be given, to go on counting where another process stopped.
    """

    rules: Rules
    key: str = ""
    ladder: Callable[[OutOfMemory], str] = _no_ladder
    failures: Counter[str] = field(default_factory=Counter)

    def after(self, error: ToolError) -> Retry | None:
        """Whether to try again after this error, and how; None: that was the last attempt."""
        if not error.retryable:
            return None
        kind = next((cls.__name__ for cls in type(error).__mro__ if cls.__name__ in self.rules), "")
        if not kind:
            return None
        rule = self.rules[kind]
        self.failures[kind] += 1
        failed = self.failures[kind]
        if failed >= rule.attempts:
            return None
        step = ""
        if rule.ladder:
            assert isinstance(error, OutOfMemory)
            step = self.ladder(error)
            if not step:
                return None
        return Retry(error, failed + 1, rule.attempts, self._spread(kind, failed) * rule.pause(failed), step)

    def _spread(self, kind: str, failed: int) -> float:
        """1 +- `_SPREAD`, from the key alone: the same run waits alike each time."""
        digest = hashlib.sha256(f"{self.key} {kind} {failed}".encode()).digest()
        return 1.0 + _SPREAD * (int.from_bytes(digest[:4], "big") / 2**31 - 1.0)


def run_again(
    attempt: Callable[[], T],
    retries: Retries,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
    on_retry: Callable[[Retry], None] = lambda _retry: None,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Try until it succeeds or the rules say that it is enough.

    Args:
        attempt: what is tried.
        retries: the rules, and what was counted so far.
        is_cancelled: looked at before each further attempt and every 50 ms of a pause.
        on_retry: told before each pause: nothing is tried again in silence.
        sleep: waits so many seconds.

    Raises:
        ToolError: what the last attempt ended with.
        Cancelled: `is_cancelled` became true between two attempts.
    """
    while True:
        try:
            return attempt()
        except ToolError as error:
            if is_cancelled():
                raise
            retry = retries.after(error)
            if retry is None:
                raise
            failure = error
        on_retry(retry)
        left = retry.pause_s
        while left > 0:
            sleep(min(left, _LOOK_EVERY_S))
            left -= _LOOK_EVERY_S
            if is_cancelled():
                raise Cancelled("stopped before another attempt") from failure
