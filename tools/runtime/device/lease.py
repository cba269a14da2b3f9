"""One holder per GPU, whoever asks: threads, processes and users of this machine, in the order in which they came.

    <root>/studio-leases/<device>/     world-writable and sticky: each removes only what is his own
        gate                           held for the moment in which a ticket is drawn
        000000000017                   a ticket; its owner holds a lock on it as long as he lives and waits, or holds
        lock                           held by the one whose turn it is
        000000000017.<inode>.dead      since when it is known that the holder of that ticket died

A lock is `flock` on an open file, so the kernel gives it back when its holder dies, and a ticket that nobody holds is
passed over. Whoever holds the lowest living ticket has the device. `lock` is the second bolt: should a program that
cleans up remove tickets, the order is lost and the exclusion is not. After a holder's death nobody takes the device for
a moment: its workers, in which the memory is, notice that a little later.

    lease = GpuLease("GPU-8c1f...", what="SDXL")
    with lease.hold(timeout_s=600, on_wait=lambda waiting: print(waiting)):
        ...
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.errors import Cancelled, DeviceBusy, InvalidInput, StorageFailed
from tools.runtime.clock import REAL_CLOCK, Clock
from tools.runtime.device.shared_files import OPEN_TO_ALL, create_for_all, make_shared_folder, open_shared, open_to_read
from tools.runtime.storage.disk import storage_errors

__all__ = ["GpuLease", "Holder", "Waiting", "lease_root"]

ROOTS = ("/run/lock", "/tmp", "/dev/shm")
"""Where a machine lets all its users write. Not TMPDIR: each user may have one of his own, and would wait for nobody.
/dev/shm comes last because some systems empty it when a user logs out."""
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_TICKET = re.compile(r"\d{12}")
_SHORTEST_S, _LONGEST_S = 0.002, 0.05
"""How often one who waits looks whether it is his turn."""
GRACE_S = 2.0
"""Within this time of a studio's death its workers are gone; see `tools.runtime.workers.worker`."""
_MOST_INFO = 4096
_TICKET_FD = 1


@dataclass(frozen=True)
class Holder:
    """Who has a ticket; for people to read, nothing is decided by it.

    Attributes:
        pid: of the process, as it sees itself.
        user: id of the user, as the system knows it.
        since: seconds since 1970 when the ticket was drawn, or the device was taken.
        what: what it is for.
        held: whether it had the device, or waited for it.
    """

    pid: int
    user: int
    since: float
    what: str
    held: bool = False

    def __str__(self) -> str:
        return f"process {self.pid} ({self.what})" if self.what else f"process {self.pid}"


@dataclass(frozen=True)
class Waiting:
    """How it stands with one who waits.

    Attributes:
        position: how many come first, the holder included; 1 is next.
        holder: who has the device, where that can be told.
        seconds: waited so far.
    """

    position: int
    holder: Holder | None
    seconds: float


