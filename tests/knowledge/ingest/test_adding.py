"""Files come in whole or not at all, whatever they are made of."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

import pytest

from knowledge.added import AddedDocuments
from knowledge.ingest.adding import MOST_FILES, Outcome, add_files, files_below
from knowledge.ingest.reading import Limits, read_document_file
from knowledge.problems import BadDocument


def pdf(*pages: str, compress: bytes | None = None) -> bytes:
    """A PDF with a line of text a page, written by hand; `compress` is a packed content stream for the last one."""
    count = len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(count))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        lines = b" ".join(b"(%s) Tj T*" % line.encode() for line in text.split("\n"))
        stream, packed = b"BT /F1 12 Tf 14 TL 72 700 Td %s ET" % lines, b""
        if compress is not None and number == count - 1:
            stream, packed = compress, b" /Filter /FlateDecode"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(stream), packed, stream))
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return out.getvalue()


@pytest.fixture
def kept(tmp_path: Path) -> AddedDocuments:
    return AddedDocuments(tmp_path / "home")


def add(kept: AddedDocuments, path: Path, data: bytes | str, limits: Limits | None = None) -> Outcome:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    [outcome] = add_files(kept, [path], limits=limits)
    return outcome


def text_of(outcome: Outcome) -> str:
    assert outcome.added is not None, outcome.problem
    return "\n".join(f"{heading}\n{text}" for heading, text in outcome.added.document.sections)


def test_markdown_text_html_and_pdf_come_in(kept: AddedDocuments, tmp_path: Path) -> None:
    md = add(kept, tmp_path / "a.md", "# Sails\nWhite.\n## Care\nDry them.\n```\n# no heading\n```\n")
    assert md.added is not None
    assert md.added.document.title == "Sails"
    assert [heading for heading, _ in md.added.document.sections] == ["Sails", "Care"]
    txt = add(kept, tmp_path / "b_c.txt", "Ropes of hemp.")
    assert txt.added is not None
    assert (txt.added.document.title, txt.added.document.kind) == ("b c", "added")
    page = (
        "<html><head><title>Tides</title><script>alert(1)</script></head><body>"
        "<nav>Menu Home</nav><article><h1>Tides</h1>"
        "<p>The sea rises twice a day, because the moon pulls at it, and twice it falls.</p><h2>Neap</h2>"
        "<p>When sun and moon pull across each other, the tide is small, and boats lie long in the mud.</p>"
        "</article></body></html>"
    )
    html = add(kept, tmp_path / "d.html", page)
    assert "moon pulls" in text_of(html)
    assert "alert" not in text_of(html)
    assert html.added is not None
    assert html.added.document.title == "Tides"
    paper = add(
        kept, tmp_path / "e.pdf", pdf("The anchor holds in sand and\nmud, a little.", "Second page of the chart.")
    )
    assert paper.added is not None
    assert [heading for heading, _ in paper.added.document.sections] == ["page 1", "page 2"]
    assert "sand and mud" in text_of(paper), "a line that goes on is one with the next"
    assert len(kept.all()[0]) == 4


def test_front_matter_counts_where_it_is_ours_and_is_only_data(kept: AddedDocuments, tmp_path: Path) -> None:
    ours = "---\ntitle: Nonna\nkind: character\nabout: [nonna, ../../etc, 7]\nwords: [grandma]\n"
    ours += "id: ../x\n---\nShe cooks.\n"
    document = add(kept, tmp_path / "n.md", ours).added.document  # type: ignore[union-attr]
    assert (document.title, document.kind, document.about, document.words) == (
        "Nonna",
        "character",
        ["nonna"],
        ["grandma"],
    )
    assert document.id != "../x"
    for other in (
        "---\n[broken\n---\nText.\n",
        "---\njust a line\n---\nText.\n",
        "--- \nText.\n",
        "---\nkind: admin\n---\nText.\n",
    ):
        found = add(kept, tmp_path / "m.md", other)
        assert found.added is not None
        assert found.added.document.kind == "added"
        assert "Text." in text_of(found)
    bomb = (
        "---\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"b{n}: &b{n} [{'*a,' * 9}]\n" for n in range(200))
        + "---\nText.\n"
    )
    assert "Text." in text_of(add(kept, tmp_path / "bomb.md", bomb))


def test_the_same_again_is_nothing_new_and_a_changed_file_replaces(kept: AddedDocuments, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    first = add(kept, path, "One.")
    before = {file: file.read_bytes() for file in kept.folder.iterdir()}
    assert add(kept, path, "One.").status == "same"
    assert add(kept, tmp_path / "copy.txt", "One.").status == "same", "under another name it would answer twice"
    assert {file: file.read_bytes() for file in kept.folder.iterdir()} == before
    again = add(kept, path, "Two.")
    assert again.status == "replaced"
    assert again.added is not None
    assert first.added is not None
    assert again.added.id == first.added.id
    assert "One." not in text_of(again)
    [with_name] = add_files(kept, [path], about=["luca"])
    assert with_name.status == "replaced"
    assert with_name.added is not None
    assert with_name.added.document.about == ["luca"]
    assert len(kept.all()[0]) == 1


PACKED = zlib.compress(b"(" + b"A" * 300_000_000 + b") Tj", 9)
HOSTILE: dict[str, tuple[str, bytes]] = {
    "no text": ("a.txt", b"\x7fELF\0\0\0\0"),
    "empty": ("a.txt", b""),
    "only spaces": ("a.md", b" \n\t\n"),
    "only controls": ("a.txt", b"\x1b\x07\x08"),
    "unknown kind": ("a.exe", b"MZ"),
    "no pdf": ("a.pdf", b"hello"),
    "empty pdf": ("a.pdf", b""),
    "cut pdf": ("a.pdf", pdf("Some text.")[:200]),
    "pdf of loops": ("a.pdf", pdf("x").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")),
    "pdf without pages": ("a.pdf", pdf()),
    "pdf that swells": ("a.pdf", pdf("x", compress=PACKED)),
    "html without text": ("a.html", b"<html><script>x</script></html>"),
    "html of nests": ("a.html", b"<div>" * 200_000),
    "html of attributes": ("a.html", b"<p " + b"a=1 " * 400_000 + b">"),
    "not html": ("a.html", bytes(range(256)) * 1000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_name_and_leaves_nothing(
    name: str, kept: AddedDocuments, tmp_path: Path
) -> None:
    file, data = HOSTILE[name]
    limits = Limits(seconds=10, megabytes=1024)
    outcome = add(kept, tmp_path / file, data, limits)
    if outcome.added is not None:
        # Lenient parsers find a word in some of them; what counts is that it ended, and that it is clean and small.
        assert name in ("html of nests", "html of attributes", "not html", "pdf that swells", "cut pdf", "no pdf")
        assert len(text_of(outcome)) <= limits.chars * 2
        return
    assert outcome.status == "refused"
    assert file in outcome.problem
    assert "\n" not in outcome.problem
    assert not kept.folder.exists() or not list(kept.folder.iterdir())
    assert add(kept, tmp_path / "good.txt", "A good file.").status == "added", "the control"


def test_a_locked_pdf_is_refused_and_an_open_one_is_read(kept: AddedDocuments, tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    for password, status in (("secret", "refused"), ("", "added")):
        writer = PdfWriter(PdfReader(io.BytesIO(pdf("The open sea."))))
        writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
        out = io.BytesIO()
        writer.write(out)
        outcome = add(kept, tmp_path / f"{status}.pdf", out.getvalue())
        assert outcome.status == status, outcome.problem
    assert "password" in add_files(kept, [tmp_path / "refused.pdf"])[0].problem


def test_limits_hold_and_what_is_left_out_is_told(kept: AddedDocuments, tmp_path: Path) -> None:
    many = add(kept, tmp_path / "p.pdf", pdf(*(f"Page of number {n}." for n in range(9))), Limits(pages=4))
    assert many.added is not None
    assert len(many.added.document.sections) == 4
    assert "4 of 9 pages" in many.added.left_out
    long = add(kept, tmp_path / "l.txt", "word " * 5000, Limits(chars=1000))
    assert long.added is not None
    assert len(text_of(long)) <= 1001
    assert "first 1,000 characters" in long.added.left_out
    assert "larger than" in add(kept, tmp_path / "big.txt", "x" * 2000, Limits(bytes=1000)).problem
    assert add(kept, tmp_path / "fits.txt", "x" * 1000, Limits(bytes=1000)).status == "added", "the control"


def test_a_reader_that_takes_too_much_is_ended() -> None:
    """With the limits that it has a harmless file is read; with next to none the same file is not: they do bind."""
    data = pdf("The open sea.")
    assert read_document_file(Path("a.pdf"), data).document.sections
    with pytest.raises(BadDocument, match=r"a\.pdf takes too much memory"):
        read_document_file(Path("a.pdf"), data, Limits(megabytes=40))
    long = b"<article>" + b"<p>One word, and another one. </p>" * 500_000
    with pytest.raises(BadDocument, match=r"a\.html takes too much"):
        read_document_file(Path("a.html"), long, Limits(seconds=1))


def test_pipes_links_and_missing_files_are_told(kept: AddedDocuments, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    for name in ("pipe.txt", "folder.txt", "loop.txt", "none.txt"):
        [outcome] = add_files(kept, [tmp_path / name])
        assert outcome.status == "refused"
        assert name in outcome.problem
    assert not kept.folder.exists()


def test_a_folder_is_walked_without_links_and_hidden_files(tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "deep").mkdir(parents=True)
    for name in ("a.md", "deep/b.TXT", ".hidden.md", "c.jpg"):
        (library / name).write_text("x", encoding="utf-8")
    (tmp_path / "outside.md").write_text("secret", encoding="utf-8")
    (library / "link.md").symlink_to(tmp_path / "outside.md")
    (library / "up").symlink_to(tmp_path)
    found, others = files_below(library)
    assert [path.name for path in found] == ["a.md", "b.TXT"]
    assert others == 1
    for number in range(MOST_FILES):
        (library / f"{number}.txt").touch()
    with pytest.raises(BadDocument, match="2,000"):
        files_below(library)


def test_names_and_texts_keep_no_controls_and_never_become_paths(kept: AddedDocuments, tmp_path: Path) -> None:
    outcome = add(kept, tmp_path / "x\x1b[2J.md", "# Title\x1b[31m\u202e\n## ../../etc/passwd\nText\x07.\n")
    assert "\x1b" not in text_of(outcome) + outcome.added.document.title  # type: ignore[union-attr]
    assert [file.name for file in kept.folder.iterdir()] == [f"{outcome.added.id}.json"]  # type: ignore[union-attr]
    latin = add(kept, tmp_path / "l.txt", "È già così".encode("cp1252"))
    assert "È già così" in text_of(latin)
    assert "Windows-1252" in latin.added.left_out  # type: ignore[union-attr]
    assert "né" in text_of(add(kept, tmp_path / "u.txt", "né".encode("utf-16")))


def test_a_full_disk_leaves_what_was_there(
    kept: AddedDocuments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(kept, tmp_path / "a.txt", "One.")
    before = {file: file.read_bytes() for file in kept.folder.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        add(kept, tmp_path / "a.txt", "Two.")
    assert {file: file.read_bytes() for file in kept.folder.iterdir()} == before


def test_only_ids_that_are_ids_are_removed(kept: AddedDocuments, tmp_path: Path) -> None:
    one = add(kept, tmp_path / "a.txt", "One.").added
    add(kept, tmp_path / "b.txt", "Two.")
    for wrong in ("", "zz", "../a", "*", "/"):
        with pytest.raises(BadDocument):
            kept.remove(wrong)
    assert len(kept.all()[0]) == 2
    assert one is not None
    assert kept.remove(one.id[:8]) == one
    assert [left.name for left in kept.all()[0]] == ["b.txt"]
