"""A value with its unit, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from evals.expect.seen import Seen
from evals.result import Metric

__all__ = ["measured", "not_measured", "random_models", "share", "weights_note"]


def measured(name: str, value: float, unit: str = "", note: str = "") -> Metric:
    """A figure; `note`: what it holds for, where that is not plain."""
    return Metric(name=name, value=round(float(value), 6), unit=unit, why=note)


def not_measured(name: str, why: str, unit: str = "") -> Metric:
    """None, and why."""
    return Metric(name=name, unit=unit, why=why)


def share(name: str, values: Sequence[bool], why: str) -> Metric:
    """Part of the values that are true, 0..1; not measured where there are none."""
    return measured(name, fmean(values), "0..1") if values else not_measured(name, why, "0..1")


def weights_note(seen: Seen) -> str:
    """What is to be known of a scenario's models: those that a world lays down are tiny; empty where it has none."""
    models = _models(seen)
    if not models:
        return ""
    return "tiny random weights" if models & random_models(seen) else "tiny weights"


def random_models(seen: Seen) -> set[str]:
    """Models of a scenario whose weights are random, so that nothing they answer means anything."""
    from evals.world.weights import TINY

    return {name for name in _models(seen) if name in TINY and not TINY[name].taught}


def _models(seen: Seen) -> set[str]:
    """Names of the models on a scenario's machine."""
    return {path.stem for path in (seen.folder / "models").glob("*.yaml")}
