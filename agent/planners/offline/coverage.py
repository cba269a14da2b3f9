"""Coverage: which shots a scene is told with.

A scene without speech is an opening, a middle and a closing; one with speech opens wide, then shows who speaks, with
the listener in the two-shots, and ends on the listener's face. What was asked for (framing, camera, a list of shots)
comes before any of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from agent.planners.offline.blocking import capacity
from agent.planners.offline.direction import Coverage, ShotPattern
from agent.planners.offline.pacing import share_out, shortest, speech_need, spoken_s
from agent.planners.offline.plan import Scene, ShotPlan
from tools.storyboard import Aspect, Camera, Framing, Line

__all__ = ["MAX_LINES", "MAX_SHOTS", "cover_in_shots", "cover_one_shot", "cover_scene", "cover_stills", "least_of"]

MAX_SHOTS = 60
MAX_LINES = 24


def least_of(plan: ShotPlan, coverage: Coverage) -> float:
    """The shortest a shot may be, in seconds."""
    return shortest(plan.lines, coverage.lengths.shortest_s)


def cover_one_shot(scene: Scene, first: bool, aspect: Aspect, coverage: Coverage) -> list[ShotPlan]:
    """One shot for a beat of a list; more only when it has more lines than a shot can hold."""
    framing = scene.framing or _natural_framing(scene, first, aspect, coverage)
    camera: Camera = scene.camera or ("push" if first and framing == "wide" else "static")
    natural = coverage.lengths.title_card_s if scene.overlay else coverage.lengths.shot_s
    plans = []
    for lines in [scene.lines[i : i + MAX_LINES] for i in range(0, len(scene.lines), MAX_LINES)] or [()]:
        wish = max(natural, speech_need(lines) + coverage.lengths.after_speech_s) if lines else natural
        plans.append(
            ShotPlan(
                scene=scene,
                framing=framing,
                camera=camera,
                people=scene.people,
                lines=lines,
                plays="business",
                wish=wish,
                weight=wish,
                fixed=scene.duration_s,
                fixed_framing=scene.framing is not None,
            )
        )
    return plans


def cover_stills(scene: Scene, aspect: Aspect, coverage: Coverage) -> list[ShotPlan]:
    """One picture of a scene."""
    framing = scene.framing or (
        "full" if 0 < len(scene.people) <= capacity("full", aspect, coverage.blocking) else "wide"
    )
    plans = cover_one_shot(replace(scene, framing=framing), False, aspect, coverage)
    return [replace(plan, fixed_framing=scene.framing is not None) for plan in plans]


def _natural_framing(scene: Scene, first: bool, aspect: Aspect, coverage: Coverage) -> Framing:
    """The framing that suits a beat which does not name one."""
    count = len(scene.people)
    if not count:
        return "wide"
    if scene.lines and count <= capacity("medium", aspect, coverage.blocking):
        return "medium"
    if first:
        return "wide"
    return "full" if count <= capacity("full", aspect, coverage.blocking) else "wide"


def cover_scene(
    scene: Scene, total: float | None, aspect: Aspect, coverage: Coverage, *, compact: bool = False, opens: bool = True
) -> list[ShotPlan]:
    """The shots of a scene.

    Args:
        total: seconds there are; None: as many as it takes.
        compact: one of several scenes: as few shots as it can be told with.
        opens: the place is new, so it is shown first.
    """
    if scene.lines:
        return _with_speech(scene, total, aspect, coverage, compact, opens)
    return _silent(scene, total, aspect, coverage, compact, opens)


# -- without speech ---------------------------------------------------------------------------------------------------


def _silent(
    scene: Scene, total: float | None, aspect: Aspect, coverage: Coverage, compact: bool, opens: bool
) -> list[ShotPlan]:
    lengths = coverage.lengths
    if scene.overlay and total is None:
        return cover_one_shot(scene, True, aspect, coverage)
    if total is None:
        total = lengths.shot_s if compact or scene.framing else lengths.default_total_s
    if scene.framing or compact or scene.overlay:
        count = max(1, ceil(total / lengths.longest_s))
    elif total <= lengths.single_until_s:
        count = 1
    else:
        count = 2 if total <= lengths.two_until_s else max(3, ceil(total / lengths.mean_s - 0.05))
    plans = _pattern_plans(scene, min(count, MAX_SHOTS), aspect, coverage, opens)
    if len(plans) == 1 and scene.people and plans[0].plays == "rest":
        plans = [replace(plans[0], plays="business")]  # The only shot of a scene shows something going on.
    times = share_out(total, [plan.weight for plan in plans], [lengths.shortest_s] * len(plans))
    return [
        _shape(replace(plan, wish=seconds), scene, index, opens)
        for index, (plan, seconds) in enumerate(zip(plans, times, strict=True))
    ]


def cover_in_shots(scene: Scene, count: int, total: float | None, aspect: Aspect, coverage: Coverage) -> list[ShotPlan]:
    """A scene without speech in as many shots as were asked for.

    Args:
        total: seconds there are; None: the usual length for each shot.
    """
    lengths = coverage.lengths
    plans = _pattern_plans(scene, min(count, MAX_SHOTS), aspect, coverage, opens=True)
    times = share_out(
        total or lengths.shot_s * len(plans), [plan.weight for plan in plans], [lengths.shortest_s] * len(plans)
    )
    return [
        _shape(replace(plan, wish=seconds), scene, index, True)
        for index, (plan, seconds) in enumerate(zip(plans, times, strict=True))
    ]


def _pattern_plans(scene: Scene, count: int, aspect: Aspect, coverage: Coverage, opens: bool) -> list[ShotPlan]:
    """`count` shots from the pattern that fits the number of people."""
    people = len(scene.people)
    pattern = coverage.patterns["several" if people > 1 else "one" if people else "nobody"]
    chosen: list[ShotPattern] = [pattern.opening] if opens or not people else []
    while len(chosen) < count:
        chosen.append(pattern.middle[(len(chosen) - 1) % len(pattern.middle)])
    if count >= 4:
        chosen[-1] = pattern.closing
    plans = [_plan(scene, shot, index, aspect, coverage) for index, shot in enumerate(chosen[:count])]
    return [replace(plans[0], opens=opens), *plans[1:]]


def _plan(scene: Scene, shot: ShotPattern, turn: int, aspect: Aspect, coverage: Coverage) -> ShotPlan:
    people = _who(scene, shot, turn, capacity(shot.framing, aspect, coverage.blocking))
    wish = coverage.lengths.mean_s * 0.65 * shot.weight
    return ShotPlan(scene, shot.framing, shot.camera, people, plays=shot.plays, weight=shot.weight, wish=wish)


def _who(scene: Scene, shot: ShotPattern, turn: int, most: int) -> tuple[str, ...]:
    """The people of a shot; those who come alone take turns, the second of the cast first (the reaction)."""
    people = scene.people
    if shot.who == "none" or not people:
        return ()
    if shot.who == "one":
        return (people[(turn // 2) % len(people)],)
    if shot.who == "pair" and len(people) > 2:
        start = (turn // 2) % len(people)
        wanted = min(most, 2)
        chosen = {people[(start + i) % len(people)] for i in range(wanted)}
        return tuple(who for who in people if who in chosen)
    return people


def _shape(plan: ShotPlan, scene: Scene, index: int, opens: bool) -> ShotPlan:
    """A pattern's shot with the framing and the camera that the request gave."""
    if scene.framing:
        plan = replace(plan, framing=scene.framing, fixed_framing=True, people=scene.people)
        plan = replace(plan, plays="business" if plan.plays == "reaction" else plan.plays)
    if scene.camera and (
        index == 0 or scene.framing or scene.camera == "static"
    ):  # A still camera is still throughout.
        plan = replace(plan, camera=scene.camera)
    if not opens and index == 0 and not scene.framing and scene.people:
        plan = replace(plan, framing="full", people=scene.people, plays="business")
    return plan


