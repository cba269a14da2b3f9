"""A disk for journals: what was appended and not synced may be cut off anywhere, or come back as something else."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tests.tools.runtime.faults import Disk


class AppendDisk(Disk):
    """As `Disk`; besides, a new name is lost unless its folder was fsynced, and an append is lost in part."""

    def __init__(self, root: Path, at: int = 0, fault: int | None = None, lasting: bool = False) -> None:
        super().__init__(root, at, fault, lasting)
        self.names: list[Path] = []
        """Made, and not yet durable: the folder was not fsynced since."""

    @contextmanager
    def _patched(self) -> Iterator[None]:
        with (
            super()._patched(),
            mock.patch.multiple(
                os,
                open=self._naming(os.open, 0),
                mkdir=self._naming(os.mkdir, 0),
                link=self._naming(os.link, 1),
                fsync=self._fsync_names(os.fsync),
            ),
        ):
            yield

    def _naming(self, real: Callable[..., Any], which: int) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            path = Path(os.fspath(args[which]))
            fresh = str(path).startswith(self.root) and not os.path.lexists(path)
            result = real(*args, **named)
            if fresh:
                self.names.append(path)
            return result

        return call

    def _fsync_names(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def call(fd: int) -> None:
            real(fd)
            here = Path(f"/proc/self/fd/{fd}").readlink()
            self.names = [path for path in self.names if path.parent != here]

        return call

    def lose(self, rng: random.Random) -> None:
        """After a power cut. Each name and each append is kept or lost by chance; nothing durable is touched."""
        for path in self.names:
            if rng.random() < 0.5 and os.path.lexists(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in sorted(Path(self.root).rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            found = path.stat()
            kept = min(self.durable.get(found.st_ino, (0, 0))[0], found.st_size)
            end = rng.randint(kept, found.st_size)
            with path.open("r+b") as stream:
                stream.truncate(end)
                stream.seek(end)
                # The file may have grown before its content was there: zeros, or what lay on the disk before.
                if rng.random() < 0.5:
                    stream.write(rng.choice([bytes(40), rng.randbytes(40), b"\n\n", b'{"half":']))
