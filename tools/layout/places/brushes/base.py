"""What every brush is: parameters that a YAML file gives, and a way to paint them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from tools.layout.places.ink import Ink
from tools.layout.places.shapes import Point, wavy
from tools.storyboard import TimeOfDay, Weather

__all__ = ["Brush", "Curve"]


class Brush(BaseModel, ABC):
    """One element of a layer.

    Attributes:
        times, weathers: when it is there; empty means always.
        seed: other dice, for another variant of the same brush.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    segment: ClassVar[str] = "prop"

    times: tuple[TimeOfDay, ...] = ()
    weathers: tuple[Weather, ...] = ()
    seed: int = 0

    def color_refs(self) -> list[str]:
        """Palette names and `#rrggbb` that the element refers to (checked when the place is loaded)."""
        return [v for k, v in self if isinstance(v, str) and k.startswith("color")] + [
            c for k, v in self if isinstance(v, (list, tuple)) and k.startswith("color") for c in v
        ]

    @abstractmethod
    def paint(self, ink: Ink) -> None:
        """Add items to `ink.layer`."""


class Curve(BaseModel):
    """A lazy horizontal line: a shore, the crest of a dune."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    y: float
    swell: float = 10.0
    wave: float = Field(600.0, gt=10)
    phase: float = 0.0

    def points(self, x0: float, x1: float, *, lift: float = 0.0, step: float = 24.0) -> list[Point]:
        """Points from x0 to x1, `lift` units higher."""
        return wavy(x0, x1, self.y - lift, self.swell, self.wave, self.phase, step)
