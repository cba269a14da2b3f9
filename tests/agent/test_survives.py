"""The real studio, killed at random moments: the same command goes on, makes nothing twice, tears nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.publishing import keep_storyboard
from tests.agent.boards import beach, line, shot
from tools.artifact import hash_file
from tools.runtime.production import Production
from tools.runtime.store import ArtifactStore
from tools.storyboard import save_storyboard

KILLS = 20
pytestmark = pytest.mark.slow


def board_file(folder: Path) -> Path:
    """Two shots of a second each, at 8 frames a second, square: a whole film in a few seconds."""
    board = beach(
        shot("s1", "luca", framing="medium", dialogue=[line("luca", "Ciao!", language="it")]),
        shot("s2", "alberto", location="forest", ambience="forest"),
        fps=8,
        aspect="1:1",
    )
    path = folder / "board.yaml"
    save_storyboard(board, path)
    return path


def command(board: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "agent.cli", "render", str(board), "--out", str(out), "--json"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "STUDIO_PRODUCTIONS": str(folder / "productions"), "STUDIO_WORKERS": "2"}


def run(board: Path, out: Path, folder: Path) -> float:
    start = time.monotonic()
    done = subprocess.run(command(board, out), env=environment(folder), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - start


def finished(out: Path) -> dict[str, int]:
    """Committed artifacts by key, with the time they were committed."""
    folders = [path.parent for path in (out / "artifacts").glob("*/*/artifact.json")]
    return {path.name: (path / "artifact.json").stat().st_mtime_ns for path in folders}


def digests(out: Path) -> dict[str, str]:
    names = ["film.mp4", "film.srt", "film.vtt", "stills/s1.png", "stills/s2.png", "voices/s1.line1.wav"]
    return {name: hash_file(out / name) for name in names}


def test_killed_at_twenty_moments_the_same_command_goes_on(tmp_path: Path) -> None:
    board = board_file(tmp_path)
    whole = run(board, tmp_path / "undisturbed", tmp_path)
    expected = digests(tmp_path / "undisturbed")
    made = set(finished(tmp_path / "undisturbed"))
    rng = random.Random(20)
    kills = productions = 0
    while kills < KILLS:
        productions += 1
        out = tmp_path / f"killed{productions}"
        for _ in range(4):
            before = finished(out)
            process = subprocess.Popen(
                command(board, out), env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.3, whole))
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            after = finished(out)
            assert {key: after[key] for key in before} == before, "a finished piece was made again"
        before = finished(out)
        run(board, out, tmp_path)
        after = finished(out)
        assert {key: after[key] for key in before} == before, "a finished piece was made again on resume"
        assert set(after) == made
        assert digests(out) == expected
        store = ArtifactStore(out / "artifacts")
        for key in after:
            store.verify(key)
        assert not [path for path in out.rglob("*.tmp") if path.is_file()]
        assert not [path for path in (out / "artifacts" / ".tmp").iterdir() if path.is_dir()]


def test_the_same_command_again_makes_nothing_and_one_line_remakes_what_depends_on_it(tmp_path: Path) -> None:
    board, out = board_file(tmp_path), tmp_path / "out"
    run(board, out, tmp_path)
    first = finished(out)
    run(board, out, tmp_path)
    assert finished(out) == first

    edited = out / "storyboard.yaml"
    edited.write_text(edited.read_text(encoding="utf-8").replace("text: Ciao!", "text: Addio!"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "render", str(edited), "--json"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    second = finished(out)
    store = ArtifactStore(out / "artifacts")
    fresh = [artifact.record for key in set(second) - set(first) if (artifact := store.get(key))]
    tools = sorted(record.tool for record in fresh if record.tool != "review_artifact")
    assert tools == ["animate_shot", "edit_video", "mix_sound", "synthesize_speech", "write_subtitles"]
    assert {key: second[key] for key in first} == first


def test_a_storyboard_edited_by_hand_is_never_lost(tmp_path: Path) -> None:
    production = Production.at(tmp_path / "p", "r")
    keep_storyboard(production, beach())
    mine = production.storyboard_path.read_text(encoding="utf-8").replace("Silenzio", "Hello")
    production.storyboard_path.write_text(mine, encoding="utf-8")
    keep_storyboard(production, beach())
    kept = list((production.path / "history").iterdir())
    assert [path.read_text(encoding="utf-8") for path in kept] == [mine]
