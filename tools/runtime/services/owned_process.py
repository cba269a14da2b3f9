"""A server that the studio started itself: in a process group of its own, and gone with the studio."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tools.errors import MissingPrerequisite
from tools.runtime.storage.disk import storage_errors
from tools.runtime.workers.spawn import KEPT_ENVIRONMENT

__all__ = ["OwnedProcess"]

_ROOT = str(Path(__file__).resolve().parents[3])
_KEEPER = f"import sys; sys.path.insert(0, {_ROOT!r}); from {__package__}.keeper import main; sys.exit(main())"


class OwnedProcess:
    """One started program. Its methods may be called from any thread.

    Args:
        name: for messages.
        command: program and arguments; no shell reads them.
        cwd: where it runs; None is here.
        env: set besides what every worker is given; nothing else of the studio's environment is passed on.

    Raises:
        MissingPrerequisite: the program or the folder is not there.
        StorageFailed: no process can be started.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._words: deque[str] = deque(maxlen=200)
        self._heard = threading.Condition()
        self._ending = threading.Lock()
        self._stopped = False
        if cwd is not None and not cwd.is_dir():
            raise MissingPrerequisite(f"{name}: there is no folder {cwd}.", command="studio doctor")
        found = shutil.which(command[0], path=_search_path(env)) if os.sep not in command[0] else command[0]
        if found is None or not Path(cwd or ".", found).exists():
            raise MissingPrerequisite(f"{name}: there is no program {command[0]}.", command="studio doctor")
        self._process, self._lifeline = _start([found, *command[1:]], cwd, _environment(env))
        assert self._process.stdout is not None
        self._ear = threading.Thread(
            target=self._listen, args=(self._process.stdout,), name=f"listen-{name}", daemon=True
        )
        self._ear.start()

    @property
    def pid(self) -> int:
        """Of the group's leader; the group has the same number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the program runs still."""
        return not self._stopped and not self._has_exited()

    def _has_exited(self) -> bool:
        # Without reaping it: until then nobody else can get its number, and the group can still be killed.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def words(self) -> str:
        """The last that it printed, in one line."""
        with self._heard:
            return " | ".join(list(self._words)[-4:])[-500:]

    def _listen(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(4096):
                with self._heard:
                    self._words.append(line.decode(errors="replace").rstrip())
                    self._heard.notify_all()

    def has_said(self, pattern: re.Pattern[str]) -> bool:
        """Whether one of the last 200 lines matches."""
        with self._heard:
            return any(pattern.search(line) for line in self._words)

    def stop(self, grace_s: float = 10.0) -> None:
        """Ask it to end, and after `grace_s` kill it with everything it started. Nothing happens the second time."""
        with self._ending:
            if self._stopped:
                return
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + grace_s
            while not self._has_exited() and time.monotonic() < deadline:
                time.sleep(0.02)
            # Also where it ended by itself: what it started may not have.
            self._signal(signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5.0)
            self._stopped = True
            os.close(self._lifeline)
        self._ear.join(1.0)
        if self._process.stdout is not None:
            with contextlib.suppress(OSError):
                self._process.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def device_bytes(self) -> int | None:
        """Device memory of the program and all it started, as the NVIDIA driver counts; None where it does not say."""
        program = shutil.which("nvidia-smi")
        if program is None or not self.alive:
            return None
        try:
            done = subprocess.run(
                [program, "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"],
                capture_output=True, text=True, timeout=5.0, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return None
        return _of_group(done.stdout, self.pid)


def _of_group(listing: str, group: int) -> int | None:
    """Bytes of the lines `pid, MiB` whose process is of the group; None where there is none."""
    total, found = 0, False
    for line in listing.splitlines():
        number, _, size = (part.strip() for part in line.partition(","))
        if not (number.isdigit() and size.isdigit()):
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(int(number)) == group:
                total, found = total + int(size) * 2**20, True
    return total if found else None


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT_ENVIRONMENT}
    return {**kept, **(more or {})}


def _search_path(more: Mapping[str, str] | None) -> str:
    return (more or {}).get("PATH") or os.environ.get("PATH", os.defpath)


def _start(command: list[str], cwd: Path | None, env: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """The keeper with the program under it, and the writing end of its lifeline."""
    with storage_errors("cannot start a server"):
        reading, writing = os.pipe()
        try:
            process = subprocess.Popen(
                # -I: neither the folder where the user stands nor the program's PYTHONPATH is the keeper's business.
                [sys.executable, "-I", "-c", _KEEPER, "--lifeline", str(reading), "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env,
                pass_fds=[reading],
                process_group=0,
            )
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)
    return process, writing
