"""Pictures, sounds and films from anywhere: none takes the studio with it, none takes more than is allowed, whole ones
are read. `STUDIO_FULL=1` hurts 40 copies of each kind instead of one, and tries each way with each file.

The twins decode in the process itself, any format and without limits: one dies, one takes more than a gigabyte.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.media import BOMBS, SUFFIXES, bomb, damaged, whole
from tests.hostile.opening import ROOT, Opened, opened
from tools.decoding.limited import Limits, decoded, decoded_one
from tools.errors import InvalidInput

pytest.importorskip("PIL", reason="the photo decoder comes with the extra `models`")

FULL = bool(os.environ.get("STUDIO_FULL"))
COPIES = 40 if FULL else 1
CPU_S = 10.0
PEAK_KB = 1 << 20
PICTURES = ("png", "jpg", "webp")
SOUNDS = ("wav", "mp3", "mp4")
READ = {
    "reference": PICTURES,
    "photo": PICTURES,
    "look": (*PICTURES, "mp4"),
    "served": PICTURES,
    "recording": SOUNDS,
    "sample": ("wav",),
}
"""By the way in which a person's file is opened: the kinds that are read there."""
OPEN_TO = {"one sample a second": "refused", "longer than it is": "either", "compressed texts": "either"}
LARGEST = "the largest that is read, 16 bit"
COSTLY = (LARGEST, "thousands of scans")
"""Seconds of work each; `spinning` and `hoarding` hold the limits where they are left out."""
ALLOW = ("tests.",)


def held(found: list[Opened], alive: bool, count: int) -> None:
    """What is promised of every file."""
    assert alive, f"the process died after {found[-1] if found else 'nothing'}"
    assert len(found) == count
    for one in found:
        assert one.outcome in ("read", "refused"), one
        assert "\n" not in one.told, one
        assert " at 0x" not in one.told, f"an address in memory: {one}"
        assert one.cpu_s <= CPU_S, one
        assert one.peak_kb <= PEAK_KB, one
    most = max(one.cpu_s for one in found), max(one.peak_kb for one in found) / (1 << 20)
    read = sum(one.outcome == "read" for one in found)
    print(f"{count} files, {read} read: most work {most[0]:.1f} s, most memory {most[1]:.2f} GB")


@pytest.mark.parametrize("way", READ)
def test_whole_files_are_read_and_other_kinds_refused(way: str, tmp_path: Path) -> None:
    kinds = SUFFIXES if FULL else ("png", "wav", "mp4", "svg")
    files = [whole(kind, tmp_path) for kind in kinds]
    found, alive = opened(way, files)
    held(found, alive, len(files))
    assert [one.file.rpartition(".")[2] for one in found if one.outcome == "read"] == [
        kind for kind in kinds if kind in READ[way]
    ]


@pytest.mark.parametrize("way", READ if FULL else ("photo", "recording"))
def test_hurt_files_are_read_or_refused(way: str, tmp_path: Path) -> None:
    files = [path for kind in READ[way] for path in damaged(whole(kind, tmp_path), 20261121, COPIES)]
    found, alive = opened(way, files)
    held(found, alive, len(files))
    if FULL:
        assert {one.outcome for one in found} == {"read", "refused"}, "the hurt is neither harmless nor always seen"


@pytest.mark.parametrize("way", READ if FULL else ("photo", "look", "recording", "sample"))
def test_bombs_take_no_more_than_is_allowed(way: str, tmp_path: Path) -> None:
    chosen = [name for name in BOMBS if BOMBS[name][0] in READ[way] and (FULL or name not in COSTLY)]
    if way in ("look", "recording") and not FULL:
        chosen = [name for name in chosen if (BOMBS[name][0] == "mp4") == (way == "look") or name in OPEN_TO]
    found, alive = opened(way, [bomb(name, tmp_path) for name in chosen])
    held(found, alive, len(chosen))
    for name, one in zip(chosen, found, strict=True):
        wanted = "read" if name == LARGEST else OPEN_TO.get(name, "refused")
        assert wanted in (one.outcome, "either"), one


