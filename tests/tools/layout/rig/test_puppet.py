"""Any character, in any pose, from any side: drawn by the rules, and told truly."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
import skia
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.layout.rig.easel import LIGHTS, owner_mask, render, surface
from tools.errors import InvalidInput
from tools.layout.drawlist import DrawList, Layer, LinearGradient, RadialGradient
from tools.layout.passes.gbuffer import fill_gbuffer
from tools.layout.puppet import Acting, Drawn
from tools.layout.rig import expression_names, make_puppet, pose_names
from tools.storyboard import Emotion, Facing, Look

FACINGS: tuple[Facing, ...] = get_args(Facing)
CAST = {
    "luca": Look(gender="boy", hair="tousled", top="striped_tshirt", bottom="shorts", shoes="barefoot", freckles=True),
    "nonna": Look(
        age="elder", gender="girl", build="sturdy", top="dress", hair="bun", accessories=["glasses", "apron"]
    ),
    "bolt": Look(species="robot"),
    "onda": Look(species="sea_monster", height=1.3),
    "bruno": Look(species="bear", build="sturdy", age="adult", accessories=["scarf", "cap"]),
    "pip": Look(species="rabbit", build="slim", top="tank_top"),
    "rita": Look(age="adult", gender="girl", hair="long", top="raincoat", bottom="trousers", shoes="boots"),
}
SIZE = (1200, 960)
AT = (600.0, 720.0)
"""Room for the tallest figure that a Look allows, jumping or lying down."""
LOOKS_TRIED = int(os.environ.get("STUDIO_RIG_LOOKS", "0"))
"""How many random looks the property test tries; 0 is the quick, always equal set."""


def draw(look: Look, acting: Acting, character_id: str = "luca", scale: float = 1.0) -> tuple[Layer, Drawn]:
    layer = Layer("cast")
    drawn = make_puppet(character_id, look).draw(layer, acting, at=AT, scale=scale, depth=0.3, light=LIGHTS["day"])
    return layer, drawn


def keypoints_outside(layer: Layer, drawn: Drawn, owner: str) -> list[int]:
    """Numbers of the visible keypoints that do not lie on the mask that ships with a picture, or not on the canvas."""
    mask = fill_gbuffer(DrawList([layer]), lambda _layer: skia.Matrix(), SIZE).mask(owner)
    return [
        i
        for i, (x, y, seen) in enumerate(drawn.keypoints)
        if seen and not (0 <= x < SIZE[0] and 0 <= y < SIZE[1] and mask[int(y), int(x)])
    ]


def pixels(layer: Layer) -> np.ndarray:
    out = surface(*SIZE, (1, 1, 1, 1))
    render(layer, out.getCanvas())
    return out.toarray().astype(int)


@pytest.mark.parametrize("pose", pose_names())
@pytest.mark.parametrize("facing", FACINGS)
def test_every_keypoint_lies_on_the_figure(pose: str, facing: Facing) -> None:
    for name, look in CAST.items():
        layer, drawn = draw(look, Acting(pose=pose, facing=facing, t=0.4), name)
        assert keypoints_outside(layer, drawn, name) == [], name


@pytest.mark.parametrize("t", [0.0, 0.37, 0.81, 1.4, 2.6])
@pytest.mark.parametrize("pose", ["walk", "run", "swim", "dance", "jump", "talk"])
def test_keypoints_stay_on_the_figure_while_it_moves(pose: str, t: float) -> None:
    layer, drawn = draw(CAST["luca"], Acting(pose=pose, facing="right", t=t, speaking=True, mouth="ai", mouth_open=1.0))
    assert keypoints_outside(layer, drawn, "luca") == []


def _choice(field: str) -> st.SearchStrategy[object]:
    annotation = Look.model_fields[field].annotation
    values: list[object] = []
    for part in get_args(annotation):
        values += list(get_args(part)) or ([None] if part is type(None) else [part])
    return st.sampled_from(values)


ACCESSORIES = list(get_args(get_args(Look.model_fields["accessories"].annotation)[0]))
LOOKS = st.builds(
    Look,
    **{  # type: ignore[arg-type]
        name: _choice(name) for name in ("species", "age", "gender", "build", "hair", "top", "bottom", "shoes")
    },
    height=st.one_of(st.just(1.0), st.floats(0.5, 1.6)),
    freckles=st.booleans(),
    skin=st.sampled_from([None, "fair", "dark", "#3355aa", "blue", "light brown"]),
    accessories=st.lists(st.sampled_from(ACCESSORIES), max_size=6, unique=True),
)


@settings(
    max_examples=LOOKS_TRIED or 100,
    deadline=None,
    derandomize=not LOOKS_TRIED,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    name=st.sampled_from(["someone", "ada", "bruno", "kim"]),
    look=LOOKS,
    pose=st.sampled_from(pose_names()),
    facing=st.sampled_from(FACINGS),
    expression=st.sampled_from(get_args(Emotion)),
    t=st.floats(0, 600),
    speaking=st.booleans(),
    moving=st.booleans(),
    scale=st.sampled_from([0.4, 0.7, 1.0]),
)
def test_any_mixture_is_drawn_by_the_rules(
    name: str,
    look: Look,
    pose: str,
    facing: Facing,
    expression: Emotion,
    t: float,
    speaking: bool,
    moving: bool,
    scale: float,
) -> None:
    acting = Acting(pose=pose, facing=facing, expression=expression, t=t, speaking=speaking, moving=moving)
    layer, drawn = draw(look, acting, name, scale)
    # What a frame of one figure costs; six accessories at once are the most.
    assert 40 < len(layer.items) < 380
    for item in layer.items:
        assert (item.owner, item.segment) == (name, "person")
        assert 0.0 <= item.depth <= 0.3
        assert item.path.isFinite()
        colours = [item.fill] if isinstance(item.fill, tuple) else []
        if isinstance(item.fill, LinearGradient | RadialGradient):
            colours = [colour for _, colour in item.fill.stops]
        if item.stroke:
            colours.append(item.stroke.color)
        assert all(0.0 <= v <= 1.0 for colour in colours for v in colour)
    assert all(math.isfinite(v) for point in drawn.keypoints for v in point)
    x0, y0, x1, y1 = drawn.face
    assert x0 < x1
    assert y0 < y1
    assert drawn.ground == AT
    assert keypoints_outside(layer, drawn, name) == []


def test_a_keypoint_beside_the_figure_is_noticed() -> None:
    layer, drawn = draw(CAST["luca"], Acting(moving=False))
    x, y, _ = drawn.keypoints[4]
    drawn.keypoints[4] = (x - 40.0, y, 1.0)
    drawn.keypoints[7] = (-5.0, y, 1.0)
    assert keypoints_outside(layer, drawn, "luca") == [4, 7]


def test_the_same_instant_gives_the_same_picture_and_another_character_another() -> None:
    acting = Acting(pose="talk", t=1.7, speaking=True, mouth="e", mouth_open=0.6)
    first, again = pixels(draw(Look(), acting, "ada")[0]), pixels(draw(Look(), acting, "ada")[0])
    assert (first == again).all()
    assert (first != pixels(draw(Look(), acting, "bea")[0])).any()


def test_what_is_left_open_does_not_hang_on_the_hash_seed() -> None:
    code = (
        "from tools.layout.rig.casting import design\nfrom tools.storyboard import Look\n"
        "d = design('mara', Look()); print(d.palette, d.hair_style, d.top_style, d.bottom_style, d.shoes)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "77")
    }
    assert len(runs) == 1


def test_a_still_does_not_hang_on_the_time() -> None:
    a = pixels(draw(CAST["luca"], Acting(pose="run", facing="right", t=0.0, moving=False))[0])
    b = pixels(draw(CAST["luca"], Acting(pose="run", facing="right", t=9.3, moving=False))[0])
    assert (a == b).all()


def test_facing_left_mirrors_facing_right() -> None:
    for pose in ("walk", "wave", "point", "think"):
        _, right = draw(CAST["luca"], Acting(pose=pose, facing="right", moving=False))
        _, left = draw(CAST["luca"], Acting(pose=pose, facing="left", moving=False))
        swapped = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]
        for i, j in enumerate(swapped):
            assert 2 * AT[0] - left.keypoints[j][0] == pytest.approx(right.keypoints[i][0], abs=0.5)
            assert left.keypoints[j][1] == pytest.approx(right.keypoints[i][1], abs=0.5)


def test_the_own_right_is_to_the_left_of_the_picture_unless_seen_from_behind() -> None:
    _, front = draw(CAST["luca"], Acting(moving=False))
    _, back = draw(CAST["luca"], Acting(facing="back", moving=False))
    assert front.keypoints[2][0] < front.keypoints[5][0]
    assert back.keypoints[2][0] > back.keypoints[5][0]
    assert [back.keypoints[i][2] for i in (0, 14, 15)] == [0.0, 0.0, 0.0]
    assert [front.keypoints[i][2] for i in (0, 14, 15)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("pose", ["stand", "walk", "sit", "crouch", "lie", "hands_on_hips", "dance"])
def test_figures_stand_on_the_ground(pose: str) -> None:
    for name in ("luca", "nonna", "bruno"):
        layer, _ = draw(CAST[name], Acting(pose=pose, facing="right", moving=False), name)
        rows = np.flatnonzero(owner_mask(layer, name, *SIZE).any(axis=1))
        assert rows[-1] == pytest.approx(AT[1], abs=30)


def test_heights() -> None:
    assert make_puppet("a", Look()).height == 400
    assert make_puppet("a", Look(age="adult")).height > 450
    assert make_puppet("a", Look(age="adult", height=0.9)).height == 360
    layer, _ = draw(CAST["luca"], Acting(moving=False))
    rows = np.flatnonzero(owner_mask(layer, "luca", *SIZE).any(axis=1))
    assert rows[-1] - rows[0] == pytest.approx(400, abs=45)


@pytest.mark.parametrize("moving", [True, False])
@pytest.mark.parametrize("name", list(CAST))
def test_the_silhouette_is_what_is_drawn(name: str, moving: bool) -> None:
    layer, drawn = draw(CAST[name], Acting(pose="wave", t=0.2, moving=moving), name)
    mask = owner_mask(layer, name, *SIZE)
    ys, xs = np.mgrid[0 : SIZE[1] : 7, 0 : SIZE[0] : 7]
    outline = drawn.silhouette
    inside = np.array([outline.contains(float(x), float(y)) for x, y in zip(xs.flat, ys.flat, strict=True)])
    shown = mask[ys.ravel(), xs.ravel()]
    assert (inside & shown).sum() / (inside | shown).sum() > 0.9


def test_unknown_names_are_told() -> None:
    with pytest.raises(InvalidInput, match="no pose 'moonwalk'"):
        draw(Look(), Acting(pose="moonwalk"))
    with pytest.raises(InvalidInput, match="not a colour known for hair_color"):
        make_puppet("a", Look(hair_color="octarine"))
    with pytest.raises(InvalidInput, match="#12"):
        make_puppet("a", Look(top_color="#12"))
    assert set(expression_names()) == set(get_args(Emotion))


def test_asking_for_the_rig_loads_no_drawing_library() -> None:
    code = "import sys; from tools.layout.rig import pose_names; pose_names(); print('skia' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
