"""Shapes of an SVG picture, as text: nothing in it runs, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

__all__ = ["Canvas", "fitting"]

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 knows no way to write."""
_LETTER = 0.56
"""Width of a letter, of its height; for fonts like DejaVu Sans, which are wide."""


def fitting(text: str, width: float, size: float) -> str:
    """As much of the text as fits, or nothing where that would say nothing."""
    room = int(width / (size * _LETTER))
    if len(text) <= room:
        return text
    return f"{text[: room - 1]}…" if room >= 4 else ""


class Canvas:
    """Collects shapes. Lengths in pixels, from the upper left corner.

    Args:
        width: of the picture; the height is given at the end.
        style: CSS.
    """

    def __init__(self, width: float, style: str) -> None:
        self.width = width
        self._style = style
        self._shapes: list[str] = []
        self._patterns: dict[str, str] = {}

    def rect(self, x: float, y: float, width: float, height: float, *, title: str = "", **attributes: str) -> None:
        """A rectangle with a tooltip."""
        place = {"x": _number(x), "y": _number(y), "width": _number(max(0.0, width)), "height": _number(height)}
        self._add("rect", {**place, **attributes}, title)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, title: str = "", **attributes: str) -> None:
        """A straight line."""
        ends = {"x1": _number(x1), "y1": _number(y1), "x2": _number(x2), "y2": _number(y2)}
        self._add("line", {**ends, **attributes}, title)

    def path(self, points: str, *, title: str = "", **attributes: str) -> None:
        """A path, `points` in SVG's own words."""
        self._add("path", {"d": points, **attributes}, title)

    def text(self, x: float, y: float, text: str, *, title: str = "", **attributes: str) -> None:
        """A line of text; `y` is where its letters stand."""
        place = {"x": _number(x), "y": _number(y)}
        tooltip = f"<title>{_plain(title)}</title>" if title else ""
        self._shapes.append(f"<text{_written({**place, **attributes})}>{_plain(text)}{tooltip}</text>")

    def hatched(self, colour: str, *, dense: bool = False) -> str:
        """A fill of slanted lines in this colour."""
        name = f"h{'d' if dense else ''}{colour.strip('#')}"
        step = 4 if dense else 7
        self._patterns[name] = (
            f'<pattern id="{name}" width="{step}" height="{step}" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><rect width="{step}" height="{step}" fill="{colour}" fill-opacity="0.18"/>'
            f'<rect width="{step / 2.2:.1f}" height="{step}" fill="{colour}" fill-opacity="0.75"/></pattern>'
        )
        return f"url(#{name})"

    def document(self, height: float, title: str) -> str:
        """The whole picture."""
        size = f"{_number(self.width)} {_number(height)}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{_number(self.width)}" '
            f'height="{_number(height)}" role="img" aria-label={quoteattr(_FORBIDDEN.sub("", title))}>\n'
            f"<style>{self._style}</style>\n<defs>{''.join(self._patterns.values())}</defs>\n"
            f'<rect class="paper" width="100%" height="100%"/>\n' + "\n".join(self._shapes) + "\n</svg>\n"
        )

    def _add(self, name: str, attributes: Mapping[str, str], title: str) -> None:
        inside = f"><title>{_plain(title)}</title></{name}>" if title else "/>"
        self._shapes.append(f"<{name}{_written(attributes)}{inside}")


def _written(attributes: Mapping[str, str]) -> str:
    """`class_`, `stroke_width` as XML has them."""
    return "".join(f" {name.rstrip('_').replace('_', '-')}={quoteattr(str(v))}" for name, v in attributes.items())


def _plain(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
