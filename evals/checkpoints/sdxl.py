"""Tiny SDXL: the topology of the real one (three blocks, two text encoders, VAE of factor 8) with narrow layers.

Every maker takes an empty folder, writes what a user would have, and returns its path. torch is imported inside.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["make_base", "make_controlnet", "make_ip_adapter", "make_lora", "make_refiner", "make_single_file"]

UNET: dict[str, Any] = {
    "sample_size": 8,
    "layers_per_block": 2,
    "block_out_channels": (32, 64, 64),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "transformer_layers_per_block": (1, 1, 2),
    "attention_head_dim": (1, 2, 2),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 6 * 8 + 128,
    "cross_attention_dim": 192,
}
UP = {"up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")}
TEXT_WIDTHS = (64, 128)
"""Of the two text encoders; single files tell them apart by it. IP-Adapter Plus asks for multiples of 64."""


def make_tokenizer(folder: Path, *, pad: str) -> Any:
    """CLIP's byte pair tokenizer with no merges: one token a letter."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + n) for n in range(256 - len(letters))]
    # `<|endoftext|>` has the highest id: the pooled output is taken there.
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token=pad, model_max_length=77
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _text_config(tokenizer: Any, width: int) -> Any:
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=64, projection_dim=width,
        num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=77, hidden_act="gelu",
        bos_token_id=len(tokenizer) - 2, eos_token_id=len(tokenizer) - 1, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip


def _liven(module: Any, gain: float) -> Any:
    """Larger weights in attention and time paths: what is asked shows in the picture also without training."""
    import torch

    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name.endswith("weight") and ("attn2" in name or "time_emb" in name or "add_embedding" in name):
                weight.mul_(gain)
    return module


def make_unet(seed: int, **changes: Any) -> Any:
    """A UNet of SDXL's topology."""
    import torch
    from diffusers import UNet2DConditionModel

    torch.manual_seed(seed)
    return _liven(UNet2DConditionModel(**{**UNET, **UP, **changes}), 3.0)


def make_vae(seed: int) -> Any:
    """A VAE of SDXL's topology: factor 8, to be computed in float32."""
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(seed)
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32), layers_per_block=1, latent_channels=4, sample_size=128,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.13025, force_upcast=True,
    )  # fmt: skip
    with torch.no_grad():
        vae.decoder.conv_out.weight.mul_(2.0)
    return vae


def make_base(folder: Path, seed: int = 1) -> Path:
    """A folder as `stabilityai/stable-diffusion-xl-base-1.0` has it."""
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    first = make_tokenizer(folder / "tokenizer", pad="<|endoftext|>")
    second = make_tokenizer(folder / "tokenizer_2", pad="!")
    torch.manual_seed(seed)
    pipeline = StableDiffusionXLPipeline(
        vae=make_vae(seed),
        text_encoder=CLIPTextModel(_text_config(first, TEXT_WIDTHS[0])),
        text_encoder_2=CLIPTextModelWithProjection(_text_config(second, TEXT_WIDTHS[1])),
        tokenizer=first,
        tokenizer_2=second,
        unet=make_unet(seed),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="leading",
            steps_offset=1,
        ),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def make_refiner(folder: Path, seed: int = 2) -> Path:
    """A folder as `stabilityai/stable-diffusion-xl-refiner-1.0` has it: the second text encoder alone."""
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline
    from transformers import CLIPTextModelWithProjection

    tokenizer = make_tokenizer(folder / "tokenizer_2", pad="!")
    torch.manual_seed(1)
    # The base's own second encoder and VAE, as in the published pair.
    vae = make_vae(1)
    torch.manual_seed(seed)
    words = CLIPTextModelWithProjection(_text_config(tokenizer, TEXT_WIDTHS[1]))
    pipeline = StableDiffusionXLImg2ImgPipeline(
        vae=vae, text_encoder=None, tokenizer=None, text_encoder_2=words,
        tokenizer_2=tokenizer, unet=make_unet(seed, cross_attention_dim=TEXT_WIDTHS[1],
                                              projection_class_embeddings_input_dim=5 * 8 + TEXT_WIDTHS[1]),
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                                         timestep_spacing="leading", steps_offset=1),
        requires_aesthetics_score=True, add_watermarker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder


