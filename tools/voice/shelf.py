"""Where a person's own voices stand: `<voices_home>/<character>.<kind>.yaml`, one record each.

shelf = VoiceShelf(Settings().voices_home)
voice = shelf.get("luca", "xtts")
use = permitted(voice)      # refuses a cloned voice without the consent of who it belongs to
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from configs.yaml_file import YamlProblem, dump_yaml, load_yaml_model
from tools.artifact import canonical_json, fsync_dir, hash_file, write_atomic
from tools.errors import InvalidInput, MissingPrerequisite, StorageFailed
from tools.voice.records import (
    ElevenlabsVoice,
    GptSovitsVoice,
    ParlerVoice,
    Reference,
    VoiceKind,
    VoiceRecord,
    WeightsFile,
    XttsVoice,
)

__all__ = ["KINDS", "Found", "PermittedVoices", "VoiceShelf", "VoiceUse", "digest_of", "hash_reference", "permitted"]

KINDS: tuple[VoiceKind, ...] = get_args(VoiceKind)
_CLASSES: dict[str, type[VoiceRecord]] = {
    "gpt_sovits": GptSovitsVoice, "xtts": XttsVoice, "parler": ParlerVoice, "elevenlabs": ElevenlabsVoice,
}  # fmt: skip
MAX_BYTES = 200_000_000
"""A recording that is larger is none of a few seconds."""


class VoiceUse(BaseModel):
    """Under which consent a voice speaks, as it is written into the artifact; all empty where none is needed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cloned: bool = False
    whose: str = ""
    source: str = ""
    allowed_for: str = ""
    given_by: str = ""
    given_on: str = ""


class Found(BaseModel):
    """A file of the shelf: its record, or what is wrong with it."""

    model_config = ConfigDict(frozen=True)

    path: Path
    record: VoiceRecord | None = None
    problem: str = ""


