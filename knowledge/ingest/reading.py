"""A file as a document: of which kind it is, how far it is read, what of it is dropped."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from configs.yaml_file import YamlProblem, parse_yaml
from knowledge.documents_folder import Document
from knowledge.problems import BadDocument
from knowledge.splitting import without_controls

__all__ = ["SUFFIXES", "Limits", "ReadFile", "read_bytes", "read_document_file"]

SUFFIXES = {
    ".md": "md",
    ".markdown": "md",
    ".txt": "txt",
    ".text": "txt",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
}
"""What is read, by the ending of its name."""
KINDS = ("character", "place", "style", "guide", "film")
_ID = re.compile(r"[a-z0-9_]{1,40}")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")


@dataclass(frozen=True)
class Limits:
    """How far a file of unknown origin is read.

    Attributes:
        bytes: of the file.
        chars: of its text; more is left out, which is told.
        pages: of a PDF.
        seconds: of one file.
        megabytes: of memory, while a PDF or an HTML file is read.
    """

    bytes: int = 50_000_000
    chars: int = 4_000_000
    pages: int = 2_000
    seconds: int = 60
    megabytes: int = 2_048


@dataclass(frozen=True)
class ReadFile:
    """A document, and what of its file was left out, in words."""

    document: Document
    left_out: str


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The bytes of a regular file.

    Raises:
        BadDocument: it is not there, no file, too large, or cannot be read.
    """
    try:
        # Without waiting: a pipe of this name would be waited for without end.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BadDocument(f"{path}: {(error.strerror or str(error)).lower()}.") from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BadDocument(f"{path} is no file.")
    with os.fdopen(fd, "rb") as stream:
        try:
            data = stream.read(limits.bytes + 1)
        except OSError as error:
            raise BadDocument(f"{path}: {(error.strerror or str(error)).lower()}.") from None
    if len(data) > limits.bytes:
        raise BadDocument(f"{path} is larger than {limits.bytes / 1e6:g} MB.", hint="Cut it into parts.")
    return data


def read_document_file(path: Path, data: bytes, limits: Limits | None = None) -> ReadFile:
    """The document that a file holds.

    Args:
        path: its name says how it is read, and stands in errors; nothing is opened.
        data: its bytes.
        limits: None: the usual ones.

    Raises:
        BadDocument: it is of no kind that is read, damaged, locked, without text, or takes too much to be read.
    """
    limits = limits or Limits()
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise BadDocument(f"{path}: files of this kind are not read.", hint=f"Read are {', '.join(sorted(SUFFIXES))}.")
    front: dict[str, Any] = {}
    left: list[str] = []
    title = ""
    if kind in ("md", "txt"):
        text, told = _decoded(path, data)
        left += told
        if len(text) > limits.chars:
            left.append(f"only the first {limits.chars:,} characters")
        text = without_controls(text[: limits.chars])
        if kind == "md":
            front, text = _front_matter(text)
        title = _title(text) if kind == "md" else ""
        sections = _markdown_sections(text) if kind == "md" else [("", text.strip())]
    else:
        found = _read_foreign(path, data, limits)
        title, left = found["title"], [found["left_out"]] if found["left_out"] else []
        sections, size = [], 0
        for heading, text in found["sections"]:
            if size + len(text) > limits.chars:
                left.append(f"only the first {limits.chars:,} characters")
            text = without_controls(text[: limits.chars - size])
            size += len(text)
            sections += _markdown_sections(text) if kind == "html" else [(heading, _pdf_text(text))]
            if size >= limits.chars:
                break
    sections = [(heading[:200], text) for heading, text in sections if text.strip()]
    if not sections:
        raise BadDocument(f"{path} has no text to read.")
    return ReadFile(_document(path, title, front, sections), "; ".join(left))


def _document(path: Path, title: str, front: dict[str, Any], sections: list[tuple[str, str]]) -> Document:
    name = without_controls(path.stem.replace("_", " ")).encode("utf-8", "replace").decode()
    given = front.get("title") or title
    kind = front.get("kind")
    about, words = front.get("about"), front.get("words")
    return Document(
        id="added",
        title=" ".join(without_controls(str(given)).split())[:200] if given else name,
        kind=kind if kind in KINDS and kind in get_args(Document.model_fields["kind"].annotation) else "added",
        about=[one for one in about if isinstance(one, str) and _ID.fullmatch(one)][:20]
        if isinstance(about, list)
        else [],
        words=[str(one)[:60] for one in words if isinstance(one, (str, int))][:50] if isinstance(words, list) else [],
        sections=sections,
    )


def _decoded(path: Path, data: bytes) -> tuple[str, list[str]]:
    for bom, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(bom):
            return data.decode(encoding, "replace"), []
    if b"\0" in data[:65536]:
        raise BadDocument(f"{path} is no text.")
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), ["read as Windows-1252, since it is no UTF-8"]


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """What stands between two lines of `---`; what is no front matter of ours is text like any other."""
    if not text.startswith("---\n"):
        return {}, text
    head, mark, body = text[4:].partition("\n---\n")
    if not mark or len(head) > 20_000:
        return {}, text
    try:
        data, _ = parse_yaml(head, "front matter")
    except YamlProblem:
        return {}, text
    return (data, body) if isinstance(data, dict) else ({}, text)


def _title(text: str) -> str:
    """The heading that a text begins with; empty where it begins otherwise."""
    match = _HEADING.match(text.lstrip().partition("\n")[0])
    return match[2].strip(" *_") if match else ""


def _markdown_sections(text: str) -> list[tuple[str, str]]:
    sections: list[tuple[str, str]] = []
    heading, lines, fenced = "", [], False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        sections.append((heading, "\n".join(lines).strip()))
        heading, lines = match[2].strip(" *_"), []
    sections.append((heading, "\n".join(lines).strip()))
    return sections


def _pdf_text(text: str) -> str:
    """Words that were cut at the end of a line are joined; a line that goes on is one with the next."""
    text = re.sub(r"(\w)-\n(?=[a-zà-ÿ])", r"\1", text)
    return re.sub(r"(?<=[^.!?:\n])\n(?=[a-zà-ÿ(])", " ", text).strip()


def _read_foreign(path: Path, data: bytes, limits: Limits) -> dict[str, Any]:
    """What the reading process says of a PDF or HTML file; see `reading_child`."""
    orders = {
        "suffix": ".pdf" if path.suffix.lower() == ".pdf" else ".html",
        "seconds": limits.seconds,
        "megabytes": limits.megabytes,
        "pages": limits.pages,
        "chars": limits.chars,
    }
    command = [sys.executable, "-I", str(Path(__file__).with_name("reading_child.py"))]
    # Nothing of our environment: what reads a foreign file need know no keys.
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                command, input=json.dumps(orders).encode() + b"\n" + data, capture_output=True, cwd=folder,
                env=environment, timeout=2 * limits.seconds + 10, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BadDocument(f"{path} takes too long to be read.") from None
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        took = "time" if done.returncode in (-9, -24) else "memory"
        raise BadDocument(f"{path} takes too much {took} to be read.") from None
    if "error" in found:
        raise BadDocument(f"{path} {found['error']}.")
    return found
