"""How text of people and files reaches the terminal: as it is, and without power over it."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from agent.requests import without_controls

__all__ = ["open_console", "plain", "tell"]


def open_console(*, stderr: bool = False) -> Console:
    """A console that changes nothing in what it prints: no guessed colours, no `:smile:` turned into a picture."""
    return Console(stderr=stderr, highlight=False, emoji=False)


def tell(console: Console, text: str, style: str = "") -> None:
    """Print text as it stands; prose is wrapped between words, a path is never broken."""
    console.print(plain(text, style), overflow="ignore", soft_wrap=not console.is_terminal)


def plain(text: str, style: str = "") -> Text:
    """Text to be shown as it stands: `[b]` is no markup, an escape character commands no terminal."""
    return Text(without_controls(text), style)
