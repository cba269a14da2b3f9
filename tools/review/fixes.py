"""What to change for the next attempt: from the failed checks to new arguments of the call.

A check says with its `fix` by how much its own measure missed (see `tools.review.verdict.Levers`); here the wishes of
all failed checks are brought together, kept within what the tool accepts, and made a little stronger each attempt.
Pure functions on plain data: no result is opened and nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.image.tool import StageAdjustment
from tools.review.limits import default_limits
from tools.review.painting import WISHES, painted
from tools.review.scoring import base_name
from tools.review.tool import Check

__all__ = ["Fix", "failed_first", "propose"]

STRONGER = 0.35
"""By how much of itself a correction grows with every attempt: the first one fell short."""
WIDER = 0.88
"""The picture is widened to this where two checks pull in opposite directions."""
PLAIN = {"rate": (0.6, 1.6), "target_lufs": (-30.0, -9.0)}
"""Arguments that a fix sets outright, with what their tools accept."""


@dataclass(frozen=True)
class Fix:
    """The next attempt.

    Attributes:
        args: all arguments of the call, changed.
        seed_step: to be added to the call's seed; 0 leaves it alone.
        reason: which check asked for what, in one sentence.
    """

    args: dict[str, Any]
    seed_step: int
    reason: str


def propose(
    kind: str,
    args: dict[str, Any],
    checks: list[Check],
    attempt: int,
    tried: Sequence[Mapping[str, Any]] = (),
    *,
    seed_helps: bool = True,
    levers: Collection[str] = (),
    picture: str = "",
) -> Fix | None:
    """What to try next.

    Args:
        kind: of the review: image, speech, music, sound, subtitles, shot, film.
        args: the arguments that gave the result; not changed.
        checks: of that result.
        attempt: number of the attempt that gave it, from 1.
        tried: arguments of earlier attempts; none of them is proposed again with the same seed.
        seed_helps: False where another seed has been tried and changed nothing of what the judge measures.
        levers: what can be changed for the engine at work (`levers` of engines.yaml).
        picture: id of the result that fell short, where a part of it may be drawn anew.

    Returns:
        None where nothing failed, or nothing that failed can be mended by other arguments or another seed.
    """
    failed = [_able(check, levers) for check in failed_first(checks)]
    if not any(check.fix for check in failed):
        return None
    for factor in (1.0, 1.5, 0.6):
        strength = (1 + STRONGER * (max(1, attempt) - 1)) * factor
        changed, said = _changed_args(kind, args, failed, strength)
        if kind == "image":
            changed, more = painted(changed, failed, strength, levers, picture, moved=bool(said))
            said = [*said, *more]
        if changed != args and all(changed != dict(other) for other in tried):
            return Fix(changed, 0, _reason(failed, said))
    if seed_helps and any(name in check.fix for check in failed for name in ("seed", "take")):
        return Fix(dict(args), 1, _reason(failed, ["another seed"]))
    return None


def failed_first(checks: Iterable[Check]) -> list[Check]:
    """The failed checks, the one that weighs most first."""
    return sorted((check for check in checks if check.status == "failed"), key=_severity)


def _able(check: Check, levers: Collection[str]) -> Check:
    """The check with those of its wishes alone that can change anything with these levers."""
    fix = {name: value for name, value in check.fix.items() if WISHES.get(name, "") in ("", *levers)}
    # How strongly is no wish of its own.
    return check.model_copy(update={"fix": {} if fix.keys() == {"amount"} else fix})


def _severity(check: Check) -> tuple[bool, float, str]:
    weight = default_limits().weights[base_name(check.name)]
    return (not weight.hard, -weight.weight * (1 - (check.score or 0.0)), check.name)


def _reason(failed: list[Check], said: Iterable[str]) -> str:
    mended = next(check for check in failed if check.fix)
    return f"{mended.name}: {mended.detail}; trying {', '.join(said)}"


def _changed_args(
    kind: str, args: dict[str, Any], failed: list[Check], strength: float
) -> tuple[dict[str, Any], list[str]]:
    """The arguments with every wish in them, and what was changed, in words."""
    if kind in ("image", "shot"):
        before = StageAdjustment.model_validate(args.get("adjust") or {})
        after = _adjusted(before, failed, strength)
        if after == before:
            return dict(args), []
        changes = [
            f"{name} {value:g}" if not isinstance(value, dict) else f"dx {value}"
            for name, value in after.model_dump().items()
            if value != getattr(before, name)
        ]
        return {**args, "adjust": after.model_dump(mode="json")}, changes
    changed, said = dict(args), []
    for name, (low, high) in PLAIN.items():
        wishes = [float(check.fix[name]) for check in failed if name in check.fix]
        if wishes:
            # What to set was measured, not guessed; later attempts go past it as far as the first one fell short.
            old = float(args.get(name, wishes[0]))
            value = round(min(high, max(low, old + (wishes[0] - old) * max(1.0, strength))), 3)
            if name == "rate":
                value = min(value, max(old, default_limits().speech.max_rate))
            if value != args.get(name):
                changed[name] = value
                said.append(f"{name} {value:g}")
    return changed, said


def _adjusted(before: StageAdjustment, failed: list[Check], strength: float) -> StageAdjustment:
    """The layout with every wish in it; where two pull in opposite directions, the picture gets wider instead."""
    zooms = _wishes(failed, "zoom")
    dy, torn = _one_way(_wishes(failed, "dy"))
    dx: dict[str, float] = {}
    characters = dict.fromkeys(name.removeprefix("dx.") for c in failed for name in c.fix if name.startswith("dx."))
    for character in characters:
        dx[character], also_torn = _one_way(_wishes(failed, f"dx.{character}"))
        torn = torn or also_torn
    if torn:
        zooms.append(WIDER)
    smaller = [zoom for zoom in zooms if zoom < 1]
    # To show all of someone comes before showing someone large; who is moved may be large enough there.
    zoom = min(smaller) if smaller else 1.0 if dy or any(dx.values()) else max(zooms, default=1.0)
    exposure = next(iter(_wishes(failed, "exposure")), 1.0)
    moved = {name: before.dx.get(name, 0.0) + shift * strength for name, shift in dx.items() if shift}
    return StageAdjustment(
        dx=before.dx | {name: _within(value, -0.5, 0.5) for name, value in moved.items()},
        zoom=_within(before.zoom * zoom**strength, 0.4, 2.0),
        dy=_within(before.dy + dy * strength, -0.5, 0.5),
        exposure=_within(before.exposure * exposure**strength, 0.4, 2.5),
    )


def _wishes(failed: list[Check], lever: str) -> list[float]:
    """What the failed checks wish of a lever, the most severe one first."""
    return [float(check.fix[lever]) for check in failed if lever in check.fix]


def _one_way(shifts: list[float]) -> tuple[float, bool]:
    """The largest shift, and whether others want the opposite (then the most severe check's counts)."""
    if not shifts:
        return 0.0, False
    torn = min(shifts) < 0 < max(shifts)
    return (shifts[0] if torn else max(shifts, key=abs)), torn


def _within(value: float, low: float, high: float) -> float:
    return round(min(high, max(low, value)), 4)
