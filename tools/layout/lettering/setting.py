"""Setting text: breaking it into lines that are about equally long, as large as fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import skia

from tools.layout.lettering.fonts import Face, font, runs, width_of

__all__ = ["SetText", "break_lines", "fit_text", "text_path"]

LEADING = 1.12
"""Distance of two baselines, times the letter size."""


@dataclass(frozen=True)
class SetText:
    """Lines of text at a letter size in pixels, with the width of the widest line."""

    lines: tuple[str, ...]
    size: float
    width: float

    @property
    def height(self) -> float:
        """From the top of the first line's capitals to the descenders of the last, about."""
        return self.size * (LEADING * (len(self.lines) - 1) + 1.0)


def break_lines(words: Sequence[str], widths: Sequence[float], space: float, count: int) -> tuple[list[str], float]:
    """Break words into at most `count` lines so that the longest is as short as it can be.

    Returns:
        The lines and the width of the longest, in the unit of `widths`.
    """
    n = len(words)
    reach = [0.0]
    for width in widths:
        reach.append(reach[-1] + width + space)

    def span(i: int, j: int) -> float:
        return reach[j] - reach[i] - space

    best = [[span(0, j) if j else 0.0 for j in range(n + 1)]]
    cut: list[list[int]] = [[0] * (n + 1)]
    for _ in range(1, count):
        row, back = list(best[-1]), [-1] * (n + 1)
        for j in range(1, n + 1):
            for i in range(1, j):
                worst = max(best[-1][i], span(i, j))
                if worst < row[j] - 1e-9:
                    row[j], back[j] = worst, i
        best.append(row)
        cut.append(back)
    lines: list[str] = []
    end, level = n, count - 1
    while end > 0:
        start = cut[level][end] if level else 0
        if start >= 0:
            lines.append(" ".join(words[start:end]))
            end = start
        level -= 1
    return lines[::-1], best[-1][n]


def fit_text(
    text: str, face: Face, *, width: float, height: float, largest: float, smallest: float, most_lines: int
) -> SetText:
    """The text as large as fits into a box, in as few lines as that allows.

    Args:
        width, height: of the box in pixels.
        largest, smallest: letter sizes; below `smallest` the words are squeezed until they fit.
    """
    words = text.split() or [""]
    unit = 100.0
    widths = [width_of(word, face, unit) for word in words]
    space = width_of(" ", face, unit)
    chosen = None
    for count in range(1, min(most_lines, len(words)) + 1):
        lines, longest = break_lines(words, widths, space, count)
        size = min(largest, width / max(longest, 1e-6) * unit, height / (LEADING * (len(lines) - 1) + 1.0))
        # One line more must be worth it.
        if chosen is None or size > chosen.size * 1.12:
            chosen = SetText(tuple(lines), size, longest * size / unit)
    assert chosen is not None
    if chosen.size < smallest:
        chosen = SetText(chosen.lines, max(chosen.size, 4.0), chosen.width)
    return chosen


def text_path(text: SetText, face: Face, center_x: float, top: float) -> tuple[skia.Path, list[str]]:
    """Outlines of centred lines, and the characters that no font has."""
    path = skia.Path()
    missing: list[str] = []
    metrics_top = 0.74
    for number, line in enumerate(text.lines):
        pieces, lost = runs(line, face)
        missing.extend(lost)
        x = center_x - sum(font(run.face, text.size).measureText(run.text) for run in pieces) / 2
        baseline = top + text.size * (metrics_top + LEADING * number) + text.size * 0.08
        for run in pieces:
            made = font(run.face, text.size)
            glyphs = made.textToGlyphs(run.text)
            for char, glyph, advance in zip(run.text, glyphs, made.getWidths(glyphs), strict=True):
                outline = made.getPath(glyph)
                if outline is not None and not outline.isEmpty():
                    path.addPath(outline, x, baseline)
                elif not char.isspace():
                    # Fonts of coloured pictures have glyphs without outlines.
                    missing.append(char)
                x += advance
    return path, missing
