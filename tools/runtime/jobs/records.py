"""The lines of a journal, and what they add up to. Pure data: nothing here touches the disk.

A line is `<crc> <json>\\n`: eight hex digits of CRC-32 over the JSON, begun with the CRC of the job's id, so that a
line of another journal is none of this one; then a JSON array whose first item says what happened:

    ["journal", 1, id, about]          always the first line; `about` is what the job is for, as JSON data
    ["call", n, call]                  call number n, as it was asked for
    ["batch", first, count]            those calls are accepted: they were all written, and this line after them
    ["run", n]                         its making began
    ["ok", n, key]                     it is done; its artifact lies under this key
    ["err", n, kind, message, hint]    it ended with this error
    ["state", name, reason, facts]     the job's own state; `facts` is JSON data about it

Each line is a fact of its own. A damaged one is passed over: a `run`, `ok` or `err` that is missing costs nothing,
because the artifact is the commit and the store is asked again. A call missing from a batch is a loss, and is told.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from tools.base import Call

__all__ = ["ENDED", "Failure", "History", "JobState", "decode", "encode", "replay", "salt_of"]

VERSION = 1
JobState = Literal["accepted", "running", "paused", "done", "failed", "cancelled"]
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled")
"""States in which nothing more will be done, unless a person asks for it."""
_STATES: tuple[str, ...] = get_args(JobState)
_CRC = 8


def salt_of(job_id: str) -> int:
    """Where the CRC of every line of this job's journal begins."""
    return zlib.crc32(job_id.encode())


def encode(body: bytes, salt: int) -> bytes:
    """One line from its JSON, which must hold no line break."""
    return b"%08x %b\n" % (zlib.crc32(body, salt), body)


def decode(data: bytes, salt: int) -> tuple[list[list[Any]], int, int]:
    """The sound lines of a journal's bytes.

    Returns:
        Their items; the offset behind the last sound line, where a writer goes on; how many before it are damaged.
    """
    items: list[list[Any]] = []
    end = damaged = suspects = at = 0
    while (newline := data.find(b"\n", at)) >= 0:
        line, at = data[at:newline], newline + 1
        item = _item(line, salt)
        if item is None:
            suspects += 1
        else:
            items.append(item)
            end, damaged, suspects = at, damaged + suspects, 0
    return items, end, damaged


def _item(line: bytes, salt: int) -> list[Any] | None:
    body = line[_CRC + 1 :]
    if line[: _CRC + 1] != b"%08x " % zlib.crc32(body, salt):
        return None
    try:
        item = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return item if isinstance(item, list) and item else None


@dataclass(frozen=True)
class Failure:
    """How a call ended: the name of the error's class, what happened, what to do about it."""

    kind: str
    message: str
    hint: str = ""


@dataclass
class History:
    """What a journal says, all lines taken together.

    Attributes:
        job_id: empty where the first line is missing.
        version: of the journal's form.
        about: what the job is for.
        state: of the job; `accepted` from the first whole batch or state on, None before.
        reason: why it is in that state, for people.
        facts: more about that state.
        starts: how many times it was begun.
        calls: the accepted calls by id, as JSON data, the latest of each id.
        running: ids of calls that were begun and did not end.
        committed: key of the artifact, by id of the finished calls.
        failed: by id, how the failed ones ended.
        lost: numbers of calls that were accepted and cannot be read.
        damaged: lines that cannot be read.
        next_number: of the call that is written next.
        end: where the next line is written.
    """

    job_id: str = ""
    version: int = VERSION
    about: dict[str, Any] = field(default_factory=dict)
    state: JobState | None = None
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    starts: int = 0
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    committed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    damaged: int = 0
    next_number: int = 0
    end: int = 0

    @property
    def graph(self) -> list[Call]:
        """The accepted calls, in the order in which they were."""
        return [Call.model_validate(self.calls[name]) for name in sorted(self.calls, key=self.numbers.__getitem__)]

    @property
    def ended(self) -> bool:
        """Whether nothing more will be done."""
        return self.state in ENDED


def replay(data: bytes, job_id: str) -> History:
    """Read a journal: what was lost with its torn end is not there, what is there is true."""
    items, end, damaged = decode(data, salt_of(job_id))
    history = History(end=end, damaged=damaged)
    written: dict[int, dict[str, Any]] = {}
    for item in _well_formed(items):
        kind = item[0]
        if kind == "call":
            written[item[1]] = item[2]
            history.next_number = max(history.next_number, item[1] + 1)
        elif kind == "batch":
            _accept(history, written, range(item[1], item[1] + item[2]))
        elif kind in ("run", "ok", "err"):
            _note(history, written, item)
        elif kind == "state":
            history.state, history.reason, history.facts = item[1], item[2], item[3]
            history.starts += item[1] == "running"
            if item[1] != "running":
                history.running.clear()
        elif kind == "journal":
            history.version, history.job_id, history.about = item[1], item[2], item[3]
    return history


def _accept(history: History, written: dict[int, dict[str, Any]], numbers: range) -> None:
    history.next_number = max(history.next_number, numbers.stop)
    history.state = history.state or "accepted"
    for number in numbers:
        call = written.get(number)
        if call is None:
            history.lost.append(number)
            continue
        name = call["id"]
        history.calls[name] = call
        history.numbers[name] = number
        # A call that was asked for anew, with other arguments: what is known of the old one says nothing of it.
        for known in (history.committed, history.failed):
            known.pop(name, None)
        history.running.discard(name)


def _note(history: History, written: dict[int, dict[str, Any]], item: list[Any]) -> None:
    """Something happened to a call; of an earlier call of the same id it is past."""
    call = written.get(item[1])
    if call is None or history.numbers.get(call["id"]) != item[1]:
        return
    name = call["id"]
    history.running.discard(name)
    history.failed.pop(name, None)
    if item[0] == "run":
        history.running.add(name)
    elif item[0] == "ok":
        history.committed[name] = item[2]
    else:
        history.committed.pop(name, None)
        history.failed[name] = Failure(*item[2:])


_SHAPES: dict[str, tuple[type, ...]] = {
    "journal": (int, str, dict),
    "call": (int, dict),
    "batch": (int, int),
    "run": (int,),
    "ok": (int, str),
    "err": (int, str, str, str),
    "state": (str, str, dict),
}
_MOST_CALLS = 10_000_000
"""A number beyond it is not one of ours; a batch is counted through."""


def _well_formed(items: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """Lines of the shapes above. Others were written by a later version, or by somebody who computed their CRC."""
    for item in items:
        shape = _SHAPES.get(item[0]) if isinstance(item[0], str) else None
        if shape is None or len(item) != len(shape) + 1:
            continue
        if not all(isinstance(part, wanted) for part, wanted in zip(item[1:], shape, strict=True)):
            continue
        if item[0] == "state" and item[1] not in _STATES:
            continue
        if item[0] == "call" and not isinstance(item[2].get("id"), str):
            continue
        if item[0] != "journal" and any(isinstance(part, int) and not 0 <= part <= _MOST_CALLS for part in item[1:3]):
            continue
        yield item
