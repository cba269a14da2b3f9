"""What a scenario's file says of the world must have come about: else it shows less than it claims, and still passes.

A fault that never struck (a pattern that fits no call), a server of others that nobody asked, a moment that never came,
a line of a scripted chat model that nobody ever asked for, an answer to a question that was never put: each is a check
that fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from evals.deeds import Meanwhile
from evals.result import Check, TurnRecord
from evals.scenario import Scenario

__all__ = ["promised"]


def promised(scenario: Scenario, turns: list[TurnRecord], folder: Path, *, live: bool = False) -> list[Check]:
    """The checks of what the file says will happen, after the last turn.

    Args:
        turns: all of them, in order.
        folder: of the scenario.
        live: a person's own chat model played: what one of the file would have been asked is not looked at, but that
            theirs gave anything is, since the rules alone may pass in its place.
    """
    found = [*_faults(scenario, folder), *_servers(scenario, folder)]
    found += [*_moments(scenario, turns), *_answers(scenario, turns)]
    return [*found, *(_live(scenario, turns) if live else _replies(scenario, turns))]


def _check(name: str, turn: int, happened: bool, why: str) -> Check:
    return Check(name=name, turn=turn, passed=happened, expected="it happens", found=happened,
                 note="" if happened else why)  # fmt: skip


def _faults(scenario: Scenario, folder: Path) -> Iterator[Check]:
    path = folder / "world" / "happened.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    happened = {json.loads(line)["fault"] for line in lines}
    for number, fault in enumerate(scenario.world.faults):
        why = f"no call of {fault.tool} that fits {fault.call!r} came to {fault.kind}"
        yield _check(f"world.faults.{number}", 0, number in happened, why)


def _servers(scenario: Scenario, folder: Path) -> Iterator[Check]:
    for name in scenario.world.servers:
        path = folder / "world" / f"{name}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        asked = any("listed" in json.loads(line) for line in lines)
        yield _check(f"world.servers.{name}", 0, asked, "nobody asked the server what it offers")


def _moments(scenario: Scenario, turns: list[TurnRecord]) -> Iterator[Check]:
    for turn, record in zip(scenario.turns, turns, strict=False):
        if turn.kill_at is not None:
            yield _check("kill_at", record.number, record.kills > 0, "the moment never came")
        if turn.cancel_at is not None:
            yield _check("cancel_at", record.number, record.cancelled, "the moment never came")
        if turn.meanwhile is not None:
            yield _meanwhile(turn.meanwhile, record)


def _meanwhile(wanted: Meanwhile, record: TurnRecord) -> Check:
    """It was typed, and returned what it had to."""
    if not record.meanwhile:
        return _check("meanwhile", record.number, False, "the moment never came")
    beside = record.meanwhile[-1]
    note = str(beside["stderr"]).strip()[-300:] if beside["exit"] != wanted.exit else ""
    return Check(name="meanwhile.exit", turn=record.number, passed=beside["exit"] == wanted.exit,
                 expected=wanted.exit, found=beside["exit"], note=note)  # fmt: skip


def _answers(scenario: Scenario, turns: list[TurnRecord]) -> Iterator[Check]:
    for turn, record in zip(scenario.turns, turns, strict=False):
        if turn.answers:
            asked = len(record.asked_person)
            why = f"{len(turn.answers)} answers, and the person was asked {asked} times"
            yield _check("answers", record.number, asked >= len(turn.answers), why)


def _live(scenario: Scenario, turns: list[TurnRecord]) -> Iterator[Check]:
    if scenario.world.model is None or "primary" not in scenario.world.model.roles:
        return
    given = any(turn.tokens for turn in turns) or any(
        "/" in one["source"] and one["kind"] != "note" for turn in turns for one in turn.thoughts
    )
    yield _check("world.model", 0, given, "the chat model gave nothing, so the rules alone were looked at")


def _replies(scenario: Scenario, turns: list[TurnRecord]) -> Iterator[Check]:
    asked = [one for turn in turns for one in turn.asked_model or []]
    for number, reply in enumerate(scenario.world.model.replies if scenario.world.model else ()):
        fitting = [
            one for one in asked
            if (reply.piece is None or one["piece"] == reply.piece)
            and (reply.tool is None or reply.tool in one["tools"])
            and (reply.model is None or one["model"] == f"eval-{reply.model}")
        ]  # fmt: skip
        pieces = sorted({str(one["piece"]) for one in asked if one["piece"]})
        why = f"nobody asked for it; asked were {', '.join(pieces) or 'no pieces'}"
        yield _check(f"world.model.replies.{number}", 0, bool(fitting), why)
