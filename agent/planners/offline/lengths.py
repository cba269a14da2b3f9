"""How long each planned shot becomes: as it was asked for, as its lines need, else its share of the total."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from agent.planners.offline.coverage import least_of
from agent.planners.offline.notes import Notes
from agent.planners.offline.pacing import share_out, speech_need
from agent.planners.offline.plan import ShotPlan

__all__ = ["lengths_of"]


def lengths_of(plans: Sequence[ShotPlan], total: float | None, notes: Notes) -> list[float]:
    """The length of each shot in seconds; their sum is `total` where the lines fit into it."""
    coverage = notes.direction.coverage
    least = [least_of(plan, coverage) for plan in plans]
    for index, plan in enumerate(plans):
        if plan.fixed is not None and plan.lines and plan.fixed < least[index] - 1e-6:
            notes.problem(
                "shot_speech_too_long",
                shot=index + 1,
                needed=least[index],
                given=plan.fixed,
            )
    if total is None:
        return [max(_floor(plan, least[i]), _rounded(plan)) for i, plan in enumerate(plans)]
    fixed = {i: max(plan.fixed, _floor(plan, least[i])) for i, plan in enumerate(plans) if plan.fixed is not None}
    free = [i for i in range(len(plans)) if i not in fixed]
    rest = total - sum(fixed.values())
    if fixed and free and rest >= sum(least[i] for i in free):
        shares = share_out(rest, [plans[i].weight for i in free], [least[i] for i in free])
        return [fixed[i] if i in fixed else shares[free.index(i)] for i in range(len(plans))]
    if fixed and not free and abs(rest) < 1e-6:
        return [fixed[i] for i in range(len(plans))]
    if fixed:
        notes.assume("scaled_shots", seconds=total)
    speech = [speech_need(plan.lines) for plan in plans]
    bare = [least[i] if speech[i] else min(least[i], max(0.5, total / len(plans) * 0.5)) for i in range(len(plans))]
    bare = [ceil(value * 10 - 1e-6) / 10 for value in bare]
    if sum(bare) > total + 1e-6 and any(speech):
        notes.problem("speech_too_long", needed=round(sum(bare), 1), given=total)
    elif sum(bare) > total + 1e-6:
        notes.problem("shots_too_many", count=len(plans), needed=round(sum(bare), 1), given=total)
    weights = [plan.fixed or plan.weight for plan in plans]
    return share_out(total, weights, least if sum(least) <= total + 1e-6 else bare)


def _floor(plan: ShotPlan, least: float) -> float:
    """A length that was asked for may be as short as a shot can be; otherwise shots keep the usual least."""
    return least if plan.lines or plan.fixed is None else 0.5


def _rounded(plan: ShotPlan) -> float:
    wish = plan.fixed if plan.fixed is not None else plan.wish
    return min(120.0, round(wish, 1))