# -- with speech ------------------------------------------------------------------------------------------------------


def _with_speech(
    scene: Scene, total: float | None, aspect: Aspect, coverage: Coverage, compact: bool, opens: bool
) -> list[ShotPlan]:
    """The richest coverage whose speech fits into the time; when none does, the tightest."""
    lengths = coverage.lengths
    speech = _speech_plans(scene, coverage.dialogue.group_words_s, coverage)
    opening = [_opening(scene, aspect, coverage)] if opens and not scene.framing else []
    react = _reaction(scene, coverage) if len(scene.lines) <= 3 and not compact and not scene.framing else []
    ways = [opening + speech + react, opening + speech, _opened(speech, scene, aspect, coverage)]
    ways += [
        _speech_plans(scene, lengths.longest_s * 2, coverage),
        cover_one_shot(scene, False, aspect, coverage),
    ]
    ways = [way for way in ways if len(way) <= MAX_SHOTS] or [_merged_speech(scene, aspect, coverage)]
    if total is None:
        return ways[0]
    for way in ways:
        if sum(least_of(plan, coverage) for plan in way) <= total + 1e-6:
            return _filled(way, scene, total, aspect, coverage) if not scene.framing else way
    return min(ways, key=lambda way: sum(least_of(plan, coverage) for plan in way))


def _opening(scene: Scene, aspect: Aspect, coverage: Coverage) -> ShotPlan:
    plan = _plan(scene, coverage.dialogue.opening, 0, aspect, coverage)
    wish = coverage.lengths.opening_with_dialogue_s
    return replace(plan, camera=scene.camera or plan.camera, wish=wish, weight=wish)


def _reaction(scene: Scene, coverage: Coverage) -> list[ShotPlan]:
    """A last look at whoever heard the last line."""
    listener = _listener(scene, len(scene.lines) - 1)
    if listener is None:
        return []
    shot, wish = coverage.dialogue.reaction, coverage.lengths.reaction_s
    return [ShotPlan(scene, shot.framing, shot.camera, (listener,), plays="reaction", weight=wish, wish=wish)]


