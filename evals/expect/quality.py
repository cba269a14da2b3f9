"""Scorers of the quality loop and of what failed: scores, attempts, retries, failures, metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from evals.expect.matching import matches
from evals.expect.seen import Seen
from evals.result import Check

__all__ = ["SCORERS"]

By = Mapping[str, Any]


def _by_pattern(name: str, wanted: By, found: Mapping[str, Any], seen: Seen) -> Iterator[Check]:
    """Each pattern must fit something, and all that it fits must be as wanted."""
    for pattern, value in wanted.items():
        fitting = {call: one for call, one in found.items() if fnmatchcase(call, pattern)}
        absent = isinstance(value, Mapping) and value.get("absent") is True
        passed = not fitting if absent else bool(fitting) and all(matches(one, value) for one in fitting.values())
        note = "" if fitting or absent else f"nothing fits; there are {', '.join(found) or 'none'}"
        yield Check(name=f"{name}.{pattern}", turn=seen.number, passed=passed, expected=value, found=fitting, note=note)


def _scores(wanted: By, seen: Seen) -> Iterator[Check]:
    yield from _by_pattern("scores", wanted, seen.last.scores, seen)


def _attempts(wanted: By, seen: Seen) -> Iterator[Check]:
    found = Counter(one["call"] for turn in seen.turns for one in turn.attempts)
    yield from _by_pattern("attempts", wanted, found, seen)


def _retries(wanted: Any, seen: Seen) -> Iterator[Check]:
    found = sum(one["number"] > 1 for turn in seen.turns for one in turn.attempts)
    yield Check(name="retries", turn=seen.number, passed=matches(found, wanted), expected=wanted, found=found)


def _improved(wanted: tuple[str, ...], seen: Seen) -> Iterator[Check]:
    for pattern in wanted:
        tries = [one for turn in seen.turns for one in turn.attempts if fnmatchcase(one["call"], pattern)]
        first = {one["call"]: one["score"] for one in tries if one["number"] == 1}
        best = {one["call"]: one["score"] for one in tries if one["best"]}
        passed = bool(best) and all(best[call] > first.get(call, 1.0) for call in best)
        found = {"first": first, "kept": best}
        yield Check(name=f"improved.{pattern}", turn=seen.number, passed=passed, expected="kept > first", found=found)


def _failures(wanted: By, seen: Seen) -> Iterator[Check]:
    if not wanted:
        yield Check(
            name="failures", turn=seen.number, passed=not seen.last.failures, expected={}, found=seen.last.failures
        )
    yield from _by_pattern("failures", wanted, seen.last.failures, seen)


def _metrics(wanted: By, seen: Seen) -> Iterator[Check]:
    from evals.metrics.all import METRICS

    for name, value in wanted.items():
        metric = METRICS[name](seen)
        found = metric.value if metric.measured else f"not measured: {metric.why}"
        yield Check(name=f"metrics.{name}", turn=seen.number, passed=matches(found, value), expected=value, found=found)


SCORERS = {
    "scores": _scores,
    "attempts": _attempts,
    "retries": _retries,
    "improved": _improved,
    "failures": _failures,
    "metrics": _metrics,
}
