"""Small stand-ins for the packs: a place of three bands and puppets of a few shapes, quick to draw."""

from __future__ import annotations

from dataclasses import replace

import skia

from tools.layout.drawlist import DrawList, Item, Layer, LinearGradient, Stroke
from tools.layout.light import Light
from tools.layout.puppet import Acting, Drawn
from tools.layout.scene import Packs
from tools.storyboard import Look, TimeOfDay, Weather

DAY = Light(
    "day", (1, 1, 1, 1), (0.5, 0.55, 0.7, 1), (1, 0.97, 0.9, 1), (1, 1, 1, 1), (0.2, 0.2, 0.4, 0.4), (-0.6, -0.8)
)


def rect(x0: float, y0: float, x1: float, y1: float) -> skia.Path:
    return skia.Path.Rect(skia.Rect.MakeLTRB(x0, y0, x1, y1))


class PlainPlace:
    """Sky, sea and sand, a post in front at the left edge."""

    id = "beach"
    name = "Beach"
    aliases = ("seaside", "spiaggia")
    sky = True
    underwater = False
    horizon = 312.0
    blocked = ((100.0, 180.0),)

    def floor_y(self, depth: float) -> float:
        return 704.0 - 204.0 * depth

    def scale_at(self, depth: float) -> float:
        return (self.floor_y(depth) - 312.0) / (self.floor_y(0.3) - 312.0)

    def depth_at(self, depth: float) -> float:
        return (760.0 - self.floor_y(depth)) / 448.0

    def light(self, time_of_day: TimeOfDay, weather: Weather) -> Light:
        return replace(DAY, name=time_of_day)

    def paint_back(self, draw: DrawList, light: Light, *, seed: int, weather: Weather, time_of_day: TimeOfDay) -> None:
        sky = LinearGradient((0, -420), (0, 400), ((0, (0.2, 0.5, 0.9, 1)), (1, (0.8, 0.9, 1, 1))))
        above = Item(rect(-900, -900, 2200, 500), sky, depth=1.0, segment="sky", outline=False)
        draw.layer("sky", parallax=0.0).add(above)
        draw.layer("sea", parallax=0.3).add(
            Item(rect(-900, 312, 2200, 700), (0.1, 0.4, 0.7, 1), depth=(0.98, 0.6), segment="sea")
        )
        sand = Item(rect(-900, 480, 2200, 760), (0.9, 0.8, 0.6, 1), depth=(0.625, 0.0), segment="ground")
        below = Item(rect(-900, 760, 2200, 1500), (0.9, 0.8, 0.6, 1), depth=0.0, segment="ground", outline=False)
        draw.layer("sand").items.extend([sand, below])

    def paint_motion(
        self, draw: DrawList, light: Light, *, seed: int, weather: Weather, time_of_day: TimeOfDay, t: float
    ) -> None:
        glint = rect(600 + 30 * t, 380, 660 + 30 * t, 384)
        draw.layer("glints", parallax=0.3, animated=True).add(Item(glint, (1, 1, 1, 0.8), effect=True))

    def paint_front(self, draw: DrawList, light: Light, *, seed: int, weather: Weather, time_of_day: TimeOfDay) -> None:
        draw.layer("post", parallax=1.0).add(Item(rect(60, 200, 110, 760), (0.3, 0.2, 0.1, 1), depth=0.01))


class PlainPuppet:
    """A head, a body, two arms and two legs, 400 units tall; `wave` lifts an arm, `sit` is low."""

    height = 400.0

    def __init__(self, character_id: str, look: Look) -> None:
        self.id = character_id
        self.look = look

    def draw(
        self, layer: Layer, acting: Acting, *, at: tuple[float, float], scale: float, depth: float, light: Light
    ) -> Drawn:
        k, bob = scale * self.look.height, 0.0
        if acting.moving:
            bob = 4 * ((acting.t * 1.7) % 1.0)
        low = 120 if acting.pose == "sit" else 0

        def place(x: float, y: float) -> tuple[float, float]:
            return at[0] + x * k, at[1] + (y + low) * k if y < -10 else at[1] + y * k

        def box(x0: float, y0: float, x1: float, y1: float) -> skia.Path:
            (ax, ay), (bx, by) = place(x0, y0), place(x1, y1)
            return rect(ax, ay, bx, by)

        skin, cloth = (0.9, 0.7, 0.5, 1.0), ((0.8, 0.2, 0.2, 1.0) if self.id < "b" else (0.2, 0.6, 0.3, 1.0))
        hand_y = -330 if acting.pose == "wave" else -130
        parts = [
            (box(-45, -130, -8, 0), skin),
            (box(8, -130, 45, 0), skin),
            (box(-75, -250, -50, -120), skin),
            (box(50, min(hand_y, -250), 75, max(hand_y, -235)), skin),
            (box(-55, -255, 55, -110), cloth),
        ]
        cx, cy = place(0, -325)
        parts.append((skia.Path.Circle(cx, cy + bob * k, 72 * k), skin))
        silhouette = skia.Path()
        for path, color in parts:
            silhouette.addPath(path)
            layer.add(
                Item(path, color, Stroke((0.2, 0.1, 0.1, 1), 2 * k), depth=depth, owner=self.id, segment="person")
            )
        head = cy + bob * k
        seen = 0.0 if acting.facing == "back" else 1.0
        points = [(cx, head + 10 * k, seen), (*place(0, -245), 1.0)]
        for side in (-1, 1):
            points += [(*place(side * 50, -240), 1.0)]
            points += [(*place(side * 62, -190), 1.0), (*place(side * 62, hand_y * 0.99 if side > 0 else -130), 1.0)]
        for side in (-1, 1):
            points += [(*place(side * 26, -125), 1.0), (*place(side * 26, -60), 1.0), (*place(side * 26, -8), 1.0)]
        points += [(cx - 25 * k, head - 10 * k, seen), (cx + 25 * k, head - 10 * k, seen)]
        points += [(cx - 66 * k, head, 1.0), (cx + 66 * k, head, 1.0)]
        face = (cx - 70 * k, head - 60 * k, cx + 70 * k, head + 70 * k)
        return Drawn(silhouette, face, points, at)


POSES = ["stand", "wave", "sit"]


def packs() -> Packs:
    """Packs of stand-ins."""
    place = PlainPlace()
    return Packs(lambda _id: place, lambda: ["beach"], PlainPuppet, lambda: POSES)  # type: ignore[arg-type, return-value]
