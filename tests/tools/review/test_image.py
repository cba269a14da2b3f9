"""Every check of a picture: a good one passes it, its broken twin fails it, and what mends it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.review.fabricate import Shelf
from tests.tools.review.paper_stage import CAST, KINDS, SIZE, draw_stage, put_image, two_shot
from tools.base import ArtifactRef
from tools.errors import InvalidInput
from tools.image.tool import StageAdjustment
from tools.review.measure import Measure
from tools.review.tool import Check, ReviewArtifact
from tools.storyboard import Placement, Shot


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def review(shelf: Shelf, ref: ArtifactRef, shot: Shot | None, **args: Any) -> ReviewArtifact.Output:
    given = ReviewArtifact.Input(kind="image", subject=ref, shot=shot, cast=CAST, **args)
    return Measure().run(given, shelf.context(f"review-{ref.call}-{len(list(shelf.root.iterdir()))}"))


def failed(found: ReviewArtifact.Output) -> dict[str, Check]:
    return {check.name: check for check in found.checks if check.status == "failed"}


def names(found: ReviewArtifact.Output, status: str) -> set[str]:
    return {check.name for check in found.checks if check.status == status}


@pytest.mark.parametrize("framing", ["wide", "full", "medium", "close"])
def test_a_good_picture_passes_everything(shelf: Shelf, framing: Any) -> None:
    shot = two_shot(framing=framing)
    if framing == "close":
        shot = two_shot(framing=framing, placements=[Placement(character="luca", x=0.5)])
    found = review(shelf, put_image(shelf, "still", shot), shot, expect_size=SIZE)
    assert failed(found) == {}
    assert (found.score, found.passed) == (1.0, True)


def test_what_needs_a_model_is_listed_and_does_not_count(shelf: Shelf) -> None:
    shot = two_shot()
    found = review(shelf, put_image(shelf, "still", shot), shot)
    assert names(found, "not_run") == {"identity.luca", "identity.alberto", "meaning"}
    assert all("needs" in check.detail and check.score is None for check in found.checks if check.status == "not_run")


def test_every_measured_check_tells_value_and_limit(shelf: Shelf) -> None:
    shot = two_shot()
    found = review(shelf, put_image(shelf, "still", shot), shot)
    assert {check.name.partition(".")[0] for check in found.checks} == {
        "readable", "size", "not_blank", "exposure", "clipping", "sharpness", "maps", "on_stage", "in_frame",
        "face_in_frame", "face_clear", "face_contrast", "visible", "not_hidden", "keypoints", "order", "identity",
            "meaning",
    }  # fmt: skip
    assert all(check.detail for check in found.checks)


def test_a_blank_picture(shelf: Shelf) -> None:
    shot = two_shot()
    blank = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    found = review(shelf, put_image(shelf, "still", shot, picture=blank), shot)
    assert {"not_blank", "sharpness"} <= failed(found).keys()
    assert failed(found)["not_blank"].fix == {"seed": 1}
    assert not found.passed


def test_a_black_picture(shelf: Shelf) -> None:
    shot = two_shot()
    black = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    found = review(shelf, put_image(shelf, "still", shot, picture=black), shot)
    assert {"not_blank", "exposure", "clipping"} <= failed(found).keys()
    assert float(failed(found)["exposure"].fix["exposure"]) > 1


@pytest.mark.parametrize(("exposure", "wanted"), [(0.25, 1), (3.0, -1)])
def test_a_picture_too_dark_or_too_bright(shelf: Shelf, exposure: float, wanted: int) -> None:
    shot = two_shot()
    painted, _, _ = draw_stage(shot, StageAdjustment())
    picture = (painted * exposure).clip(0, 255).astype(np.uint8)
    found = review(shelf, put_image(shelf, "still", shot, picture=picture), shot)
    fix = float(failed(found)["exposure"].fix["exposure"])
    assert (fix - 1) * wanted > 0


def test_night_may_be_as_dark_as_day_may_not(shelf: Shelf) -> None:
    night = two_shot(time_of_day="night")
    picture, _, _ = draw_stage(night, StageAdjustment())
    assert failed(review(shelf, put_image(shelf, "night", night, picture=picture), night)) == {}
    assert "exposure" in failed(review(shelf, put_image(shelf, "day", two_shot(), picture=picture), two_shot()))


def test_a_blurred_picture(shelf: Shelf) -> None:
    from scipy.ndimage import gaussian_filter

    shot = two_shot()
    painted, _, _ = draw_stage(shot, StageAdjustment())
    blurred = gaussian_filter(painted, (4, 4, 0))
    assert "sharpness" in failed(review(shelf, put_image(shelf, "still", shot, picture=blurred), shot))


def test_a_picture_of_another_size(shelf: Shelf) -> None:
    shot = two_shot()
    found = review(shelf, put_image(shelf, "still", shot), shot, expect_size=(1280, 720))
    assert "480x270" in failed(found)["size"].detail


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 64])
def test_a_file_that_is_no_picture(shelf: Shelf, data: bytes) -> None:
    shot = two_shot()
    found = review(shelf, _replaced(shelf, shot, data), shot)
    assert failed(found).keys() == {"readable"}
    assert not found.passed


def test_a_torn_picture(shelf: Shelf) -> None:
    shot = two_shot()
    ref = put_image(shelf, "whole", shot)
    whole = (shelf.paths[ref.key] / "still.png").read_bytes()
    found = review(shelf, _replaced(shelf, shot, whole[: len(whole) // 2]), shot)
    assert "torn" in failed(found)["readable"].detail


def test_a_picture_that_claims_to_be_huge_is_not_decoded(shelf: Shelf) -> None:
    shot = two_shot()
    ref = put_image(shelf, "whole", shot)
    data = bytearray((shelf.paths[ref.key] / "still.png").read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    found = review(shelf, _replaced(shelf, shot, bytes(data)), shot)
    assert "60000x60000" in failed(found)["readable"].detail


def _replaced(shelf: Shelf, shot: Shot, data: bytes) -> ArtifactRef:
    """A picture whose file holds other bytes, and a record that agrees with them."""
    from tools.artifact import Artifact

    ref = put_image(shelf, "broken", shot)
    folder = shelf.paths[ref.key]
    output = Artifact.open(folder).output
    (folder / "still.png").write_bytes(data)
    (folder / "artifact.json").unlink()
    from tools.image.tool import GenerateImage

    return shelf.store("broken", "generate_image", folder, GenerateImage.Output.model_validate(output), {})


# The stage -----------------------------------------------------------------------------------------------------


def test_a_character_who_is_missing(shelf: Shelf) -> None:
    shot = two_shot()
    alone = two_shot(placements=[shot.placements[0]])
    found = review(shelf, put_image(shelf, "still", alone), shot)
    assert failed(found).keys() == {"on_stage.alberto"}
    assert "Alberto is not in the picture" in failed(found)["on_stage.alberto"].detail


def test_a_character_too_small_to_see(shelf: Shelf) -> None:
    shot = two_shot(framing="close", placements=[Placement(character="luca")])
    tiny = two_shot(framing="wide", placements=[Placement(character="luca")])
    found = review(shelf, put_image(shelf, "still", tiny, StageAdjustment(zoom=0.5)), shot)
    assert float(failed(found)["on_stage.luca"].fix["zoom"]) > 1


@pytest.mark.parametrize(("x", "sign"), [(0.0, 1), (1.0, -1)])
def test_a_character_cut_off_at_the_side_is_moved_in(shelf: Shelf, x: float, sign: int) -> None:
    shot = two_shot(framing="medium", placements=[Placement(character="luca", x=x)])
    found = review(shelf, put_image(shelf, "still", shot), shot)
    check = failed(found)["face_in_frame.luca"]
    assert float(check.fix["dx.luca"]) * sign > 0
    assert "past the left edge" in check.detail or "past the right edge" in check.detail


def test_a_head_above_the_frame_moves_the_camera_up(shelf: Shelf) -> None:
    shot = two_shot(framing="medium", placements=[Placement(character="luca")])
    found = review(shelf, put_image(shelf, "still", shot, StageAdjustment(dy=-0.4)), shot)
    assert float(failed(found)["face_in_frame.luca"].fix["dy"]) > 0


def test_a_face_larger_than_the_frame_widens_the_picture(shelf: Shelf) -> None:
    shot = two_shot(framing="close", placements=[Placement(character="luca")])
    found = review(shelf, put_image(shelf, "still", shot, StageAdjustment(zoom=2.0)), shot)
    assert float(failed(found)["face_in_frame.luca"].fix["zoom"]) < 1


def test_feet_cut_off_in_a_full_shot(shelf: Shelf) -> None:
    shot = two_shot()
    found = review(shelf, put_image(shelf, "still", two_shot(framing="medium")), shot)
    assert {"in_frame.luca", "in_frame.alberto"} <= failed(found).keys()


def test_two_characters_on_the_same_spot(shelf: Shelf) -> None:
    placements = [Placement(character="luca", x=0.5), Placement(character="alberto", x=0.5, depth=0.4)]
    shot = two_shot(placements=placements)
    found = review(shelf, put_image(shelf, "still", shot), shot)
    check = failed(found)["not_hidden.alberto"]
    assert "Luca hides" in check.detail
    assert float(check.fix["dx.alberto"]) * float(check.fix["dx.luca"]) < 0
    assert "visible.alberto" in failed(found)


def test_a_face_behind_somebody(shelf: Shelf) -> None:
    placements = [Placement(character="luca", x=0.5, depth=0.0), Placement(character="alberto", x=0.54, depth=0.05)]
    shot = two_shot(placements=placements)
    found = review(shelf, put_image(shelf, "still", shot), shot)
    check = failed(found)["face_clear.alberto"]
    assert "(by Luca)" in check.detail
    assert float(check.fix["dx.alberto"]) > 0 > float(check.fix["dx.luca"])


def test_characters_who_changed_places(shelf: Shelf) -> None:
    shot = two_shot()
    swapped = two_shot(placements=[Placement(character="luca", x=0.67), Placement(character="alberto", x=0.33)])
    found = review(shelf, put_image(shelf, "still", swapped), shot)
    assert failed(found).keys() == {"order"}
    assert "Luca should stand left of Alberto" in failed(found)["order"].detail


def test_keypoints_beside_the_mask(shelf: Shelf) -> None:
    shot = two_shot()
    _, _, seen = draw_stage(shot, StageAdjustment())
    seen["luca"] = seen["luca"].model_copy(update={"keypoints": [(5.0, 5.0, 1.0)] * 18})
    assert failed(review(shelf, put_image(shelf, "still", shot, on_stage=seen), shot)).keys() == {"keypoints.luca"}


def test_nobody_asked_for_and_nobody_there(shelf: Shelf) -> None:
    empty = Shot(id="s1", framing="wide")
    found = review(shelf, put_image(shelf, "still", empty), empty)
    assert failed(found) == {}
    assert not any("." in check.name for check in found.checks)


# The maps ------------------------------------------------------------------------------------------------------


def _ramps(size: tuple[int, int]) -> dict[str, np.ndarray]:
    ramp = np.ascontiguousarray(np.broadcast_to(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], size[0])))
    return dict.fromkeys(KINDS, ramp)


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        ({k: v for k, v in _ramps(SIZE).items() if k != "canny"}, "canny is missing"),
        (_ramps(SIZE) | {"depth": np.zeros((SIZE[1], SIZE[0]), np.uint8)}, "depth is blank"),
        (_ramps(SIZE) | {"line": _ramps((100, 50))["line"]}, "line is 100x50"),
    ],
)
def test_maps_missing_blank_or_of_another_size(shelf: Shelf, broken: dict[str, Any], word: str) -> None:
    shot = two_shot()
    found = review(shelf, put_image(shelf, "still", shot, maps=broken), shot)
    assert word in failed(found)["maps"].detail


def test_masks_that_share_pixels(shelf: Shelf) -> None:
    shot = two_shot()
    _, masks, _ = draw_stage(shot, StageAdjustment())
    masks["luca"] = np.maximum(masks["luca"], masks["alberto"])
    found = review(shelf, put_image(shelf, "still", shot, masks=masks), shot)
    assert "belong to two characters" in failed(found)["maps"].detail


# The engine ----------------------------------------------------------------------------------------------------


def test_a_malformed_record_is_a_verdict_and_no_crash(shelf: Shelf) -> None:
    import json

    shot = two_shot()
    ref = put_image(shelf, "still", shot)
    path = shelf.paths[ref.key] / "artifact.json"
    record = json.loads(path.read_text())
    del record["output"]["masks"]
    path.write_text(json.dumps(record))
    found = review(shelf, ref, shot)
    assert "masks" in failed(found)["readable"].detail
    assert found.score < 0.7


def test_a_subject_of_another_kind_is_refused(shelf: Shelf) -> None:
    shot = two_shot()
    ref = put_image(shelf, "still", shot)
    with pytest.raises(InvalidInput, match="generate_image makes nothing that is reviewed as film"):
        Measure().run(ReviewArtifact.Input(kind="film", subject=ref), shelf.context())
