"""Works off the jobs of a queue, one at a time: takes, carries out, writes down how it ended, and takes the next."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from tools.errors import Cancelled, StorageFailed, ToolError
from tools.runtime.jobs.journal import Journal
from tools.runtime.jobs.queue import JobQueue, JobSpec, carried
from tools.runtime.jobs.records import JobState
from tools.runtime.retry import Retries, Rules

__all__ = ["JobEvent", "JobKind", "JobOutcome", "JobRunner", "RunningJob"]

LOOK_EVERY_S = 0.2
"""How often a running job's wishes are looked at."""
LOOK_FOR_JOBS_S = 1.0
"""How often one who has nothing to do looks for new jobs."""
_DISKS = 3
"""A job that ends so often because the disk refuses is failed: it may be the only one whose disk does."""


@dataclass(frozen=True)
class RunningJob:
    """What a kind of job is handed.

    Attributes:
        id, spec: which job.
        journal: to write down its calls; its first batch, where there is one, is in `journal.found.graph`.
        cancel: set when it should stop; what is finished by then is kept.
        tell: hears what happens, as data of the kind's own.
    """

    id: str
    spec: JobSpec
    journal: Journal
    cancel: threading.Event
    tell: Callable[[Any], None]


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended that was not stopped.

    Attributes:
        failures: by call, what went wrong; empty where everything was made.
        facts: JSON data to be kept: where the result lies.
    """

    failures: Mapping[str, ToolError] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class JobKind(Protocol):
    """Carries out one kind of job."""

    def carry_out(self, job: RunningJob) -> JobOutcome:
        """Do it, or the rest of it: the same job may have been begun before, here or in a process that died.

        Raises:
            ToolError: it could not be done; `Cancelled` where `job.cancel` was set.
        """
        ...

    def free(self) -> None:
        """End the workers, so that all memory is given back; another `carry_out` may follow."""
        ...


@dataclass(frozen=True)
class JobEvent:
    """A job changed its state: `state` is the new one, `retry_in_s` the pause where it will be tried again."""

    id: str
    spec: JobSpec
    state: JobState
    reason: str = ""
    retry_in_s: float = 0.0


class JobRunner:
    """Works off a queue.

    Args:
        queue: whose jobs.
        kinds: by name.
        rules: what is tried again, by kind of error; see `configs/retries.yaml`, `jobs`.
        on_event: told when a job begins and when it ends.
        tell: hears what the kinds of jobs tell, with the job's id.
        stop: set it from anywhere to stop within a second or so; the job at work goes back into the queue.
    """

    def __init__(
        self,
        queue: JobQueue,
        kinds: Mapping[str, JobKind],
        rules: Rules,
        *,
        on_event: Callable[[JobEvent], None] = lambda _event: None,
        tell: Callable[[str, Any], None] = lambda _job_id, _said: None,
        stop: threading.Event | None = None,
    ) -> None:
        self.queue, self.kinds, self.rules = queue, kinds, rules
        self.on_event, self.tell = on_event, tell
        self.stop = stop or threading.Event()

    def run(self, *, stay: bool = False) -> dict[str, JobState]:
        """Work until no job is left that waits for us; a pause before another attempt is waited for.

        Args:
            stay: then wait for more, with all memory given back, until `stop` is set.

        Returns:
            The state in which each job was left, by id. Those that another process works on are not among them.

        Raises:
            StorageFailed: the disk refuses. The job at work waits in the queue again, unless it is the third time.
        """
        ends: dict[str, JobState] = {}
        idle = False
        while not self.stop.is_set():
            journal = self.queue.take()
            if journal is not None:
                idle = False
                ends[journal.job_id] = self._work(journal)
                continue
            due = min((view.after for view in self.queue.open_views() if view.waiting), default=None)
            if due is None and not stay:
                break
            if due is None and not idle:
                idle = True
                for kind in self.kinds.values():
                    kind.free()
            self.stop.wait(LOOK_FOR_JOBS_S if due is None else min(max(due - time.time(), 0.001), LOOK_FOR_JOBS_S))
        return ends

    def run_one(self, job_id: str) -> JobState:
        """Work on this job until it has ended, been stopped, or its attempts are used up.

        Raises:
            InvalidInput: there is no such job, or nothing is left to do for it.
            ProductionBusy: another process works on it; says which.
            StorageFailed: as in `run`.
        """
        while True:
            state = self._work(self.queue.take_this(job_id))
            if state != "accepted" or self.stop.is_set():
                return state
            self.stop.wait(max(self.queue.view(job_id).after - time.time(), 0.0))
            if self.stop.is_set():
                return state

    def _work(self, journal: Journal) -> JobState:
        """One attempt at one job; the state in which it is left."""
        try:
            with journal:
                return self._attempt(journal)
        finally:
            # Asked for while we were letting go of it.
            self.queue.settle(journal.job_id)

    def _attempt(self, journal: Journal) -> JobState:
        spec = JobSpec.model_validate(journal.found.about)
        kind = self.kinds.get(spec.kind)
        if kind is None:
            reason = f"this studio knows no jobs of the kind {spec.kind!r}"
            return self._end(journal, spec, "failed", reason)
        before = dict(journal.facts)
        journal.mark("running", **carried(before, "tries"), pid=os.getpid(), at=round(time.time(), 3))
        self.on_event(JobEvent(journal.job_id, spec, "running"))
        with self._listening(journal.job_id) as cancel:
            job = RunningJob(journal.job_id, spec, journal, cancel, lambda said: self.tell(journal.job_id, said))
            try:
                outcome = kind.carry_out(job)
            except Cancelled as error:
                kind.free()
                return self._stopped(journal, spec, before, error)
            except ToolError as error:
                return self._failed(journal, spec, before, [error])
            except BaseException as error:
                # Ctrl-C leaves it `running`, and it goes on; a bug would come again at once.
                kind.free()
                if isinstance(error, Exception):
                    self._end(journal, spec, "failed", f"{type(error).__name__}: {error}"[:500])
                raise
        self.queue.forget_wish(journal.job_id)
        if outcome.failures:
            return self._failed(journal, spec, before, list(outcome.failures.values()))
        return self._end(journal, spec, "done", "", **outcome.facts)

    @contextmanager
    def _listening(self, job_id: str) -> Iterator[threading.Event]:
        """An event that is set when somebody wishes the job to stop, or all work here to."""
        cancel, over = threading.Event(), threading.Event()

        def listen() -> None:
            while not over.wait(LOOK_EVERY_S):
                if self.stop.is_set() or self.queue.wish(job_id) in ("pause", "cancel"):
                    cancel.set()
                    return

        listener = threading.Thread(target=listen, name="wishes", daemon=True)
        listener.start()
        try:
            yield cancel
        finally:
            over.set()
            listener.join()

    def _stopped(self, journal: Journal, spec: JobSpec, before: Mapping[str, Any], error: Cancelled) -> JobState:
        wish = self.queue.wish(journal.job_id)
        keep = carried(before, "tries")
        if wish == "pause":
            state = self._end(journal, spec, "paused", "pause was asked for", **keep)
        elif wish == "cancel":
            state = self._end(journal, spec, "cancelled", "cancel was asked for", **keep)
        elif self.stop.is_set():
            state = self._end(journal, spec, "accepted", "stopped; it goes on where it was", **keep)
        else:
            # It stopped by itself: a limit, or somebody who was asked and said no.
            state = self._end(journal, spec, "cancelled", str(error), **keep)
        self.queue.forget_wish(journal.job_id)
        return state

    def _failed(
        self, journal: Journal, spec: JobSpec, before: Mapping[str, Any], errors: Sequence[ToolError]
    ) -> JobState:
        """Decide by the rules whether it comes back, once for each kind of error."""
        told = str(errors[0]) if len(errors) == 1 else f"{len(errors)} calls failed; the first: {errors[0]}"
        tries = before.get("tries")
        counted = Counter(
            {str(k): n for k, n in tries.items() if isinstance(n, int)} if isinstance(tries, dict) else {}
        )
        disk = next((error for error in errors if isinstance(error, StorageFailed) and not error.retryable), None)
        if disk is not None and counted["StorageFailed"] < _DISKS - 1:
            # Not the job's fault: the next one would fare no better. When there is room again, it goes on.
            counted["StorageFailed"] += 1
            self._end(journal, spec, "accepted", told[:500], tries=dict(counted), **carried(before))
            raise disk
        retries = Retries(self.rules, key=journal.job_id, failures=counted)
        kinds = {type(error): error for error in reversed(errors)}
        again = [retry for error in kinds.values() if (retry := retries.after(error)) is not None]
        if not again:
            return self._end(journal, spec, "failed", told[:500], tries=dict(counted), **carried(before))
        pause = max(retry.pause_s for retry in again)
        facts = {**carried(before), "tries": dict(counted), "after": round(time.time() + pause, 3)}
        return self._end(journal, spec, "accepted", told[:500], pause, **facts)

    def _end(
        self, journal: Journal, spec: JobSpec, state: JobState, reason: str, retry_in_s: float = 0.0, **facts: Any
    ) -> JobState:
        journal.mark(state, reason, **facts)
        self.on_event(JobEvent(journal.job_id, spec, state, reason, retry_in_s))
        return state
