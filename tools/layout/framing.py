"""Framing: which window shows the people of a shot as the storyboard asks, and where they stand in it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.layout.camera import FACE_MARGIN, HOME, Box, Framed, Window, moved
from tools.layout.crowd import crowd_width, is_crowd, stand_apart, widest
from tools.layout.figure import TOGETHER, Figure
from tools.storyboard import Framing

__all__ = ["Figure", "frame_shot"]


def _head(figure: Figure) -> Box:
    """The face with the hair above it, as far as it is hair: not a raised hand or a plume."""
    x0, y0, x1, y1 = figure.face
    return (x0, max(figure.body[1], y0 - 0.5 * (y1 - y0)), x1, y1)


@dataclass(frozen=True)
class _Cut:
    """How a framing crops figures: what it must show, and where that lies in the frame."""

    top_room: float
    bottom_room: float


_CUTS: dict[Framing, _Cut] = {
    "wide": _Cut(0.10, 0.06),
    "full": _Cut(0.10, 0.07),
    "medium": _Cut(0.09, 0.0),
    "close": _Cut(0.06, 0.0),
    "detail": _Cut(0.05, 0.03),
}


_MOST_WIDENED: dict[Framing, float] = {"wide": 2.0, "full": 1.8, "medium": 1.6, "close": 1.45, "detail": 1.4}
"""How much wider than its framing a shot may get so that neighbours do not cover each other."""


CROWD_AIR = 1.06
"""How much more than the least width a crowd gets, where there is room."""


def _span(figure: Figure, framing: Framing) -> tuple[float, float]:
    """World y of the top and the bottom of what must be seen of a figure."""
    face, body = figure.face, figure.body
    head = face[3] - face[1]
    if framing in ("wide", "full"):
        top, bottom = body[1], body[3]
    elif framing == "medium":
        top = _head(figure)[1]
        bottom = min(body[3], max(face[3] + 0.95 * head, top + 0.56 * (body[3] - body[1])))
    elif framing == "close":
        top, bottom = _head(figure)[1], face[3] + 0.42 * head
    else:
        top, bottom = face[1] - 0.02 * head, face[3] + 0.05 * head
    return min(top, face[1]) + figure.ground, max(bottom, face[3]) + figure.ground


def _clearance(a: Figure, b: Figure) -> float:
    """Least distance of two neighbours, `a` the left one, at which neither head covers the other's face."""
    return max(a.span[1] - b.face[0], a.face[2] - b.span[0], (a.face[2] - b.face[0]) * 1.1)


def _width_for(figures: Sequence[Figure], framing: Framing, width: float, most: float) -> float:
    """Width that keeps neighbours apart and every face inside, but no wider than the framing bears.

    A crowd gets what it needs, up to `most`, what the set is painted for.
    """
    if is_crowd(figures, framing):
        return max(width, min(most, crowd_width(figures) * CROWD_AIR))
    wanted = width
    row = sorted(figures, key=lambda f: f.x)
    for a, b in itertools.pairwise(row):
        if b.x - a.x < TOGETHER:
            continue
        faces, bodies = a.face[2] - b.face[0], a.body[2] - b.body[0]
        # Arms may reach behind a neighbour, heads may not.
        gap = faces * 1.08 if framing in ("close", "detail") else max(faces * 1.25, (faces * 1.2 + bodies * 0.94) / 2)
        wanted = max(wanted, gap / (b.x - a.x))
    wanted = min(wanted, width * _MOST_WIDENED[framing])
    if len(row) <= 4:
        # Even when spread to the edges, they must not cover each other's faces.
        ends = row[-1].face[2] - row[0].face[0]
        apart = sum(_clearance(a, b) for a, b in itertools.pairwise(row) if b.x - a.x >= TOGETHER)
        wanted = max(wanted, (ends + apart) / (1 - 2 * FACE_MARGIN))
    if framing in ("wide", "full"):
        # Somebody who lies is longer than wide.
        wanted = max(wanted, max(f.body[2] - f.body[0] for f in figures) / 0.96)
    # Faces side by side must fit at all, wherever their x is.
    widest = max(f.face[2] - f.face[0] for f in figures)
    return max(wanted, widest / (1 - 2.5 * FACE_MARGIN))


