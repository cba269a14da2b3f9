"""Reference pictures: what is no picture is told with its shot and its name, before anything is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skia

from agent.toolbox import Toolbox
from configs.settings import Settings
from tools.base import Call
from tools.errors import InvalidInput
from tools.image.draft import DraftImage
from tools.image.references import check_pictures
from tools.image.tool import GenerateImage
from tools.storyboard import ControlImage, Shot
from tools.video.animatic import AnimaticShot
from tools.video.tool import AnimateShot

FORMATS = {"png": skia.kPNG, "jpg": skia.kJPEG, "webp": skia.kWEBP}


def picture(folder: Path, kind: str) -> Path:
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 4), dtype=np.uint8)
    path = folder / f"a.{kind}"
    skia.Image.fromarray(noise).save(str(path), FORMATS[kind])
    return path


def shot(path: Path) -> Shot:
    return Shot(id="third", control=[ControlImage(kind="depth", image=str(path))])


@pytest.mark.parametrize("kind", FORMATS)
def test_pictures_pass(tmp_path: Path, kind: str) -> None:
    check_pictures(shot(picture(tmp_path, kind)))


def broken(folder: Path, how: str) -> Path:
    whole = picture(folder, "png").read_bytes()
    path = folder / "broken.png"
    content = {
        "words": b"not a picture at all",
        "empty": b"",
        "its head alone": whole[:33],
        "half of it": whole[: len(whole) // 2],
        "a torn chunk": whole[:200] + b"x" * 8 + whole[208:],
    }
    if how in content:
        path.write_bytes(content[how])
    elif how == "a folder":
        path.mkdir()
    return path


HOW = ["words", "empty", "its head alone", "half of it", "a torn chunk", "a folder", "nothing"]


@pytest.mark.parametrize("how", HOW)
def test_what_is_no_picture_is_told_with_shot_and_file(tmp_path: Path, how: str) -> None:
    path = broken(tmp_path, how)
    with pytest.raises(InvalidInput) as told:
        check_pictures(shot(path))
    assert "shot third" in str(told.value)
    assert str(path) in str(told.value)


def test_the_engines_refuse_it_before_it_is_hashed(tmp_path: Path) -> None:
    path = broken(tmp_path, "words")
    for engine, tool in ((DraftImage(), GenerateImage), (AnimaticShot(), AnimateShot)):
        args = tool.Input.model_validate({"shot": shot(path), "cast": []})
        with pytest.raises(InvalidInput, match="shot third"):
            engine.fingerprint(args)  # type: ignore[arg-type]


def test_the_agent_refuses_it_before_a_folder_is_made(tmp_path: Path) -> None:
    toolbox = Toolbox(Settings(productions=tmp_path / "productions"))

    def calls(path: Path) -> list[Call]:
        args = {"shot": shot(path).model_dump(mode="json"), "cast": []}
        return [Call(id="still", tool="generate_image", args=args)]

    toolbox.check(calls(picture(tmp_path, "jpg")))
    with pytest.raises(InvalidInput, match=r"shot third.*is not a picture"):
        toolbox.check(calls(broken(tmp_path, "words")))
    assert not (tmp_path / "productions").exists()
