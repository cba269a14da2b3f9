"""What the draft engine knows by name, and what a storyboard asks of it that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from tools.storyboard import Emotion, Storyboard

__all__ = ["check_storyboard", "expressions", "nearest", "own_place_words", "places", "poses"]


def places() -> list[str]:
    """Ids of every place that can be drawn."""
    from tools.layout.places import place_ids

    return place_ids()


def own_place_words() -> dict[str, list[str]]:
    """The words that mean each place of a folder of one's own, by its id."""
    from tools.layout.places import own_place_words as words

    return words()


def poses() -> list[str]:
    """Names of every pose."""
    from tools.layout.rig import pose_names

    return pose_names()


def expressions() -> list[str]:
    """Names of every expression: those of the storyboard that the rig has."""
    from tools.layout.rig import expression_names

    known = set(expression_names())
    return [name for name in get_args(Emotion) if name in known]


def nearest(name: str, known: Sequence[str], *, least: float = 60.0) -> str | None:
    """The known name most like `name` (rapidfuzz's weighted ratio, 0..100), or None if none is like it."""
    from rapidfuzz import fuzz, process

    def plain(text: str) -> str:
        return text.lower().replace("_", " ").replace("-", " ")

    found = process.extractOne(name, list(known), scorer=fuzz.WRatio, processor=plain, score_cutoff=least)
    return str(found[0]) if found else None


def check_storyboard(storyboard: Storyboard) -> list[str]:
    """One sentence for every pose and place that the renderer would have to replace, with the nearest known name."""
    found: list[str] = []
    known_places, known_poses = places(), poses()
    for shot in storyboard.shots:
        if shot.location not in known_places:
            found.append(_sentence(shot.id, "place", shot.location, known_places))
        for placement in shot.placements:
            if placement.pose not in known_poses:
                found.append(_sentence(shot.id, "pose", placement.pose, known_poses))
    return list(dict.fromkeys(found))


def _sentence(shot: str, kind: str, name: str, known: Sequence[str]) -> str:
    like = nearest(name, known)
    hint = f"the nearest is {like!r}" if like else f"known are {', '.join(known)}"
    return f"shot {shot}: no {kind} {name!r}; {hint}."