def _place_in(window: Window, figure: Figure, framing: Framing) -> float:
    """World x of a figure: as the storyboard says, but its face (in wide shots its body) stays in the frame."""
    x0, _, x1, _ = window.box
    x = x0 + figure.x * window.w
    for box, margin in ((figure.body, 0.01), (figure.face, FACE_MARGIN)):
        if box is figure.body and framing not in ("wide", "full"):
            continue
        low, high = x0 + margin * window.w - box[0], x1 - margin * window.w - box[2]
        if low <= high:
            x = min(max(x, low), high)
    return x


def _part(figures: Sequence[Figure], xs: dict[str, float], window: Window) -> dict[str, float]:
    """Move neighbours apart whose faces would cover each other in a narrow frame, no farther than needed."""
    row = sorted(figures, key=lambda f: (xs[f.id], f.id))
    found = dict(xs)
    x0, _, x1, _ = window.box
    for _ in range(12):
        for a, b in itertools.pairwise(row):
            if b.x - a.x < TOGETHER:
                continue
            short = _clearance(a, b) - (found[b.id] - found[a.id])
            if short > 0:
                found[a.id] -= short / 2
                found[b.id] += short / 2
        for f in row:
            low, high = x0 + FACE_MARGIN * window.w - f.face[0], x1 - FACE_MARGIN * window.w - f.face[2]
            if low <= high:
                found[f.id] = min(max(found[f.id], low), high)
    return found


def _height_for(figures: Sequence[Figure], framing: Framing, aspect: float) -> float:
    spans = [_span(f, framing) for f in figures]
    top, bottom = min(s[0] for s in spans), max(s[1] for s in spans)
    cut = _CUTS[framing]
    height = (bottom - top) / (1 - cut.top_room - cut.bottom_room)
    if framing == "wide":
        # A tall frame shows more of the sky and the floor, a figure still reads as a figure.
        height = max(height, HOME.h * min(1.5, max(1.0, (HOME.w / HOME.h / aspect) ** 0.25)))
    return height


def _center_y(figures: Sequence[Figure], framing: Framing, height: float) -> float:
    spans = [_span(f, framing) for f in figures]
    top, bottom = min(s[0] for s in spans), max(s[1] for s in spans)
    cut = _CUTS[framing]
    if framing == "wide":
        y0 = HOME.cy - HOME.h / 2 - (height - HOME.h) * 0.68
        return max(min(y0, top - cut.top_room * height), bottom + 0.02 * height - height) + height / 2
    if framing == "full":
        spare = height - (bottom - top)
        return top - spare * cut.top_room / (cut.top_room + cut.bottom_room) + height / 2
    # Eyes on the upper third; hair never touches the frame.
    eyes = sum((f.face[1] + f.face[3]) / 2 + f.ground for f in figures) / len(figures)
    line = {"medium": 0.36, "close": 0.44, "detail": 0.48}[framing]
    y0 = min(eyes - line * height, top - 0.03 * height)
    # A frame that had to be widened shows the feet: then the figures stand low in it instead of over an empty floor.
    feet = max(f.body[3] + f.ground for f in figures) + 0.1 * height - height
    if feet < y0:
        y0 = (y0 + feet) / 2
    lowest = max(f.face[3] + f.ground for f in figures)
    return max(y0, lowest + FACE_MARGIN * height - height) + height / 2


def _center_x(
    figures: Sequence[Figure], framing: Framing, window: Window, blocked: Sequence[tuple[float, float]], bounds: Box
) -> float:
    """Where along the set the camera stands: near the middle, but where no big prop grows out of a figure."""
    low, high = HOME.box[0] + window.w / 2, HOME.box[2] - window.w / 2
    if low >= high:
        low = min(HOME.cx, max(bounds[0] + window.w / 2, HOME.cx - 80))
        high = max(HOME.cx, min(bounds[2] - window.w / 2, HOME.cx + 80))

    def cost(cx: float) -> float:
        there = replace(window, cx=cx)
        hidden = 0.0
        for figure in figures:
            x = _place_in(there, figure, framing)
            x0, x1 = x + figure.face[0], x + figure.face[2]
            hidden += sum(max(0.0, min(b, x1) - max(a, x0)) for a, b in blocked)
        return hidden * 4 + abs(cx - HOME.cx) * 0.25

    steps = [low + (high - low) * i / 40 for i in range(41)] + [min(max(HOME.cx, low), high)]
    return min(steps, key=lambda cx: (round(cost(cx), 3), abs(cx - HOME.cx), cx))


