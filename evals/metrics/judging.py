"""How well it was understood and acted upon: intent accuracy, trajectory precision and recall, argument accuracy.

They are taken from the checks that a scenario makes, so that they say something only where it expects something.
"""

from __future__ import annotations

from evals.expect.seen import Seen
from evals.metrics.base import share
from evals.result import Check, Metric

__all__ = ["INTENT_FIELDS", "argument_accuracy", "intent_accuracy", "intent_field", "trajectory_precision",
           "trajectory_recall"]  # fmt: skip

INTENT_FIELDS = (
    "kind",
    "characters",
    "outputs",
    "language",
    "places",
    "times",
    "weathers",
    "moods",
    "seconds",
    "lines",
)
"""Fields whose accuracy is told by itself: what the request asked for, as intent and storyboard have it."""
_ASKED = {*INTENT_FIELDS, "ops", "aspect", "shots", "fps", "variations", "topic", "needs_search", "search_words"}
# What is judged or measured goes on without being asked for; it is no part of what was to be done.
_MEASURING = {"review_artifact", "see_picture", "compare_faces", "transcribe"}


def _fields(seen: Seen) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for check in seen.checks:
        part, _, name = check.name.partition(".")
        if part in ("intent", "storyboard") and name in _ASKED:
            found.setdefault(name, []).append(check.passed)
        elif part == "lines":
            found.setdefault("lines", []).append(check.passed)
    return found


def intent_accuracy(seen: Seen) -> Metric:
    """Part of the fields of the request that were understood as they were meant, 0..1.

    Definition: over the fields that the scenario fixes (of the intent, and what came of them in the storyboard), those
    that are right / all: slot accuracy. Source: Budzianowski et al. 2018, "MultiWOZ", section 4 (arXiv:1810.00278).
    """
    values = [one for field in _fields(seen).values() for one in field]
    return share("intent_accuracy", values, "the scenario fixes no field of the request")


def intent_field(field: str, seen: Seen) -> Metric:
    """Part of what a scenario fixes of this one field that is right, 0..1; see `intent_accuracy`."""
    return share(f"intent_accuracy.{field}", _fields(seen).get(field, []), f"the scenario does not fix {field}")


def _of(seen: Seen, *names: str) -> list[Check]:
    return [check for check in seen.checks if check.name.startswith(names)]


def trajectory_recall(seen: Seen) -> Metric:
    """Part of the tool calls that had to be made that were made, 0..1.

    Definition: words under `must`, `made`, `cached`, and tools under `exact` that were called / all of them. Source:
    trajectory_recall of Google Cloud's agent evaluation (cloud.google.com/vertex-ai, "Evaluate Gen AI agents", 2025).
    """
    values = [check.passed for check in _of(seen, "trajectory.must", "trajectory.made", "trajectory.cached")
              if not check.name.startswith("trajectory.must_not")]  # fmt: skip
    for check in _of(seen, "trajectory.exact"):
        values += [tool in check.found for tool in check.expected]
    return share("trajectory_recall", values, "the scenario asks for no tool call")


def trajectory_precision(seen: Seen) -> Metric:
    """Part of the tools called that were to be called, 0..1.

    Definition: where the scenario lists all tools (`exact`): called tools that are listed / called tools, reviews and
    other measuring left out. Source: trajectory_precision, as for the recall.
    """
    values = [
        tool in check.expected
        for check in _of(seen, "trajectory.exact") for tool in check.found if tool not in _MEASURING
    ]  # fmt: skip
    return share("trajectory_precision", values, "the scenario does not list all tools (trajectory.exact)")


def argument_accuracy(seen: Seen) -> Metric:
    """Part of the arguments that calls were expected to have that they had, 0..1.

    Definition: right arguments / arguments looked at, over all calls that a scenario describes. Source: the abstract
    syntax tree accuracy of the Berkeley Function-Calling Leaderboard (Patil et al. 2025), argument by argument.
    """
    values = [check.passed for check in _of(seen, "trajectory.arguments")]
    return share("argument_accuracy", values, "the scenario fixes no argument")
