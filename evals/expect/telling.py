"""Scorers of what the person is told, and of how a turn ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from evals.expect.matching import matches
from evals.expect.model import Failure
from evals.expect.seen import Seen
from evals.result import Check

__all__ = ["SCORERS"]


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
}