def _within(window: Window, bounds: Box, faces: Sequence[Box]) -> Window:
    """The window moved inside the painted world as far as the faces allow."""
    x0, y0, x1, y1 = window.box
    dx = (max(0.0, bounds[0] - x0) or min(0.0, bounds[2] - x1)) if window.w <= bounds[2] - bounds[0] else 0.0
    dy = (max(0.0, bounds[1] - y0) or min(0.0, bounds[3] - y1)) if window.h <= bounds[3] - bounds[1] else 0.0
    inside = replace(window, cx=window.cx + dx, cy=window.cy + dy)
    return inside if all(inside.holds(face, FACE_MARGIN) for face in faces) else window


def _look_room(figures: Sequence[Figure], framing: Framing) -> list[Figure]:
    """One figure alone in the middle that looks aside gets room in front of its eyes."""
    if len(figures) != 1 or framing in ("wide", "detail") or abs(figures[0].x - 0.5) > 0.051:
        return list(figures)
    shift = {"left": 0.09, "right": -0.09}.get(figures[0].facing, 0.0)
    return [replace(figures[0], x=figures[0].x + shift)]


_EMPTY_ZOOM: dict[Framing, float] = {"wide": 1.0, "full": 0.84, "medium": 0.64, "close": 0.44, "detail": 0.3}


def _frame_empty(framing: Framing, aspect: float, focus: Sequence[Box], bounds: Box) -> Framed:
    h = HOME.h * min(1.5, max(1.0, (HOME.w / HOME.h / aspect) ** 0.25)) * _EMPTY_ZOOM[framing]
    h = min(h, (bounds[2] - bounds[0]) / aspect)
    cx, cy = HOME.cx, HOME.cy - (h - HOME.h) * 0.18 if framing == "wide" else HOME.cy + 20
    if focus and framing in ("medium", "close", "detail"):
        x0, y0, x1, y1 = focus[0]
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        h = max(h, (y1 - y0) * 1.25, (x1 - x0) * 1.25 / aspect)
    window = Window(cx, cy, h * aspect, h)
    return Framed(_within(window, bounds, ()))


def frame_shot(
    framing: Framing,
    aspect: float,
    figures: Sequence[Figure],
    *,
    bounds: Box,
    blocked: Sequence[tuple[float, float]] = (),
    focus: Sequence[Box] = (),
) -> Framed:
    """Choose the window of a shot so that every face is in it, and say where everybody stands.

    Args:
        aspect: width over height of the frame.
        figures: who is placed; none frames the place itself.
        bounds: the part of the world that the place paints.
        blocked: world x ranges that big props take.
        focus: what a shot without figures may look at closely, best first.
    """
    if not figures:
        return _frame_empty(framing, aspect, focus, bounds)
    figures = _look_room(figures, framing)
    h = _height_for(figures, framing, aspect)
    w = max(_width_for(figures, framing, h * aspect, widest(aspect, bounds)), h * aspect)
    h = w / aspect
    window = Window(HOME.cx, _center_y(figures, framing, h), w, h)
    window = replace(window, cx=_center_x(figures, framing, window, blocked, bounds))
    wished = {f.id: _place_in(window, f, framing) for f in figures}
    crowd = is_crowd(figures, framing)
    xs = stand_apart(figures, wished, window.box[0], window.box[2]) if crowd else _part(figures, wished, window)
    faces = tuple(moved(f.face, xs[f.id], f.ground) for f in figures)
    heads = tuple(moved(_head(f), xs[f.id], f.ground) for f in figures)
    return Framed(_within(window, bounds, faces), xs, faces, heads)
