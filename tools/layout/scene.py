"""A shot made ready to draw: the place, the light, who stands where, and the camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from tools.image.tool import StageAdjustment
from tools.layout.acting import Delivered, Performance
from tools.layout.camera import Box, Framed, Move, Window, move_for, moved, union
from tools.layout.casting import known_looks, look_of
from tools.layout.catalog import nearest
from tools.layout.crowd import is_crowd, stage_back, widest
from tools.layout.drawlist import Layer
from tools.layout.figure import Figure
from tools.layout.framing import frame_shot
from tools.layout.light import Light
from tools.layout.puppet import Acting, Drawn, Puppet
from tools.layout.travel import Mover, Travel, plan_travel
from tools.storyboard import CastMember, Placement, Shot

if TYPE_CHECKING:
    from tools.layout.places import Place
    from tools.storyboard import Look

__all__ = ["BOUNDS", "Packs", "Player", "Scene"]

BOUNDS: Box = (-340.0, -420.0, 1620.0, 1080.0)
"""What a place paints at least, world units, where it does not say so itself."""
FALLBACK_PLACE = "beach"
FLOAT_REACH = (5.0, 9.0)
"""How far a body drifts under water, sideways and up, world units."""
SWIM_LIFT = 170.0
"""How far above the sea bed a swimmer is, world units."""
_SAMPLES_S = (0.25, 0.6, 1.05)
"""Instants at which a pose is measured for the camera, seconds."""


@dataclass(frozen=True)
class Packs:
    """Where places and puppets come from; tests put their own here."""

    place: Callable[[str], Place]
    place_ids: Callable[[], list[str]]
    puppet: Callable[[str, Look], Puppet]
    pose_names: Callable[[], list[str]]

    @classmethod
    def shipped(cls) -> Packs:
        """The packs that come with the studio."""
        from tools.layout.places import load_place, place_ids
        from tools.layout.rig import make_puppet, pose_names

        return cls(load_place, place_ids, make_puppet, pose_names)


@dataclass(frozen=True)
class Player:
    """A character on stage.

    Attributes:
        placement: as the storyboard has it, its pose replaced by a known one where need be.
        name: as shown to people.
        at: world x, y of the ground point; a swimmer's lies above the floor.
        floor: world y of the floor below.
        scale, depth: of the puppet; depth as in `Item.depth`.
        face, body: around the ground point, world units, over what the pose does in time.
        sides: left and right of the head with hair and what is held beside it, from the ground point.
    """

    placement: Placement
    name: str
    puppet: Puppet
    at: tuple[float, float]
    floor: float
    scale: float
    depth: float
    face: Box
    body: Box
    sides: tuple[float, float]

    @property
    def id(self) -> str:
        return self.placement.character


@dataclass
class Scene:
    """Everything about a shot that does not change while it runs. Make it with `Scene.build`."""

    shot: Shot
    size: tuple[int, int]
    style: str
    seed: int
    place: Place
    light: Light
    players: list[Player]
    base: Window
    move: Move
    travel: Travel = field(default_factory=Travel)
    exposure: float = 1.0
    notes: list[str] = field(default_factory=list)

    @classmethod
    def build(
        cls,
        shot: Shot,
        cast: Sequence[CastMember],
        *,
        size: tuple[int, int] = (1280, 720),
        style: str = "pixar_3d",
        adjust: StageAdjustment | None = None,
        seed: int = 0,
        packs: Packs | None = None,
    ) -> Scene:
        """Resolve names, set people on the stage and choose the camera.

        An unknown place or pose is replaced by the nearest known one and noted, never an error.

        Args:
            size: of the picture in pixels, width and height.
            adjust: what the quality loop changed.
            seed: of everything random in the set.

        Raises:
            InvalidInput: a pack or a character's sheet is broken; names file and line.
        """
        packs, adjust = packs or Packs.shipped(), adjust or StageAdjustment()
        notes: list[str] = []
        place = _find_place(shot.location, packs, notes)
        light = place.light(shot.time_of_day, shot.weather)
        players = _cast_players(shot, cast, place, light, packs, notes)
        bounds: Box = getattr(place, "bounds", BOUNDS)
        players = _stage_crowd(shot, players, place, size, adjust, bounds, notes)
        framed = _frame(shot, players, place, size, adjust, bounds)
        players = [replace(player, at=(framed.xs[player.id], player.at[1])) for player in players]
        movers = [Mover(p.placement, p.scale, moved(p.face, *p.at)) for p in players]
        travel = plan_travel(movers, framed.window, bounds, shot.duration_s, shot.camera)
        framed = framed.shifted(travel.shift)
        players = [replace(player, at=(player.at[0] + travel.shift, player.at[1])) for player in players]
        # Far ones first: the painter covers them with the near ones.
        players.sort(key=lambda player: (-player.placement.depth, player.at[0]))
        # A camera that follows somebody does not pan as well.
        camera = "static" if travel.camera and shot.camera == "pan" else shot.camera
        move = replace(move_for(camera, framed, bounds), follow=travel.camera)
        notes = list(dict.fromkeys(notes))
        return cls(shot, size, style, seed, place, light, players, framed.window, move, travel, adjust.exposure, notes)

    @property
    def underwater(self) -> bool:
        return bool(getattr(self.place, "underwater", False))

    @property
    def horizon(self) -> float:
        """World y of the eye's height."""
        return float(getattr(self.place, "horizon", 312.0))

    def performance(self, lines: Sequence[Delivered] = ()) -> Performance:
        """The acting of everybody on stage, given what is said."""
        return Performance(
            [player.placement for player in self.players],
            {player.id: player.at[0] for player in self.players},
            {player.id: player.at[1] + (player.face[1] + player.face[3]) / 2 for player in self.players},
            {player.id: player.puppet.height * player.scale for player in self.players},
            lines,
        )


