"""What switching costs at least, from any state: sums of exact optima of small relaxations.

The models are cut into groups of at most three. For each group the whole graph is solved exactly as if only the models
of the group cost anything to load (`Pricing`): the others are free, but still force a resident out where both do not
fit. Each load of a schedule is counted by one group at most, so the optima add up to a bound that no schedule
undercuts, also in the middle of a schedule, with models resident at the start and with calls that need several models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tools.runtime.scheduling.condensed import Condensed, Pricing, bits

__all__ = ["Bound", "GroupBound"]


_NEVER = 1 << 62


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
    """

    def __init__(self, graph: Condensed, group: int) -> None:
        self.pricing = Pricing(graph, group)
        self.group = group
        self._everything = graph.everything
        self._exact: dict[tuple[int, int], int] = {}
        self._asked: dict[tuple[int, int], int] = {}

    @property
    def states(self) -> int:
        """How many states were solved so far."""
        return len(self._exact)

    def at(self, finished: int, ready: int, resident: int) -> int:
        """Microseconds of loading models of the group that every schedule pays from this state on."""
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
    """A lower bound for every state: the best partition of the models into groups, each solved exactly.

    Args:
        graph: the problem.
        largest: how many models a group may have. More make the bound tighter and dearer.
    """

    def __init__(self, graph: Condensed, largest: int = 3) -> None:
        self._graph = graph
        self._groups: dict[int, GroupBound] = {}
        models = list(bits(graph.wanted(0)))
        chosen = (
            self._best_partition(models, largest) if len(models) <= _ALL_PARTITIONS else self._grow(models, largest)
        )
        self.partition = [self._groups[group] for group in chosen]

    def at(self, finished: int, ready: int, resident: int) -> int:
        """Microseconds of loading that every schedule pays from this state on; never more than it has to."""
        return sum([group.at(finished, ready, resident) for group in self.partition])

    def _value(self, group: int) -> int:
        bound = self._groups.get(group)
        if bound is None:
            bound = self._groups[group] = GroupBound(self._graph, group)
        return bound.at(0, self._graph.ready, self._graph.resident)

    def _best_partition(self, models: list[int], largest: int) -> list[int]:
        """Exact: of each subset of the models the best partition, its first model with each choice of others."""
        best: dict[int, tuple[int, list[int]]] = {0: (0, [])}
        everything = sum(1 << model for model in models)

        def solve(left: int) -> tuple[int, list[int]]:
            if left not in best:
                first = left & -left
                others = [1 << model for model in bits(left ^ first)]
                found: tuple[int, list[int]] = (-1, [])
                for size in range(min(largest - 1, len(others)), -1, -1):
                    for chosen in combinations(others, size):
                        group = first | sum(chosen)
                        value, groups = solve(left & ~group)
                        if value + self._value(group) > found[0]:
                            found = (value + self._value(group), [group, *groups])
                best[left] = found
            return best[left]

        return solve(everything)[1]

    def _grow(self, models: list[int], largest: int) -> list[int]:
        """Greedy, for many models: unite the two groups that gain most by it, while any gains."""
        groups = [1 << model for model in models]
        while True:
            gains = [
                (self._value(a | b) - self._value(a) - self._value(b), -a, -b)
                for a, b in combinations(groups, 2)
                if (a | b).bit_count() <= largest
            ]
            gain, a, b = max(gains, default=(0, 0, 0))
            if gain <= 0:
                return groups
            groups = [group for group in groups if group not in (-a, -b)] + [-a | -b]


_ALL_PARTITIONS = 9
"""With at most so many models all partitions are tried: 129 groups of up to three."""
