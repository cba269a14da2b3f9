"""Poses in time: keys to channels, and the life that goes on in a figure that does nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from tools.errors import InvalidInput
from tools.layout.puppet import Acting
from tools.layout.rig import packs
from tools.layout.rig.schema import ArmKey, Face, LegKey, PoseKey, PoseSheet, Reach
from tools.layout.rig.seed import noise, unit

__all__ = ["Motion", "gasp_at", "move"]

Channels = dict[str, float]
SIDES = ("left", "right")
_ARM = {"upper.0": 0.0, "upper.1": 12.0, "fore.0": 10.0, "fore.1": 8.0, "wrist": 0.0, "reach": 0.0}
_REACH = {"off.0": 0.0, "off.1": 0.0, "off.2": 0.0, "pole.0": 1.0, "pole.1": 0.4, "pole.2": -0.2}
_LEG = {"thigh.0": 0.0, "thigh.1": 6.0, "shin.0": 0.0, "shin.1": 5.0, "foot": 0.0, "turn": 14.0}
_BODY = {
    "lean.0": 0.0,
    "lean.1": 0.0,
    "twist": 0.0,
    "hips": 0.0,
    "shrug": 0.0,
    "roll": 0.0,
    "turn": 40.0,
    "shift.0": 0.0,
    "shift.1": 0.0,
    "stretch": 0.0,
    "head.tilt": 0.0,
    "head.nod": 0.0,
    "head.turn": 0.0,
}
_MIRRORED = ("lean.1", "twist", "hips", "head.tilt", "head.turn")
"""Channels that change sign when the own left and right change places."""


@dataclass(slots=True)
class Motion:
    """One instant of a pose: numbers, what the hands do, and how the idle life stands.

    Attributes:
        ch: channels by name; an arm's begin with `left.` or `right.`.
        hands, reach: by side.
        breath: -1..1.
        sway: units the hips stand to the side of the feet.
        blink: 0..1.
        hair: -1..1, swing of what hangs.
        phase: part of the pose's cycle, 0..1.
        tremble: units.
    """

    sheet: PoseSheet
    ch: Channels
    hands: dict[str, str]
    reach: dict[str, str | None]
    breath: float = 0.0
    sway: float = 0.0
    blink: float = 0.0
    hair: float = 0.0
    phase: float = 0.0
    tremble: float = 0.0
    brow: float = 0.0
    live: dict[str, float] | None = None


@dataclass(frozen=True)
class _Tracks:
    base: Channels
    moving: dict[str, tuple[tuple[float, float], ...]]
    hands: dict[str, tuple[tuple[float, str], ...]]
    reach: dict[str, str | None]


def _pair(out: Channels, name: str, value: tuple[float, float] | None) -> None:
    if value is not None:
        out[f"{name}.0"], out[f"{name}.1"] = value


def _arm(out: Channels, side: str, arm: ArmKey) -> None:
    _pair(out, f"{side}.upper", arm.upper)
    _pair(out, f"{side}.fore", arm.fore)
    if arm.wrist is not None:
        out[f"{side}.wrist"] = arm.wrist
    if arm.reach is not None:
        out[f"{side}.reach"] = 1.0
        for i in range(3):
            out[f"{side}.off.{i}"] = arm.reach.offset[i]
            out[f"{side}.pole.{i}"] = arm.reach.elbow[i]


def _leg(out: Channels, side: str, leg: LegKey) -> None:
    _pair(out, f"{side}.thigh", leg.thigh)
    _pair(out, f"{side}.shin", leg.shin)
    if leg.foot is not None:
        out[f"{side}.foot"] = leg.foot
    if leg.turn is not None:
        out[f"{side}.turn"] = leg.turn


def _flat(key: PoseKey) -> Channels:
    """The channels that a key names."""
    out: Channels = {}
    body, head = key.body, key.head
    _pair(out, "lean", body.lean)
    _pair(out, "shift", body.shift)
    for name in ("twist", "hips", "shrug", "roll", "turn", "stretch"):
        value = getattr(body, name)
        if value is not None:
            out[name] = value
    for name in ("tilt", "nod", "turn"):
        value = getattr(head, name)
        if value is not None:
            out[f"head.{name}"] = value
    for side, arm, leg in (("left", key.left, key.left_leg), ("right", key.right, key.right_leg)):
        _arm(out, side, key.arms)
        _arm(out, side, arm)
        _leg(out, side, key.legs)
        _leg(out, side, leg)
    return out


def _hand(key: PoseKey, side: str) -> str | None:
    own: ArmKey = getattr(key, side)
    return own.hand or key.arms.hand


def _target(key: PoseKey, side: str) -> Reach | None:
    own: ArmKey = getattr(key, side)
    return own.reach or key.arms.reach


@cache
def _tracks(pose: str) -> _Tracks:
    sheet = packs.poses().poses[pose]
    base = dict(_BODY)
    for side in SIDES:
        for table in (_ARM, _REACH, _LEG):
            base.update({f"{side}.{name}": value for name, value in table.items()})
    base.update(_flat(sheet))
    moving: dict[str, list[tuple[float, float]]] = {}
    for key in sheet.cycle:
        for name, value in _flat(key).items():
            moving.setdefault(name, []).append((key.at, value))
    hands: dict[str, tuple[tuple[float, str], ...]] = {}
    reach: dict[str, str | None] = {}
    for side in SIDES:
        start = _hand(sheet, side) or "relaxed"
        keyed = [(key.at, shape) for key in sheet.cycle if (shape := _hand(key, side))]
        hands[side] = ((0.0, start), *keyed)
        target = _target(sheet, side)
        reach[side] = target.to if target else None
    return _Tracks(base, {name: tuple(keys) for name, keys in moving.items()}, hands, reach)


def _cyclic(keys: tuple[tuple[float, float], ...], phase: float) -> float:
    """Catmull-Rom through the keys of a cycle, in 0..1, with tangents that mind uneven spacing."""
    n = len(keys)
    if n == 1:
        return keys[0][1]
    i = n - 1
    for k in range(n):
        if keys[k][0] > phase:
            i = k - 1
            break
    i %= n
    t1, v1 = keys[i]
    t2, v2 = keys[(i + 1) % n]
    t0, v0 = keys[(i - 1) % n]
    t3, v3 = keys[(i + 2) % n]
    span = (t2 - t1) % 1.0 or 1.0
    before = (t1 - t0) % 1.0 or 1.0
    after = (t3 - t2) % 1.0 or 1.0
    f = ((phase - t1) % 1.0) / span
    m1 = (v2 - v0) / (before + span) * span
    m2 = (v3 - v1) / (span + after) * span
    f2, f3 = f * f, f * f * f
    return (2 * f3 - 3 * f2 + 1) * v1 + (f3 - 2 * f2 + f) * m1 + (3 * f2 - 2 * f3) * v2 + (f3 - f2) * m2


def blink_at(t: float, seed: int) -> float:
    """0 open .. 1 shut: one blink in every three seconds or so, at odd moments, now and then a double one."""
    slot, duration = 3.1, 0.19
    k = math.floor(t / slot)
    start = (k + 0.1 + 0.7 * unit(seed ^ 0xB11, k)) * slot
    starts = [start, start + 0.3] if unit(seed ^ 0xB12, k) < 0.18 else [start]
    for at in starts:
        f = (t - at) / duration
        if 0.0 <= f <= 1.0:
            # Shuts in a third of the time that it takes to open.
            return min(1.0, f / 0.3) if f < 0.42 else max(0.0, 1.0 - (f - 0.42) / 0.58)
    return 0.0


GASP_S, SETTLE_S = 0.7, 0.8
"""Seconds that an open mouth stays open at first, and that it takes to settle."""
SIGH_EVERY_S, SIGH_S = 4.6, 1.1
"""Seconds from one later breath through the mouth to the next, and how long one lasts."""


def gasp_at(t: float, seed: int) -> float:
    """1 where a feeling holds the mouth open, 0 where it has settled: open as the shot begins, later now and then."""
    first = max(0.0, min(1.0, 1.0 - (t - GASP_S) / SETTLE_S))
    first = first * first * (3 - 2 * first)
    k = math.floor(t / SIGH_EVERY_S)
    start = (k + 0.75 * unit(seed ^ 0x5E1, k)) * SIGH_EVERY_S
    f = (t - start) / SIGH_S
    sigh = 0.6 * math.sin(math.pi * f) ** 2 if 0.0 <= f <= 1.0 and k > 0 else 0.0
    return max(first, sigh)


def _gesture(motion: Motion, t: float, seed: int, amount: float) -> None:
    """Arms that speak: each beat raises an arm into a gesture and lets it down again."""
    pack = packs.gestures()
    for index, side in enumerate(SIDES):
        x = t / pack.beat_s + index * 0.5
        k = math.floor(x)
        if unit(seed ^ (0x6E5 + index), k) < pack.rest:
            continue
        gesture = pack.gestures[int(unit(seed ^ (0x7A1 + index), k) * len(pack.gestures)) % len(pack.gestures)]
        f = x - k
        w = min(1.0, f / 0.35, (1.0 - f) / 0.35)
        w = w * w * (3 - 2 * w) * amount * (1.0 - motion.ch[f"{side}.reach"] * 0.999)
        beat = math.sin(f * math.tau * 1.5) * 6.0
        for name, pair in (("upper", gesture.upper), ("fore", (gesture.fore[0] + beat, gesture.fore[1]))):
            for i in (0, 1):
                channel = f"{side}.{name}.{i}"
                motion.ch[channel] += (pair[i] - motion.ch[channel]) * w
        motion.ch[f"{side}.wrist"] += (gesture.wrist - motion.ch[f"{side}.wrist"]) * w
        if w > 0.5:
            motion.hands[side] = gesture.hand


def _live(motion: Motion, acting: Acting, seed: int, face: Face) -> None:
    """Breathing, swaying, looking about, speaking: added to the pose."""
    t, ch, amount = acting.t, motion.ch, motion.sheet.idle
    offset = unit(seed, 1) * 10
    motion.breath = math.sin(math.tau * (t + offset) / 3.7) * min(1.0, amount + 0.3)
    motion.sway = math.sin(math.tau * (t + offset) / 5.9) * 2.6 * amount
    motion.hair = noise(t, seed ^ 0x4A, 1.3) * 0.6 + math.sin(math.tau * t / motion.sheet.period) * (
        0.5 if motion.sheet.cycle else 0.15
    )
    motion.blink = blink_at(t + offset, seed)
    ch["lean.1"] += motion.sway * 0.35
    ch["lean.0"] += motion.breath * -0.5
    ch["shrug"] += (motion.breath * 0.5 + 0.5) * 0.05 * amount
    ch["head.tilt"] += noise(t, seed ^ 0x11, 0.45) * 2.2 * amount
    ch["head.turn"] += noise(t, seed ^ 0x12, 0.4) * 4.0 * amount
    ch["head.nod"] += noise(t, seed ^ 0x13, 0.6) * 1.6 * amount
    for index, side in enumerate(SIDES):
        drift = noise(t, seed ^ (0x21 + index), 0.5) * amount
        ch[f"{side}.upper.1"] += drift * 1.2 + motion.breath * 0.5
        ch[f"{side}.fore.0"] += drift * 2.4
    if face.tremble:
        motion.tremble = math.sin(t * math.tau * 9.0) * face.tremble * 0.9
    if acting.speaking:
        lively = max(0.0, min(1.0, acting.energy))
        voice = (0.5 + 0.5 * acting.mouth_open) * lively
        ch["head.nod"] += math.sin(t * math.tau * 1.15) * 3.2 * voice
        ch["head.tilt"] += noise(t, seed ^ 0x31, 1.1) * 4.0 * lively
        ch["head.turn"] += noise(t, seed ^ 0x32, 0.9) * 5.0 * lively
        ch["lean.0"] += (2.0 + noise(t, seed ^ 0x33, 0.7) * 2.0) * lively
        motion.brow = (noise(t, seed ^ 0x34, 1.6) * 0.3 + 0.22 * acting.mouth_open) * lively
        _gesture(motion, t, seed, motion.sheet.talk * lively)


def _mirror(motion: Motion) -> None:
    ch = motion.ch
    for name in [name for name in ch if name.startswith("left.")]:
        other = "right" + name[4:]
        ch[name], ch[other] = ch[other], ch[name]
    for name in _MIRRORED:
        ch[name] = -ch[name]
    motion.hands = {"left": motion.hands["right"], "right": motion.hands["left"]}
    motion.reach = {"left": motion.reach["right"], "right": motion.reach["left"]}


def move(acting: Acting, face: Face, seed: int, lean: float) -> Motion:
    """The channels of a pose at an instant, with the idle life of this character.

    Args:
        acting: what is asked for.
        face: of the expression; it tilts the head and lifts the shoulders.
        seed: of the character.
        lean: degrees that the body always leans forward (old age).

    Raises:
        InvalidInput: there is no such pose.
    """
    known = packs.poses().poses
    if acting.pose not in known:
        raise InvalidInput(f"there is no pose {acting.pose!r}", where="pose", hint=f"Known: {', '.join(known)}.")
    sheet = known[acting.pose]
    tracks = _tracks(acting.pose)
    start = unit(seed, 7) if acting.moving and sheet.idle >= 1.0 else 0.0
    phase = (acting.t / sheet.period + start) % 1.0 if acting.moving else sheet.still
    ch = dict(tracks.base)
    for name, keys in tracks.moving.items():
        ch[name] = _cyclic(keys, phase)
    hands = {side: [shape for at, shape in keys if at <= phase + 1e-9][-1] for side, keys in tracks.hands.items()}
    motion = Motion(sheet, ch, hands, dict(tracks.reach), phase=phase)
    ch["lean.0"] += lean
    ch["head.nod"] += face.head[1] - lean * 0.5
    ch["head.tilt"] += face.head[0]
    ch["shrug"] += face.shrug
    if acting.moving:
        _live(motion, acting, seed, face)
    if acting.facing == "left":
        _mirror(motion)
    if acting.blink is not None:
        motion.blink = acting.blink
    return motion
