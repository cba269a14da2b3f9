"""`compose`: from an understood request to a storyboard, without a model.

Settle the beats (scenes.py), cover them with shots (coverage.py), share out the time (pacing.py), stage each shot
(staging.py), and tell in plain sentences what was assumed. Nothing here invents a character or a line.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from agent.intent import Brief, Intent
from agent.planners.base import Composition, PlanRequest
from agent.planners.offline.blocking import widest_needed
from agent.planners.offline.coverage import MAX_SHOTS, cover_in_shots, cover_one_shot, cover_scene, cover_stills
from agent.planners.offline.direction import Direction, load_direction
from agent.planners.offline.lengths import lengths_of
from agent.planners.offline.notes import Notes
from agent.planners.offline.pacing import speech_need, total_of
from agent.planners.offline.phrasing import join_names, short_name, title_of, tongue_of
from agent.planners.offline.plan import Scene, ShotPlan
from agent.planners.offline.scenes import settle
from agent.planners.offline.sound import mood_of
from agent.planners.offline.staging import Stager
from tools.storyboard import Aspect, CastMember, Mood, Storyboard

__all__ = ["compose"]

MAX_CAST = 16
LEAST_S, MOST_S = 0.5, 1800.0
OFF = 1.3
"""By so much a script may miss the number of words that was asked for before it is told."""
_STILL_OUTPUTS = frozenset({"image", "voice", "music", "subtitles", "text"})


def compose(intent: Intent, request: PlanRequest) -> Composition:
    """Write a storyboard for an intent of kind `scene`, from its brief.

    The lines of the brief stand in the storyboard once each, in order and unchanged; a total length that was asked
    for is kept exactly unless the lines do not fit into it, which `problems` then says.
    """
    direction = load_direction()
    notes = Notes(direction, tongue_of(intent))
    brief = _checked(intent.brief or Brief(), notes)
    aspect: Aspect = brief.aspect or "16:9"
    scenes = settle(brief, direction)
    total = _total(brief, notes)
    plans = _cover(scenes, brief, intent, total, aspect, direction)
    if len(plans) > MAX_SHOTS:
        notes.problem("too_many_shots", limit=MAX_SHOTS, count=len(plans) - MAX_SHOTS)
        plans = plans[:MAX_SHOTS]
    plans = [_within_frame(plan, index, aspect, brief, notes) for index, plan in enumerate(plans)]
    lengths = lengths_of(plans, total, notes)
    names = {member.id: short_name(member) for member in brief.cast}
    stager = Stager(direction, aspect, notes.tongue, names, tuple(names), zlib.crc32(request.text.encode()))
    stager.foreign = intent.language not in ("en", "it")
    music = _music(plans, intent, direction)
    shots = [
        stager.stage(plan, f"s{index}", length, mood)
        for index, (plan, length, mood) in enumerate(zip(plans, lengths, music, strict=True), start=1)
    ]
    storyboard = Storyboard(
        title=_title(brief, scenes, intent, [names[m.id] for m in brief.cast], notes, stager, plans),
        style=(brief.style or "pixar_3d")[:80],
        aspect=aspect,
        fps=_fps(brief.fps, notes),
        duration_s=total_of(shots),
        cast=brief.cast,
        shots=shots,
    )
    _tell(storyboard, brief, intent, scenes, total, notes)
    return Composition(storyboard=storyboard, assumptions=notes.assumptions, problems=notes.problems)


# -- the brief --------------------------------------------------------------------------------------------------------


def _checked(brief: Brief, notes: Notes) -> Brief:
    """The brief with everybody who acts or speaks in its cast, once each, and no more than a storyboard holds."""
    cast: dict[str, CastMember] = {}
    for member in brief.cast:
        cast.setdefault(member.id, member)
    for beat in brief.beats:
        for who in [p.character for p in beat.performances] + [line.character for line in beat.dialogue]:
            cast.setdefault(who, CastMember(id=who, name=who.replace("_", " ").capitalize(), known=False))
    if len(cast) > MAX_CAST:
        speakers = {line.character for beat in brief.beats for line in beat.dialogue}
        kept = set(sorted(cast, key=lambda who: who not in speakers)[:MAX_CAST])
        left = [short_name(member) for who, member in cast.items() if who not in kept]
        notes.problem("too_many_cast", limit=MAX_CAST, names=join_names(left, notes.direction, notes.tongue))
        cast = {who: member for who, member in cast.items() if who in kept}
    beats = [
        beat.model_copy(
            update={
                "performances": [p for p in beat.performances if p.character in cast],
                "dialogue": [line for line in beat.dialogue if line.character in cast],
            }
        )
        for beat in brief.beats
    ]
    return brief.model_copy(update={"cast": list(cast.values()), "beats": beats})


def _total(brief: Brief, notes: Notes) -> float | None:
    """The length that was asked for, within what a storyboard can have."""
    if brief.duration_s is None:
        return None
    given = round(brief.duration_s, 2)
    total = min(max(given, LEAST_S), MOST_S)
    if total != given:
        notes.problem(
            "length_out_of_range",
            least=LEAST_S,
            most=MOST_S,
            seconds=total,
        )
    return total


def _fps(fps: int | None, notes: Notes) -> int:
    if fps is None:
        return 24
    kept = min(max(fps, 8), 60)
    if kept != fps:
        notes.problem("fps_out_of_range", fps=kept)
    return kept


# -- shots ------------------------------------------------------------------------------------------------------------


def _cover(
    scenes: list[Scene], brief: Brief, intent: Intent, total: float | None, aspect: Aspect, direction: Direction
) -> list[ShotPlan]:
    """The shots of all scenes."""
    coverage = direction.coverage
    if brief.explicit_shots:
        return [plan for i, scene in enumerate(scenes) for plan in cover_one_shot(scene, i == 0, aspect, coverage)]
    counted = brief.shot_count if len(scenes) == 1 and not scenes[0].lines else None
    if intent.outputs and set(intent.outputs) <= _STILL_OUTPUTS and not (counted and "image" in intent.outputs):
        plans = [plan for scene in scenes for plan in cover_stills(scene, aspect, coverage)]
        # Music alone may be longer than one shot can be.
        most = 120.0
        count = ceil(total / most / len(plans)) if total else 1
        return [plan for plan in plans for _ in range(count if not plan.lines else 1)]
    if counted:
        return cover_in_shots(scenes[0], counted, total or scenes[0].duration_s, aspect, coverage)
    if len(scenes) == 1:
        return cover_scene(scenes[0], total or scenes[0].duration_s, aspect, coverage)
    plans = []
    stories = [scene for scene in scenes if not is_card(scene)]
    # A card takes no more than its part of a short film.
    card_s = min(coverage.lengths.title_card_s, round(total / len(scenes), 1) if total else 120.0)
    rest = max(0.5, total - card_s * (len(scenes) - len(stories))) if total else None
    given = iter(_shares(stories, rest, coverage.lengths.shot_s))
    for index, scene in enumerate(scenes):
        if stories and is_card(scene):  # A card is one shot beside the story, however long that is.
            cards = cover_one_shot(scene, False, aspect, coverage)
            plans += [replace(card, fixed=scene.duration_s or card_s) for card in cards]
            continue
        opens = index == 0 or scenes[index - 1].location != scene.location
        share = next(given) if stories else total
        made = cover_scene(scene, share, aspect, coverage, compact=len(stories) > 1, opens=opens)
        if scene.duration_s and len(made) == 1:
            made = [replace(made[0], fixed=scene.duration_s)]
        plans += made
    # A silent scene beside one with speech has its share in seconds, too; patterns weigh in parts.
    mixed = bool(total) and any(plan.lines for plan in plans)
    return [replace(plan, weight=plan.wish) if mixed and not plan.lines else plan for plan in plans]


def is_card(scene: Scene) -> bool:
    """Whether a scene is nothing but writing."""
    return bool(scene.overlay) and not scene.people and not scene.action


def _shares(scenes: Sequence[Scene], total: float | None, natural: float) -> list[float | None]:
    """How much of the time each of several scenes gets; None where it may take what it needs."""
    if total is None:
        return [scene.duration_s for scene in scenes]
    weights = [scene.duration_s or max(natural, speech_need(scene.lines)) for scene in scenes]
    return [total * weight / sum(weights) for weight in weights]


def _within_frame(plan: ShotPlan, index: int, aspect: Aspect, brief: Brief, notes: Notes) -> ShotPlan:
    """The plan with no more people than a stage holds, in a framing that holds them."""
    direction = notes.direction
    limit = direction.coverage.stage_limit
    people = plan.people
    if len(people) > limit:
        speakers = [line.character for line in plan.lines]
        kept = set(sorted(people, key=lambda who: who not in speakers)[:limit])
        left = [short_name(member) for member in brief.cast if member.id in people and member.id not in kept]
        notes.problem("too_many_people", limit=limit, names=join_names(left, direction, notes.tongue))
        people = tuple(who for who in people if who in kept)
    framing = plan.framing
    if people:
        framing = widest_needed(framing, aspect, len(people), direction.coverage.blocking)
    if framing != plan.framing and plan.fixed_framing:
        words = direction.phrases.framings
        notes.assume(
            "widened",
            count=len(people),
            framing=words[plan.framing].of(notes.tongue),
            shot=index + 1,
            new=words[framing].of(notes.tongue),
        )
    return replace(plan, people=people, framing=framing)


# -- sound, title, words to the user ----------------------------------------------------------------------------------


def _music(plans: Sequence[ShotPlan], intent: Intent, direction: Direction) -> list[Mood | None]:
    """The mood for each shot: one for the film, other ones only where the request gives them."""
    if "video" in intent.outputs and "music" not in intent.outputs:
        return [None] * len(plans)
    scenes = list(dict.fromkeys(id(plan.scene) for plan in plans))
    by_id = {id(plan.scene): plan.scene for plan in plans}
    film = mood_of([by_id[key] for key in scenes], direction)
    return [plan.scene.mood or film for plan in plans]


def _title(
    brief: Brief,
    scenes: Sequence[Scene],
    intent: Intent,
    names: Sequence[str],
    notes: Notes,
    stager: Stager,
    plans: Sequence[ShotPlan],
) -> str:
    if brief.title and brief.title.strip():
        return brief.title.strip()[:120]
    first = scenes[0]
    shot = replace(plans[0], scene=first)
    overlay = first.overlay if not names else ""
    drawn = stager.stage(replace(shot, lines=(), people=()), "title", 1.0, None)
    # Titles are English or Italian: a place in another language's words would stand out.
    words = first.words if intent.language in ("en", "it") or notes.direction.place(first.location) is None else ""
    return title_of(_called(names, brief, scenes), drawn, words, notes.direction, notes.tongue, overlay)


def _called(names: Sequence[str], brief: Brief, scenes: Sequence[Scene]) -> list[str]:
    """Names for a title, of all who are seen; those drawn from one plural (`Pirate 1`, `Pirate 2`) as written."""
    called: list[str] = []
    seen = {who for scene in scenes for who in scene.people}
    for member, name in zip(brief.cast, names, strict=True):
        look = member.look.description if member.look and not member.known and member.name[-1:].isdigit() else ""
        if member.id in seen and (not look or look not in called):
            called.append(look or name)
    return called


def _tell(
    storyboard: Storyboard, brief: Brief, intent: Intent, scenes: Sequence[Scene], total: float | None, notes: Notes
) -> None:
    """Few and useful: what the user did not say and would see or hear."""
    direction, tongue = notes.direction, notes.tongue
    is_film = not intent.outputs or "video" in intent.outputs
    if not any(beat.location or beat.location_words for beat in brief.beats) and not _is_card(scenes):
        place = direction.places.get(scenes[0].location, direction.places[direction.default_place])
        notes.assume("assumed_place", place=place.names.of(tongue))
    if total is None and is_film and not any(beat.duration_s for beat in brief.beats):
        seconds = storyboard.duration_s
        name = "assumed_length" if len(storyboard.shots) > 1 else "assumed_length_one"
        notes.assume(name, seconds=seconds, shots=len(storyboard.shots))
    if asked := brief.script_words:
        said = _spoken(storyboard)
        if not asked / OFF <= said <= asked * OFF:
            notes.assume("other_word_count", asked=asked, count=said)
    longest = direction.coverage.lengths.longest_s
    silent = [shot.duration_s for shot in storyboard.shots if not shot.dialogue]
    if len(storyboard.shots) == MAX_SHOTS and silent and min(silent) > longest:
        notes.assume("long_shots", most=MAX_SHOTS, each=round(min(silent), 1))


def _spoken(storyboard: Storyboard) -> int:
    return sum(len(line.text.split()) for shot in storyboard.shots for line in shot.dialogue)


def _is_card(scenes: Sequence[Scene]) -> bool:
    return all(scene.overlay and not scene.people for scene in scenes)
