"""Two people in one picture: each mask follows its own prompt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.image.sdxl.conftest import TWO, Studio, asked, difference


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_weights_add_up_to_one_everywhere_also_where_people_overlap(a: int, b: int, c: int, d: int) -> None:
    pytest.importorskip("torch", reason="needs the models extra")
    from tools.image.sdxl.regions import region_weights

    masks = {name: np.zeros((64, 64), dtype=np.uint8) for name in "xy"}
    masks["x"][:, a : a + b] = 255
    masks["y"][c : c + d] = 255
    weights = region_weights(masks, (8, 8), "cpu")
    total = sum(weights.values())
    assert set(weights) == {"", "x", "y"}
    assert float((total - 1).abs().max()) < 1e-5  # type: ignore[union-attr]
    assert all(float(one.min()) >= -1e-6 for one in weights.values())


def test_regional_prompts_change_the_picture_and_can_be_left_out(studio: Studio) -> None:
    assert difference(studio.draw(asked(TWO)), studio.draw(asked(TWO, rendering={"regional": False}))) > 0.5


def test_each_mask_follows_its_own_prompt(studio: Studio) -> None:
    """Change what one does: its own part changes more than the other's, for both alike."""
    from tools.layout.png import read_png

    still = studio.draw(asked(TWO))
    assert studio.output is not None
    masks = {name: read_png(studio.out / mask)[..., 0] > 127 for name, mask in studio.output.masks.items()}
    ratios = {}
    for number, name in enumerate(("luca", "alberto")):
        people = [dict(one) for one in TWO]
        people[number]["expression"] = "surprised"
        changed = np.abs(studio.draw(asked(people)) - still)
        ratios[name] = float(changed[masks["luca"]].mean() / changed[masks["alberto"]].mean())
    assert ratios["luca"] > 1.5 * ratios["alberto"]


def test_without_regions_they_do_not(studio: Studio) -> None:
    """The broken twin: one prompt for all, and who changed cannot be told from where."""
    from tools.layout.png import read_png

    alone = {"rendering": {"regional": False}}
    still = studio.draw(asked(TWO, **alone))
    assert studio.output is not None
    masks = {name: read_png(studio.out / mask)[..., 0] > 127 for name, mask in studio.output.masks.items()}
    ratios = {}
    for number, name in enumerate(("luca", "alberto")):
        people = [dict(one) for one in TWO]
        people[number]["expression"] = "surprised"
        changed = np.abs(studio.draw(asked(people, **alone)) - still)
        ratios[name] = float(changed[masks["luca"]].mean() / changed[masks["alberto"]].mean())
    assert ratios["luca"] < 1.5 * ratios["alberto"]