def _opened(speech: list[ShotPlan], scene: Scene, aspect: Aspect, coverage: Coverage) -> list[ShotPlan]:
    """The first line said over the wide shot, where there is no time to open without words."""
    if scene.framing:
        return speech
    framing: Framing = "full" if len(scene.people) <= capacity("full", aspect, coverage.blocking) else "wide"
    return [replace(speech[0], framing=framing, people=scene.people), *speech[1:]]


def _listener(scene: Scene, index: int) -> str | None:
    """To whom a line is said: who spoke last before it, else who answers, else the next of the cast."""
    speaker = scene.lines[index].character
    before = [line.character for line in reversed(scene.lines[:index])]
    after = [line.character for line in scene.lines[index + 1 :]]
    return next((who for who in [*before, *after, *scene.people] if who != speaker and who in scene.people), None)


def _groups(lines: Sequence[Line], most_s: float) -> list[tuple[int, tuple[Line, ...]]]:
    """Lines that share a shot, with the index of the first: one speaker's in a row, or a quick exchange."""
    groups: list[tuple[int, list[Line]]] = []
    seconds = 0.0
    for index, line in enumerate(lines):
        length = spoken_s(line)
        group = groups[-1][1] if groups else []
        same = bool(group) and group[-1].character == line.character
        quick = bool(group) and len(group) < 2 and length < 1.4 and spoken_s(group[-1]) < 1.4
        if group and len(group) < MAX_LINES and (same or quick or most_s > 10) and seconds + length <= most_s:
            group.append(line)
            seconds += length
        else:
            groups.append((index, [line]))
            seconds = length
    return [(index, tuple(group)) for index, group in groups]


def _speech_plans(scene: Scene, most_s: float, coverage: Coverage) -> list[ShotPlan]:
    """A shot for each group of lines: medium two-shots and close-ups in turn, close when the feeling asks for it."""
    dialogue = coverage.dialogue
    plans: list[ShotPlan] = []
    for turn, (index, lines) in enumerate(_groups(scene.lines, most_s)):
        speakers = tuple(dict.fromkeys(line.character for line in lines))
        shape = dialogue.first if turn == 0 else dialogue.following[(turn - 1) % len(dialogue.following)]
        framing = shape.framing
        if framing == "medium" and turn and len(speakers) == 1 and lines[0].emotion in dialogue.near_emotions:
            framing = "close"
        if len(speakers) > 1:
            framing = "medium"
        people = tuple(who for who in speakers if who in scene.people)  # A voice from off stage is only heard.
        if framing != "close" and len(speakers) == 1 and (listener := _listener(scene, index)) is not None:
            people = (*people, listener)
        if scene.framing:
            framing, people = scene.framing, scene.people if scene.framing != "close" else people
        elif len(people) < len(speakers):
            framing, people = "full" if len(scene.people) > 1 else framing, scene.people
        wish = speech_need(lines) + coverage.lengths.after_speech_s
        plans.append(
            ShotPlan(
                scene=scene,
                framing=framing,
                camera=(scene.camera if scene.framing else None) or shape.camera,
                people=tuple(sorted(people, key=scene.people.index)),
                lines=lines,
                weight=wish,
                wish=wish,
                fixed_framing=scene.framing is not None,
            )
        )
    return plans


def _merged_speech(scene: Scene, aspect: Aspect, coverage: Coverage) -> list[ShotPlan]:
    """So many lines that only the fullest shots hold them."""
    plans = _speech_plans(scene, 60.0, coverage)
    return plans if len(plans) <= MAX_SHOTS else cover_one_shot(scene, False, aspect, coverage)


def _filled(way: list[ShotPlan], scene: Scene, total: float, aspect: Aspect, coverage: Coverage) -> list[ShotPlan]:
    """Silent shots before and after the speech, when there is so much time that shots would drag."""
    spare = total - sum(plan.wish for plan in way)
    extra = min(round(spare / coverage.lengths.mean_s), MAX_SHOTS - len(way))
    if extra < 1 or not scene.people:
        return way
    pattern = coverage.patterns["several" if len(scene.people) > 1 else "one"]
    silent = [_plan(scene, pattern.middle[i % len(pattern.middle)], i + 1, aspect, coverage) for i in range(extra)]
    if extra > 1:
        silent[-1] = _plan(scene, pattern.closing, 0, aspect, coverage)
    # What is not said gets the time: a shot with speech is as long as its words.
    silent = [replace(plan, weight=coverage.lengths.mean_s * plan.weight) for plan in silent]
    way = [plan if plan.lines else replace(plan, weight=plan.weight * 1.6) for plan in way]
    head = 1 if way and not way[0].lines else 0
    early = extra // 2
    return [*way[:head], *silent[:early], *way[head:], *silent[early:]]
