"""People as scripts and stories name them: titles, ages, capitals, strangers side by side, plurals with names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.planners.offline.test_cards import made

SCREENPLAY = (
    "INT. KITCHEN - NIGHT\n\nMARTA, 70, stirs a pot. Her grandson LEO (8) comes in.\n\n"
    "LEO\nThe boat is gone!\n\nMARTA\n(whispering)\nThe boat knows the way."
)


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        (
            "Two old sisters, Zsófia and Bözsi, argue at the market",
            dict.fromkeys(("Zsófia", "Bözsi"), ("elder", "girl")),
        ),
        (
            "Zsófia and Bözsi, two old sisters, argue at the market",
            dict.fromkeys(("Zsófia", "Bözsi"), ("elder", "girl")),
        ),
        ("due vecchie sorelle, Ada e Ines, litigano in cucina", dict.fromkeys(("Ada", "Ines"), ("elder", "girl"))),
        ("Kwame and Aiko build a snowman", dict.fromkeys(("Kwame", "Aiko"), ("child", "neutral"))),
        (
            'Mr. Smith and Mrs. Brown dance in the kitchen. Mr. Smith: "Shall we?"',
            {"Mr Smith": ("adult", "boy"), "Mrs Brown": ("adult", "girl")},
        ),
        ("a grumpy gardener named Mr. Oduya sings in the park", {"Mr Oduya": ("adult", "boy")}),
        (SCREENPLAY, {"Marta": ("elder", "girl"), "Leo": ("child", "boy")}),
    ],
)
def test_everyone_named_is_there_once_and_looks_as_told(text: str, looks: dict[str, Any]) -> None:
    cast = made(text).cast
    assert {m.name: (m.look.age, m.look.gender) for m in cast if m.look} == looks
    assert len(cast) == len(looks)


def test_plurals_that_name_others_leave_them_as_they_are() -> None:
    looks = {m.name: m.look for m in made("two old sisters greet Anna and Marco on the beach").cast}
    assert looks["Anna"] is not None
    assert looks["Anna"].age == "child"


def test_what_a_thing_does_is_nobodys_pose() -> None:
    shots = made("The empty boat floats in the fog. Leo runs along the quay.").shots
    assert {p.pose for shot in shots for p in shot.placements} == {"run"}
