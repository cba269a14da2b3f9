"""Files and folders are taken into the knowledge base, each file whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from knowledge.added import Added, AddedDocuments, id_of, now
from knowledge.ingest.reading import SUFFIXES, Limits, read_bytes, read_document_file
from knowledge.problems import BadDocument

__all__ = ["Outcome", "add_files", "files_below"]

MOST_FILES = 2_000
"""Of one folder; more are rather a mistake than a library."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        path: of the file.
        status: `added`, `replaced` (it was there and has changed), `same` (nothing new), `refused`.
        added: the record; None where it was refused.
        problem: why it was refused.
    """

    path: Path
    status: Literal["added", "replaced", "same", "refused"]
    added: Added | None = None
    problem: str = ""


def files_below(path: Path) -> tuple[list[Path], int]:
    """The files that are read of a file or folder, and how many others lie there. Hidden ones and links are left out.

    Raises:
        BadDocument: a folder holds more than 2,000 of them.
    """
    if not path.is_dir():
        return [path], 0
    found: list[Path] = []
    others = 0
    for file in _walk(path):
        if file.suffix.lower() in SUFFIXES:
            found.append(file)
        else:
            others += 1
        if len(found) > MOST_FILES:
            raise BadDocument(f"{path} holds more than {MOST_FILES:,} documents.", hint="Add its folders one by one.")
    return found, others


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(place, name)
            if not name.startswith(".") and not file.is_symlink():
                yield file


def add_files(
    kept: AddedDocuments,
    files: Sequence[Path],
    *,
    about: Sequence[str] = (),
    limits: Limits | None = None,
    progress: Callable[[Path], None] = lambda _: None,
) -> list[Outcome]:
    """Take files in; one that is refused does not keep the others out.

    Args:
        kept: where they are kept.
        files: as `files_below` lists them.
        about: ids of characters, places or styles that they are about, besides those in their front matter.
        limits: how far they are read.
        progress: told of each file before it is read.

    Raises:
        OSError: the disk is full or read-only; what was taken in before stays.
    """
    known = {one.id: one for one in kept.all()[0]}
    outcomes = []
    for path in files:
        progress(path)
        try:
            outcome = _add(kept, known, path, tuple(about), limits or Limits())
        except BadDocument as problem:
            outcome = Outcome(path, "refused", problem=str(problem))
        outcomes.append(outcome)
    return outcomes


def _add(kept: AddedDocuments, known: dict[str, Added], path: Path, about: tuple[str, ...], limits: Limits) -> Outcome:
    data = read_bytes(path, limits)
    key, digest = id_of(path.resolve()), hashlib.sha256(data).hexdigest()
    # The same text under another name would answer every question twice.
    same = next((one for one in known.values() if one.sha256 == digest), None)
    if same is not None and set(about) <= set(same.document.about):
        return Outcome(path, "same", same)
    found = read_document_file(path, data, limits)
    every = list(dict.fromkeys([*found.document.about, *about]))
    key = same.id if same is not None else key
    record = Added(
        id=key,
        name=_shown(path.name),
        path=_shown(str(path.resolve())),
        sha256=digest,
        added=now(),
        document=found.document.model_copy(update={"id": key, "about": every}),
        left_out=found.left_out,
    )
    kept.keep(record)
    status: Literal["added", "replaced"] = "replaced" if key in known else "added"
    known[key] = record
    return Outcome(path, status, record)


def _shown(name: str) -> str:
    """A name as it can be kept: what is no UTF-8 in it is shown as `?`."""
    return name.encode("utf-8", "replace").decode()
