"""What many runs come to: pass@1, pass^k, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb
from statistics import fmean

from evals.result import Metric, ScenarioResult

__all__ = ["average_metrics", "pass_at", "pass_hat", "summarise"]


def pass_at(runs: int, passed: int, k: int) -> float:
    """The chance that at least one of k runs passes, estimated without bias: 1 - C(n-c, k) / C(n, k).

    Source: Chen et al. 2021, "Evaluating Large Language Models Trained on Code", equation 1 (arXiv:2107.03374).

    Args:
        runs: n, that were made. passed: c of them. k: at most n.
    """
    _check(runs, passed, k)
    return 1.0 - comb(runs - passed, k) / comb(runs, k)


def pass_hat(runs: int, passed: int, k: int) -> float:
    """The chance that all of k runs pass, estimated without bias: C(c, k) / C(n, k).

    Source: Yao et al. 2024, "tau-bench", section 3 (arXiv:2406.12045): pass^k.
    """
    _check(runs, passed, k)
    return comb(passed, k) / comb(runs, k)


def _check(runs: int, passed: int, k: int) -> None:
    if not (0 <= passed <= runs and 1 <= k <= runs):
        raise ValueError(f"of {runs} runs {passed} passed: no estimate for k = {k}")


def summarise(results: Sequence[ScenarioResult]) -> dict[str, float | int | None]:
    """Figures over all scenarios. Rates are means over the scenarios that were run; None where none was."""
    ran = [one for one in results if one.counted]
    outcomes = Counter(run.outcome for one in results for run in one.runs)
    found: dict[str, float | int | None] = {"scenarios": len(results), "ran": len(ran)}
    found |= {name: outcomes[name] for name in ("passed", "failed", "crashed", "timed_out", "not_run")}
    found["checks"] = sum(len(run.checks) for one in ran for run in one.counted)
    found["cpu_seconds"] = round(sum(run.cpu_seconds for one in ran for run in one.counted), 1)
    most = min((len(one.counted) for one in ran), default=1)
    for k in range(1, most + 1):
        if k == 1:
            found["pass@1"] = fmean(pass_at(len(one.counted), one.passes, 1) for one in ran) if ran else None
        else:
            found[f"pass@{k}"] = fmean(pass_at(len(one.counted), one.passes, k) for one in ran)
            found[f"pass^{k}"] = fmean(pass_hat(len(one.counted), one.passes, k) for one in ran)
    return found


_NOTES = 3
"""So many different notes of runs are told of an average."""


def average_metrics(results: Sequence[ScenarioResult]) -> list[Metric]:
    """Each metric as the mean over the runs in which it was measured; where it never was, it says why."""
    by_name: dict[str, list[Metric]] = {}
    for metric in (metric for one in results for run in one.counted for metric in run.metrics):
        by_name.setdefault(metric.name, []).append(metric)
    averages = []
    for name, found in by_name.items():
        values = [one.value for one in found if one.value is not None]
        why = f"over {len(values)} of {len(found)} runs" if values else _reasons(one.why for one in found)
        notes = list(dict.fromkeys(one.why for one in found if one.measured and one.why))
        why += f"; {'; '.join(notes[:_NOTES])}" if notes else ""
        averages.append(Metric(name=name, value=fmean(values) if values else None, unit=found[0].unit, why=why))
    return averages


def _reasons(whys: Iterable[str]) -> str:
    """Why none of several runs measured it, and how often so; the rarest first: it says most of what is lacking."""
    counted = sorted(Counter(whys).items(), key=lambda one: one[1])
    if len(counted) == 1:
        return counted[0][0]
    return "; ".join(f"{why} ({count} of {sum(n for _, n in counted)} runs)" for why, count in counted[:3])
