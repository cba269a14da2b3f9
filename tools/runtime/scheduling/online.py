"""Planning again while a plan is carried out: verdicts bring calls that nobody knew of, calls fail, memory is taken.

The course in hand is followed until something changes; then what is left is planned again, from what is finished and
resident at that moment. Verdicts that are still open are planned for as if each asked for one more attempt: what waits
for the end of such attempts is put off, what leads to a verdict is hurried, and models that an attempt would want stay
where that costs nothing. Work that no order avoids is so collected into as few stints as if all had been known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tools.runtime.scheduling.plan import Plan
from tools.runtime.scheduling.problem import Insertion, Problem, Task
from tools.runtime.scheduling.search import LIMIT_NODES, plan_order
from tools.runtime.scheduling.timing import Load, Run, Step

__all__ = ["Replanner"]


class Replanner:
    """Says what to do next, and is told what has happened.

    Args:
        problem: everything known at the start.
        fears: by id of a call that may bring more: what it is likely to bring. It is planned for and never run before
            it is really inserted.
        limit_s, limit_nodes, prefetch: of each search; see `plan_order`.
    """

    def __init__(
        self,
        problem: Problem,
        fears: Mapping[str, Insertion] | None = None,
        *,
        limit_s: float | None = None,
        limit_nodes: int = LIMIT_NODES,
        prefetch: bool = True,
    ) -> None:
        self._left = problem
        self._fears = dict(fears or {})
        self._limit_s = limit_s
        self._limit_nodes = limit_nodes
        self._prefetch = prefetch
        self._course: Plan | None = None
        self._next = 0
        self._stale = False

    @property
    def left(self) -> Problem:
        """What is known and still to be done, from what is resident now."""
        return self._left

    def plan(self) -> Plan:
        """The order of what is known and left, if nothing more comes: what a person is shown."""
        return self._search(self._left)

    def next(self) -> Step | None:
        """The next step; None: there is nothing left. Asked again without `done`, it says the same."""
        if not self._left.tasks:
            return None
        if self._course is not None and self._next < len(self._course.steps):
            step = self._course.steps[self._next]
            # What is under way on the residents is right whatever has come: it is finished before anything is loaded.
            if not self._stale or (isinstance(step, Run) and self._can_run(step.task)):
                return step
        self._course = self._search(self._imagined())
        self._next, self._stale = 0, False
        return self._course.steps[0]

    def done(self, step: Step, brought: Insertion | None = None) -> None:
        """A step was carried out. Any may be told, also one that was not asked for.

        Args:
            step: which.
            brought: the calls it brought, if any.
        """
        expected = self._course is not None and self._course.steps[self._next : self._next + 1] == (step,)
        left = self._left
        if isinstance(step, Run):
            self._left = replace(left, tasks={name: task for name, task in left.tasks.items() if name != step.task})
        elif isinstance(step, Load):
            self._left = replace(left, resident=left.resident | {step.model})
        else:
            self._left = replace(left, resident=left.resident.difference(step.models))
        if expected:
            self._next += 1
        else:
            self._course = None
        if isinstance(step, Run) and self._fears.pop(step.task, None) is not None:
            self._stale = True
        if brought is not None:
            self.insert(brought)

    def insert(self, insertion: Insertion) -> None:
        """Calls have come.

        Raises:
            InvalidInput: they do not go with what is there; nothing has changed then.
        """
        self._left = self._left.inserted(insertion)
        self._stale = True

    def drop(self, names: Iterable[str]) -> None:
        """Calls will not be carried out: they failed for good, or were cancelled; name what needs them as well."""
        gone = set(names)
        self._left = replace(
            self._left, tasks={name: task for name, task in self._left.tasks.items() if name not in gone}
        )
        self._course = None

    def resize(self, *, budget: int | None = None, resident: Iterable[str] | None = None) -> None:
        """There is more or less memory than there was, or a worker died and its models with it.

        Raises:
            InvalidInput: a call that is left does not fit any more; nothing has changed then.
        """
        left = self._left
        self._left = Problem.of(
            left.tasks.values(),
            left.models.values(),
            left.budget if budget is None else budget,
            left.resident if resident is None else resident,
            left.cpu_slots,
        )
        self._course = None

    def _imagined(self) -> Problem:
        """What is left if every open verdict asked for more."""
        tasks: dict[str, Task] = dict(self._left.tasks)
        for name, fear in self._fears.items():
            if name not in self._left.tasks:
                continue
            for other, more in fear.waits.items():
                if other in tasks:
                    tasks[other] = replace(tasks[other], needs=(*tasks[other].needs, *more))
            tasks |= {task.id: task for task in fear.tasks if task.id not in tasks}
        return replace(self._left, tasks=tasks)

    def _search(self, problem: Problem) -> Plan:
        return plan_order(
            problem,
            limit_s=self._limit_s,
            limit_nodes=self._limit_nodes,
            prefetch=self._prefetch,
            verdicts=self._fears.keys(),
        )

    def _can_run(self, name: str) -> bool:
        left = self._left
        task = left.tasks.get(name)
        if task is None or any(need in left.tasks for need in task.needs):
            return False
        return left.fits(task)
