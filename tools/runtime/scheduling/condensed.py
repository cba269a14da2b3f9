"""The problem as small integers: tasks that are always finished together become one class, sets become bit masks.

Whoever schedules here runs, after every load, all that is ready and runnable: that finishes more, costs nothing and
takes nothing away. So two calls that need the same models and the same classes are finished at the same moment in every
schedule worth looking at, and so are a call and a follower that needs no more models. A scene of 200 calls becomes a
graph of a few dozen classes, without losing a single schedule. Costs are whole microseconds: sums do not depend on
their order, and equal is equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from tools.runtime.scheduling.problem import Problem

__all__ = ["Condensed", "Pricing", "bits"]


def bits(mask: int) -> Iterator[int]:
    """Positions of the ones of a mask, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Condensed:
    """Classes of tasks that need models, in topological order; tasks of the CPU are folded into what they connect.

    Attributes:
        names: of the models, sorted; a mask of models has the bit i for names[i].
        weights, working: bytes, by model.
        cost: microseconds to load, by model.
        kinds: distinct sets of models that classes need, as masks.
        of_kind: for each kind, the mask of its classes.
        kind: for each class, the index of its kind.
        needs: for each class, the mask of classes that come right before it (none implied by another).
        followers: for each class, the classes that have it in `needs`.
        members: for each class, its tasks.
        everything: mask of all classes.
        ready: mask of the classes without needs.
        resident: mask of the models on the device at the start.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.names = sorted(problem.models)
        self.bit = {name: 1 << index for index, name in enumerate(self.names)}
        self.weights = [problem.models[name].weights for name in self.names]
        self.working = [problem.models[name].working for name in self.names]
        self.cost = [round(problem.models[name].load_s * 1e6) for name in self.names]
        self.budget = problem.budget
        self.kinds: list[int] = []
        self.of_kind: list[int] = []
        self.kind: list[int] = []
        self.needs: list[int] = []
        self.members: list[list[str]] = []
        self._weight: dict[int, int] = {}
        self._room: dict[int, int] = {}
        self._fold()
        self.followers: list[list[int]] = [[] for _ in self.needs]
        for index, needs in enumerate(self.needs):
            for need in bits(needs):
                self.followers[need].append(index)
        self.everything = (1 << len(self.needs)) - 1
        self.ready = sum(1 << index for index, needs in enumerate(self.needs) if not needs)
        self.resident = self.mask(problem.resident)

    def mask(self, models: Iterable[str]) -> int:
        """Models by name as a mask."""
        return sum(self.bit[name] for name in models)

    def models(self, mask: int) -> list[str]:
        """A mask as names, sorted."""
        return [self.names[index] for index in bits(mask)]

    def weight(self, mask: int) -> int:
        """Bytes of the weights of a mask of models."""
        known = self._weight.get(mask)
        if known is None:
            known = self._weight[mask] = sum(self.weights[index] for index in bits(mask))
        return known

    def fits(self, resident: int, running: int) -> bool:
        """Whether a call of the models `running` may run beside the residents, both masks, and within the budget."""
        room = self._room.get(running)
        if room is None:
            working = max((self.working[index] for index in bits(running)), default=0)
            room = self._room[running] = self.budget - working
        return self.weight(resident | running) <= room

    def wanted(self, finished: int) -> int:
        """Mask of the models that some unfinished class needs."""
        left = self.everything & ~finished
        models = 0
        for kind, classes in zip(self.kinds, self.of_kind, strict=True):
            if classes & left:
                models |= kind
        return models

    def _fold(self) -> None:
        done: dict[str, int] = {}  # task -> classes that must be finished for it to be finished
        before: list[int] = []  # class -> all classes before it
        found: dict[tuple[int, int], int] = {}
        for name in self.problem.order():
            task = self.problem.tasks[name]
            needs = 0
            for need in task.needs:
                needs |= done.get(need, 0)
            implied = 0
            for index in bits(needs):
                implied |= before[index]
            needs &= ~implied
            models = self.mask(task.models)
            if not models:
                done[name] = needs
                continue
            last = needs.bit_length() - 1
            if needs and needs == 1 << last and models & ~self.kinds[self.kind[last]] == 0:
                index = last
            elif (models, needs) in found:
                index = found[models, needs]
            else:
                index = found[models, needs] = len(self.needs)
                self._add(models, needs)
                before.append(needs | implied)
            self.members[index].append(name)
            done[name] = 1 << index

    def _add(self, models: int, needs: int) -> None:
        if models not in self.kinds:
            self.kinds.append(models)
            self.of_kind.append(0)
        kind = self.kinds.index(models)
        self.of_kind[kind] |= 1 << len(self.needs)
        self.kind.append(kind)
        self.needs.append(needs)
        self.members.append([])


class Pricing:
    """The same graph when only some models cost anything: the others come and go for nothing, but still take room.

    With all models priced this is the problem itself; with a few it is a relaxation of it, whose optimum no schedule of
    the problem undercuts: any schedule, with only the loads of the priced models counted, is one of the relaxation.
    Optima of disjoint sets of priced models may be added up.

    A state is (finished classes, resident priced models); its finished classes are closed: nothing ready is runnable.

    Args:
        graph: the problem.
        priced: mask of the models that cost something.
    """

    def __init__(self, graph: Condensed, priced: int) -> None:
        self.graph = graph
        self.priced = priced
        self._runnable: dict[int, int] = {}
        self._moves: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._choices: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._followers = [[(1 << f, graph.needs[f]) for f in followers] for followers in graph.followers]
        self._kinds = [(index, classes) for index, classes in enumerate(graph.of_kind)]

    def runnable(self, resident: int) -> int:
        """Mask of the classes that may run while these priced models are resident, and no others of the priced."""
        known = self._runnable.get(resident)
        if known is None:
            graph, known = self.graph, 0
            for models, classes in zip(graph.kinds, graph.of_kind, strict=True):
                if models & self.priced & ~resident == 0 and graph.fits(resident, models):
                    known |= classes
            self._runnable[resident] = known
        return known

    def close(self, finished: int, ready: int, resident: int) -> tuple[int, int]:
        """Run everything that becomes ready and is runnable: (finished, ready) after it."""
        runnable = self.runnable(resident)
        followers = self._followers
        go = ready & runnable
        while go:
            low = go & -go
            finished |= low
            ready ^= low
            for bit, needs in followers[low.bit_length() - 1]:
                if needs & finished == needs:
                    ready |= bit
            go = ready & runnable
        return finished, ready

    def moves(self, ready: int, resident: int) -> tuple[tuple[int, int], ...]:
        """What may be done in a closed state: pairs of microseconds to load, and priced models resident after it.

        One for each kind of ready class and each smallest set of models to evict for it. Left out are those that
        another one is never worse than: it costs no more and leaves at least the same models.
        """
        wanted = 0
        for index, classes in self._kinds:
            if ready & classes:
                wanted |= 1 << index
        known = self._moves.get((wanted, resident))
        if known is None:
            best: dict[int, int] = {}
            for kind in bits(wanted):
                for cost, after in self._choose(kind, resident):
                    best[after] = min(cost, best.get(after, cost))
            kept = [
                (cost, after)
                for after, cost in best.items()
                if not any(other & after == after and other != after and best[other] <= cost for other in best)
            ]
            known = self._moves[wanted, resident] = tuple(sorted(kept))
        return known

    def _choose(self, kind: int, resident: int) -> tuple[tuple[int, int], ...]:
        known = self._choices.get((kind, resident))
        if known is None:
            graph = self.graph
            models = graph.kinds[kind]
            target = models & self.priced
            cost = sum(graph.cost[index] for index in bits(target & ~resident))
            known = tuple((cost, kept | target) for kept in _largest(graph, resident & ~target, models))
            self._choices[kind, resident] = known
        return known


def _largest(graph: Condensed, others: int, models: int) -> list[int]:
    """The largest subsets of `others` beside which a call of `models` may run."""
    spots = [1 << index for index in bits(others)]
    found: list[int] = []
    for size in range(len(spots) + 1):
        more = False
        for chosen in combinations(spots, size):
            kept = others & ~sum(chosen)
            if any(kept & other == kept for other in found):
                continue
            more = True
            if graph.fits(kept, models):
                found.append(kept)
        if not more:
            break  # whatever evicts more evicts more than it has to
    return found
