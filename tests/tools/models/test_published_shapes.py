"""Families at their published size: names and shapes from the libraries' own classes, on no memory and little disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.checkpoints.build import built
from evals.checkpoints.common import shapes_of, write_shapes
from tools.models import inspect_file, inspect_folder

torch = pytest.importorskip("torch", reason="takes names and shapes from the model libraries")
diffusers = pytest.importorskip("diffusers", reason="takes names and shapes from the model libraries")

SDXL: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
UP = {"up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), "sample_size": 128}
REFINER: dict[str, Any] = {
    **SDXL,
    "block_out_channels": (384, 768, 1536, 1536),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": 4,
    "attention_head_dim": (6, 12, 24, 24),
    "cross_attention_dim": 1280,
    "projection_class_embeddings_input_dim": 2560,
}


def on_meta(make: Any, **config: Any) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes_of(make(**config))


def told(tmp_path: Path, shapes: dict[str, tuple[int, ...]]) -> tuple[str, int]:
    found = inspect_file(write_shapes(tmp_path / "x.safetensors", shapes))
    return f"{found.family.name}/{found.family.part}/{found.family.base}", found.parameters


def test_sdxl(tmp_path: Path) -> None:
    assert told(tmp_path, on_meta(diffusers.UNet2DConditionModel, **SDXL, **UP)) == ("sdxl/unet/sdxl", 2_567_463_684)


def test_the_refiner(tmp_path: Path) -> None:
    found = told(tmp_path, on_meta(diffusers.UNet2DConditionModel, **REFINER))
    assert found == ("sdxl_refiner/unet/sdxl_refiner", 2_259_526_660)


def test_stable_diffusion_15(tmp_path: Path) -> None:
    assert told(tmp_path, on_meta(diffusers.UNet2DConditionModel, cross_attention_dim=768))[0] == "sd15/unet/sd15"


def test_a_controlnet_for_sdxl(tmp_path: Path) -> None:
    assert told(tmp_path, on_meta(diffusers.ControlNetModel, **SDXL)) == ("controlnet//sdxl", 1_251_014_160)


def test_vaes(tmp_path: Path) -> None:
    blocks = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
    types = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    assert told(tmp_path, on_meta(diffusers.AutoencoderKL, **blocks, **types)) == ("vae//sd", 83_653_863)
    assert told(tmp_path, on_meta(diffusers.AutoencoderKLLTXVideo)) == ("vae/video/ltx", 419_193_649 + 2 * 128)


def test_video(tmp_path: Path) -> None:
    assert told(tmp_path, on_meta(diffusers.LTXVideoTransformer3DModel)) == ("ltx/transformer/ltx", 1_923_385_472)
    assert told(tmp_path, on_meta(diffusers.UNetSpatioTemporalConditionModel))[0] == "svd/unet/svd"


def test_text_encoders_and_listeners(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="takes names and shapes from the model libraries")
    for model, config, family in (
        ("CLIPTextModel", "CLIPTextConfig", "clip"),
        ("CLIPVisionModelWithProjection", "CLIPVisionConfig", "clip"),
        ("T5EncoderModel", "T5Config", "t5"),
        ("WhisperForConditionalGeneration", "WhisperConfig", "whisper"),
        ("BertModel", "BertConfig", "embedding"),
        ("Qwen2ForCausalLM", "Qwen2Config", "language"),
        ("Wav2Vec2ForCTC", "Wav2Vec2Config", "wav2vec2"),
    ):
        shapes = on_meta(getattr(transformers, model), config=getattr(transformers, config)())
        assert told(tmp_path, shapes)[0].split("/")[0] == family, model


@pytest.mark.parametrize(
    ("maker", "args", "family", "base"),
    [
        ("make_base", {}, "sdxl", "sdxl"),
        ("make_refiner", {}, "sdxl_refiner", "sdxl_refiner"),
        ("make_controlnet", {}, "controlnet", "sdxl"),
        ("make_lora", {}, "lora", "sdxl"),
        ("make_lora", {"kohya": True}, "lora", "sdxl"),
        ("make_ip_adapter", {}, "ip_adapter", ""),
        ("make_ip_adapter", {"plus": True}, "ip_adapter", ""),
    ],
)
def test_the_tiny_checkpoints_are_told_as_the_large_ones(
    maker: str, args: dict[str, Any], family: str, base: str
) -> None:
    from evals.checkpoints import sdxl

    path = built(getattr(sdxl, maker), **args)
    files = inspect_folder(path).weights if path.is_dir() else (inspect_file(path),)
    assert (family, base) in {(file.family.name, file.family.base) for file in files}
