"""One figure over the runs, as SVG of our own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Point", "Series", "draw_chart", "in_words"]

WIDTH, HEIGHT = 320.0, 122.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 10.0, 10.0, 18.0


@dataclass(frozen=True)
class Point:
    """A figure in one run.

    Attributes:
        at: which run, from 0.
        value, low, high: measured: the median, the least and the most.
        against, ratio: the comparison beside it.
        met: its goal, where it has one.
        quiet: whether the machine was.
        told: lines about the run.
    """

    at: int
    value: float
    low: float
    high: float
    against: float | None
    ratio: float | None
    met: bool | None
    quiet: bool
    told: list[str]


@dataclass(frozen=True)
class Series:
    """A figure over `runs` runs, from one day to another; `not_run` says why the newest has none."""

    benchmark: str
    name: str
    unit: str
    goal: float | None
    compared_with: str
    points: list[Point]
    runs: int
    not_run: str = ""
    since: str = ""
    until: str = ""


def in_words(value: float, unit: str) -> str:
    """A value as people read it: `1.15 s`, `0.018 ms`, `6.2 x`."""
    if value == 0:
        return f"0 {unit}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) < 1000 else 0
    text = f"{value:,.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def draw_chart(one: Series) -> str:
    """The chart: from 0 up, so that a tenth more looks like a tenth more. The comparison may be far above: it is drawn
    where it fits, and told by the pointer where it does not."""
    top = max([point.high for point in one.points] + ([one.goal] if one.goal else []))
    beside = [point.against for point in one.points if point.against is not None]
    if beside and max(beside) <= 2.2 * top:
        top = max(top, *beside)
    top = _round_up(top * 1.08) if top > 0 else 1.0
    step = (WIDTH - LEFT - RIGHT) / max(1, one.runs - 1)

    def x(at: int) -> float:
        return round(LEFT + (at * step if one.runs > 1 else (WIDTH - LEFT - RIGHT) / 2), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - max(0.0, min(value, top)) / top), 1)

    parts = [_axis(y, top), _days(one)]
    if one.goal is not None:
        parts.append(f'<line class="goal" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(one.goal)}" y2="{y(one.goal)}"/>')
    if beside and max(beside) <= top:
        parts.append(_line("beside", [(x(p.at), y(p.against)) for p in one.points if p.against is not None]))
    parts.append(_band([(x(p.at), y(p.low), y(p.high)) for p in one.points]))
    parts.append(_line("line", [(x(p.at), y(p.value)) for p in one.points]))
    radius = 3.2 if one.runs <= 30 else 2.2
    for point in one.points:
        kinds = f"dot{' missed' if point.met is False else ''}{'' if point.quiet else ' busy'}"
        parts.append(f'<circle class="{kinds}" cx="{x(point.at)}" cy="{y(point.value)}" r="{radius}"/>')
    # What the pointer finds: a column a run, so that nobody has to hit a dot.
    half = max(3.0, step / 2) if one.runs > 1 else (WIDTH - LEFT - RIGHT) / 2
    for point in one.points:
        left = max(LEFT - 6, x(point.at) - half)
        wide = round(min(WIDTH, x(point.at) + half) - left, 1)
        tip = escape("\n".join(_told(one, point)), quote=True)
        parts.append(
            f'<rect class="hit" x="{left:.1f}" y="0" width="{wide}" height="{HEIGHT}" data-x="{x(point.at)}" '
            f'data-y="{y(point.value)}" tabindex="-1"><title>{tip}</title></rect>'
        )
    label = escape(f"{one.name}: {len(one.points)} runs, newest {in_words(one.points[-1].value, one.unit)}", quote=True)
    view = f"0 0 {WIDTH:g} {HEIGHT:g}"
    return f'<svg viewBox="{view}" role="img" aria-label="{label}">{"".join(parts)}<g class="mark"></g></svg>'


def _told(one: Series, point: Point) -> list[str]:
    value = in_words(point.value, one.unit)
    if point.high > point.low:
        value += f"  ({in_words(point.low, one.unit)} to {in_words(point.high, one.unit)})"
    lines = [value]
    if point.against is not None:
        ratio = f", ratio {point.ratio:.2f}" if point.ratio is not None else ""
        lines.append(f"beside: {in_words(point.against, one.unit)}, {one.compared_with}{ratio}")
    if one.goal is not None and point.met is not None:
        lines.append(f"goal {in_words(one.goal, one.unit)}: {'met' if point.met else 'missed'}")
    return [*lines, *point.told]


def _axis(y: object, top: float) -> str:
    lines = []
    for value in (0.0, top / 2, top):
        at = y(value)  # type: ignore[operator]
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        lines.append(f'<text x="{LEFT - 5}" y="{at + 3}">{in_words(value, "").strip()}</text>')
    return "".join(lines)


def _days(one: Series) -> str:
    first = f'<text class="day first" x="{LEFT}" y="{HEIGHT - 3}">{escape(one.since)}</text>'
    last = f'<text class="day" x="{WIDTH - RIGHT}" y="{HEIGHT - 3}">{escape(one.until)}</text>'
    return last if one.runs == 1 or one.since == one.until else first + last


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    if len(points) < 2:
        return "".join(f'<line class="{kind}" x1="{x - 12}" x2="{x + 12}" y1="{y}" y2="{y}"/>' for x, y in points)
    return f'<polyline class="{kind}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>'


def _band(points: Sequence[tuple[float, float, float]]) -> str:
    if len(points) < 2:
        return "".join(
            f'<line class="whisker" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>' for x, low, high in points if low > high
        )
    upper = [f"{x},{high}" for x, _, high in points]
    lower = [f"{x},{low}" for x, low, _ in reversed(points)]
    return f'<polygon class="band" points="{" ".join(upper + lower)}"/>'


def _round_up(value: float) -> float:
    """The next number that reads well on an axis, and whose half does, too."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if step * power >= value)
