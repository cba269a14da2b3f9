"""Faces stand out from their ground, in every light; one painted in the colour of its ground does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.image.layout import Passes
from tools.image.tool import OnStage
from tools.layout.frames import FrameRenderer
from tools.layout.passes import presence
from tools.layout.scene import Scene
from tools.review.limits import default_limits
from tools.review.picture_contrast import check_face_contrast, check_faces, lab
from tools.review.stage import Person, face_oval
from tools.storyboard import CastMember, Look, Placement, Shot

LIMITS = default_limits().image
SIZE = (640, 360)
SKINS = ("fair", "olive", "dark")
CAST = [CastMember(id=skin, name=skin.title(), known=False, look=Look(skin=skin)) for skin in SKINS]


def drawn(location: str, time: str, weather: str) -> tuple[NDArray[np.uint8], list[Person]]:
    places = [Placement(character=skin, x=0.25 + 0.25 * i) for i, skin in enumerate(SKINS)]
    shot = Shot.model_validate(
        {"id": "s", "location": location, "time_of_day": time, "weather": weather, "placements": places}
    )
    scene = Scene.build(shot, CAST, size=SIZE)
    renderer = FrameRenderer(scene)
    instant = renderer.render_picture(0.0, scene.base, moving=False)
    passes = Passes(scene, instant, SIZE)
    seen = presence(instant.draw, instant.drawn, passes.gbuffer, passes.matrix, SIZE)
    masks = {skin: passes.gbuffer.mask(skin).astype(np.uint8) * 255 for skin in SKINS}
    people = [Person(p.character, p.character, p, 1.0, seen[p.character], masks[p.character]) for p in places]
    return np.ascontiguousarray(renderer.frame[..., 2::-1]), people


def painted_over(rgb: NDArray[np.uint8], person: Person) -> NDArray[np.uint8]:
    """The picture with a head in the colour of what is beside it."""
    assert person.seen is not None
    assert person.mask is not None
    x0, y0, x1, y1 = (round(v) for v in person.seen.face)
    strip = np.concatenate([rgb[y0:y1, x0 - 18 : x0 - 12], rgb[y0:y1, x1 + 12 : x1 + 18]]).reshape(-1, 3)
    window, oval = face_oval(person.seen.face, SIZE)
    broken = rgb.copy()
    broken[window][oval & (person.mask[window] > 127)] = np.median(strip, axis=0)
    return broken


@pytest.mark.parametrize(
    ("location", "time", "weather"),
    [
        ("beach", "night", "fog"),
        ("beach", "dawn", "rain"),
        ("town_square", "day", "snow"),
        ("underwater", "night", "fog"),
    ],
)
def test_faces_stand_out_in_every_light(location: str, time: str, weather: str) -> None:
    rgb, people = drawn(location, time, weather)
    assert [check.status for check in check_faces(rgb, people, LIMITS)] == ["passed"] * 3


@pytest.mark.parametrize("index", range(3))
def test_a_face_in_the_colour_of_its_ground_fails(index: int) -> None:
    rgb, people = drawn("beach", "night", "fog")
    check = check_face_contrast(painted_over(rgb, people[index]), people[index], LIMITS)
    assert check.status == "failed"
    assert check.score is not None
    assert check.score < 1.0
    assert f"dx.{people[index].id}" in check.fix
    others = [p for p in people if p is not people[index]]
    assert all(c.status == "passed" for c in check_faces(painted_over(rgb, people[index]), others, LIMITS))


def a_person(face: tuple[float, float, float, float], mask: NDArray[np.uint8], back: bool = False) -> Person:
    seen = OnStage(
        body=face,
        face=face,
        visible=1.0,
        in_frame=1.0,
        hidden_by={},
        keypoints=[(0.0, 0.0, 0.0)] * 18,
        facing_back=back,
    )
    return Person("ada", "Ada", Placement(character="ada"), 1.0, seen, mask)


def test_a_face_that_fills_the_frame_or_lies_outside_has_no_ground() -> None:
    grey = np.full((60, 80, 3), 128, np.uint8)
    full = np.full((60, 80), 255, np.uint8)
    assert check_face_contrast(grey, a_person((0, 0, 80, 60), full), LIMITS).status == "passed"
    assert check_face_contrast(grey, a_person((-90, 0, -60, 30), full), LIMITS).status == "passed"


def test_who_turns_the_back_shows_no_face() -> None:
    grey = np.full((60, 80, 3), 128, np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 255
    assert list(check_faces(grey, [a_person((30, 20, 50, 40), mask, back=True)], LIMITS)) == []
    assert [c.status for c in check_faces(grey, [a_person((30, 20, 50, 40), mask)], LIMITS)] == ["failed"]


def test_lab_agrees_with_published_values() -> None:
    # Lindbloom, "RGB to Lab", sRGB under D65.
    wanted = {(255, 255, 255): (100, 0, 0), (255, 0, 0): (53.24, 80.09, 67.20), (0, 0, 255): (32.30, 79.19, -107.86)}
    for rgb, values in wanted.items():
        assert lab(np.array(rgb, np.uint8)) == pytest.approx(values, abs=0.5)
