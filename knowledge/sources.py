"""The sources of truth: our own documents, what a person added, past generations. Each is a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from configs.yaml_file import YamlProblem
from knowledge.documents_folder import Document, read_document
from knowledge.index.snapshot import IndexedDocument, Piece
from knowledge.lexical.words import words_of
from knowledge.splitting import split_text

__all__ = ["Source", "Sources", "pieces_of"]


@dataclass(frozen=True)
class Source:
    """A file that holds a document.

    Attributes:
        key: which one it is; see `IndexedDocument`.
        origin: `builtin`, `added` or `generation`.
        path: the file.
        digest: sha256 of the file.
    """

    key: str
    origin: str
    path: Path
    digest: str


Stamp = tuple[int, int, int]


@dataclass
class Sources:
    """Looks the files up; what was not touched since the last look is not read again.

    Attributes:
        documents: folder of our own documents.
        home: folder of what a person added and of past generations.
        problems: what could not be read at the last look, one line each.
    """

    documents: Path
    home: Path
    problems: list[str] = field(default_factory=list)
    _seen: dict[Path, tuple[Stamp, str]] = field(default_factory=dict)

    def look(self) -> dict[str, Source]:
        """Every source by key, ours first."""
        self.problems = []
        found: dict[str, Source] = {}
        for path in sorted(self.documents.glob("**/*.md")):
            self._take(found, path, f"builtin/{path.relative_to(self.documents).as_posix()}", "builtin")
        for origin, folder in (("added", "added"), ("generation", "generations")):
            for name in _names(self.home / folder, ".json"):
                self._take(found, self.home / folder / name, f"{origin}/{name.removesuffix('.json')}", origin)
        return found

    def _take(self, found: dict[str, Source], path: Path, key: str, origin: str) -> None:
        try:
            status = path.stat()
            stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
            seen = self._seen.get(path)
            if seen is None or seen[0] != stamp:
                seen = (stamp, hashlib.sha256(path.read_bytes()).hexdigest())
                self._seen[path] = seen
        except OSError as error:
            self.problems.append(f"{path}: {error.strerror or error}")
            return
        found[key] = Source(key, origin, path, seen[1])

    def read(self, source: Source) -> tuple[IndexedDocument, list[Piece]]:
        """The document of a source, cut into passages; one that cannot be read has none, and says why."""
        try:
            shown, document = self._document(source)
        except (OSError, ValueError, YamlProblem) as error:
            problem = str(error).splitlines()[0]
            return IndexedDocument(source.key, source.digest, str(source.path), "", "", source.origin, (), problem), []
        indexed = IndexedDocument(
            source.key, source.digest, shown, document.title, document.kind, source.origin, tuple(document.about)
        )
        return indexed, pieces_of(document)

    def _document(self, source: Source) -> tuple[str, Document]:
        if source.origin == "builtin":
            return f"knowledge/documents/{source.key.removeprefix('builtin/')}", read_document(source.path)
        if source.origin == "added":
            from knowledge.added import read_added

            added = read_added(source.path)
            return added.name, added.document
        return _generation(source.path)


def _generation(path: Path) -> tuple[str, Document]:
    from knowledge.generations import Generation

    # What its schema does not take is a ValueError, too.
    passage = Generation.model_validate_json(path.read_bytes()).passage()
    return passage.source, Document(
        id=path.stem, title=passage.title, kind="generation", about=list(passage.about), sections=[("", passage.text)]
    )


def _names(folder: Path, ending: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(ending) and not name.startswith("."))


def pieces_of(document: Document) -> list[Piece]:
    """A document as passages: by its sections, then between sentences."""
    return list(_pieces(document))


def _pieces(document: Document) -> Iterator[Piece]:
    # The words of the front matter are those that a person would use; with the title they stand for the whole document.
    # Each counts twice: of 95 questions that brought 3 more their document as the first.
    named = words_of(" ".join([*document.words, *(name.replace("_", " ") for name in document.about)]))
    words = (*words_of(document.title), *named, *named)
    for heading, text in document.sections:
        head = " - ".join(part for part in (document.title, heading) if part)
        for piece in split_text(text):
            yield Piece(heading, piece, f"{head}\n{piece}", words)
