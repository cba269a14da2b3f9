"""Those who walk get somewhere, the camera goes with them, and props never hide a face."""

from __future__ import annotations

import numpy as np
import pytest
import skia
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.layout.standins import PlainPlace, PlainPuppet, rect
from tools.layout.camera import HOME, Window
from tools.layout.drawlist import DrawList, Item, Layer
from tools.layout.foreground import clusters, split_foreground
from tools.layout.frames import FrameRenderer
from tools.layout.scene import Packs, Scene
from tools.layout.travel import Mover, Travel, plan_travel
from tools.storyboard import CastMember, Placement, Shot

BOUNDS = (-340.0, -420.0, 1620.0, 1080.0)
SIZE = (320, 180)


def mover(name: str, pose: str, facing: str, x: float = 640) -> Mover:
    placement = Placement(character=name, pose=pose, facing=facing)  # type: ignore[arg-type]
    return Mover(placement, 1.0, (x - 70, 240, x + 70, 370))


def test_the_camera_follows_when_all_go_the_same_way() -> None:
    both = [mover("a", "walk", "right"), mover("b", "walk", "right", 900)]
    travel = plan_travel(both, HOME, BOUNDS, 2.0, "static")
    assert travel.camera == travel.by["a"] == travel.by["b"] == pytest.approx(340)
    left = plan_travel([mover("a", "run", "left")], HOME, BOUNDS, 2.0, "push")
    assert left.camera < -300


def test_one_among_others_crosses_the_frame_and_the_camera_rests() -> None:
    travel = plan_travel([mover("a", "walk", "right"), mover("b", "stand", "left", 900)], HOME, BOUNDS, 2.0, "static")
    assert travel.camera == 0
    assert set(travel.by) == {"a"}
    assert 0 < travel.by["a"] <= 0.3 * HOME.w


def test_nobody_goes_anywhere_who_stands_or_comes_towards_us() -> None:
    assert plan_travel([mover("a", "stand", "left")], HOME, BOUNDS, 4.0, "static") == Travel()
    assert plan_travel([mover("a", "walk", "front")], HOME, BOUNDS, 4.0, "static") == Travel()


@given(
    st.floats(200, 1900),
    st.floats(0, 1280),
    st.floats(0.5, 60),
    st.sampled_from(["left", "right"]),
    st.sampled_from(["walk", "run", "swim"]),
)
def test_the_camera_never_leaves_the_painted_set(width: float, cx: float, seconds: float, way: str, pose: str) -> None:
    window = Window(cx, 360, width, width * 9 / 16)
    travel = plan_travel([mover("a", pose, way, cx)], window, BOUNDS, seconds, "static")
    if travel.camera:
        for end in (-0.5, 0.5):
            x0, _, x1, _ = Window(cx + travel.shift + travel.camera * end, 360, width, 1).box
            assert x0 >= BOUNDS[0] - 1e-6
            assert x1 <= BOUNDS[2] + 1e-6


def scene_with(place: PlainPlace, *placements: Placement, **changes: object) -> Scene:
    packs = Packs(lambda _: place, lambda: ["beach"], PlainPuppet, lambda: ["stand", "walk"])  # type: ignore[arg-type, return-value]
    shot = Shot.model_validate({"id": "s", "placements": list(placements), **changes})
    return Scene.build(shot, [CastMember(id="luca", name="Luca", known=True)], size=SIZE, packs=packs)


def test_a_followed_walker_stays_where_he_is_in_the_frame_while_the_set_goes_by() -> None:
    walker = Placement(character="luca", pose="walk", facing="right", x=0.4)
    scene = scene_with(PlainPlace(), walker, duration_s=2.0)
    renderer = FrameRenderer(scene, duration_s=2.0)
    parts, places = [], []
    for u in (0.0, 0.5, 1.0):
        camera = scene.move.at(u)
        drawn = renderer.render(2 * u, camera, u=u)["luca"]
        x0, _, x1, _ = drawn.face
        parts.append(((x0 + x1) / 2 - camera.box[0]) / camera.w)
        places.append((x0 + x1) / 2)
    assert parts == pytest.approx([parts[0]] * 3, abs=0.002)
    assert places[2] - places[0] > 200
    assert (renderer.frame[..., 3] == 255).all()


class Post(PlainPlace):
    """A place with one post in front; where it stands is up to the test."""

    def __init__(self, x: float, foot: float) -> None:
        self.x, self.foot = x, foot

    def paint_front(self, draw: DrawList, *_: object, **__: object) -> None:
        draw.layer("post").add(Item(rect(self.x, 150, self.x + 60, self.foot), (0.1, 0.1, 0.1, 1), depth=0.02))


@pytest.mark.parametrize(
    ("x", "foot", "behind", "near"), [(610, 740, 0, 0), (200, 740, 0, 1), (610, 560, 1, 0), (200, 560, 1, 0)]
)
def test_a_near_prop_before_a_face_goes_and_a_far_one_stands_behind(
    x: float, foot: float, behind: int, near: int
) -> None:
    place = Post(x, foot)
    scene = scene_with(place, Placement(character="luca", x=0.5))
    front = DrawList()
    place.paint_front(front)
    back, fore = split_foreground(scene, front)
    assert (len(back.layers), len(fore.layers)) == (behind, near)


def test_a_prop_that_only_later_passes_before_a_face_goes_too() -> None:
    place = Post(830, 740)
    front = DrawList()
    place.paint_front(front)
    walker = Placement(character="luca", pose="walk", facing="right", x=0.5)
    assert len(split_foreground(scene_with(place, walker, duration_s=5.0), front)[1].layers) == 0
    stander = Placement(character="luca", x=0.5)
    assert len(split_foreground(scene_with(place, stander, duration_s=5.0), front)[1].layers) == 1


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900), st.floats(1, 90)), min_size=1, max_size=12))
def test_clusters_part_the_items_and_nothing_of_two_things_touches(spots: list[tuple[float, float, float]]) -> None:
    layer = Layer("x")
    for x, y, size in spots:
        layer.add(Item(rect(x, y, x + size, y + size), (0, 0, 0, 1)))
    things = clusters(layer)
    assert sorted(id(i) for thing in things for i in thing.items) == sorted(id(i) for i in layer.items)
    boxes = [[i.path.getBounds() for i in thing.items] for thing in things]
    for a in range(len(boxes)):
        for b in range(a):
            assert not any(skia.Rect.Intersects(p, q) for p in boxes[a] for q in boxes[b])


def test_rain_goes_along_with_a_camera_that_walks() -> None:
    walker = Placement(character="luca", pose="walk", facing="right")
    wet = scene_with(PlainPlace(), walker, duration_s=4.0, weather="rain")
    dry = scene_with(PlainPlace(), walker, duration_s=4.0)
    for u in (0.0, 1.0):
        a, b = FrameRenderer(wet), FrameRenderer(dry)
        a.render(1.0, wet.move.at(u), u=u)
        b.render(1.0, dry.move.at(u), u=u)
        rained = np.abs(a.frame.astype(int) - b.frame).sum(axis=2) > 6
        left, right = rained[:, :80].mean(), rained[:, 240:].mean()
        assert left > 0.005
        assert right > 0.005
