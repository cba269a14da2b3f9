"""Eight people in one frame: every face is seen at the first attempt, in any aspect, however they were placed."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.image.layout import Passes
from tools.layout import crowd
from tools.layout.crowd import MANY, crowd_width, is_crowd, stage_back, stand_apart, widest
from tools.layout.figure import Figure
from tools.layout.frames import FrameRenderer
from tools.layout.passes import presence
from tools.layout.scene import BOUNDS, Scene
from tools.review.limits import default_limits
from tools.review.stage import Person, check_stage
from tools.storyboard import CastMember, Framing, Look, Placement, Shot

SIZES = {"16:9": (640, 360), "1:1": (480, 480), "9:16": (360, 640)}
POSES = ("stand", "wave", "talk", "sit", "cheer", "think", "walk", "stand")


def a_cast(count: int, seed: int) -> list[CastMember]:
    dice = Random(seed)
    return [
        CastMember(
            id=f"c{i}",
            name=f"C{i}",
            known=False,
            look=Look(
                age=dice.choice(["child", "child", "teen", "adult", "elder"]),
                hair=dice.choice(["curly", "short", "long", "spiky"]),
                accessories=dice.choice([[], [], ["straw_hat"], ["backpack"]]),
                species=dice.choice(["human", "human", "human", "bear", "robot"]),
            ),
        )
        for i in range(count)
    ]


def a_shot(count: int, framing: Framing, xs: list[float], location: str = "beach") -> Shot:
    places = [
        Placement(character=f"c{i}", x=xs[i], pose=POSES[i], facing="right" if xs[i] < 0.5 else "left")
        for i in range(count)
    ]
    return Shot(id="crowd", framing=framing, location=location, placements=places)


def failures(shot: Shot, cast: list[CastMember], size: tuple[int, int]) -> list[str]:
    """Names of the judge's checks of the stage that fail on the draft of the shot."""
    scene = Scene.build(shot, cast, size=size)
    instant = FrameRenderer(scene).render_picture(0.0, scene.base, moving=False)
    passes = Passes(scene, instant, size)
    seen = presence(instant.draw, instant.drawn, passes.gbuffer, passes.matrix, size)
    people = [
        Person(
            p.character, p.character, p, 1.0, seen[p.character], passes.gbuffer.mask(p.character).astype(np.uint8) * 255
        )
        for p in shot.placements
    ]
    checks = check_stage(people, shot.framing, size, default_limits().stage)
    return [check.name for check in checks if check.status == "failed"]


@pytest.mark.parametrize("aspect", SIZES)
@pytest.mark.parametrize("framing", ["wide", "full"])
@pytest.mark.parametrize(("count", "seed"), [(6, 1), (8, 2)])
def test_every_face_of_a_crowd_is_seen_at_the_first_attempt(
    aspect: str, framing: Framing, count: int, seed: int
) -> None:
    even = [round(0.08 + 0.84 * i / (count - 1), 3) for i in range(count)]
    assert failures(a_shot(count, framing, even), a_cast(count, seed), SIZES[aspect]) == []


def test_a_crowd_on_one_mark_is_spread() -> None:
    assert failures(a_shot(8, "wide", [0.5] * 8, "town_square"), a_cast(8, 3), SIZES["16:9"]) == []


def test_without_staging_the_crowd_hides_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "MANY", 99)
    assert failures(a_shot(8, "wide", [0.5] * 8, "town_square"), a_cast(8, 3), SIZES["16:9"]) != []


def test_few_people_stay_where_the_storyboard_has_them() -> None:
    shot = a_shot(4, "wide", [0.2, 0.4, 0.6, 0.8])
    scene = Scene.build(shot, a_cast(4, 1), size=SIZES["9:16"])
    assert {player.placement.depth for player in scene.players} == {0.3}


def test_who_steps_back_is_told() -> None:
    shot = a_shot(8, "wide", [i / 7 for i in range(8)])
    scene = Scene.build(shot, a_cast(8, 1), size=SIZES["9:16"])
    assert any("8 people stand farther back" in note for note in scene.notes)
    assert all(player.placement.depth > 0.3 for player in scene.players)
    wide = Scene.build(shot, a_cast(8, 1), size=SIZES["16:9"])
    assert not any("farther back" in note for note in wide.notes)


FIGURES = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.floats(560.0, 700.0), st.floats(30.0, 90.0), st.floats(1.0, 2.0)),
    min_size=MANY,
    max_size=8,
)


def built(rows: list[tuple[float, float, float, float]]) -> list[Figure]:
    return [
        Figure(f"c{i}", x, y, (-w, -400, w, -250), (-w * k, -420, w * k, 10), sides=(-w * k, w * k))
        for i, (x, y, w, k) in enumerate(rows)
    ]


@given(rows=FIGURES)
def test_a_crowd_stands_apart_inside_the_frame_in_its_order(rows: list[tuple[float, float, float, float]]) -> None:
    figures = built(rows)
    assert is_crowd(figures, "wide")
    assert not is_crowd(figures, "close")
    width = crowd_width(figures) * 1.03
    xs = stand_apart(figures, {f.id: f.x * width for f in figures}, 0.0, width)
    row = sorted(figures, key=lambda f: f.x)
    for a, b in itertools.pairwise(row):
        # Neither face box lies behind the other.
        assert xs[b.id] + b.face[0] >= xs[a.id] + a.face[2] - 1e-6
    for figure in figures:
        assert xs[figure.id] + figure.face[0] >= -1e-6
        assert xs[figure.id] + figure.face[2] <= width + 1e-6


@given(rows=FIGURES, room=st.floats(200.0, 3000.0))
def test_people_step_back_only_and_only_where_they_must(
    rows: list[tuple[float, float, float, float]], room: float
) -> None:
    figures = built(rows)
    written = {figure.id: 0.3 for figure in figures}
    found = stage_back(figures, written, room, lambda d: 704 - 204 * d, lambda d: 1.18 - 0.6 * d)
    assert all(0.3 <= depth <= 1.0 for depth in found.values())
    if crowd_width(figures) <= room:
        assert found == written
    else:
        assert all(found[name] > 0.3 for name in found)


def test_the_widest_frame_shows_no_more_than_is_painted() -> None:
    assert widest(16 / 9, BOUNDS) == BOUNDS[2] - BOUNDS[0]
    assert widest(9 / 16, BOUNDS) == pytest.approx((BOUNDS[3] - BOUNDS[1]) * 9 / 16)
