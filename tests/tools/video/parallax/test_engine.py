"""A still in motion: as long as its shot, the same twice, alive where it should be, and clear about what it lacks."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.video.parallax.stills import SIZE, animate, frames_of, shot, spoken, still
from tools.errors import Cancelled, InvalidInput
from tools.image.tool import OnStage
from tools.storyboard import Line
from tools.video.parallax.acting import Life
from tools.video.parallax.still import Person, read_still


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())


def test_it_has_the_length_and_the_size_of_its_shot_and_shows_the_still(tmp_path: Path) -> None:
    picture = still(tmp_path / "still", shot())
    output = animate(tmp_path / "a", shot(), picture)
    frames = frames_of(tmp_path / "a" / output.file)
    assert (output.frames, output.duration_s, len(frames)) == (12, 1.0, 12)
    assert frames[0].shape == (180, 320, 3)
    drawn = read_still(picture, SIZE, "s1").picture
    # A little nearer than the still, so compared in the large.
    small = [image.reshape(18, 10, 32, 10, 3).mean(axis=(1, 3)) for image in (drawn, frames[0])]
    assert np.abs(small[0] - small[1]).mean() < 12


def test_the_same_call_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    rainy = shot(camera="push", weather="rain")
    picture = still(tmp_path / "still", rainy)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        animate(tmp_path / name, rainy, picture, seed=seed)
    a, b, c = (digest(tmp_path / name / "shot.mp4") for name in "abc")
    assert a == b != c


def test_everything_moves_smoothly_and_nothing_jumps(tmp_path: Path) -> None:
    for camera in ("static", "push", "pan"):
        moving = shot(camera=camera, duration_s=2.0)
        output = animate(tmp_path / camera, moving, still(tmp_path / f"still-{camera}", moving))
        frames = frames_of(tmp_path / camera / output.file)
        steps = [apart(a, b) for a, b in pairwise(frames)]
        assert apart(frames[0], frames[-1]) > 1.0, "it is alive"
        assert max(steps) < 4 * (sum(steps) / len(steps)) + 0.5
        assert np.median(steps) > 0.05, "no frame stands still"


def test_far_things_move_less_than_near_ones(tmp_path: Path) -> None:
    """By tracking: the shift of the strip of sky and hills, and that of the ground, between the ends of a pan."""
    wide = shot(camera="pan", framing="wide", placements=[], duration_s=2.0, location="harbour")
    output = animate(tmp_path / "a", wide, still(tmp_path / "still", wide))
    frames = frames_of(tmp_path / "a" / output.file)

    def shift(rows: slice) -> int:
        a, b = (frames[i][rows].mean(axis=2).astype(float) for i in (0, -1))
        scores = {s: np.abs(a[:, 60:] - b[:, 60 - s : 320 - s]).mean() for s in range(1, 60)}
        return min(scores, key=scores.__getitem__)

    assert 3 < shift(slice(40, 90)) < shift(slice(150, 180))


def test_a_speaker_nods_and_nobody_else_does(tmp_path: Path) -> None:
    talk = shot(dialogue=[Line(character="luca", text="We can do this!")], duration_s=2.5)
    picture = still(tmp_path / "still", talk)
    silent = frames_of(tmp_path / "a" / animate(tmp_path / "a", talk, picture).file)
    clip = spoken(tmp_path / "clip")
    talking = frames_of(tmp_path / "b" / animate(tmp_path / "b", talk, picture, (clip,)).file)
    assert len(silent) == len(talking)
    read = read_still(picture, SIZE, "s1")
    luca, alberto = (next(p for p in read.people if p.id == name) for name in ("luca", "alberto"))

    def moved(person: Person) -> float:
        x0, y0, x1, y1 = (round(v) for v in person.stage.face)
        return max(apart(a[y0:y1, x0:x1], b[y0:y1, x0:x1]) for a, b in zip(silent, talking, strict=True))

    assert moved(luca) > 2.0
    assert moved(alberto) < moved(luca) / 3
    assert apart(silent[0], talking[0]) < 0.5, "nothing before the first word"


def test_subtitles_are_burned_in_where_asked_for(tmp_path: Path) -> None:
    talk = shot(dialogue=[Line(character="luca", text="We can do this!")], duration_s=2.5)
    picture, clip = still(tmp_path / "still", talk), spoken(tmp_path / "clip")
    bare = frames_of(tmp_path / "a" / animate(tmp_path / "a", talk, picture, (clip,)).file)
    worded = frames_of(tmp_path / "b" / animate(tmp_path / "b", talk, picture, (clip,), burn_subtitles=True).file)
    foot = [apart(a[150:175], b[150:175]) for a, b in zip(bare, worded, strict=True)]
    assert max(foot) > 3
    assert foot[0] < 1


def test_a_title_is_laid_over_once_and_stands_still(tmp_path: Path) -> None:
    titled = shot(text_overlay="THE SEA", camera="pan", duration_s=2.0)
    picture = still(tmp_path / "still", titled)
    with_title = frames_of(tmp_path / "a" / animate(tmp_path / "a", titled, picture).file)
    bare = shot(camera="pan", duration_s=2.0)
    without = frames_of(tmp_path / "b" / animate(tmp_path / "b", bare, still(tmp_path / "bare", bare)).file)
    assert apart(with_title[0], without[0]) < 1.0, "it fades in: the still's own title is not in the picture"
    assert apart(with_title[12], without[12]) > 2.0
    # A still that has it painted in keeps it, and no second one is laid over.
    picture.output["plain"] = ""
    painted = frames_of(tmp_path / "c" / animate(tmp_path / "c", titled, picture).file)
    assert apart(painted[0], without[0]) > 2.0


def test_a_title_card_covers_everything(tmp_path: Path) -> None:
    card = shot(text_overlay="CHIMP BANANA TRAIN", action="embossed gold on dark wood", placements=[], camera="push")
    frames = frames_of(tmp_path / "a" / animate(tmp_path / "a", card, still(tmp_path / "still", card)).file)
    assert apart(frames[0], frames[-1]) < 1.0


@pytest.mark.parametrize("weather", ["rain", "snow", "fog"])
def test_weather_falls(tmp_path: Path, weather: str) -> None:
    clear, wet = shot(), shot(weather=weather)
    picture = still(tmp_path / "still", clear)
    a = frames_of(tmp_path / "a" / animate(tmp_path / "a", clear, picture).file)
    b = frames_of(tmp_path / "b" / animate(tmp_path / "b", wet, picture).file)
    assert apart(a[5], b[5]) > 0.5
    falling = [apart(y.astype(int) - x, y2.astype(int) - x2) for x, y, x2, y2 in zip(a, b, a[1:], b[1:], strict=False)]
    assert max(falling) > 0.05


def test_a_still_of_another_size_fills_the_frame(tmp_path: Path) -> None:
    picture = still(tmp_path / "still", shot(), size=(480, 360))
    output = animate(tmp_path / "a", shot(), picture)
    frames = frames_of(tmp_path / "a" / output.file)
    assert frames[0].shape == (180, 320, 3)
    assert frames[0][:, :4].std() > 5
    assert frames[0][:4].std() > 1


def test_without_a_depth_map_what_is_lower_is_nearer(tmp_path: Path) -> None:
    picture = still(tmp_path / "still", shot(), maps=[])
    read = read_still(picture, SIZE, "s1")
    assert read.near[5, 5] < 0.1 < 0.9 < read.near[175, 5]
    assert animate(tmp_path / "a", shot(), picture).frames == 12


def test_a_cancel_stops_it_at_once(tmp_path: Path) -> None:
    seen: list[float] = []
    hooks = {"report": lambda fraction, _text: seen.append(fraction), "is_cancelled": lambda: len(seen) > 6}
    with pytest.raises(Cancelled):
        animate(tmp_path / "a", shot(), still(tmp_path / "still", shot()), hooks=hooks)
    assert len(seen) == 7
    assert seen == sorted(seen)


def _no_picture(_: Any, __: Path) -> Any:
    return None


def _torn(artifact: Any, folder: Path) -> Any:
    (folder / "still.png").write_bytes((folder / "still.png").read_bytes()[:200])
    return artifact


def _no_bytes(artifact: Any, folder: Path) -> Any:
    (folder / "mask-luca.png").write_bytes(b"")
    return artifact


def _of_another_size(artifact: Any, _: Path) -> Any:
    artifact.output["width"] = 322
    return artifact


def _no_still(artifact: Any, _: Path) -> Any:
    artifact.output = {"file": "x.wav"}
    return artifact


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_no_picture, "sets a still in motion"),
        (_torn, r"still\.png cannot be read"),
        (_no_bytes, r"mask-luca\.png cannot be read"),
        (_of_another_size, "320x180 and its record says 322x180"),
        (_no_still, "is no still"),
    ],
)
def test_what_cannot_be_set_in_motion_is_named(tmp_path: Path, spoil: Any, told: str) -> None:
    picture = spoil(still(tmp_path / "still", shot()), tmp_path / "still")
    with pytest.raises(InvalidInput, match=told):
        animate(tmp_path / "a", shot(), picture)
    assert not list((tmp_path / "a").iterdir())


def somebody(**changes: Any) -> Person:
    stage = {
        "body": (100, 100, 200, 500), "face": (120, 110, 180, 180), "visible": 1, "in_frame": 1, "hidden_by": {},
        "keypoints": [(150.0, 150.0, 1.0)] * 18, **changes,
    }  # fmt: skip
    return Person("luca", np.ones((4, 4), dtype=bool), 0.5, OnStage.model_validate(stage))


def test_feet_stay_where_they_stand_and_no_part_goes_far() -> None:
    life = Life(somebody(), words=((1.0, 1.4),), seed=2)
    x, y = np.meshgrid(np.linspace(100, 200, 9), np.linspace(100, 500, 21))
    for number in range(120):
        mx, my = life.moved(x, y, number / 12)
        assert np.abs(mx[-1] - x[-1]).max() < 0.3
        assert np.abs(my[-1] - y[-1]).max() < 0.3
        assert np.hypot(mx - x, my - y).max() < 0.03 * 400


def test_a_word_takes_the_head_down_and_up_again() -> None:
    life = Life(somebody(), words=((1.0, 1.5), (3.0, 3.1)))
    nods = [life.nod(number / 100) for number in range(500)]
    assert max(nods[:75]) == 0
    assert nods[112] == pytest.approx(1.0, abs=0.02)
    assert nods[200] == 0
    assert 0.4 < max(nods[250:]) < 0.7, "a short word is a small nod"
    assert max(abs(b - a) for a, b in pairwise(nods)) < 0.06
