"""How text of people and files reaches the terminal: as it is, and without power over it."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.text import Text

from agent.requests import without_controls

__all__ = ["open_console", "plain", "tell"]


def open_console(*, stderr: bool = False) -> Console:
    """A console that changes nothing in what it prints: no guessed colours, no `:smile:` turned into a picture."""
    return Console(stderr=stderr, highlight=False, emoji=False)


def tell(console: Console, text: str, style: str = "", *, whole: bool = False) -> None:
    """Print text as it stands; prose is wrapped between words for a terminal, and no word is broken.

    Args:
        whole: a line with a path, which may hold spaces: it is not wrapped at all, so that it can be copied.
    """
    if console.is_terminal and not whole:
        text = "\n".join(_wrapped(line, console.width) for line in text.split("\n"))
    console.print(plain(text, style), soft_wrap=True)


def _wrapped(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    # Rich breaks a word that is longer than the line: a path could not be copied.
    return textwrap.fill(
        line,
        max(20, width),
        subsequent_indent=indent,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def plain(text: str, style: str = "") -> Text:
    """Text to be shown as it stands: `[b]` is no markup, an escape character commands no terminal."""
    return Text(without_controls(text), style)
