"""Which models are on this machine: what was pulled, and what a person registered by path.

Each has a record of its own beside the pulled files (`NAME.yaml`), so that none is lost when two commands run at once.
A record holds the size and the sha256 of every file.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.models import ModelEntry, ModelsFile
from configs.yaml_file import YamlProblem, dump_yaml, load_yaml_model
from tools.artifact import write_atomic
from tools.errors import Cancelled, InvalidInput, MissingPrerequisite, StorageFailed, ToolError
from tools.models.folder import files_of, inspect_folder
from tools.models.inspect import ModelFile, inspect_file, require_family

__all__ = ["Checked", "KnownFile", "ModelRecord", "Progress", "Shelf", "Told", "hash_of", "no_progress"]

Progress = Callable[[str, int, int], None]
"""Told the file, the bytes that are done of all, and how many there are in all."""
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,47}$")
_CHUNK = 4 << 20
_ANOTHER = 0.2
"""Files of less than so much of the listed size are another, smaller model: 4 bits in place of 16 are a quarter."""


def no_progress(file: str, done: int, total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Told:
    """Tells the progress of one file as that of all: `done` bytes came before it."""

    progress: Progress
    file: str
    done: int
    total: int

    def __call__(self, count: int) -> None:
        self.progress(self.file, self.done + count, self.total)


class KnownFile(BaseModel):
    """A file as it was when it was pulled or registered; `changed_ns` is the time of its last change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    changed_ns: int = 0


