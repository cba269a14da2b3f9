"""judge: the quality loop. Scores what was just made; what falls short goes back with what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.eyesight import shared_device
from agent.lineup import Lineup
from agent.planned import planned_calls
from agent.replies import Replies
from agent.reviews import measuring_calls, review_call
from agent.state import AgentState, Attempt, Override, Work
from agent.weaknesses import tell_retry
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, ToolError
from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from tools.review.tool import Check

__all__ = ["judge"]


def judge(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Review every new artifact; below the threshold and with attempts left, change what the failed check points at."""
    context, work = runtime.context, state["work"]
    board = state.get("storyboard")
    assert board is not None
    calls = {call.id: call for call in planned_calls(state, context)}
    fresh = [calls[call_id] for call_id in work.pending if call_id in work.results]
    reviews, outcome = _reviewed(state, runtime, board, fresh)
    intent = state["intent"]
    replies = Replies(intent.language if intent else "en")
    verdicts: list[str] = []
    told: list[str] = []
    work = work.model_copy(deep=True, update={"pending": []})
    made = dict(work.results)
    outdated: set[str] = set()
    for call in fresh:
        if outdated.intersection(call.needs):
            # It was made of something that is made again, or of a take that was not the best: it is made anew, and this
            # one does not count among its attempts.
            outdated.add(call.id)
            del work.results[call.id]
            continue
        if call.id not in reviews:
            continue
        review = outcome[reviews[call.id].id]
        if isinstance(review, Cancelled):
            raise review
        attempt = _attempt(work, call, review, context.settings.quality_threshold)
        work.attempts.append(attempt)
        levers = _levers(state, call)
        retry = _retry(work, call, review, context, levers) if not attempt.passed else None
        if retry is not None:
            del work.results[call.id]
            work.overrides[call.id], reason = retry
            verdicts.append(f"{call.id} scored {attempt.score:.2f}: {reason}")
            told.append(tell_retry(attempt, work.overrides[call.id], board, replies))
        else:
            _keep_best(work, call.id)
        if work.results.get(call.id) != made[call.id]:
            outdated.add(call.id)
    runtime.stream_writer({"node": "judge", "verdicts": told})
    scores = {a.call: a.score for a in work.attempts if a.best}
    line = f"judge: {len(reviews)} reviewed, {len(verdicts)} to make again" + "".join(f"; {v}" for v in verdicts)
    return {"work": work, "scores": scores, "trace": [*state["trace"], line]}


def _reviewed(
    state: AgentState, runtime: Runtime[AgentContext], board: Storyboard, fresh: list[Call]
) -> tuple[dict[str, Call], dict[str, Artifact | ToolError]]:
    """The review of each new result, by call, and what came of the reviews.

    Where a model that measures fails, the result is reviewed without it, and the check that it served is not run.
    """
    context = runtime.context
    durations = context.toolbox.durations(state)
    lineup = state.get("lineup") or Lineup()
    measured = {call.id: measuring_calls(call, lineup) for call in fresh}
    outcome = _looked_first(state, runtime, [calls["seen"] for calls in measured.values() if "seen" in calls])
    blind = {name for name, result in outcome.items() if isinstance(result, ToolError)}
    measured = {
        name: {what: one for what, one in calls.items() if one.id not in blind} for name, calls in measured.items()
    }
    reviews = {call.id: found for call in fresh if (found := review_call(call, board, durations, measured[call.id]))}
    batch = [one for calls in measured.values() for one in calls.values()]
    outcome |= context.toolbox.run(state, [*batch, *reviews.values()], runtime.stream_writer, context.cancel)
    failed = {one.id for one in batch if isinstance(outcome[one.id], ToolError)}
    again: dict[str, Call] = {}
    for call in fresh:
        kept = {name: one for name, one in measured[call.id].items() if one.id not in failed}
        if call.id in reviews and len(kept) < len(measured[call.id]):
            # Those that did work are asked again, too: they come from the store.
            again |= {one.id: one for one in kept.values()}
            reviews[call.id] = again[call.id] = review_call(call, board, durations, kept) or reviews[call.id]
    if again:
        outcome |= context.toolbox.run(state, list(again.values()), runtime.stream_writer, context.cancel)
    return reviews, outcome


