"""Ctrl-C and SIGTERM at any moment from the first line on: one line, exit code 130, never a traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agent.boards import beach, shot
from tools.storyboard import save_storyboard

MOMENTS = 20
FIRST_S = 0.3
UP = "import os, signal; signal.signal(signal.SIGINT, signal.{}); os.write(1, b'up\\n'); "
"""What Python does before the program's first line is its own: moments are counted from there."""
STUDIO = UP.format("SIG_DFL") + "from agent.__main__ import main; main()"
LATE = UP.format("default_int_handler") + "from agent.cli import main; main()"
"""The twin: imports the command line before it listens."""


def start(code: str, folder: Path, *args: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *args],
        cwd=folder,
        env={**os.environ, "STUDIO_PRODUCTIONS": str(folder / "productions")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Who runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def interrupted(code: str, folder: Path, after_s: float, signum: signal.Signals, *args: str) -> tuple[int, str]:
    process = start(code, folder, *args)
    time.sleep(after_s)
    process.send_signal(signum)
    _, told = process.communicate(timeout=60)
    return process.returncode, told


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_its_first_moments_it_says_one_line(tmp_path: Path, signum: signal.Signals) -> None:
    rng = random.Random(int(signum))
    for after_s in [0.0, *(rng.uniform(0.0, FIRST_S) for _ in range(MOMENTS - 1))]:
        code, told = interrupted(STUDIO, tmp_path, after_s, signum, "plan", "a beach at night")
        # 130 is what a shell says, too, of a process that the signal ended before it listened.
        assert code in (130, 0, -signum), (after_s, told)
        assert told in ("Stopped.\n", ""), after_s


def test_a_twin_that_listens_late_is_found_out(tmp_path: Path) -> None:
    told = [interrupted(LATE, tmp_path, 0.01 * step, signal.SIGINT, "plan", "a beach")[1] for step in range(4)]
    assert any("Traceback" in text for text in told)


def test_while_it_makes_something_it_stops_in_good_order_within_a_second(tmp_path: Path) -> None:
    save_storyboard(beach(*(shot(f"s{n}", "luca", duration_s=4.0) for n in range(1, 6))), tmp_path / "board.yaml")
    process = start(STUDIO, tmp_path, "render", "board.yaml", "--out", "film")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("film/artifacts/*/*/artifact.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == "Stopped. What is finished is kept; the same command goes on from there.\n"
    # A second is promised; a busy machine is given some more.
    assert time.monotonic() - began < 3.0
    assert list(tmp_path.glob("film/artifacts/*/*/artifact.json"))


def test_who_starts_it_with_the_signal_ignored_means_it(tmp_path: Path) -> None:
    code = UP.format("SIG_IGN") + "from agent.__main__ import main; main()"
    done, told = interrupted(code, tmp_path, 0.1, signal.SIGINT, "plan", "a beach at night")
    assert (done, told) == (0, "")
