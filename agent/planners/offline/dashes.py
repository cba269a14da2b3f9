"""Speech set off by dashes, as Italian, French and Spanish print it: `– Ciao! – dice Alberto.`"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from agent.planners.offline.quotes import Quote

__all__ = ["find_dashed"]

_LINE = re.compile(r"^[ \t]*[–—-][ \t]*(?=\S).*$", re.MULTILINE)
_DASH = re.compile(r"(?:^|(?<=\s))[–—-]{1,2}[ \t]*(?=\S)|(?<=[.!?…,])[–—]{1,2}[ \t]*|[ \t][–—-][ \t]*$")
_INCISE = re.compile(r"[!?…,.]?(?<=[!?…,.])[ \t]+(?=[^\W\d_]+[ -])")


def find_dashed(text: str, is_saying: Callable[[str], bool]) -> list[Quote]:
    """Speech of every line that begins with a dash; none when no line says who speaks, for then it is a plain list.

    Args:
        is_saying: whether words begin with a verb of saying (`dice Alberto`).
    """
    found: list[Quote] = []
    attributed = False
    for line in _LINE.finditer(text):
        for start, opening, end in _pieces(text, line.start(), line.end()):
            words = text[opening:end]
            if is_saying(words):
                attributed = True
                continue
            stop = next(
                (m.start() + len(m.group().rstrip()) for m in _incises(words) if is_saying(words[m.end() :])), 0
            )
            attributed = attributed or stop > 0
            speech = words[:stop] if stop else words
            if any(char.isalnum() for char in speech):
                trimmed = speech.strip(" ,\t")
                found.append(Quote(trimmed, start, opening + len(speech.rstrip())))
    return found if attributed else []


def _incises(words: str) -> Iterator[re.Match[str]]:
    return _INCISE.finditer(words)


def _pieces(text: str, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(start with its dash, start of its words, end) of what dashes part on a line."""
    dashes = [(m.start() + begin, m.end() + begin) for m in _DASH.finditer(text[begin:end])]
    dashes = dashes or [(begin, begin + 1)]
    for number, (start, opening) in enumerate(dashes):
        stop = dashes[number + 1][0] if number + 1 < len(dashes) else end
        if text[opening:stop].strip():
            yield start, opening, stop
