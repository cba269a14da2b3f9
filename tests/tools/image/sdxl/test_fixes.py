"""What the judge changes is seen in the picture: each way of painting otherwise, through the engine on a tiny SDXL."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.tools.image.sdxl.conftest import Studio, asked, difference
from tools.image.tool import GenerateImage
from tools.review.fixes import propose
from tools.review.verdict import holds

ALL = ("layout", "prompt", "repair", "controls", "likeness")
APART = [{"character": "luca", "x": 0.15}, {"character": "alberto", "x": 0.85}]


def changed(before: GenerateImage.Input, **lever: float | str) -> GenerateImage.Input:
    """The arguments of the attempt after one that failed so."""
    failed = holds("meaning_who.luca", False, "not him", fix={"amount": 2.0, **lever})
    fix = propose("image", before.model_dump(mode="json"), [failed], 1, levers=ALL, picture="s1.still.try1")
    assert fix is not None
    assert fix.seed_step == 0
    return GenerateImage.Input.model_validate(fix.args)


@pytest.mark.parametrize("lever", [{"emphasise": "who.luca"}, {"avoid_artefacts": ""}, {"more_alike": "luca"}])
def test_heavier_words_and_what_is_avoided_change_the_picture(
    studio: Studio, plain_picture: np.ndarray, lever: dict[str, str]
) -> None:
    assert difference(studio.draw(changed(asked(), **lever)), plain_picture) > 0.5


def test_one_character_is_drawn_anew_from_the_attempt_that_fell_short(larger: Studio) -> None:
    from tools.layout.png import read_png

    first = asked(APART, width=192, height=192)
    before = larger.draw(first)
    made, output = larger.out, larger.output
    assert output is not None
    artifact: Any = SimpleNamespace(output=output.model_dump(mode="json"), file=lambda name: made / name)
    again = changed(first, redraw="luca")
    assert again.rendering is not None
    assert again.rendering.start is not None
    picture = larger.draw(again, open_artifact=lambda _key: artifact)
    mask = read_png(made / output.masks["luca"])[..., 0] > 127
    other = read_png(made / output.masks["alberto"])[..., 0] > 127
    assert np.abs(picture - before)[mask].mean() > 3
    assert np.array_equal(picture[other], before[other]), "who was right stays as he was"


def test_controls_are_followed_more_or_less(studio: Studio, tmp_path: Path) -> None:
    from tools.image.sdxl.plan import make_plan

    def strengths(lever: str, scale: float = 1.0) -> list[float]:
        uses = [{"kind": "openpose", "strength": 0.8, "model": str(tmp_path)}]
        before = asked(rendering={"controls": uses, "control_scale": scale})
        return [one.strength for one in make_plan(changed(before, **{lever: ""}), paths=studio.paths).controls]

    assert strengths("follow_layout_more") == pytest.approx([0.992])
    assert strengths("follow_layout_less") == pytest.approx([0.608])