class ModelRecord(BaseModel):
    """Where a model lies.

    Attributes:
        kind: whether the studio pulled it, or a person named a path.
        path: absolute; a file, or a folder that `files` are relative to.
        repo, revision: where it was pulled from, with the commit.
        family: what it was found to be, in words.
        files: by path below `path`; `.` where that is a file itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["pulled", "path"]
    path: str = Field(min_length=1)
    repo: str = ""
    revision: str = ""
    family: str = ""
    files: dict[str, KnownFile] = Field(min_length=1)

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.bytes for file in self.files.values())

    def path_of(self, name: str) -> Path:
        """The path of one of its files."""
        return Path(self.path) if name == "." else Path(self.path) / name


@dataclass(frozen=True)
class Checked:
    """What a check found: problems by file, none where all is as it was; `full` where every byte was hashed."""

    name: str
    problems: dict[str, str]
    full: bool

    @property
    def ok(self) -> bool:
        """Whether all is as it was."""
        return not self.problems


class Shelf:
    """The models of this machine.

    Args:
        folder: `Settings.models_folder`.
        models: every model that is known by name.
    """

    def __init__(self, folder: Path, models: ModelsFile) -> None:
        self.folder = folder.absolute()
        self.models = models

    def _record_path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise InvalidInput(f"{name[:60]!r} is no name: small letters, digits and _, up to 48")
        return self.folder / f"{name}.yaml"

    def record(self, name: str) -> ModelRecord | None:
        """Where a model lies; None where it is not here.

        Raises:
            InvalidInput: the record was damaged, or the name is none.
        """
        path = self._record_path(name)
        if not path.exists():
            return None
        try:
            return load_yaml_model(path, ModelRecord)
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where, hint="Remove that file and pull again.") from None

    def records(self) -> dict[str, ModelRecord]:
        """Every model that is here, by name."""
        names = sorted(path.stem for path in self.folder.glob("*.yaml") if _NAME.match(path.stem))
        return {name: record for name in names if (record := self.record(name)) is not None}

    def needed(self, name: str) -> ModelRecord:
        """The record of a model that must be here.

        Raises:
            MissingPrerequisite: it is not; names the command that gets it.
        """
        record = self.record(name)
        if record is None:
            entry = self.models.models.get(name)
            command = f"studio models pull {name}" if entry and entry.pullable else f"studio models path {name} PATH"
            raise MissingPrerequisite(f"the model {name} is not on this machine.", command=command)
        return record

    def source_of(self, name: str) -> str:
        """What its `Weights` are to read: the file where it is one file, else its folder; empty where not here."""
        record = self.record(name)
        if record is None:
            return ""
        return str(record.path_of(next(iter(record.files)))) if len(record.files) == 1 else record.path

    def placed(self) -> ModelsFile:
        """All models, each with the source that this machine has; what is not here keeps that of models.yaml.

        Where a person's own files are a fraction of the listed ones, as those of a distilled model are, the sizes on
        the device are expected to be so, too. `repo` and `revision` are those of what was pulled.
        """
        entries = {}
        for name, entry in self.models.models.items():
            record = self.record(name)
            entries[name] = entry if record is None else _as_it_lies(entry, record, self.source_of(name))
        return self.models.model_copy(update={"models": entries})

    def keep(self, name: str, record: ModelRecord) -> None:
        """Write a record, as one step.

        Raises:
            StorageFailed: the disk is full or read-only.
        """
        write_atomic(self._record_path(name), dump_yaml(record.model_dump()).encode())

    def register(
        self,
        name: str,
        path: Path,
        progress: Progress = no_progress,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> ModelRecord:
        """Name a file or folder of a person's own; it stays where it is. It is looked at first, and hashed.

        Args:
            name: of models.yaml, or a new one (for a LoRA, say).
            path: a safetensors or GGUF file, or a folder with such.

        Raises:
            WrongFile, PickleRefused, RemoteCodeRefused: it is not fit to be loaded.
            WrongFamily: it is another model than the name says.
            InvalidInput: the name is none, or stands for a model that was pulled.
        """
        before = self.record(name)
        if before is not None and before.kind == "pulled":
            raise InvalidInput(f"{name} was pulled.", hint=f"`studio models remove {name}` first.")
        path = path.expanduser().absolute()
        if ".." in path.parts:
            # `here/../there` would be lost with the folder here; links elsewhere in it are the person's, and stay.
            path = path.resolve()
        entry = self.models.models.get(name)
        if path.is_dir():
            weights = inspect_folder(path).weights
            names = [file.relative_to(path).as_posix() for file in files_of(path)]
        else:
            weights = (inspect_file(path),)
            names = ["."]
        family = _family_in(weights, entry)
        record = ModelRecord(
            kind="path",
            path=str(path),
            family=family,
            files=_hashed(path, names, progress, cancelled),
        )
        self.keep(name, record)
        return record

    def remove(self, name: str) -> ModelRecord:
        """Forget a model; files are deleted only where the studio pulled them.

        Raises:
            MissingPrerequisite: it is not here.
            StorageFailed: they cannot be deleted.
        """
        record = self.needed(name)
        home = self.folder / name
        # What the record says is no reason to delete anything elsewhere: people can edit it.
        if record.kind == "pulled" and home.is_dir() and not home.is_symlink():
            try:
                shutil.rmtree(home)
            except OSError as error:
                raise StorageFailed(f"cannot remove {home}: {error.strerror or error}.") from error
        self._record_path(name).unlink(missing_ok=True)
        return record

    def check(
        self,
        name: str,
        *,
        full: bool = False,
        progress: Progress = no_progress,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Checked:
        """Compare the files of a model with its record, and look at them as before a load.

        Args:
            full: hash every file; else only those whose time of change is another.

        Raises:
            MissingPrerequisite: it is not here.
            Cancelled: `cancelled` became true.
        """
        record = self.needed(name)
        problems: dict[str, str] = {}
        changed: list[str] = []
        for file, known in record.files.items():
            path = record.path_of(file)
            try:
                stat = path.stat()
            except OSError:
                problems[file] = "is missing"
                continue
            if stat.st_size != known.bytes:
                problems[file] = f"has {stat.st_size:,} bytes, {known.bytes:,} were recorded"
            elif full or stat.st_mtime_ns != known.changed_ns:
                changed.append(file)
        done, total = 0, sum(record.files[file].bytes for file in changed)
        for file in changed:
            found = hash_of(record.path_of(file), Told(progress, file, done, total), cancelled)
            done += record.files[file].bytes
            if found != record.files[file].sha256:
                problems[file] = "has another content than was recorded"
        if not problems:
            problems = self._inspected(record)
        return Checked(name, problems, full)

    def _inspected(self, record: ModelRecord) -> dict[str, str]:
        path = Path(record.path)
        try:
            if path.is_dir():
                inspect_folder(path)
            else:
                inspect_file(path)
        except ToolError as error:
            return {".": str(error)}
        return {}


def _as_it_lies(entry: ModelEntry, record: ModelRecord, source: str) -> ModelEntry:
    if record.kind == "pulled":
        return entry.model_copy(update={"source": source, "revision": record.revision})
    share = record.bytes / (entry.download_gb * 1e9) if entry.download_gb else 1.0
    update: dict[str, object] = {"source": source, "repo": ""}
    if share < _ANOTHER:
        update["weights_gb"] = {width: size * share for width, size in entry.weights_gb.items()}
        update["working_gb"] = entry.working_gb * share
    return entry.model_copy(update=update)


def _family_in(weights: tuple[ModelFile, ...], entry: ModelEntry | None) -> str:
    """What the largest file is, in words; checked against what the name stands for."""
    largest = max(weights, key=lambda file: (file.parameters, file.size))
    if entry is not None and entry.family and largest.header.tensors:
        fits = [file for file in weights if file.family.name == entry.family]
        largest = fits[0] if fits else largest
        require_family(largest, entry.family, base=entry.base, styles=(entry.style,) if entry.style else ())
    return str(largest.family)


def _hashed(path: Path, names: list[str], progress: Progress, cancelled: Callable[[], bool]) -> dict[str, KnownFile]:
    places = {name: path if name == "." else path / name for name in names}
    total = sum(place.stat().st_size for place in places.values())
    known: dict[str, KnownFile] = {}
    done = 0
    for name, place in places.items():
        stat = place.stat()
        digest = hash_of(place, Told(progress, name, done, total), cancelled)
        known[name] = KnownFile(bytes=stat.st_size, sha256=digest, changed_ns=stat.st_mtime_ns)
        done += stat.st_size
    return known


def hash_of(path: Path, told: Callable[[int], None], cancelled: Callable[[], bool] = lambda: False) -> str:
    """The sha256 of a file.

    Args:
        told: is told how many bytes are done.

    Raises:
        Cancelled: `cancelled` became true.
        StorageFailed: it cannot be read.
    """
    digest = hashlib.sha256()
    done = 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                told(done)
                if cancelled():
                    raise Cancelled("stopped")
    except OSError as error:
        raise StorageFailed(f"cannot read {path}: {error.strerror or error}.") from error
    return digest.hexdigest()
