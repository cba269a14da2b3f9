"""Two results side by side: what got better, what got worse, what is new, what is gone."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from evals.result import EvalResult, Metric, ScenarioResult

__all__ = ["Comparison", "MetricChange", "ScenarioChange", "compare"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ScenarioChange(_Model):
    """A scenario whose rate of passing differs; `differed`: names of the checks that fail only in the later result."""

    name: str
    before: float
    after: float
    differed: list[str] = Field(default_factory=list)


class MetricChange(_Model):
    """A metric that was measured in both."""

    name: str
    before: float
    after: float
    unit: str = ""


class Comparison(_Model):
    """What differs between two results.

    Attributes:
        worse, better: scenarios that were run in both. new, gone: names that only one of them ran.
        metrics: that changed. rate: pass@1 of both, over the scenarios that both ran.
        notes: why the two can hardly be compared, as another planner.
    """

    worse: list[ScenarioChange] = Field(default_factory=list)
    better: list[ScenarioChange] = Field(default_factory=list)
    same: int = 0
    new: list[str] = Field(default_factory=list)
    gone: list[str] = Field(default_factory=list)
    metrics: list[MetricChange] = Field(default_factory=list)
    rate: tuple[float, float] | None = None
    notes: list[str] = Field(default_factory=list)

    def lines(self) -> list[str]:
        """As a person reads it."""
        told = list(self.notes)
        for title, changes in (("worse", self.worse), ("better", self.better)):
            for one in changes:
                checks = f": {', '.join(one.differed[:4])}" if one.differed else ""
                told.append(f"{title:<7} {one.name}  {one.before:.0%} -> {one.after:.0%}{checks}")
        told += [f"new     {name}" for name in self.new] + [f"gone    {name}" for name in self.gone]
        told += [f"metric  {one.name}  {one.before:.4g} -> {one.after:.4g} {one.unit}" for one in self.metrics]
        counts = f"{len(self.worse)} worse, {len(self.better)} better, {self.same} the same"
        rate = f"; {self.rate[0]:.1%} -> {self.rate[1]:.1%} of those that both ran" if self.rate else ""
        return [*told, f"{counts}, {len(self.new)} new, {len(self.gone)} gone{rate}."]


def compare(before: EvalResult, after: EvalResult) -> Comparison:
    """Hold a later result against an earlier one. What was not run in one of them is no change for the worse."""
    old = {one.name: one for one in before.scenarios if one.counted}
    new = {one.name: one for one in after.scenarios if one.counted}
    found = Comparison(new=sorted(new.keys() - old.keys()), gone=sorted(old.keys() - new.keys()))
    both = [name for name in old if name in new]
    for name in both:
        rates = _rate(old[name]), _rate(new[name])
        change = ScenarioChange(
            name=name, before=rates[0], after=rates[1], differed=sorted(_failed(new[name]) - _failed(old[name]))
        )
        if rates[0] == rates[1]:
            found.same += 1
        else:
            (found.worse if rates[1] < rates[0] else found.better).append(change)
    if both:
        sums = (sum(_rate(side[name]) for name in both) / len(both) for side in (old, new))
        found.rate = (next(sums), next(sums))
    found.metrics = _metrics(before.metrics, after.metrics)
    for name in ("planner", "repeat"):
        if getattr(before, name) != getattr(after, name):
            found.notes.append(f"{name} differs: {getattr(before, name)} before, {getattr(after, name)} after")
    return found


def _rate(result: ScenarioResult) -> float:
    return result.passes / len(result.counted)


def _failed(result: ScenarioResult) -> set[str]:
    return {check.name for run in result.counted for check in run.differed}


def _metrics(before: list[Metric], after: list[Metric]) -> list[MetricChange]:
    old = {one.name: one.value for one in before}
    return [
        MetricChange(name=one.name, before=was, after=one.value, unit=one.unit)
        for one in after
        if one.value is not None and (was := old.get(one.name)) is not None and was != one.value
    ]
