"""Holds what a scenario expects against what was seen: each key of `expect` has one scorer, found here by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.expect.model import Expect
from evals.expect.seen import Seen
from evals.result import Check, TurnRecord
from evals.scenario import Scenario

__all__ = ["Scorer", "check", "check_turn", "check_whole", "scorers"]

Scorer = Callable[[Any, Seen], Iterable[Check]]
"""(what the file says, what was seen) -> checks."""


def scorers() -> Mapping[str, Scorer]:
    """By key of `Expect` the function that scores it."""
    from evals.expect import artifacts, quality, storyboards, telling, trajectories

    parts = (storyboards, trajectories, artifacts, quality, telling)
    return {name: scorer for part in parts for name, scorer in part.SCORERS.items()}


def check_turn(scenario: Scenario, record: TurnRecord, folder: Path) -> list[Check]:
    """The checks of one turn, held as soon as it is over: files change with the next one.

    A turn that ended in an error which nobody expected has failed, whatever else is expected of it.
    """
    turn = scenario.turns[record.number - 1]
    checks = check(turn.expect, Seen((record,), folder))
    # What the whole scenario expects is how its last turn ends.
    at_the_end = record.number == len(scenario.turns) and scenario.expect.error is not None
    if record.error is not None and turn.expect.error is None and not at_the_end:
        note = "the turn ended in an error"
        checks.append(Check(name="error", turn=record.number, passed=False, found=record.error, note=note))
    if record.error is None and turn.command is not None and turn.expect.exit is None:
        checks += _ended_well(scenario, record)
    return checks


def _ended_well(scenario: Scenario, record: TurnRecord) -> list[Check]:
    """A command returns 0 where nothing else is expected of it; one that was stopped or killed returns what it will."""
    stopped = record.cancelled or record.kills
    at_the_end = record.number == len(scenario.turns) and scenario.expect.exit is not None
    if record.exit == 0 or stopped or at_the_end:
        return []
    note = f"the command failed: {record.stderr.strip()[-300:]}"
    return [Check(name="exit", turn=record.number, passed=False, expected=0, found=record.exit, note=note)]


def check_whole(scenario: Scenario, turns: list[TurnRecord], folder: Path, held: list[Check]) -> list[Check]:
    """The checks of what is expected after the last turn; metrics among them count those that were `held` before."""
    return check(scenario.expect, Seen(tuple(turns), folder, whole=True, checks=tuple(held)))


def check(expect: Expect, seen: Seen) -> list[Check]:
    """The checks of one `expect`. A scorer that breaks is a check that failed, with what it broke of."""
    known = scorers()
    found: list[Check] = []
    for name, wanted in expect.given.items():
        # Metrics come last: some are taken from the checks before them.
        looked_at = replace(seen, checks=(*seen.checks, *found)) if name == "metrics" else seen
        try:
            found += list(known[name](wanted, looked_at))
        except Exception as error:
            note = f"could not be looked at: {type(error).__name__}: {error}"
            found.append(Check(name=name, turn=seen.number, passed=False, note=note[:400]))
    return found
