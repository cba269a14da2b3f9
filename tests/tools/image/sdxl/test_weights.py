"""Checkpoints as users have them: folders and single files; what is broken is named before it is loaded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.image.sdxl.conftest import Studio, asked
from tools.errors import InvalidInput, MissingPrerequisite, ToolError
from tools.model import Placing, Weights


@pytest.fixture(scope="module")
def single_file(base: Path) -> Path:
    from evals.checkpoints.sdxl import make_single_file

    return built(make_single_file, base=base)


def test_a_single_file_draws_the_very_same_picture(
    studio: Studio, single_file: Path, plain_picture: np.ndarray
) -> None:
    from tools.image.sdxl.weights import SdxlCheckpoint

    weights = SdxlCheckpoint()
    weights.check(str(single_file))
    studio.models["sdxl_base"] = weights.load(str(single_file), Placing())
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_a_folder_of_fp16_files_alone_is_read_as_it_was_pulled(base: Path, tmp_path: Path) -> None:
    from tools.image.sdxl.weights import SdxlCheckpoint

    folder = tmp_path / "pulled"
    shutil.copytree(base, folder)
    for file in folder.rglob("*.safetensors"):
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    weights = SdxlCheckpoint()
    weights.check(str(folder))
    assert weights.load(str(folder), Placing()).unet.config.sample_size == 8


def test_the_vae_stays_in_float32_and_the_rest_is_as_asked(
    base: Path, plain_picture: np.ndarray, studio: Studio
) -> None:
    import torch

    from tools.image.sdxl.weights import SdxlCheckpoint

    weights = SdxlCheckpoint()
    pipeline = weights.load(str(base), Placing(dtype="bf16"))
    assert {str(part): module.dtype for part, module in weights.modules().items()} == {
        "unet": torch.bfloat16, "vae": torch.float32, "text_encoder": torch.bfloat16, "text_encoder_2": torch.bfloat16,
    }  # fmt: skip
    studio.models["sdxl_base"] = pipeline
    picture = studio.draw(asked(), placing=Placing(dtype="bf16"))
    assert 0 < np.abs(picture - plain_picture).mean() < 12
    assert pipeline.vae.dtype == torch.float32
    weights.unload()


def test_every_tensor_may_live_in_a_slab(base: Path) -> None:
    """The runtime packs the modules and moves them as one block; the picture does not change by it."""
    import torch

    from tools.image.sdxl.weights import SdxlCheckpoint
    from tools.runtime.residency.slab import Slab

    weights = SdxlCheckpoint()
    weights.load(str(base), Placing())
    before = {
        f"{part}.{name}": tensor.clone()
        for part, module in weights.modules().items() for name, tensor in module.state_dict().items()
    }  # fmt: skip
    slab = Slab(weights.modules(), "cpu")
    slab.load()
    slab.evict()
    slab.load()
    for part, module in weights.modules().items():
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, before[f"{part}.{name}"])
    slab.close()


@pytest.mark.parametrize("way", ["group", "sequential"])
def test_streamed_weights_draw_the_same_also_with_a_lora(
    studio: Studio,
    base: Path,
    plain_picture: np.ndarray,
    make_lora_file: Callable[..., Path],
    way: Literal["group", "sequential"],
) -> None:
    """The hooks that stream them see every use of the parts; here they stream from the host to the host."""
    from tools.image.sdxl.weights import SdxlCheckpoint
    from tools.models.streaming import stream

    worn = asked(rendering={"loras": [{"file": str(make_lora_file(text=True)), "weight": 1.0}]})
    resident = studio.draw(worn)
    weights = SdxlCheckpoint()
    studio.models["sdxl_base"] = weights.load(str(base), Placing())
    stream(weights.modules(), Placing(offload=way), ("unet",))
    assert np.array_equal(studio.draw(asked()), plain_picture)
    assert np.array_equal(studio.draw(worn), resident)
    assert np.abs(studio.draw(asked(), placing=Placing(sliced=True, tiled=True)) - plain_picture).max() <= 2


def test_a_lora_is_worn_in_the_models_own_dtype(
    studio: Studio, base: Path, make_lora_file: Callable[..., Path]
) -> None:
    from tools.image.sdxl.weights import SdxlCheckpoint

    studio.models["sdxl_base"] = SdxlCheckpoint().load(str(base), Placing(dtype="bf16"))
    bare = studio.draw(asked(), placing=Placing(dtype="bf16"))
    worn = asked(rendering={"loras": [{"file": str(make_lora_file(text=True)), "weight": 1.0}]})
    assert np.abs(studio.draw(worn, placing=Placing(dtype="bf16")) - bare).mean() > 1
    assert np.array_equal(studio.draw(asked(), placing=Placing(dtype="bf16")), bare)


def _truncated(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def _empty(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")


def _pickled(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.rename(file.with_suffix(".bin"))


def _no_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def _wrong_width(folder: Path) -> None:
    config = folder / "unet" / "config.json"
    config.write_text(config.read_text().replace('"cross_attention_dim": 192', '"cross_attention_dim": 128'))


def _disguised(folder: Path) -> None:
    import torch

    torch.save({"weight": torch.zeros(4)}, folder / "unet" / "diffusion_pytorch_model.safetensors")


def _large_header(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes((2**40).to_bytes(8, "little") + b"{" + bytes(1000))


def _other_model(folder: Path) -> None:
    shutil.copy(folder / "vae" / "diffusion_pytorch_model.safetensors", folder / "unet")


def _missing_part(folder: Path) -> None:
    shutil.rmtree(folder / "text_encoder_2")


def _remote_code(folder: Path) -> None:
    import json

    config = folder / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "auto_map": {"AutoModel": "evil.py--Evil"}}))


def _read(weights: Weights, folder: Path) -> None:
    weights.check(str(folder))
    weights.load(str(folder), Placing())


@pytest.mark.parametrize(
    "harm",
    [_truncated, _empty, _pickled, _disguised, _large_header, _other_model, _missing_part, _remote_code, _no_index,
     _wrong_width],
)  # fmt: skip
def test_a_broken_folder_is_named(base: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    from tools.image.sdxl.weights import SdxlCheckpoint

    folder = tmp_path / "broken-sdxl"
    shutil.copytree(base, folder)
    harm(folder)
    weights = SdxlCheckpoint()
    with pytest.raises(ToolError, match="broken-sdxl"):
        _read(weights, folder)
    assert not weights.modules(), "nothing of it stays"


def test_a_single_file_of_something_else_is_refused(tmp_path: Path, single_file: Path) -> None:
    from safetensors.torch import load_file, save_file

    from evals.checkpoints.sdxl import make_lora
    from tools.image.sdxl.weights import SdxlCheckpoint

    with pytest.raises(InvalidInput, match="LoRA"):
        SdxlCheckpoint().check(str(make_lora(tmp_path)))
    disguised = tmp_path / "model.safetensors"
    disguised.write_bytes(b"\x80\x04\x95" + b"x" * 100)
    with pytest.raises(InvalidInput, match=r"model\.safetensors"):
        SdxlCheckpoint().check(str(disguised))
    lonely = tmp_path / "lonely.safetensors"
    tensors = load_file(str(single_file))
    save_file(tensors, str(lonely))
    with pytest.raises(MissingPrerequisite, match="tokenizers"):
        SdxlCheckpoint().check(str(lonely))
    holes = tmp_path / "holes.safetensors"
    key = "conditioner.embedders.1.model.text_projection"
    save_file({name: tensor for name, tensor in tensors.items() if name != key}, str(holes))
    shutil.copytree(single_file.with_suffix(""), tmp_path / "holes")
    with pytest.raises(InvalidInput, match=r"holes\.safetensors"):
        SdxlCheckpoint().load(str(holes), Placing())


def test_nothing_registered_names_the_command() -> None:
    from tools.image.sdxl.weights import SdxlCheckpoint

    with pytest.raises(MissingPrerequisite, match="studio models pull sdxl_base"):
        SdxlCheckpoint().check("")
    with pytest.raises(MissingPrerequisite, match="nowhere"):
        SdxlCheckpoint().check("/nowhere/sdxl")


def test_nothing_is_asked_of_the_network(base: Path, single_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    from tools.image.sdxl.weights import SdxlCheckpoint

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for source in (base, single_file):
        weights = SdxlCheckpoint()
        weights.check(str(source))
        weights.load(str(source), Placing())
