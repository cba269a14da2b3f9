"""From joint angles to joints in the picture: a small 3D figure, seen from a little above.

Body space: x to the person's own left, y down, z to the person's front. Picture space: x right, y down, z to us.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.layout.rig.motion import Channels, Motion
from tools.layout.rig.schema import Measures
from tools.storyboard import Facing

__all__ = ["Bones", "Limb", "pose_bones"]

Vec = tuple[float, float, float]
PITCH = 0.15
"""How far we look down: what comes towards us by one unit sinks by this much."""
HEAD_YAW = math.radians(23)
"""Faces turn less than bodies do: both eyes stay well in sight."""


@dataclass(slots=True)
class Limb:
    """An arm or a leg in the picture: root, middle joint, end, and the direction of the hand or the foot."""

    root: Vec
    mid: Vec
    end: Vec
    tip: Vec


@dataclass(slots=True)
class Bones:
    """Every joint in the picture, in rig units; the ground point of the figure is the origin."""

    pelvis: Vec
    waist: Vec
    chest: Vec
    neck: Vec
    head: Vec
    arms: dict[str, Limb]
    legs: dict[str, Limb]
    yaw: float
    head_yaw: float
    head_nod: float
    head_roll: float
    """Degrees, clockwise in the picture."""
    back: bool
    roll: float
    prop: Vec
    hips_tilt: float = 0.0


def _add(a: Vec, b: Vec, k: float = 1.0) -> Vec:
    return (a[0] + b[0] * k, a[1] + b[1] * k, a[2] + b[2] * k)


def _sub(a: Vec, b: Vec) -> Vec:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _unit(a: Vec) -> Vec:
    length = math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]) or 1e-9
    return (a[0] / length, a[1] / length, a[2] / length)


def _dot(a: Vec, b: Vec) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _direction(swing: float, spread: float, side: float) -> Vec:
    """Of a bone: hanging down, swung forward, spread to its own side; degrees."""
    s, o = math.radians(swing), math.radians(spread)
    return (math.sin(o) * side, math.cos(o) * math.cos(s), math.cos(o) * math.sin(s))


@dataclass(slots=True)
class _Frame:
    """Axes of the chest or the pelvis: own left, down, front."""

    lat: Vec
    down: Vec
    front: Vec

    def out(self, v: Vec) -> Vec:
        a, b, c = self.lat, self.down, self.front
        return (
            a[0] * v[0] + b[0] * v[1] + c[0] * v[2],
            a[1] * v[0] + b[1] * v[1] + c[1] * v[2],
            a[2] * v[0] + b[2] * v[1] + c[2] * v[2],
        )


def _frame(lean: float, side: float, twist: float) -> _Frame:
    f, s, w = math.radians(lean), math.radians(side), math.radians(twist)
    # Twist about the upright, then lean forward, then to the side.
    lat: Vec = (math.cos(w), 0.0, -math.sin(w))
    front: Vec = (math.sin(w), 0.0, math.cos(w))
    down: Vec = (0.0, 1.0, 0.0)

    def forward(v: Vec) -> Vec:
        return (v[0], v[1] * math.cos(f) + v[2] * math.sin(f), v[2] * math.cos(f) - v[1] * math.sin(f))

    def sideways(v: Vec) -> Vec:
        return (v[0] * math.cos(s) - v[1] * math.sin(s), v[0] * math.sin(s) + v[1] * math.cos(s), v[2])

    return _Frame(*(sideways(forward(v)) for v in (lat, down, front)))


def _two_bones(root: Vec, target: Vec, first: float, second: float, pole: Vec) -> tuple[Vec, Vec]:
    """Middle joint and end of a limb that reaches for a target, bending towards `pole`."""
    to = _sub(target, root)
    distance = math.sqrt(_dot(to, to))
    axis = _unit(to)
    distance = max(abs(first - second) + 1.0, min(distance, (first + second) * 0.995))
    along = (first * first - second * second + distance * distance) / (2 * distance)
    off = math.sqrt(max(0.0, first * first - along * along))
    bend = _unit(_add(pole, axis, -_dot(pole, axis)))
    return _add(_add(root, axis, along), bend, off), _add(root, axis, distance)


def _legs(m: Measures, motion: Motion, pelvis: _Frame) -> tuple[dict[str, tuple[Vec, Vec, Vec, Vec]], float]:
    """Legs in body space with the hips at the origin, and the height of the lowest sole."""
    ch: Channels = motion.ch
    legs: dict[str, tuple[Vec, Vec, Vec, Vec]] = {}
    floor = -1e9
    for side, sign in (("left", 1.0), ("right", -1.0)):
        root = pelvis.out((sign * m.hip_joint, 0.0, 0.0))
        knee = _add(root, _direction(ch[f"{side}.thigh.0"], ch[f"{side}.thigh.1"], sign), m.thigh)
        shin = _direction(ch[f"{side}.shin.0"], ch[f"{side}.shin.1"], sign)
        ankle = _add(knee, shin, m.shin)
        turn = math.radians(ch[f"{side}.turn"]) * sign
        # The foot stands across the shin's swing and then bends by its own angle: 0 is flat on the floor.
        pitch = math.radians(ch[f"{side}.foot"])
        toe: Vec = (math.sin(turn) * math.cos(pitch), math.sin(pitch), math.cos(turn) * math.cos(pitch))
        if motion.sheet.ground == "feet" or abs(ch[f"{side}.foot"]) < 30:
            floor = max(floor, ankle[1] + m.foot[2] * math.cos(pitch) + max(0.0, toe[1]) * m.foot[0] * 0.55)
        else:
            floor = max(floor, ankle[1] + m.foot[2] * 0.6 + max(0.0, toe[1]) * m.foot[0] * 0.55)
        legs[side] = (root, knee, ankle, toe)
    if motion.sheet.planted and motion.sway:
        for side in legs:
            root, knee, ankle, toe = legs[side]
            planted = (ankle[0] - motion.sway, ankle[1], ankle[2])
            pole = _add(_sub(knee, root), _sub(ankle, root), -0.5)
            pole = _add(pole, (0.0, 0.0, 1.0), 6.0)
            legs[side] = (root, *_two_bones(root, planted, m.thigh, m.shin, pole), toe)
    return legs, floor


def _anchor(
    name: str, sign: float, m: Measures, chest: Vec, cf: _Frame, head: Vec, hf: _Frame, legs: dict[str, Vec], pf: _Frame
) -> tuple[Vec, _Frame]:
    """A place on the body and the axes that an offset from it counts in."""
    hw, hh = m.head
    if name == "hip":
        return pf.out((sign * m.hip[0] * 1.02, -m.torso * 0.12, m.hip[1] * 0.1)), pf
    if name == "chin":
        return _add(head, hf.out((sign * hw * 0.16, hh * 0.98, hw * 0.62))), hf
    if name == "mouth":
        return _add(head, hf.out((sign * hw * 0.12, hh * 0.55, hw * 0.95))), hf
    if name == "cheek":
        return _add(head, hf.out((sign * hw * 0.8, hh * 0.4, hw * 0.6))), hf
    if name == "brow":
        return _add(head, hf.out((sign * hw * 0.62, -hh * 0.3, hw * 0.8))), hf
    if name == "back_head":
        return _add(head, hf.out((sign * hw * 0.5, -hh * 0.1, -hw * 0.8))), hf
    if name == "chest":
        return _add(chest, cf.out((0.0, m.torso * 0.25, m.chest[1]))), cf
    if name == "belly":
        return _add(chest, cf.out((0.0, m.torso * 0.6, m.waist[1]))), cf
    if name == "prop":
        return _add(chest, cf.out((0.0, m.torso * 0.5, m.chest[1] + m.torso * 0.24))), cf
    if name == "other_arm":
        return _add(chest, cf.out((-sign * m.shoulder * 0.78, m.upper_arm * 0.5, m.chest[1] * 0.6))), cf
    return legs["left" if sign > 0 else "right"], pf


def pose_bones(m: Measures, motion: Motion, facing: Facing, front_turn: float) -> Bones:
    """All joints of a pose as they stand in the picture.

    Args:
        m: the body.
        motion: channels.
        facing: where the person faces.
        front_turn: degrees by which this character does not quite face us.
    """
    ch = motion.ch
    lying = abs(ch["roll"]) > 40
    sign = -1.0 if facing == "left" else 1.0
    yaw = math.radians(
        {"left": -ch["turn"], "right": ch["turn"], "front": front_turn, "back": 180 + front_turn}[facing]
    )
    if lying and facing in ("front", "back"):
        yaw = math.radians(min(ch["turn"], 62.0) if facing == "front" else 180 - min(ch["turn"], 62.0))
    back = math.cos(yaw) < -0.05
    stretch = 1.0 + ch["stretch"]

    pf = _frame(0.0, 0.0, 0.0)
    tilt = math.radians(ch["hips"])
    pf = _Frame((math.cos(tilt), -math.sin(tilt), 0.0), (math.sin(tilt), math.cos(tilt), 0.0), (0.0, 0.0, 1.0))
    mf = _frame(ch["lean.0"] * 0.4, ch["lean.1"] * 0.35, ch["twist"] * 0.3)
    cf = _frame(ch["lean.0"], ch["lean.1"], ch["twist"])
    waist = mf.out((0.0, -m.torso * 0.42 * stretch, 0.0))
    chest = _add(waist, cf.out((0.0, -m.torso * 0.58 * stretch, 0.0)))
    shrug = ch["shrug"] * 9.0 + motion.breath * 1.1
    hf = _frame(ch["lean.0"] * 0.35 + ch["head.nod"], ch["lean.1"] * 0.3 + ch["head.tilt"], ch["twist"] * 0.3)
    neck = _add(chest, cf.out((0.0, -m.neck[1] * 0.5, 1.5)))
    head = _add(neck, hf.out((0.0, -m.neck[1] * 0.5 - m.head[1] * 0.92, 5.0)))

    legs, floor = _legs(m, motion, pf)
    knees = {side: legs[side][1] for side in legs}
    prop = _anchor("prop", 1.0, m, chest, cf, head, hf, knees, pf)[0]
    arms: dict[str, tuple[Vec, Vec, Vec, Vec]] = {}
    for side, own in (("left", 1.0), ("right", -1.0)):
        up = _direction(ch[f"{side}.upper.0"], ch[f"{side}.upper.1"], own)
        # The collar bone lifts with the arm.
        lift = max(0.0, -up[1]) * 9.0 + shrug
        root = _add(chest, cf.out((own * (m.shoulder - lift * 0.35), 9.0 - lift, 0.0)))
        upper, fore = cf.out(up), cf.out(_direction(ch[f"{side}.fore.0"], ch[f"{side}.fore.1"], own))
        elbow = _add(root, upper, m.upper_arm)
        wrist = _add(elbow, fore, m.forearm)
        target = motion.reach[side]
        if target and ch[f"{side}.reach"] > 0.5:
            at, axes = _anchor(target, own, m, chest, cf, head, hf, knees, pf)
            size = m.torso / 88.0
            across = -own if target == "other_arm" else own
            offset = axes.out(
                (
                    ch[f"{side}.off.0"] * size * (own if target != "other_arm" else across),
                    ch[f"{side}.off.1"] * size,
                    ch[f"{side}.off.2"] * size,
                )
            )
            pole = cf.out((ch[f"{side}.pole.0"] * own, ch[f"{side}.pole.1"], ch[f"{side}.pole.2"]))
            elbow, wrist = _two_bones(root, _add(at, offset), m.upper_arm, m.forearm, pole)
            fore = _unit(_sub(wrist, elbow))
        arms[side] = (root, elbow, wrist, fore)

    return _project(m, motion, facing, sign, yaw, back, lying, floor, legs, arms, (waist, chest, neck, head, prop), hf)


def _project(
    m: Measures,
    motion: Motion,
    facing: Facing,
    sign: float,
    yaw: float,
    back: bool,
    lying: bool,
    floor: float,
    legs: dict[str, tuple[Vec, Vec, Vec, Vec]],
    arms: dict[str, tuple[Vec, Vec, Vec, Vec]],
    trunk: tuple[Vec, Vec, Vec, Vec, Vec],
    hf: _Frame,
) -> Bones:
    """Turn, raise to the floor, project, roll."""
    ch = motion.ch
    c, s = math.cos(yaw), math.sin(yaw)
    stand = m.thigh + m.shin + m.foot[2]
    ground = motion.sheet.ground
    base = {"feet": -floor, "seat": -max(m.leg[0] * 1.05, floor), "none": -stand, "body": 0.0}[ground]
    lift = base - ch["shift.1"] * stand / 133.0
    forward = ch["shift.0"]
    roll = math.radians(ch["roll"]) * sign
    cr, sr = math.cos(roll), math.sin(roll)
    dx = motion.sway * (-1.0 if back else 1.0) if motion.sheet.planted else 0.0
    if lying:
        # The middle of a figure that lies stands over its place, not its hips.
        dx -= math.sin(math.radians(ch["roll"])) * sign * m.torso * 0.5

    def view(p: Vec) -> Vec:
        z = p[2] + forward
        x = p[0] * c + z * s
        depth = z * c - p[0] * s
        y = p[1] + depth * PITCH
        if roll:
            x, y = x * cr - y * sr, x * sr + y * cr
        return (x + dx + motion.tremble, y + lift, depth)

    def turned(v: Vec) -> Vec:
        x = v[0] * c + v[2] * s
        depth = v[2] * c - v[0] * s
        y = v[1] + depth * PITCH
        if roll:
            x, y = x * cr - y * sr, x * sr + y * cr
        return (x, y, depth)

    seen_legs = {k: Limb(view(a), view(b), view(e), turned(t)) for k, (a, b, e, t) in legs.items()}
    seen_arms = {k: Limb(view(a), view(b), view(e), turned(t)) for k, (a, b, e, t) in arms.items()}
    waist, chest, neck, head, prop = (view(p) for p in trunk)
    pelvis = view((0.0, 0.0, 0.0))
    if ground == "body":
        # Lying: the lowest part of the trunk and the elbows rests on the floor.
        low = max(
            pelvis[1] + m.hip[1] * 0.8,
            chest[1] + m.chest[1] * 0.7,
            head[1] + m.head[1] * 0.86,
            *(limb.mid[1] + m.leg[1] * 0.7 for limb in seen_legs.values()),
        )
        shift = -low
        for limb in (*seen_legs.values(), *seen_arms.values()):
            limb.root, limb.mid, limb.end = ((p[0], p[1] + shift, p[2]) for p in (limb.root, limb.mid, limb.end))
        waist, chest, neck, head, prop, pelvis = (
            (p[0], p[1] + shift, p[2]) for p in (waist, chest, neck, head, prop, pelvis)
        )
        for limb in seen_arms.values():
            # Forearms lie on the floor, not in it.
            limb.mid = (limb.mid[0], min(limb.mid[1], -m.arm[1]), limb.mid[2])
            limb.end = (limb.end[0], min(limb.end[1], -m.arm[3]), limb.end[2])
    if facing == "front":
        head_yaw = front_yaw = 0.35 * yaw if not lying else 0.3
        head_yaw = front_yaw + math.radians(ch["head.turn"]) * 0.8
    elif back:
        head_yaw = math.radians(ch["head.turn"]) * -0.8
    else:
        head_yaw = sign * HEAD_YAW * min(1.25, 0.75 + ch["turn"] / 160) + math.radians(ch["head.turn"]) * 0.6
    limit = math.radians(32)
    head_yaw = max(-limit, min(limit, head_yaw))
    down = turned(hf.down)
    side_view = abs(s)
    lean_seen = math.degrees(math.atan2(-down[0], down[1])) if not roll else 0.0
    if roll:
        lean_seen = math.degrees(roll) + (ch["head.nod"]) * sign * side_view
        # A swimmer looks where they go: the head comes up against the roll.
        lean_seen *= 0.45
    head_roll = max(-60.0, min(60.0, lean_seen))
    return Bones(
        pelvis=pelvis,
        waist=waist,
        chest=chest,
        neck=neck,
        head=head,
        arms=seen_arms,
        legs=seen_legs,
        yaw=yaw,
        head_yaw=head_yaw,
        head_nod=math.radians(ch["head.nod"]) * (1.0 - 0.55 * side_view),
        head_roll=head_roll,
        back=back,
        roll=roll,
        prop=prop,
        hips_tilt=ch["hips"] * (-1 if back else 1),
    )
