"""Texts of a model made plain and short: they become titles, actions, lines and sentences to the user."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from agent.requests import without_controls

__all__ = ["Action", "Sentence", "Speech", "Title", "folded", "plain_line", "shortened"]

_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)")
_MARKUP = re.compile(r"[*_`#]{1,3}(?=\S)|(?<=\S)[*_`#]{1,3}")
_QUOTED = re.compile(r'^["“«‘]\s*(.*?)\s*["”»’]$', re.DOTALL)


def plain_line(text: str) -> str:
    """The text in one line without control characters and without Markdown's marks."""
    return " ".join(_MARKUP.sub("", without_controls(text)).split())


def shortened(text: str, most: int) -> str:
    """The text in one line of at most `most` characters, cut behind a sentence, else behind a word."""
    line = plain_line(text)
    if len(line) <= most:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(line[:most])]
    if ends and ends[-1] >= most // 3:
        return line[: ends[-1]]
    return line[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"


def folded(text: str) -> str:
    """Letters and digits in lower case with single spaces: what two texts are compared by."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())


def _within(most: int) -> BeforeValidator:
    def cut(value: Any) -> Any:
        return shortened(value, most) if isinstance(value, str) else value

    return BeforeValidator(cut)


def _spoken(value: Any) -> Any:
    """Words alone: a line in quotes is the line, and stage directions in brackets are not said."""
    if not isinstance(value, str):
        return value
    line = re.sub(r"\([^()]{0,80}\)|\[[^\[\]]{0,80}\]", " ", plain_line(value))
    line = " ".join(line.split())
    if inner := _QUOTED.match(line):
        line = inner[1]
    return shortened(line, 280)


Title = Annotated[str, _within(80)]
Action = Annotated[str, _within(240)]
Sentence = Annotated[str, _within(200)]
Speech = Annotated[str, BeforeValidator(_spoken)]