class VoiceShelf:
    """The records of a folder.

    Args:
        home: `Settings().voices_home`; need not be there.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def path_of(self, character: str, kind: str) -> Path:
        """Where a record lies, or would.

        Raises:
            InvalidInput: that is no character's id, or no kind of voice.
        """
        if kind not in KINDS:
            raise InvalidInput(f"there is no kind of voice {kind!r}; there are: {', '.join(KINDS)}", where="kind")
        if not _is_slug(character):
            raise InvalidInput(f"{character[:60]!r} is no character's id: a-z, 0-9, _ and -", where="character")
        return self.home / f"{character}.{kind}.yaml"

    def get(self, character: str, kind: str) -> VoiceRecord | None:
        """The record, or None where there is none.

        Raises:
            InvalidInput: the file is not one; names file and line.
        """
        path = self.path_of(character, kind)
        return self._read(path, character, kind) if path.exists() else None

    def needed(self, character: str, kind: str) -> VoiceRecord:
        """The record.

        Raises:
            MissingPrerequisite: the character has no voice of this kind; names the command that adds one.
            InvalidInput: the file is not one; names file and line.
        """
        found = self.get(character, kind)
        if found is None:
            raise MissingPrerequisite(
                f"{character} has no voice for {kind}.", command=f"studio voice add {character} --kind {kind} ..."
            )
        return found

    def put(self, record: VoiceRecord) -> Path:
        """Write a record; one that is there is replaced. Returns its path.

        Raises:
            StorageFailed: it cannot be written.
        """
        path = self.path_of(record.character, record.kind)
        write_atomic(path, dump_yaml(record.model_dump(mode="json", exclude_none=True)).encode())
        return path

    def remove(self, character: str, kind: str) -> None:
        """Take a record away; recordings and weights stay where they are.

        Raises:
            InvalidInput: there is none.
            StorageFailed: it cannot be deleted.
        """
        path = self.path_of(character, kind)
        try:
            path.unlink()
            fsync_dir(path.parent)
        except FileNotFoundError:
            raise InvalidInput(f"{character} has no voice for {kind}", where="character") from None
        except OSError as error:
            raise StorageFailed(f"cannot delete {path}: {error.strerror}.") from error

    def look(self) -> list[Found]:
        """Every file of the shelf in the order of their names, those that cannot be read with what is wrong."""
        found: list[Found] = []
        for path in sorted(self.home.glob("*.yaml")) if self.home.is_dir() else []:
            character, _, kind = path.stem.rpartition(".")
            try:
                found.append(Found(path=path, record=self._read(self.path_of(character, kind), character, kind)))
            except InvalidInput as error:
                found.append(Found(path=path, problem=str(error)))
        return found

    def all(self) -> list[VoiceRecord]:
        """Every record.

        Raises:
            InvalidInput: one of the files is none; names file and line.
        """
        found = self.look()
        for one in found:
            if one.problem:
                raise InvalidInput(one.problem)
        return [one.record for one in found if one.record is not None]

    def _read(self, path: Path, character: str, kind: str) -> VoiceRecord:
        try:
            # Every class of `_CLASSES` is one of the union; the type checker cannot see that through the mapping.
            record = cast(VoiceRecord, load_yaml_model(path, cast(type[BaseModel], _CLASSES[kind])))
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from None
        if record.character != character:
            raise InvalidInput(f"is the voice of {record.character!r}, under the name of another", where=str(path))
        return record


def _is_slug(text: str) -> bool:
    try:
        ParlerVoice(character=text, description="-")
    except ValidationError:
        return False
    return True


def hash_reference(path: Path) -> str:
    """sha256 of a recording.

    Raises:
        InvalidInput: it is not there, not a file, too large, or cannot be read; names it.
    """
    try:
        if not path.is_file():
            raise InvalidInput("there is no such file" if not path.exists() else "is not a file", where=str(path))
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"is larger than {MAX_BYTES // 1_000_000} MB", where=str(path))
        return hash_file(path)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from None


class PermittedVoices:
    """The voices of a shelf that may be used.

    Args:
        shelf: all of them.
    """

    def __init__(self, shelf: VoiceShelf) -> None:
        self._shelf = shelf

    def get(self, character: str, kind: str) -> VoiceRecord | None:
        """The voice of a character for the engines of a kind; None where there is none.

        Raises:
            InvalidInput, MissingPrerequisite: as `permitted`, and where the record is damaged.
        """
        voice = self._shelf.get(character, kind)
        if voice is not None:
            permitted(voice)
        return voice


def permitted(voice: VoiceRecord) -> VoiceUse:
    """Under which consent a voice may speak: every recording is read and compared with what consent was given for.

    Raises:
        MissingPrerequisite: it is somebody's voice, and there is no consent, or one for other recordings.
        InvalidInput: a recording was changed or is gone; names the file.
    """
    _check_recordings(voice.recordings, voice)
    if not voice.cloned:
        return VoiceUse()
    consent = voice.consent
    command = _consent_command(voice)
    if consent is None:
        raise MissingPrerequisite(
            f"the {voice.kind} voice of {voice.character} is somebody's, and nothing says that they agreed.",
            command=command,
        )
    missing = [digest for digest in voice.made_from if digest not in consent.covers]
    if missing or not voice.made_from:
        names = [str(one.file) for one in voice.recordings if one.sha256 in missing] or [f"{voice.kind} voice"]
        raise MissingPrerequisite(
            f"the consent of {consent.whose} does not cover {', '.join(names)} of {voice.character}.", command=command
        )
    return VoiceUse(
        cloned=True,
        whose=consent.whose,
        source=consent.source,
        allowed_for=consent.allowed_for,
        given_by=consent.given_by,
        given_on=consent.given_on.isoformat(),
    )


def _check_recordings(references: Sequence[Reference], voice: VoiceRecord) -> None:
    for reference in references:
        if hash_reference(reference.file) != reference.sha256:
            raise InvalidInput(
                f"is not the recording that was added for {voice.character} any more",
                where=str(reference.file),
                hint=f"Put the old one back, or add the voice again: {_consent_command(voice)}",
            )
    for weights in voice.weights:
        _check_weights(weights, voice)


def _check_weights(weights: WeightsFile, voice: VoiceRecord) -> None:
    """Weights that are here must be those that were added; they are read anew only where size or time differ."""
    path = Path(weights.file)
    if not weights.sha256:
        return
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # A pipe would be waited for, a device read for ever.
            raise InvalidInput("is not a file", where=str(path))
        same = (status.st_size, status.st_mtime_ns) == (weights.size, weights.changed_ns)
        same = same or (status.st_size == weights.size and hash_file(path) == weights.sha256)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from None
    if not same:
        raise InvalidInput(
            f"is not what was added for {voice.character} any more",
            where=str(path),
            hint=f"Put the old one back, or add the voice again: {_consent_command(voice)}",
        )


def _consent_command(voice: VoiceRecord) -> str:
    return (
        f"studio voice add {voice.character} --kind {voice.kind} ... "
        '--whose "NAME" --source "WHERE FROM" --allows "WHAT FOR"'
    )


def digest_of(voice: VoiceRecord) -> str:
    """A digest of what a line in this voice depends on: not of notes, nor of where the files lie."""
    data = voice.model_dump(mode="json", exclude={"note"})
    for part in (*data.get("references", ()), *(data[name] for name in ("gpt", "sovits") if name in data)):
        for name in ("size", "changed_ns", "on_server", *(("file",) if part["sha256"] else ())):
            part.pop(name, None)
    return hashlib.sha256(canonical_json(data)).hexdigest()
