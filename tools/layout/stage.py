"""The draw list of one instant: the set, the weather and the cast, from back to front."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from tools.layout.acting import Performance
from tools.layout.camera import Window
from tools.layout.drawlist import DrawList
from tools.layout.puppet import Drawn
from tools.layout.scene import FLOAT_REACH, Player, Scene
from tools.layout.shadows import add_shadows
from tools.layout.weather import paint_weather_back

__all__ = ["Instant", "paint_cast", "paint_live_back", "paint_set_back", "paint_set_front"]


@dataclass
class Instant:
    """A whole picture as a draw list, and what was drawn of the cast, by character."""

    draw: DrawList
    drawn: dict[str, Drawn] = field(default_factory=dict)


def paint_set_back(scene: Scene) -> DrawList:
    """The layers behind the cast that do not move."""
    draw = DrawList()
    shot = scene.shot
    scene.place.paint_back(draw, scene.light, seed=scene.seed, weather=shot.weather, time_of_day=shot.time_of_day)
    return draw


def paint_live_back(scene: Scene, draw: DrawList, camera: Window, t: float, *, weather: bool = True) -> None:
    """Append what moves behind the cast: water, clouds, far weather."""
    shot = scene.shot
    scene.place.paint_motion(
        draw, scene.light, seed=scene.seed, weather=shot.weather, time_of_day=shot.time_of_day, t=t
    )
    if weather:
        paint_weather_back(draw, scene, camera, t)


def paint_set_front(scene: Scene) -> DrawList:
    """The layers before the cast that do not move."""
    draw = DrawList()
    shot = scene.shot
    scene.place.paint_front(draw, scene.light, seed=scene.seed, weather=shot.weather, time_of_day=shot.time_of_day)
    return draw


def drift(player: Player, t: float) -> tuple[float, float]:
    """How far a body under water has drifted from its place at `t`, world units."""
    dice = Random(player.id)
    phase, period = dice.random() * math.tau, 3.6 + dice.random()
    dx = math.sin(t * math.tau / (period * 1.7) + phase * 2) * FLOAT_REACH[0]
    dy = math.sin(t * math.tau / period + phase) * FLOAT_REACH[1]
    return dx * player.scale, dy * player.scale


def paint_cast(
    scene: Scene, performance: Performance, draw: DrawList, t: float, *, u: float = 0.5, moving: bool = True
) -> dict[str, Drawn]:
    """Append a layer of shadows and one for each character, far ones first.

    Args:
        t: seconds since the shot began.
        u: how much of the shot is over, 0..1, for those who go somewhere.
        moving: False draws each pose at its most telling instant, for stills.
    """
    drawn: dict[str, Drawn] = {}
    shadows = draw.layer("shadows", animated=True)
    for player in scene.players:
        layer = draw.layer(f"cast.{player.id}", animated=True)
        dx, dy = drift(player, t) if scene.underwater and moving else (0.0, 0.0)
        dx += scene.travel.by.get(player.id, 0.0) * (u - 0.5)
        at = (player.at[0] + dx, player.at[1] + dy)
        acting = performance.acting(player.id, t, moving=moving)
        result = player.puppet.draw(layer, acting, at=at, scale=player.scale, depth=player.depth, light=scene.light)
        ground = (result.ground[0], player.floor)
        add_shadows(shadows, result.silhouette, ground, scene.light, player.scale)
        drawn[player.id] = result
    return drawn
