"""How long a scene of half an hour takes on virtual time, and what its models cost there beside insertion order."""

from __future__ import annotations

import time

from evals.benchmarks.row import Row

__all__ = ["measure"]

SHOTS = 24
ROUNDS = 5


def measure() -> list[Row]:
    """Five rounds in turn; loading is the same in each, for one seed gives one schedule."""
    from tools.runtime.scheduling.instances import scene
    from tools.runtime.scheduling.search import plan_order
    from tools.runtime.simulate import simulate

    problem = scene(SHOTS, 0).known
    bound = plan_order(problem).bound_s
    times: dict[str, list[float]] = {"ours": [], "insertion": []}
    loading: dict[str, float] = {}
    for _ in range(ROUNDS):
        for policy in ("ours", "insertion"):
            start = time.perf_counter()
            report = simulate([problem], policy=policy, seed=0)
            times[policy].append(time.perf_counter() - start)
            loading[policy] = report.switch_s / bound
    other = "insertion order, LRU"
    ours, theirs = loading["ours"], loading["insertion"]
    return [
        Row.of(f"simulated, {SHOTS} shots", times["ours"], "s", goal=1.0, against=times["insertion"],
               compared_with=other),
        Row(f"simulated loading / bound, {SHOTS} shots", ours, "x", 1.1, theirs, other, exact=True),
    ]  # fmt: skip
