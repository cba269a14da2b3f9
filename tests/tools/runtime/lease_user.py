"""Real processes that want one device: `python -m tests.tools.runtime.lease_user ROOT LOG TURNS SEED [--twin NAME]`.

Each turn waits for the device, writes its entry and its exit into LOG (one `write` a line), and holds it a moment. The
twins are deliberately broken; the tests must find them out.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from tools.runtime.device.lease import GpuLease, Waiting


class NoLease(GpuLease):
    """Twin: everybody may."""

    def _look(self, begun: float) -> Waiting | None:
        self._held = True
        return None


class PidLease(GpuLease):
    """Twin: believes what is written, not what is locked: looks, and takes it a moment later."""

    def _look(self, begun: float) -> Waiting | None:
        taken = self._folders[-1] / "taken"
        try:
            os.kill(int(taken.read_text() or 0), 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            time.sleep(0.001)
            taken.write_text(str(os.getpid()))
            self._held = True
            return None
        return Waiting(1, None, time.monotonic() - begun)

    def release(self) -> None:
        if self._held:
            (self._folders[-1] / "taken").unlink(missing_ok=True)
        super().release()


class Scramble(GpuLease):
    """Twin: excludes, but who comes first is chance."""

    def _tickets(self) -> list[str]:
        return [] if self._ticket else super()._tickets()


TWINS = {"sound": GpuLease, "no-lease": NoLease, "pid": PidLease, "scramble": Scramble}


def write(log: Path, **said: Any) -> None:
    """One line, put there whole, in an order that all processes share."""
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, json.dumps({"pid": os.getpid(), **said}).encode() + b"\n")
    finally:
        os.close(fd)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("turns", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--twin", default="sound")
    parser.add_argument("--longest", type=float, default=0.004)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for _ in range(options.turns):
        lease = TWINS[options.twin]("gpu0", what=f"user {options.seed}", root=options.root, grace_s=0.01)
        lease.acquire(on_wait=lambda _waiting, lease=lease: write(options.log, do="waits", ticket=lease._ticket))
        # Beside the lease itself, a lock that only looks: whoever finds it taken has found an overlap.
        witness = os.open(options.root / "witness", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            write(options.log, do="overlap")
        write(options.log, do="takes", ticket=lease._ticket)
        time.sleep(rng.uniform(0, options.longest))
        write(options.log, do="gives", ticket=lease._ticket)
        os.close(witness)
        lease.release()
        time.sleep(rng.uniform(0, options.longest) / 4)
    write(options.log, do="ends")


if __name__ == "__main__":
    main()
