"""Which model a file is of: by the published names, at full size and tiny, with and without torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.checkpoints.common import gguf_bytes, safetensors_bytes
from tools.models import WrongFamily, inspect_file, require_family

UNET = "model.diffusion_model."
LORA = "lora_unet_{}.lora_down.weight"
FILES: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, str], str]] = {
    "SDXL, one file": (
        {
            f"{UNET}input_blocks.0.0.weight": (8, 4, 3, 3),
            f"{UNET}middle_block.0.x": (1,),
            f"{UNET}label_emb.0.0.weight": (8, 2816),
            f"{UNET}input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": (8, 2048),
            "conditioner.embedders.0.transformer.text_model.x": (1,),
            "conditioner.embedders.1.model.x": (1,),
            "first_stage_model.x": (1,),
        },
        {},
        "sdxl/checkpoint/sdxl/",
    ),
    "SDXL refiner, one file": (
        {
            f"{UNET}input_blocks.0.0.weight": (8, 4, 3, 3),
            f"{UNET}middle_block.0.x": (1,),
            f"{UNET}label_emb.0.0.weight": (8, 2560),
            "conditioner.embedders.0.model.x": (1,),
            "first_stage_model.x": (1,),
        },
        {},
        "sdxl_refiner/checkpoint/sdxl_refiner/",
    ),
    "Stable Diffusion 1.5, one file": (
        {
            f"{UNET}input_blocks.0.0.weight": (8, 4, 3, 3),
            f"{UNET}middle_block.0.x": (1,),
            f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (8, 768),
            "cond_stage_model.transformer.x": (1,),
        },
        {},
        "sd15/checkpoint/sd15/",
    ),
    "Stable Diffusion 1.5 for inpainting": (
        {
            f"{UNET}input_blocks.0.0.weight": (8, 9, 3, 3),
            f"{UNET}middle_block.0.x": (1,),
            f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (8, 768),
            "cond_stage_model.x": (1,),
        },
        {},
        "sd15/checkpoint/sd15/inpaint",
    ),
    "SVD, one file": (
        {
            f"{UNET}input_blocks.0.0.weight": (8, 8, 3, 3),
            f"{UNET}middle_block.1.time_stack.0.x": (1,),
            "conditioner.x": (1,),
        },
        {},
        "svd/checkpoint/svd/",
    ),
    "LTX, one file": (
        {
            f"{UNET}patchify_proj.weight": (8, 128),
            f"{UNET}transformer_blocks.0.attn1.to_q.weight": (8, 8),
            "vae.x": (1,),
        },
        {},
        "ltx/checkpoint/ltx/",
    ),
    "FLUX": ({"double_blocks.0.img_attn.qkv.weight": (8, 8)}, {}, "flux/transformer/flux/"),
    "kohya LoRA for SDXL": (
        {LORA.format("input_blocks_4_1_transformer_blocks_0_attn2_to_k"): (4, 2048)},
        {},
        "lora//sdxl/kohya",
    ),
    "kohya LoRA for Stable Diffusion 1.5": (
        {LORA.format("down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"): (4, 768)},
        {},
        "lora//sd15/kohya",
    ),
    "kohya LoRA for both text encoders": ({"lora_te2_text_model_x.lora_down.weight": (4, 8)}, {}, "lora//sdxl/kohya"),
    "kohya LoRA by its own notes": (
        {LORA.format("mid_block_x"): (4, 8)},
        {"ss_base_model_version": "sdxl_base_v1-0"},
        "lora//sdxl/kohya",
    ),
    "LoRA that does not tell": ({LORA.format("mid_block_x"): (4, 8)}, {}, "lora///kohya"),
    "LoHa": ({"lora_unet_input_blocks_4_1_x.hada_w1_a": (4, 8)}, {}, "lora//sdxl/kohya"),
    "diffusers LoRA for SDXL": (
        {"unet.down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k.lora_A.weight": (4, 192)},
        {},
        "lora//sdxl/peft",
    ),
    "old diffusers LoRA for 1.5": (
        {"unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora.down.weight": (4, 768)},
        {},
        "lora//sd15/diffusers",
    ),
    "LoRA for LTX": ({"transformer.transformer_blocks.0.attn2.to_k.lora_A.weight": (4, 2048)}, {}, "lora//ltx/peft"),
    "LoRA for FLUX": (
        {"transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": (4, 3072)},
        {},
        "lora//flux/peft",
    ),
    "IP-Adapter": (
        {"image_proj.proj.weight": (8, 8), "image_proj.norm.weight": (8,), "ip_adapter.1.to_k_ip.weight": (8, 2048)},
        {},
        "ip_adapter//sdxl/base",
    ),
    "IP-Adapter Plus": (
        {
            "image_proj.latents": (1, 16, 8),
            "image_proj.proj_in.weight": (8, 1280),
            "ip_adapter.1.to_k_ip.weight": (8, 2048),
        },
        {},
        "ip_adapter//sdxl/plus",
    ),
    "IP-Adapter FaceID": (
        {"image_proj.proj.0.weight": (8, 512), "image_proj.norm.weight": (8,), "ip_adapter.1.to_k_ip.weight": (8, 768)},
        {},
        "ip_adapter//sd15/faceid",
    ),
    "IP-Adapter FaceID Plus": (
        {
            "image_proj.perceiver_resampler.proj_in.weight": (8, 8),
            "image_proj.proj.0.weight": (8, 512),
            "ip_adapter.1.to_k_ip.weight": (8, 2048),
        },
        {},
        "ip_adapter//sdxl/faceid_plus",
    ),
    "IP-Adapter full face": (
        {"image_proj.proj.0.weight": (8, 8), "image_proj.proj.3.weight": (8,), "ip_adapter.1.to_k_ip.weight": (8, 768)},
        {},
        "ip_adapter//sd15/full_face",
    ),
    "InstantID": (
        {
            "image_proj.latents": (1, 16, 8),
            "image_proj.proj_in.weight": (8, 512),
            "ip_adapter.1.to_k_ip.weight": (8, 2048),
        },
        {},
        "instantid//sdxl/",
    ),
    "ControlNet, original": (
        {
            "control_model.input_hint_block.0.weight": (8, 3, 3, 3),
            "control_model.input_blocks.1.1.attn2.to_k.weight": (8, 768),
        },
        {},
        "controlnet//sd15/original",
    ),
    "Control-LoRA": ({"lora_controlnet": (0,), "label_emb.0.0.up": (8, 8)}, {}, "control_lora//sdxl/"),
    "textual inversion for SDXL": ({"clip_l": (2, 768), "clip_g": (2, 1280)}, {}, "textual_inversion//sdxl/"),
    "VAE, original": ({"first_stage_model.decoder.conv_in.weight": (8, 4, 3, 3)}, {}, "vae//sd/"),
    "something else": ({"a.weight": (2, 2)}, {}, "unknown///"),
}


def family(path: Path) -> str:
    found = inspect_file(path).family
    return f"{found.name}/{found.part}/{found.base}/{found.style}"


@pytest.mark.parametrize("what", list(FILES))
def test_files_are_told_by_their_tensors(tmp_path: Path, what: str) -> None:
    shapes, notes, expected = FILES[what]
    path = tmp_path / "named_after_something_else.safetensors"
    path.write_bytes(safetensors_bytes(shapes, metadata=notes))
    assert family(path) == expected


@pytest.mark.parametrize(
    ("arch", "expected"), [("sdxl", "sdxl"), ("ltxv", "ltx"), ("flux", "flux"), ("llama", "language")]
)
def test_gguf_files_are_told_by_what_they_say(tmp_path: Path, arch: str, expected: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf_bytes({"a": (4,)}, metadata={"general.architecture": arch}))
    assert inspect_file(path).family.name == expected


def test_a_gguf_unet_is_told_by_its_tensors_before_what_it_says(tmp_path: Path) -> None:
    shapes, _, _ = FILES["SDXL, one file"]
    bare = {name.removeprefix(UNET): shape for name, shape in shapes.items() if name.startswith(UNET)}
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf_bytes(bare, metadata={"general.architecture": "llama"}))
    assert family(path) == "sdxl/unet/sdxl/"


def test_a_wrong_family_names_the_file_what_it_is_and_what_was_expected(tmp_path: Path) -> None:
    path = tmp_path / "luca.safetensors"
    path.write_bytes(safetensors_bytes(FILES["kohya LoRA for Stable Diffusion 1.5"][0]))
    with pytest.raises(WrongFamily) as caught:
        require_family(inspect_file(path), "lora", base="sdxl")
    told = "this is a LoRA for Stable Diffusion 1.5 (kohya); expected was a LoRA for SDXL"
    assert caught.value.message == f"{path}: {told}"
    with pytest.raises(WrongFamily, match="expected was an SDXL"):
        require_family(inspect_file(path), "sdxl")


def test_a_file_that_does_not_tell_its_base_passes(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(FILES["LoRA that does not tell"][0]))
    assert require_family(inspect_file(path), "lora", base="sdxl")
    path.write_bytes(safetensors_bytes(FILES["VAE, original"][0]))
    assert require_family(inspect_file(path), "vae", base="sdxl")
