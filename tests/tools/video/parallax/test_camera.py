"""Whatever the shot, the camera never looks past the picture, and who is in the picture stays in the frame."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.layout.camera import Box, Window
from tools.video.parallax.camera import DRIFT, PictureCamera, drift_at

SIZES = [(1280, 720), (720, 1280), (960, 960), (320, 180)]


@st.composite
def planned(draw: Any) -> tuple[PictureCamera, list[Box]]:
    width, height = draw(st.sampled_from(SIZES))
    heads: list[Box] = []
    for _ in range(draw(st.integers(0, 3))):
        x, y = draw(st.floats(-0.1, 0.95)), draw(st.floats(-0.1, 0.9))
        w, h = draw(st.floats(0.03, 0.6)), draw(st.floats(0.03, 0.7))
        heads.append((x * width, y * height, (x + w) * width, (y + h) * height))
    camera = draw(st.sampled_from(["static", "push", "pull", "pan"]))
    seed, subject = draw(st.integers(0, 99)), draw(st.floats(0, 1))
    return PictureCamera.plan(camera, (width, height), heads, subject, seed), heads


def sides_past(camera: PictureCamera, t: float, u: float, near: float) -> bool:
    """Whether the corners of the frame show what lies outside the picture, for what is so near."""
    x0, y0, x1, y1 = camera.seen(camera.at(t, u), camera.parallax(near)).box
    width, height = camera.size
    return x0 < -1e-6 or y0 < -1e-6 or x1 > width + 1e-6 or y1 > height + 1e-6


@settings(max_examples=400, deadline=None)
@given(made=planned(), t=st.floats(0, 120), u=st.floats(0, 1), near=st.floats(0, 1))
def test_no_edge_of_the_picture_is_ever_seen(
    made: tuple[PictureCamera, list[Box]], t: float, u: float, near: float
) -> None:
    camera, _ = made
    assert not sides_past(camera, t, u, near)


def test_the_control_a_camera_that_rests_on_the_whole_picture_sees_past_it() -> None:
    camera = PictureCamera.plan("pan", (1280, 720), [], 0.7, 1)
    whole = Window(640, 360, 1280, 720)
    move = replace(camera.move, start=replace(whole, cx=600), end=replace(whole, cx=680))
    careless = replace(camera, rest=whole, move=move)
    assert any(sides_past(careless, 0, u / 10, 0.0) for u in range(11))
    assert not careless.within()


@settings(max_examples=200, deadline=None)
@given(made=planned(), u=st.floats(0, 1))
def test_a_head_that_is_seen_at_rest_is_seen_throughout(made: tuple[PictureCamera, list[Box]], u: float) -> None:
    camera, heads = made
    width, height = camera.size
    picture = Window(width / 2, height / 2, width, height)
    window = camera.move.at(u)
    for head in heads:
        if picture.holds(head) and camera.rest.holds(head):
            x0, y0, x1, y1 = window.box
            assert Window(window.cx, window.cy, x1 - x0 + 2, y1 - y0 + 2).holds(head)


def test_moves_are_what_the_storyboard_says() -> None:
    def ends(kind: Any) -> tuple[Window, Window]:
        move = PictureCamera.plan(kind, (1280, 720), [(560, 200, 720, 400)], 0.7, 1).move
        return move.start, move.end

    start, end = ends("push")
    assert end.w < 0.92 * start.w
    assert ends("pull") == (end, start)
    start, end = ends("pan")
    assert start.w == end.w
    assert end.cx - start.cx > 0.05 * 1280
    start, end = ends("static")
    assert 0.96 * start.w < end.w < start.w, "a little life"


def test_what_is_farther_moves_less() -> None:
    camera = PictureCamera.plan("pan", (1280, 720), [], 0.7, 1)
    shares = [camera.parallax(near / 10) for near in range(11)]
    assert shares == sorted(shares)
    assert shares[0] < 0.95
    assert camera.parallax(0.7) == pytest.approx(1.0)


def test_the_drift_is_slow_bounded_and_its_own_for_each_seed() -> None:
    path = [drift_at(number / 24, 4) for number in range(480)]
    assert max(abs(part) for place in path for part in place) <= 1
    steps = [abs(b[0] - a[0]) + abs(b[1] - a[1]) for a, b in pairwise(path)]
    assert max(steps) * DRIFT[0] * 1280 < 0.5, "less than half a pixel a frame"
    assert path != [drift_at(number / 24, 5) for number in range(480)]
