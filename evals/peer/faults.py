"""Wrong answers by name: what servers, gateways and models do that they should not.

    peer.fault("rate_limited", seconds=0)
    peer.script(*bad_replies(1000, seed=7))      # every kind, with variations

A kind is a function of a `Case` (what was asked, and the answer that would be right) to the reply that is sent, and of
keywords that change it; what is not given is drawn by the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from evals.peer import faults_calls, faults_said, faults_wire
from evals.peer.faulty import Case
from evals.peer.replies import Reply
from evals.peer.sampling import Sampler
from evals.peer.seen import Seen

__all__ = ["BAD_REPLIES", "HUGE", "KINDS", "Bad", "bad_replies"]

KINDS: Mapping[str, Callable[..., Reply]] = {**faults_wire.KINDS, **faults_said.KINDS, **faults_calls.KINDS}
BAD_REPLIES = tuple(KINDS)
"""Names of all kinds."""
HUGE = frozenset({"huge_content", "huge_arguments", "huge_body", "deep_body"})
"""Kinds that take long to send or read: a long series has few of them."""


@dataclass(frozen=True)
class Bad:
    """One bad reply: its kind, the seed of its variation, and what is fixed of it."""

    kind: str
    seed: int = 1
    how: tuple[tuple[str, Any], ...] = ()

    def bent(self, right: Reply, seen: Seen, sampler: Sampler, dialect: str, context: int) -> Reply:
        """What is sent in place of the right answer."""
        case = Case(right, seen, sampler, Random(f"{self.kind}/{self.seed}"), dialect, context)
        return KINDS[self.kind](case, **dict(self.how)).but(kind=self.kind)


def bad_replies(count: int, seed: int = 1, *, without: frozenset[str] = frozenset(), huge: int = 8) -> list[Bad]:
    """So many bad replies in random order: each kind about as often, each time another variation.

    Args:
        without: kinds that shall not be among them.
        huge: how many of the series are of `HUGE` kinds.
    """
    rng = Random(f"bad replies/{seed}")
    quick = [kind for kind in BAD_REPLIES if kind not in HUGE | without]
    slow = [kind for kind in BAD_REPLIES if kind in HUGE - without]
    many = min(huge, count // 4) if slow else 0
    kinds = [slow[at % len(slow)] for at in range(many)] + [quick[at % len(quick)] for at in range(count - many)]
    rng.shuffle(kinds)
    return [Bad(kind, seed * 1_000_003 + at) for at, kind in enumerate(kinds)]
