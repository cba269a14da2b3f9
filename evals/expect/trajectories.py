"""Scorers of what was done: tool calls, nodes, retries, engines, switches, what a chat model was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from evals.expect.matching import matches
from evals.expect.model import Arguments, Trajectory
from evals.expect.seen import Seen
from evals.result import CallSeen, Check

__all__ = ["SCORERS", "fits", "made_calls"]


def fits(call: CallSeen, word: str) -> bool:
    """Whether a call is meant: by its tool, `tool/engine`, or a pattern of its id."""
    return word in (call.tool, f"{call.tool}/{call.engine}") or fnmatchcase(call.id, word)


def made_calls(calls: Iterable[CallSeen]) -> list[CallSeen]:
    """Those that were really made: not taken from the store, not lost before they began."""
    return [call for call in calls if call.status in ("done", "failed", "running")]


def _in_order(wanted: tuple[str, ...], found: list[Any], same: Any) -> bool:
    rest = iter(found)
    return all(any(same(one, word) for one in rest) for word in wanted)


def _trajectory(wanted: Trajectory, seen: Seen) -> Iterator[Check]:
    calls, turn = seen.calls, seen.number
    told = _told(calls)
    for word in wanted.must:
        yield Check(
            name="trajectory.must", turn=turn, passed=any(fits(c, word) for c in calls), expected=word, found=told
        )
    for word in wanted.must_not:
        none = not any(fits(call, word) for call in calls)
        yield Check(name="trajectory.must_not", turn=turn, passed=none, expected=word, found=told)
    if wanted.order:
        passed = _in_order(wanted.order, calls, fits)
        ids = [call.id for call in calls]
        yield Check(name="trajectory.order", turn=turn, passed=passed, expected=list(wanted.order), found=ids)
    if wanted.exact is not None:
        tools = sorted({call.tool for call in calls})
        passed = tools == sorted(set(wanted.exact))
        yield Check(name="trajectory.exact", turn=turn, passed=passed, expected=sorted(wanted.exact), found=tools)
    for word, number in wanted.count.items():
        found = len({(call.id, call.attempt) for call in calls if fits(call, word)})
        yield Check(
            name=f"trajectory.count.{word}", turn=turn, passed=matches(found, number), expected=number, found=found
        )
    for name, statuses in (("cached", {"cached"}), ("made", {"done"}), ("failed", {"failed"})):
        for word in getattr(wanted, name):
            passed = any(fits(call, word) and call.status in statuses for call in calls)
            yield Check(name=f"trajectory.{name}", turn=turn, passed=passed, expected=word, found=told)
    for asked in wanted.arguments:
        yield from _arguments(asked, seen)
    nodes = [node for record in seen.turns for node in record.nodes]
    if wanted.nodes:
        passed = _in_order(wanted.nodes, nodes, lambda node, word: node == word)
        yield Check(name="trajectory.nodes", turn=turn, passed=passed, expected=list(wanted.nodes), found=nodes)
    for word in wanted.nodes_not:
        yield Check(name="trajectory.nodes_not", turn=turn, passed=word not in nodes, expected=word, found=nodes)


def _told(calls: list[CallSeen]) -> dict[str, int]:
    """Calls by `tool/engine status`: short enough to be read."""
    return dict(Counter(f"{call.tool}/{call.engine} {call.status}" for call in calls))


def _arguments(asked: Arguments, seen: Seen) -> Iterator[Check]:
    from tools.registry import values_at

    calls = [c for c in seen.calls if (asked.tool is None or c.tool == asked.tool) and fnmatchcase(c.id, asked.call)]
    if not calls:
        note = "no such call was made"
        yield Check(name="trajectory.arguments", turn=seen.number, passed=False, expected=asked.model_dump(), note=note)
    for call in calls:
        for path, value in asked.args.items():
            found = list(values_at(call.args, path))
            passed = any(matches(one, value) for one in found) if found else matches(None, value)
            name = f"trajectory.arguments.{call.id}.{path}"
            shown = found[0] if len(found) == 1 else found
            yield Check(name=name, turn=seen.number, passed=passed, expected=value, found=shown)


def _number(name: str, wanted: Any, found: Any, seen: Seen) -> Iterator[Check]:
    yield Check(name=name, turn=seen.number, passed=matches(found, wanted), expected=wanted, found=found)


def _tool_calls(wanted: Any, seen: Seen) -> Iterator[Check]:
    yield from _number("tool_calls", wanted, len(made_calls(seen.calls)), seen)


def _switches(wanted: Any, seen: Seen) -> Iterator[Check]:
    loads = sum(event["action"] == "load" for turn in seen.turns for event in turn.devices)
    yield from _number("switches", wanted, loads, seen)


def _again(wanted: Any, seen: Seen) -> Iterator[Check]:
    yield from _number("again", wanted, sum(turn.again for turn in seen.turns), seen)


def _engines(wanted: Mapping[str, str], seen: Seen) -> Iterator[Check]:
    for tool, engine in wanted.items():
        found = sorted({call.engine for call in seen.calls if call.tool == tool and call.engine})
        yield Check(name=f"engines.{tool}", turn=seen.number, passed=found == [engine], expected=engine, found=found)


def _passed_over(wanted: Any, seen: Seen) -> Iterator[Check]:
    parts = (seen.last.lineup or {"parts": []})["parts"]
    found = [f"{part['tool']}/{one['engine']}: {one['why']}" for part in parts for one in part["passed_over"]]
    yield from _number("passed_over", wanted, list(dict.fromkeys(found)), seen)


def _model(wanted: Mapping[str, Any], seen: Seen) -> Iterator[Check]:
    asked = [one for turn in seen.turns for one in turn.asked_model or []]
    watched = all(turn.asked_model is not None for turn in seen.turns)
    found = {
        "steps": sum(turn.steps for turn in seen.turns),
        "tokens": sum(turn.tokens for turn in seen.turns),
        "requests": len(asked),
        "refused": sum(one["status"] in (400, 404) for one in asked),
        "asked": list(dict.fromkeys(one["piece"] for one in asked if one["piece"])),
    }
    for name, value in wanted.items():
        # What a person's own chat model was asked, nobody watches.
        if watched or name in ("steps", "tokens"):
            yield from _number(f"model.{name}", value, found[name], seen)


def _strategy(wanted: Any, seen: Seen) -> Iterator[Check]:
    import re

    said = [one["text"] for one in seen.last.thoughts] + seen.last.trace
    found = next((m[1] for text in said if (m := re.search(r"strategy (\w+):", text))), "")
    yield from _number("strategy", wanted, found, seen)


SCORERS = {
    "trajectory": _trajectory,
    "tool_calls": _tool_calls,
    "switches": _switches,
    "again": _again,
    "engines": _engines,
    "passed_over": _passed_over,
    "model": _model,
    "strategy": _strategy,
}
