"""A still taken apart: what is filled in continues what is there, edges are soft, and it goes together again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from tests.tools.video.parallax.stills import SIZE, shot, still
from tools.image.tool import OnStage
from tools.layout.paint import canvas_on, pixels
from tools.video.parallax.acting import Life
from tools.video.parallax.fill import fill, reach
from tools.video.parallax.matte import feathered, matte
from tools.video.parallax.sheets import Sheet, take_apart
from tools.video.parallax.still import Person, Still, read_still


def taken_apart(tmp_path: Path, engine: str = "draft") -> tuple[Still, list[Sheet]]:
    read = read_still(still(tmp_path, shot(), engine=engine), SIZE, "s1")
    return read, take_apart(read, lambda _f, _t: None)


def laid(sheets: list[Sheet]) -> np.ndarray:
    frame = pixels(*SIZE)
    for sheet in sheets:
        sheet.draw(canvas_on(frame), sheet.x, sheet.y)
    return frame[..., 2::-1].astype(int)


@pytest.mark.parametrize("engine", ["draft", "sdxl"])
def test_laid_on_one_another_the_sheets_are_the_still(tmp_path: Path, engine: str) -> None:
    read, sheets = taken_apart(tmp_path, engine)
    assert [sheet.person.id if sheet.person else "" for sheet in sheets] == ["", "luca", "alberto"]
    apart = np.abs(laid(sheets) - read.picture)
    assert apart.mean() < 2.0
    assert float((apart.max(axis=2) > 40).mean()) < 0.01


def test_nobody_is_left_in_what_lies_behind(tmp_path: Path) -> None:
    read, sheets = taken_apart(tmp_path)
    ground = laid(sheets[:1])
    for person in read.people:
        inside = ndimage.binary_erosion(person.mask, iterations=3)
        assert np.abs(ground[inside] - read.picture[inside].astype(int)).mean() > 25
    elsewhere = ~reach(np.any([person.mask for person in read.people], axis=0), 8)
    assert np.abs(ground[elsewhere] - read.picture[elsewhere].astype(int)).mean() < 1.5


def test_a_bent_sheet_is_not_torn(tmp_path: Path) -> None:
    """Every pixel deep inside a character is still covered by it while it breathes and leans."""
    _, sheets = taken_apart(tmp_path)
    sheet = sheets[2]
    assert sheet.person is not None
    life = Life(sheet.person, words=((0.2, 0.6),), seed=1)
    inside = ndimage.binary_erosion(sheet.person.mask, iterations=6)
    for t in (0.0, 0.3, 1.7, 3.1):
        frame = pixels(*SIZE)
        sheet.draw(canvas_on(frame), *life.moved(sheet.x, sheet.y, t))
        assert frame[..., 3][inside].min() == 255


def test_what_is_known_stays_and_the_rest_continues_it() -> None:
    rows, columns = np.mgrid[0:80, 0:120].astype(np.float32)
    picture = np.dstack([rows * 2, columns, np.full_like(rows, 90)])
    known = np.ones((80, 120), dtype=bool)
    known[20:60, 40:80] = False
    spoilt = picture.copy()
    spoilt[~known] = 255
    filled = fill(spoilt, known)
    assert np.array_equal(filled[known], picture[known])
    assert np.abs(filled - picture)[21:59, 41:44].max() < 12
    assert np.abs(filled - picture)[~known].mean() < 12


def test_a_horizon_goes_on_behind_a_person() -> None:
    picture = np.zeros((120, 160, 1), dtype=np.float32)
    picture[60:] = 200
    known = np.ones((120, 160), dtype=bool)
    known[30:110, 70:90] = False
    filled = fill(np.where(known[..., None], picture, 99), known)[..., 0]
    assert filled[40, 72:88].max() < 20
    assert filled[80, 72:88].min() > 180


def test_a_picture_without_anything_known_is_left_as_it_is() -> None:
    picture = np.full((20, 20, 3), 7, dtype=np.float32)
    assert np.array_equal(fill(picture, np.zeros((20, 20), dtype=bool)), picture)
    assert fill(picture, np.ones((20, 20), dtype=bool)) is picture


def test_a_soft_edge_follows_the_picture_and_not_the_mask() -> None:
    picture = np.full((60, 80, 3), 30, dtype=np.uint8)
    picture[:, 42:] = (220, 180, 150)
    mask = np.zeros((60, 80), dtype=bool)
    mask[:, 40:] = True
    alpha = matte(picture, mask, 4)
    assert alpha[30, :36].max() == 0
    assert alpha[30, 46:].min() == 1
    assert alpha[30, 40] < 0.45, "the mask says the character, the picture says no"
    assert alpha[30, 43] > 0.7


def test_around_a_rough_mask_what_was_painted_is_kept() -> None:
    mask = np.zeros((60, 80), dtype=bool)
    mask[:, 40:] = True
    alpha = feathered(mask, 6, 10)
    assert alpha[30, 35] == 1
    assert 0.2 < alpha[30, 29] < 0.8
    assert alpha[30, 22] == 0


def person_at(name: str, near: float, columns: slice) -> Person:
    mask = np.zeros((360, 640), dtype=bool)
    mask[80:320, columns] = True
    stage = {"body": (0, 0, 9, 9), "face": (0, 0, 9, 9), "visible": 1, "in_frame": 1, "hidden_by": {}, "keypoints": []}
    return Person(name, mask, near, OnStage.model_validate(stage))


@pytest.mark.parametrize(("gap", "expected"), [(0, True), (30, False)])
def test_one_behind_another_goes_on_behind_only_where_they_touch(gap: int, *, expected: bool) -> None:
    picture = np.full((360, 640, 3), 60, dtype=np.uint8)
    picture[80:320, 160:320] = (200, 40, 40)
    picture[80:320, 320 + gap : 480] = (40, 200, 40)
    people = (person_at("far", 0.4, slice(160, 320)), person_at("near", 0.6, slice(320 + gap, 480)))
    sheets = take_apart(
        Still(picture, np.full((360, 640), 0.5, np.float32), people, titled=False, traced=True), lambda _f, _t: None
    )
    frame = pixels(640, 360)
    sheets[1].draw(canvas_on(frame), sheets[1].x, sheets[1].y)
    behind = frame[200, 320 + gap + 3]
    assert (behind[3] > 200) == expected
    if expected:
        assert behind[2] > 3 * behind[1], "its own red, nothing of the green before it"
