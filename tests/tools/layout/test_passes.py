"""The maps agree with the picture: masks, depth, lines, skeletons and classes come from one draw list."""

from __future__ import annotations

import numpy as np
import pytest
import skia

from tests.tools.layout.standins import packs
from tools.layout.drawlist import DrawList, Item, Stroke
from tools.layout.frames import FrameRenderer
from tools.layout.passes import GBuffer, canny, fill_gbuffer, line_map, openpose_map, presence
from tools.layout.passes.gbuffer import SEGMENT_COLORS, layer_matrix
from tools.layout.passes.openpose import POINT_COLORS
from tools.layout.scene import Scene
from tools.layout.stage import Instant
from tools.storyboard import CastMember, Placement, Shot

SIZE = (640, 360)
CAST = [CastMember(id=i, name=i.title(), known=i in ("luca", "alberto")) for i in ("luca", "alberto", "zoe")]


def drawn_shot(**changes: object) -> tuple[Scene, Instant, GBuffer, np.ndarray]:
    placements = changes.pop("placements", None) or [
        Placement(character="luca", x=0.35, pose="wave"),
        Placement(character="alberto", x=0.65),
    ]
    shot = Shot.model_validate({"id": "s1", "placements": placements, **changes})
    scene = Scene.build(shot, CAST, size=SIZE, packs=packs())
    renderer = FrameRenderer(scene)
    instant = renderer.render_picture(0.0, scene.base, moving=False)
    buffer = fill_gbuffer(instant.draw, lambda layer: matrix(scene, layer), SIZE)
    return scene, instant, buffer, renderer.frame[..., 2::-1].copy()


def matrix(scene: Scene, layer: object) -> skia.Matrix:
    return layer_matrix(layer, scene.base, scene.base, scene.horizon, SIZE)  # type: ignore[arg-type]


def found(scene: Scene, instant: Instant, buffer: GBuffer) -> dict:  # type: ignore[type-arg]
    return presence(instant.draw, instant.drawn, buffer, lambda layer: matrix(scene, layer), SIZE)


OVERLAPPING = [Placement(character="luca", x=0.49, depth=0.5), Placement(character="alberto", x=0.53, depth=0.2)]


def test_masks_are_disjoint_and_lie_where_the_picture_shows_the_character() -> None:
    _, _, buffer, picture = drawn_shot(placements=OVERLAPPING)
    luca, alberto = buffer.mask("luca"), buffer.mask("alberto")
    assert luca.sum() > 2000
    assert alberto.sum() > 4000
    assert not (luca & alberto).any()
    # Alberto's shirt in the stand-in is red, Luca's green; nobody else's is.
    red = (picture[..., 0] > 150) & (picture[..., 1] < 90)
    assert red.sum() > 500
    assert alberto[red].mean() > 0.98


def test_every_visible_keypoint_lies_on_its_own_mask_and_hidden_ones_are_not_visible() -> None:
    scene, instant, buffer, _ = drawn_shot(placements=OVERLAPPING)
    stages = found(scene, instant, buffer)
    counts = {}
    for name, stage in stages.items():
        mask = buffer.mask(name)
        shown = [(x, y) for x, y, v in stage.keypoints if v]
        counts[name] = len(shown)
        for x, y in shown:
            column, row = int(x), int(y)
            assert mask[row - 1 : row + 2, column - 1 : column + 2].any()
    assert counts["alberto"] == 18
    assert counts["luca"] < 18, "the one behind has joints that the front one covers"


def test_presence_measures_what_is_covered_and_what_is_cut_off() -> None:
    scene, instant, buffer, _ = drawn_shot(placements=OVERLAPPING)
    stages = found(scene, instant, buffer)
    assert stages["alberto"].visible > 0.97
    assert stages["luca"].hidden_by["alberto"] > 0.3
    assert stages["luca"].visible + stages["luca"].hidden_by["alberto"] == pytest.approx(1.0, abs=0.03)
    scene, instant, buffer, _ = drawn_shot(framing="close", placements=[Placement(character="luca")])
    close = found(scene, instant, buffer)["luca"]
    assert 0.2 < close.in_frame < 0.8
    assert close.visible == pytest.approx(close.in_frame, abs=0.03)
    assert close.body[3] > SIZE[1] > close.face[3]


def test_presence_agrees_with_a_count_of_pixels() -> None:
    scene, instant, buffer, _ = drawn_shot(placements=OVERLAPPING)
    alone = fill_gbuffer(instant.draw, lambda layer: matrix(scene, layer), SIZE, "luca").index > 0
    covered = (alone & buffer.mask("alberto")).sum() / alone.sum()
    assert found(scene, instant, buffer)["luca"].hidden_by["alberto"] == pytest.approx(covered, abs=0.02)


def test_depth_goes_white_towards_the_camera() -> None:
    _, _, buffer, _ = drawn_shot(placements=OVERLAPPING)
    depth = buffer.depth().astype(int)
    near, far = depth[buffer.mask("alberto")], depth[buffer.mask("luca")]
    assert near.min() > far.max()
    assert depth[2, 320] == 0, "the sky is black"
    floor = depth[260:350, 300]
    assert (np.diff(floor[floor != near[0]]) >= 0).all(), "the floor comes nearer row by row"
    # A figure is about as near as the floor it stands on.
    rows = np.nonzero(buffer.mask("alberto").any(axis=1))[0]
    assert abs(int(depth[rows[-1] + 2, 12]) - int(near[0])) < 16


