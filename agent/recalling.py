"""Past generations at work: what was made is kept as a record, and the next run begins with what helped.

Only what a person's own machine measured is recalled, only under the same conditions, and never for a call that this
production has already made as it stands: the same command makes nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agent.context import AgentContext
from agent.intent import Intent
from agent.planned import planned_calls
from agent.preferring import begin_as_preferred
from agent.replies import Replies
from agent.requests import without_controls
from agent.state import AgentState, Attempt, Override, Recalled, Work
from agent.weaknesses import tell_recalled
from knowledge.generations import LONGEST_REQUEST, Change, Generation, MadePart, Verdict, generation_id
from knowledge.lessons import Facts, conditions_of, recall_change, similar
from knowledge.passage import Passage
from tools.base import Call, find_refs
from tools.storyboard import Storyboard

__all__ = ["approve_generation", "begin_with_lessons", "keep_generation", "past_generations"]

RECALLED_TOOLS = {"generate_image", "synthesize_speech", "compose_music", "make_ambience"}
"""What is made of arguments alone; films and moving shots follow from those."""


def past_generations(intent: Intent, context: AgentContext) -> list[Passage]:
    """Notes on what was made before that was like this; none where the web shall be asked for facts."""
    if intent.kind not in ("scene", "edit") or intent.needs_search:
        return []
    beats = intent.brief.beats if intent.brief else []
    facts = Facts(
        characters=tuple(dict.fromkeys(intent.characters)),
        places=_each(beat.location for beat in beats),
        times=_each(beat.time_of_day for beat in beats),
        moods=_each(beat.mood for beat in beats),
    )
    return similar(context.generations.all(), facts)


def begin_with_lessons(state: AgentState, context: AgentContext, delta: dict[str, Any]) -> None:
    """Let a new storyboard's calls begin with what helped before, and say so: changes `delta`."""
    intent = state["intent"]
    work = begin_as_preferred(state, context)
    if work != state["work"]:
        delta["work"] = work
    work = recalled_work({**state, "work": work}, context)
    if not work.recalled or intent is None:
        return
    told = tell_recalled(work.recalled, Replies(intent.language))
    delta["work"] = work
    delta["assumptions"] = list(dict.fromkeys([*state["assumptions"], *told]))
    delta["trace"] = [*state["trace"], f"reason: recalled for {', '.join(work.recalled)}"]
    for sentence in told:
        context.turn(state).think("lesson", sentence, source="knowledge", label="recalled")


def recalled_work(state: AgentState, context: AgentContext) -> Work:
    """The state's work, not yet begun, with the changes that helped before for calls under the same conditions."""
    work = state["work"]
    past = context.generations.all()
    if not any(part.helped for generation in past for part in generation.parts):
        return work
    found: dict[str, Recalled] = {}
    calls = [call for call in planned_calls(state, context) if call.tool in RECALLED_TOOLS]
    for call in calls:
        lesson = recall_change(past, call.tool, call.engine, call.args, call.seed)
        if lesson is not None:
            override = Override(args=lesson.change.args, seed_step=lesson.change.seed_step)
            found[call.id] = Recalled(
                override=override,
                before=lesson.before,
                after=lesson.after,
                source=lesson.source,
                conditions=conditions_of(call.tool, call.engine, call.args, call.seed, lesson.change),
                failed=list(lesson.failed),
            )
    made = _made_already([call for call in calls if call.id in found], state, context)
    found = {name: one for name, one in found.items() if name not in made and _is_valid(name, one, calls, context)}
    if not found:
        return work
    overrides = {**work.overrides, **{name: one.override for name, one in found.items()}}
    return work.model_copy(update={"overrides": overrides, "recalled": found})


def _made_already(calls: list[Call], state: AgentState, context: AgentContext) -> set[str]:
    """Ids of the calls whose results, as they stand, lie in the production's store."""
    if not calls:
        return set()
    from tools.runtime.storage.production import Production

    registry = context.toolbox.registry
    wanted: dict[tuple[str, int], list[tuple[str, Any]]] = {}
    for call in calls:
        args = registry.validate(call).model_dump(mode="json")
        wanted.setdefault((call.tool, call.seed), []).append((call.id, args))
    found: set[str] = set()
    store = Production.found(Path(state["production"])).store
    for key in store:
        artifact = store.get(key)
        if artifact is not None:
            record = artifact.record
            found |= {name for name, args in wanted.get((record.tool, record.seed), []) if args == record.args}
    return found


def _is_valid(name: str, recalled: Recalled, calls: list[Call], context: AgentContext) -> bool:
    """Whether the tool still takes such arguments: a record may be of another version, or changed by hand."""
    from tools.errors import InvalidInput

    if any(find_refs(recalled.override.args)):
        # A part of a picture that was drawn anew: of this production there is no such picture.
        return False
    call = next(call for call in calls if call.id == name)
    try:
        context.toolbox.registry.validate(call.model_copy(update={"args": {**call.args, **recalled.override.args}}))
    except InvalidInput:
        return False
    return recalled.override.seed_step >= 0


# -- what was made ----------------------------------------------------------------------------------------------------


def keep_generation(state: AgentState, context: AgentContext) -> list[str]:
    """Keep a record of a turn that was made; returns what the trace says of it.

    A disk that refuses costs the record, not the film, and is said.
    """
    board, work, intent = state.get("storyboard"), state["work"], state["intent"]
    if board is None or intent is None or not state.get("made") or not work.attempts:
        return []
    if not Path(state["production"]).is_dir():
        return []
    generation = _generation(state, context, board, intent)
    try:
        if intent.kind == "edit" and state.get("changed"):
            _mark_changed(generation, intent, context)
        context.generations.keep(generation)
    except OSError as error:
        return [f"respond: what was made could not be kept for next time: {error.strerror or error}"]
    return [f"respond: kept as generation {generation.id}"]