def lease_root() -> Path:
    """The first folder of this machine that is open to all its users, each removing only his own.

    Raises:
        StorageFailed: there is none.
    """
    for name in ROOTS:
        path = Path(name)
        with suppress(OSError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_mode & OPEN_TO_ALL == OPEN_TO_ALL:
                return path
    raise StorageFailed("no folder is open to all users of this machine.", hint="Name one with STUDIO_LEASES.")


class GpuLease:
    """The right to use a device. One object is for one thread at a time; make as many as are needed.

    Args:
        device: the GPU's UUID, or its index where it has none; others must name it alike.
        what: what it is wanted for, shown to those who wait.
        root: the folder that all share; None chooses by the machine (`STUDIO_LEASES`, or `lease_root`).
        clock: of this world.
        grace_s: seconds after the death of a holder before the device is taken.
    """

    def __init__(
        self,
        device: str,
        *,
        what: str = "",
        root: Path | None = None,
        clock: Clock = REAL_CLOCK,
        grace_s: float = GRACE_S,
    ) -> None:
        self._clock, self._grace_s = clock, grace_s
        if not _DEVICE.fullmatch(device):
            raise InvalidInput(f"{device[:80]!r} cannot be the name of a device.")
        self.device, self.what = device, what
        if root is None:
            named = os.environ.get("STUDIO_LEASES", "")
            root = Path(named) if named else lease_root()
        self._folders = (root / "studio-leases", root / "studio-leases" / device)
        self._ticket = ""
        self._held = False
        self._fds: list[int] = []
        """The folder, the ticket, the lock: as many of them as are ours yet."""

    @property
    def held(self) -> bool:
        """Whether the device is ours now."""
        return self._held

    @property
    def fds(self) -> tuple[int, ...]:
        """For `subprocess.Popen(pass_fds=...)`: with these, a worker keeps the device when this process dies.

        The memory of a device is given back by the worker's death, not by ours. `release` ends it for both.
        """
        return tuple(self._fds)

    @contextmanager
    def hold(
        self,
        *,
        timeout_s: float | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        on_wait: Callable[[Waiting], None] = lambda _waiting: None,
    ) -> Iterator[None]:
        """`acquire` and, at the end, `release`."""
        self.acquire(timeout_s=timeout_s, is_cancelled=is_cancelled, on_wait=on_wait)
        try:
            yield
        finally:
            self.release()

    def acquire(
        self,
        *,
        timeout_s: float | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        on_wait: Callable[[Waiting], None] = lambda _waiting: None,
    ) -> None:
        """Wait until it is our turn, and take the device.

        Args:
            timeout_s: seconds to wait at most; 0 does not wait, None for ever.
            is_cancelled: looked at every 50 ms.
            on_wait: told at first and whenever the position or the holder changes.

        Raises:
            DeviceBusy: the time is over; says who has it.
            Cancelled: `is_cancelled` became true.
            StorageFailed: the shared folder cannot be used, or is not what it should be.
        """
        if self._ticket:
            raise RuntimeError(f"this lease of {self.device} is taken already")
        begun, pause, told = self._clock.now(), _SHORTEST_S, None
        try:
            with storage_errors(f"cannot lease the device {self.device}"):
                self._draw()
                while (waiting := self._look(begun)) is not None:
                    if (waiting.position, waiting.holder) != told:
                        told = (waiting.position, waiting.holder)
                        on_wait(waiting)
                    if is_cancelled():
                        raise Cancelled(f"stopped while waiting for the device {self.device}")
                    if timeout_s is not None and waiting.seconds >= timeout_s:
                        raise self._busy(waiting)
                    self._clock.pause(pause)
                    pause = min(pause * 1.5, _LONGEST_S)
        except BaseException:
            self.release()
            raise

    def _busy(self, waiting: Waiting) -> DeviceBusy:
        others = f", and {waiting.position - 1} more wait before us" if waiting.position > 1 else ""
        return DeviceBusy(
            f"the device {self.device} is in use by {waiting.holder or 'another process'}{others}.",
            hint="Wait for it, or stop it.",
        )

    def release(self) -> None:
        """Give it back, or leave the queue. Nothing happens where there is nothing to give back."""
        ticket, self._ticket = self._ticket, ""
        fds, self._fds, self._held = self._fds, [], False
        if ticket:
            path = self._folders[-1] / ticket
            with suppress(OSError):
                # Were it removed by somebody, another may have drawn the same number.
                if path.lstat().st_ino == os.fstat(fds[_TICKET_FD]).st_ino:
                    path.unlink()
        for fd in fds:
            # Said aloud: closing alone would leave it with a child that was handed the file.
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    # -- the queue --------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw the next ticket: behind all others, and locked before anybody may draw one behind it."""
        for path in self._folders:
            make_shared_folder(path)
        folder = os.open(self._folders[-1], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._fds.append(folder)
        # What clears old files out of /tmp leaves a locked folder alone.
        fcntl.flock(folder, fcntl.LOCK_SH)
        gate = open_shared(self._folders[-1] / "gate")
        try:
            # Held for microseconds, so there is no need to look whether we are cancelled.
            fcntl.flock(gate, fcntl.LOCK_EX)
            number = int(max(self._tickets(), default="0")) + 1
            name = f"{number:012}"
            ticket = create_for_all(self._folders[-1] / name)
            self._fds.append(ticket)
            self._ticket = name
            # Waits no longer than somebody looks at it who has no ticket himself.
            fcntl.flock(ticket, fcntl.LOCK_EX)
            self._sign()
        finally:
            os.close(gate)

    def _tickets(self) -> list[str]:
        return sorted(path.name for path in self._folders[-1].iterdir() if _TICKET.fullmatch(path.name))

    def _sign(self) -> None:
        """Say in the ticket who we are. A full disk leaves it empty; the lock holds all the same."""
        me = Holder(os.getpid(), os.getuid(), round(time.time(), 3), self.what[:200], self._held)
        with suppress(OSError):
            os.ftruncate(self._fds[_TICKET_FD], 0)
            os.pwrite(self._fds[_TICKET_FD], json.dumps(asdict(me)).encode(), 0)

    def _look(self, begun: float) -> Waiting | None:
        """See whether it is our turn, and take the device if it is; else how it stands."""
        ahead = [name for name in self._tickets() if name < self._ticket and self._is_alive(name, sweep=True)]
        seconds = self._clock.now() - begun
        if ahead:
            return Waiting(len(ahead), self._holder(ahead[0]), seconds)
        fd = open_shared(self._folders[-1] / "lock")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Its ticket was removed by somebody, or it gives back right now.
            os.close(fd)
            return Waiting(1, None, seconds)
        self._fds.append(fd)
        self._held = True
        self._sign()
        return None

    def _is_alive(self, name: str, *, sweep: bool = False) -> bool:
        """Whether somebody waits or holds with this ticket.

        Args:
            sweep: remove it if not, where we may. Only for tickets before ours: those numbers are not drawn again.
        """
        path = self._folders[-1] / name
        try:
            fd = open_to_read(path)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.EACCES, errno.ENXIO):
                # Gone, or nothing that we would have made.
                return False
            raise
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return sweep and self._lingers(path, fd)
        finally:
            os.close(fd)

    def _lingers(self, path: Path, fd: int) -> bool:
        """Whether a dead ticket was a holder's whose workers may still be ending. If not, it is removed if we may."""
        marker = path.with_name(f"{path.name}.{os.fstat(fd).st_ino}.dead")
        holder = None
        with suppress(OSError):
            holder = _read_holder(os.pread(fd, _MOST_INFO, 0), 0)
        with suppress(OSError):
            # Without a name it was given back, or somebody else has seen to it.
            if holder is not None and holder.held and os.fstat(fd).st_nlink:
                # By a file, so that all count from the same moment, also who comes later.
                with suppress(FileExistsError):
                    os.close(create_for_all(marker))
                if os.fstat(fd).st_nlink and 0 <= time.time() - marker.stat().st_mtime < self._grace_s:
                    return True
            if os.fstat(fd).st_nlink:
                path.unlink()
            # Where the ticket is not ours to remove, its marker stays: nobody waits for it again.
            marker.unlink(missing_ok=True)
        return False

    def _holder(self, name: str) -> Holder | None:
        try:
            fd = open_to_read(self._folders[-1] / name)
            try:
                data, owner = os.read(fd, _MOST_INFO), os.fstat(fd).st_uid
            finally:
                os.close(fd)
        except OSError:
            return None
        return _read_holder(data, owner)

    def queue(self) -> list[Holder | None]:
        """Who has the device and who waits for it, in order; None for one who did not say."""
        with storage_errors(f"cannot look at the device {self.device}"):
            if not self._folders[-1].is_dir():
                return []
            return [self._holder(name) for name in self._tickets() if self._is_alive(name)]


def _read_holder(data: bytes, owner: int) -> Holder | None:
    """What somebody says of himself; who he is, the system says."""
    try:
        said: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    pid, since, what = said.get("pid"), said.get("since"), said.get("what")
    if not (isinstance(pid, int) and isinstance(since, int | float) and isinstance(what, str)):
        return None
    shown = "".join(letter for letter in what[:200] if letter.isprintable())
    return Holder(pid, owner, float(since), shown, said.get("held") is True)
