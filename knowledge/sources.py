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

__all__ = ["Look", "Source", "Sources", "pieces_of"]


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


@dataclass(frozen=True)
class Look:
    """Every source by key, ours first, and the digest of each."""

    sources: dict[str, Source]
    state: dict[str, str]


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
    _seen: dict[str, tuple[Stamp, Source]] = field(default_factory=dict)
    _last: tuple[list[tuple[str, tuple[str, Stamp]]], Look] | None = None

    def look(self) -> Look:
        """Every source there is now; the very same answer as long as nothing was touched."""
        ours = str(self.documents)
        files = [("builtin", one) for one in _files(ours, ".md", deep=True)]
        for origin, folder in (("added", "added"), ("generation", "generations")):
            files += [(origin, one) for one in _files(str(self.home / folder), ".json", deep=False)]
        if self._last is None or self._last[0] != files:
            self.problems = []
            found: dict[str, Source] = {}
            for origin, (path, stamp) in files:
                name = path[len(ours) + 1 :].replace(os.sep, "/") if origin == "builtin" else Path(path).stem
                self._take(found, path, stamp, f"{origin}/{name}", origin)
            self._last = (files, Look(found, {key: source.digest for key, source in found.items()}))
        return self._last[1]

    def _take(self, found: dict[str, Source], path: str, stamp: Stamp, key: str, origin: str) -> None:
        seen = self._seen.get(path)
        if seen is None or seen[0] != stamp:
            try:
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            except OSError as error:
                self.problems.append(f"{path}: {error.strerror or error}")
                return
            seen = self._seen[path] = (stamp, Source(key, origin, Path(path), digest))
        found[key] = seen[1]

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


def _files(folder: str, ending: str, *, deep: bool) -> list[tuple[str, Stamp]]:
    """The files of a folder by name, links to elsewhere left out; looked at before every retrieval, so done lightly."""
    found: list[tuple[str, Stamp]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(ending) and name[0] != "." and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.path, (status.st_size, status.st_mtime_ns, status.st_ino)))
                elif deep and name[0] != "." and entry.is_dir(follow_symlinks=False):
                    found += _files(entry.path, ending, deep=True)
    except OSError:
        return found
    found.sort()
    return found


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
