"""The documents: Markdown with front matter, one subject a file, in knowledge/documents/."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.yaml_file import YamlProblem, parse_yaml

__all__ = ["Document", "DocumentsFolder"]

DOCUMENTS_DIR = Path(__file__).parent / "documents"


class Document(BaseModel):
    """One document: its front matter and its text, cut into sections at `## ` headings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    kind: Literal["character", "place", "style", "guide", "film", "added", "generation"]
    about: list[str] = Field(default_factory=list, description="ids this document is about")
    words: list[str] = Field(default_factory=list, description="further words it should be found by")
    sections: list[tuple[str, str]] = Field(description="(heading, text)")


class DocumentsFolder:
    """Reads a folder of documents once, on first use."""

    def __init__(self, folder: Path = DOCUMENTS_DIR) -> None:
        self.folder = folder

    @cached_property
    def documents(self) -> list[Document]:
        """Every document, in the order of the file names.

        Raises:
            YamlProblem: a file has no front matter or a wrong one; names file and line.
        """
        return [read_document(path) for path in sorted(self.folder.glob("**/*.md"))]


def read_document(path: Path) -> Document:
    """Read one Markdown file with front matter between two `---` lines."""
    text = path.read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise YamlProblem("must begin with front matter between two lines of `---`", where=f"{path}:1")
    head, body = text[4:].split("\n---\n", 1)
    data, _ = parse_yaml(head, str(path))
    try:
        return Document.model_validate({"id": path.stem, "sections": _sections(body), **(data or {})})
    except ValidationError as error:
        first = error.errors()[0]
        raise YamlProblem(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=f"{path}:1") from None


def _sections(body: str) -> list[tuple[str, str]]:
    sections: list[tuple[str, str]] = []
    heading = ""
    lines: list[str] = []
    for line in [*body.strip().splitlines(), "## "]:
        if line.startswith("## "):
            text = "\n".join(lines).strip()
            if text:
                sections.append((heading, text))
            heading, lines = line[3:].strip(), []
        elif not line.startswith("# "):
            lines.append(line)
    return sections