def test_line_map_leaves_out_what_is_covered() -> None:
    scene, instant, buffer, _ = drawn_shot(placements=OVERLAPPING)
    lines = line_map(instant.draw, lambda layer: matrix(scene, layer), SIZE) > 127
    assert 0.003 < lines.mean() < 0.2
    eroded = buffer.mask("alberto")
    for _ in range(5):
        eroded = (
            eroded & np.roll(eroded, 1, 0) & np.roll(eroded, -1, 0) & np.roll(eroded, 1, 1) & np.roll(eroded, -1, 1)
        )
    # Luca's outline runs behind Alberto; inside Alberto only his own parts' edges show.
    alone = [x for x in instant.draw.layers if x.name != "cast.luca"]
    without = line_map(DrawList(alone), lambda layer: matrix(scene, layer), SIZE) > 127
    assert (lines[eroded] == without[eroded]).mean() > 0.995


def test_effects_and_veils_are_in_no_map() -> None:
    square = skia.Path.Rect(skia.Rect.MakeLTRB(10, 10, 50, 50))
    draw = DrawList()
    draw.layer("a").items.extend(
        [
            Item(square, (1, 1, 1, 1), effect=True),
            Item(square, (1, 1, 1, 0.2)),
            Item(square, (1, 1, 1, 1), blend="Multiply"),
            Item(square, (1, 1, 1, 1), opacity=0.3),
        ]
    )
    same = skia.Matrix()
    assert fill_gbuffer(draw, lambda _: same, (64, 64)).index.max() == 0
    assert line_map(draw, lambda _: same, (64, 64)).max() == 0


def test_strokes_and_clips_count_as_they_are_drawn() -> None:
    line = skia.Path()
    line.moveTo(0, 32)
    line.lineTo(64, 32)
    draw = DrawList()
    half = skia.Path.Rect(skia.Rect.MakeLTRB(0, 0, 32, 64))
    draw.layer("a").add(Item(line, stroke=Stroke((0, 0, 0, 1), 8), clip=half, owner="x"))
    mask = fill_gbuffer(draw, lambda _: skia.Matrix(), (64, 64)).mask("x")
    assert mask[30:34, :30].all()
    assert not mask[:, 34:].any()


def test_segmentation_has_the_colours_of_ade20k() -> None:
    _, _, buffer, _ = drawn_shot()
    colors = buffer.segmentation()
    assert tuple(colors[3, 320]) == SEGMENT_COLORS["sky"] == (6, 230, 230)
    person = colors[buffer.mask("luca")]
    assert (person == (150, 5, 61)).all()
    assert {tuple(c) for c in colors.reshape(-1, 3)[::37]} <= set(SEGMENT_COLORS.values())


def test_canny_finds_one_thin_line_around_a_square() -> None:
    picture = np.zeros((80, 80, 3), dtype=np.uint8)
    picture[20:60, 20:60] = 255
    edges = canny(picture) > 0
    assert edges[40].sum() == 2, "one pixel wide on either side"
    assert edges[:, 40].sum() == 2
    assert 140 <= edges.sum() <= 170
    assert not canny(np.full((30, 30, 3), 90, dtype=np.uint8)).any()


def test_canny_keeps_weak_edges_only_where_they_touch_strong_ones() -> None:
    picture = np.full((60, 120, 3), 100, dtype=np.uint8)
    picture[10:30, 10:50] = 140  # gradient 160: between the thresholds
    picture[10:30, 70:90] = 140
    picture[10:30, 90:110] = 200  # strong on this side
    edges = canny(picture) > 0
    assert not edges[:, :60].any()
    assert edges[:, 70:].any()


def test_openpose_draws_the_visible_ones_in_their_colours() -> None:
    points = [(100.0 + 10 * i, 100.0 + 20 * (i % 3), 1.0) for i in range(18)]
    points[4] = (*points[4][:2], 0.0)
    picture = openpose_map([points], (512, 512))
    for (x, y, visible), color in zip(points, POINT_COLORS, strict=True):
        shown = tuple(picture[int(y), int(x)]) == color
        assert shown == bool(visible) or visible == 0.0
    assert tuple(picture[int(points[4][1]), int(points[4][0])]) != POINT_COLORS[4]
    twice = openpose_map([[(2 * x, 2 * y, v) for x, y, v in points]], (1024, 1024))
    assert (twice.any(axis=2)).sum() == pytest.approx(4 * picture.any(axis=2).sum(), rel=0.05)


def test_someone_seen_from_behind_has_no_face_in_the_skeleton() -> None:
    scene, instant, buffer, _ = drawn_shot(placements=[Placement(character="luca", facing="back")])
    points = found(scene, instant, buffer)["luca"].keypoints
    assert [v for _, _, v in (points[0], points[14], points[15])] == [0.0, 0.0, 0.0]
    assert sum(v for _, _, v in points) == 15