def test_a_crash_ends_the_decoder_alone(tmp_path: Path) -> None:
    files = [whole(kind, tmp_path) for kind in PICTURES]
    found, alive = opened("crash_apart", files)
    held(found, alive, 3)
    assert all("it crashed what read it (SIGSEGV)" in one.told for one in found)
    _, alive = opened("crash_here", files)
    assert not alive, "the twin: in the process itself it dies"


def test_the_twin_without_limits_takes_more_than_a_gigabyte(tmp_path: Path) -> None:
    files = [bomb("400 million pixels", tmp_path)]
    with pytest.raises(AssertionError):
        held(*opened("naive_picture", files), 1)


def refusal(decoder: str, file: Path, limits: Limits, **args: str) -> str:
    with pytest.raises(InvalidInput) as told:
        decoded_one(f"tests.hostile.media:{decoder}", file, "it", limits, **args)
    return told.value.message


def test_a_decoder_that_misbehaves_is_ended_and_told(tmp_path: Path) -> None:
    path = whole("png", tmp_path)
    quick = Limits(allow=ALLOW, cpu_s=0)
    assert refusal("spinning", path, quick) == "it: takes too long to be read"
    assert refusal("waiting", path, Limits(allow=ALLOW, wall_s=1.0)) == "it: takes too long to be read"
    assert "memory" in refusal("hoarding", path, Limits(allow=ALLOW, megabytes=200))
    small = Limits(allow=ALLOW, most=1 << 20)
    assert refusal("flooding", path, small) == "it: gives more than may come of it"
    assert refusal("nothing_of_the_kind", path, quick).startswith("it: is damaged")
    assert refusal("crashing", path, Limits()) == "it: has no decoder", "only the studio's own decoders are run"


def test_a_decoder_knows_no_secrets_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    limits = Limits(allow=ALLOW, libraries=("numpy",))
    seen = decoded_one("tests.hostile.media:seeing", whole("png", tmp_path), "it", limits)
    assert b"PATH" in bytes(seen), "the control"
    assert b"canary" not in bytes(seen)
    refusal("writing", whole("png", tmp_path), limits, path=str(tmp_path / "written"))
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_bytes()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    from tools.image.reference.photo import read_photo

    os.mkfifo(tmp_path / "pipe.png")
    begun = time.monotonic()
    for path in (tmp_path / "pipe.png", Path("/dev/zero"), tmp_path, tmp_path / "gone.png"):
        with pytest.raises(InvalidInput):
            decoded_one("tools.image.reference.photo:photo_in", path, "it", Limits(), longest=64)
        with pytest.raises(InvalidInput):
            read_photo(path)
    assert time.monotonic() - begun < 20


def test_nothing_goes_on_once_nobody_listens_or_the_studio_is_killed(tmp_path: Path) -> None:
    path = whole("png", tmp_path)

    def stop(_seconds: float) -> None:
        raise InterruptedError

    from tools.transcription.recordings import read_recording

    with pytest.raises(InterruptedError):
        read_recording(whole("wav", tmp_path), stop)
    pieces = decoded("tests.hostile.media:flooding", path, "it", Limits(allow=ALLOW))
    next(pieces)
    pieces.close()
    code = (
        "import sys; from tools.decoding.limited import *\n"
        "print('ready', flush=True)\n"
        "decoded_one('tests.hostile.media:spinning', open(sys.argv[1], 'rb').read(), 'it', Limits(allow=('tests.',)))"
    )
    studio = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert studio.stdout is not None
    studio.stdout.readline()
    deadline = time.monotonic() + 20
    while not (child := _children(studio.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert child, "the control: it was at work"
    time.sleep(1.0)
    studio.kill()
    studio.wait()
    studio.stdout.close()
    deadline = time.monotonic() + 5
    while _alive(child[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child[0])


def _children(pid: int) -> list[int]:
    import psutil

    return [one.pid for one in psutil.Process(pid).children()]


def _alive(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
