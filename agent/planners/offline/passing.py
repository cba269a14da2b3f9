"""Time that passes while one looks on: `day turns to night over the harbour`, `dal tramonto alla notte`."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from agent.planners.offline.page import Page
from agent.planners.offline.wordlists import holds
from tools.storyboard import TimeOfDay

__all__ = ["passing_times"]

FURTHEST = 8
"""Tokens between two times that are one change."""


def passing_times(page: Page) -> list[TimeOfDay]:
    """The times that one picture goes through, in order; empty when the hour does not change in it."""
    if page.quotes:
        return []
    times = page.of("time")
    for first, second in pairwise(times):
        if first.id == second.id or second.start - first.end > FURTHEST or page.breaks_between(first.end, second.start):
            continue
        before = [page.key(at) for at in range(max(0, first.start - 3), first.end)]
        between = [page.key(at) for at in range(first.end, second.end)]
        if holds(between, "time_turns") or (holds(before, "time_from") and holds(between, "time_to")):
            return [cast(TimeOfDay, first.id), cast(TimeOfDay, second.id)]
    return []
