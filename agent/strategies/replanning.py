"""The plan is changed where what came of it asks for that: recorded in the trace, and told to the user.

- A picture that never passes its checks, after every attempt that moving the camera can make, has its shot staged in
  another way: closer, wider, people set apart. It is tried once; where that is no better, the shot is as it was.
- An engine that fails while it works is not replaced in silence. Movement falls back to the embedded engine for the
  shots that failed, lips are left out; nothing is done where a person named the engine. Pictures and voices are never
  mixed from two engines: they stay missing, and that is told.

What the user fixed (a framing, a storyboard he gave) is not touched. Pure functions of the state; nothing is run here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.replies import Replies
from agent.state import AgentState, Attempt, Restaged, Work
from agent.strategies.staging import Fix, fix_for, restaged
from agent.strategies.variations import fixed_by
from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from agent.context import AgentContext
    from tools.registry import EngineSpec

__all__ = ["replan"]

MOST_SHOTS = 3
"""Shots that are staged anew in one turn."""
TRIED = 2
"""Attempts after which a picture is said to fail again and again."""
FIRST_STAGE = 0


def replan(state: AgentState, context: AgentContext) -> dict[str, Any]:
    """What changes of the state; empty where all goes as planned.

    Args:
        state: after a batch was made and judged.
        context: of the turn.
    """
    delta = _back(state, context)
    delta |= _staged_anew({**state, **delta}, context)  # type: ignore[typeddict-item]
    delta |= _engines_anew({**state, **delta}, context)  # type: ignore[typeddict-item]
    return delta


# -- staging --------------------------------------------------------------------------------------------------------


def _staged_anew(state: AgentState, context: AgentContext) -> dict[str, Any]:
    intent, board, work = state["intent"], state.get("storyboard"), state["work"]
    given = context.options.given is not None or state.get("variations", 1) > 1
    if board is None or intent is None or given or work.stage != FIRST_STAGE or work.pending:
        return {}
    shots, problems = {shot.id: shot for shot in board.shots}, []
    work = work.model_copy(deep=True)
    for attempt in _hopeless(work, context.settings.quality_threshold):
        shot_id = attempt.call.removesuffix(".still")
        shot, fix = shots.get(shot_id), fix_for(attempt.failed)
        if shot is None or fix is None or shot_id in work.restaged or len(work.restaged) >= MOST_SHOTS:
            continue
        changed = restaged(shot, fix)
        if changed is None or (changed.framing != shot.framing and "framing" in fixed_by(intent)):
            continue
        tries = sum(one.call == attempt.call for one in work.attempts)
        work.restaged[shot_id] = Restaged(before=shot, tries=tries, fix=fix)
        for one in work.attempts:
            one.best = one.best and one.call != attempt.call
        work.results.pop(attempt.call, None)
        work.overrides.pop(attempt.call, None)
        shots[shot_id] = changed
        problems.append(_said(state, "restaged", shot_id, fix))
        turn = context.turn(state)
        turn.think("plan", f"{shot_id} is staged {fix}: {attempt.reason[:300]}", source="rules", label=shot_id)
    if not problems:
        return {}
    return _delta(state, work, board, shots, problems)


def _hopeless(work: Work, threshold: float) -> list[Attempt]:
    """The best attempts at pictures that fell short for good."""
    found = []
    for one in work.attempts:
        tries = sum(other.call == one.call for other in work.attempts)
        if one.best and one.call.endswith(".still") and one.score < threshold and tries >= TRIED:
            found.append(one)
    return found


def _back(state: AgentState, context: AgentContext) -> dict[str, Any]:
    """Shots whose new staging was no better are as they were: their best picture is of the old one."""
    board, work = state.get("storyboard"), state["work"]
    if board is None or not work.restaged or work.pending:
        return {}
    shots = {shot.id: shot for shot in board.shots}
    problems = list(state["problems"])
    work = work.model_copy(deep=True)
    changed = False
    for shot_id, was in work.restaged.items():
        call = f"{shot_id}.still"
        tries = [one for one in work.attempts if one.call == call]
        if call in work.failures and tries:
            # It could not even be made in the new way; what there was is better than nothing.
            del work.failures[call]
            kept = max(tries, key=lambda one: (one.score, -one.number))
            kept.best, work.results[call] = True, kept.key
            work.overrides[call] = kept.override
        best = next((one for one in tries if one.best), None)
        if best is None or best.number > was.tries or shots.get(shot_id) in (None, was.before):
            continue
        shots[shot_id] = was.before
        told = _said(state, "restaged", shot_id, was.fix)
        back = _said(state, "restaged_back", shot_id, was.fix)
        problems = [back if one == told else one for one in problems]
        context.turn(state).think("plan", f"{shot_id} is staged as before", source="rules", label=shot_id)
        changed = True
    if not changed:
        return {}
    return {**_delta(state, work, board, shots, []), "problems": problems}


def _delta(
    state: AgentState, work: Work, board: Storyboard, shots: dict[str, Any], problems: list[str]
) -> dict[str, Any]:
    data = {**board.model_dump(), "shots": [shots[shot.id].model_dump() for shot in board.shots]}
    return {"work": work, "storyboard": Storyboard.model_validate(data), "problems": [*state["problems"], *problems]}


def _said(state: AgentState, key: str, shot: str, fix: Fix | str) -> str:
    replies = _replies(state)
    return replies.say(key, shot=shot, how=replies.name("staged", fix))


def _replies(state: AgentState) -> Replies:
    intent = state["intent"]
    return Replies(intent.language if intent else "en")


# -- engines --------------------------------------------------------------------------------------------------------


def _engines_anew(state: AgentState, context: AgentContext) -> dict[str, Any]:
    lineup, work = state.get("lineup"), state["work"]
    if lineup is None or not work.failures:
        return {}
    named = {wish.rpartition("=")[2] for wish in (*context.options.engines, *context.settings.engines)}
    parts, problems, mended = list(lineup.parts), [], set[str]()
    for tool, ending in (("animate_shot", ".motion"), ("lip_sync", ".lips")):
        part = lineup.part(tool)
        failed = {call: why for call, why in work.failures.items() if call.endswith(ending)}
        if part is None or not part.engine or part.embedded or part.engine in named or not failed:
            continue
        why = next(iter(failed.values())).partition("\n")[0][:160]
        other = _embedded(tool, context) if tool == "animate_shot" else None
        at = parts.index(part)
        if other is not None:
            parts[at] = part.model_copy(
                update={
                    "engine": other.name, "embedded": True, "from_still": other.from_still, "paid": False,
                    "on_cpu": False, "licence": "",
                }
            )  # fmt: skip
            names = ", ".join(call.removesuffix(ending) for call in failed)
            words = {"engine": part.engine, "shots": names, "why": why, "other": other.name}
            problems.append(_replies(state).say("chosen_anew", **words))
        elif tool == "lip_sync":
            parts[at] = part.model_copy(update={"engine": ""})
            name = _replies(state).name("tools", tool)
            problems.append(_replies(state).say("left_out", engine=part.engine, why=why, part=name))
        else:
            continue
        mended |= failed.keys()
        turn = context.turn(state)
        turn.think("plan", problems[-1], source="rules", label=tool, data={"failed": sorted(failed)})
    if not problems:
        return {}
    # What was given up because it needed one of these is worked at again.
    kept = {
        call: why
        for call, why in work.failures.items()
        if call not in mended and not why.startswith(("it needs ", "needs "))
    }
    changed = work.model_copy(update={"failures": kept})
    new = lineup.model_copy(update={"parts": parts})
    return {"lineup": new, "work": changed, "problems": [*state["problems"], *problems]}


def _embedded(tool: str, context: AgentContext) -> EngineSpec | None:
    return next((one for one in context.toolbox.registry.engines(tool) if one.embedded), None)
