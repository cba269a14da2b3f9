"""The cast's sheets: complete, unambiguous, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.characters import CHARACTERS_FILE, load_characters
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput
from tools.layout.casting import known_looks, look_of
from tools.storyboard import CastMember, Look


def test_the_three_are_as_the_user_gave_them() -> None:
    cast = load_characters()
    assert list(cast) == ["luca", "alberto", "giulia"]
    assert [c.name for c in cast.values()] == ["Luca Paguro", "Alberto Scorfano", "Giulia Marcovaldo"]
    assert [c.lora.weight for c in cast.values() if c.lora] == [0.85, 0.85, 0.80]
    assert [c.identity_threshold for c in cast.values()] == [0.65, 0.65, 0.60]


def test_looks_are_those_of_the_descriptions() -> None:
    looks = known_looks()
    assert (looks["luca"].eye_color, looks["luca"].hair, looks["luca"].top) == ("green", "tousled", "striped_tshirt")
    assert (looks["alberto"].eye_color, looks["alberto"].hair, looks["alberto"].top) == ("green", "curly", "tank_top")
    assert looks["giulia"].freckles
    assert looks["giulia"].gender == "girl"
    assert all(look.description for look in looks.values())


def broken(tmp_path: Path, old: str, new: str) -> Path:
    text = CHARACTERS_FILE.read_text()
    assert old in text
    path = tmp_path / "characters.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_bad_look_names_file_and_line(tmp_path: Path) -> None:
    path = broken(tmp_path, "hair: curly", "hair: mohawk")
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "mohawk" in text)
    with pytest.raises(InvalidInput, match=rf"characters\.yaml:{line}: look of alberto: hair"):
        known_looks(path)


def test_a_bad_sheet_names_file_and_line(tmp_path: Path) -> None:
    path = broken(tmp_path, "identity_threshold: 0.60", "identity_threshold: 3")
    with pytest.raises(YamlProblem, match=r"characters\.yaml:\d+.*identity_threshold"):
        load_characters(path)


def test_one_alias_cannot_mean_two(tmp_path: Path) -> None:
    path = broken(tmp_path, "aliases: [giulia,", "aliases: [luca,")
    with pytest.raises(YamlProblem, match="names both"):
        load_characters(path)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    import os

    path = broken(tmp_path, "Luca Paguro", "Luca P.")
    assert load_characters(path)["luca"].name == "Luca P."
    path.write_text(path.read_text().replace("Luca P.", "Luca Q."))
    os.utime(path, ns=(1, 1))
    assert load_characters(path)["luca"].name == "Luca Q."


def test_whose_look_counts() -> None:
    looks = known_looks()
    own = Look(hair="bald")
    assert look_of(CastMember(id="luca", name="Luca", known=True, look=own), looks) == (own, "")
    assert look_of(CastMember(id="luca", name="Luca", known=True), looks) == (looks["luca"], "")
    assert "Zed" in look_of(CastMember(id="zed", name="Zed", known=False), looks)[1]
