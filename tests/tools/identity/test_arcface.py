"""Faces are found, told apart, given to their characters by the masks, and held against their thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.identity.stills import put_still, write_portrait
from tests.tools.review.fabricate import Shelf
from tools.base import ArtifactRef
from tools.errors import Cancelled, InvalidInput
from tools.identity.arcface import ArcFace, likeness
from tools.identity.tool import CompareFaces

LEFT, RIGHT = (144, 176), (464, 176)
BOTH = {"luca": (0, 320), "alberto": (320, 640)}
LUCA, ALBERTO = 1, 2


def compare(
    engine: ArcFace, shelf: Shelf, pictures: list[ArtifactRef], references: list[tuple[str, Path]], **more: Any
) -> CompareFaces.Output:
    args = CompareFaces.Input.model_validate(
        {
            "pictures": [ref.model_dump() for ref in pictures],
            "references": [{"character": who, "image": str(path)} for who, path in references],
            **more,
        }
    )
    return engine.run(args, shelf.context(f"faces{len(list(shelf.root.glob('out-faces*')))}"))


@pytest.fixture
def portraits(tmp_path: Path) -> list[tuple[str, Path]]:
    return [
        ("luca", write_portrait(tmp_path / "luca.png", LUCA)),
        ("alberto", write_portrait(tmp_path / "alberto.png", ALBERTO)),
    ]


def test_each_character_is_its_own_face(engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]]) -> None:
    still = put_still(shelf, "s1", BOTH, [(LEFT, LUCA, 4.0), (RIGHT, ALBERTO, 4.0)])
    (found,) = compare(engine, shelf, [still], portraits).pictures
    assert {name: match.status for name, match in found.faces.items()} == {"luca": "passed", "alberto": "passed"}
    luca = found.faces["luca"]
    assert luca.similarity is not None
    assert luca.similarity > 0.95
    assert luca.box == (80.0, 112.0, 208.0, 240.0)
    assert luca.threshold == 0.65
    assert luca.reference.endswith("luca.png")
    assert (found.passed, found.strangers) == (True, 0)


def test_faces_that_changed_places_fail(engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]]) -> None:
    still = put_still(shelf, "s1", BOTH, [(LEFT, ALBERTO, 0.0), (RIGHT, LUCA, 0.0)])
    (found,) = compare(engine, shelf, [still], portraits).pictures
    assert {match.status for match in found.faces.values()} == {"failed"}
    assert not found.passed
    assert found.margin is not None
    assert found.margin < 0


def test_of_several_references_the_best_counts_or_their_mean(
    engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]], tmp_path: Path
) -> None:
    still = put_still(shelf, "s1", {"luca": (0, 640)}, [(LEFT, LUCA, 0.0)])
    two = [portraits[0], ("luca", write_portrait(tmp_path / "other.png", 7))]
    best = compare(engine, shelf, [still], two).pictures[0].faces["luca"]
    mean = compare(engine, shelf, [still], two, rule="mean").pictures[0].faces["luca"]
    assert best.similarity is not None
    assert mean.similarity is not None
    assert best.similarity > 0.99 > mean.similarity > 0.5
    assert Path(best.reference).name == Path(mean.reference).name == "luca.png"
    alone = compare(engine, shelf, [still], two[1:]).pictures[0].faces["luca"]
    assert alone.status == "failed"


def test_a_batch_is_ranked_and_those_above_the_threshold_are_kept(
    engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]]
) -> None:
    stills = [
        put_still(shelf, "blank", {"luca": (0, 640)}, []),
        put_still(shelf, "noisy", {"luca": (0, 640)}, [(LEFT, LUCA, 40.0)]),
        put_still(shelf, "someone", {"luca": (0, 640)}, [(LEFT, 9, 0.0)]),
        put_still(shelf, "clean", {"luca": (0, 640)}, [(LEFT, LUCA, 0.0)]),
    ]
    found = compare(engine, shelf, stills, portraits[:1])
    assert [stills[number].call for number in found.ranking] == ["clean", "noisy", "someone", "blank"]
    assert [stills[number].call for number in found.kept] == ["clean", "noisy"]
    strict = compare(engine, shelf, stills, portraits[:1], thresholds={"luca": 0.9999})
    assert [stills[number].call for number in strict.kept] == ["clean"]


def test_a_drawing_without_faces_is_told_and_not_failed(
    engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]]
) -> None:
    (found,) = compare(engine, shelf, [put_still(shelf, "draft", BOTH, [])], portraits).pictures
    assert {match.status for match in found.faces.values()} == {"no_face"}
    assert "none in the whole picture" in found.faces["luca"].detail
    assert (found.passed, found.margin) == (True, None)


def test_what_cannot_be_compared_says_why(
    engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]], tmp_path: Path
) -> None:
    still = put_still(shelf, "s1", BOTH, [(LEFT, LUCA, 0.0)], back=("alberto",))
    found = compare(engine, shelf, [still], portraits)
    assert found.pictures[0].faces["alberto"].detail == "not run: alberto is turned away"
    assert found.kept == [0]
    nobody = compare(engine, shelf, [still], [("luca", write_portrait(tmp_path / "no.png", None))])
    luca = nobody.pictures[0].faces["luca"]
    assert luca.detail == "not run: no reference picture has a face of luca"
    assert luca.similarity is None
    assert any("no.png" in note for note in nobody.notes)
    assert "no reference picture was given" in nobody.pictures[0].faces["alberto"].detail


def test_a_lone_characters_face_may_lie_beside_its_mask_and_a_crowds_may_not(
    engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]]
) -> None:
    alone = put_still(shelf, "alone", {"luca": (500, 640)}, [(LEFT, LUCA, 0.0)])
    two = put_still(shelf, "two", {"luca": (500, 560), "alberto": (560, 640)}, [(LEFT, LUCA, 0.0)])
    found = compare(engine, shelf, [alone, two], portraits).pictures
    assert found[0].faces["luca"].status == "passed"
    assert found[1].faces["luca"].status == "no_face"
    assert found[1].strangers == 1


def test_reference_embeddings_are_kept_by_the_content_of_the_file(
    engine: ArcFace, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = put_still(shelf, "s1", {"luca": (0, 640)}, [(LEFT, LUCA, 0.0)])
    path = write_portrait(tmp_path / "luca.png", LUCA)
    first = compare(engine, shelf, [still], [("luca", path)])
    looked: list[int] = []
    pack = engine.pack(shelf.context("pack"))
    real = pack.faces
    monkeypatch.setattr(pack, "faces", lambda picture: looked.append(1) or real(picture))
    copy = tmp_path / "copy.png"
    copy.write_bytes(path.read_bytes())
    assert compare(engine, shelf, [still], [("luca", copy)]).pictures[0].margin == first.pictures[0].margin
    assert len(looked) == 1, "the still alone"
    write_portrait(path, 9)
    assert compare(engine, shelf, [still], [("luca", path)]).pictures[0].faces["luca"].status == "failed"


def test_a_bad_reference_is_named(engine: ArcFace, shelf: Shelf, tmp_path: Path) -> None:
    still = put_still(shelf, "s1", {"luca": (0, 640)}, [])
    for name, data in {
        "empty.png": b"",
        "words.jpg": b"no picture",
        "torn.png": b"\x89PNG\r\n\x1a\n" + b"x" * 40,
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidInput, match=name):
            compare(engine, shelf, [still], [("luca", tmp_path / name)])
    with pytest.raises(InvalidInput, match="nowhere"):
        compare(engine, shelf, [still], [("luca", tmp_path / "nowhere.png")])


def test_a_stop_is_heard(engine: ArcFace, shelf: Shelf) -> None:
    still = put_still(shelf, "s1", {"luca": (0, 640)}, [])
    ctx = shelf.context("stopped")
    ctx.is_cancelled = lambda: True
    with pytest.raises(Cancelled):
        engine.run(CompareFaces.Input(pictures=[still]), ctx)


def test_the_same_call_gives_the_same_numbers(engine: ArcFace, shelf: Shelf, portraits: list[tuple[str, Path]]) -> None:
    still = put_still(shelf, "s1", BOTH, [(LEFT, LUCA, 9.0), (RIGHT, ALBERTO, 9.0)])
    assert compare(engine, shelf, [still], portraits) == compare(engine, shelf, [still], portraits)


def test_likeness_of_opposite_references_is_zero_in_the_mean() -> None:
    face = np.zeros(512)
    face[0] = 1.0
    assert likeness(face, {"a": face, "b": -face}, "mean")[0] == 0.0
    assert likeness(face, {"a": face, "b": -face}, "best") == (1.0, "a")