def _find_place(location: str, packs: Packs, notes: list[str]) -> Place:
    known = packs.place_ids()
    if location in known:
        return packs.place(location)
    by_alias = {alias.lower().replace(" ", "_"): name for name in known for alias in packs.place(name).aliases}
    found = by_alias.get(location)
    if found is None:
        like = nearest(location, [*known, *by_alias], least=75.0)
        # A part in common is no likeness between places: the moon is not a lagoon.
        close = like is not None and SequenceMatcher(None, like, location).ratio() >= 0.75
        shared = like is not None and bool({*location.split("_")} & {*like.split("_")})
        found = by_alias.get(like, like) if like is not None and (close or shared) else None
    if found is None:
        found = FALLBACK_PLACE if FALLBACK_PLACE in known else known[0]
        notes.append(f"No place {location!r} is drawn yet: set on the {found} instead. Known: {', '.join(known)}.")
    else:
        notes.append(f"No place {location!r} is drawn yet: the nearest, {found}, stands in for it.")
    return packs.place(found)


def _known_pose(placement: Placement, name: str, packs: Packs, notes: list[str]) -> Placement:
    known = packs.pose_names()
    if placement.pose in known:
        return placement
    pose = nearest(placement.pose, known, least=70.0) or ("stand" if "stand" in known else known[0])
    notes.append(f"No pose {placement.pose!r} is known: {name} is drawn as {pose!r}.")
    return placement.model_copy(update={"pose": pose})


def _cast_players(
    shot: Shot, cast: Sequence[CastMember], place: Place, light: Light, packs: Packs, notes: list[str]
) -> list[Player]:
    members = {member.id: member for member in cast}
    looks = known_looks()
    players = []
    for asked in shot.placements:
        member = members.get(asked.character) or CastMember(
            id=asked.character, name=asked.character.replace("_", " ").title(), known=asked.character in looks
        )
        look, note = look_of(member, looks)
        if note:
            notes.append(note)
        placement = _known_pose(asked, member.name, packs, notes)
        puppet = packs.puppet(member.id, look)
        scale = place.scale_at(placement.depth)
        depth = place.depth_at(placement.depth)
        drifting = bool(getattr(place, "underwater", False))
        face, body, sides = _measure(puppet, placement, scale, depth, light, drifting=drifting)
        floor = place.floor_y(placement.depth)
        lift = SWIM_LIFT * scale if drifting and placement.pose == "swim" else 0.0
        at = (0.0, floor - lift)
        players.append(Player(placement, member.name, puppet, at, floor, scale, depth, face, body, sides))
    return players


