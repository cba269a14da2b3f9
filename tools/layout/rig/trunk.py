"""The trunk: neck, chest, hips, and the garments that follow their bend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush
from tools.layout.rig.schema import Outfit
from tools.layout.rig.shapes import bent, smooth, through
from tools.layout.rig.skeleton import Bones

__all__ = ["Trunk"]

Point = tuple[float, float]


@dataclass(slots=True)
class Trunk:
    """The trunk of one figure at one instant.

    `ring(t)` gives a cut across it: 0 at the hip line, 1 at the shoulder line, below 0 towards the knees.
    """

    d: Design
    bones: Bones
    breath: float
    swing: float
    sides: tuple[str, str]
    """Which arm is to the left and which to the right in the picture."""

    def centre(self, t: float) -> Point:
        p, w, c = self.bones.pelvis, self.bones.waist, self.bones.chest
        if t < 0:
            # Below the hips cloth hangs down, whatever the trunk does.
            k = self.d.body.torso * -t
            dx, dy = (p[0] - w[0]) * 0.35, math.hypot(p[0] - w[0], p[1] - w[1])
            if self.bones.roll:
                dx, dy = p[0] - w[0], p[1] - w[1]
            length = math.hypot(dx, dy) or 1.0
            return (p[0] + dx / length * k, p[1] + dy / length * k)
        f = t
        a, b, e = (1 - f) ** 2, 2 * f * (1 - f), f * f
        # The control point makes the curve pass near the waist.
        qx, qy = 2 * w[0] - (p[0] + c[0]) / 2, 2 * w[1] - (p[1] + c[1]) / 2
        return (a * p[0] + b * qx + e * c[0], a * p[1] + b * qy + e * c[1])

    def normal(self, t: float) -> Point:
        """Unit vector to the right of the picture, across the trunk."""
        x0, y0 = self.centre(t - 0.08)
        x1, y1 = self.centre(t + 0.08)
        dx, dy = x1 - x0, y1 - y0
        length = math.hypot(dx, dy) or 1.0
        nx, ny = -dy / length, dx / length
        if t < 0.35 and not self.bones.roll:
            tilt = math.radians(self.bones.hips_tilt) * math.cos(self.bones.yaw) * (0.35 - max(0.0, t)) * 2.0
            ny -= tilt
        return (nx, ny)

    def half(self, t: float) -> float:
        """Half width across the view at t."""
        b = self.d.body
        c, s = abs(math.cos(self.bones.yaw)), abs(math.sin(self.bones.yaw))

        def seen(pair: tuple[float, float]) -> float:
            return math.hypot(pair[0] * c, pair[1] * s)

        hip, waist, chest = seen(b.hip), seen(b.waist), seen(b.chest) * (1 + 0.022 * self.breath)
        if t <= 0.0:
            return hip
        if t < 0.42:
            f = t / 0.42
            f = f * f * (3 - 2 * f)
            return hip + (waist - hip) * f
        if t < 0.8:
            f = (t - 0.42) / 0.38
            f = f * f * (3 - 2 * f)
            return waist + (chest - waist) * f
        return chest

    def edge(self, t: float, side: float, k: float = 1.0) -> Point:
        x, y = self.centre(t)
        nx, ny = self.normal(t)
        h = self.half(t) * k * side
        return (x + nx * h, y + ny * h)

    def shoulder(self, side: float, out: float = 0.0) -> Point:
        """Top of the shoulder to the left (-1) or right (+1) of the picture."""
        limb = self.bones.arms[self.sides[0 if side < 0 else 1]]
        b = self.d.body
        nx, ny = self.normal(1.0)
        joint = limb.root
        c = self.bones.chest
        reach = (joint[0] - c[0]) * nx + (joint[1] - c[1]) * ny
        least = self.half(0.8) * 0.66
        reach = max(reach * side, least)
        along = (joint[0] - c[0]) * -ny + (joint[1] - c[1]) * nx
        x, y = c[0] + nx * reach * side - ny * along, c[1] + ny * reach * side + nx * along
        r = b.arm[0]
        return (x + nx * side * (r * 0.2 + out) + ny * r * 0.72, y + ny * side * (r * 0.2 + out) - nx * r * 0.72)

    # --- outlines ------------------------------------------------------------------------------------------------

    def outline(self, hem: float, fit: float, flare: float, neck: float) -> list[Point]:
        """Points of a garment or of the bare trunk, clockwise from the left of the neck."""
        up = self.normal(1.0)
        n = self.bones.chest
        top = (n[0] + up[1] * 7.5, n[1] - up[0] * 7.5)
        left: list[Point] = []
        right: list[Point] = []
        for side, points in ((-1.0, left), (1.0, right)):
            points.append((top[0] + up[0] * neck * side, top[1] + up[1] * neck * side))
            points.append(self.shoulder(side))
            points.append(self.edge(0.74, side, fit * 1.0))
            points.append(self.edge(0.42, side, fit * 1.02))
            points.append(self.edge(0.1, side, fit))
            if hem < -0.1:
                points.append(self.edge(hem * 0.5, side, fit * (1 + (flare - 1) * 0.55)))
            points.append(self.edge(hem, side, fit * flare))
        return [*right, *left[::-1]]

    def body_path(self) -> skia.Path:
        """The bare trunk: shoulders to hips."""
        points = self.outline(-0.12, 1.0, 0.96, self.d.body.neck[0])
        return smooth(points)

    def garment_path(self, outfit: Outfit) -> tuple[skia.Path, list[Point]]:
        """A top as a closed outline, and the points of its hem from right to left."""
        neck = {"tank": 17.0, "round": 18.5, "hood": 18.0, "turtle": 13.0}.get(outfit.neck, 15.5) * self._neck()
        points = self.outline(-outfit.hem, outfit.fit, outfit.flare, neck)
        n = len(points) // 2
        right, left = points[n - 1], points[n]
        hx, hy = self.centre(-outfit.hem)
        sag = 0.1 * self.half(0.0) * (1.6 if outfit.hem > 0.3 else 1.0)
        down = self.normal(-outfit.hem)
        sway = self.swing * (2.5 if outfit.hem > 0.3 else 0.4)
        middle = (hx - down[1] * sag + sway, hy + down[0] * sag)
        right, left = (right[0] + sway, right[1]), (left[0] + sway, left[1])
        hem = [right, middle, left]
        dip = self._neckline(outfit)
        outline = [*points[: n - 1], *hem, *points[n + 1 :], *dip]
        corners = {0, n - 1, n + 1, len(points[: n - 1]) + 3 + len(points[n + 1 :]) - 1}
        return smooth(outline, frozenset(corners), 0.92), hem

    def _neck(self) -> float:
        return self.d.body.neck[0] / 13.0

    def _neckline(self, outfit: Outfit) -> list[Point]:
        """Points between the left and the right of the neck, in the front (or at the nape)."""
        n = self.bones.chest
        nx, ny = self.normal(1.0)
        depth = {"tank": 20.0, "round": 11.0, "collar": 13.0, "hood": 9.0, "turtle": -4.0}.get(
            outfit.neck, 6.0
        ) * self._neck()
        if self.bones.back:
            depth = -2.0 if outfit.neck != "tank" else 6.0
        turn = math.sin(self.bones.yaw) * 7.0
        return [(n[0] + nx * turn - ny * depth * 1.0, n[1] + ny * turn + nx * depth)]

    # --- drawing -------------------------------------------------------------------------------------------------

    def draw_neck(self, brush: Brush) -> None:
        """The neck and, under a garment that shows it, the bare chest."""
        d, bones = self.d, self.bones
        r = d.body.neck[0]
        skin = d.palette.skin
        head = bones.head
        n = bones.chest
        upx, upy = head[0] - n[0], head[1] - n[1]
        length = math.hypot(upx, upy) or 1.0
        base = (n[0] - upx / length * 12, n[1] - upy / length * 12)
        top = (
            n[0] + upx / length * (d.body.neck[1] + d.body.head[1] * 0.45),
            n[1] + upy / length * (d.body.neck[1] + d.body.head[1] * 0.45),
        )
        middle = ((base[0] + top[0]) / 2, (base[1] + top[1]) / 2)
        column = bent(base, middle, top, lambda t: r * (1.22 - 0.3 * min(1.0, t * 1.4)))
        brush.form(column.path, skin if d.kind != "robot" else d.palette.mark, rim=0.5)
        chin = (n[0] + upx / length * (d.body.neck[1] * 1.2), n[1] + upy / length * (d.body.neck[1] * 1.2))
        brush.fade(column.path, brush.shadow(skin, 0.62), chin, (n[0] - upx / length * 4, n[1] - upy / length * 4))

    def draw_body(self, brush: Brush) -> skia.Path:
        """The bare trunk."""
        path = self.body_path()
        skin = self.d.palette.skin
        brush.form(path, skin)
        if self.d.kind in ("animal", "sea_monster") and not self.bones.back:
            belly = self._belly()
            brush.put(belly, brush.tone(self.d.palette.pale), effect=True, clip=path)
            if self.d.kind == "sea_monster":
                for i in range(6):
                    t = 0.08 + 0.14 * i
                    a, c, e = self.edge(t, -1, 0.5), self.centre(t - 0.03), self.edge(t, 1, 0.5)
                    brush.put(
                        through([a, c, e]),
                        None,
                        Stroke(with_alpha(brush.shade(self.d.palette.pale), 0.6), 1.3),
                        effect=True,
                        clip=path,
                    )
        return path

    def _belly(self) -> skia.Path:
        turn = math.sin(self.bones.yaw) * 10
        points = [
            self.edge(t, s, k)
            for t, s, k in (
                (0.94, 1, 0.0),
                (0.82, -1, 0.4),
                (0.5, -1, 0.6),
                (0.1, -1, 0.66),
                (-0.1, -1, 0.4),
                (-0.1, 1, 0.4),
                (0.1, 1, 0.66),
                (0.5, 1, 0.6),
                (0.82, 1, 0.4),
            )
        ]
        return smooth([(x + turn, y) for x, y in points])
