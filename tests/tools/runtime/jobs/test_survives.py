"""Jobs whose studio is killed at random moments, again while they go on: nothing accepted is lost, nothing made twice.

`STUDIO_FULL=1` runs the full size: 200 kills, and 50 more while a job goes on.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tools.runtime.conftest import ENGINES
from tests.tools.runtime.jobs.studio import CALLS
from tools.errors import CorruptArtifact
from tools.runtime.jobs.queue import JobQueue
from tools.runtime.jobs.records import replay
from tools.runtime.storage.store import ArtifactStore

FULL = bool(os.environ.get("STUDIO_FULL"))
KILLS = 200 if FULL else 20
KILLS_ON_RESUME = 50 if FULL else 8
JOBS = 2
LONGEST_S = 10.0
"""In which the same command has brought what was killed to its end."""
REPOSITORY = ENGINES.parents[3]
Digests = dict[str, dict[str, str]]
pytestmark = pytest.mark.slow


def start(root: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.tools.runtime.jobs.studio", str(root), *options]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Damage(AssertionError):
    """The promise was broken."""


def worked() -> float:
    """Seconds that children have worked, those of their own among them; the clock says little on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def finish(root: Path, *options: str) -> Digests:
    process = start(root, "run", *options)
    out, err = process.communicate(timeout=120)
    if process.returncode or "Traceback" in err:
        raise Damage(err + out)
    found: Digests = json.loads(out.splitlines()[-1].removeprefix("digests "))
    return found


def give(root: Path, count: int = JOBS) -> None:
    process = start(root, "give", str(count))
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err + out


def made(root: Path) -> dict[str, list[str]]:
    """By job: what its engines really made, in order."""
    found = {}
    for number in range(1, JOBS + 1):
        path = root / f"log{number}"
        lines = path.read_text().splitlines() if path.exists() else []
        found[str(number)] = [json.loads(line)["text"] for line in lines]
    return found


def committed(root: Path) -> dict[str, set[str]]:
    """By job: what is in its store for good. Everything there must be whole."""
    found: dict[str, set[str]] = {}
    for number in range(1, JOBS + 1):
        folder = root / f"scene{number}" / "artifacts"
        store = ArtifactStore(folder)
        try:
            keys = list(store) if folder.is_dir() else []
            found[str(number)] = {store.verify(key).record.args["text"] for key in keys}
        except CorruptArtifact as error:
            raise Damage(f"torn: {error}") from error
    return found


