"""Settling a brief: every beat gets a place, a time, a weather and its people, inherited where it does not say."""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Beat, Brief, Performance
from agent.planners.offline.direction import Direction
from agent.planners.offline.happenings import happening
from agent.planners.offline.plan import Scene
from agent.planners.offline.questions import words_of
from agent.planners.offline.text import fold
from agent.planners.offline.verbs import verb_forms
from agent.planners.offline.wordlists import words
from tools.storyboard import Emotion, slugify

__all__ = ["settle", "told_feeling"]

_FLEEING = frozenset({"run", "crouch", "swim"})
"""Poses of those who flee or hide: who only looks on is not scared for that."""
_RESTING = frozenset({"sit", "lie", "crouch", "swim", "hold"})
"""Poses that last when something else begins to happen."""


def settle(brief: Brief, direction: Direction) -> list[Scene]:
    """One scene for each beat, in order; at least one."""
    cast = [member.id for member in brief.cast]
    beats = brief.beats or [Beat()]
    homeless = _homeless(beats, cast)
    scenes: list[Scene] = []
    for index, beat in enumerate(beats):
        people = _people(beats, index, scenes, cast, homeless)
        scenes.append(_scene(beat, people, scenes, brief, direction))
    return scenes


def _named(beat: Beat) -> list[str]:
    """Who is named in a beat and seen in it: those who act, then those who speak."""
    who = [performance.character for performance in beat.performances] + [line.character for line in beat.dialogue]
    return [id_ for id_ in dict.fromkeys(who) if id_ not in beat.offstage]


def _homeless(beats: Sequence[Beat], cast: Sequence[str]) -> list[str]:
    """Cast members that no beat names: they belong to the whole request."""
    named = {who for beat in beats for who in (*_named(beat), *beat.offstage)}
    return [who for who in cast if who not in named]


def _words(text: str) -> set[str]:
    return {fold(word) for word in "".join(char if char.isalnum() else " " for char in text).split()}


def _people(
    beats: Sequence[Beat], index: int, scenes: Sequence[Scene], cast: Sequence[str], homeless: Sequence[str]
) -> tuple[str, ...]:
    """Who is in a beat. One that names nobody has those of the beat before, unless it is about an empty place."""
    beat = beats[index]
    order = {who: rank for rank, who in enumerate(cast)}
    named = _named(beat)
    if len(beats) == 1:
        chosen = [who for who in dict.fromkeys([*cast, *named]) if who not in beat.offstage]
    elif named:
        chosen = named
    elif beat.text_overlay or _words(beat.text) & words("nobody") or beat.framing == "detail":
        chosen = []
    elif _words(beat.text) & words("everybody") and scenes:
        chosen = list(dict.fromkeys([who for scene in scenes for who in scene.people] + list(homeless)))
    elif homeless:
        chosen = list(homeless)
    elif not scenes and not beat.framing and not beat.camera and _is_bare(beat, cast):
        # `First at the beach, then at night in the town, Luca and Giulia ...`: they are there from the beginning.
        chosen = next((found for later in beats[1:] if (found := _named(later))), [])
    else:
        chosen = list(next((scene.people for scene in reversed(scenes) if scene.people), ()))
    return tuple(sorted(chosen, key=lambda who: order.get(who, len(order))))


def _is_bare(beat: Beat, names: Sequence[str]) -> bool:
    """Whether a beat says no more than where and when."""
    return bool(beat.location or beat.location_words) and happening(beat.action, names, speaks=False) == "nothing"


def _has_verb(action: str) -> bool:
    """Whether words tell a deed by its verb, however plain (`she stops and looks at the sea`)."""
    return any(word in verb_forms() for word in words_of(action))


def _scene(beat: Beat, people: tuple[str, ...], earlier: Sequence[Scene], brief: Brief, direction: Direction) -> Scene:
    before = earlier[-1] if earlier else None
    location, written = _place(beat, before, brief, direction)
    moved = before is not None and before.location != location
    names = [*people, *(member.name for member in brief.cast)]
    told = happening(beat.action, names, bool(beat.dialogue))
    acted = any(p.pose for p in beat.performances) or (not beat.dialogue and _has_verb(beat.action))
    if told == "nothing" and beat.action and acted:
        told = "something"
    stated = {} if moved else _carried(earlier, people, told == "nothing", direction)
    for performance in beat.performances:
        stated[performance.character] = _merged(stated.get(performance.character), performance)
    felt = told_feeling(beat.action, direction)
    fleeing = [p.character for p in beat.performances if p.pose in _FLEEING]  # `Alberto steals it and runs away`
    for who in (fleeing if felt == "scared" and fleeing else people) if felt else ():
        acting = stated.get(who, Performance(character=who))
        stated[who] = acting.model_copy(update={"expression": acting.expression or felt})
    return Scene(
        location=location,
        words=written,
        time_of_day=beat.time_of_day or (before.time_of_day if before else "day"),
        weather=beat.weather or (before.weather if before else "clear"),
        people=people,
        stated=stated,
        lines=tuple(beat.dialogue),
        action=_sentence(beat.action) if told != "nothing" else "",
        leisure=told == "leisure",
        overlay=beat.text_overlay.strip()[:200],
        framing=beat.framing,
        camera=beat.camera,
        mood=beat.mood or (before.mood if before else None),
        duration_s=beat.duration_s,
    )


def told_feeling(action: str, direction: Direction) -> Emotion | None:
    """The feeling that the words of the action tell (`they argue`)."""
    said = f" {' '.join(words_of(action))} " if action else ""
    told = direction.acting.feelings_told.items() if said else []
    return next((feeling for feeling, known in told if any(f" {word} " in said for word in known)), None)


def _sentence(told: str) -> str:
    told = told.strip()
    return told[:1].upper() + told[1:]


def _place(beat: Beat, before: Scene | None, brief: Brief, direction: Direction) -> tuple[str, str]:
    """The place's id, and its words when it is none that is drawn."""
    if beat.location:
        return beat.location, (beat.location_words or "").strip()
    if beat.location_words:
        return slugify(beat.location_words, direction.default_place), beat.location_words.strip()
    if before is not None:
        return before.location, before.words
    # A first beat that names no place plays where the next one does that names one.
    later = next((b for b in brief.beats if b.location or b.location_words), None)
    if later is not None and later is not beat:
        return _place(later, None, brief, direction)
    return direction.likely_place(" ".join(words_of(" ".join(b.text for b in brief.beats)))), ""


def _carried(
    earlier: Sequence[Scene], people: Sequence[str], going_on: bool, direction: Direction
) -> dict[str, Performance]:
    """What people were doing when they were last seen: a close-up of one who sits shows one who sits.

    Args:
        going_on: nothing new happens, so that who ran still runs; else only those who rested still rest.
    """
    carried: dict[str, Performance] = {}
    for who in people:
        for scene in reversed(earlier):
            if who in scene.people:
                if who in scene.stated:
                    old = scene.stated[who]
                    if not going_on and old.expression == told_feeling(scene.action, direction):
                        old = old.model_copy(update={"expression": None})  # `They argue, then they dance.`
                    carried[who] = old if going_on or old.pose in _RESTING else old.model_copy(update={"pose": None})
                break
    return carried


def _merged(old: Performance | None, new: Performance) -> Performance:
    """The new performance; a face is kept while only the pose changes, and the other way round."""
    if old is None:
        return new
    return Performance(
        character=new.character,
        pose=new.pose or old.pose,
        expression=new.expression or old.expression,
        facing=new.facing or old.facing,
    )
