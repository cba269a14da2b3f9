"""The whole product from outside: an 8-second film of two characters at 720p, its first picture, memory, repeat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from evals.benchmarks.row import Row
from tools.storyboard import CastMember, Placement, Shot, Storyboard, save_storyboard

__all__ = ["eight_seconds", "measure"]

POLL_S = 0.01
ROUNDS = 3
STOPPED = 130


def eight_seconds() -> Storyboard:
    """Two shots of four seconds on the beach at sunset, Luca and Alberto in both, 1280x720 at 24 fps."""
    both = [
        Placement(character="luca", pose="wave", expression="happy", facing="right", x=0.34),
        Placement(character="alberto", pose="hands_on_hips", expression="smug", facing="left", x=0.66),
    ]
    shots = [
        Shot(id="s1", framing="wide", camera="push", time_of_day="sunset", placements=both, ambience="beach"),
        Shot(id="s2", framing="medium", time_of_day="sunset", placements=both, ambience="beach"),
    ]
    cast = [
        CastMember(id="luca", name="Luca Paguro", known=True),
        CastMember(id="alberto", name="Alberto Scorfano", known=True),
    ]
    return Storyboard(title="Eight seconds", duration_s=8.0, cast=cast, shots=shots)


def measure() -> list[Row]:
    """Three rounds: a run with the machine's workers, one with a single worker, the first one again, one stopped."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            board = Path(folder) / "board.yaml"
            save_storyboard(eight_seconds(), board)
            full = _render(board, Path(folder) / "full", workers=0)
            single = _render(board, Path(folder) / "single", workers=1)
            again = _render(board, Path(folder) / "full", workers=0)
            stopped = _render(board, Path(folder) / "stopped", workers=0, stop=True)
            rounds.append((full, single, again, stopped))
    fulls, singles, agains, stops = zip(*rounds, strict=True)
    one = "the same with one worker"
    walls = [run.wall_s for run in fulls]
    return [
        Row.of(
            "first still after the command", [run.first_still_s for run in fulls], "s", goal=3.0,
            against=[run.first_still_s for run in singles], compared_with=one,
        ),
        Row.of(
            "8 s film, 720p, two characters", walls, "s", goal=20.0, against=[run.wall_s for run in singles],
            compared_with=one,
        ),
        Row.of(
            "the same command again", [run.wall_s for run in agains], "s", against=walls,
            compared_with="the first run",
        ),
        Row.of(
            "peak memory, all processes", [run.peak_mb for run in fulls], "MB", goal=1000.0,
            against=[run.peak_mb for run in singles], compared_with=one,
        ),
        Row.of("Ctrl-C to the end of the program", [run.ended_s for run in stops], "s", goal=1.0),
    ]  # fmt: skip


class _Watched:
    """A run of `studio render`, watched from outside."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.first_still_s = 0.0
        self.peak_mb = 0.0
        self.ended_s = 0.0
        """From Ctrl-C to the end, where it was stopped."""


def _render(board: Path, out: Path, workers: int, *, stop: bool = False) -> _Watched:
    """Run it; with `stop` it gets Ctrl-C when its first picture is there."""
    seen = _Watched()
    args = [sys.executable, "-m", "agent", "render", str(board), "--out", str(out), "--json"]
    env = {**os.environ, "STUDIO_WORKERS": str(workers), "STUDIO_PRODUCTIONS": str(out.parent / "productions")}
    start = time.perf_counter()
    process = subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watcher = threading.Thread(target=_watch, args=(process, out, start, seen, stop))
    watcher.start()
    _, told = process.communicate()
    seen.wall_s = time.perf_counter() - start
    watcher.join()
    if stop:
        seen.ended_s = start + seen.wall_s - seen.ended_s
    if process.returncode != (STOPPED if stop else 0):
        raise RuntimeError(f"studio render failed: {told.strip()}")
    return seen


def _watch(process: subprocess.Popen[str], out: Path, start: float, seen: _Watched, stop: bool) -> None:
    while process.poll() is None:
        if not seen.first_still_s and next(out.glob("artifacts/*/*/still.png"), None):
            seen.first_still_s = time.perf_counter() - start
            if stop:
                seen.ended_s = time.perf_counter()
                process.send_signal(signal.SIGINT)
        seen.peak_mb = max(seen.peak_mb, _tree_mb(process.pid))
        time.sleep(POLL_S)


def _tree_mb(pid: int) -> float:
    """Proportional memory (PSS where the system tells it, else RSS) of a process and all its descendants, in MB."""
    import psutil

    total = 0.0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0.0
    for process in family:
        try:
            memory = process.memory_full_info()
            total += getattr(memory, "pss", memory.rss) / 1e6
        except psutil.Error:
            continue
    return total
