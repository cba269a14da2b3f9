"""Title cards and captions as pictures that are laid over the finished frame, and never into a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import skia

from tools.layout.camera import Box
from tools.layout.lettering.fonts import Face
from tools.layout.lettering.setting import SetText, fit_text, text_path
from tools.layout.lettering.styles import TitleStyle, rgb, style_for
from tools.layout.paint import canvas_on, pixels

__all__ = ["Overlay", "caption_overlay", "title_overlay"]

SAFE = 0.06
"""Margin that text keeps to every edge, as a fraction of the frame (SMPTE ST 2046-1 title safe area is 5 %)."""


@dataclass(frozen=True)
class Overlay:
    """A premultiplied BGRA picture and where its top left corner lies in the frame, in pixels."""

    picture: np.ndarray
    x: int
    y: int
    notes: tuple[str, ...] = ()
    box: Box = (0.0, 0.0, 0.0, 0.0)
    """The letters, in pixels of the frame."""

    def covers(self, size: tuple[int, int]) -> bool:
        """Whether it hides the whole frame of that size."""
        return self.picture.shape[:2] == (size[1], size[0]) and bool((self.picture[..., 3] == 255).all())


def _cropped(full: np.ndarray, notes: Sequence[str], box: Box) -> Overlay:
    seen = full[..., 3] > 0
    rows, columns = np.nonzero(seen.any(axis=1))[0], np.nonzero(seen.any(axis=0))[0]
    if not len(rows):
        return Overlay(full[:1, :1].copy(), 0, 0, tuple(notes), box)
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return Overlay(np.ascontiguousarray(full[y0:y1, x0:x1]), x0, y0, tuple(notes), box)


def _note(missing: Sequence[str]) -> list[str]:
    if not missing:
        return []
    signs = " ".join(dict.fromkeys(missing))
    return [f"No font on this machine has these characters, they are left out of the picture: {signs}"]


def _argb(text: str, alpha: float = 1.0) -> int:
    r, g, b, a = rgb(text, alpha)
    return round(a * 255) << 24 | round(r * 255) << 16 | round(g * 255) << 8 | round(b * 255)


def _stroke(color: int, width: float) -> skia.Paint:
    return skia.Paint(
        Color=color,
        AntiAlias=True,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=width,
        StrokeJoin=skia.Paint.kRound_Join,
    )


def _draw_letters(canvas: skia.Canvas, path: skia.Path, text: SetText, style: TitleStyle) -> None:
    size, box = text.size, path.getBounds()
    soft = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, size * 0.06)
    around = size * (style.edge_width * 2)
    depth = size * style.extrude_depth
    if style.glow:
        for spread, alpha in ((0.22, 0.35), (0.1, 0.6)):
            paint = _stroke(_argb(style.glow, alpha), size * 0.08)
            paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, size * spread))
            canvas.drawPath(path, paint)
    else:
        canvas.save()
        canvas.translate(0, depth + size * 0.045)
        shadow = _stroke(_argb("#000000", 0.5), around + size * 0.02)
        shadow.setStyle(skia.Paint.kStrokeAndFill_Style)
        shadow.setMaskFilter(soft)
        canvas.drawPath(path, shadow)
        canvas.restore()
    if style.extrude and depth > 0:
        solid = _stroke(_argb(style.extrude), max(around, 1.0))
        solid.setStyle(skia.Paint.kStrokeAndFill_Style)
        for step in range(max(2, round(depth)), 0, -1):
            canvas.save()
            canvas.translate(0, depth * step / max(2, round(depth)))
            canvas.drawPath(path, solid)
            canvas.restore()
    if around > 0:
        canvas.drawPath(path, _stroke(_argb(style.edge), around))
    colors = [_argb(color) for color in style.fill]
    line = size / max(box.height(), 1.0)
    face = skia.Paint(AntiAlias=True)
    if len(colors) > 1:
        # The gradient runs over every line of its own: repeated at the pitch of the lines.
        points = [skia.Point(0, box.top()), skia.Point(0, box.top() + box.height() * min(1.0, line * 1.02))]
        mode = skia.TileMode.kRepeat if len(text.lines) > 1 else skia.TileMode.kClamp
        face.setShader(skia.GradientShader.MakeLinear(points, colors, None, mode))
    else:
        face.setColor(colors[0])
    canvas.drawPath(path, face)
    if style.bevel:
        _draw_bevel(canvas, path, size)


def _draw_bevel(canvas: skia.Canvas, path: skia.Path, size: float) -> None:
    """A lit upper and a shaded lower inner edge: the letters stand out of the ground."""
    canvas.save()
    canvas.clipPath(path, doAntiAlias=True)
    for dx, dy, color in ((0.018, 0.024, _argb("#fffbe6", 0.85)), (-0.018, -0.024, _argb("#3b1d02", 0.55))):
        canvas.save()
        canvas.translate(dx * size * 0.5, dy * size * 0.5)
        paint = _stroke(color, size * 0.045)
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(0.4, size * 0.006)))
        canvas.drawPath(path, paint)
        canvas.restore()
    canvas.restore()


def _draw_plain(canvas: skia.Canvas, size: tuple[int, int], colors: Sequence[str]) -> None:
    w, h = size
    ends = [_argb(color) for color in (list(colors) or ["#15161c", "#08090d"])[:2]]
    shader = skia.GradientShader.MakeRadial(skia.Point(w / 2, h * 0.46), max(w, h) * 0.75, ends)
    canvas.drawPaint(skia.Paint(Shader=shader))


def _draw_wood(canvas: skia.Canvas, size: tuple[int, int], colors: Sequence[str], seed: int) -> None:
    """Dark planks with grain, knots and seams, lit from the middle."""
    w, h = size
    base, dark, light = (list(colors) + ["#4b2c18", "#2a160b", "#6a4226"][len(colors) :])[:3]
    dice = Random(f"wood/{seed}")
    planks = max(4, round(h / max(w, h) * 8))
    pitch = h / planks
    for plank in range(planks):
        y0 = plank * pitch
        canvas.save()
        canvas.clipRect(skia.Rect.MakeLTRB(0, y0, w, y0 + pitch))
        tone = dice.random()
        canvas.drawPaint(skia.Paint(Color=_argb(base)))
        canvas.drawPaint(skia.Paint(Color=_argb(light if tone > 0.5 else dark, 0.12 + 0.3 * abs(tone - 0.5))))
        knot_x, knot_y = dice.uniform(-0.1, 1.1) * w, y0 + dice.uniform(0.2, 0.8) * pitch
        for _ in range(46):
            y = y0 + dice.random() * pitch
            bend = dice.uniform(-0.06, 0.06) * pitch
            path = skia.Path()
            path.moveTo(-5, y)
            pull = (y - knot_y) / pitch
            push = pitch * 0.16 * (1 if pull >= 0 else -1) * max(0.0, 1 - abs(pull) * 2.2)
            path.cubicTo(w * 0.2, y + bend, knot_x - pitch, y, knot_x, y + push)
            path.cubicTo(knot_x + pitch, y, w * 0.85, y - bend, w + 5, y)
            shade = _argb(dark if dice.random() < 0.72 else light, dice.uniform(0.12, 0.42))
            canvas.drawPath(path, _stroke(shade, dice.uniform(0.4, 2.2) * h / 720))
        canvas.drawRect(skia.Rect.MakeLTRB(0, y0, w, y0 + 2.2 * h / 720), skia.Paint(Color=_argb("#000000", 0.62)))
        lip = skia.Rect.MakeLTRB(0, y0 + 2.2 * h / 720, w, y0 + 4 * h / 720)
        canvas.drawRect(lip, skia.Paint(Color=_argb(light, 0.4)))
        canvas.restore()
    ends = [_argb("#ffe2ae", 0.24), _argb("#000000", 0.0), _argb("#000000", 0.66)]
    shader = skia.GradientShader.MakeRadial(skia.Point(w / 2, h * 0.44), max(w, h) * 0.66, ends, [0.0, 0.42, 1.0])
    canvas.drawPaint(skia.Paint(Shader=shader))


def _free_band(size: tuple[int, int], faces: Sequence[Box], whole: bool, foot: float) -> tuple[float, float]:
    """Pixels y of the top and bottom of the band the title goes into: the one that faces leave most free."""
    h = size[1]
    bands = [(0.5 - 0.3, 0.5 + 0.3)] if whole or not faces else [(0.06, 0.36), (foot - 0.3, foot), (0.04, 0.24)]

    def covered(band: tuple[float, float]) -> float:
        return sum(max(0.0, min(band[1] * h, f[3]) - max(band[0] * h, f[1])) * (f[2] - f[0]) for f in faces)

    best = bands[0] if whole else min(bands, key=lambda band: (round(covered(band)), bands.index(band)))
    return best[0] * h, best[1] * h


def title_overlay(
    text: str,
    words: str,
    size: tuple[int, int],
    faces: Sequence[Box] = (),
    seed: int = 0,
    *,
    captioned: bool = False,
) -> Overlay:
    """A title.

    Args:
        text: what it says.
        words: style and action of the shot: the title's style is chosen by the words in them.
        size: of the frame in pixels.
        faces: in pixels; a title over a scene keeps off them.
        captioned: captions take the foot of the frame.
    """
    style = style_for(words)
    shown = " ".join((text.upper() if style.capitals else text).split())
    face: Face = style.face
    w, h = size
    whole = style.backdrop != "none"
    top, bottom = _free_band(size, faces, whole, 0.82 if captioned else 0.94)
    wide = w * (1 - 2 * SAFE) * (0.94 if whole else 0.9)
    # Over people the words are a title in the picture, not the picture.
    largest = h * (0.15 if faces and not whole else 0.24)
    set_text = fit_text(
        shown, face, width=wide, height=(bottom - top) * 0.94, largest=largest, smallest=h * 0.03, most_lines=4
    )
    path, missing = text_path(set_text, face, w / 2, top + (bottom - top - set_text.height) / 2)
    array = pixels(w, h)
    canvas = canvas_on(array)
    if style.backdrop == "wood":
        _draw_wood(canvas, size, style.backdrop_colors, seed)
    elif style.backdrop == "plain":
        _draw_plain(canvas, size, style.backdrop_colors)
    if not path.isEmpty():
        _draw_letters(canvas, path, set_text, style)
    bounds = path.getBounds()
    box = (bounds.left(), bounds.top(), bounds.right(), bounds.bottom())
    return _cropped(array, _note(missing), box)


def caption_size(size: tuple[int, int]) -> float:
    """Letter size of captions in pixels: about 1/18 of the height, smaller in tall frames."""
    return min(size[1] * 0.056, size[0] * 0.056)


def caption_chars(size: tuple[int, int]) -> int:
    """How many characters fit into the two lines of a caption (at most 2 x 42)."""
    per_line = size[0] * (1 - 2 * SAFE) * 0.92 / (caption_size(size) * 0.56)
    return 2 * int(min(42, max(12, per_line)))


def caption_overlay(text: str, size: tuple[int, int]) -> Overlay:
    """A caption of at most two lines at the foot of the frame, white with a dark edge."""
    w, h = size
    largest = caption_size(size)
    set_text = fit_text(
        text,
        "caption",
        width=w * (1 - 2 * SAFE),
        height=largest * 2.3,
        largest=largest,
        smallest=largest * 0.6,
        most_lines=2,
    )
    path, missing = text_path(set_text, "caption", w / 2, h * (1 - SAFE) - set_text.height)
    array = pixels(w, h)
    canvas = canvas_on(array)
    shadow = _stroke(_argb("#000000", 0.55), set_text.size * 0.3)
    shadow.setStyle(skia.Paint.kStrokeAndFill_Style)
    shadow.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, set_text.size * 0.12))
    canvas.drawPath(path, shadow)
    canvas.drawPath(path, _stroke(_argb("#10131c", 0.92), set_text.size * 0.17))
    canvas.drawPath(path, skia.Paint(Color=_argb("#ffffff"), AntiAlias=True))
    bounds = path.getBounds()
    return _cropped(array, _note(missing), (bounds.left(), bounds.top(), bounds.right(), bounds.bottom()))
