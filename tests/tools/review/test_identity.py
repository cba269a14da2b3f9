"""The judge takes in what `compare_faces` measured, and says plainly where it was not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.review.fabricate import Shelf
from tests.tools.review.paper_stage import put_image
from tests.tools.review.test_image import review, two_shot
from tools.base import ArtifactRef
from tools.errors import InvalidInput
from tools.identity.tool import CompareFaces, FaceMatch, PictureFaces
from tools.review.tool import Check, ReviewArtifact


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def put_faces(shelf: Shelf, still: ArtifactRef, luca: float | None, key: str = "") -> ArtifactRef:
    status = "no_face" if luca is None else "passed" if luca >= 0.65 else "failed"
    match = FaceMatch(status=status, similarity=luca, threshold=0.65, detail=f"luca: {status}")  # type: ignore[arg-type]
    picture = PictureFaces(call=still.call, key=key or still.key, faces={"luca": match}, passed=status != "failed")
    output = CompareFaces.Output(pictures=[picture], ranking=[0], kept=[])
    return shelf.store(f"{still.call}.faces", "compare_faces", shelf.folder(f"{still.call}.faces"), output, {})


def identity(found: ReviewArtifact.Output) -> dict[str, Check]:
    return {check.name: check for check in found.checks if check.name.startswith("identity")}


def test_a_likeness_passes_and_a_stranger_fails_hard(shelf: Shelf) -> None:
    shot = two_shot()
    still = put_image(shelf, "still", shot)
    plain = review(shelf, still, shot)
    good = review(shelf, still, shot, faces=put_faces(shelf, still, 0.8))
    assert identity(good)["identity.luca"].status == "passed"
    assert identity(good)["identity.alberto"].status == "not_run"
    assert good.score == plain.score
    other = put_image(shelf, "other", shot)
    bad = review(shelf, other, shot, faces=put_faces(shelf, other, 0.2))
    assert identity(bad)["identity.luca"].status == "failed"
    assert identity(bad)["identity.luca"].fix == {"take": 1}
    assert not bad.passed


def test_a_face_that_was_not_found_is_not_run_and_says_so(shelf: Shelf) -> None:
    shot = two_shot()
    still = put_image(shelf, "still", shot)
    found = identity(review(shelf, still, shot, faces=put_faces(shelf, still, None)))
    assert (found["identity.luca"].status, found["identity.luca"].detail) == ("not_run", "luca: no_face")
    assert "studio models path arcface" in found["identity.alberto"].detail


def test_a_comparison_of_another_picture_is_refused(shelf: Shelf) -> None:
    shot = two_shot()
    still = put_image(shelf, "still", shot)
    with pytest.raises(InvalidInput, match="other pictures"):
        review(shelf, still, shot, faces=put_faces(shelf, still, 0.8, key="f" * 40))
    with pytest.raises(InvalidInput, match="compares no faces"):
        review(shelf, still, shot, faces=still)
