"""A shot's own prompt tells what was in it when it was written: one that was changed since goes back to none."""

from __future__ import annotations

from agent.planners.offline.notes import Notes
from tools.storyboard import Shot, Storyboard

__all__ = ["without_stale_prompts"]


def without_stale_prompts(before: Storyboard, after: Storyboard, notes: Notes) -> Storyboard:
    """The storyboard without the prompts of shots in which something visible has changed; the shot tells all itself."""
    if not any(shot.prompt or shot.negative for shot in after.shots):
        return after
    earlier = {shot.id: _seen(shot, before) for shot in before.shots}
    words = {shot.id: (shot.prompt, shot.negative) for shot in before.shots}
    shots, stale = [], 0
    for shot in after.shots:
        known = shot.id in earlier and (shot.prompt, shot.negative) == words[shot.id]
        if known and (shot.prompt or shot.negative) and _seen(shot, after) != earlier[shot.id]:
            shot = shot.model_copy(update={"prompt": None, "negative": None})
            stale += 1
        shots.append(shot)
    if not stale:
        return after
    notes.assume("prompts_dropped", count=stale)
    return after.model_copy(update={"shots": shots})


def _seen(shot: Shot, board: Storyboard) -> object:
    """All that a picture of the shot shows."""
    who = {placement.character for placement in shot.placements}
    cast = [member.model_dump() for member in board.cast if member.id in who]
    shown = Shot(
        id="shot",
        framing=shot.framing,
        camera=shot.camera,
        location=shot.location,
        time_of_day=shot.time_of_day,
        weather=shot.weather,
        action=shot.action,
        text_overlay=shot.text_overlay,
        placements=shot.placements,
        control=shot.control,
    )
    return shown, cast, board.style
