"""Text in a terminal: prose is wrapped between words, a path can always be copied."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from agent.printing import tell

PATH = "productions/" + "long_name_" * 12 + "/a still.png"


def told(text: str, *, terminal: bool = True, whole: bool = False) -> str:
    console = Console(file=StringIO(), width=40, force_terminal=terminal, color_system=None)
    tell(console, text, whole=whole)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_prose_is_wrapped_between_words_and_keeps_its_indent() -> None:
    lines = told("  " + "well-known words " * 10).splitlines()
    assert max(map(len, lines)) <= 40
    assert all(line.startswith(("  well-known", "  words")) for line in lines)


def test_a_path_is_never_broken() -> None:
    assert PATH.split()[0] in told(f"It lies in {PATH}.")
    assert told(PATH, whole=True) == f"{PATH}\n"


def test_what_goes_to_a_file_is_not_wrapped() -> None:
    assert told("word " * 30 + "end", terminal=False).count("\n") == 1
