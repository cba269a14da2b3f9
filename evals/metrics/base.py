"""A value with its unit, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from evals.expect.seen import Seen
from evals.result import Metric

__all__ = ["measured", "not_measured", "share", "weights_note"]


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
    """What is to be known of a scenario's models: those that a world lays down are random; empty where it has none."""
    return "tiny random weights" if any((seen.folder / "models").glob("*.yaml")) else ""
