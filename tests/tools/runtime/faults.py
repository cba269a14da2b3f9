"""Faults for the tests: an operation of the disk that fails, and a power cut that forgets what was not made durable."""

from __future__ import annotations

import builtins
import errno
import io
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

OPERATIONS = ("open", "write", "fsync", "rename", "replace", "mkdir", "link", "pwrite", "ftruncate")


class PowerCut(BaseException):
    """The machine is off."""


class _Stream:
    """A file being written, each write of it seen by the disk."""

    def __init__(self, disk: Disk, path: Any, stream: Any) -> None:
        self._disk, self._path, self._stream = disk, path, stream

    def write(self, data: Any) -> Any:
        self._disk._step(self._path)
        return self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()


class Disk:
    """Stands between the code and the disk: counts operations under `root`, and may fail at one of them.

    Args:
        root: only what is done below it counts.
        at: number of the operation that fails, from 1; 0 for none.
        fault: raised there: an OSError by its number, or a power cut.
        lasting: every later operation fails too (a full disk stays full).
    """

    def __init__(self, root: Path, at: int = 0, fault: int | None = None, lasting: bool = False) -> None:
        self.root = str(root)
        self.at, self.fault, self.lasting = at, fault, lasting
        self.count = 0
        self.durable: dict[int, tuple[int, int]] = {}
        """By inode: size and time of change of the content that fsync made durable."""
        self.entries: dict[str, int] = {}
        """Folders by path: how many renames into them had happened when they were last fsynced."""
        self.renames: list[tuple[str, str]] = []
        """(from, to), not yet durable: the parent was not fsynced since."""
        self.off = False

    def _step(self, path: Any) -> None:
        if self.off:
            raise PowerCut
        if isinstance(path, int):
            try:
                path = Path(f"/proc/self/fd/{path}").readlink()
            except OSError:
                return
        if not str(path).startswith(self.root):
            return
        self.count += 1
        if self.at and (self.count == self.at or (self.lasting and self.count > self.at)):
            if self.fault is None:
                self.off = True
                raise PowerCut
            raise OSError(self.fault, os.strerror(self.fault), str(path))

    @contextmanager
    def installed(self) -> Iterator[Disk]:
        """Count and fail inside. A process without power holds no files: what it had open is closed at the end."""
        try:
            with self._patched():
                yield self
        finally:
            for entry in list(Path("/proc/self/fd").iterdir()) if self.off else ():
                with suppress(OSError):
                    if str(entry.readlink()).startswith(f"{self.root}/"):
                        os.close(int(entry.name))

    @contextmanager
    def _patched(self) -> Iterator[None]:
        with mock.patch.multiple(
            os,
            open=self._wrap(os.open, writes=lambda args: bool(args[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR))),
            mkdir=self._wrap(os.mkdir),
            unlink=self._after_dark(os.unlink),
            rmdir=self._after_dark(os.rmdir),
            link=self._wrap(os.link, which=1),
            pwrite=self._wrap(os.pwrite),
            ftruncate=self._wrap(os.ftruncate),
            fsync=self._fsync(),
            rename=self._rename(os.rename),
            replace=self._rename(os.replace),
        ), mock.patch.object(io, "open", self._open(builtins.open)):  # fmt: skip
            yield

    def _after_dark(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Removing is not counted (it needs no space), but without power nothing is removed."""

        def call(*args: Any, **named: Any) -> Any:
            if self.off:
                raise PowerCut
            return real(*args, **named)

        return call

    def _wrap(
        self, real: Callable[..., Any], which: int = 0, writes: Callable[[Any], bool] = lambda _args: True
    ) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            if writes(args):
                self._step(_placed(args[which], named))
            return real(*args, **named)

        return call

    def _open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
            if not set(mode) & set("wxa+"):
                return real(file, mode, *args, **named)
            self._step(file)
            return _Stream(self, file, real(file, mode, *args, **named))

        return call

    def _fsync(self) -> Callable[[int], None]:
        def call(fd: int) -> None:
            self._step(fd)
            # What is durable is kept in our own book: the real thing would only take time.
            found = os.fstat(fd)
            self.durable[found.st_ino] = (found.st_size, found.st_mtime_ns)
            here = str(Path(f"/proc/self/fd/{fd}").readlink())
            self.renames = [(old, new) for old, new in self.renames if str(Path(new).parent) != here]

        return call

    def _rename(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(source: Any, target: Any, **named: Any) -> None:
            told = str(_placed(source, named)), str(_placed(target, named))
            self._step(told[1])
            real(source, target, **named)
            self.renames.append(told)

        return call

    def lose(self, rng: random.Random) -> None:
        """After a power cut: what was not made durable may be gone, each thing by the toss of a coin.

        Contents not fsynced since their last change come back empty. A folder renamed into one that was not fsynced
        since is back where it was (files replaced so are left alone: their old content is not kept here).
        """
        for source, target in reversed(self.renames):
            if rng.random() < 0.5 and Path(target).is_dir() and not Path(source).exists():
                Path(source).parent.mkdir(parents=True, exist_ok=True)
                Path(target).rename(source)
        for path in sorted(Path(self.root).rglob("*")):
            if path.is_file() and not path.is_symlink():
                found = path.stat()
                if self.durable.get(found.st_ino) != (found.st_size, found.st_mtime_ns) and rng.random() < 0.5:
                    os.truncate(path, 0)


def _placed(path: Any, named: dict[str, Any]) -> Any:
    """The whole path, where it was named within an open folder."""
    folder = named.get("dst_dir_fd") or named.get("dir_fd")
    return str(Path(f"/proc/self/fd/{folder}").readlink() / str(path)) if folder is not None else path


FAULTS = {name: getattr(errno, name) for name in ("ENOSPC", "EIO", "EROFS", "EMFILE")}
