"""What lies on a world's desk, and in its folder of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from evals.world.files import FileMade, lay_out, lay_out_own
from evals.world.model import World


def test_texts_of_the_own_folder_may_name_it_and_those_of_the_desk_do_not(tmp_path: Path) -> None:
    files = {"a/b.yaml": FileMade.model_validate("path: $OWN/x.png")}
    lay_out_own(tmp_path / "own", files)
    lay_out(tmp_path / "desk", files)
    assert (tmp_path / "own" / "a" / "b.yaml").read_text() == f"path: {tmp_path / 'own'}/x.png"
    assert (tmp_path / "desk" / "a" / "b.yaml").read_text() == "path: $OWN/x.png"


def test_what_is_there_stays(tmp_path: Path) -> None:
    lay_out(tmp_path, {"a.txt": FileMade(text="first")})
    lay_out(tmp_path, {"a.txt": FileMade(text="second")})
    assert (tmp_path / "a.txt").read_text() == "first"


def test_faces_of_one_pattern_are_alike_and_of_another_are_not(tmp_path: Path) -> None:
    lay_out(tmp_path, {"a.png": FileMade(face=3), "b.png": FileMade(face=3), "c.png": FileMade(face=4)})
    one, same, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert one == same != other


def test_a_tiny_lora_is_a_lora(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from tools.models import inspect_file

    lay_out(tmp_path, {"luca.safetensors": FileMade(tiny="lora")})
    assert inspect_file(tmp_path / "luca.safetensors").family.name == "lora"


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", ".hidden", "a//b", "a/b/c/d"])
def test_no_path_leaves_the_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        World.model_validate({"own": {name: "text"}})


def test_a_file_is_one_thing() -> None:
    with pytest.raises(ValueError, match="say one of"):
        FileMade(text="a", face=1)
    with pytest.raises(ValueError, match="say one of"):
        FileMade()
    with pytest.raises(ValueError, match="say one of"):
        FileMade(text=None)


def test_a_portrait_is_of_the_sheet_that_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from configs.own import OWN_VARIABLE
    from tools.layout.png import read_png

    sheet = """
        characters:
          - {id: luca, name: Luca, description: a boy, look: {species: human, age: child, gender: boy, skin: "%s"}}
    """
    colours = {}
    for name, skin in (("magenta", "#ff00ff"), ("grey", "#808080")):
        monkeypatch.setenv(OWN_VARIABLE, str(tmp_path / name))
        (tmp_path / name).mkdir()
        files = {"luca.png": FileMade(portrait="luca"), "characters.yaml": FileMade(text=sheet % skin)}
        lay_out_own(tmp_path / name, files)
        colours[name] = read_png(tmp_path / name / "luca.png")[240:400, 240:400].mean(axis=(0, 1))
    red, green, blue = colours["magenta"] - colours["grey"]
    assert red > 10
    assert blue > 10
    assert green < -10
