"""Two people in one picture: each mask follows its own prompt."""

from __future__ import annotations

from typing import Any

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


def specific(studio: Studio, monkeypatch: pytest.MonkeyPatch, **rendering: object) -> dict[str, float]:
    """By who does something else: the change where Luca is, over the change where Alberto is.

    In the latents after one step: the norms and the attention of later layers spread every change over the picture.
    """
    from tools.image.sdxl import draw, regions
    from tools.layout.png import read_png

    seen: list[np.ndarray] = []
    decode = draw.decode

    def watched(vae: Any, latents: Any) -> np.ndarray:
        seen.append(latents.numpy().copy())
        return decode(vae, latents)

    monkeypatch.setattr(draw, "decode", watched)
    size = {"width": 192, "height": 192, "rendering": {"steps": 1, "scheduler": "euler", **rendering}}
    # As long as the other: a longer prompt takes one more window of tokens, which all prompts are then filled up to.
    happy = [{**one, "expression": "happy"} for one in TWO]
    studio.draw(asked(happy, **size))
    assert studio.output is not None
    masks = {name: read_png(studio.out / mask)[..., 0] for name, mask in studio.output.masks.items()}
    inside = {name: regions.latent_mask(mask, (24, 24), "cpu")[0, 0].numpy() > 0.9 for name, mask in masks.items()}
    assert all(mask.any() for mask in inside.values())
    ratios = {}
    for number, name in enumerate(("luca", "alberto")):
        people = [dict(one) for one in happy]
        people[number]["expression"] = "angry"
        studio.draw(asked(people, **size))
        changed = np.abs(seen[-1] - seen[0])[0].mean(axis=0)
        ratios[name] = float(changed[inside["luca"]].mean() / changed[inside["alberto"]].mean())
    return ratios


def test_each_mask_follows_its_own_prompt(larger: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change what one does: its own part changes, the other's hardly."""
    ratios = specific(larger, monkeypatch)
    assert ratios["luca"] > 3
    assert ratios["alberto"] < 1 / 3


def test_without_regions_who_changed_does_not_tell_where(larger: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: one prompt for all."""
    ratios = specific(larger, monkeypatch, regional=False)
    assert 1 / 3 < ratios["luca"] < 3
    assert 1 / 3 < ratios["alberto"] < 3
