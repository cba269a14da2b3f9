"""A shot made ready: unknown names are replaced and noted, adjustments are applied, frames are repeatable."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.layout.standins import packs
from tools.image.tool import StageAdjustment
from tools.layout.acting import Delivered
from tools.layout.camera import FACE_MARGIN
from tools.layout.drawlist import DrawList
from tools.layout.frames import FrameRenderer, render_frames
from tools.layout.lettering import Caption
from tools.layout.scene import Scene
from tools.layout.stage import paint_cast
from tools.storyboard import CastMember, Look, Placement, Shot
from tools.timeline import LineTime, MouthCue

CAST = [CastMember(id=i, name=i.title(), known=True) for i in ("luca", "alberto")]
SIZE = (320, 180)
TWO = [Placement(character="luca", x=0.3), Placement(character="alberto", x=0.7)]


def build(adjust: StageAdjustment | None = None, size: tuple[int, int] = SIZE, **changes: object) -> Scene:
    shot = Shot.model_validate({"id": "s1", "placements": TWO, **changes})
    return Scene.build(shot, CAST, size=size, adjust=adjust, packs=packs())


def test_a_known_shot_needs_no_notes() -> None:
    assert build().notes == []


def test_an_unknown_place_and_pose_are_replaced_and_said() -> None:
    scene = build(location="moon_base", placements=[Placement(character="luca", pose="waving")])
    assert scene.place.id == "beach"
    assert scene.players[0].placement.pose == "wave"
    assert any("moon_base" in note for note in scene.notes)
    assert any("waving" in note for note in scene.notes)
    assert build(location="spiaggia").place.id == "beach"


def test_someone_who_is_in_no_cast_list_is_drawn_all_the_same() -> None:
    scene = build(placements=[Placement(character="nobody")])
    assert [player.name for player in scene.players] == ["Nobody"]
    assert any("Nobody" in note for note in scene.notes)


def test_a_look_in_the_storyboard_counts_before_the_sheet() -> None:
    short = CastMember(id="luca", name="Luca", known=True, look=Look(height=0.6))
    shot = Shot(id="s", placements=[Placement(character="luca")])
    a, b = (Scene.build(shot, [who], size=SIZE, packs=packs()).players[0] for who in (short, CAST[0]))
    assert a.body[1] > b.body[1]


def test_far_ones_are_drawn_first() -> None:
    far = [Placement(character="luca", depth=0.1), Placement(character="alberto", depth=0.8, x=0.6)]
    assert [player.id for player in build(placements=far).players] == ["alberto", "luca"]


def test_adjustments_move_people_and_the_camera() -> None:
    plain = build()
    assert build(StageAdjustment(zoom=0.5)).base.w == pytest.approx(plain.base.w * 2)
    assert build(StageAdjustment(dy=0.1)).base.cy == pytest.approx(plain.base.cy - 0.1 * plain.base.h)
    moved = {p.id: p.at[0] for p in build(StageAdjustment(dx={"luca": 0.1})).players}
    before = {p.id: p.at[0] for p in plain.players}
    assert moved["luca"] == pytest.approx(before["luca"] + 0.1 * plain.base.w)
    assert moved["alberto"] == before["alberto"]


def test_exposure_brightens_and_darkens() -> None:
    def mean(exposure: float) -> float:
        renderer = FrameRenderer(build(StageAdjustment(exposure=exposure)))
        renderer.render(0.0, renderer.scene.base, moving=False)
        return float(renderer.frame[..., :3].mean())

    assert mean(0.6) < mean(1.0) - 15
    assert mean(1.6) > mean(1.0) + 10


@pytest.mark.parametrize("camera", ["static", "push", "pull", "pan"])
def test_frames_are_the_same_every_time_and_move(camera: str) -> None:
    first = [frame.copy() for frame in render_frames(build(camera=camera), 6, 8)]
    again = [frame.copy() for frame in render_frames(build(camera=camera), 6, 8)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[-1])
    assert all((frame[..., 3] == 255).all() for frame in first)


def test_the_still_is_the_frame_that_a_resting_camera_shows() -> None:
    """Plates that move and plates that rest put the same set into the frame of the base window."""
    resting, moving = build(camera="static"), build(camera="pan")
    assert resting.base == moving.base
    a, b = FrameRenderer(resting), FrameRenderer(moving)
    a.render(0.0, resting.base, moving=False)
    b.render(0.0, moving.base, moving=False)
    assert np.abs(a.frame.astype(int) - b.frame.astype(int)).mean() < 1.5


def test_faces_stay_in_the_frame_of_every_film() -> None:
    for framing in ("wide", "medium", "close"):
        scene = build(framing=framing, camera="push")
        renderer = FrameRenderer(scene, duration_s=2.0)
        for step in range(5):
            window = scene.move.at(step / 4)
            drawn = renderer.render(step / 2, window)
            assert all(window.holds(person.face, 0.0) for person in drawn.values())
    assert FACE_MARGIN > 0


def test_rain_and_snow_change_the_picture_and_stay_off_the_mask_pass() -> None:
    pictures = {}
    for weather in ("clear", "rain", "snow", "fog"):
        renderer = FrameRenderer(build(weather=weather, size=(640, 360)))
        instant = renderer.render_picture(0.5, renderer.scene.base, moving=False)
        pictures[weather] = renderer.frame.copy()
        assert all(i.effect for layer, i in instant.draw.items() if i.segment == "weather")
    for weather in ("rain", "snow", "fog"):
        assert np.abs(pictures[weather].astype(int) - pictures["clear"]).mean() > 0.2


def test_title_and_caption_lie_over_the_frame_and_fade() -> None:
    scene = build(text_overlay="The End", size=(640, 360))
    renderer = FrameRenderer(scene, captions=[Caption(1.0, 2.0, "Hello there")], duration_s=4.0)
    bare = FrameRenderer(build(size=(640, 360)), duration_s=4.0)

    def difference(t: float, rows: slice) -> float:
        renderer.render(t, scene.base)
        bare.render(t, scene.base)
        return float(np.abs(renderer.frame[rows].astype(int) - bare.frame[rows]).mean())

    whole, foot = slice(0, 320), slice(310, 350)
    assert difference(0.0, whole) == 0.0
    assert difference(2.5, whole) > 2.0
    assert difference(1.5, foot) > 3.0
    assert difference(2.5, foot) < difference(1.5, foot)


def test_the_speaker_moves_the_lips_and_the_others_look() -> None:
    line = Delivered(
        "luca",
        LineTime(offset=0.5, start=1.0, end=2.0),
        (MouthCue(start=0.5, shape="ai"), MouthCue(start=0.8, shape="mbp")),
        tuple([0.0] * 25 + [0.8] * 50 + [0.0] * 50),
    )
    performance = build().performance([line])
    speaking = performance.acting("luca", 1.1)
    assert speaking.speaking
    assert speaking.mouth == "ai"
    assert speaking.mouth_open == pytest.approx(0.8)
    assert performance.acting("luca", 1.4).mouth == "mbp"
    silent = performance.acting("luca", 3.0)
    assert (silent.speaking, silent.mouth, silent.mouth_open) == (False, "rest", 0.0)
    listener = performance.acting("alberto", 1.5)
    assert not listener.speaking
    assert listener.look_at is not None
    assert listener.look_at[0] < -0.3, "Luca stands to the left"
    assert performance.speaker_at(0.2) is None


@pytest.mark.parametrize("pose", ["jump", "run", "dance", "cheer"])
def test_the_liveliest_poses_keep_their_faces_in_a_close_push(pose: str) -> None:
    people = [Placement(character="luca", pose=pose, x=0.36), Placement(character="alberto", pose=pose, x=0.64)]
    shot = Shot(id="s1", framing="close", camera="push", placements=people)
    scene = Scene.build(shot, CAST, size=SIZE)
    performance = scene.performance()
    for step in range(16):
        draw, window = DrawList(), scene.move.at(step / 15)
        for person in paint_cast(scene, performance, draw, step / 6, u=step / 15).values():
            assert window.holds(person.face, 0.0)
