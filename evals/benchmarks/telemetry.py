"""What recording a run costs: CPU an event, the trace written at the end included."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from evals.benchmarks.row import Row

__all__ = ["measure"]

CALLS = 1_500
ROUNDS = 5


def measure() -> list[Row]:
    """Five rounds, in turn with a line of JSON an event, the least that a log can do."""
    ours, lines = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(recorded_ms(Path(folder)))
            lines.append(written_ms(Path(folder) / "log.jsonl"))
    return [
        Row.of("CPU an event, recorded", ours, "ms", goal=0.05, against=lines, compared_with="a line of JSON an event")
    ]


def _events(calls: int) -> list[tuple[str, str, str]]:
    return [(f"s{number}.still", tool, status) for number in range(calls) for tool, status in (
        ("generate_image", "queued"), ("generate_image", "running"), ("generate_image", "done"),
    )]  # fmt: skip


def recorded_ms(folder: Path) -> float:
    """CPU milliseconds an event, of a run of 1,500 calls with three events each, and its trace on disk."""
    from tools.runtime.events import CallEvent
    from tools.runtime.telemetry.recordings import Recordings

    told: list[str] = []
    events = [CallEvent(call, tool, "draft", status, seconds=0.1) for call, tool, status in _events(CALLS)]  # type: ignore[arg-type]
    start = time.process_time()
    recording = Recordings().of(folder, "turn", "A run", told.append)
    with recording.batch(CALLS):
        for event in events:
            recording.on_call(event)
    spent = time.process_time() - start
    if told or not list(folder.glob("traces/*.json*")):
        raise RuntimeError(f"nothing was recorded: {told}")
    return spent / len(events) * 1000


def written_ms(path: Path) -> float:
    """CPU milliseconds a line of JSON."""
    events = _events(CALLS)
    start = time.process_time()
    with path.open("w", encoding="utf-8") as file:
        for call, tool, status in events:
            file.write(json.dumps({"call": call, "tool": tool, "status": status, "at": time.time()}) + "\n")
            file.flush()
    return (time.process_time() - start) / len(events) * 1000
