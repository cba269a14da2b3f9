"""manifest.json: how each piece of a production was made, for people and for the next run.

The artifacts themselves are the truth; the manifest says which call of the plan each belongs to, how the judge scored
it and what it was chosen over. One that is torn or damaged is rebuilt from the records of the artifacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tools.artifact import Artifact, FileRecord, read_record, sealed, write_atomic
from tools.runtime.storage.disk import storage_failure
from tools.runtime.storage.store import ArtifactStore

__all__ = ["AttemptRecord", "Manifest", "library_versions", "load_manifest", "save_manifest"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AttemptRecord(_Model):
    """One attempt at one call.

    Attributes:
        call: id of the call; empty in a rebuilt manifest, where it is not known.
        attempt: 1 for the first.
        tool, engine, version, args, seed, inputs: what made it; see `tools.artifact.artifact_key`.
        key, digest: of the artifact; empty where the attempt failed.
        files: what it left, by name.
        seconds: the engine took when it was made (not when it was taken from the store).
        degraded: what was done otherwise than asked because memory ran out.
        models: by name which weights it was made with: width, commit, digest of the files.
        loras: by name which LoRAs: how strongly, digest of the file.
        controls: by kind which maps of the layout, or a person's own: how strongly, over which part of the steps.
        score, passed, checks: of the judge; None and empty where it was not judged.
        best: whether this attempt went on into the film.
        error: why it failed; empty where it did not.
        libraries: versions of the engine's libraries when it was recorded.
    """

    call: str
    attempt: int = Field(1, ge=1)
    tool: str
    engine: str
    version: str
    args: dict[str, Any]
    seed: int
    inputs: dict[str, str] = Field(default_factory=dict)
    key: str = ""
    digest: str = ""
    files: dict[str, FileRecord] = Field(default_factory=dict)
    seconds: float = 0.0
    degraded: tuple[str, ...] = ()
    models: dict[str, str] = Field(default_factory=dict)
    loras: dict[str, str] = Field(default_factory=dict)
    controls: dict[str, str] = Field(default_factory=dict)
    score: float | None = None
    passed: bool | None = None
    checks: list[dict[str, Any]] = Field(default_factory=list)
    best: bool = False
    error: str = ""
    libraries: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(
        cls, call: str, artifact: Artifact, attempt: int = 1, libraries: dict[str, str] | None = None
    ) -> AttemptRecord:
        """The record of an attempt that gave an artifact, not yet judged."""
        made = {name: value for name, value in artifact.record if name != "output"}
        made |= {name: artifact.output[name] for name in ("loras", "controls") if name in artifact.output}
        return cls(call=call, attempt=attempt, libraries=libraries or {}, **made)


class Manifest(_Model):
    """A production's record.

    Attributes:
        format: raised when old readers would misunderstand.
        request: what was asked for, in the user's words, the latest last.
        request_id: who owns the folder; see `Production.claim`.
        title: of the storyboard.
        assumptions: what was taken for granted.
        degraded: what was made otherwise than asked, and why.
        attempts: every attempt, in the order of the calls.
        exports: by path in the production: key of the artifact and the name of its file there.
        rebuilt: the manifest was lost and put together again from the artifacts.
    """

    format: int = 1
    request: list[str] = Field(default_factory=list)
    request_id: str = ""
    title: str = ""
    assumptions: list[str] = Field(default_factory=list)
    degraded: list[str] = Field(default_factory=list)
    attempts: list[AttemptRecord] = Field(default_factory=list)
    exports: dict[str, tuple[str, str]] = Field(default_factory=dict)
    rebuilt: bool = False

    def record(self, attempt: AttemptRecord) -> None:
        """Add an attempt, or replace the one of the same call and number; what was rebuilt without a call gives way."""
        self.attempts = [
            old
            for old in self.attempts
            if (old.call, old.attempt) != (attempt.call, attempt.attempt)
            and not (old.call == "" and old.key == attempt.key)
        ]
        self.attempts.append(attempt)

    def of_call(self, call: str) -> list[AttemptRecord]:
        """The attempts at a call, first to last."""
        return sorted((one for one in self.attempts if one.call == call), key=lambda one: one.attempt)

    def mark_best(self, call: str, attempt: int) -> None:
        """Say which attempt of a call went on."""
        for one in self.of_call(call):
            one.best = one.attempt == attempt

    def forget_others(self, calls: Sequence[str]) -> None:
        """Drop the attempts at calls that the present plan does not hold."""
        self.attempts = [one for one in self.attempts if one.call in set(calls)]


def load_manifest(path: Path, store: ArtifactStore) -> Manifest:
    """Read a manifest; one that is missing gives an empty one, one that is torn is rebuilt from the artifacts.

    Raises:
        StorageFailed: it is there and cannot be read.
    """
    try:
        return Manifest.model_validate_json(read_record(path))
    except FileNotFoundError:
        torn = False
    except ValueError:
        torn = True
    except OSError as error:
        raise storage_failure(f"cannot read {path}", error) from error
    manifest = Manifest(rebuilt=torn)
    if torn:
        for key in store:
            artifact = store.get(key)
            if artifact is not None:
                manifest.attempts.append(AttemptRecord.of("", artifact))
    return manifest


def save_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest atomically.

    Raises:
        StorageFailed: the old one is then still there.
    """
    write_atomic(path, sealed(manifest.model_dump_json(indent=1).encode()))


def library_versions(distributions: Sequence[str]) -> dict[str, str]:
    """Installed versions by distribution, without importing any; one that is not installed is left out."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
