"""Scorers of what the person is told, and of how a turn ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from evals.expect.matching import matches
from evals.expect.model import Failure
from evals.expect.seen import Seen
from evals.result import Check

__all__ = ["SCORERS", "at_path"]


def _value(name: str, read: Callable[[Seen], Any]) -> Callable[[Any, Seen], Iterator[Check]]:
    """A scorer of one value."""

    def score(wanted: Any, seen: Seen) -> Iterator[Check]:
        found = read(seen)
        yield Check(name=name, turn=seen.number, passed=matches(found, wanted), expected=wanted, found=found)

    return score


def _error(wanted: Failure, seen: Seen) -> Iterator[Check]:
    found = seen.last.error
    passed = found is not None and found["kind"] == wanted.kind
    if passed and found is not None and wanted.says is not None:
        passed = matches(found["says"], wanted.says)
    yield Check(name="error", turn=seen.number, passed=passed, expected=wanted.model_dump(), found=found)


def _data(wanted: Mapping[str, Any], seen: Seen) -> Iterator[Check]:
    if seen.last.data is None:
        note = "there is no JSON" if seen.last.command else "there is no structured content"
        yield Check(name="data", turn=seen.number, passed=False, expected=dict(wanted), note=note)
        return
    for path, value in wanted.items():
        found, there = at_path(seen.last.data, path)
        note = "" if there else "there is nothing at this path"
        # What is absent is absent from something: a path that leads nowhere is most often misspelt.
        passed = there and matches(found, value)
        yield Check(name=f"data.{path}", turn=seen.number, passed=passed, expected=value, found=found, note=note)


def at_path(data: Any, path: str) -> tuple[Any, bool]:
    """What stands at a dotted path, and whether anything does.

    A number is a place in a list; under another name a list stands for all of its items, and the values are a list.
    """
    if path == ".":
        return data, True
    head, _, rest = path.partition(".")
    if isinstance(data, list) and not head.isdigit():
        values = [value for value, there in (at_path(item, path) for item in data) if there]
        return values, bool(values)
    if isinstance(data, list):
        there = int(head) < len(data)
        found = data[int(head)] if there else None
    else:
        there = isinstance(data, Mapping) and head in data
        found = data[head] if there else None
    return at_path(found, rest) if rest and there else (found, there)


def _progress(wanted: Any, seen: Seen) -> Iterator[Check]:
    told = [one["text"] for one in seen.last.progress]
    yield Check(name="progress", turn=seen.number, passed=matches(told, wanted), expected=wanted, found=told)
    parts = [one["fraction"] for one in seen.last.progress]
    grows = all(before < after for before, after in pairwise(parts))
    yield Check(name="progress.grows", turn=seen.number, passed=grows, expected="each more than the last", found=parts)


def _web(seen: Seen, name: str) -> list[str]:
    return [one for turn in seen.turns for one in getattr(turn, name)]


SCORERS = {
    "message": _value("message", lambda seen: seen.last.message),
    "assumptions": _value("assumptions", lambda seen: seen.last.assumptions),
    "problems": _value("problems", lambda seen: seen.last.problems),
    "thoughts": _value("thoughts", lambda seen: [one["text"] for one in seen.last.thoughts]),
    "notes": _value("notes", lambda seen: [one["source"] for one in seen.last.notes]),
    "search": _value("search", lambda seen: seen.last.search),
    "asked": _value("asked", lambda seen: sum(len(turn.asked_person) for turn in seen.turns)),
    "exit": _value("exit", lambda seen: seen.last.exit),
    "made": _value("made", lambda seen: seen.last.made),
    "seconds": _value("seconds", lambda seen: round(sum(turn.seconds for turn in seen.turns), 3)),
    "files": _value("files", lambda seen: sorted(seen.last.files)),
    "web_asked": _value("web_asked", lambda seen: _web(seen, "web_asked")),
    "pages_fetched": _value("pages_fetched", lambda seen: _web(seen, "pages_fetched")),
    "error": _error,
    "output": _value("output", lambda seen: seen.last.output),
    "stderr": _value("stderr", lambda seen: seen.last.stderr),
    "data": _data,
    "progress": _progress,
    "contents": _value("contents", lambda seen: seen.last.contents),
}
