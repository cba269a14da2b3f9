"""Who does what at each instant: lips from the speech, listeners who look at the speaker, gestures while talking."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tools.layout.puppet import Acting
from tools.storyboard import Placement
from tools.timeline import LineTime, MouthCue, MouthShape

__all__ = ["Delivered", "Performance"]

SETTLE_S = 0.25
"""Seconds the eyes take to find a new speaker, and that a speaker stays lively after the last word."""
RISE_S, FALL_S = 0.3, 0.6
"""Seconds in which gestures rise as a line begins, a third of it before the first sound, and in which they fall after
it: slowly, so that the hands stay up between two lines of one speaker."""
ENVELOPE_HZ = 50


def _start(cue: MouthCue) -> float:
    return cue.start


@dataclass(frozen=True)
class Delivered:
    """A spoken line laid into the shot.

    Attributes:
        character: who says it.
        time: where it lies in the shot.
        mouth: shapes, times from the start of the clip.
        loudness: 0..1, 50 values a second from the start of the clip.
    """

    character: str
    time: LineTime
    mouth: tuple[MouthCue, ...] = ()
    loudness: tuple[float, ...] = ()

    def shape_at(self, t: float) -> MouthShape:
        """Shape of the mouth `t` seconds into the shot."""
        at = t - self.time.offset
        index = bisect_right(self.mouth, at, key=_start) - 1
        return self.mouth[index].shape if index >= 0 else "rest"

    def open_at(self, t: float) -> float:
        """Loudness `t` seconds into the shot, between the samples of the envelope."""
        place = (t - self.time.offset) * ENVELOPE_HZ
        index = int(place)
        if place < 0 or index >= len(self.loudness):
            return 0.0
        after = self.loudness[min(index + 1, len(self.loudness) - 1)]
        return self.loudness[index] + (after - self.loudness[index]) * (place - index)

    def energy_at(self, t: float) -> float:
        """0..1, how far the line has taken hold of who says it: eased, so that hands and head do not jump."""
        u = max(0.0, min(1.0, (t - self.time.start) / RISE_S + 1 / 3, (self.time.end - t) / FALL_S + 1))
        return u * u * (3 - 2 * u)


@dataclass(frozen=True)
class _Actor:
    placement: Placement
    x: float
    eye_y: float
    height: float


class Performance:
    """The acting of a shot as a function of time.

    Args:
        placements: who is on stage.
        xs: world x by character.
        eye_ys: world y of the eyes by character.
        heights: standing heights by character, world units.
        lines: what is said, in order.
    """

    def __init__(
        self,
        placements: Sequence[Placement],
        xs: dict[str, float],
        eye_ys: dict[str, float],
        heights: dict[str, float],
        lines: Sequence[Delivered] = (),
    ) -> None:
        self._cast = {
            p.character: _Actor(p, xs[p.character], eye_ys[p.character], heights[p.character]) for p in placements
        }
        self._lines = tuple(lines)

    def speaker_at(self, t: float) -> str | None:
        """Who is speaking, or was a moment ago; None in silence."""
        for line in self._lines:
            if line.time.start - SETTLE_S * 0.5 <= t <= line.time.end + SETTLE_S:
                return line.character
        return None

    def acting(self, character: str, t: float, *, moving: bool = True) -> Acting:
        """What a character does `t` seconds into the shot."""
        placement = self._cast[character].placement
        own = [line for line in self._lines if line.character == character]
        line = next((x for x in own if x.time.start - 0.05 <= t <= x.time.end + 0.05), None)
        energy = max((x.energy_at(t) for x in own), default=0.0)
        return Acting(
            pose=placement.pose,
            expression=placement.expression,
            facing=placement.facing,
            t=t,
            mouth=line.shape_at(t) if line else self._silent_mouth(character, t),
            mouth_open=line.open_at(t) if line else 0.0,
            speaking=energy > 0.0,
            energy=energy,
            look_at=self._gaze(character, t) if moving else self._glance(character, None),
            moving=moving,
        )

    def _silent_mouth(self, character: str, t: float) -> MouthShape | None:
        """Who has a line in this shot, or listens to one, keeps the mouth shut: so one sees who speaks."""
        speaks = any(line.character == character for line in self._lines)
        return "rest" if speaks or self.speaker_at(t) is not None else None

    def _gaze(self, character: str, t: float) -> tuple[float, float] | None:
        """Where the eyes are at `t`: they glide from one target to the next instead of jumping."""
        now = self._glance(character, self.speaker_at(t))
        before = self._glance(character, self.speaker_at(t - SETTLE_S))
        if now == before:
            return now
        a, b = before or (0.0, 0.0), now or (0.0, 0.0)
        changed = self._changed_since(t)
        u = min(1.0, changed / SETTLE_S)
        u = u * u * (3 - 2 * u)
        return (a[0] + (b[0] - a[0]) * u, a[1] + (b[1] - a[1]) * u)

    def _changed_since(self, t: float) -> float:
        """Seconds since the speaker changed, looking back no farther than the eyes need."""
        now, steps = self.speaker_at(t), 12
        for step in range(1, steps + 1):
            if self.speaker_at(t - SETTLE_S * step / steps) != now:
                return SETTLE_S * (step - 0.5) / steps
        return SETTLE_S

    def _glance(self, character: str, speaker: str | None) -> tuple[float, float] | None:
        """Where a character looks: at the speaker; a speaker, and everybody in silence, at the nearest other."""
        me = self._cast[character]
        others = {name: actor for name, actor in self._cast.items() if name != character}
        if not others or me.placement.facing == "back":
            return None
        target = others.get(speaker or "") or min(others.values(), key=lambda o: (abs(o.x - me.x), o.x))
        dx, dy = target.x - me.x, target.eye_y - me.eye_y
        away = {"left": -1, "right": 1}.get(me.placement.facing, 0) * dx < 0
        if speaker is None and away:
            return None
        reach = max(me.height, 1.0)
        return (max(-0.85, min(0.85, dx / reach * 1.1)), max(-0.6, min(0.6, dy / reach * 1.1)))
