"""What a person added: of each document its text and a record, one JSON file, the source of truth of the index."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.documents_folder import Document
from knowledge.problems import BadDocument
from knowledge.user_cache import replace_file

__all__ = ["Added", "AddedDocuments", "read_added"]

MOST_BYTES = 64_000_000
"""A larger record was not written by the studio."""


class Added(BaseModel):
    """A document that was added.

    Attributes:
        id: by which it is removed; the same for the same file, whatever is in it.
        name: of the file, as it is shown.
        path: where the file lay, for people; nothing is ever read from it again.
        sha256: of the file as it came.
        added: when, in UTC.
        document: its text, in sections.
        left_out: what of it was not taken, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    name: str
    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    added: datetime
    document: Document
    left_out: str = ""


class AddedDocuments:
    """The documents a person added to one knowledge base.

    Args:
        home: `settings.knowledge_home`.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "added"

    def all(self) -> tuple[list[Added], list[Path]]:
        """Those that are there, by name, and the records that cannot be read."""
        found: list[Added] = []
        damaged: list[Path] = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(read_added(path))
            except (OSError, ValueError):
                damaged.append(path)
        return sorted(found, key=lambda one: (one.name, one.id)), damaged

    def get(self, key: str) -> Added | None:
        """The one of this id; None where there is none, or none that can be read."""
        path = self._path(key)
        try:
            return read_added(path) if path else None
        except (OSError, ValueError):
            return None

    def keep(self, added: Added) -> None:
        """Write it in one piece; one of the same id is replaced.

        Raises:
            OSError: the disk is full or read-only; what was there before stays.
        """
        path = self._path(added.id)
        assert path is not None
        replace_file(path, added.model_dump_json(indent=1).encode("utf-8", "replace"))

    def remove(self, key: str) -> Added | None:
        """Forget one, also one whose record is damaged.

        Args:
            key: its id, or the beginning of it.

        Raises:
            BadDocument: there is none, or several begin so.
            OSError: it cannot be removed.
        """
        short = key.strip().casefold()
        paths = [path for path in self.folder.glob("*.json") if path.stem.startswith(short)] if short else []
        if len(paths) != 1:
            many = "several documents begin" if paths else "no document begins"
            raise BadDocument(f"{many} with {key!r}.", hint="`studio knowledge list` shows the ids.")
        found = self.get(paths[0].stem)
        paths[0].unlink(missing_ok=True)
        return found

    def _path(self, key: str) -> Path | None:
        known = len(key) == 12 and all(letter in "0123456789abcdef" for letter in key)
        return self.folder / f"{key}.json" if known else None


def read_added(path: Path) -> Added:
    """Read a record.

    Raises:
        ValueError: it is not one.
        OSError: it cannot be read.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError("is too large for a record of the studio")
    try:
        found = Added.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"is no record of an added document: {first['msg']}") from None
    if found.id != path.stem:
        raise ValueError("is the record of another document")
    return found


def id_of(path: Path) -> str:
    """The id of the document that a file holds: of where it lies, so that a changed file replaces what it was."""
    return hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def now() -> datetime:
    """In UTC, without parts of a second."""
    return datetime.now(UTC).replace(microsecond=0)
