"""A checkpoint of each family with one tensor less, or one of another shape: refused, and the file and tensor named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from evals.checkpoints.build import built
from tools.errors import InvalidInput
from tools.model import Placing

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "diffusers", "transformers", "peft")),
    reason="needs the models extra",
)


@dataclass(frozen=True)
class Family:
    """One file of a checkpoint.

    Attributes:
        maker: of the checkpoint, in evals.checkpoints; `base` is given to those that are made of one.
        weights: the class that reads it, as configs/models.yaml names it.
        file: in the folder; empty where the checkpoint is one file.
        tensor: that is harmed; what the message must end its name with.
    """

    maker: str
    weights: str
    file: str
    tensor: str
    told: str = ""


_CLIP = "encoder.layers.1.self_attn.k_proj.bias"
_SDXL, _SEER = "tools.image.sdxl.weights:SdxlCheckpoint", "tools.image.reference"
_UNET, _MODEL = "diffusion_pytorch_model.safetensors", "model.safetensors"
FAMILIES = {
    "sdxl unet": Family("sdxl:base", _SDXL, f"unet/{_UNET}", "conv_in.weight"),
    "sdxl vae": Family("sdxl:base", _SDXL, f"vae/{_UNET}", "decoder.conv_in.bias"),
    "sdxl clip-l": Family("sdxl:base", _SDXL, f"text_encoder/{_MODEL}", _CLIP),
    "sdxl bigg": Family("sdxl:base", _SDXL, f"text_encoder_2/{_MODEL}", "text_projection.weight"),
    "refiner": Family(
        "sdxl:refiner", "tools.image.sdxl.weights:SdxlRefiner", f"text_encoder_2/{_MODEL}", _CLIP
    ),
    "sdxl file, unet": Family(
        "sdxl:single_file", _SDXL, "", "model.diffusion_model.input_blocks.0.0.bias", "conv_in.bias"
    ),
    "sdxl file, vae": Family(
        "sdxl:single_file", _SDXL, "", "first_stage_model.decoder.conv_in.bias", "decoder.conv_in.bias"
    ),
    "sdxl file, text": Family(
        "sdxl:single_file", _SDXL, "", f"conditioner.embedders.0.transformer.text_model.{_CLIP}", _CLIP
    ),
    "controlnet": Family(
        "sdxl:controlnet", "tools.image.sdxl.nets:SdxlControlNet", _UNET, "controlnet_mid_block.weight"
    ),
    "union": Family("sdxl:union", "tools.image.sdxl.nets:SdxlControlNet", _UNET, "task_embedding"),
    "image encoder": Family(
        "sdxl:ip_adapter", "tools.image.sdxl.reference_weights:SdxlImageEncoder", f"image_encoder/{_MODEL}",
        "visual_projection.weight",
    ),
    "vitpose": Family("pose:vitpose", f"{_SEER}.pose:VitPoseWeights", _MODEL, "backbone.layernorm.weight"),
    "rt-detr": Family("pose:person_detector", f"{_SEER}.pose:PersonDetectorWeights", _MODEL, "enc_output.0.weight"),
    "depth anything": Family(
        "depth:depth_anything", f"{_SEER}.depth:DepthAnythingWeights", _MODEL, "head.conv1.weight"
    ),
    "ltx transformer": Family("ltx:ltx", "tools.video.ltx.weights:LtxVideo", f"transformer/{_UNET}", "proj_in.weight"),
    "ltx vae": Family("ltx:ltx", "tools.video.ltx.weights:LtxVideo", f"vae/{_UNET}", "decoder.conv_in.conv.bias"),
    "ltx file": Family(
        "ltx:single_file", "tools.video.ltx.weights:LtxVideo", "", "vae.decoder.conv_in.conv.bias",
        "decoder.conv_in.conv.bias",
    ),
    "t5": Family(
        "ltx:text_encoder", "tools.video.ltx.text:LtxTextEncoder", f"text_encoder/{_MODEL}", "final_layer_norm.weight"
    ),
    "svd unet": Family("svd:svd", "tools.video.svd.weights:SvdCheckpoint", f"unet/{_UNET}", "conv_in.weight"),
    "svd encoder": Family(
        "svd:svd", "tools.video.svd.weights:SvdCheckpoint", f"image_encoder/{_MODEL}", "visual_projection.weight"
    ),
    "musicgen": Family(
        "musicgen:musicgen", "tools.music.musicgen_weights:MusicgenSmall", _MODEL, "enc_to_dec_proj.weight"
    ),
    "wav2lip": Family(
        "wav2lip:wav2lip_weights", "tools.video.lip.weights:Wav2LipWeights", "", "audio_encoder.3.conv_block.0.weight"
    ),
}  # fmt: skip


def _made(family: Family) -> Path:
    module, _, name = family.maker.partition(":")
    makers: Any = import_module(f"evals.checkpoints.{module}")
    base = {"base": built(makers.make_base)} if (module, name) == ("sdxl", "single_file") else {}
    return built(getattr(makers, f"make_{name}"), **base)


def _copied(family: Family, room: Path) -> tuple[Path, Path]:
    """What is registered, and the file in it that is to be harmed."""
    made = _made(family)
    folder = made if made.is_dir() else made.parent
    shutil.copytree(folder, room)
    if made.is_dir():
        return room, room / family.file
    return (room, room / family.file) if family.file else (room / made.name, room / made.name)


def _harmed(file: Path, tensor: str, harm: Callable[[dict[str, Any], str], None]) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(str(file), "pt") as opened:
        metadata = opened.metadata()
    tensors = load_file(str(file))
    name = min((name for name in tensors if name.endswith(tensor)), key=len)
    harm(tensors, name)
    save_file({name: one.contiguous() for name, one in tensors.items()}, str(file), metadata)


def _read(family: Family, source: Path) -> Any:
    module, _, name = family.weights.partition(":")
    weights = getattr(import_module(module), name)()
    weights.check(str(source))
    weights.load(str(source), Placing())
    return weights


def _gone(tensors: dict[str, Any], name: str) -> None:
    del tensors[name]


def _wider(tensors: dict[str, Any], name: str) -> None:
    import torch

    tensors[name] = torch.zeros([size + 1 for size in tensors[name].shape])


@pytest.mark.parametrize("harm", [_gone, _wider])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_one_tensor_decides(family: Family, harm: Callable[[dict[str, Any], str], None], tmp_path: Path) -> None:
    source, file = _copied(family, tmp_path / "checkpoint")
    _harmed(file, family.tensor, harm)
    with pytest.raises(InvalidInput) as failed:
        _read(family, source)
    assert str(file) in str(failed.value), "the file is named"
    assert (family.told or family.tensor) in str(failed.value), "and the tensor"


@pytest.mark.parametrize("family", ["sdxl clip-l", "t5", "sdxl unet"])
def test_unless_looked_for_the_loaders_do_not_mind(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: transformers invents what is lacking, diffusers leaves it without memory."""
    known = FAMILIES[family]
    source, file = _copied(known, tmp_path / "checkpoint")
    _harmed(file, known.tensor, _gone)
    for name in ("tools.models.whole.require_whole", "tools.image.sdxl.weights.require_filled"):
        monkeypatch.setattr(name, lambda *_: None)
    _read(known, source)


