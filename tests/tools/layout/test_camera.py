"""The camera keeps faces in the frame, whatever the placements, the framing, the aspect and the move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.layout.camera import (
    FACE_MARGIN,
    HOME,
    Framed,
    Window,
    layer_window,
    move_for,
)
from tools.layout.framing import Figure, frame_shot

BOUNDS = (-340.0, -420.0, 1620.0, 1080.0)
FRAMINGS = ["wide", "full", "medium", "close", "detail"]
framings = st.sampled_from(FRAMINGS)
aspects = st.one_of(st.sampled_from([16 / 9, 9 / 16, 1.0, 4 / 3]), st.floats(0.4, 2.6))


def figure(
    id_: str, x: float, depth: float = 0.3, size: float = 1.0, low: float = 0.0, facing: str = "front"
) -> Figure:
    ground = 704 - 204 * depth
    k = size * (ground - 312) / 330.8
    top = -400 + low
    return Figure(
        id_,
        x,
        ground,
        face=(-70 * k, (top + 45) * k, 70 * k, (top + 165) * k),
        body=(-85 * k, top * k, 85 * k, 4.0),
        facing=facing,  # type: ignore[arg-type]
    )


@st.composite
def casts(draw: st.DrawFn) -> list[Figure]:
    return [
        figure(
            f"f{number}",
            draw(st.floats(0, 1)),
            draw(st.floats(0, 1)),
            draw(st.floats(0.5, 1.6)),
            draw(st.sampled_from([0.0, 120.0, 200.0])),
            draw(st.sampled_from(["left", "right", "front", "back"])),
        )
        for number in range(draw(st.integers(1, 4)))
    ]


@given(casts(), framings, aspects)
def test_every_face_is_in_frame_in_every_framing(cast: list[Figure], framing: str, aspect: float) -> None:
    framed = frame_shot(framing, aspect, cast, bounds=BOUNDS, blocked=[(100, 250)])  # type: ignore[arg-type]
    assert set(framed.xs) == {f.id for f in cast}
    assert framed.window.w / framed.window.h == pytest.approx(aspect)
    for face in framed.faces:
        assert framed.window.holds(face, FACE_MARGIN)


@given(casts(), framings, aspects, st.sampled_from(["push", "pull", "pan", "static"]), st.floats(0, 1))
def test_a_move_never_loses_a_face(cast: list[Figure], framing: str, aspect: float, camera: str, u: float) -> None:
    framed = frame_shot(framing, aspect, cast, bounds=BOUNDS)  # type: ignore[arg-type]
    window = move_for(camera, framed, BOUNDS).at(u)  # type: ignore[arg-type]
    assert window.w / window.h == pytest.approx(aspect)
    for face in framed.faces:
        assert window.holds(face, 0.0)


@given(casts(), framings, aspects)
def test_left_to_right_order_is_the_storyboards(cast: list[Figure], framing: str, aspect: float) -> None:
    same_size = [figure(f.id, f.x) for f in cast]
    framed = frame_shot(framing, aspect, same_size, bounds=BOUNDS)  # type: ignore[arg-type]
    for a in same_size:
        for b in same_size:
            if b.x - a.x > 0.08:
                assert framed.xs[a.id] <= framed.xs[b.id] + 1e-6


def test_x_is_the_fraction_of_the_frame_where_there_is_room() -> None:
    framed = frame_shot("wide", 16 / 9, [figure("a", 0.3), figure("b", 0.7)], bounds=BOUNDS)
    assert framed.window == HOME
    assert framed.xs == {"a": pytest.approx(384), "b": pytest.approx(896)}


def test_framings_come_closer_one_by_one() -> None:
    heights = [frame_shot(f, 16 / 9, [figure("a", 0.5)], bounds=BOUNDS).window.h for f in FRAMINGS]  # type: ignore[arg-type]
    assert heights == sorted(heights, reverse=True)
    assert len({round(h) for h in heights}) == 5


def test_close_figures_are_parted_by_a_wider_lens_in_a_tall_frame() -> None:
    framed = frame_shot("medium", 9 / 16, [figure("a", 0.36), figure("b", 0.64)], bounds=BOUNDS)
    a, b = framed.faces
    assert a[2] <= b[0] + 1e-6


def test_figures_placed_on_one_spot_stay_together() -> None:
    framed = frame_shot("full", 16 / 9, [figure("a", 0.5), figure("b", 0.52)], bounds=BOUNDS)
    assert framed.xs["b"] - framed.xs["a"] < 40


def test_one_who_looks_aside_gets_room_in_front_of_the_eyes() -> None:
    left = frame_shot("close", 16 / 9, [figure("a", 0.5, facing="left")], bounds=BOUNDS)
    right = frame_shot("close", 16 / 9, [figure("a", 0.5, facing="right")], bounds=BOUNDS)
    assert left.xs["a"] - left.window.box[0] > left.window.w * 0.55
    assert right.xs["a"] - right.window.box[0] < right.window.w * 0.45


def test_the_camera_steps_aside_for_a_prop_behind_a_face() -> None:
    free = frame_shot("close", 16 / 9, [figure("a", 0.5)], bounds=BOUNDS)
    moved = frame_shot("close", 16 / 9, [figure("a", 0.5)], bounds=BOUNDS, blocked=[(600, 680)])
    assert free.xs["a"] == pytest.approx(640, abs=1)
    face = moved.faces[0]
    assert face[2] <= 602 or face[0] >= 678


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("aspect", [16 / 9, 9 / 16, 1.0])
def test_an_empty_stage_is_framed_inside_what_is_painted(framing: str, aspect: float) -> None:
    window = frame_shot(framing, aspect, [], bounds=BOUNDS, focus=[(500, 450, 700, 650)]).window  # type: ignore[arg-type]
    x0, y0, x1, y1 = window.box
    assert BOUNDS[0] <= x0
    assert BOUNDS[1] <= y0
    assert x1 <= BOUNDS[2]
    assert y1 <= BOUNDS[3]


@given(st.floats(0.2, 1.4), st.floats(-0.3, 0.3), st.floats(0, 1.5), st.floats(0.85, 1.1))
def test_layers_share_the_horizon_and_the_floor_is_seen_through_the_camera(
    zoom: float, shift: float, parallax: float, move: float
) -> None:
    base = Window(640 + 300 * shift, 360 + 200 * shift, 1280 * zoom, 720 * zoom)
    camera = base.scaled(move, (640, 300))
    assert layer_window(camera, base, 1.0, 312) == camera
    layer = layer_window(camera, base, parallax, 312)

    def level(window: Window) -> float:
        return (312 - window.box[1]) / window.h

    assert level(layer) == pytest.approx(level(camera))
    assert layer.w / layer.h == pytest.approx(camera.w / camera.h)


def test_a_move_rests_at_both_ends_and_is_monotone() -> None:
    framed = Framed(HOME, {}, ())
    move = move_for("push", framed, BOUNDS)
    widths = [move.at(u / 50).w for u in range(51)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] - widths[1] < (widths[24] - widths[25]) * 0.1
    assert move_for("pull", framed, BOUNDS).start == move.end
    assert move_for("static", framed, BOUNDS).still
