"""A job's journal: what it was asked to do and what came of it, written down as it happens, in a file `<id>.journal`.

    with Journal.open(folder, "beach") as journal:
        journal.accept(calls)               # on disk when this returns
        journal.mark("running")
        journal.started("s1.still")
        journal.committed("s1.still", key)  # on disk a moment later, together with what happens until then
        journal.mark("done")

The artifact is the commit: a finished call whose line is lost with the power is found again in the store by its key.
So only what nothing else remembers is awaited (`create_journal`, `accept`, `mark`). The rest is written at once, which
a death of this process does not undo, and made durable by one fsync for all that came together. `jobs.records` has the
form.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.artifact import fsync_dir
from tools.base import Call
from tools.errors import CorruptArtifact, InvalidInput, ProductionBusy, StorageFailed, ToolError
from tools.runtime.jobs.journal_file import (
    SUFFIX,
    batch_lines,
    call_line,
    create_journal,
    header_line,
    history_of,
    is_held,
    journal_path,
    json_line,
    make_folder,
    read_journal,
    state_line,
)
from tools.runtime.jobs.records import History, JobState, encode, salt_of
from tools.runtime.storage.disk import storage_errors, storage_failure

__all__ = ["SUFFIX", "Journal", "create_journal", "is_held", "read_journal"]

GROUP_S = 0.05
"""So long what happens is collected before one fsync makes all of it durable."""
_MODE = 0o644
_PATIENCE_S = 0.05
"""Who only looks whether a journal is held holds it for less than that."""


class Journal:
    """A journal open for writing, by one process at a time. Safe to use from several threads.

    Attributes:
        path: its file.
        job_id: of the job.
        found: what it said when it was opened.
        reason, facts: of the present state.
    """

    def __init__(self, path: Path, job_id: str, fd: int, found: History) -> None:
        self.path, self.job_id, self.found = path, job_id, found
        self._fd = fd
        self._salt = salt_of(job_id)
        self._numbers = dict(found.numbers)
        self._bodies = {name: call_line(Call.model_validate(call)) for name, call in found.calls.items()}
        self._next = found.next_number
        self._state, self.reason, self.facts = found.state, found.reason, dict(found.facts)
        self._end = found.end
        self._durable = -1
        """So much of the file is surely on disk. Who wrote before us may have died before he saw to that."""
        self._broken: OSError | None = None
        self._writing = threading.Lock()
        self._syncing = threading.Lock()
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._syncer: threading.Thread | None = None

    @classmethod
    def open(cls, folder: Path, job_id: str) -> Journal:
        """Open a job's journal, a new one where there is none; a torn end is cut off.

        Raises:
            InvalidInput: the id cannot be the name of a file, or a later version of the studio wrote it.
            ProductionBusy: another process is writing it.
            CorruptArtifact: calls that were accepted cannot be read any more.
            StorageFailed: the disk refuses.
        """
        path = journal_path(folder, job_id)
        with storage_errors(f"cannot open {path}"):
            make_folder(folder)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        try:
            with storage_errors(f"cannot open {path}"):
                _lock(fd, path)
                data = _read_all(fd)
                found = history_of(path, job_id, data)
                if found.lost:
                    raise CorruptArtifact(
                        f"{path} is damaged: {len(found.lost)} of its calls cannot be read.",
                        hint="Move it away and give the same job again; what is finished is in the store.",
                    )
                if found.end < len(data):
                    os.ftruncate(fd, found.end)
                    os.fsync(fd)
                return cls(path, job_id, fd, found)
        except BaseException:
            os.close(fd)
            raise

    # -- what is told -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> JobState | None:
        """The job's state as last marked."""
        return self._state

    def accept(self, calls: Sequence[Call]) -> None:
        """Write a batch down, durably. Calls that are there already as they stand are not written twice.

        Raises:
            StorageFailed: the disk refuses; the batch is not accepted.
        """
        with self._writing:
            bodies = {call.id: call_line(call) for call in calls}
            fresh = [name for name, body in bodies.items() if self._bodies.get(name) != body]
            if fresh:
                self._append(batch_lines(self._next, [bodies[name] for name in fresh]))
                for number, name in enumerate(fresh, self._next):
                    self._numbers[name], self._bodies[name] = number, bodies[name]
                self._next += len(fresh)
                self._state = self._state or "accepted"
        self.sync()

    def started(self, call_id: str) -> None:
        """A call is being made now."""
        self._note(b'["run",%d]' % self._number(call_id))

    def committed(self, call_id: str, key: str) -> None:
        """A call is finished: its artifact is in the store under this key, put there or found there."""
        self._note(b'["ok",%d,"%b"]' % (self._number(call_id), key.encode()))

    def failed(self, call_id: str, error: ToolError) -> None:
        """A call ended with an error."""
        self._note(json_line(["err", self._number(call_id), type(error).__name__, error.message, error.hint]))

    def mark(self, state: JobState, reason: str = "", **facts: Any) -> None:
        """The job's state changes; durable when this returns.

        Args:
            state: the new one.
            reason: why, for people.
            facts: more about it, as JSON data.
        """
        with self._writing:
            self._append([state_line(state, reason, facts)])
            self._state, self.reason, self.facts = state, reason, facts
        self.sync()

    def _number(self, call_id: str) -> int:
        try:
            return self._numbers[call_id]
        except KeyError:
            raise InvalidInput(f"the call {call_id!r} was not accepted by the journal {self.path}") from None

    def _note(self, line: bytes) -> None:
        with self._writing:
            self._append([line])
            if self._syncer is None:
                self._syncer = threading.Thread(target=self._sync_in_groups, name="journal", daemon=True)
                self._syncer.start()
        if not self._dirty.is_set():
            self._dirty.set()

    # -- the file ---------------------------------------------------------------------------------------------------

    def _append(self, lines: Sequence[bytes]) -> None:
        """Write lines behind the last; all of them or, where the disk refuses, none."""
        if self._broken is not None:
            raise storage_failure(f"cannot write {self.path} any more", self._broken) from self._broken
        if self._end == 0:
            lines = [header_line(self.job_id, {}), *lines]
        data = b"".join([encode(line, self._salt) for line in lines])
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._fd, data[written:] if written else data, self._end + written)
        except OSError as error:
            self._take_back(error)
            raise storage_failure(f"cannot write {self.path}", error) from error
        self._end += written

    def _take_back(self, error: OSError) -> None:
        """Cut off half a line; where even that fails, the next one to open the journal does it."""
        try:
            os.ftruncate(self._fd, self._end)
        except OSError:
            self._broken = error

    def sync(self) -> None:
        """Make all that was told so far durable.

        Raises:
            StorageFailed: the disk refuses; nothing more is written then, since nobody knows what it kept.
        """
        with self._syncing:
            end = self._end
            if end == self._durable:
                return
            if self._broken is not None:
                raise storage_failure(f"cannot write {self.path} any more", self._broken) from self._broken
            try:
                os.fsync(self._fd)
                if self._durable < 0:
                    fsync_dir(self.path.parent)
            except OSError as error:
                self._broken = error
                raise storage_failure(f"cannot make {self.path} durable", error) from error
            self._durable = end

    def _sync_in_groups(self) -> None:
        while True:
            self._dirty.wait()
            # Before the wait: cleared behind it, the call of `close` would be lost, which sets it last.
            self._dirty.clear()
            if self._closing.wait(GROUP_S):
                return
            # Told to whoever writes or syncs next: `_broken` is set.
            with suppress(StorageFailed):
                self.sync()

    def close(self) -> None:
        """Make everything durable and let others write. May be called again.

        Raises:
            StorageFailed: the disk refuses; the journal is closed all the same.
        """
        if self._fd < 0:
            return
        self._closing.set()
        self._dirty.set()
        if self._syncer is not None:
            self._syncer.join()
        try:
            self.sync()
        finally:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except StorageFailed:
            # The error that ends the block is the one to tell.
            if error is None:
                raise


def _lock(fd: int, path: Path) -> None:
    """One writer: the kernel drops it when the file is closed, however its holder ended."""
    patience = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= patience:
                break
        time.sleep(0.002)
    job_id = path.name.removesuffix(SUFFIX)
    facts = read_journal(path.parent, job_id).facts
    by = f"process {facts['pid']}" if "pid" in facts else "another process"
    raise ProductionBusy(f"the job {job_id} is being worked on by {by}.", hint="Wait for it, or stop it.")


def _read_all(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    parts, at = [], 0
    while at < size and (part := os.pread(fd, size - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)
