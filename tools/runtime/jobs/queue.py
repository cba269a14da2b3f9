"""The jobs of one productions folder: written down, in turn, and told what people wish of them.

    <productions>/.studio/jobs/<id>.journal    a job: what it is for, its calls, its states
    <productions>/.studio/jobs/<id>.wish       what somebody asked of a job that another process works on

There is no list beside the files, and nobody in charge: every process that looks sees the same, and the lock on a
journal decides who works on it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.artifact import write_atomic
from tools.base import Call
from tools.errors import CorruptArtifact, InvalidInput, ProductionBusy, ToolError
from tools.runtime.jobs.journal import Journal
from tools.runtime.jobs.journal_file import SUFFIX, create_journal, is_held, journal_path, read_journal
from tools.runtime.jobs.records import ENDED, History, JobState
from tools.runtime.storage.disk import storage_errors

__all__ = ["JobQueue", "JobSpec", "JobView", "Wish", "carried"]

Wish = Literal["pause", "resume", "cancel", "retry"]
_FROM: dict[Wish, tuple[tuple[JobState, ...], JobState]] = {
    "pause": (("accepted", "running"), "paused"),
    "resume": (("paused",), "accepted"),
    "cancel": (("accepted", "running", "paused"), "cancelled"),
    "retry": (("failed", "cancelled"), "accepted"),
}
"""From which states a wish leads to which."""
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_MOST_WISH = 1000


class JobSpec(BaseModel):
    """What a job is for.

    Attributes:
        kind: who carries it out; see `runner.JobKind`.
        title: one line for people.
        priority: larger comes first; those alike come in the order in which they were given.
        payload: JSON data for its kind.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str = Field("", max_length=300)
    priority: int = Field(0, ge=-1000, le=1000)
    payload: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stands.

    Attributes:
        id, spec: which.
        state: None where its journal cannot be read; `reason` then says why.
        reason: why it is in that state.
        held: whether a process works on it now. One that is `running` and not held was interrupted; it goes on.
        wish: what was asked of it and not done yet.
        priority: as it is now.
        after: seconds since 1970 before which it is not tried again; 0: at once.
        pid: of the process that works on it, or did last; 0 unknown.
        starts: how often it was begun.
        total, done, failed, running: calls.
        facts: all that its last state says.
    """

    id: str
    spec: JobSpec
    state: JobState | None
    reason: str = ""
    held: bool = False
    wish: str = ""
    priority: int = 0
    after: float = 0.0
    pid: int = 0
    starts: int = 0
    total: int = 0
    done: int = 0
    failed: int = 0
    running: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Whether somebody who runs jobs would take it, now or once `after` is over."""
        return not self.held and self.state in ("accepted", "running")

    @property
    def turn(self) -> tuple[bool, int, int, str]:
        """Sorts by whose turn it is; those that have ended come last."""
        return (self.state in ENDED, -self.priority, int(self.id) if self.id.isdigit() else 10**9, self.id)


