"""The order with the least switching: A* while it lasts, then a beam, always with what it costs at least beside it."""

from __future__ import annotations

import heapq
import time
from collections.abc import Collection
from dataclasses import dataclass

from tools.runtime.scheduling.bound import Allowance, Bound, LimitMet
from tools.runtime.scheduling.condensed import Condensed, Pricing, bits
from tools.runtime.scheduling.plan import Plan, make_plan
from tools.runtime.scheduling.problem import Problem
from tools.runtime.scheduling.stints import prefetched, steps_of

__all__ = ["Found", "find_order", "plan_order"]

LIMIT_NODES = 20_000
"""States A* looks at before a beam search takes over: up to a few seconds, on random graphs only."""

_STATES_A_NODE = 20
"""States that the bound may solve for each one that A* may look at."""
_PROVING = 0.6
"""Share of the time for a proof; the rest is for a good order without one."""
QUICK_WIDTH = 4
FULL_WIDTH = 64


@dataclass(frozen=True)
class Found:
    """What the search came to.

    Attributes:
        residents: models on the device after each switch, as masks; before the first it is what was there.
        cost: microseconds of loading.
        bound: microseconds that no order undercuts.
        method: which search found it: "bound met", "A*" or "beam".
        nodes: states looked at.
    """

    residents: tuple[int, ...]
    cost: int
    bound: int
    method: str
    nodes: int


def plan_order(
    problem: Problem,
    *,
    limit_s: float | None = None,
    limit_nodes: int = LIMIT_NODES,
    prefetch: bool = True,
    verdicts: Collection[str] = (),
) -> Plan:
    """The order of calls, loads and evictions with the least time spent on loading.

    To plan again in the middle of a job, give a problem of what is left: finished calls are no longer in it, `resident`
    is what is on the device now.

    Args:
        problem: what is to be ordered.
        limit_s: seconds to search, about; the answer depends on the clock only where it is met. None: `limit_nodes`
            alone counts, and the same problem always gives the same plan.
        limit_nodes: states to look at before the search settles for a good order with a certified gap.
        prefetch: let loads go on beside calls where both fit.
        verdicts: calls whose outcome may change what comes after them: no load is begun ahead of one.
    """
    graph = Condensed(problem)
    found = find_order(graph, limit_s=limit_s, limit_nodes=limit_nodes)
    steps = steps_of(problem, [frozenset(graph.models(mask)) for mask in found.residents])
    if prefetch:
        steps = prefetched(problem, steps, verdicts)
    return make_plan(
        problem,
        steps,
        method=found.method,
        bound_s=found.bound / 1e6,
        proven=found.cost == found.bound,
        nodes=found.nodes,
    )


# A way is the chain of what was resident, newest first: () or (mask, way before it).
_Way = tuple[()] | tuple[int, "_Way"]


