"""Prompts as Markdown in agent/prompts/, read when they are first needed, with blanks written `{{name}}`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["PROMPTS", "read_prompt"]

PROMPTS = Path(__file__).parents[2] / "prompts"
_BLANK = re.compile(r"\{\{([a-z_]+)\}\}")


@cache
def _text(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def read_prompt(name: str, **values: str) -> str:
    """The prompt with its blanks filled in, each once: what is filled in is never read for blanks again.

    Raises:
        KeyError: the blanks of the file are not those that were given.
    """
    text = _text(name)
    blanks = set(_BLANK.findall(text))
    if blanks != set(values):
        raise KeyError(f"{name}.md has the blanks {sorted(blanks)}, and was given {sorted(values)}")
    return _BLANK.sub(lambda blank: values[blank[1]], text)
