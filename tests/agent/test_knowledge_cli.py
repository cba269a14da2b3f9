"""`studio knowledge` as a person types it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from agent.cli import main
from knowledge.reflections import FILE_NAME, Reflection, Reflections
from tests.knowledge.bases import needs_weights


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


class Studio(Protocol):
    def __call__(self, *args: str) -> Done: ...


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Studio:
    """The command, in this process: importing it anew each time would take longer than what it does."""
    monkeypatch.setenv("STUDIO_KNOWLEDGE_FOLDER", str(tmp_path / "knowledge"))

    def run(*args: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["studio", "knowledge", *args])
        with pytest.raises(SystemExit) as leave:
            main()
        told = capsys.readouterr()
        code = leave.value.code
        return Done(code if isinstance(code, int) else 0, told.out, told.err)

    return run


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "ferry.md"
    path.write_text("# The ferry\nThe green ferry leaves at dawn.\n\n## Captain\nShe has one eye.\n", encoding="utf-8")
    return path


def test_a_document_is_added_found_listed_and_forgotten(studio: Studio, note: Path) -> None:
    added = studio("add", str(note), "--about", "luca")
    assert added.returncode == 0, added.stderr
    assert "ferry.md: added, 2 passages" in added.stdout
    again = json.loads(studio("add", str(note), "--json").stdout)
    [row] = again["documents"]
    assert (row["status"], row["about"]) == ("same", ["luca"])

    found = json.loads(studio("search", "green", "ferry", "at", "dawn", "--json").stdout)
    assert found[0]["source"] == "ferry.md"
    assert 0 < found[0]["score"] <= 1
    of_luca = json.loads(studio("search", "who", "has", "one", "eye", "--character", "Luca", "--json").stdout)
    assert of_luca[0]["text"] == "She has one eye."
    assert all("luca" in passage["about"] for passage in of_luca)

    listed = json.loads(studio("list", "--json").stdout)
    assert [(one["id"], one["passages"], one["title"]) for one in listed] == [(row["id"], 2, "The ferry")]
    gone = studio("remove", row["id"][:6])
    assert gone.stdout.strip() == "ferry.md is forgotten."
    assert note.exists()
    after = studio("search", "green ferry", "--kind", "added")
    assert "Nothing that fits was found." in after.stdout


def test_a_folder_comes_in_with_what_was_refused_and_passed_over(studio: Studio, tmp_path: Path, note: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    note.rename(library / "ferry.md")
    (library / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (library / "picture.png").write_bytes(b"x")
    done = studio("add", str(library))
    assert done.returncode == 3
    assert "broken.pdf" in done.stdout
    assert "1 document with 2 passages came in." not in done.stderr
    assert "1 document with 2 passages came in." in done.stdout
    assert "1 file of other kinds passed over." in done.stdout
    built = studio("rebuild", "--json")
    figures = json.loads(built.stdout)
    assert figures["passages"] > figures["documents"] > 50, "those that the studio came with, too"


def test_what_is_wrong_is_told_in_one_line(studio: Studio) -> None:
    for args, told in (
        (("add", "no\x1b[31m.md"), "no such file"),
        (("remove", "zz"), "studio knowledge list"),
        (("search", "x", "--kind", "spell"), "character, place"),
    ):
        done = studio(*args)
        assert done.returncode != 0
        assert told in done.stderr
        assert "\x1b" not in done.stderr
        assert "Traceback" not in done.stderr


def test_a_damaged_index_is_told_once_and_lines_flow(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "heron.md"
    file.write_text("The heron Ottavio eats\nanchovies.\n", encoding="utf-8")
    studio("add", str(file))
    [index] = tmp_path.rglob("passages.snapshot")
    index.write_bytes(b"nonsense")
    done = studio("search", "what does Ottavio the heron eat")
    assert "The heron Ottavio eats anchovies.\n" in done.stdout
    assert done.stderr.count("the index was damaged") == 1
    assert "damaged" not in studio("search", "heron").stderr


def test_the_plain_command_lists(studio: Studio) -> None:
    done = studio()
    assert done.returncode == 0, done.stderr
    assert "0 documents of yours" in done.stdout


@needs_weights
def test_a_chroma_server_elsewhere_is_refused(studio: Studio, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_CHROMA_SERVER", "10.1.2.3:8000")
    done = studio("add", str(note))
    assert done.returncode == 1
    assert "on this machine" in done.stderr


def test_lessons_are_listed_and_forgotten(studio: Studio, tmp_path: Path) -> None:
    assert "Nothing was learned yet." in studio("lessons").stdout
    kept = Reflections(tmp_path / "knowledge" / FILE_NAME)
    one, other = (
        Reflection(
            request=Reflection.words(f"a {place} with Luca"),
            about=("luca",),
            cause="user",
            text=f"Closer at the {place}.",
        )
        for place in ("beach", "harbour")
    )
    kept.learn([one, other])
    listed = json.loads(studio("lessons", "--json").stdout)
    assert [row["id"] for row in listed] == [one.id, other.id]
    assert one.id != other.id
    shown = studio("lessons").stdout
    assert "Closer at the beach." in shown
    assert "your change" in shown
    assert "“Closer at the beach.” is forgotten." in studio("lessons", "--forget", one.id[:5]).stdout
    assert kept.all() == [other]
    assert studio("lessons", "--forget", one.id).returncode == 1
    studio("lessons", "--forget", "all")
    assert kept.all() == []
