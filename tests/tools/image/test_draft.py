"""The draft engine from outside: the files it promises, the same bytes in every process, unknown names."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.base import EngineContext
from tools.errors import Cancelled
from tools.image.draft import DraftImage
from tools.image.tool import GenerateImage
from tools.layout.png import read_png
from tools.storyboard import CastMember, Look, Placement, Shot

ROOT = Path(__file__).parents[3]
CAST = [
    CastMember(id="luca", name="Luca", known=True),
    CastMember(id="alberto", name="Alberto", known=True),
    CastMember(id="nonna", name="Nonna", known=False, look=Look(description="an old woman", age="elder", hair="bun")),
]
TWO = [
    Placement(character="luca", pose="wave", expression="happy", facing="right", x=0.36),
    Placement(character="alberto", x=0.64, facing="left"),
]


def asked(**changes: object) -> GenerateImage.Input:
    shot = {"id": "s1", "time_of_day": "sunset", "placements": TWO}
    shot.update({k: changes.pop(k) for k in list(changes) if k in Shot.model_fields})
    return GenerateImage.Input.model_validate({"shot": shot, "cast": CAST, "width": 480, "height": 270, **changes})


def draw(out: Path, args: GenerateImage.Input, seed: int = 3) -> GenerateImage.Output:
    out.mkdir(parents=True, exist_ok=True)
    engine = DraftImage()
    engine.load()

    def no_artifact(key: str) -> None:
        raise AssertionError(key)

    return engine.run(args, EngineContext(out=out, seed=seed, open_artifact=no_artifact))  # type: ignore[arg-type]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_every_file_is_there_in_the_size_asked_for(tmp_path: Path) -> None:
    output = draw(tmp_path, asked())
    assert set(output.maps) == {"depth", "line", "canny", "openpose", "segmentation"}
    assert set(output.masks) == set(output.on_stage) == {"luca", "alberto"}
    names = {output.image, *output.masks.values(), *output.maps.values()}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        assert read_png(tmp_path / name).shape == (270, 480, 3)
    assert (output.width, output.height, output.location, output.notes) == (480, 270, "beach", [])
    for stage in output.on_stage.values():
        assert stage.visible > 0.9
        assert stage.in_frame == 1.0


def test_masks_of_the_files_are_disjoint_and_hold_the_keypoints(tmp_path: Path) -> None:
    output = draw(tmp_path, asked())
    masks = {name: read_png(tmp_path / file)[..., 0] > 127 for name, file in output.masks.items()}
    assert not (masks["luca"] & masks["alberto"]).any()
    for name, stage in output.on_stage.items():
        shown = [(int(x), int(y)) for x, y, visible in stage.keypoints if visible]
        assert len(shown) >= 14
        for x, y in shown:
            assert masks[name][max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].any()
        x0, y0, x1, y1 = stage.face
        assert 0 <= x0 < x1 <= 480
        assert 0 <= y0 < y1 <= 270


def test_the_same_call_gives_the_same_bytes_here_and_in_another_process(tmp_path: Path) -> None:
    args = asked(weather="rain", text_overlay="Ciao")
    draw(tmp_path / "a", args)
    draw(tmp_path / "b", args)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.tools.image.test_draft import draw\n"
        "from tools.image.tool import GenerateImage\n"
        "draw(Path(sys.argv[1]), GenerateImage.Input.model_validate_json(sys.argv[2]))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "c"), args.model_dump_json()],
        cwd=ROOT,
        check=True,
        env={"PYTHONHASHSEED": "77", "PATH": ""},
    )
    assert digests(tmp_path / "a") == digests(tmp_path / "c")


def test_words_are_in_the_picture_and_in_no_map(tmp_path: Path) -> None:
    draw(tmp_path / "bare", asked())
    draw(tmp_path / "titled", asked(text_overlay="SILENZIO, BRUNO!"))
    bare, titled = digests(tmp_path / "bare"), digests(tmp_path / "titled")
    plain = bare.pop("still.png")
    assert plain != titled.pop("still.png")
    assert titled.pop("plain.png") == plain, "what sets it in motion finds it without its title"
    assert bare == titled


def test_only_the_maps_asked_for_are_made(tmp_path: Path) -> None:
    output = draw(tmp_path, asked(maps=["depth"]))
    assert list(output.maps) == ["depth"]
    assert len(list(tmp_path.iterdir())) == 1 + 2 + 1


def test_unknown_names_are_noted_and_never_an_error(tmp_path: Path) -> None:
    people = [Placement(character="nonna", pose="waveing"), Placement(character="ghost", x=0.8)]
    output = draw(tmp_path, asked(location="beech", placements=people, maps=[]))
    assert output.location == "beach"
    assert len(output.notes) >= 3


@pytest.mark.parametrize("size", [(1280, 720), (270, 480), (64, 64), (333, 101)])
def test_any_size_is_drawn_and_shows_the_faces(tmp_path: Path, size: tuple[int, int]) -> None:
    output = draw(tmp_path, asked(width=size[0], height=size[1], framing="close", maps=["openpose"]))
    for stage in output.on_stage.values():
        assert stage.face[0] >= 0
        assert stage.face[2] <= size[0]
        assert stage.face[1] >= 0
        assert stage.face[3] <= size[1]


def test_a_stage_without_anybody_is_drawn(tmp_path: Path) -> None:
    output = draw(tmp_path, asked(placements=[], framing="detail"))
    assert output.masks == {}
    assert read_png(tmp_path / output.maps["openpose"]).max() == 0
    assert read_png(tmp_path / output.image).std() > 10


def test_times_and_weathers_look_different(tmp_path: Path) -> None:
    means = {}
    for time in ("dawn", "day", "sunset", "night"):
        draw(tmp_path / time, asked(time_of_day=time, maps=[]))
        means[time] = read_png(tmp_path / time / "still.png").reshape(-1, 3).mean(axis=0)
    assert means["night"].mean() < means["day"].mean() - 30
    assert means["sunset"][0] - means["sunset"][2] > means["day"][0] - means["day"][2] + 20
    assert np.abs(means["dawn"] - means["sunset"]).max() > 10


def test_a_cancelled_call_stops(tmp_path: Path) -> None:
    engine = DraftImage()
    context = EngineContext(out=tmp_path, seed=1, open_artifact=lambda _: None, is_cancelled=lambda: True)  # type: ignore[arg-type, return-value]
    with pytest.raises(Cancelled):
        engine.run(asked(), context)


def test_the_fingerprint_follows_the_packs(tmp_path: Path) -> None:
    from tools.layout.digest import PACKS, pack_digest

    assert DraftImage().fingerprint(asked()) == pack_digest()
    (tmp_path / "a.yaml").write_text("x: 1")
    before = pack_digest(tmp_path)
    (tmp_path / "a.yaml").write_text("x: 2")
    assert pack_digest(tmp_path) != before
    assert pack_digest(PACKS) == pack_digest(PACKS)
