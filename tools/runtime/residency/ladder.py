"""Memory ran out: which step down comes next, and what is written down about it. Pure; the steps are ladder.yaml's.

ladder = Ladder.of(load_ladders(), "generate_image")
while True:
    try: ...
    except OutOfMemory as error:
        down = ladder.next(tried, placing, supports, others)     # raises the error where no step is left
        if down.frees: evict the others
        placing, tried = down.placing, [*tried, down.step.name]
        tell down.text; keep down.record(error) with the result
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from configs.ladder import LadderFile, LadderStep
from tools.errors import OutOfMemory
from tools.model import Placing

__all__ = ["Ladder", "NoStepLeft", "StepDown"]

_QUANTISE = ("none", "int8", "int4")
_OFFLOAD = ("none", "group", "sequential")
_OF_CALLS = ("slice", "tile", "smaller")
"""Steps after which a call takes less, and its weights as much as before."""


class NoStepLeft(OutOfMemory):
    """Every step was taken or is impossible; `tried` and `skipped` (name, reason) say which."""

    retryable = False

    def __init__(self, message: str, tried: Sequence[str], skipped: Sequence[tuple[str, str]]) -> None:
        done = f"Tried: {', '.join(tried)}. " if tried else ""
        rest = "; ".join(f"{name}: {reason}" for name, reason in skipped)
        super().__init__(message, hint=f"{done}Not possible: {rest}." if rest else done.strip())
        self.tried = tuple(tried)
        self.skipped = tuple(skipped)


@dataclass(frozen=True)
class StepDown:
    """The step to take now.

    Attributes:
        step: of ladder.yaml.
        before, placing: how models were loaded, and are to be from now on; the same for `free`.
        skipped: steps above it that were passed over, with the reason.
    """

    step: LadderStep
    before: Placing
    placing: Placing
    skipped: tuple[tuple[str, str], ...]

    @property
    def frees(self) -> bool:
        """Whether the other models are to leave the device."""
        return self.step.step == "free"

    @property
    def reloads(self) -> bool:
        """Whether the models must be loaded anew: their weights take another form, not only the calls."""
        return self.step.step in ("offload", "quantise")

    @property
    def changes_result(self) -> bool:
        """Whether the result is another one, by more than rounding."""
        return self.step.changes_result

    @property
    def text(self) -> str:
        """One line for people."""
        more = [f"about {self.step.slower:g} times slower"] if self.step.slower > 1 else []
        more += ["the result is not the one asked for"] if self.changes_result else []
        return f"{self.step.name}: {self.step.about}" + (f" ({', '.join(more)})" if more else "")

    def record(self, because: OutOfMemory) -> dict[str, Any]:
        """For the events of the run and the record of the artifact."""
        return {
            "step": self.step.step,
            "name": self.step.name,
            "about": self.step.about,
            "changes_result": self.changes_result,
            "because": because.message,
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
        }


@dataclass(frozen=True)
class Ladder:
    """The steps of one tool, from the mildest to the last."""

    steps: tuple[LadderStep, ...]

    @classmethod
    def of(cls, file: LadderFile, tool: str) -> Ladder:
        """The tool's own ladder, or the default one."""
        return cls(file.ladders.get(tool, file.ladders["default"]))

    def next(
        self,
        tried: Sequence[str],
        placing: Placing,
        supports: Collection[str],
        others: Collection[str] = (),
        *,
        error: OutOfMemory | None = None,
        may_change_result: bool = True,
    ) -> StepDown:
        """The mildest step that was not taken yet and can be.

        Args:
            tried: names of steps that were taken for this call, in order; one may stand there several times.
            placing: how its models are loaded now.
            supports: what the engine and its models can do: `slice`, `tile`, `offload`, `int8`, `int4`, `smaller`.
            others: models on the device that this call does not need.
            error: what happened: where the weights did not fit, steps that spare only the calls are passed over.
            may_change_result: False passes over steps that give another result.

        Raises:
            NoStepLeft: nothing more can be done.
        """
        skipped: list[tuple[str, str]] = []
        for step in self.steps:
            reason = _why_not(step, tried, placing, supports, others)
            if not reason and error is not None and error.of_weights and step.step in _OF_CALLS:
                reason = "it spares the calls, and the weights do not fit"
            if not reason and step.changes_result and not may_change_result:
                reason = "it would change the result"
            if not reason:
                return StepDown(step, placing, _apply(step, placing), tuple(skipped))
            if step.name not in tried:
                skipped.append((step.name, reason))
        raise NoStepLeft(error.message if error else "Memory ran out.", tried, skipped)


def _why_not(
    step: LadderStep, tried: Sequence[str], placing: Placing, supports: Collection[str], others: Collection[str]
) -> str:
    """Why a step cannot be taken now; empty where it can."""
    if step.step == "free":
        return "" if others else "nothing else is on the device"
    if list(tried).count(step.name) >= step.times:
        return "it was taken"
    missing = [need for need in step.needs or (step.step,) if need not in supports]
    if missing:
        return f"the engine cannot do {', '.join(missing)}"
    if step.step != "smaller" and _apply(step, placing) == placing:
        return "it is so already"
    return ""


def _apply(step: LadderStep, placing: Placing) -> Placing:
    """`placing` one step further down; the same where it is there, or further, already."""
    match step.step:
        case "free":
            return placing
        case "slice":
            return replace(placing, sliced=True)
        case "tile":
            return replace(placing, tiled=True)
        case "smaller":
            return replace(placing, smaller=placing.smaller + 1)
        case "offload":
            assert step.set.offload is not None
            return replace(placing, offload=max(placing.offload, step.set.offload, key=_OFFLOAD.index))
        case "quantise":
            assert step.set.quantise is not None
            return replace(placing, quantise=max(placing.quantise, step.set.quantise, key=_QUANTISE.index))