def find_order(graph: Condensed, *, limit_s: float | None, limit_nodes: int) -> Found:
    """Search until it is proven that nothing is cheaper, or a limit is met.

    Args:
        graph: the problem.
        limit_s: seconds in all, but for a first order, which is always found; None: no look at the clock.
        limit_nodes: states A* may look at.
    """
    begun = time.monotonic()
    proving = None if limit_s is None else begun + _PROVING * limit_s
    search = _Search(graph, Allowance(_STATES_A_NODE * limit_nodes // 4, proving))
    best = search.beam(QUICK_WIDTH, None)
    least = search.least()
    if best[0] > least:
        search.refine(_STATES_A_NODE * limit_nodes // 4)
        least = max(least, search.least())
    if best[0] == least:
        return Found(_unroll(best[1]), best[0], least, "bound met", search.nodes)
    cost, way, least, exhausted = search.a_star(best, least, limit_nodes)
    if exhausted:
        return Found(_unroll(way), cost, cost, "A*", search.nodes)
    search.allowance.ends = None if limit_s is None else begun + limit_s
    best = search.beam(FULL_WIDTH, (cost, way))
    return Found(_unroll(best[1]), best[0], min(least, best[0]), "beam", search.nodes)


def _unroll(way: _Way) -> tuple[int, ...]:
    masks = []
    while way:
        masks.append(way[0])
        way = way[1]
    return tuple(reversed(masks))


class _Search:
    """One search of one problem."""

    def __init__(self, graph: Condensed, allowance: Allowance) -> None:
        self.graph = graph
        self.allowance = allowance
        self.pricing = Pricing(graph, (1 << len(graph.names)) - 1)
        self.bound = Bound(graph, allowance)
        finished, ready = self.pricing.close(0, graph.ready, graph.resident)
        self.start = (finished, ready, graph.resident & graph.wanted(finished))
        self.nodes = 0
        self._wanted: dict[int, int] = {}

    def least(self) -> int:
        """Microseconds that every schedule pays."""
        return self._estimate(*self.start)

    def refine(self, states: int) -> None:
        """Look for a tighter bound, for at most so many more states."""
        self.allowance.states = states
        self.bound.refine()
        self.allowance.states = states * 2

    def _estimate(self, finished: int, ready: int, resident: int) -> int:
        """The bound; where it may take no more, each model that is wanted and not there is loaded once."""
        try:
            return self.bound.at(finished, ready, resident)
        except LimitMet:
            missing = self.graph.wanted(finished) & ~resident
            return sum(self.graph.cost[index] for index in bits(missing))

    def _next(self, finished: int, ready: int, resident: int) -> list[tuple[int, int, int, int, int]]:
        """For each move: its cost, finished and ready after it, residents that are still of use, residents."""
        self.nodes += 1
        steps = []
        for cost, after in self.pricing.moves(ready, resident):
            done, open_ = self.pricing.close(finished, ready, after)
            wanted = self._wanted.get(done)
            if wanted is None:
                wanted = self._wanted[done] = self.graph.wanted(done)
            steps.append((cost, done, open_, after & wanted, after))
        return steps

    def a_star(self, best: tuple[int, _Way], least: int, limit_nodes: int) -> tuple[int, _Way, int, bool]:
        """Best first below the best known: (cost, way, bound, whether that is proven to be the optimum)."""
        cost, way = best
        everything = self.graph.everything
        finished, ready, resident = self.start
        # Deeper first among equals: a bound that is nearly exact then leads straight to the end.
        queue: list[tuple[int, int, int, int, int, int, _Way]] = [(least, 0, 0, finished, ready, resident, ())]
        seen: dict[int, list[tuple[int, int]]] = {finished: [(resident, 0)]}
        count, stop = 0, self.nodes + limit_nodes
        while queue:
            total, before, _, finished, ready, resident, past = heapq.heappop(queue)
            before = -before
            if total >= cost:
                return cost, way, cost, True
            if (resident, before) not in seen[finished]:
                continue  # a better one has come since
            if self.nodes >= stop or self.allowance.states < 0 or self.allowance.late:
                # All that is cheaper than this one was looked at: whatever is left costs at least as much.
                return cost, way, max(least, total), False
            for price, done, open_, kept, after in self._next(finished, ready, resident):
                paid = before + price
                if paid >= cost:
                    continue
                if done == everything:
                    cost, way = paid, (after, past)
                    continue
                rivals = seen.setdefault(done, [])
                if any(other & kept == kept and other_paid <= paid for other, other_paid in rivals):
                    continue
                total = paid + self._estimate(done, open_, kept)
                if total >= cost:
                    continue
                rivals[:] = [rival for rival in rivals if not (rival[0] & kept == rival[0] and paid <= rival[1])]
                rivals.append((kept, paid))
                count += 1
                heapq.heappush(queue, (total, -paid, count, done, open_, kept, (after, past)))
        return cost, way, cost, True

    def beam(self, width: int, best: tuple[int, _Way] | None) -> tuple[int, _Way]:
        """Level by level, of each level the `width` most promising states; the best end found, or `best`."""
        everything = self.graph.everything
        finished, ready, resident = self.start
        if finished == everything:
            return 0, ()
        level: list[tuple[int, int, int, int, int, _Way]] = [(0, 0, finished, ready, resident, ())]
        while level and not (best is not None and self.allowance.late):
            following: dict[tuple[int, int], tuple[int, int, int, int, int, _Way]] = {}
            for _, before, finished, ready, resident, past in level:
                for price, done, open_, kept, after in self._next(finished, ready, resident):
                    paid = before + price
                    if best is not None and paid >= best[0]:
                        continue
                    if done == everything:
                        best = paid, (after, past)
                        continue
                    # Rivals of this level alone: one of an earlier level may have been cut, and all its ends with it.
                    if (done, kept) in following and following[done, kept][1] <= paid:
                        continue
                    total = paid + self._estimate(done, open_, kept)
                    if best is not None and total >= best[0]:
                        continue
                    following[done, kept] = (total, paid, done, open_, kept, (after, past))
            # Among equals the one that has more behind it; the masks make the order the same every time.
            level = heapq.nsmallest(
                width, following.values(), key=lambda state: (state[0], -state[2].bit_count(), state[2], state[4])
            )
        assert best is not None
        return best
