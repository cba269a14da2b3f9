"""The head: skull, ears, face, hair, hats, put together in the right order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color
from tools.layout.rig.accessories import draw_beard, draw_glasses, draw_moustache
from tools.layout.rig.ball import Ball, FaceState
from tools.layout.rig.beasts import draw_crest, draw_ears, draw_gills, draw_mask, draw_muzzle, draw_scales, draw_tufts
from tools.layout.rig.casting import Design
from tools.layout.rig.eyes import draw_brows, draw_eyes
from tools.layout.rig.face import draw_cheeks, draw_nose, draw_tears
from tools.layout.rig.hair import Wig
from tools.layout.rig.hats import draw_hat
from tools.layout.rig.ink import Brush, darker
from tools.layout.rig.mouth import draw_mouth
from tools.layout.rig.robot import draw_robot_head
from tools.layout.rig.shapes import ellipse, smooth, through

__all__ = ["Head"]

Point = tuple[float, float]
_HALF: tuple[Point, ...] = (
    (0.0, -1.0),
    (0.5, -0.91),
    (0.86, -0.58),
    (1.0, -0.1),
    (0.985, 0.28),
    (0.83, 0.62),
    (0.52, 0.88),
    (0.2, 0.99),
)
"""The skull from its top down the right side to the chin, in half widths and half heights."""


@dataclass(slots=True)
class Head:
    """One head at one instant; its middle is the origin of the brush that draws it."""

    d: Design
    ball: Ball
    state: FaceState
    wig: Wig
    back: bool

    def outline(self) -> list[Point]:
        """The skull with the jaw drawn towards where the face looks."""
        d, ball = self.d, self.ball
        q = 0.0 if self.back else ball.yaw / 0.4
        grown = d.look.age in ("adult", "elder")
        jaw = 1.0 + (0.05 if grown and not d.feminine else 0.0) + (0.04 if d.look.build == "sturdy" else 0.0)
        jaw -= 0.04 if d.feminine else 0.0
        chin = 0.04 if grown and not d.feminine else 0.0
        open_jaw = self.state.mouth.open * 0.07
        points: list[Point] = []
        for side, half in ((1.0, _HALF), (-1.0, _HALF[:0:-1])):
            for x, y in half:
                px = x * side
                if y > 0.2:
                    px *= 1.0 + (jaw - 1.0) * min(1.0, (y - 0.2) * 2)
                low = max(0.0, (y + 0.1) / 1.1)
                px += q * 0.13 * low**1.5
                toward = side * q
                if toward > 0:
                    # The side that the face looks to: a dent at the eye, a cheek below it.
                    px -= (
                        side
                        * abs(q)
                        * (0.05 * math.exp(-((y + 0.1) ** 2) / 0.05) - 0.03 * math.exp(-((y - 0.45) ** 2) / 0.05))
                    )
                elif toward < 0 and y > 0.2:
                    px += -side * abs(q) * 0.1 * math.exp(-((y - 0.75) ** 2) / 0.08)
                if y > 0.8:
                    y += chin + open_jaw
                points.append((px * ball.w, y * ball.h))
        return points

    def draw_back(self, brush: Brush) -> None:
        """What lies behind the body: long hair."""
        if self.d.hair.back or self.d.hair.tails:
            self.wig.draw_back(brush)

    def draw(self, brush: Brush) -> skia.Path:
        """The head without what `draw_back` drew; returns the outline of the skull."""
        path = smooth(self.outline())
        if self.d.kind == "robot":
            return draw_robot_head(brush, self.d, self.ball, self.state, self.back, self.wig.swing)
        if self.d.kind == "human":
            self.draw_human(brush, path)
        else:
            self.draw_beast(brush, path)
        draw_hat(brush, self.d, self.ball, self.back)
        return path

    def draw_beast(self, brush: Brush, path: skia.Path) -> None:
        """An animal's head, or a sea being's."""
        d, ball, state = self.d, self.ball, self.state
        sea = d.kind == "sea_monster"
        draw_ears(brush, d, ball, self.back, self.wig.swing, in_front=False)
        if sea:
            draw_crest(brush, d, ball, self.wig.swing)
        draw_tufts(brush, d, ball)
        brush.form(path, d.palette.skin)
        draw_mask(brush, d, ball, path, self.back)
        if sea:
            draw_scales(brush, d, path)
        if self.back:
            draw_ears(brush, d, ball, self.back, self.wig.swing, in_front=True)
            self.wig.draw_front(brush)
            return
        draw_cheeks(brush, d, ball, state, path)
        if sea:
            draw_gills(brush, d, ball)
        draw_muzzle(brush, d, ball, state, path)
        draw_mouth(brush, d, ball, state)
        draw_eyes(brush, d, ball, state)
        self._face_wear(brush)
        draw_ears(brush, d, ball, self.back, self.wig.swing, in_front=True)
        self.wig.draw_front(brush)
        draw_brows(brush, d, ball, state)
        draw_tears(brush, d, ball, state)

    def _face_wear(self, brush: Brush) -> None:
        worn = self.d.accessories
        if "beard" in worn:
            draw_beard(brush, self.d, self.ball, self.state.mouth.open)
        if "moustache" in worn:
            draw_moustache(brush, self.d, self.ball)
        if "glasses" in worn:
            draw_glasses(brush, self.d, self.ball)

    def draw_human(self, brush: Brush, path: skia.Path) -> None:
        """A person's head."""
        d, skin = self.d, self.d.palette.skin
        hair = d.hair
        far = -1.0 if self.ball.yaw < -0.06 else 1.0 if self.ball.yaw > 0.06 else 0.0
        show = hair.ear != "cover" or self.back
        if show and hair.ear != "cover":
            for side in (-1.0, 1.0):
                if far == 0.0 or side == far:
                    self.ear(brush, side)
        brush.form(path, skin)
        if self.back:
            self.wig.draw_front(brush)
            return
        self._temple_hair(brush)
        if far and show:
            self.ear(brush, -far)
        self._face(brush, path)
        self.wig.draw_front(brush)
        # Brows lie over the hair, as animators draw them: a face must be read under any fringe.
        draw_brows(brush, d, self.ball, self.state)

    def _face(self, brush: Brush, path: skia.Path) -> None:
        d, ball, state = self.d, self.ball, self.state
        if state.face.pale:
            top, bottom = (0.0, -ball.h), (0.0, ball.h * 0.5)
            cold: Color = (*brush.tone((0.6, 0.72, 0.9, 1))[:3], 0.5 * state.face.pale)
            brush.fade(path, cold, top, bottom)
        # Under the hair the forehead lies in its shadow.
        if d.hair_style != "bald":
            x, y = ball.at(0, -0.42)
            brush.soft(x, y, ball.w * 0.8, brush.shadow(d.palette.skin, 0.42), clip=path, squash=0.36)
        draw_cheeks(brush, d, ball, state, path)
        draw_nose(brush, d, ball)
        draw_mouth(brush, d, ball, state)
        draw_eyes(brush, d, ball, state)
        draw_tears(brush, d, ball, state)
        self._face_wear(brush)

    def ear_at(self, side: float) -> Point:
        """Middle of an ear."""
        turn = self.ball.yaw * 1.5 if not self.back else 0.0
        x = side * math.cos(turn) * 0.99 - 0.16 * math.sin(turn)
        return (x * self.ball.w, (0.14 + self.ball.nod * -0.12) * self.ball.h)

    def ear(self, brush: Brush, side: float) -> None:
        """One ear; `side` in the picture."""
        d = self.d
        x, y = self.ear_at(side)
        k = self.ball.w * (0.19 if d.look.age != "elder" else 0.23)
        toward = -side * self.ball.yaw
        width = 1.0 + max(-0.5, min(0.3, toward * 0.7))
        ear = brush.placed(x, y, 8 * side, side * width, 1.0)
        skin = d.palette.skin
        outer = smooth(
            [
                (-0.5 * k, -0.9 * k),
                (0.2 * k, -1.35 * k),
                (0.85 * k, -0.9 * k),
                (0.8 * k, 0.1 * k),
                (0.35 * k, 1.1 * k),
                (-0.25 * k, 1.2 * k),
                (-0.6 * k, 0.5 * k),
            ]
        )
        ear.form(outer, skin, rim=0.8)
        if not self.back:
            ear.fade(outer, ear.shadow(skin, 0.45), (-0.5 * k, 0), (0.7 * k, 0))
            ear.line(
                through(
                    [
                        (0.45 * k, -0.85 * k),
                        (0.05 * k, -0.8 * k),
                        (-0.1 * k, -0.2 * k),
                        (0.2 * k, 0.1 * k),
                        (0.0, 0.6 * k),
                    ]
                ),
                skin,
                0.8,
                alpha=0.6,
            )

    def _temple_hair(self, brush: Brush) -> None:
        """The side of the head behind the near ear, when the face is turned away from it."""
        d, w, h = self.d, self.ball.w, self.ball.h
        q = self.ball.yaw / 0.4
        if d.hair_style == "bald" or abs(q) < 0.2:
            return
        s = -1.0 if q > 0 else 1.0
        ex, ey = self.ear_at(s)
        low = 0.5
        points = [
            (s * w * 0.6, -h * 0.8),
            (s * w * 1.04, -h * 0.4),
            (s * w * 1.05, h * 0.1),
            (s * w * 0.93, h * 0.42),
            (s * w * 0.78, h * low),
            (ex + s * w * 0.04, ey + h * 0.16),
            (ex - s * w * 0.02, ey - h * 0.1),
            (ex - s * w * 0.12, -h * 0.4),
        ]
        brush.form(smooth(points), darker(d.palette.hair, 0.1), rim=0.6)

    def box(self) -> tuple[float, float, float, float]:
        """Hairline to chin, ear to ear, in head coordinates."""
        return (-self.ball.w, -self.ball.h * 0.62, self.ball.w, self.ball.h)

    def crown(self) -> skia.Path:
        """The skull as a plain round."""
        return ellipse(0, 0, self.ball.w, self.ball.h)