def test_what_older_versions_saved_is_left_and_layers_too_many_are_refused(tmp_path: Path) -> None:
    import torch

    family = FAMILIES["sdxl clip-l"]
    source, file = _copied(family, tmp_path / "checkpoint")

    def older(tensors: dict[str, Any], _name: str) -> None:
        tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        tensors["logit_scale"] = torch.ones(1)

    def deeper(tensors: dict[str, Any], name: str) -> None:
        for one in [one for one in tensors if ".layers.1." in one]:
            tensors[one.replace(".layers.1.", ".layers.7.")] = tensors[one].clone()
        assert name in tensors

    _harmed(file, family.tensor, older)
    _read(family, source)
    _harmed(file, family.tensor, deeper)
    with pytest.raises(InvalidInput, match=r"text_encoder/model\.safetensors: holds 16 weights .*layers\.7\."):
        _read(family, source)


@pytest.mark.parametrize("harm", [_gone, _wider])
def test_a_controlnet_without_a_config_is_looked_at_too(
    harm: Callable[[dict[str, Any], str], None], tmp_path: Path
) -> None:
    from evals.checkpoints.sdxl import make_controlnet, make_unet
    from tools.image.sdxl.nets import load_controlnet

    file = tmp_path / "alone.safetensors"
    shutil.copy(built(make_controlnet) / _UNET, file)
    unet = make_unet(1)
    assert load_controlnet(file, unet.dtype, unet) is not None
    _harmed(file, "controlnet_mid_block.weight", harm)
    with pytest.raises(InvalidInput, match=r"alone\.safetensors: .*controlnet_mid_block\.weight"):
        load_controlnet(file, unet.dtype, unet)


def test_of_several_files_the_one_that_should_hold_it_is_named(tmp_path: Path) -> None:
    import json

    import torch
    from safetensors.torch import save_file

    from tools.models.whole import holder

    for number, name in ((1, "model.here.weight"), (2, "model.there.weight")):
        save_file({name: torch.zeros(2)}, str(tmp_path / f"model-{number}-of-2.safetensors"))
    told = {"weight_map": {"model.lost.weight": "model-2-of-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(told))
    assert holder(tmp_path, "here.weight").name == "model-1-of-2.safetensors"
    assert holder(tmp_path, "there.weight").name == "model-2-of-2.safetensors"
    assert holder(tmp_path, "model.lost.weight").name == "model-2-of-2.safetensors"
    assert holder(tmp_path, "nowhere.weight") == tmp_path
