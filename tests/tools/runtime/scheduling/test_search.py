from __future__ import annotations

from hypothesis import given, settings

from tests.tools.runtime.scheduling.small import cheapest_us, problems
from tools.runtime.scheduling.plan import check_plan
from tools.runtime.scheduling.problem import Problem
from tools.runtime.scheduling.search import plan_order


@settings(max_examples=300, deadline=None)
@given(problems())
def test_what_is_proven_is_the_optimum(problem: Problem) -> None:
    plan = plan_order(problem)
    check_plan(problem, plan)
    assert plan.proven
    assert round(plan.switch_s * 1e6) == cheapest_us(problem)
