"""What artists edit: whole, and strict about slips."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.layout.rig import packs, schema
from tools.storyboard import Look


def values(field: str) -> list[str]:
    annotation = Look.model_fields[field].annotation
    found = [v for part in get_args(annotation) for v in (get_args(part) or (part,))]
    return [v for v in found if isinstance(v, str)]


def test_every_field_of_a_look_has_its_sheet() -> None:
    for style in values("hair"):
        assert packs.hair(style).ear
    assert set(packs.outfits().tops) == set(values("top"))
    assert set(packs.outfits().bottoms) == set(values("bottom"))
    assert set(packs.species().species) == set(values("species"))
    assert set(packs.measures().ages) == set(values("age"))
    assert set(packs.measures().builds) == set(values("build"))


def test_the_draw_takes_only_from_colours_that_exist() -> None:
    colours = packs.colours()
    tables = {"skin": colours.skin, "eyes": colours.eyes, "cloth": colours.cloth, "shoes": colours.cloth}
    for name, options in colours.open.items():
        stem = name.split("_")[0]
        table = tables.get(stem) or getattr(colours, stem, colours.eyes)
        for option in options:
            assert option.startswith("#") or option in table or option in colours.cloth, (name, option)


def test_the_poses_people_ask_for_are_there() -> None:
    asked = (
        "stand wave hands_on_hips walk run jump sit crouch point talk cheer think dance lie swim hold look_up shiver"
    )
    assert set(asked.split()) <= set(packs.poses().poses)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("poses:\n  stand:\n    body: {lean: [1, 2]}\n    head: {tlit: 3}\n", 4, "tlit"),
        ("poses:\n  stand:\n    left: {upper: [1, 2, 3]}\n", 3, "upper"),
        ("poses:\n  stand:\n    note: x\n    left: {hand: claw}\n", 4, "hand"),
        ("poses:\n  walk:\n    cycle:\n      - {at: 0.5}\n      - {at: 0.2}\n", 2, "in order"),
    ],
)
def test_a_slip_is_told_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = tmp_path / "poses.yaml"
    file.write_text(text)
    with pytest.raises(YamlProblem) as problem:
        load_yaml_model(file, schema.PosePack)
    assert problem.value.where == f"{file}:{line}"
    assert says in str(problem.value)


def test_a_face_missing_for_an_emotion_is_told(tmp_path: Path) -> None:
    file = tmp_path / "expressions.yaml"
    file.write_text("expressions:\n  happy: {}\n")
    with pytest.raises(YamlProblem, match=r"no face for .*angry"):
        load_yaml_model(file, schema.ExpressionPack)
