"""A command that is watched ends, whatever it does: hangs, prints without end, leaves others behind, is stopped."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.deeds import Moment
from evals.run import process
from evals.run.process import MOST_PRINTED, Ended, Watch, interrupt, kill, run_watched

READY = "print('ready', flush=True)\n"
SLEEPS = "import time\n" + READY + "time.sleep(600)\n"


@pytest.fixture(autouse=True)
def _a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of a command are a program of Python here."""
    command = lambda _edges, _lifeline, words: [sys.executable, "-c", *words]  # noqa: E731
    monkeypatch.setattr(process, "studio_command", command)


def run(folder: Path, code: str, *, watches: Sequence[Watch] = (), stdin: str = "", within_s: float = 60.0) -> Ended:
    return run_watched(
        folder / "edges.json", [code], environment={"PATH": os.environ["PATH"], "ONLY": "this"}, cwd=folder,
        folder=folder, stdin=stdin, within_s=within_s, watches=watches,
    )  # fmt: skip


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_both_streams_the_code_and_what_it_read_are_known(tmp_path: Path) -> None:
    code = "import sys, os; print(sys.stdin.read()); print(sorted(os.environ), file=sys.stderr); sys.exit(7)"
    ended = run(tmp_path, code, stdin="Ciao, è mare\n")
    assert (ended.exit, ended.output) == (7, "Ciao, è mare\n\n")
    assert "'ONLY', 'PATH'" in ended.stderr
    assert "HOME" not in ended.stderr


def test_what_reads_nothing_does_no_harm(tmp_path: Path) -> None:
    assert run(tmp_path, "print(1)", stdin="x" * 1_000_000).exit == 0


def test_what_hangs_is_ended_and_what_it_said_is_kept(tmp_path: Path) -> None:
    ended = run(tmp_path, SLEEPS, within_s=3.0)
    assert (ended.exit, ended.output) == (None, "ready\n")


def test_ctrl_c_and_a_kill_come_at_their_moment(tmp_path: Path) -> None:
    stop, end = Watch(Moment(prints="ready"), interrupt), Watch(Moment(file="*.there"), kill)
    asked = (
        "import time\ntry:\n    " + READY + "    time.sleep(600)\nexcept KeyboardInterrupt:\n    raise SystemExit(130)"
    )
    stopped = run(tmp_path, asked, watches=[stop])
    assert (stopped.exit, stopped.came) == (130, [stop])
    killed = run(tmp_path, f"open('a.there', 'w').close()\n{SLEEPS}", watches=[end])
    assert (killed.exit, killed.came) == (137, [end])


def test_a_moment_that_comes_with_the_last_breath_came_too_late(tmp_path: Path) -> None:
    never = Watch(Moment(prints="never"), kill)
    assert run(tmp_path, "print('something else')", watches=[never]).came == []


def test_what_is_printed_without_end_is_cut_and_told(tmp_path: Path) -> None:
    ended = run(tmp_path, f"print('first'); print('x' * {3 * MOST_PRINTED}); print('last')")
    assert len(ended.output) < MOST_PRINTED + 200
    assert ended.output.startswith("first")
    assert ended.output.endswith("last\n")
    assert "bytes are left out" in ended.output


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])\n"
        "open('pid', 'w').write(str(child.pid))\n"
    )
    began = time.monotonic()
    assert run(tmp_path, code).exit == 0
    assert time.monotonic() - began < 120, "it does not wait for what was left behind"
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not is_alive(pid):
            break
        time.sleep(0.05)
    assert not is_alive(pid)
