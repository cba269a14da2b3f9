"""`studio jobs`: honest exit codes, JSON alone on standard output, jobs that go on where they were killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.agent.boards import beach, line, shot
from tools.artifact import hash_file
from tools.runtime.jobs.journal import Journal
from tools.runtime.jobs.queue import JobQueue
from tools.storyboard import ControlImage, save_storyboard

MUSIC = [
    {"id": "calm", "tool": "compose_music", "args": {"mood": "calm", "duration_s": 1}},
    {"id": "tense", "tool": "compose_music", "args": {"mood": "tense", "duration_s": 1}},
]


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "agent", "jobs", *args]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "STUDIO_PRODUCTIONS": str(folder / "productions"), "STUDIO_WORKERS": "2"}


def jobs(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), env=environment(folder), cwd=folder, capture_output=True, text=True, timeout=120
    )


def listed(folder: Path) -> dict[str, Any]:
    done = jobs(folder, "list", "--json")
    assert done.returncode == 0, done.stderr
    return {job["id"]: job for job in json.loads(done.stdout)}


def queue(folder: Path) -> JobQueue:
    return JobQueue(folder / "productions" / ".studio" / "jobs")


def calls_file(folder: Path, calls: Any = MUSIC) -> str:
    (folder / "calls.json").write_text(json.dumps(calls))
    return "calls.json"


def test_work_is_given_listed_worked_off_and_shown(tmp_path: Path) -> None:
    assert "There are no jobs" in jobs(tmp_path).stdout
    assert jobs(tmp_path, "--json").stdout.strip() == "[]"
    assert jobs(tmp_path, "--json", "run").returncode == 2, "it would be lost there"
    added = jobs(tmp_path, "add", calls_file(tmp_path), "--priority", "3", "--json")
    assert (added.returncode, json.loads(added.stdout)["id"]) == (0, "1")
    assert listed(tmp_path)["1"]["state"] == "accepted"
    ran = jobs(tmp_path, "run")
    assert ran.returncode == 0, ran.stderr
    assert "done" in ran.stdout
    shown = json.loads(jobs(tmp_path, "show", "1", "--json").stdout)
    assert (shown["state"], shown["done"], shown["priority"]) == ("done", 2, 3)
    assert {call["call"]: call["state"] for call in shown["calls"]} == {"calm": "done", "tense": "done"}
    again = jobs(tmp_path, "run")
    assert (again.returncode, again.stdout.strip()) == (0, "No job waits.")


def test_a_job_that_failed_gives_exit_code_3_and_can_be_retried(tmp_path: Path) -> None:
    board(tmp_path, control=[ControlImage(image=str(tmp_path / "pose.png"), kind="openpose")])
    assert jobs(tmp_path, "add", "board.yaml").returncode == 0
    assert jobs(tmp_path, "run").returncode == 3
    failed = listed(tmp_path)["1"]
    assert (failed["state"], failed["starts"]) == ("failed", 1), "what a person must mend is not tried again"
    assert "pose.png" in failed["reason"]
    told = jobs(tmp_path, "run", "1")
    assert (told.returncode, "studio jobs retry 1" in told.stderr) == (1, True)
    assert "Job 1 is waiting" in jobs(tmp_path, "retry", "1").stdout
    assert jobs(tmp_path, "run").returncode == 3


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([], "holds no call"),
        ({"id": "a"}, "array"),
        ([{"id": "a", "tool": "dance", "args": {}}], "dance"),
        ([{**MUSIC[0], "args": {"mood": "purple"}}], "calm.mood"),
        ([MUSIC[0], MUSIC[0]], "two calls have this id"),
        ("{", "calls.json"),
    ],
)
def test_calls_that_cannot_be_made_are_not_accepted(tmp_path: Path, calls: Any, told: str) -> None:
    done = jobs(tmp_path, "add", calls_file(tmp_path, calls))
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert listed(tmp_path) == {}


def test_a_storyboard_that_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text("title: x\nduration_s: soon\n")
    done = jobs(tmp_path, "add", "board.yaml")
    assert done.returncode == 1
    assert "board.yaml:2" in done.stderr


@pytest.mark.parametrize("args", [("show", "7"), ("pause", "7"), ("run", "7"), ("retry", "../x")])
def test_a_job_that_is_not_there_is_one_line_and_exit_code_1(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = jobs(tmp_path, *args)
    assert done.returncode == 1
    assert done.stderr.startswith("studio: ")
    assert done.stderr.count("\n") == 1


def test_pausing_resuming_and_cancelling_what_waits(tmp_path: Path) -> None:
    jobs(tmp_path, "add", calls_file(tmp_path))
    assert "Job 1 is paused" in jobs(tmp_path, "pause", "1").stdout
    ran = jobs(tmp_path, "run")
    assert "No job waits" in ran.stdout
    told = jobs(tmp_path, "run", "1")
    assert (told.returncode, "studio jobs resume 1" in told.stderr) == (1, True)
    assert json.loads(jobs(tmp_path, "resume", "1", "--json").stdout)["state"] == "accepted"
    assert "Job 1 is cancelled" in jobs(tmp_path, "cancel", "1").stdout
    done = jobs(tmp_path, "pause", "1")
    assert (done.returncode, "is cancelled" in done.stderr) == (1, True)


def test_two_studios_one_is_told_who_has_the_job(tmp_path: Path) -> None:
    jobs(tmp_path, "add", calls_file(tmp_path))
    with Journal.open(queue(tmp_path).folder, "1") as journal:
        journal.mark("running", pid=os.getpid())
        told = jobs(tmp_path, "run", "1")
        assert told.returncode == 1
        assert f"is being worked on by process {os.getpid()}" in told.stderr
        assert "Another process works on 1" in jobs(tmp_path, "run").stdout
        asked = jobs(tmp_path, "pause", "1")
        assert f"process {os.getpid()} was asked to pause it" in asked.stdout
        assert listed(tmp_path)["1"]["asked"] == "pause"


# -- a whole scene ----------------------------------------------------------------------------------------------------


def board(folder: Path, **first: Any) -> str:
    """A storyboard of two shots of a second, at 8 frames a second, square."""
    shots = shot("s1", "luca", framing="medium", **first), shot("s2", "alberto")
    save_storyboard(beach(*shots, fps=8, aspect="1:1"), folder / "board.yaml")
    return "board.yaml"


def published(folder: Path) -> dict[str, str]:
    found = {}
    for job in listed(folder).values():
        found.update({name: hash_file(Path(path)) for name, path in job["facts"]["files"].items()})
    return found


@pytest.mark.slow
def test_a_killed_scene_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        assert jobs(folder, "add", board(folder)).returncode == 0
        (folder / "board.yaml").unlink()
    begun = time.monotonic()
    assert jobs(whole, "run").returncode == 0
    took = time.monotonic() - begun
    rng = random.Random(7)
    kills = 0
    for _ in range(4):
        process = subprocess.Popen(
            command("run"), env=environment(killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.5, took * 0.7))
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        state = queue(killed).view("1").state
        assert state in ("accepted", "running", "done"), "no accepted job is lost"
    assert kills >= 1
    assert jobs(killed, "run").returncode == 0
    assert published(killed) == published(whole)
    assert "film" in published(whole)


@pytest.mark.slow
def test_a_scene_is_paused_and_resumed_and_ctrl_c_puts_it_back(tmp_path: Path) -> None:
    jobs(tmp_path, "add", board(tmp_path))

    def run_until_it_works(job: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command("run"), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # Who runs the tests in the background has it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not queue(tmp_path).view(job).running and time.monotonic() < deadline:
            time.sleep(0.02)
        return process

    process = run_until_it_works("1")
    jobs(tmp_path, "pause", "1")
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert listed(tmp_path)["1"]["state"] == "paused"
    jobs(tmp_path, "resume", "1")
    assert jobs(tmp_path, "run").returncode == 0
    assert listed(tmp_path)["1"]["state"] == "done"
    # Another, with all of its work before it: of a paused one too little may be left to be stopped in.
    jobs(tmp_path, "add", board(tmp_path, dialogue=[line("luca", "Arrivederci, and see you all tomorrow!")]))
    process = run_until_it_works("2")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert listed(tmp_path)["2"]["state"] == "accepted"
    assert jobs(tmp_path, "run").returncode == 0
    assert listed(tmp_path)["2"]["state"] == "done"


def test_a_question_is_answered_and_done(tmp_path: Path) -> None:
    jobs(tmp_path, "add", "who are you?")
    assert jobs(tmp_path, "run").returncode == 0
    assert listed(tmp_path)["1"]["facts"]["said"]
