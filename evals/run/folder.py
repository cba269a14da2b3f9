"""The folder that one run plays in: which files of it are the harness's own."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["OURS", "checks_file", "events_file", "turn_file", "turn_files"]

OURS = (
    "turn*.json",
    "turn*.jsonl",
    "checks*.json",
    "job.json",
    "run.json",
    "run.tmp",
    "log.txt",
    "world",
    "desk",
    "papers",
    "shown",
)
"""Patterns of what is not the studio's."""


def turn_file(folder: Path, number: int) -> Path:
    """What was seen of a turn, once it is over."""
    return folder / f"turn{number}.json"


def events_file(folder: Path, number: int) -> Path:
    """What was seen of a turn so far, event by event."""
    return folder / f"turn{number}.events.jsonl"


def checks_file(folder: Path, number: int) -> Path:
    """The checks of a turn."""
    return folder / f"checks{number}.json"


def turn_files(folder: Path) -> list[Path]:
    """Of the turns that are over, in order."""
    found = {
        int(match[1]): path for path in folder.glob("turn*.json") if (match := re.fullmatch(r"turn(\d+)", path.stem))
    }
    return [found[number] for number in sorted(found)]
