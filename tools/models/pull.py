"""Get a model from the Hugging Face Hub: only the files that are listed, each verified, resumed where it was cut off.

huggingface_hub tells what a repository holds and signs the requests; the transfer is our own, because the library's
keeps no part of a file once its process has ended.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from configs.models import ModelEntry
from tools.errors import BadOutput, InvalidInput, MissingPrerequisite, ProductionBusy, StorageFailed
from tools.models.folder import inspect_folder
from tools.models.hub import Hub, RemoteFile
from tools.models.inspect import WrongFamily, inspect_file, require_family
from tools.models.shelf import KnownFile, ModelRecord, Progress, Shelf, Told, hash_of, no_progress
from tools.models.transfer import fetch
from tools.runtime.storage.locks import FileLock

__all__ = ["PullPlan", "plan_pull", "pull"]

_NEVER = (
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".joblib",
    ".npy",
    ".npz",
    ".h5",
    ".msgpack",
    ".py",
    ".so",
    ".sh",
    ".exe",
)
_SPARE = 500_000_000
"""Bytes that stay free on the disk."""


@dataclass(frozen=True)
class PullPlan:
    """What a pull would do.

    Attributes:
        commit: of the repository.
        files: that are needed.
        missing: bytes that are still to come.
        free: bytes on the disk.
    """

    commit: str
    files: tuple[RemoteFile, ...]
    missing: int
    free: int

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self.files)


def plan_pull(name: str, entry: ModelEntry, shelf: Shelf, hub: Hub) -> PullPlan:
    """Ask the Hub what there is, and see whether it has room here.

    Raises:
        InvalidInput: the model is not pulled, or the repository lacks one of its files.
        StorageFailed: the disk has no room for it.
        MissingPrerequisite: huggingface_hub, a login or an accepted licence is missing, or offline mode is on.
        PullFailed: the Hub cannot be reached.
    """
    if not entry.pullable:
        raise InvalidInput(f"{name} is not pulled: {entry.by_hand or 'it has no repository in models.yaml'}")
    record = shelf.record(name)
    if record is not None and record.kind == "path":
        raise InvalidInput(
            f"{name} is registered as {record.path}.", hint=f"`studio models remove {name}` forgets that."
        )
    pinned = record.revision if record is not None and entry.revision == "main" else entry.revision
    commit, there = hub.files(entry.repo, pinned)
    files = tuple(_chosen(entry, there))
    home = shelf.folder / name
    missing = sum(max(0, file.size - _size(home, file)) for file in files)
    free = shutil.disk_usage(next(path for path in [home, *home.parents] if path.exists())).free
    if missing + _SPARE > free:
        raise StorageFailed(
            f"{name} needs {missing / 1e9:.1f} GB more, and {shelf.folder} has {free / 1e9:.1f} GB free.",
            hint="Free some space, or name another folder: STUDIO_MODELS_FOLDER=/path.",
        )
    return PullPlan(commit, files, missing, free)


def pull(
    name: str,
    entry: ModelEntry,
    shelf: Shelf,
    hub: Hub,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = lambda: False,
) -> ModelRecord:
    """Get a model; what is here already is hashed and kept, what was begun goes on.

    Returns:
        Its record, with the commit and the hash of every file.

    Raises:
        BadOutput: what came is not what the Hub said, or not fit to be loaded; it is not kept.
        ProductionBusy: another process is pulling it.
        Cancelled: `cancelled` became true; what came is kept.
        ToolError: as `plan_pull`.
    """
    plan = plan_pull(name, entry, shelf, hub)
    home = shelf.folder / name
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"cannot make {home}: {error.strerror or error}.") from error
    lock = FileLock(shelf.folder / f".{name}.lock")
    if not lock.try_acquire():
        raise ProductionBusy(f"another process is pulling {name}.")
    try:
        known: dict[str, KnownFile] = {}
        done = 0
        for file in plan.files:
            told = Told(progress, file.name, done, plan.bytes)
            known[file.name] = _one(home, entry, plan.commit, file, hub, told, cancelled)
            done += file.size
            told(file.size)
        family = _looked_at(home, entry, plan)
        shutil.rmtree(home / ".parts", ignore_errors=True)
        record = ModelRecord(
            kind="pulled", path=str(home), repo=entry.repo, revision=plan.commit, family=family, files=known
        )
        shelf.keep(name, record)
        return record
    finally:
        lock.release()


def _chosen(entry: ModelEntry, there: Iterable[RemoteFile]) -> Iterable[RemoteFile]:
    found = list(there)
    # CTranslate2 calls its own format model.bin; its content is looked at when it has come.
    allowed = {"model.bin"} if entry.style == "ctranslate2" else set()
    chosen: dict[str, RemoteFile] = {}
    for pattern in entry.files:
        like = re.compile("[^/]*".join(re.escape(part) for part in pattern.split("*")))
        fits = [
            f for f in found if like.fullmatch(f.name) and (f.name in allowed or not f.name.lower().endswith(_NEVER))
        ]
        if not fits:
            raise InvalidInput(
                f"{entry.repo} has no file {pattern!r} at revision {entry.revision}",
                where="models.yaml",
                hint="The repository may have changed; its listing there shows what it holds.",
            )
        chosen.update({file.name: file for file in fits})
    if not any(name in allowed or name.endswith((".safetensors", ".gguf", ".onnx")) for name in chosen):
        raise InvalidInput(
            f"{entry.repo} has no safetensors or GGUF among {', '.join(entry.files)}", where="models.yaml"
        )
    return chosen.values()


def _size(home: Path, file: RemoteFile) -> int:
    for path in (home / file.name, _part_of(home, file)):
        if path.is_file():
            return path.stat().st_size
    return 0


def _part_of(home: Path, file: RemoteFile) -> Path:
    # Named by its content: a part of another version is never continued.
    return home / ".parts" / f"{file.digest}.part"


def _one(
    home: Path,
    entry: ModelEntry,
    commit: str,
    file: RemoteFile,
    hub: Hub,
    told: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> KnownFile:
    path = home / file.name
    if path.is_file() and path.stat().st_size == file.size and file.is_of(path, cancelled):
        return _known(path, cancelled)
    part = _part_of(home, file)
    part.parent.mkdir(parents=True, exist_ok=True)
    fetch(hub, hub.url(entry.repo, file.name, commit), part, file.size, told, cancelled)
    if not file.is_of(part, cancelled):
        part.unlink(missing_ok=True)
        raise BadOutput(
            f"{entry.repo}/{file.name}: what came is not what the Hub announced (its hash differs).",
            hint="It was removed; try again.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.replace(path)
    except OSError as error:
        raise StorageFailed(f"cannot write {path}: {error.strerror or error}.") from error
    return _known(path, cancelled)


def _known(path: Path, cancelled: Callable[[], bool]) -> KnownFile:
    stat = path.stat()
    digest = hash_of(path, lambda _: None, cancelled)
    return KnownFile(bytes=stat.st_size, sha256=digest, changed_ns=stat.st_mtime_ns)


def _looked_at(home: Path, entry: ModelEntry, plan: PullPlan) -> str:
    """As before a load; a repository can hold anything under any name."""
    _sweep(home, {file.name for file in plan.files})
    try:
        weights = inspect_folder(home).weights
        largest = max(weights, key=lambda file: (file.parameters, file.size))
        if entry.family:
            fits = [file for file in weights if file.family.name == entry.family]
            largest = fits[0] if fits else largest
            require_family(
                inspect_file(largest.path), entry.family, base=entry.base, styles=(entry.style,) if entry.style else ()
            )
        return str(largest.family)
    except WrongFamily:
        # It is sound, and large: it stays, in case models.yaml is what is wrong.
        raise
    except (InvalidInput, MissingPrerequisite) as error:
        shutil.rmtree(home, ignore_errors=True)
        raise BadOutput(f"{entry.repo}: {error.message}.", hint="What came was removed. " + error.hint) from error


def _sweep(home: Path, wanted: set[str]) -> None:
    """Remove what an earlier version of the model had, and this one has not."""
    for path in home.rglob("*"):
        inside = path.relative_to(home)
        if path.is_file() and inside.parts[0] != ".parts" and inside.as_posix() not in wanted:
            path.unlink()
