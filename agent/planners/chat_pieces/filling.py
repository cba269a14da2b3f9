"""How an outline becomes a brief: what the user said stays, what was left open is the model's.

Two ways. A request in one piece is told in new beats, and everything that the user fixed (place, hour, weather, mood,
framing, camera, poses, faces) holds in all of them. A request that lists its shots or tells a sequence keeps its beats,
and the outline only fills what they leave open.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Beat, Brief, Performance
from agent.planners.chat_pieces.outline import Actor, Outline, OutlineBeat
from agent.planners.offline.plan import Scene
from tools.storyboard import Line

__all__ = ["filled", "retold", "with_lines"]


def retold(brief: Brief, outline: Outline, told: bool) -> Brief:
    """A brief of one beat, told in the beats of an outline.

    Args:
        told: what the request says that happens is all that it says, and stays the action of the first beat.
    """
    user = brief.beats[0] if brief.beats else Beat()
    cast = [member.id for member in brief.cast]
    people = [_present(beat, cast) for beat in outline.beats]
    if cast:
        missing = [who for who in cast if not any(who in present for present in people)]
        people[0] = [who for who in cast if who in people[0] or who in missing]
    holder = _holder(user.dialogue, people)
    beats = []
    for at, (new, present) in enumerate(zip(outline.beats, people, strict=True)):
        lines = user.dialogue if at == holder else []
        present = _with(present, [line.character for line in lines if line.character not in user.offstage], cast)
        beats.append(
            Beat(
                text=user.text if at == 0 else new.action,
                location=user.location or (None if user.location_words else new.place),
                location_words=user.location_words,
                time_of_day=user.time_of_day or new.time_of_day,
                weather=user.weather or new.weather,
                framing=user.framing or new.framing,
                camera=user.camera or new.camera,
                action=user.action if told and at == 0 else new.action,
                text_overlay=user.text_overlay if at == 0 else "",
                mood=user.mood or new.mood,
                performances=[_performance(who, user.performances, new.people) for who in present],
                dialogue=list(lines),
                offstage=user.offstage if lines else [],
            )
        )
    return brief.model_copy(
        update={
            "title": brief.title or outline.title or None,
            "duration_s": brief.duration_s or user.duration_s,
            "beats": beats,
            "explicit_shots": bool(brief.shot_count),
        }
    )


def filled(brief: Brief, outline: Outline, scenes: Sequence[Scene]) -> Brief:
    """A brief of several beats, with what they leave open from an outline of as many.

    Args:
        scenes: the beats as the composer settles them: who is there, what is carried over from the beat before.
    """
    beats = []
    for user, new, scene in zip(brief.beats, outline.beats, scenes, strict=False):
        if user.text_overlay and not scene.people:
            beats.append(user)
            continue
        open_to = [who for who in scene.people if who not in scene.stated or not scene.stated[who].pose]
        acting = {actor.who: actor for actor in new.people if actor.who in open_to}
        performances = list(user.performances)
        if acting:  # Whoever is named in a beat is all who is in it: name everybody.
            performances = [_performance(who, user.performances, new.people, scene) for who in scene.people]
        beats.append(
            user.model_copy(
                update={
                    "camera": user.camera or new.camera,
                    "mood": user.mood or new.mood,
                    "action": user.action if scene.action else new.action,
                    "performances": performances,
                }
            )
        )
    return brief.model_copy(update={"title": brief.title or outline.title or None, "beats": beats})


def with_lines(brief: Brief, lines: Sequence[Sequence[Line]]) -> Brief:
    """The brief with the lines of each beat; whoever speaks is seen."""
    beats = []
    for beat, spoken in zip(brief.beats, lines, strict=True):
        seen = {performance.character for performance in beat.performances}
        speakers = [who for who in dict.fromkeys(line.character for line in spoken) if who not in seen]
        more = [Performance(character=who) for who in speakers]
        beats.append(
            beat.model_copy(update={"dialogue": list(spoken), "performances": [*beat.performances, *more]})
            if spoken
            else beat
        )
    return brief.model_copy(update={"beats": beats})


def _present(beat: OutlineBeat, cast: Sequence[str]) -> list[str]:
    return [who for who in cast if any(actor.who == who for actor in beat.people)]


def _with(present: Sequence[str], more: Sequence[str], cast: Sequence[str]) -> list[str]:
    return [who for who in cast if who in present or who in more]


def _holder(lines: Sequence[Line], people: Sequence[Sequence[str]]) -> int:
    """The beat in which lines of the user's are said: where most of their speakers are, the earliest of those."""
    speakers = {line.character for line in lines}
    return max(range(len(people)), key=lambda at: (len(speakers & set(people[at])), -at)) if lines else -1


def _performance(
    who: str, stated: Sequence[Performance], acting: Sequence[Actor], scene: Scene | None = None
) -> Performance:
    """What one does: as the user said; else as it is carried over; else as the outline has it."""
    said = next((one for one in stated if one.character == who), Performance(character=who))
    new = next((one for one in acting if one.who == who), None)
    before = scene.stated.get(who) if scene else None
    if new is None:
        return said
    return Performance(
        character=who,
        pose=said.pose or (before.pose if before else None) or new.pose,
        expression=said.expression or (before.expression if before else None) or new.expression,
        facing=said.facing or (before.facing if before else None) or new.facing,
    )
