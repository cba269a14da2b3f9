"""LoRAs for LTX-Video: they change the film by their weight, and leave no trace, whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.video.filmed import Studio, asked, difference
from tools.errors import Cancelled, EngineFailed, InvalidInput, MissingPrerequisite
from tools.video.tool import AnimateShot

Make = Callable[..., Path]


def wearing(*files: tuple[Path, float]) -> AnimateShot.Input:
    return asked(filming={"loras": [{"file": str(file), "weight": weight} for file, weight in files]})


def state_of(studio: Studio) -> dict[str, tuple[int, float]]:
    transformer = studio.models["ltx_video"].transformer
    return {name: (one.data_ptr(), float(one.double().sum())) for name, one in transformer.state_dict().items()}


@pytest.mark.parametrize("comfy", [False, True])
def test_it_changes_the_film_by_its_weight_and_leaves_no_trace(
    studio: Studio, plain: np.ndarray, make_lora_file: Make, comfy: bool
) -> None:
    file = make_lora_file(comfy=comfy)
    before = state_of(studio)
    strong, weak = studio.film(wearing((file, 1.0))), studio.film(wearing((file, 0.2)))
    assert difference(strong, plain) > 1
    assert difference(weak, strong) > 1
    assert state_of(studio) == before
    assert np.array_equal(studio.film(), plain)
    assert np.array_equal(studio.film(wearing((file, 0.0))), plain), "weight 0 is none"


def test_both_ways_to_name_its_layers_are_the_same(studio: Studio, make_lora_file: Make) -> None:
    one, other = make_lora_file("a"), make_lora_file("b", comfy=True)
    assert np.array_equal(studio.film(wearing((one, 0.8))), studio.film(wearing((other, 0.8))))


def test_two_at_once(studio: Studio, make_lora_file: Make) -> None:
    one, two = make_lora_file("one", seed=4), make_lora_file("two", seed=5)
    one, two = one.rename(one.with_name("one.safetensors")), two.rename(two.with_name("two.safetensors"))
    both = studio.film(wearing((one, 0.5), (two, 0.5)))
    assert difference(both, studio.film(wearing((one, 0.5)))) > 0.5
    assert difference(both, studio.film(wearing((two, 0.5)))) > 0.5
    with pytest.raises(InvalidInput, match="twice"):
        studio.film(wearing((one, 0.5), (one, 0.7)))


def test_a_registered_one_is_worn_by_the_shots_it_is_for(
    studio: Studio, plain: np.ndarray, make_lora_file: Make
) -> None:
    entry = {"about": "soft", "kind": "style", "file": str(make_lora_file()), "weight": 0.7, "when": ["pixar_3d"]}
    studio.rules(ltx={"loras": {"soft": {**entry, "trigger": ["soft clay"]}}})
    assert difference(studio.film(), plain) > 1
    named = asked(filming={"loras": [{"name": "soft", "weight": 0.7}]})
    assert np.array_equal(studio.film(named), studio.film())
    assert "Soft clay" in studio.engine()._plan(asked()).prompt.text
    assert not studio.engine()._plan(asked(style="ink")).adapters


def test_one_that_does_not_come_off_is_an_error(
    studio: Studio, make_lora_file: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import diffusers

    unload = diffusers.LTXPipeline.unload_lora_weights
    monkeypatch.setattr(diffusers.LTXPipeline, "unload_lora_weights", lambda _self: None)
    with pytest.raises(EngineFailed, match="still on the model"):
        studio.film(wearing((make_lora_file(), 1.0)))
    model = studio.models["ltx_video"]
    unload(diffusers.LTXPipeline(model.scheduler, model.vae, None, None, model.transformer))


def test_after_a_stop_it_is_off(studio: Studio, plain: np.ndarray, make_lora_file: Make) -> None:
    before, told = state_of(studio), list[str]()
    with pytest.raises(Cancelled):
        studio.film(
            wearing((make_lora_file(), 1.0)), report=lambda _f, text: told.append(text),
            is_cancelled=lambda: "step 1 of 2" in told,
        )  # fmt: skip
    assert state_of(studio) == before
    assert np.array_equal(studio.film(), plain)


def _wrong_shape(file: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(str(file))
    save_file({name: one[:, :-1].contiguous() if "lora_A" in name else one for name, one in tensors.items()}, file)


def _pickled(file: Path) -> None:
    import torch

    torch.save({"weight": torch.zeros(4)}, file)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:3000])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _for_sdxl(file: Path) -> None:
    import torch
    from safetensors.torch import save_file

    key = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    save_file({f"{key}.lora_A.weight": torch.zeros(4, 2048), f"{key}.lora_B.weight": torch.zeros(640, 4)}, file)


def _no_lora(file: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"conv.weight": torch.zeros(4, 4)}, file)


@pytest.mark.parametrize("harm", [_wrong_shape, _pickled, _cut, _empty, _for_sdxl, _no_lora])
def test_a_file_that_does_not_fit_is_named_and_nothing_of_it_stays(
    studio: Studio, plain: np.ndarray, make_lora_file: Make, harm: Callable[[Path], Any]
) -> None:
    file = make_lora_file()
    harm(file)
    before = state_of(studio)
    with pytest.raises(InvalidInput, match=r"pytorch_lora_weights\.safetensors"):
        studio.film(wearing((file, 1.0)))
    assert state_of(studio) == before
    assert np.array_equal(studio.film(), plain)


def test_one_that_is_not_there_is_said(studio: Studio) -> None:
    with pytest.raises(MissingPrerequisite, match="nowhere"):
        studio.film(wearing((Path("/nowhere/x.safetensors"), 1.0)))
    with pytest.raises(InvalidInput, match="'clay'"):
        studio.film(asked(filming={"loras": [{"name": "clay"}]}))
