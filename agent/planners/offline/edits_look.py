"""Edits of how shots look and sound: time, weather, place, framing, camera, aspect, overlay, music."""

from __future__ import annotations

from agent.intent import Edit
from agent.planners.offline.blocking import capacity, reblock, widest_needed
from agent.planners.offline.changes import Changes
from agent.planners.offline.direction import Business
from agent.planners.offline.phrasing import about
from agent.planners.offline.sound import ambience_of
from tools.storyboard import Framing, Placement, Shot, slugify

__all__ = [
    "mute_music",
    "set_aspect",
    "set_camera",
    "set_framing",
    "set_mood",
    "set_overlay",
    "set_place",
    "set_time",
    "set_weather",
]


def set_time(changes: Changes, edit: Edit) -> None:
    """Another time of day."""
    if edit.time_of_day is None:
        changes.problem("unclear_edit", op="time")
        return
    for at in changes.targets(edit):
        changes.replace(at, time_of_day=edit.time_of_day)


def set_weather(changes: Changes, edit: Edit) -> None:
    """Another weather."""
    if edit.weather is None:
        changes.problem("unclear_edit", op="weather")
        return
    for at in changes.targets(edit):
        changes.replace(at, weather=edit.weather)


def set_mood(changes: Changes, edit: Edit) -> None:
    """Another mood of the music."""
    if edit.mood is None:
        changes.problem("unclear_edit", op="music")
        return
    for at in changes.targets(edit):
        changes.replace(at, music=edit.mood)


def mute_music(changes: Changes, edit: Edit) -> None:
    """No music."""
    for at in changes.targets(edit):
        changes.replace(at, music=None)


def set_camera(changes: Changes, edit: Edit) -> None:
    """Another camera move."""
    if edit.camera is None:
        changes.problem("unclear_edit", op="camera")
        return
    for at in changes.targets(edit):
        changes.replace(at, camera=edit.camera)


def set_overlay(changes: Changes, edit: Edit) -> None:
    """Text over a picture; without a shot it goes on the first; empty text takes it off everywhere."""
    text = (edit.text or "").strip()[:200]
    targets = changes.targets(edit)
    if text and edit.shot is None:
        titled = [at for at in targets if changes.shots[at].text_overlay]
        targets = titled[:1] or targets[:1]
    for at in targets:
        changes.replace(at, text_overlay=text)


# -- place ------------------------------------------------------------------------------------------------------------


def set_place(changes: Changes, edit: Edit) -> None:
    """Another place: its sound comes along, people swim or stand as it lets them, business is that of the place."""
    location = edit.location or (slugify(edit.text) if edit.text else None)
    if location is None:
        changes.problem("unclear_edit", op="place")
        return
    for at in changes.targets(edit):
        shot = changes.shots[at]
        if shot.location == location:
            continue
        update: dict[str, object] = {"location": location, "placements": _moved(changes, shot, location)}
        if shot.ambience == ambience_of(shot.location, changes.direction):
            update["ambience"] = ambience_of(location, changes.direction)
        update |= _new_business(changes, shot, location)
        changes.replace(at, **update)


def _moved(changes: Changes, shot: Shot, location: str) -> list[Placement]:
    direction = changes.direction
    into, out = direction.floats(location), direction.floats(shot.location)
    if into == out:
        return shot.placements
    land_only = direction.acting.on_land_only
    poses = {p.character: "swim" if into and p.pose in land_only else p.pose for p in shot.placements}
    if out:
        poses = {who: "stand" if pose == "swim" else pose for who, pose in poses.items()}
    return [p.model_copy(update={"pose": poses[p.character]}) for p in shot.placements]


