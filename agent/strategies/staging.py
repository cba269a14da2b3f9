"""Another staging of a shot, by rules: what helps where moving the camera a little did not.

Checks of a picture say what is wrong in one of three ways: people are too small, they are cut off, or they hide one
another. Each has one answer that changes the shot itself: a closer framing, a wider one, people set apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from agent.strategies.risks import MOST_IN_FRAME
from agent.strategies.variations import CLOSER, WIDER
from tools.storyboard import Placement, Shot

__all__ = ["Fix", "fix_for", "restaged"]

Fix = Literal["closer", "wider", "apart"]
_ANSWERS: dict[str, Fix] = {
    "visible": "closer",
    "face_contrast": "closer",
    "in_frame": "wider",
    "face_in_frame": "wider",
    "not_hidden": "apart",
    "face_clear": "apart",
    "order": "apart",
}
_MARGIN = 0.16


def fix_for(failed: Sequence[str]) -> Fix | None:
    """What answers the failed checks, the worst first; None where staging is not what they are about.

    Args:
        failed: names of checks, perhaps with whom they are about: `face_in_frame.luca`.
    """
    return next((_ANSWERS[name] for one in failed if (name := one.partition(".")[0]) in _ANSWERS), None)


def restaged(shot: Shot, fix: Fix) -> Shot | None:
    """The shot staged in another way; None where that is the way it is already."""
    if fix == "apart":
        placements = _apart(shot.placements)
        crowded = len(placements) > MOST_IN_FRAME[shot.framing]
        framing = WIDER[shot.framing] if crowded or placements == shot.placements else shot.framing
        changed = shot.model_copy(update={"placements": placements, "framing": framing})
    else:
        changed = shot.model_copy(update={"framing": (CLOSER if fix == "closer" else WIDER)[shot.framing]})
    if fix == "closer" and len(shot.placements) > MOST_IN_FRAME[changed.framing]:
        return None
    return None if changed == shot else changed


def _apart(placements: list[Placement]) -> list[Placement]:
    """The same people in the same order, evenly from one side to the other."""
    if len(placements) < 2:
        return placements
    order = sorted(range(len(placements)), key=lambda index: placements[index].x)
    step = (1.0 - 2 * _MARGIN) / (len(placements) - 1)
    places = {index: round(_MARGIN + step * rank, 3) for rank, index in enumerate(order)}
    return [one.model_copy(update={"x": places[index]}) for index, one in enumerate(placements)]
