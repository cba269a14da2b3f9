"""Making, checking and removing the environments of stacks, by the interpreter's own `venv` and by pip.

An environment is built where it stays (its scripts hold its path), and its record is written last: what was cut off
has none, and is never taken for whole. One that is to be replaced waits beside, and comes back when that fails.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from configs.engines import StackEntry
from tools.artifact import write_atomic
from tools.errors import EngineFailed, InvalidInput, MissingPrerequisite, ProductionBusy, StorageFailed, ToolError
from tools.runtime.storage.disk import storage_errors
from tools.runtime.workers.commands import run_command
from tools.runtime.workers.spawn import KEPT_ENVIRONMENT
from tools.runtime.workers.stacks import (
    BASE,
    RECORD,
    StackRecord,
    environment_of,
    interpreter_in,
    record_in,
    search_path,
    state_of,
)

__all__ = ["check_stack", "install_stack", "remove_stack", "size_of"]

Tell = Callable[[float, str], None]
OLDEST_PYTHON = (3, 11)
LEAST_FREE = {True: 2_500_000_000, False: 200_000_000}
"""Bytes that must be free, with torch and without: on a CPU an environment with torch takes 1.8 GB, and pip unpacks
beside it. With CUDA's libraries it is about 7 GB."""
_OF_PIP = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "UV_")