def make_controlnet(folder: Path, seed: int = 3) -> Path:
    """A ControlNet whose zero convolutions are not zero, as after training."""
    import torch
    from diffusers import ControlNetModel

    torch.manual_seed(seed)
    net = ControlNetModel.from_unet(make_unet(1), conditioning_channels=3)
    with torch.no_grad():
        for block in (*net.controlnet_down_blocks, net.controlnet_mid_block):
            block.weight.normal_(std=0.2)
        net.controlnet_cond_embedding.conv_out.weight.normal_(std=0.5)
        for conv in (net.controlnet_cond_embedding.conv_in, *net.controlnet_cond_embedding.blocks):
            # A map's contrast would fade out in so narrow layers.
            conv.weight.mul_(2.0)
    net.save_pretrained(folder)
    return folder


def make_lora(folder: Path, seed: int = 4, *, kohya: bool = False, rank: int = 4, text: bool = False) -> Path:
    """A LoRA of the UNet's attention (and of both text encoders), in diffusers' or in kohya's names."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Any] = {}
    for name, module in make_unet(1).named_modules():
        if name.endswith(("to_q", "to_k", "to_v", "to_out.0")):
            key = f"lora_unet_{name}".replace(".", "_") if kohya else f"unet.{name}"
            _add_lora(tensors, key, module.in_features, module.out_features, rank, kohya=kohya)
    if text:
        prefixes = ("lora_te1", "lora_te2") if kohya else ("text_encoder", "text_encoder_2")
        for prefix, width in zip(prefixes, TEXT_WIDTHS, strict=True):
            for layer in range(3):
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    name = f"{prefix}.text_model.encoder.layers.{layer}.self_attn.{part}"
                    _add_lora(tensors, name.replace(".", "_") if kohya else name, width, width, rank, kohya=kohya)
    file = folder / ("kohya.safetensors" if kohya else "pytorch_lora_weights.safetensors")
    save_file(tensors, str(file))
    return file


def _add_lora(tensors: dict[str, Any], key: str, inside: int, outside: int, rank: int, *, kohya: bool) -> None:
    import torch

    down, up = torch.randn(rank, inside) * 0.3, torch.randn(outside, rank) * 0.3
    if kohya:
        tensors[f"{key}.lora_down.weight"], tensors[f"{key}.lora_up.weight"] = down, up
        tensors[f"{key}.alpha"] = torch.tensor(float(rank))
    else:
        tensors[f"{key}.lora_A.weight"], tensors[f"{key}.lora_B.weight"] = down, up


def make_ip_adapter(folder: Path, seed: int = 5, *, plus: bool = False) -> Path:
    """An IP-Adapter with its image encoder in `image_encoder/`; base projects the embedding, plus resamples patches."""
    import torch
    from diffusers.models.embeddings import ImageProjection, IPAdapterPlusImageProjection
    from safetensors.torch import save_file
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(seed)
    width = 64
    vision = CLIPVisionModelWithProjection(
        CLIPVisionConfig(hidden_size=width, intermediate_size=64, projection_dim=width, num_hidden_layers=2,
                         num_attention_heads=2, image_size=32, patch_size=8)
    )  # fmt: skip
    vision.save_pretrained(folder / "image_encoder")
    CLIPImageProcessor(size=32, crop_size=32).save_pretrained(folder / "image_encoder")
    tensors: dict[str, Any] = {}
    if plus:
        image = IPAdapterPlusImageProjection(
            embed_dims=width, output_dims=192, hidden_dims=64, depth=4, dim_head=64, heads=1, num_queries=4
        )
        tensors.update(_plus_names(image.state_dict()))
    else:
        plain = ImageProjection(cross_attention_dim=192, image_embed_dim=width, num_image_text_embeds=4).state_dict()
        for old, new in (("image_embeds.", "proj."), ("norm.", "norm.")):
            tensors |= {f"image_proj.{new}{k.removeprefix(old)}": v for k, v in plain.items() if k.startswith(old)}
    number = 1
    for name in make_unet(1).attn_processors:
        if "attn2" in name:
            module = make_unet(1).get_submodule(name.removesuffix(".processor"))
            for part in ("to_k_ip", "to_v_ip"):
                tensors[f"ip_adapter.{number}.{part}.weight"] = torch.randn(module.inner_dim, 192) * 0.2
            number += 2
    file = folder / "ip-adapter.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(file))
    return file


def _plus_names(state: dict[str, Any]) -> dict[str, Any]:
    """diffusers' names of a resampler as the names that the published IP-Adapter Plus files have."""
    import torch

    parts = (
        ("ln0", "0.norm1"), ("ln1", "0.norm2"), ("attn.to_q", "0.to_q"), ("attn.to_out.0", "0.to_out"),
        ("ff.0", "1.0"), ("ff.1.net.0.proj", "1.1"), ("ff.1.net.2", "1.3"),
    )  # fmt: skip
    named: dict[str, Any] = {}
    for name, tensor in state.items():
        new = name
        for layer in range(4):
            for old, become in parts:
                new = new.replace(f"layers.{layer}.{old}.", f"layers.{layer}.{become}.")
        named[f"image_proj.{new}"] = tensor
    for name in [one for one in named if ".attn.to_k" in one]:
        value = named.pop(name.replace("to_k", "to_v"))
        named[name.replace("attn.to_k", "0.to_kv")] = torch.cat([named.pop(name), value])
    return named


