"""An artist's YAML: what is read, and what is said when it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.layout.places.preview import render, scene
from tools.errors import InvalidInput
from tools.layout.places.place import PACK, load_place_file

GOOD = """\
name: a hill
aliases: [hilltop]
stage:
  horizon: 320
  near: 704
  back: 520
  sun: {dawn: [760, 200], day: [500, 80], sunset: [420, 290], night: [500, 100]}
palette:
  grass: "#6fae52"
layers:
  - name: sky
    parallax: 0
    depth: 1
    elements:
      - {brush: sky}
      - {brush: sun}
  - name: ground
    parallax: 1
    depth: 0.5
    elements:
      - {brush: turf, edge: {y: 480}, colors: [grass, "#4f8a3c"]}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hill.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_file_is_a_place(tmp_path: Path) -> None:
    place = load_place_file(write(tmp_path, GOOD))
    assert place.id == "hill"
    assert place.aliases == ["hilltop"]
    assert render(scene(place, "sunset", "clear"), width=160)[..., 3].min() == 255


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("{brush: sun}", "{brush: suns}", 17, "suns"),
        ("{brush: sky}", "{brush: sky, botom: 3}", 16, "botom"),
        ('"#6fae52"', '"green"', 10, "#rrggbb"),
        ("[grass,", "[gras,", 1, "gras"),
        ('"#4f8a3c"', '"#4f8a3"', 1, "#4f8a3"),
        ("parallax: 1\n", "parallax: fast\n", 19, "parallax"),
        ("back: 520", "back: 340", 3, "horizon"),
        (", night: [500, 100]", "", 3, "night"),
        ("brush: turf, edge: {y: 480}", "brush: turf", 22, "edge"),
        ("{brush: sun}", "{brush: prop, prop: ../../x, x: 1, y: 2, size: 3}", 17, "prop"),
        ("    depth: 1\n", "    depth: 1\n    clip: 'L0 0'\n", 12, "SVG path"),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidInput) as caught:
        load_place_file(write(tmp_path, GOOD.replace(old, new, 1)))
    message = str(caught.value)
    found = re.search(r"hill\.yaml:(\d+)", message)
    assert found, message
    assert abs(int(found[1]) - line) <= 1, message
    assert what in message


def test_a_prop_that_is_not_there_names_its_file(tmp_path: Path) -> None:
    text = GOOD.replace("{brush: sun}", "{brush: prop, prop: unicorn, x: 1, y: 2, size: 3}")
    with pytest.raises(InvalidInput, match=r"unicorn\.yaml"):
        load_place_file(write(tmp_path, text))


def test_the_example_of_the_readme_is_a_place(tmp_path: Path) -> None:
    readme = (PACK / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert example
    place = load_place_file(write(tmp_path, example[1]))
    assert render(scene(place, "night", "snow"), width=160)[..., 3].min() == 255


def test_the_readme_names_every_brush() -> None:
    from tools.layout.places.brushes import brush_names

    readme = (PACK / "README.md").read_text(encoding="utf-8")
    assert [name for name in brush_names() if f"`{name}`" not in readme] == []
