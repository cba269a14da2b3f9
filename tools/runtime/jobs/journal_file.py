"""Journals as files: their names, how one is made whole at its first moment, how one is read, who holds it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.artifact import canonical_json, fsync_dir
from tools.base import Call
from tools.errors import InvalidInput
from tools.runtime.jobs.records import VERSION, History, JobState, encode, replay, salt_of
from tools.runtime.storage.disk import storage_errors, storage_failure

__all__ = [
    "SUFFIX", "batch_lines", "call_line", "create_journal", "header_line", "history_of", "is_held", "journal_path",
    "json_line", "make_folder", "read_journal", "state_line",
]  # fmt: skip

SUFFIX = ".journal"
_LITTER_S = 600.0
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS)
"""What disks say that know no hard links."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def journal_path(folder: Path, job_id: str) -> Path:
    """The file of a job's journal.

    Raises:
        InvalidInput: the id cannot be the name of a file.
    """
    if not _ID.fullmatch(job_id):
        raise InvalidInput(f"{job_id[:80]!r} cannot be the id of a job.", hint="Letters, digits, dot, _ and -.")
    return folder / f"{job_id}{SUFFIX}"


def read_journal(folder: Path, job_id: str) -> History:
    """What a journal says now; somebody may be writing it meanwhile.

    Raises:
        InvalidInput: there is no such job.
        StorageFailed: it cannot be read.
    """
    path = journal_path(folder, job_id)
    try:
        if not path.is_dir() and path.exists() and not path.is_file():
            # To read a pipe or a device would never end.
            raise OSError(errno.EINVAL, "it is no file")
        return history_of(path, job_id, path.read_bytes())
    except FileNotFoundError:
        raise InvalidInput(f"there is no job {job_id!r} in {folder}.") from None
    except OSError as error:
        raise storage_failure(f"cannot read {path}", error) from error


def is_held(folder: Path, job_id: str) -> bool:
    """Whether a process has this journal open for writing."""
    try:
        fd = os.open(journal_path(folder, job_id), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Held for a moment; `_lock` has the patience for it.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def create_journal(folder: Path, job_id: str, about: Mapping[str, Any], calls: Sequence[Call] = ()) -> bool:
    """Write down a new job. When this returns true, it is accepted: durable, whole, and nobody else's.

    Args:
        folder: made if needed.
        about: what the job is for, as JSON data.
        calls: its first batch.

    Returns:
        False where there is a job of this id already; nothing is changed then.

    Raises:
        StorageFailed: the disk refuses; there is no such job then.
    """
    path = journal_path(folder, job_id)
    salt = salt_of(job_id)
    batch = batch_lines(0, [call_line(call) for call in calls])
    lines = [header_line(job_id, about), *batch, state_line("accepted", "", {})]
    temp = folder / f".{job_id[:60]}.{secrets.token_hex(6)}.tmp"
    with storage_errors(f"cannot write {path}"):
        make_folder(folder)
        _sweep(folder)
        try:
            with temp.open("xb") as stream:
                stream.write(b"".join(encode(line, salt) for line in lines))
                stream.flush()
                os.fsync(stream.fileno())
            if not _put(temp, path):
                return False
            fsync_dir(folder)
        finally:
            with suppress(OSError):
                temp.unlink(missing_ok=True)
    return True


def _put(temp: Path, path: Path) -> bool:
    """Give a file its name, unless another has it. Raises OSError."""
    try:
        # A link is made whole or not at all, and not twice; a rename would replace a job of the same id.
        os.link(temp, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            return False
        temp.rename(path)
    return True


def _sweep(folder: Path) -> None:
    """Remove what died half-written; a living one takes milliseconds."""
    for temp in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - temp.stat().st_mtime > _LITTER_S:
                temp.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder and those it lies in, durably. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        fsync_dir(path.parent)


def history_of(path: Path, job_id: str, data: bytes) -> History:
    """`records.replay`, refusing what a later version of the studio wrote (InvalidInput)."""
    history = replay(data, job_id)
    if history.version > VERSION:
        raise InvalidInput(f"{path} was written by a later version of the studio.")
    return history


def call_line(call: Call) -> bytes:
    """A call as it stands in its line: the same call, the same bytes."""
    return canonical_json(call.model_dump(mode="json"))


def header_line(job_id: str, about: Mapping[str, Any]) -> bytes:
    """The first line of a journal."""
    return json_line(["journal", VERSION, job_id, dict(about)])


def batch_lines(first: int, bodies: Sequence[bytes]) -> list[bytes]:
    """The lines of a batch of `call_line`s, numbered from `first`; none for no calls."""
    calls = [b'["call",%d,%b]' % (number, body) for number, body in enumerate(bodies, first)]
    return [*calls, b'["batch",%d,%d]' % (first, len(bodies))] if calls else []


def state_line(state: JobState, reason: str, facts: Mapping[str, Any]) -> bytes:
    """The job's state, in a line."""
    return json_line(["state", state, reason, dict(facts)])


def json_line(data: Any) -> bytes:
    """JSON that can hold any text, half a letter of a foreign file's name as well."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