def install_stack(
    name: str,
    stack: StackEntry,
    models_home: Path,
    *,
    python: str = "",
    again: bool = False,
    tell: Tell = lambda _fraction, _text: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> StackRecord:
    """Make the environment of a stack; one that is whole already stays as it is.

    Args:
        python: interpreter to make it with, by path or name; empty is the studio's own.
        again: make it anew also where it is whole.
        tell: told the fraction done and what is being done.

    Raises:
        InvalidInput: the stack needs no environment, or the interpreter is none that the studio runs on.
        StorageFailed: there is not room enough, or the disk refuses.
        EngineFailed: pip could not install it; the log is named. What was there before is there again.
        ProductionBusy: another process is at it.
        Cancelled: `is_cancelled` became true.
    """
    if stack.python or not stack.requires:
        raise InvalidInput(
            f"the stack {name} runs in {stack.python or 'the studio itself'}: nothing is to be installed."
        )
    environment = environment_of(name, models_home)
    with storage_errors(f"cannot make {environment}"), _alone(environment) as lock:
        _recover(environment)
        found = record_in(environment)
        if found is not None and not again and state_of(name, stack, models_home) == "whole":
            return found
        interpreter = _interpreter(python)
        _check_room(environment.parent, stack.requires)
        with _replacing(environment):
            started = time.monotonic()
            _build(environment, interpreter, stack.requires, tell, _Shell(_log(environment), lock, is_cancelled))
            record = StackRecord(
                requires=stack.requires, base=BASE, python=_version(interpreter_in(environment)),
                installed=_installed(environment), bytes=size_of(environment), seconds=time.monotonic() - started,
            )  # fmt: skip
            write_atomic(environment / RECORD, record.model_dump_json(indent=1).encode())
        tell(1.0, "done")
        return record


def check_stack(name: str, stack: StackEntry, models_home: Path) -> list[str]:
    """What is wrong with an environment; nothing where it is as it was made."""
    environment = environment_of(name, models_home)
    state = state_of(name, stack, models_home)
    if state == "shared":
        return []
    record = record_in(environment)
    if record is None:
        return ["it was not made wholly"] if environment.exists() else ["it is not there"]
    problems = ["it was made for other versions than engines.yaml names now"] if state == "outdated" else []
    try:
        installed = _installed(environment)
        _imports(environment)
    except EngineFailed as error:
        return [*problems, error.message]
    for dist, version in record.installed.items():
        if installed.get(dist) != version:
            problems.append(f"{dist} is {installed.get(dist, 'not there')}, and was {version}")
    return problems


def remove_stack(name: str, models_home: Path) -> int:
    """Remove an environment, whole or not; returns the bytes that are free again.

    Raises:
        InvalidInput: there is none.
    """
    environment = environment_of(name, models_home)
    with storage_errors(f"cannot remove {environment}"):
        if not environment.exists() and not _old(environment).exists():
            raise InvalidInput(f"there is no environment of {name} on this machine.")
        with _alone(environment):
            size = size_of(environment)
            # Without its record it is not whole, whatever happens next.
            (environment / RECORD).unlink(missing_ok=True)
            for folder in (_old(environment), environment):
                if folder.exists():
                    shutil.rmtree(folder)
            _log(environment).unlink(missing_ok=True)
    return size


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; links are not followed."""
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            try:
                total += os.lstat(os.path.join(root, file)).st_size
            except OSError:
                # Removed meanwhile.
                continue
    return total


# --- building -------------------------------------------------------------------------------------------------------


def _build(environment: Path, interpreter: str, requires: Sequence[str], tell: Tell, shell: _Shell) -> None:
    """The first requirement alone (torch by its exact version), then all of them with what the studio needs."""
    shell.log.write_bytes(b"")
    tell(0.0, "making the environment")
    shell.run([interpreter, "-m", "venv", str(environment)], lambda _line: None)
    pinned = environment / "constraints.txt"
    pinned.write_text("".join(f"{one}\n" for one in requires if "==" in one and "/" not in one), encoding="utf-8")
    pip = [str(interpreter_in(environment)), "-m", "pip", "--disable-pip-version-check", "--no-input", "install",
           "--progress-bar", "off", "--constraint", str(pinned)]  # fmt: skip
    steps = [[requires[0]], [*requires, *BASE]]
    for number, wanted in enumerate(steps):
        first = 0.05 + 0.9 * number / len(steps)
        seen: deque[str] = deque(maxlen=1)

        def heard(line: str, first: float = first, seen: deque[str] = seen) -> None:
            if told := _told(line):
                seen.append(told)
            tell(first, seen[-1] if seen else "asking the index")

        heard("")
        shell.run([*pip, *wanted], heard)
    tell(0.96, "looking at it")
    _set_aside_cuda(environment)
    _imports(environment)


_SHOWN = ("Collecting", "Processing", "Downloading", "Building", "Installing")


def _told(line: str) -> str:
    """What of pip's words is told; empty for most."""
    word = line.strip().split(" ", 1)[0]
    return line.strip()[:110] if word in _SHOWN else ""


@dataclass(frozen=True)
class _Shell:
    """Runs the commands of one install.

    Attributes:
        log: all that they say.
        lock: its handle, held by each of them: where the studio is killed, nobody begins before they have ended.
    """

    log: Path
    lock: int
    is_cancelled: Callable[[], bool]

    def run(self, words: list[str], heard: Callable[[str], None]) -> None:
        """Run a command to its end.

        Raises:
            EngineFailed: it failed; says its last errors, and where all that it said lies.
        """
        said: deque[str] = deque(maxlen=400)

        def listen(line: str) -> None:
            if line:
                said.append(line)
            heard(line)

        code = run_command(words, _environment(), self.log, listen, self.is_cancelled, [self.lock])
        if code:
            raise _failure(words, list(said), self.log)


def _failure(words: list[str], said: list[str], log: Path) -> ToolError:
    """Why a command failed."""
    if any("No space left on device" in line for line in said):
        return StorageFailed("the disk is full.", hint="Free some space and run the same command again.")
    if any("ensurepip" in line for line in said) and "venv" in words:
        return MissingPrerequisite(
            f"{words[0]} cannot make environments: its ensurepip is missing.", command="apt install python3-venv"
        )
    errors = [line for line in said if line.lower().startswith(("error", "fatal"))] or said
    return EngineFailed(f"it could not be installed: {' '.join(errors[-2:])[:400]}", hint=f"All of it: {log}")


def _environment() -> dict[str, str]:
    """What pip needs: where indexes and proxies are, no key of the studio's: setup scripts of packages run in it."""
    kept = KEPT_ENVIRONMENT - {"VIRTUAL_ENV"}
    return {key: value for key, value in os.environ.items() if key in kept or key.upper().startswith(_OF_PIP)} | {
        "PYTHONUNBUFFERED": "1"
    }


def _interpreter(python: str) -> str:
    """The interpreter to make environments with.

    Raises:
        InvalidInput: it is not there, or too old.
    """
    found = shutil.which(python) if python else sys.executable
    if not found:
        raise InvalidInput(f"there is no interpreter {python!r}", where="--python")
    version = _version(Path(found))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_PYTHON:
        raise InvalidInput(f"{found} is Python {version}; the studio needs 3.11 or newer", where="--python")
    return found


def _version(python: Path) -> str:
    return _ask(python, "import platform; print(platform.python_version())").strip()


def _installed(environment: Path) -> dict[str, str]:
    code = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    found: dict[str, str] = json.loads(_ask(interpreter_in(environment), code))
    return dict(sorted(found.items()))


def _imports(environment: Path) -> None:
    """See that the studio's own code runs there."""
    code = "import numpy, scipy.signal, tools.base, tools.registry, tools.runtime.workers.worker, configs.settings"
    _ask(interpreter_in(environment), code, search_path(environment))


def _ask(python: Path, code: str, more: dict[str, str] | None = None) -> str:
    """What a program prints.

    Raises:
        EngineFailed: it failed.
    """
    environment = _environment() | (more or {})
    # Without -P the folder where the user stands is looked in first.
    words = [str(python), "-P", "-c", code] if more else [str(python), "-I", "-c", code]
    try:
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineFailed(f"its interpreter {python} does not run: {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EngineFailed(f"its interpreter {python} fails: {last[:300]}")
    return done.stdout


_CUDA_BESIDE_CPU = """
import importlib.util, pathlib
if importlib.util.find_spec("torch") and (spec := importlib.util.find_spec("torchaudio")):
    import torch
    if not torch.version.cuda and not torch.version.hip:
        print(pathlib.Path(spec.origin).parent / "lib")
"""


def _set_aside_cuda(environment: Path) -> None:
    """Beside a torch without CUDA, set aside the compiled part of a torchaudio that was built with it.

    The package index has torchaudio for CUDA only on Linux, and it then fails to be imported; without that part it
    works (torchaudio/_extension/utils.py), but for forced alignment, which nothing here uses.
    """
    folder = _ask(interpreter_in(environment), _CUDA_BESIDE_CPU).strip()
    for library in sorted(Path(folder).glob("*.so")) if folder else []:
        if b"libc10_cuda" in library.read_bytes():
            for one in sorted(Path(folder).glob("*.so")):
                one.rename(one.with_suffix(".so.aside"))
            return


# --- one at a time, all or nothing ----------------------------------------------------------------------------------


def _log(environment: Path) -> Path:
    return environment.with_name(f".{environment.name}.log")


def _old(environment: Path) -> Path:
    return environment.with_name(f".{environment.name}.old")


@contextmanager
def _alone(environment: Path) -> Iterator[int]:
    """Nobody else at an environment; gives the handle of its lock."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    with environment.with_name(f".{environment.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProductionBusy(f"another process is at the environment of {environment.name}.") from None
        yield lock.fileno()


def _recover(environment: Path) -> None:
    """Clear up after an install that was killed: what it made has no record, what it replaced comes back."""
    old = _old(environment)
    if environment.exists() and record_in(environment) is None:
        shutil.rmtree(environment)
    if old.exists():
        if environment.exists():
            shutil.rmtree(old)
        else:
            old.rename(environment)


@contextmanager
def _replacing(environment: Path) -> Iterator[None]:
    old = _old(environment)
    if environment.exists():
        environment.rename(old)
    try:
        yield
    except BaseException:
        shutil.rmtree(environment, ignore_errors=True)
        if old.exists():
            old.rename(environment)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _check_room(folder: Path, requires: Sequence[str]) -> None:
    torch = any(one.replace("=", " ").split()[0] == "torch" for one in requires)
    free, least = shutil.disk_usage(folder).free, LEAST_FREE[torch]
    if free < least:
        cuda = " (with CUDA's libraries about 7 GB)" if torch and platform.system() == "Linux" else ""
        raise StorageFailed(
            f"{folder} has {free / 1e9:.1f} GB free; this needs {least / 1e9:.1f} GB{cuda}.",
            hint="Free some space, or choose another folder with STUDIO_MODELS_FOLDER.",
        )
