"""What the composer works on: beats with everything settled, and shots before they are staged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agent.intent import Performance
from tools.storyboard import Camera, Framing, Line, Mood, TimeOfDay, Weather

__all__ = ["Plays", "Scene", "ShotPlan"]

Plays = Literal["business", "reaction", "rest"]


@dataclass(frozen=True)
class Scene:
    """A beat with nothing left open: what it does not say is inherited or assumed.

    Attributes:
        people: who is there, in order from left to right.
        stated: what the request says of each one's performance.
        action: what happens, as the request tells it; empty when it tells nothing but who, where and when.
        leisure: the action leaves open what exactly they do (`they play`).
        words: the place as it was written, when it is none that we know.
    """

    location: str
    time_of_day: TimeOfDay
    weather: Weather
    people: tuple[str, ...]
    stated: dict[str, Performance]
    lines: tuple[Line, ...]
    action: str = ""
    leisure: bool = False
    overlay: str = ""
    words: str = ""
    framing: Framing | None = None
    camera: Camera | None = None
    mood: Mood | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class ShotPlan:
    """A shot of a scene: what it shows, what is said, how much of the time it gets.

    Attributes:
        opens: the first shot of its scene.
        wish: its length in seconds when nothing else decides.
        fixed: the length that the request gives it.
    """

    scene: Scene
    framing: Framing
    camera: Camera
    people: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    plays: Plays = "rest"
    opens: bool = False
    weight: float = 1.0
    wish: float = 4.0
    fixed: float | None = None
    fixed_framing: bool = field(default=False, compare=False)
