"""The real studio, killed at random moments: the same command goes on, makes nothing twice, tears nothing.

The twins of `tests.agent.broken_studio` go through the same loop, and must be found out by it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.publishing import keep_storyboard
from tests.agent.boards import beach, line, shot
from tools.artifact import hash_file
from tools.errors import CorruptArtifact
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore
from tools.storyboard import save_storyboard

KILLS = 20
KILLS_IN_A_ROW = 4
PUBLISHED = ["film.mp4", "film.srt", "film.vtt", "stills/s1.png", "stills/s2.png", "voices/s1.line1.wav"]
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


def command(board: Path, out: Path, twin: str = "") -> list[str]:
    studio = ["tests.agent.broken_studio", twin] if twin else ["agent"]
    return [sys.executable, "-m", *studio, "render", str(board), "--out", str(out), "--json"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "STUDIO_PRODUCTIONS": str(folder / "productions"), "STUDIO_WORKERS": "2"}


def run(board: Path, out: Path, folder: Path, twin: str = "") -> float:
    start = time.monotonic()
    done = subprocess.run(
        command(board, out, twin), env=environment(folder), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - start


def finished(out: Path) -> dict[str, int]:
    """Committed artifacts by key, with the time they were committed."""
    folders = [path.parent for path in (out / "artifacts").glob("*/*/artifact.json")]
    return {path.name: (path / "artifact.json").stat().st_mtime_ns for path in folders}


def digests(out: Path) -> dict[str, str]:
    """Of the published files that are there."""
    return {name: hash_file(out / name) for name in PUBLISHED if (out / name).exists()}


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody killed: its folder, the keys it made, the files it published, the seconds that it took and
    that the same command takes when all is made."""

    folder: Path
    made: set[str]
    published: dict[str, str]
    seconds: float
    again_s: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    out = folder / "out"
    seconds = run(board_file(folder), out, folder)
    published = digests(out)
    assert set(published) == set(PUBLISHED)
    return Undisturbed(out, set(finished(out)), published, seconds, run(board_file(folder), out, folder))


class Damage(AssertionError):
    """The promise was broken."""


def look(out: Path, before: dict[str, int], whole: Undisturbed) -> None:
    """Hold what lies there after a kill against what lay there before it and what an undisturbed run makes.

    Raises:
        Damage: something is torn, or was made again.
    """
    after = finished(out)
    if {key: after.get(key) for key in before} != before:
        raise Damage("a finished piece was made again")
    store = ArtifactStore(out / "artifacts")
    try:
        for key in store:
            store.verify(key)
    except CorruptArtifact as error:
        raise Damage(f"torn in the store: {error}") from error
    torn = {name for name, digest in digests(out).items() if digest != whole.published[name]}
    if torn:
        raise Damage(f"torn where it is published: {torn}")


def kill_again_and_again(
    board: Path, out: Path, whole: Undisturbed, wait: Callable[[Path], None], twin: str = ""
) -> Iterator[bool]:
    """Start, kill, look, `KILLS_IN_A_ROW` times; yields whether it still ran. Then let the same command end.

    Raises:
        Damage: by what it left.
    """
    for _ in range(KILLS_IN_A_ROW):
        before = finished(out)
        process = subprocess.Popen(
            command(board, out, twin),
            env=environment(board.parent),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait(out)
        yield process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        look(out, before, whole)
    before = finished(out)
    run(board, out, board.parent, twin)
    look(out, before, whole)
    if set(finished(out)) != whole.made:
        raise Damage("other pieces were made")
    if digests(out) != whole.published:
        raise Damage("other files were published")
    litter = [path for path in out.rglob("*.tmp") if path.is_file()]
    litter += [path for path in (out / "artifacts" / ".tmp").glob("*") if path.is_dir()]
    if litter:
        raise Damage(f"left behind: {litter}")


def for_some_time(rng: random.Random, shortest_s: float, longest_s: float) -> Callable[[Path], None]:
    """Waits for a random time: any moment of a run, its start and its end among them."""
    return lambda _out: time.sleep(rng.uniform(shortest_s, longest_s))


def for_some_pieces(rng: random.Random, whole: Undisturbed) -> Callable[[Path], None]:
    """Waits until a random number of pieces is there, and a little more: amid the work, however fast the machine is."""

    def wait(out: Path) -> None:
        wanted = rng.randrange(len(whole.made))
        deadline = time.monotonic() + 2 * whole.seconds
        while len(finished(out)) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.2))

    return wait


def test_killed_at_twenty_moments_the_same_command_goes_on(tmp_path: Path, undisturbed: Undisturbed) -> None:
    board, rng = board_file(tmp_path), random.Random(20)
    waits = [for_some_time(rng, 0.3, undisturbed.seconds), for_some_pieces(rng, undisturbed)]
    kills = productions = 0
    while kills < KILLS:
        productions += 1
        out = tmp_path / f"killed{productions}"
        kills += sum(kill_again_and_again(board, out, undisturbed, waits[productions % 2]))


def test_a_twin_that_makes_results_under_their_final_names_is_found_out(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    board, wait = board_file(tmp_path), for_some_pieces(random.Random(1), undisturbed)
    with pytest.raises(Damage, match="torn in the store"):
        _until_found(board, undisturbed, wait, "naive-store")


@pytest.mark.parametrize(
    ("twin", "told"), [("makes-again", "made again"), ("publishes-in-place", "torn where it is published")]
)
def test_a_twin_that_spoils_what_is_finished_is_found_out(
    tmp_path: Path, undisturbed: Undisturbed, twin: str, told: str
) -> None:
    # These have more to do than the real one when all is made.
    again_s = undisturbed.again_s
    board, wait = board_file(tmp_path), for_some_time(random.Random(1), again_s / 2, again_s + 1.5)
    with pytest.raises(Damage, match=told):
        _until_found(board, undisturbed, wait, twin, from_the_end=True)


def _until_found(
    board: Path, whole: Undisturbed, wait: Callable[[Path], None], twin: str, from_the_end: bool = False
) -> None:
    """The loop of the real studio, no longer than that; from nothing, or from where all is finished."""
    for number in range(KILLS // KILLS_IN_A_ROW):
        out = board.parent / f"killed{number}"
        if from_the_end:
            shutil.copytree(whole.folder, out)
        list(kill_again_and_again(board, out, whole, wait, twin))


def test_the_same_command_again_makes_nothing_and_one_line_remakes_what_depends_on_it(tmp_path: Path) -> None:
    board, out = board_file(tmp_path), tmp_path / "out"
    run(board, out, tmp_path)
    first = finished(out)
    run(board, out, tmp_path)
    assert finished(out) == first

    edited = out / "storyboard.yaml"
    edited.write_text(edited.read_text(encoding="utf-8").replace("text: Ciao!", "text: Addio!"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "agent", "render", str(edited), "--json"],
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
