"""A value with its unit, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from evals.result import Metric

__all__ = ["measured", "not_measured", "share"]


def measured(name: str, value: float, unit: str = "") -> Metric:
    """A figure."""
    return Metric(name=name, value=round(float(value), 6), unit=unit)


def not_measured(name: str, why: str, unit: str = "") -> Metric:
    """None, and why."""
    return Metric(name=name, unit=unit, why=why)


def share(name: str, values: Sequence[bool], why: str) -> Metric:
    """Part of the values that are true, 0..1; not measured where there are none."""
    return measured(name, fmean(values), "0..1") if values else not_measured(name, why, "0..1")
