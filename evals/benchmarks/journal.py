"""What it costs to write a job down: CPU a call and bytes, beside one LangGraph node a call with SQLite checkpoints."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from evals.benchmarks.row import Row
from tools.base import Call
from tools.runtime.jobs.journal import Journal, read_journal

__all__ = ["measure"]

SIZES = (50, 200, 800)
"""Calls of a job whose bytes are counted."""
TIMED = 400
"""Calls that are timed, on both sides."""
MOST = 10_000
ROUNDS = 5
KEY = "0123456789abcdef0123456789abcdef01234567"


def calls_of_scenes(count: int) -> list[Call]:
    """So many calls as the studio makes them: the calls of one compiled storyboard, scene after scene."""
    from agent.compiler import compile_calls
    from evals.benchmarks.film import eight_seconds

    scene = compile_calls(eight_seconds(), ["image", "voice", "music", "subtitles", "video"])
    found: list[Call] = []
    while len(found) < count:
        number = len(found) // len(scene)
        found += [call.model_copy(update={"id": f"scene{number}.{call.id}"}) for call in scene]
    return found[:count]


def keep(folder: Path, calls: list[Call]) -> tuple[float, int]:
    """Write a job with all that happens to its calls; its CPU seconds, fsyncs included, and its bytes."""
    with Journal.open(folder, "job") as journal:
        start = time.process_time()
        journal.accept(calls)
        journal.mark("running")
        for call in calls:
            journal.started(call.id)
            journal.committed(call.id, KEY)
        journal.mark("done")
        spent = time.process_time() - start
    return spent, journal.path.stat().st_size


def checkpointed(folder: Path, calls: list[Call]) -> float:
    """CPU seconds of LangGraph doing it: a node a call, durable by SQLite. To its favour, only the last key is kept."""
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.graph import END, START, StateGraph
    from typing_extensions import TypedDict

    class State(TypedDict):
        at: int
        key: str

    def make(state: State) -> dict[str, Any]:
        return {"at": state["at"] + 1, "key": KEY}

    graph = StateGraph(State)
    graph.add_node("make", make)
    graph.add_edge(START, "make")
    graph.add_conditional_edges("make", lambda state: "make" if state["at"] < len(calls) else END, ["make", END])
    with SqliteSaver.from_conn_string(str(folder / "threads.sqlite")) as saver:
        app = graph.compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": "job"}, "recursion_limit": len(calls) + 10}
        start = time.process_time()
        app.invoke({"at": 0, "key": ""}, config, durability="sync")
        return time.process_time() - start


def measure() -> list[Row]:
    """Each side in turn, five times, so that a busy machine slows both alike."""
    ours, theirs = [], []
    calls = calls_of_scenes(TIMED)
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(keep(Path(folder), calls)[0] / TIMED * 1000)
            theirs.append(checkpointed(Path(folder), calls) / TIMED * 1000)
    per_node = "one LangGraph node a call, SqliteSaver, durability sync"
    pairs = [our / their for our, their in zip(ours, theirs, strict=True)]
    rows = [
        Row.of("CPU a call, journal", ours, "ms", goal=0.1, against=theirs, compared_with=per_node),
        Row.of("CPU a call, journal, of a LangGraph node's", pairs, "x", goal=0.05),
    ]
    for count in SIZES:
        rows.append(_bytes_row(calls_of_scenes(count)))
    with tempfile.TemporaryDirectory() as folder:
        calls = calls_of_scenes(MOST)
        spent, _ = keep(Path(folder), calls)
        done = len(read_journal(Path(folder), "job").committed)
    if done != MOST:
        raise RuntimeError(f"of {MOST} calls in one job {done} were found again")
    rows.append(Row(f"CPU a call, {MOST} calls in one job", spent / MOST * 1000, "ms", goal=0.1))
    return rows


def _bytes_row(calls: list[Call]) -> Row:
    """Bytes of the journal by those of the calls that were given."""
    with tempfile.TemporaryDirectory() as folder:
        _, size = keep(Path(folder), calls)
    payload = sum(len(call.model_dump_json()) for call in calls)
    return Row(f"journal, {len(calls)} calls, bytes by payload", size / payload, "x", goal=2.0, exact=True)
