"""What the quotes of a request are: lines that somebody says, titles over the picture, other words."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.storyboard import Line

__all__ = ["Speech", "SpokenLine"]


@dataclass(slots=True)
class SpokenLine:
    """A line and the token where it stands; `felt`: its emotion was said; `off`: it is heard from off stage."""

    line: Line
    token: int
    felt: bool
    off: bool = False


@dataclass
class Speech:
    """All quotes of a page, told apart.

    Attributes:
        lines: in order.
        overlays: (text, token) of titles drawn over the picture.
        cards: tokens of those among them that stand on a card of their own (`end card "..."`).
        title: a title for the film.
        other: quotes that are neither said nor shown, such as the name of a style.
    """

    lines: list[SpokenLine] = field(default_factory=list)
    overlays: list[tuple[str, int]] = field(default_factory=list)
    cards: set[int] = field(default_factory=set)
    title: str | None = None
    other: list[str] = field(default_factory=list)
