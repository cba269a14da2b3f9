"""Where things stand in a place: floor, horizon, sun."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.storyboard import TimeOfDay

__all__ = ["NEAREST_Y", "Stage"]

NEAREST_Y = 760.0
"""World y at which the floor's depth value is 0: a little below the frame."""


class Stage(BaseModel):
    """The floor as a camera of one fixed height sees it; sizes shrink towards the horizon.

    Attributes:
        horizon: world y of the eye's height.
        near, back: world y of the floor at depth 0 and at depth 1, where characters may stand.
        sun: world x, y of what lights the place, for each time of day.
        blocked: world x ranges that big props take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon: float = Field(312, ge=0, le=600)
    near: float = Field(704, ge=400, le=740)
    back: float = Field(500, ge=300, le=700)
    sun: dict[TimeOfDay, tuple[float, float]]
    blocked: list[tuple[float, float]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _in_order(self) -> Stage:
        if not self.horizon + 40 <= self.back < self.near:
            raise ValueError("must be horizon + 40 <= back < near")
        missing = {"dawn", "day", "sunset", "night"} - set(self.sun)
        if missing:
            raise ValueError(f"sun: no position for {', '.join(sorted(missing))}")
        if any(a >= b for a, b in self.blocked):
            raise ValueError("blocked: each range is [left, right] with left < right")
        return self

    def floor_y(self, depth: float) -> float:
        """World y of the floor for depth 0 near .. 1 far."""
        return self.near + (self.back - self.near) * depth

    def scale_at(self, depth: float) -> float:
        """Size of things that stand at this depth; 1.0 at depth 0.3."""
        return (self.floor_y(depth) - self.horizon) / (self.floor_y(0.3) - self.horizon)

    def scale_y(self, y: float) -> float:
        """Size of things whose foot is at world y."""
        return (y - self.horizon) / (self.floor_y(0.3) - self.horizon)

    def item_depth(self, y: float) -> float:
        """Depth value of an item that stands on the floor at world y: 1 - disparity, as depth estimators see it."""
        return min(1.0, max(0.0, (NEAREST_Y - y) / (NEAREST_Y - self.horizon)))