def _measure(
    puppet: Puppet, placement: Placement, scale: float, depth: float, light: Light, *, drifting: bool
) -> tuple[Box, Box, tuple[float, float]]:
    """Face, body and sides of the head around the ground point, over the still and a few instants of the motion."""
    faces, bodies, sides = [], [], []
    for t in (None, *_SAMPLES_S):
        acting = Acting(
            placement.pose, placement.expression, placement.facing, t=t or 0.0, moving=t is not None, speaking=bool(t)
        )
        drawn = puppet.draw(Layer("measure"), acting, at=(0.0, 0.0), scale=scale, depth=depth, light=light)
        bounds = drawn.silhouette.getBounds()
        faces.append(drawn.face)
        bodies.append((bounds.left(), bounds.top(), bounds.right(), bounds.bottom()))
        sides.append(_head_sides(drawn))
    face, body = union(faces), union(bodies)
    if drifting:
        dx, dy = FLOAT_REACH[0] * scale, FLOAT_REACH[1] * scale
        face = (face[0] - dx, face[1] - dy, face[2] + dx, face[3] + dy)
    return face, body, (min(side[0] for side in sides), max(side[1] for side in sides))


def _head_sides(drawn: Drawn) -> tuple[float, float]:
    """Left and right of what lies beside the face, at most 0.6 faces away on either side."""
    x0, y0, x1, y1 = drawn.face
    reach = 0.6 * (x1 - x0)
    beside = [p.x() for p in drawn.silhouette.getPoints(drawn.silhouette.countPoints()) if y0 <= p.y() <= y1]
    return max(x0 - reach, min([x0, *beside])), min(x1 + reach, max([x1, *beside]))


def _figures(players: Sequence[Player], adjust: StageAdjustment) -> list[Figure]:
    return [
        Figure(
            player.id,
            min(1.0, max(0.0, player.placement.x + adjust.dx.get(player.id, 0.0))),
            player.at[1],
            player.face,
            player.body,
            player.placement.facing,
            player.sides,
        )
        for player in players
    ]


def _stage_crowd(
    shot: Shot,
    players: list[Player],
    place: Place,
    size: tuple[int, int],
    adjust: StageAdjustment,
    bounds: Box,
    notes: list[str],
) -> list[Player]:
    """Send people back where more are in the shot than the widest frame shows side by side."""
    figures = _figures(players, adjust)
    if not is_crowd(figures, shot.framing):
        return players
    written = {player.id: player.placement.depth for player in players}
    depths = stage_back(figures, written, widest(size[0] / size[1], bounds), place.floor_y, place.scale_at)
    if depths == written:
        return players
    notes.append(f"{len(players)} people stand farther back than written, so that every face is seen.")
    staged = []
    for player, figure in zip(players, figures, strict=True):
        depth = depths[player.id]
        scale, floor = place.scale_at(depth), place.floor_y(depth)
        small = figure.at_scale(scale / player.scale, floor)
        at = (0.0, floor - (player.floor - player.at[1]) * scale / player.scale)
        placement = player.placement.model_copy(update={"depth": depth})
        staged.append(
            replace(
                player,
                placement=placement,
                at=at,
                floor=floor,
                scale=scale,
                depth=place.depth_at(depth),
                face=small.face,
                body=small.body,
                sides=small.span,
            )
        )
    return staged


def _frame(
    shot: Shot,
    players: Sequence[Player],
    place: Place,
    size: tuple[int, int],
    adjust: StageAdjustment,
    bounds: Box,
) -> Framed:
    focus = [(a, 420.0, b, 660.0) for a, b in place.blocked]
    focus = list(getattr(place, "focus", focus))
    framed = frame_shot(
        shot.framing,
        size[0] / size[1],
        _figures(players, adjust),
        bounds=bounds,
        blocked=place.blocked,
        focus=focus,
    )
    if adjust.zoom == 1.0 and adjust.dy == 0.0:
        return framed
    box = union(framed.faces) if framed.faces else framed.window.box
    about = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    window = framed.window.scaled(1 / adjust.zoom, about)
    window = replace(window, cy=window.cy - adjust.dy * window.h)
    return Framed(window, framed.xs, framed.faces)