class JobQueue:
    """The jobs in a folder. Free to make; any number of processes may have one on the same folder.

    Args:
        folder: where the journals lie; made when the first job is given.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, tuple[tuple[int, int, int], JobView]] = {}
        """What the journal of a job that has not ended said, by its inode, size and time of change."""
        self._over: dict[str, tuple[int, int, int]] = {}
        """Those that have ended, by the same: they are not read at every look. No more of them is kept: a process that
        runs thousands of jobs shall not grow with each."""

    # -- giving jobs ------------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, calls: Sequence[Call] = (), job_id: str = "") -> str:
        """Accept a job: it is on disk when this returns, and will not be lost.

        Args:
            spec: what it is for.
            calls: its calls, where they are known already.
            job_id: name for it; empty numbers it. Giving a job of the same name again changes nothing, so that who
                does not know whether it was accepted may ask twice.

        Returns:
            Its id.

        Raises:
            InvalidInput: the name cannot be one, or belongs to another job.
            StorageFailed: the disk refuses; it is not accepted then.
        """
        about = spec.model_dump(mode="json")
        if job_id:
            if not create_journal(self.folder, job_id, about, calls) and _spec(self.history(job_id)) != spec:
                raise InvalidInput(f"there is another job {job_id!r}.")
            return job_id
        number = max((int(name) for name in self._ids() if _NUMBER.fullmatch(name)), default=0) + 1
        while not create_journal(self.folder, str(number), about, calls):
            number += 1
        return str(number)

    # -- looking ----------------------------------------------------------------------------------------------------

    def _ids(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        with storage_errors(f"cannot read {self.folder}"):
            names = [path.name for path in self.folder.iterdir()]
        return [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX) and name[0] != "."]

    def history(self, job_id: str) -> History:
        """All that a job's journal says.

        Raises:
            InvalidInput: there is no such job.
            StorageFailed: it cannot be read.
        """
        return read_journal(self.folder, job_id)

    def view(self, job_id: str) -> JobView:
        """A job as it stands.

        Raises:
            InvalidInput: there is no such job.
        """
        stamp = self._stamp(job_id)
        seen = self._seen.get(job_id)
        if seen is None or seen[0] != stamp or stamp is None:
            view = _view(job_id, self.history(job_id))
            self._remember(view, stamp)
        else:
            view = seen[1]
        if view.state in ENDED:
            # Most jobs of an old folder: nobody holds them, and nothing is asked of them that is not done at once.
            return view
        return replace(view, held=is_held(self.folder, job_id), wish=self.wish(job_id) or "")

    def _remember(self, view: JobView, stamp: tuple[int, int, int] | None) -> None:
        self._seen.pop(view.id, None)
        self._over.pop(view.id, None)
        if stamp is not None and view.state in ENDED:
            self._over[view.id] = stamp
        elif stamp is not None:
            self._seen[view.id] = (stamp, view)

    def _stamp(self, job_id: str) -> tuple[int, int, int] | None:
        try:
            found = journal_path(self.folder, job_id).stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def views(self) -> list[JobView]:
        """Every job, in turn."""
        return self._views(self._ids())

    def open_views(self) -> list[JobView]:
        """The jobs that have not ended, in turn: much less to look at than all of them."""
        ids = [job_id for job_id in self._ids() if not self._is_over(job_id)]
        return [view for view in self._views(ids) if view.state not in ENDED]

    def _is_over(self, job_id: str) -> bool:
        ended = self._over.get(job_id)
        return ended is not None and ended == self._stamp(job_id)

    def _views(self, ids: Iterable[str]) -> list[JobView]:
        found = []
        for job_id in ids:
            try:
                found.append(self.view(job_id))
            except ToolError as error:
                found.append(JobView(job_id, JobSpec(kind="unknown", title="(cannot be read)"), None, str(error)))
        return sorted(found, key=lambda view: view.turn)

    # -- taking jobs ------------------------------------------------------------------------------------------------

    def take(self, now: float | None = None) -> Journal | None:
        """The next job that is due, its journal open: from then on it is ours alone. None: there is nothing to do now.

        Raises:
            StorageFailed: the disk refuses.
        """
        now = time.time() if now is None else now
        for view in self.open_views():
            if view.waiting and view.after <= now:
                journal = self._take(view.id)
                if journal is not None:
                    return journal
        return None

    def _take(self, job_id: str) -> Journal | None:
        try:
            journal = Journal.open(self.folder, job_id)
        except (ProductionBusy, CorruptArtifact):
            return None
        self._apply_wish(journal)
        # Another process may have finished it since we looked.
        if journal.state in ("accepted", "running"):
            return journal
        journal.close()
        return None

    def take_this(self, job_id: str) -> Journal:
        """This job, whether or not it is its turn.

        Raises:
            InvalidInput: there is no such job, or nothing is left to do for it.
            ProductionBusy: another process works on it; says which.
            CorruptArtifact: it cannot be read.
        """
        self.history(job_id)
        journal = Journal.open(self.folder, job_id)
        self._apply_wish(journal)
        if journal.state in ("accepted", "running"):
            return journal
        journal.close()
        ways = {"paused": "resume", "failed": "retry", "cancelled": "retry"}
        way = ways.get(journal.state or "")
        raise InvalidInput(
            f"the job {job_id} is {journal.state}.", hint=f"`studio jobs {way} {job_id}` puts it back." if way else ""
        )

    # -- what people wish -------------------------------------------------------------------------------------------

    def ask(self, job_id: str, wish: Wish) -> JobView:
        """Pause, resume, cancel or retry a job; where another process works on it, that one does it within a second.

        Returns:
            The job as it stands then; `wish` is empty where it is done already.

        Raises:
            InvalidInput: there is no such job, or its state does not allow it.
            StorageFailed: the disk refuses.
        """
        view = self.view(job_id)
        if wish == "resume" and view.wish == "pause":
            self.forget_wish(job_id)
            view = self.view(job_id)
            if view.state != "paused":
                return view
        states, _ = _FROM[wish]
        if view.state not in states:
            now = "waiting" if view.state == "accepted" else view.state
            told = "cannot be read" if view.state is None else f"is {now}"
            meant = " or ".join("waiting" if state == "accepted" else state for state in states)
            raise InvalidInput(f"the job {job_id} {told}; {wish} is for one that is {meant}.")
        write_atomic(self._wish_path(job_id), json.dumps({"wish": wish}).encode())
        self.settle(job_id)
        return self.view(job_id)

    def settle(self, job_id: str) -> None:
        """Do what is wished of a job, if nobody works on it."""
        if self.wish(job_id) is None:
            return
        with suppress(ProductionBusy), Journal.open(self.folder, job_id) as journal:
            self._apply_wish(journal)

    def wish(self, job_id: str) -> Wish | None:
        """What was asked of a job and not done yet."""
        try:
            with self._wish_path(job_id).open("rb") as stream:
                said = json.loads(stream.read(_MOST_WISH))["wish"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return said if said in _FROM else None

    def forget_wish(self, job_id: str) -> None:
        """It is done, or came too late."""
        with storage_errors(f"cannot remove {self._wish_path(job_id)}"):
            self._wish_path(job_id).unlink(missing_ok=True)

    def _apply_wish(self, journal: Journal) -> None:
        wish = self.wish(journal.job_id)
        if wish is None:
            return
        states, state = _FROM[wish]
        if journal.state in states:
            keep = () if wish == "retry" else ("tries",)
            journal.mark(state, f"{wish} was asked for", **carried(journal.facts, *keep))
        self.forget_wish(journal.job_id)

    def prioritise(self, job_id: str, priority: int) -> None:
        """Give a waiting or paused job another priority.

        Raises:
            InvalidInput: it has ended.
            ProductionBusy: another process works on it.
        """
        self.history(job_id)
        with Journal.open(self.folder, job_id) as journal:
            if journal.state is None or journal.state in ENDED:
                raise InvalidInput(f"the job {job_id} is {journal.state or 'damaged'}.")
            # One that was interrupted goes on all the same.
            state: JobState = "accepted" if journal.state == "running" else journal.state
            journal.mark(state, journal.reason, **{**journal.facts, "priority": priority})

    def _wish_path(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.wish"


def carried(facts: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """What one state hands on to the next: the priority, and what else is named."""
    return {name: facts[name] for name in ("priority", *more) if name in facts}


def _view(job_id: str, history: History) -> JobView:
    spec = _spec(history)
    if spec is None or history.state is None or history.lost:
        unknown = spec or JobSpec(kind="unknown", title="(cannot be read)")
        return JobView(job_id, unknown, None, "its journal is damaged")
    facts = history.facts
    return JobView(
        id=job_id,
        spec=spec,
        state=history.state,
        reason=history.reason,
        priority=int(_number(facts.get("priority"), spec.priority)),
        after=_number(facts.get("after"), 0),
        pid=int(_number(facts.get("pid"), 0)),
        starts=history.starts,
        total=len(history.calls),
        done=len(history.committed),
        failed=len(history.failed),
        running=tuple(sorted(history.running)),
        facts=facts,
    )


def _spec(history: History) -> JobSpec | None:
    try:
        return JobSpec.model_validate(history.about)
    except ValidationError:
        return None


def _number(data: Any, otherwise: float) -> float:
    return data if isinstance(data, int | float) and abs(data) < 1e12 else otherwise
