"""Faces that are told apart, lips that speak, figures that live."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import get_args

import numpy as np
import pytest
import skia

from tests.tools.layout.rig.easel import LIGHTS, render, surface
from tools.layout.drawlist import Layer
from tools.layout.puppet import Acting
from tools.layout.rig import make_puppet, packs
from tools.layout.rig.actor import spoken_mouth
from tools.layout.rig.motion import blink_at, move
from tools.storyboard import Emotion, Look
from tools.timeline import MouthShape

LUCA = Look(gender="boy", hair="tousled", top="striped_tshirt", bottom="shorts", shoes="barefoot", eye_color="green")
FACE = 96


def face(acting: Acting, look: Look = LUCA) -> np.ndarray:
    """The head alone, the size of a thumbnail."""
    layer = Layer("cast")
    drawn = make_puppet("luca", look).draw(layer, acting, at=(0, 0), scale=1, depth=0.3, light=LIGHTS["day"])
    x0, y0, x1, y1 = drawn.face
    out = surface(FACE, FACE, (1, 1, 1, 1))
    canvas = out.getCanvas()
    k = FACE / max(x1 - x0, y1 - y0)
    canvas.scale(k, k)
    canvas.translate(-x0, -y0)
    render(layer, canvas)
    pixels: np.ndarray = out.toarray(colorType=skia.kRGBA_8888_ColorType)[..., :3].astype(float)
    return pixels


def test_expressions_are_told_apart_at_the_size_of_a_thumbnail() -> None:
    faces = {e: face(Acting(expression=e, moving=False)) for e in get_args(Emotion)}
    for a, b in combinations(faces, 2):
        # Part of the face that clearly changes colour.
        changed = (np.abs(faces[a] - faces[b]).max(axis=2) > 60).mean()
        assert changed > 0.03, (a, b)


def test_each_mouth_shape_is_its_own() -> None:
    shapes = {s: face(Acting(mouth=s, mouth_open=1.0, moving=False)) for s in get_args(MouthShape)}
    for a, b in combinations(shapes, 2):
        if {a, b} != {"rest", "mbp"}:
            assert (np.abs(shapes[a] - shapes[b]).max(axis=2) > 40).sum() > 25, (a, b)


def test_a_louder_voice_opens_the_mouth_and_a_mood_stays_in_it() -> None:
    faces = packs.expressions().expressions
    opens = [spoken_mouth(faces["neutral"], Acting(mouth="ai", mouth_open=k)).open for k in (0.0, 0.3, 0.6, 1.0)]
    assert opens == sorted(opens)
    assert opens[-1] > 2 * opens[0]
    angry = spoken_mouth(faces["angry"], Acting(mouth="ai", mouth_open=1.0))
    happy = spoken_mouth(faces["happy"], Acting(mouth="ai", mouth_open=1.0))
    assert angry.smile < -0.3 < 0.3 < happy.smile
    assert angry.lower_teeth > happy.lower_teeth
    assert spoken_mouth(faces["happy"], Acting(mouth="mbp", mouth_open=1.0)).open == 0.0
    assert spoken_mouth(faces["sad"], Acting()) == faces["sad"].mouth


def test_blinking_is_now_and_then_and_never_like_a_clock() -> None:
    fps, seconds = 60, 120
    shut = [blink_at(i / fps, 12345) > 0.5 for i in range(fps * seconds)]
    starts = [i / fps for i in range(1, len(shut)) if shut[i] and not shut[i - 1]]
    assert 25 < len(starts) < 70
    gaps = np.diff(starts)
    assert gaps.std() > 0.5
    assert [blink_at(3.3, 12345), blink_at(3.3, 12345)] == [blink_at(3.3, 12345)] * 2
    assert starts != [
        i / fps for i in range(1, len(shut)) if blink_at(i / fps, 999) > 0.5 > blink_at((i - 1) / fps, 999)
    ]


def test_a_blink_hides_the_iris() -> None:
    def green(pixels: np.ndarray) -> int:
        return int(((pixels[..., 1] > pixels[..., 0] + 25) & (pixels[..., 1] > pixels[..., 2] + 25)).sum())

    assert green(face(Acting(blink=0.0, moving=False))) > 150
    assert green(face(Acting(blink=1.0, moving=False))) < 10


def test_eyes_follow_what_they_look_at() -> None:
    def middle(x: float) -> float:
        pixels = face(Acting(look_at=(x, 0.0), moving=False))
        mask = (pixels[..., 1] > pixels[..., 0] + 25) & (pixels[..., 1] > pixels[..., 2] + 25)
        return float(np.nonzero(mask)[1].mean())

    assert middle(-1.0) < middle(0.0) - 1.0 < middle(1.0) - 2.0


def test_a_walk_alternates_and_comes_round() -> None:
    puppet = make_puppet("luca", LUCA)

    def ankles(t: float) -> tuple[float, float]:
        acting = Acting(pose="walk", facing="right", t=t)
        drawn = puppet.draw(Layer("x"), acting, at=(0, 0), scale=1, depth=0.3, light=LIGHTS["day"])
        return drawn.keypoints[10][0], drawn.keypoints[13][0]

    period = packs.poses().poses["walk"].period
    apart = [right - left for right, left in (ankles(period * i / 12) for i in range(12))]
    assert max(apart) > 40
    assert min(apart) < -40
    assert sum(1 for a, b in zip(apart, [*apart[1:], apart[0]], strict=True) if a * b < 0) == 2
    assert ankles(0.2)[0] == pytest.approx(ankles(0.2 + period)[0], abs=3)


def test_a_figure_that_stands_still_still_lives_but_does_not_shake() -> None:
    puppet = make_puppet("luca", LUCA)
    points = []
    for i in range(48):
        drawn = puppet.draw(Layer("x"), Acting(t=i / 24), at=(0, 0), scale=1, depth=0.3, light=LIGHTS["day"])
        points.append([(x, y) for x, y, _ in drawn.keypoints])
    path = np.array(points)
    step = np.abs(np.diff(path, axis=0)).max()
    assert np.ptp(path[:, 0], axis=0).max() > 1.0
    assert step < 2.5
    feet = np.ptp(path[:, [10, 13]], axis=0).max()
    assert feet < 1.0


def test_speaking_moves_the_hands_of_a_free_pose_and_not_those_of_a_held_one() -> None:
    def reach(pose: str, speaking: bool) -> float:
        face_ = packs.expressions().expressions["neutral"]
        heights = []
        for i in range(60):
            acting = Acting(pose=pose, t=i / 12, speaking=speaking, mouth_open=0.7)
            heights.append(move(acting, face_, 99, 0).ch["left.fore.0"])
        return float(np.ptp(heights))

    assert reach("stand", True) > reach("stand", False) + 30
    assert reach("hold", True) < 12


def test_poses_differ_from_one_another() -> None:
    seen: dict[str, np.ndarray] = {}
    puppet = make_puppet("luca", LUCA)
    for pose in packs.poses().poses:
        drawn = puppet.draw(
            Layer("x"),
            Acting(pose=pose, facing="right", moving=False),
            at=(0, 0),
            scale=1,
            depth=0.3,
            light=LIGHTS["day"],
        )
        seen[pose] = np.array([(x, y) for x, y, _ in drawn.keypoints])
    for a, b in combinations(seen, 2):
        assert np.abs(seen[a] - seen[b]).max() > 15, (a, b)


@pytest.mark.parametrize("light", list(LIGHTS))
def test_skin_hair_and_cloth_stay_apart_in_every_light(light: str) -> None:
    layer = Layer("cast")
    make_puppet("luca", LUCA).draw(layer, Acting(moving=False), at=(200, 460), scale=1, depth=0.3, light=LIGHTS[light])
    out = surface(400, 480, (0.5, 0.5, 0.5, 1))
    render(layer, out.getCanvas())
    pixels = out.toarray(colorType=skia.kRGBA_8888_ColorType)[..., :3].astype(float)
    spots = {"hair": pixels[95:105, 195:205], "cheek": pixels[190:196, 195:205], "shorts": pixels[338:346, 206:216]}
    means = {name: spot.reshape(-1, 3).mean(axis=0) for name, spot in spots.items()}
    for a, b in combinations(means, 2):
        assert np.abs(means[a] - means[b]).max() > 12, (a, b)


@pytest.mark.parametrize("feeling", ["excited", "surprised"])
def test_an_open_mouth_is_a_breath_that_opens_and_settles(feeling: Emotion) -> None:
    own = packs.expressions().expressions[feeling]
    step = 1 / 24
    opens = [spoken_mouth(own, Acting(expression=feeling, t=i * step), 7).open for i in range(24 * 20)]
    assert opens[0] == pytest.approx(own.mouth.open)
    wide = [o > 0.75 * own.mouth.open for o in opens]
    longest = max(len(run) for run in "".join("#" if w else " " for w in wide).split())
    assert longest * step < 1.5
    assert sum(wide) * step < 5.0
    assert max(opens[48:]) > 1.6 * min(opens), "it breathes again later"
    assert max(abs(a - b) for a, b in pairwise(opens)) < 0.12, "nothing jumps"


def test_a_still_and_a_spoken_mouth_do_not_settle() -> None:
    own = packs.expressions().expressions["surprised"]
    assert spoken_mouth(own, Acting(t=9.0, moving=False), 7) == own.mouth
    loud = [spoken_mouth(own, Acting(t=t, mouth="ai", mouth_open=1.0), 7) for t in (0.0, 9.0)]
    assert loud[0] == loud[1]