def make_single_file(folder: Path, base: Path) -> Path:
    """The checkpoint of `base` as one file in the original (CompVis) names, as ComfyUI and A1111 users have it.

    Beside it lies `<name>/` with configs and tokenizers alone.
    """
    import shutil

    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    from evals.checkpoints.compvis import to_compvis

    parts = {
        name: load_file(str(next((base / name).glob("*.safetensors"))))
        for name in ("unet", "vae", "text_encoder", "text_encoder_2")
    }
    file = folder / "tiny.safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in to_compvis(parts).items()}, str(file))
    shutil.copytree(base, folder / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    return file


def make_gguf(folder: Path, base: Path, kind: str = "Q8_0") -> Path:
    """The UNet of `base` as GGUF, in the original names without their prefix, as ComfyUI-GGUF's users have it.

    As there, matrices are in blocks, convolutions in half precision, and the rest in full. Beside it lies `<name>/`
    with everything else of the checkpoint.
    """
    import shutil

    import gguf
    import numpy as np
    from safetensors.torch import load_file

    from evals.checkpoints.compvis import to_compvis

    folder.mkdir(parents=True, exist_ok=True)
    state = load_file(str(next((base / "unet").glob("*.safetensors"))))
    named = to_compvis({"unet": state, "vae": {}, "text_encoder": {}})
    file = folder / "tiny.gguf"
    writer = gguf.GGUFWriter(str(file), "sdxl")
    for name, tensor in named.items():
        values = tensor.float().numpy()
        plain = gguf.GGMLQuantizationType.F32 if values.ndim < 2 else gguf.GGMLQuantizationType.F16
        blocks = values.ndim == 2 and values.shape[1] % 32 == 0
        told = gguf.GGMLQuantizationType[kind] if blocks else plain
        data = gguf.quants.quantize(np.ascontiguousarray(values), told)
        writer.add_tensor(name.removeprefix("model.diffusion_model."), data, raw_dtype=told)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    shutil.copytree(base, folder / "tiny", ignore=lambda where, _: ["unet"] if Path(where) == base else [])
    (folder / "tiny" / "unet").mkdir()
    shutil.copy(base / "unet" / "config.json", folder / "tiny" / "unet")
    return file


def make_union(folder: Path, seed: int = 6) -> Path:
    """A union ControlNet: one network for six kinds of maps (the topology of xinsir/controlnet-union-sdxl-1.0)."""
    import torch
    from diffusers import ControlNetUnionModel

    torch.manual_seed(seed)
    own = {key: value for key, value in UNET.items() if key != "sample_size"}
    net = ControlNetUnionModel(**own, num_trans_channel=32, num_trans_head=4, num_proj_channel=32)
    with torch.no_grad():
        for block in (*net.controlnet_down_blocks, net.controlnet_mid_block):
            block.weight.normal_(std=0.2)
        net.controlnet_cond_embedding.conv_out.weight.normal_(std=0.5)
        net.spatial_ch_projs.weight.normal_(std=0.2)
        for conv in (net.controlnet_cond_embedding.conv_in, *net.controlnet_cond_embedding.blocks):
            conv.weight.mul_(2.0)
    net.save_pretrained(folder)
    return folder
