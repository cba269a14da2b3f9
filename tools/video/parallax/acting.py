"""How people in a still live: they breathe, shift their weight, and their heads go with their words.

Small on purpose. A picture that is bent more than this looks like rubber; the eye takes little for life.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from tools.video.parallax.still import Person

__all__ = ["Life"]

SWAY = 0.0065
"""How far the head moves aside with the weight of the body, as a part of the body's height."""
BREATH = 0.0042
"""How far the shoulders rise with a breath, as a part of the body's height."""
CHEST = 0.011
"""How much wider the chest becomes."""
TILT = math.radians(0.9)
"""How far a head leans while its owner looks around."""
NOD = 0.035
"""How far a stressed word takes the head down, as a part of the face's height; and leans it."""
NOD_TILT = math.radians(1.1)
NOD_S = 0.34
"""How long a word's nod lasts."""
FLOAT = 0.011
"""How far one who floats rises and sinks."""


def _smooth(values: np.ndarray) -> np.ndarray:
    clipped = np.clip(values, 0.0, 1.0)
    result: np.ndarray = clipped * clipped * (3 - 2 * clipped)
    return result


@dataclass(frozen=True)
class Life:
    """How one character moves.

    Attributes:
        person: of the still.
        words: start and end of every word it says, seconds from the shot's first frame.
        floating: under water: nothing holds the feet.
        seed: of the rhythm.
    """

    person: Person
    words: Sequence[tuple[float, float]] = ()
    floating: bool = False
    seed: int = 0
    _rhythm: tuple[float, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        dice = Random(f"life/{self.person.id}/{self.seed}")
        periods = (dice.uniform(3.3, 4.0), dice.uniform(4.6, 6.0), dice.uniform(6.3, 8.2), dice.uniform(3.8, 5.2))
        phases = tuple(dice.uniform(0, math.tau) for _ in range(4))
        object.__setattr__(self, "_rhythm", (*periods, *phases, dice.choice((-1.0, 1.0))))

    def _wave(self, number: int, t: float) -> float:
        return math.sin(math.tau * t / self._rhythm[number] + self._rhythm[4 + number])

    def nod(self, t: float) -> float:
        """How deep the head is in a nod, 0..1: one for each word, the longer ones deeper, none a jerk."""
        depth = 0.0
        for start, end in self.words:
            # The head is lowest as the vowel sounds, a little after the word begins.
            from_peak = (t - (start + min(0.12, (end - start) / 2))) / NOD_S
            if abs(from_peak) < 1:
                weight = 0.45 + 0.55 * min(1.0, (end - start) / 0.45)
                depth = max(depth, weight * (0.5 + 0.5 * math.cos(math.pi * from_peak)))
        return depth

    def moved(self, x: np.ndarray, y: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the points of the still (pixels) are at `t` seconds, by this movement alone.

        Returns:
            x and y, of the shape of what was given.
        """
        x0, y0, x1, y1 = self.person.stage.body
        height, middle = max(y1 - y0, 1.0), (x0 + x1) / 2
        # One who sits or lies has less to sway with.
        upright = min(1.0, height / max(x1 - x0, 1.0) / 1.6)
        up = np.clip((y1 - y) / height, 0.0, 1.1)
        breath = 0.5 + 0.5 * self._wave(0, t)
        weight = self._wave(1, t) + 0.35 * self._wave(2, t)
        dx = SWAY * height * upright * weight * up**1.5
        dy = -BREATH * height * breath * _smooth((up - 0.3) / 0.35)
        chest = np.exp(-(((up - 0.55) / 0.13) ** 2)) * np.exp(-(((x - middle) / (0.6 * (x1 - x0) + 1)) ** 2))
        dx = dx + (x - middle) * CHEST * breath * chest * upright
        if self.floating:
            dx = dx + FLOAT * height * self._wave(2, t)
            dy = dy + FLOAT * height * self._wave(3, t)
        head_x, head_y = self._head(x, y, t)
        return x + dx + head_x, y + dy + head_y

    def _head(self, x: np.ndarray, y: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
        """How the head leans and nods about the neck."""
        x0, y0, x1, y1 = self.person.stage.face
        tall, wide, middle = max(y1 - y0, 1.0), max(x1 - x0, 1.0), (x0 + x1) / 2
        neck = y1 + 0.08 * tall
        # All of the head, hair and ears included; nothing of an arm that is raised beside it.
        share = _smooth((neck - y) / (0.42 * tall)) * np.exp(-(((x - middle) / (1.5 * wide)) ** 6))
        nod = self.nod(t)
        angle = TILT * (0.7 * self._wave(2, t) + 0.3 * self._wave(3, t)) + NOD_TILT * nod * self._rhythm[8]
        down = NOD * tall * nod
        from_x, from_y = x - middle, y - neck
        sine, cosine = math.sin(angle), math.cos(angle) - 1
        return share * (from_x * cosine - from_y * sine), share * (from_x * sine + from_y * cosine + down)