class Watch:
    """What must not be lost, from one look to the next."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.queue = JobQueue(root / ".studio" / "jobs")
        self.before, self.logged = committed(root), made(root)
        self.states = {view.id: view.state for view in self.queue.views()}
        if len(self.states) != JOBS:
            raise Damage("an accepted job is lost")

    def look(self, told: list[list[str]]) -> None:
        """After a death: what was there is there, what was told is there, nothing of it was made again."""
        after, views = committed(self.root), {view.id: view for view in self.queue.views()}
        if set(views) != set(self.states):
            raise Damage("an accepted job is lost")
        for job, view in views.items():
            if view.state is None or view.total != CALLS:
                raise Damage(f"the journal of job {job} is torn: {view.reason}, {view.total} calls")
            if self.states[job] == "done" and view.state != "done":
                raise Damage(f"job {job} was done")
            if not self.before[job] <= after[job]:
                raise Damage("what was committed is lost")
            lost = {call for number, call in told if number == job} - after[job]
            if lost:
                raise Damage(f"told as done, and lost: {lost}")
            again = self.before[job] & set(made(self.root)[job][len(self.logged[job]) :])
            if again:
                raise Damage(f"made twice: {again}")
            store = ArtifactStore(self.root / f"scene{job}" / "artifacts")
            history = replay((self.queue.folder / f"{job}.journal").read_bytes(), job)
            for call, key in history.committed.items():
                if store.get(key) is None:
                    raise Damage(f"the journal says that {call} is done, and it is not there")


def kill_and_look(root: Path, rng: random.Random, wanted: int, twin: str = "sound") -> None:
    """Run, kill after so many finished calls and a moment, look. Negative: at any moment from the start on."""
    watch = Watch(root)
    process = start(root, "run", "--twin", twin)
    assert process.stdout is not None
    told: list[list[str]] = []
    while len(told) < wanted and (line := process.stdout.readline()):
        if line.startswith(("done", "cached")):
            told.append(line.split()[1:])
    time.sleep(rng.random() * (0.4 if wanted < 0 else 0.01))
    process.send_signal(signal.SIGKILL)
    rest, complaint = process.communicate()
    if complaint:
        raise Damage(complaint)
    told += [line.split()[1:] for line in rest.splitlines() if re.fullmatch(r"(done|cached) \w+ \w+", line)]
    watch.look(told)


def end_well(root: Path, twin: str = "sound") -> Digests:
    watch = Watch(root)
    before = worked()
    digests = finish(root, "--twin", twin)
    if worked() - before > LONGEST_S:
        raise Damage(f"the same command took {worked() - before:.1f} s of work")
    watch.look([])
    states = {view.id: (view.state, view.done) for view in watch.queue.views()}
    if set(states.values()) != {("done", CALLS)}:
        raise Damage(f"not everything is done: {states}")
    return digests


def rounds(
    folder: Path, kills: int, rng: random.Random, twin: str = "sound", *, on_resume: bool = False
) -> list[Digests]:
    """Jobs given, killed some times, let go on to the end; as often as it takes for so many kills."""
    ends = []
    for number in range(-(-kills // 5)):
        root = folder / f"r{number}"
        root.mkdir()
        give(root)
        if on_resume:
            # Half-way first; then only kills of a studio that takes it up again.
            kill_and_look(root, rng, CALLS // 2, twin)
        for _ in range(min(5, kills - number * 5)):
            kill_and_look(root, rng, rng.randrange(-2, 2) if on_resume else rng.randrange(-2, 8), twin)
        ends.append(end_well(root, twin))
    return ends


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Digests:
    root = tmp_path_factory.mktemp("undisturbed")
    give(root)
    digests = finish(root)
    assert {job: len(calls) for job, calls in digests.items()} == {"1": CALLS, "2": CALLS}
    return digests


def test_killed_at_random_moments_every_job_goes_on(tmp_path: Path, undisturbed: Digests) -> None:
    ends = rounds(tmp_path, KILLS, random.Random(20))
    assert all(end == undisturbed for end in ends)


def test_killed_again_while_it_goes_on(tmp_path: Path, undisturbed: Digests) -> None:
    ends = rounds(tmp_path, KILLS_ON_RESUME, random.Random(21), on_resume=True)
    assert all(end == undisturbed for end in ends)


@pytest.mark.parametrize(
    ("twin", "told"),
    [
        ("naive-journal", "the journal of job . is torn"),
        ("naive-store", "torn: "),
        ("forgetful", "told as done, and lost"),
    ],
)
def test_the_broken_twins_are_found_out(tmp_path: Path, twin: str, told: str) -> None:
    with pytest.raises(Damage, match=told):
        rounds(tmp_path, 40, random.Random(3), twin)


def accept_and_kill(root: Path, rng: random.Random, twin: str) -> int:
    """Kill who gives jobs; how many of the accepted ones are lost."""
    process = start(root, "give", "200", "--twin", twin)
    assert process.stdout is not None
    told = [process.stdout.readline().split()[1] for _ in range(rng.randrange(1, 12))]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    told += [line.split()[1] for line in rest.splitlines() if re.fullmatch(r"accepted \d+", line)]
    views = {view.id: view for view in JobQueue(root / ".studio" / "jobs").views()}
    torn = [view for view in views.values() if view.state is None or view.total != CALLS]
    return len(set(told) - set(views)) + len(torn)


def test_an_accepted_job_is_never_lost(tmp_path: Path) -> None:
    rng = random.Random(5)
    for number in range(KILLS // 4):
        assert accept_and_kill(tmp_path / f"r{number}", rng, "sound") == 0
    assert accept_and_kill(tmp_path / "twin", rng, "in-memory") > 0, "the control"


def test_two_studios_on_one_folder(tmp_path: Path, undisturbed: Digests) -> None:
    """Each job is done by one of them; with the control that without locks both do the same."""

    def race(root: Path, twin: str) -> list[str]:
        root.mkdir()
        give(root)
        studios = [start(root, "run", "--twin", twin) for _ in range(2)]
        outs = [studio.communicate(timeout=120) for studio in studios]
        assert [studio.returncode for studio in studios] == [0, 0], outs
        return [
            line.split()[1] for out, _ in outs for line in out.splitlines() if re.fullmatch(r"job \d+ running", line)
        ]

    assert sorted(race(tmp_path / "sound", "sound")) == ["1", "2"]
    assert finish(tmp_path / "sound") == undisturbed
    assert all(len(calls) == len(set(calls)) == CALLS for calls in made(tmp_path / "sound").values())
    for attempt in range(5):
        if len(race(tmp_path / f"twin{attempt}", "no-lock")) > 2:
            return
    pytest.fail("the control: without locks both should have taken the same job")
