"""Other ways to stage a storyboard, by rules: what the user fixed stays as it is, all else may be seen differently.

    closer    every second shot with people one step closer, so that faces are seen
    moving    still cameras push in or pan, the last one pulls out
    quicker   wordless shots a quarter shorter, where no length was asked for

Pure functions; each gives a valid storyboard of the same shots, people and words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agent.intent import Intent
from agent.strategies.risks import MOST_IN_FRAME
from tools.storyboard import Camera, Framing, Shot, Storyboard

__all__ = ["CLOSER", "WIDER", "fixed_by", "varied"]

CLOSER: dict[Framing, Framing] = {
    "wide": "full",
    "full": "medium",
    "medium": "close",
    "close": "close",
    "detail": "detail",
}
WIDER: dict[Framing, Framing] = {"detail": "close", "close": "medium", "medium": "full", "full": "wide", "wide": "wide"}
SHORTER = 0.75
SHORTEST_S = 2.0


def varied(board: Storyboard, intent: Intent) -> Iterator[tuple[str, Storyboard]]:
    """Each variation with its name; the storyboard itself is not among them."""
    fixed = fixed_by(intent)
    ways: list[tuple[str, Callable[[int, Shot], dict[str, Any]]]] = []
    if "framing" not in fixed:
        ways.append(("closer", _closer))
    if "camera" not in fixed:
        ways.append(("moving", lambda number, shot: _moving(number, shot, len(board.shots))))
    if "duration" not in fixed:
        ways.append(("quicker", _quicker))
    for name, way in ways:
        shots = [shot.model_copy(update=way(number, shot)) for number, shot in enumerate(board.shots)]
        if shots != board.shots:
            total = round(sum(shot.duration_s for shot in shots), 3)
            yield (
                name,
                Storyboard.model_validate(
                    {**board.model_dump(), "shots": [shot.model_dump() for shot in shots], "duration_s": total}
                ),
            )


def fixed_by(intent: Intent) -> set[str]:
    """What of the staging the user said himself, anywhere in the request."""
    brief = intent.brief
    if brief is None:
        return {"framing", "camera", "duration"}
    found = {name for beat in brief.beats for name in ("framing", "camera") if getattr(beat, name) is not None}
    if brief.duration_s or any(beat.duration_s for beat in brief.beats):
        found.add("duration")
    return found


def _closer(number: int, shot: Shot) -> dict[str, Any]:
    nearer = CLOSER[shot.framing]
    people = len(shot.placements)
    return {"framing": nearer} if number % 2 == 1 and 0 < people <= MOST_IN_FRAME[nearer] else {}


def _moving(number: int, shot: Shot, count: int) -> dict[str, Any]:
    last = number == count - 1
    camera: Camera = "pull" if last else ("push", "pan")[number % 2]
    return {"camera": camera} if shot.camera == "static" else {}


def _quicker(_number: int, shot: Shot) -> dict[str, Any]:
    shorter = max(SHORTEST_S, round(shot.duration_s * SHORTER, 1))
    return {"duration_s": shorter} if not shot.dialogue and shorter < shot.duration_s else {}