def _looked_first(
    state: AgentState, runtime: Runtime[AgentContext], looks: list[Call]
) -> dict[str, Artifact | ToolError]:
    """What a vision model saw whose server shares the device: it looks at all of them while it has it, before anything
    else is measured. Empty where it shares none: then looking is a call like any other."""
    context = runtime.context
    hold = shared_device(context.toolbox, looks[0].engine) if looks else None
    if hold is None:
        return {}
    try:
        with hold(context.cancel):
            return dict(context.toolbox.run(state, looks, runtime.stream_writer, context.cancel))
    except Cancelled:
        raise
    except ToolError as error:
        # It could not be had on the device: nobody looks, and the rest is judged all the same.
        return {one.id: error for one in looks}


def _attempt(work: Work, call: Call, review: Artifact | Exception, threshold: float) -> Attempt:
    number = sum(a.call == call.id for a in work.attempts) + 1
    override = work.overrides.get(call.id, Override())
    key = work.results[call.id]
    if not isinstance(review, Artifact):
        reason = f"the review could not be run: {review}"
        return Attempt(call=call.id, number=number, key=key, score=0.0, passed=False, override=override, reason=reason)
    from tools.review.fixes import failed_first
    from tools.review.tool import ReviewArtifact

    found = ReviewArtifact.Output.model_validate(review.output)
    failed = failed_first(found.checks)
    return Attempt(
        call=call.id,
        number=number,
        key=key,
        review=review.key,
        score=found.score,
        passed=found.score >= threshold,
        override=override,
        reason="; ".join(check.detail for check in failed),
        failed=[check.name for check in failed],
        seen=[f"{check.name.removeprefix('meaning_')}: {check.detail}" for check in found.checks if _was_seen(check)],
    )


def _was_seen(check: Check) -> bool:
    """Whether a vision model gave this check its score."""
    return check.name.startswith("meaning") and check.status != "not_run"


def _levers(state: AgentState, call: Call) -> list[str]:
    """What can be changed of how the engine that made it paints."""
    lineup = state.get("lineup")
    part = lineup.part(call.tool) if lineup is not None else None
    return part.levers if part is not None else []


def _retry(
    work: Work, call: Call, review: Artifact | Exception, context: AgentContext, levers: list[str]
) -> tuple[Override, str] | None:
    """What to change for the next attempt; None when nothing would help or the bound is reached."""
    tries = [attempt for attempt in work.attempts if attempt.call == call.id]
    before = tries[-1].override
    recalled = call.id in work.recalled
    # What an earlier generation found is tried beyond the bound: it must not cost an attempt of this one.
    if len(tries) - recalled >= context.settings.max_attempts or not isinstance(review, Artifact):
        return None
    if recalled and len(tries) == 1:
        return Override(), "what helped before did not help here; trying without it"
    from tools.review.fixes import propose
    from tools.review.tool import ReviewArtifact

    found = ReviewArtifact.Output.model_validate(review.output)
    unchanged = {name: value for name, value in call.args.items() if name not in before.args}
    tried = [{**unchanged, **attempt.override.args} for attempt in tries]
    fix = propose(
        str(review.record.args["kind"]), dict(call.args), list(found.checks), len(tries), tried,
        seed_helps=not _seed_was_useless(tries), levers=levers, picture=tries[-1].id,
    )  # fmt: skip
    if fix is None:
        return None
    changed = {name: value for name, value in fix.args.items() if unchanged.get(name) != value}
    return Override(args=changed, seed_step=before.seed_step + fix.seed_step), fix.reason


def _seed_was_useless(tries: list[Attempt]) -> bool:
    """Whether the last attempt differed by its seed alone, and was measured as the one before it."""
    if len(tries) < 2:
        return False
    before, last = tries[-2:]
    return last.override.args == before.override.args and (last.score, last.reason) == (before.score, before.reason)


def _keep_best(work: Work, call_id: str) -> None:
    tries = [a for a in work.attempts if a.call == call_id]
    best = max(tries, key=lambda a: (a.passed, a.score, -a.number))
    best.best = True
    work.results[call_id] = best.key
    if best.override != Override():
        work.overrides[call_id] = best.override
    else:
        work.overrides.pop(call_id, None)