def approve_generation(state: AgentState, context: AgentContext) -> bool:
    """Note that a person likes what was last made; False where no record of it could be kept.

    Raises:
        StorageFailed: the disk refuses it.
    """
    from tools.errors import StorageFailed

    board = state.get("storyboard")
    if board is None or not state.get("production"):
        return False
    try:
        name = Path(state["production"]).name
        return context.generations.mark(name, "approved", _digest(board)) is not None
    except OSError as error:
        raise StorageFailed(f"it cannot be kept that you like it: {error.strerror or error}.") from error


def _digest(board: Storyboard) -> str:
    return hashlib.sha256(board.model_dump_json().encode()).hexdigest()[:24]


def _mark_changed(generation: Generation, intent: Intent, context: AgentContext) -> None:
    """A change right after is a sign: what was there before was not yet it."""
    of_it = [one for one in context.generations.all() if one.production == generation.production]
    if of_it and of_it[-1].storyboard != generation.storyboard and not of_it[-1].verdict:
        undone = any(edit.op == "undo" for edit in intent.edits)
        verdict: Verdict = "undone" if undone else "edited"
        context.generations.mark(generation.production, verdict, of_it[-1].storyboard)


def _generation(state: AgentState, context: AgentContext, board: Storyboard, intent: Intent) -> Generation:
    work = state["work"]
    production = Path(state["production"])
    digest = _digest(board)
    unchanged: AgentState = {**state, "work": work.model_copy(update={"overrides": {}})}
    plain = {call.id: call for call in planned_calls(unchanged, context)}
    best = [one for one in work.attempts if one.best and one.call in plain]
    scores = [one.score for one in best]
    return Generation(
        id=generation_id(production.name, digest),
        made=context.generations.now(),
        production=production.name,
        storyboard=digest,
        title=without_controls(board.title),
        request=" ".join(without_controls(state.get("request") or "").split())[:LONGEST_REQUEST],
        language=intent.language,
        style=board.style,
        aspect=board.aspect,
        characters=tuple(member.id for member in board.cast),
        places=_each(shot.location for shot in board.shots),
        times=_each(shot.time_of_day for shot in board.shots),
        moods=_each(shot.music for shot in board.shots),
        shots=len(board.shots),
        seconds=board.duration_s,
        score=round(sum(scores) / len(scores), 4) if scores else 0.0,
        passed=bool(best) and all(one.passed for one in best) and not work.failures,
        parts=tuple(_part(plain[one.call], one, work) for one in best),
        misled=_misled(work),
        missing=tuple(sorted(work.failures)),
        files=_relative(state.get("files") or {}, production),
    )


def _part(call: Call, best: Attempt, work: Work) -> MadePart:
    tries = [one for one in work.attempts if one.call == call.id]
    recalled = work.recalled.get(call.id)
    change = Change(args=best.override.args, seed_step=best.override.seed_step)
    plain = next((one for one in tries if one.override == Override()), None)
    again = recalled is not None and best.override == recalled.override and plain is None
    if again and recalled is not None:
        before, failed = recalled.before, tuple(recalled.failed)
    else:
        before, failed = (plain.score, tuple(plain.failed)) if plain else (best.score, ())
        if plain is None or plain.passed:
            change = Change()
    rendering = call.args.get("rendering")
    return MadePart(
        call=call.id,
        tool=call.tool,
        engine=call.engine,
        preset=str(rendering.get("preset", "")) if isinstance(rendering, dict) else "",
        seed=call.seed,
        about=tuple(_about(call)),
        words=_words(call),
        attempts=len(tries),
        before=before,
        score=best.score,
        passed=best.passed,
        failed=failed,
        change=change,
        conditions=conditions_of(call.tool, call.engine, call.args, call.seed, change),
        recalled=again,
    )


def _misled(work: Work) -> tuple[tuple[str, Change], ...]:
    """What was recalled and did not pass."""
    failed = {one.call for one in work.attempts if one.number == 1 and not one.passed}
    return tuple(
        (one.conditions, Change(args=one.override.args, seed_step=one.override.seed_step))
        for name, one in work.recalled.items()
        if name in failed
    )


def _shot(call: Call) -> dict[str, Any]:
    shot = call.args.get("shot")
    return shot if isinstance(shot, dict) else {}


def _about(call: Call) -> Iterator[str]:
    shot = _shot(call)
    yield from (str(one["character"]) for one in shot.get("placements") or [])
    if shot.get("location"):
        yield str(shot["location"])
    if call.args.get("character"):
        yield str(call.args["character"])


def _words(call: Call) -> str:
    """`wide shot, beach, sunset: luca waves, alberto stands`; a line by its words, music by its mood."""
    shot = _shot(call)
    if not shot:
        said = [call.args.get(name) for name in ("text", "mood", "place", "emotion")]
        return without_controls(", ".join(str(one) for one in said if one))[:120]
    who = ", ".join(f"{one['character']} {one.get('pose', '')}".strip() for one in shot.get("placements") or [])
    seen = ", ".join(str(shot.get(name)) for name in ("framing", "location", "time_of_day"))
    action = f"; {shot['action']}" if shot.get("action") else ""
    return without_controls(f"{seen}: {who or 'nobody'}{action}")[:240]


def _relative(files: dict[str, str], production: Path) -> dict[str, str]:
    """Paths within the production; what lies elsewhere is not named."""
    found = {label: Path(path) for label, path in files.items()}
    return {
        label: path.relative_to(production).as_posix()
        for label, path in found.items()
        if path.is_relative_to(production)
    }


def _each(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
