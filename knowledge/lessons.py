"""What past generations teach: notes for who plans, and changes to start with that were measured to help.

A change is only recalled where what it was measured under is the same. What that is depends on what was changed: moving
the camera depends on who stands where in which place; light on the hour and the weather, too; another seed on
everything that is drawn. Pure functions on plain data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.generations import Change, Generation, MadePart
from knowledge.passage import Passage

__all__ = ["Facts", "Lesson", "conditions_of", "recall_change", "similar"]

LEAST_ALIKE = 0.5
"""How alike a past generation must be to be worth a word: half of who and where."""


@dataclass(frozen=True)
class Facts:
    """What a request is about, as far as it is known: ids of characters and places, times of day, moods."""

    characters: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """A change to start with, and where it comes from.

    Attributes:
        change: what to do otherwise from the start.
        before, after: the scores it was measured with.
        failed: the checks it mended.
        source: id of the generation.
        title: of that generation.
        verdict: of the person on it.
    """

    change: Change
    before: float
    after: float
    failed: tuple[str, ...]
    source: str
    title: str
    approved: bool


def conditions_of(tool: str, engine: str, args: Mapping[str, Any], seed: int, change: Change) -> str:
    """A digest of all that must be the same for a change to be of use again; empty where it never is.

    Args:
        tool, engine: of the call.
        args: of the call, without the change.
        seed: of the call, without the change.
        change: what was done otherwise.
    """
    if not change or _refers(args) or _refers(change.args):
        return ""
    levers = {name for name, value in change.args.items() if value != args.get(name)}
    staging = _plain(change.args.get("adjust"))
    if "adjust" in levers:
        levers = (levers - {"adjust"}) | {
            f"adjust.{name}" for name, value in staging.items() if value not in ({}, 0, 1)
        }
    same: dict[str, Any] = {"tool": tool, "engine": engine}
    rest = {name: value for name, value in args.items() if name not in change.args}
    shot = _plain(args.get("shot"))
    if not shot or change.seed_step or levers - _STAGE_LEVERS:
        # Another take, other words, another strength: everything that is made of must be the same.
        same |= {"args": rest, "seed": seed}
    else:
        same |= {name: rest.get(name) for name in ("width", "height", "style", "cast")}
        same |= {name: shot.get(name) for name in ("framing", "camera", "location", "placements")}
        same["control"] = shot.get("control") or []
        if "adjust.exposure" in levers:
            same |= {name: shot.get(name) for name in ("time_of_day", "weather")}
    text = json.dumps([sorted(levers), same], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


_STAGE_LEVERS = {"adjust.dx", "adjust.zoom", "adjust.dy", "adjust.exposure"}


def _plain(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _refers(value: Any) -> bool:
    """Whether the arguments name results of other calls: those are made anew each time."""
    if isinstance(value, Mapping):
        return set(value) == {"call", "key"} or any(_refers(one) for one in value.values())
    return isinstance(value, list) and any(_refers(one) for one in value)


def recall_change(
    past: Sequence[Generation], tool: str, engine: str, args: Mapping[str, Any], seed: int
) -> Lesson | None:
    """The change that helped most where all was as it is here; None where none did, or where it has misled since.

    Args:
        past: what was made; the order does not matter.
        tool, engine, args, seed: of the call as it would be made.
    """
    found: dict[str, tuple[MadePart, Generation]] = {}
    votes: dict[str, int] = {}
    matched: dict[str, str] = {}
    ordered = sorted(past, key=lambda one: (one.made, one.id))
    for generation in ordered:
        for part in generation.parts:
            if not part.helped or part.tool != tool or part.engine != engine:
                continue
            key = part.change.model_dump_json()
            if key not in matched:
                matched[key] = conditions_of(tool, engine, args, seed, part.change)
            if part.conditions != matched[key]:
                continue
            votes[key] = votes.get(key, 0) + 1
            if not part.recalled or key not in found:
                found[key] = (part, generation)
    for generation in ordered:
        for conditions, change in generation.misled:
            key = change.model_dump_json()
            if key in found and conditions == matched[key]:
                # Once misled weighs as much as twice helped: never make things worse.
                votes[key] -= 2
    liked = [(key, *pair) for key, pair in found.items() if votes[key] > 0]
    if not liked:
        return None
    _, part, generation = max(liked, key=lambda one: (one[1].score - one[1].before, one[1].score, one[2].made, one[0]))
    return Lesson(
        change=part.change,
        before=part.before,
        after=part.score,
        failed=part.failed,
        source=generation.id,
        title=generation.title,
        approved=generation.verdict == "approved",
    )


def similar(past: Iterable[Generation], facts: Facts, limit: int = 2) -> list[Passage]:
    """The past generations that are most like a request, best first, as notes.

    What the person took back is not among them. Of equals the approved, then the better, then the newer one.
    """
    ranked = []
    for generation in past:
        alike = _alike(generation, facts)
        if generation.verdict != "undone" and alike >= LEAST_ALIKE:
            ranked.append(((alike, generation.verdict == "approved", generation.score, generation.made), generation))
    ranked.sort(key=lambda pair: (pair[0], pair[1].id), reverse=True)
    return [generation.passage(round(min(1.0, rank[0]), 4)) for rank, generation in ranked[:limit]]


def _alike(generation: Generation, facts: Facts) -> float:
    """0..1: who counts most, then where, then when and how it feels. What is not known counts for neither."""
    pairs = [
        (3.0, generation.characters, facts.characters),
        (2.0, generation.places, facts.places),
        (0.5, generation.times, facts.times),
        (0.5, generation.moods, facts.moods),
    ]
    known = [(weight, set(theirs), set(ours)) for weight, theirs, ours in pairs if ours]
    if not facts.characters and not facts.places:
        return 0.0
    total = sum(weight for weight, _, _ in known)
    return sum(weight * len(theirs & ours) / len(theirs | ours) for weight, theirs, ours in known) / total