def _new_business(changes: Changes, shot: Shot, location: str) -> dict[str, object]:
    """A sandcastle does not go along to the kitchen: business of the old place becomes business of the new one."""
    direction = changes.direction
    old, new = direction.place(shot.location), direction.place(location)
    names = [changes.name(p.character) for p in shot.placements]

    def told(business: Business) -> bool:
        return any(about(business.text, names, direction, tongue) == shot.action for tongue in ("en", "it"))

    if not shot.action or not any(told(b) for b in (old.business if old else direction.anywhere)):
        return {}
    tongue = changes.tongue
    for business in new.business if new else direction.anywhere:
        unfit = {shot.weather, shot.time_of_day} & set(business.unless)
        if business.people <= len(names) and shot.framing in business.framings and not unfit:
            placements = [
                p.model_copy(
                    update={
                        "pose": business.poses[i % len(business.poses)],
                        "expression": business.expressions[i % len(business.expressions)],
                    }
                )
                for i, p in enumerate(shot.placements)
            ]
            return {"action": about(business.text, names, direction, tongue), "placements": placements}
    return {"action": ""}


# -- frame ------------------------------------------------------------------------------------------------------------


def set_framing(changes: Changes, edit: Edit) -> None:
    """Another framing; with a character, the frame is about that one."""
    if edit.framing is None:
        changes.problem("unclear_edit", op="framing")
        return
    for at in changes.targets(edit):
        shot = changes.shots[at]
        who = edit.character or (edit.performance.character if edit.performance else None)
        if who and who not in [p.character for p in shot.placements]:
            if edit.shot is None and any(p.character == who for s in changes.shots for p in s.placements):
                continue
            if edit.shot is not None and edit.framing == "close" and changes.member(who):
                _show_instead(changes, at, who)
                continue
            changes.problem("not_in_shot", name=changes.name(who), shot=at + 1)
            continue
        if shot.framing == edit.framing and not who:
            continue
        _frame(changes, at, edit.framing, who)


def _show_instead(changes: Changes, at: int, who: str) -> None:
    """`a close-up of Alberto in shot 3`, where only Luca was seen: the shot is of Alberto now; lines stay."""
    blocking = changes.direction.coverage.blocking
    seen = [p for other in changes.shots for p in other.placements if p.character == who]
    placed = seen[0] if seen else Placement(character=who)
    placements = reblock([placed], "close", changes.aspect, blocking)
    changes.replace(at, framing="close", placements=placements, action="")
    changes.assume("shot_shows", shot=at + 1, name=changes.name(who))


def _frame(changes: Changes, at: int, framing: Framing, who: str | None) -> None:
    shot, blocking = changes.shots[at], changes.direction.coverage.blocking
    most = capacity(framing, changes.aspect, blocking)
    kept = list(shot.placements)
    if who and framing in ("close", "detail"):
        kept = [p for p in kept if p.character == who]
    elif len(kept) > most:
        speakers = [line.character for line in shot.dialogue]
        first = sorted(kept, key=lambda p: (p.character != who, p.character not in speakers))[:most]
        kept = [p for p in kept if p in first]
    gone = [p.character for p in shot.placements if p not in kept]
    if gone:
        words = changes.direction.phrases.framings[framing].of(changes.tongue)
        changes.assume("left_frame", shot=at + 1, framing=words, names=changes.names(gone))
    changes.replace(at, framing=framing, placements=reblock(kept, framing, changes.aspect, blocking) if kept else [])


def set_aspect(changes: Changes, edit: Edit) -> None:
    """Another shape of the picture: everybody is put on marks that suit it."""
    if edit.aspect is None:
        changes.problem("unclear_edit", op="aspect")
        return
    if edit.aspect == changes.aspect:
        return
    changes.fields["aspect"] = edit.aspect
    blocking = changes.direction.coverage.blocking
    for at, shot in enumerate(changes.shots):
        if not shot.placements:
            continue
        framing = widest_needed(shot.framing, edit.aspect, len(shot.placements), blocking)
        changes.replace(at, framing=framing, placements=reblock(shot.placements, framing, edit.aspect, blocking))
