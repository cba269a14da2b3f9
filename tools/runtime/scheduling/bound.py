"""What switching costs at least, from any state: sums of exact optima of small relaxations.

The models are cut into groups of at most three. For each group the whole graph is solved exactly as if only the models
of the group cost anything to load (`Pricing`): the others are free, but still force a resident out where both do not
fit. Each load of a schedule is counted by one group at most, so the optima add up to a bound that no schedule
undercuts, also in the middle of a schedule, with models resident at the start and with calls that need several models.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tools.runtime.scheduling.condensed import Condensed, Pricing, bits

__all__ = ["Allowance", "Bound", "GroupBound", "LimitMet"]


_NEVER = 1 << 62
_LOOK_EVERY = 256
"""States between two looks at the clock."""


class LimitMet(Exception):
    """As many states were solved, or as much time was spent, as is allowed."""


class Allowance:
    """How many states may still be solved, and until when.

    Args:
        states: how many.
        ends: `time.monotonic()` after which none is solved; None: no look at the clock.
    """

    def __init__(self, states: int, ends: float | None = None) -> None:
        self.states = states
        self.ends = ends

    def spend(self) -> None:
        """One more state; raises `LimitMet`."""
        self.states -= 1
        if self.states < 0 or (self.states % _LOOK_EVERY == 0 and self.late):
            raise LimitMet

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self.ends is not None and time.monotonic() > self.ends


@dataclass(slots=True)
class _Frame:
    """A state being solved: its moves still to look at, the cost of the one looked at, the best cost so far."""

    finished: int
    ready: int
    resident: int
    moves: Iterator[tuple[int, int]]
    paying: int = 0
    best: int = _NEVER


class GroupBound:
    """Exact cost still to pay for the models of one group, remembered by state.

    Args:
        graph: the problem.
        group: mask of the models that cost something.
        allowance: what solving may take; may be shared.
    """

    def __init__(self, graph: Condensed, group: int, allowance: Allowance | None = None) -> None:
        self.pricing = Pricing(graph, group)
        self.group = group
        self._allowance = allowance or Allowance(_NEVER)
        self._everything = graph.everything
        self._exact: dict[tuple[int, int], int] = {}
        self._asked: dict[tuple[int, int], int] = {}

    @property
    def states(self) -> int:
        """How many states were solved so far."""
        return len(self._exact)

    def at(self, finished: int, ready: int, resident: int) -> int:
        """Microseconds of loading models of the group that every schedule pays from this state on.

        Raises:
            LimitMet: that would take more than is allowed. What was solved so far is kept.
        """
        resident &= self.group
        asked = (finished, resident)
        known = self._asked.get(asked)
        if known is None:
            closed, ready = self.pricing.close(finished, ready, resident)
            known = self._asked[asked] = self._solve(closed, ready, resident)
        return known

    def _solve(self, finished: int, ready: int, resident: int) -> int:
        """Depth first over the states that can follow; each move finishes something, so there is no circle.

        With a stack of its own: a plan of thousands of switches is deeper than Python may recurse.
        """
        exact = self._exact
        if finished == self._everything:
            return 0
        if (finished, resident) in exact:
            return exact[finished, resident]
        stack = [self._open(finished, ready, resident)]
        while True:
            top = stack[-1]
            child = self._advance(top)
            if child is not None:
                stack.append(child)
                continue
            stack.pop()
            exact[top.finished, top.resident] = top.best
            if not stack:
                return top.best
            stack[-1].best = min(stack[-1].best, top.best + stack[-1].paying)

    def _open(self, finished: int, ready: int, resident: int) -> _Frame:
        self._allowance.spend()
        return _Frame(finished, ready, resident, iter(self.pricing.moves(ready, resident)))

    def _advance(self, frame: _Frame) -> _Frame | None:
        """Look at the moves of a state until one leads to a state that is not solved yet; None: it is solved."""
        close, exact, everything = self.pricing.close, self._exact, self._everything
        for cost, after in frame.moves:
            if cost >= frame.best:
                return None  # moves come cheapest first: no other can be better
            finished, ready = close(frame.finished, frame.ready, after)
            known = 0 if finished == everything else exact.get((finished, after))
            if known is None:
                frame.paying = cost
                return self._open(finished, ready, after)
            if known + cost < frame.best:
                frame.best = known + cost
        return None


class Bound:
    """A lower bound for every state: a partition of the models into groups, each solved exactly.

    It is grown: of all groups the two that gain most by being united are, while any gain.

    Args:
        graph: the problem.
        allowance: what solving may take, now and later. Where it ends, groups stay as small as they are then.
        largest: how many models a group may have. More make the bound tighter and dearer.
    """

    def __init__(self, graph: Condensed, allowance: Allowance | None = None, largest: int = 3) -> None:
        self._graph = graph
        self._largest = largest
        self.allowance = allowance or Allowance(_NEVER)
        self._groups: dict[int, GroupBound] = {}
        self._models = list(bits(graph.wanted(0)))
        self.partition: list[GroupBound] = []
        groups: list[int] = []
        try:
            for model in self._models:
                self._value(1 << model)
                groups.append(1 << model)
            self._grow(groups)
        except LimitMet:
            pass  # each group in `groups` is solved: what there is, is a bound
        self.partition = [self._groups[group] for group in groups]

    def at(self, finished: int, ready: int, resident: int) -> int:
        """Microseconds of loading that every schedule pays from this state on; never more than it has to.

        Raises:
            LimitMet: that would take more than is allowed.
        """
        return sum([group.at(finished, ready, resident) for group in self.partition])

    def refine(self) -> None:
        """Try all partitions and take the best; with many models, or where the allowance ends, nothing changes."""
        if not self._largest < len(self._models) <= _ALL_PARTITIONS:
            return
        try:
            _, groups = self._best_partition(sum(1 << model for model in self._models), {0: (0, [])})
        except LimitMet:
            return
        self.partition = [self._groups[group] for group in groups]

    def _value(self, group: int) -> int:
        bound = self._groups.get(group)
        if bound is None:
            bound = self._groups[group] = GroupBound(self._graph, group, self.allowance)
        return bound.at(0, self._graph.ready, self._graph.resident)

    def _grow(self, groups: list[int]) -> None:
        """Unite groups in place."""
        while True:
            gains = [
                (self._value(a | b) - self._value(a) - self._value(b), -a, -b)
                for a, b in combinations(groups, 2)
                if (a | b).bit_count() <= self._largest
            ]
            gain, a, b = max(gains, default=(0, 0, 0))
            if gain <= 0:
                return
            groups.remove(-a)
            groups.remove(-b)
            groups.append(-a | -b)

    def _best_partition(self, left: int, best: dict[int, tuple[int, list[int]]]) -> tuple[int, list[int]]:
        """Of these models: the first one with each choice of others, and the best partition of the rest."""
        if left not in best:
            first = left & -left
            others = [1 << model for model in bits(left ^ first)]
            found: tuple[int, list[int]] = (-1, [])
            for size in range(min(self._largest - 1, len(others)), -1, -1):
                for chosen in combinations(others, size):
                    group = first | sum(chosen)
                    value, groups = self._best_partition(left & ~group, best)
                    if value + self._value(group) > found[0]:
                        found = (value + self._value(group), [group, *groups])
            best[left] = found
        return best[left]


_ALL_PARTITIONS = 9
"""With at most so many models all partitions are tried: 129 groups of up to three."""
