"""SIGKILL at any moment, then the same command: nothing made twice, nothing torn, the same result.

`STUDIO_TEST_KILLS=250` runs the full size.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.tools.runtime.conftest import ENGINES
from tools.errors import CorruptArtifact
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore

KILLS = int(os.environ.get("STUDIO_TEST_KILLS", "40"))
REPOSITORY = ENGINES.parents[3]


def start(root: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.tools.runtime.job", str(root), *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(root: Path, *options: str) -> dict[str, str]:
    process = start(root, *options)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err + out
    digests: dict[str, str] = json.loads(out.splitlines()[-1].removeprefix("digests "))
    return digests


def log(root: Path) -> list[str]:
    path = root / "log"
    return [json.loads(line)["text"] for line in path.read_text().splitlines()] if path.exists() else []


def committed(root: Path) -> set[str]:
    """Texts of the calls that are in the store for good; every one of them whole."""
    folder = root / "beach" / "artifacts"
    store = ArtifactStore(folder)
    return {store.verify(key).record.args["text"] for key in store} if folder.is_dir() else set()


class Damage(AssertionError):
    """The promise was broken."""


def kill_and_resume(root: Path, kills: int, rng: random.Random, twin: str = "sound") -> dict[str, str]:
    """Start, kill after a random number of finished calls and a little more, look, start again ... then let it end."""
    for _ in range(kills):
        before, at_log = committed(root), len(log(root))
        process = start(root, "--twin", twin)
        assert process.stdout is not None
        assert process.stderr is not None
        fresh = 30 - len(before)
        wanted = rng.randrange(-2, max(min(fresh, 9), 1))
        told: list[str] = []
        while len(told) < wanted and (line := process.stdout.readline()):
            if line.startswith("done"):
                told.append(line.split()[1])
        if wanted < 0:
            time.sleep(rng.random() * 0.25)
        time.sleep(rng.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        rest, complaint = process.communicate()
        if complaint:
            raise Damage(complaint)
        told += [line.split()[1] for line in rest.splitlines() if re.fullmatch(r"done \w+", line)]
        try:
            after = committed(root)
        except CorruptArtifact as error:
            raise Damage(f"torn: {error}") from error
        if not set(told) <= after:
            raise Damage(f"told as done, and lost: {set(told) - after}")
        if again := before & set(log(root)[at_log:]):
            raise Damage(f"made twice: {again}")
    before, at_log = committed(root), len(log(root))
    digests = finish(root, "--twin", twin)
    if again := before & set(log(root)[at_log:]):
        raise Damage(f"made twice: {again}")
    return digests


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return finish(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_moments_the_same_command_goes_on(
    tmp_path: Path, undisturbed: dict[str, str], seed: int
) -> None:
    rng = random.Random(seed)
    left = KILLS // 4
    round_number = 0
    while left > 0:
        kills = min(left, 5)
        left -= kills
        round_number += 1
        # A path of the same length: the log's path is among the arguments, and with them in the keys, not in digests.
        root = tmp_path / f"r{round_number}"
        root.mkdir()
        assert kill_and_resume(root, kills, rng) == undisturbed
        production = Production.open(root, "beach")
        with production.lock():
            pass
        assert (production.path / "film.txt").read_text() == (production.path / "stills" / "s1.txt").read_text()
        assert {one.call for one in production.manifest().attempts} == set(undisturbed)
        litter = [path for path in production.path.rglob("*") if path.name.endswith(".tmp") or path.name[:1] == "."]
        assert {path.name for path in litter} <= {".request", ".tmp", ".locks"}
        assert list((production.path / "artifacts" / ".tmp").iterdir()) == []
        at_log = len(log(root))
        assert finish(root) == undisturbed
        assert len(log(root)) == at_log


@pytest.mark.slow
@pytest.mark.parametrize("twin", ["naive", "forgetful"])
def test_the_broken_twins_are_found_out(tmp_path: Path, undisturbed: dict[str, str], twin: str) -> None:
    rng = random.Random(1)

    def rounds() -> None:
        for round_number in range(6):
            root = tmp_path / f"r{round_number}"
            root.mkdir()
            assert kill_and_resume(root, 5, rng, twin) == undisturbed

    with pytest.raises(Damage):
        rounds()


def test_a_killed_parent_leaves_no_child_behind(tmp_path: Path) -> None:
    """Also not one that burns the CPU without letting Python's other threads in, nor a program that it started."""
    process = start(tmp_path, "--deed", "family")
    pids = tmp_path / "pids"
    try:
        for _ in range(500):
            if pids.exists() and " " in pids.read_text():
                break
            time.sleep(0.02)
        family = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
        workers = psutil.Process(process.pid).children()
        assert all(member.is_running() for member in family)
        # Two, but for one that was ended because a busy machine let it give no sign for so long.
        assert workers
    finally:
        process.kill()
        process.communicate()
    gone, alive = psutil.wait_procs([*family, *workers], timeout=2.0)
    zombies = [member for member in alive if member.status() == psutil.STATUS_ZOMBIE]
    assert len(gone) + len(zombies) == len({*family, *workers})


def test_two_processes_on_one_store_make_nothing_twice(tmp_path: Path) -> None:
    """With the control that without locks they do."""

    def race(root: Path, twin: str) -> list[str]:
        root.mkdir()
        processes = [start(root, "--shared", "--twin", twin) for _ in range(2)]
        ends = [process.communicate(timeout=60) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], ends
        assert len({out.splitlines()[-1] for out, _ in ends}) == 1
        return log(root)

    made = race(tmp_path / "sound", "sound")
    assert len(made) == len(set(made)) == 30
    for attempt in range(5):
        made = race(tmp_path / f"twin{attempt}", "no-lock")
        if len(made) > len(set(made)):
            return
    pytest.fail("the control: without locks, calls should have been made twice")


def test_two_processes_on_one_production_one_is_told_who_has_it(tmp_path: Path) -> None:
    first = start(tmp_path, "--count", "200")
    assert first.stdout is not None
    first.stdout.readline()
    second = start(tmp_path)
    out, _ = second.communicate(timeout=20)
    first.kill()
    first.communicate()
    assert second.returncode == 3
    assert out.startswith(f"ProductionBusy: beach is being written by process {first.pid}.")
    assert finish(tmp_path)
