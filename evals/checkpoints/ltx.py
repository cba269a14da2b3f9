"""Tiny LTX-Video: the topology of the real one (transformer, video VAE of 32 x 32 x 8, T5) with narrow layers.

Every maker takes an empty folder, writes what a user would have, and returns its path. torch is imported inside.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

__all__ = ["make_lora", "make_ltx", "make_single_file", "make_spiece", "make_text_encoder"]

LATENTS, TEXT_WIDTH = 8, 32
TRANSFORMER: dict[str, Any] = {
    "in_channels": LATENTS, "out_channels": LATENTS, "num_attention_heads": 2, "attention_head_dim": 16,
    "cross_attention_dim": 32, "num_layers": 2, "caption_channels": TEXT_WIDTH,
}  # fmt: skip
VAE_090: dict[str, Any] = {
    "latent_channels": LATENTS,
    "block_out_channels": (8, 8, 8, 8),
    "decoder_block_out_channels": (8, 8, 8, 8),
    "layers_per_block": (1, 1, 1, 1, 1),
    "decoder_layers_per_block": (1, 1, 1, 1, 1),
    "spatio_temporal_scaling": (True, True, True, False),
    "decoder_spatio_temporal_scaling": (True, True, True, False),
    "decoder_inject_noise": (False, False, False, False, False),
    "upsample_residual": (False, False, False, False),
    "upsample_factor": (1, 1, 1, 1),
}
VAE_091: dict[str, Any] = {
    **VAE_090,
    # Each half as wide as the one before, as the published: else diffusers puts layers between that no file has.
    "decoder_block_out_channels": (8, 16, 32),
    "decoder_layers_per_block": (1, 1, 1, 1),
    "decoder_spatio_temporal_scaling": (True, True, True),
    "decoder_inject_noise": (True, True, True, False),
    "upsample_residual": (True, True, True),
    "upsample_factor": (2, 2, 2),
    "timestep_conditioning": True,
}
PUBLISHED_SCHEDULER = {
    "use_dynamic_shifting": True, "base_shift": 0.95, "max_shift": 2.05, "base_image_seq_len": 1024,
    "max_image_seq_len": 4096, "shift_terminal": 0.1,
}  # fmt: skip


def make_transformer(seed: int) -> Any:
    """A transformer that listens: what is asked shows in the frames also without training."""
    import torch
    from diffusers import LTXVideoTransformer3DModel

    torch.manual_seed(seed)
    transformer = LTXVideoTransformer3DModel(**TRANSFORMER)
    with torch.no_grad():
        for name, weight in transformer.named_parameters():
            if name.endswith("weight") and ("attn2" in name or "caption_projection" in name or "proj_out" in name):
                weight.mul_(4.0)
    return transformer


def make_vae(seed: int, config: dict[str, Any]) -> Any:
    """A VAE whose pictures have contrast."""
    import torch
    from diffusers import AutoencoderKLLTXVideo

    torch.manual_seed(seed)
    vae = AutoencoderKLLTXVideo(**config)
    with torch.no_grad():
        vae.decoder.conv_out.conv.weight.mul_(3.0)
    return vae


def make_ltx(folder: Path, seed: int = 1) -> Path:
    """A folder as `Lightricks/LTX-Video` has it, without the text encoder (first generation)."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    make_transformer(seed).save_pretrained(folder / "transformer")
    make_vae(seed, VAE_090).save_pretrained(folder / "vae")
    FlowMatchEulerDiscreteScheduler(**PUBLISHED_SCHEDULER).save_pretrained(folder / "scheduler")
    return folder


def make_spiece(path: Path) -> Path:
    """A SentencePiece model of T5's form, written by hand (sentencepiece_model.proto): one piece a letter."""
    letters = [chr(code) for code in range(33, 127)]
    pieces = [("<pad>", 0.0, 3), ("</s>", 0.0, 3), ("<unk>", 0.0, 2), ("\u2581", -2.0, 1)]
    pieces += [(letter, -3.0 - 0.01 * number, 1) for number, letter in enumerate(letters)]
    raw = b""
    for text, score, kind in pieces:
        name = text.encode()
        piece = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", score) + b"\x18" + bytes([kind])
        raw += b"\x0a" + bytes([len(piece)]) + piece
    # TrainerSpec: unigram, unk 2, no bos, eos 1, pad 0. NormalizerSpec: identity, a space goes before, spaces escaped.
    none = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    trainer = b"\x18\x01" + b"\xc0\x02\x02" + b"\xc8\x02" + none + b"\xd0\x02\x01" + b"\xd8\x02\x00"
    normalizer = b"\x0a\x08identity" + b"\x18\x01" + b"\x20\x01" + b"\x28\x01"
    raw += b"\x12" + bytes([len(trainer)]) + trainer + b"\x1a" + bytes([len(normalizer)]) + normalizer
    path.write_bytes(raw)
    return path


def make_text_encoder(folder: Path, seed: int = 1) -> Path:
    """`text_encoder/` and `tokenizer/` as `Lightricks/LTX-Video` has them: the tokenizer as spiece.model alone."""
    import json

    import torch
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(seed)
    encoder = T5EncoderModel(
        T5Config(vocab_size=256, d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=2, num_heads=4,
                 feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    )  # fmt: skip
    encoder.save_pretrained(folder / "text_encoder")
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir(parents=True)
    make_spiece(tokenizer / "spiece.model")
    settings = {"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "model_max_length": 128, "eos_token": "</s>",
                "pad_token": "<pad>", "unk_token": "<unk>"}  # fmt: skip
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def make_lora(folder: Path, seed: int = 4, *, comfy: bool = False, rank: int = 4) -> Path:
    """A LoRA of the transformer's attention, in diffusers' or in ComfyUI's names."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    prefix = "diffusion_model" if comfy else "transformer"
    tensors: dict[str, Any] = {}
    for name, module in make_transformer(1).named_modules():
        if name.endswith(("to_q", "to_k", "to_v", "to_out.0")):
            tensors[f"{prefix}.{name}.lora_A.weight"] = torch.randn(rank, module.in_features) * 0.4
            tensors[f"{prefix}.{name}.lora_B.weight"] = torch.randn(module.out_features, rank) * 0.4
    file = folder / ("comfy.safetensors" if comfy else "pytorch_lora_weights.safetensors")
    save_file(tensors, str(file))
    return file


def make_single_file(folder: Path, seed: int = 1) -> Path:
    """One file in the original names, of the generation 0.9.1; beside it `<name>/` with settings alone."""
    import json

    from safetensors.torch import save_file

    transformer, vae = make_transformer(seed), make_vae(seed, VAE_091)
    tensors = {f"model.diffusion_model.{_original(name)}": one for name, one in transformer.state_dict().items()}
    tensors |= {f"vae.{_original_vae(name)}": one for name, one in vae.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "tiny-ltx.safetensors"
    save_file({name: one.contiguous().clone() for name, one in tensors.items()}, str(file))
    for part, module in (("transformer", transformer), ("vae", vae)):
        (folder / "tiny-ltx" / part).mkdir(parents=True)
        (folder / "tiny-ltx" / part / "config.json").write_text(json.dumps(dict(module.config)))
    return file


def _original(name: str) -> str:
    pairs = (("proj_in.", "patchify_proj."), ("time_embed.", "adaln_single."), ("norm_q.", "q_norm."),
             ("norm_k.", "k_norm."))  # fmt: skip
    for new, old in pairs:
        name = name.replace(new, old)
    return name


def _original_vae(name: str) -> str:
    """diffusers' names of a VAE of 0.9.1 as the original ones: the inverse of what diffusers reads."""
    # The longest first: `down_blocks.0` is the beginning of the others.
    encoder = (
        ("down_blocks.0.downsamplers.0", "down_blocks.1"), ("down_blocks.0.conv_out", "down_blocks.2"),
        ("down_blocks.1.downsamplers.0", "down_blocks.4"), ("down_blocks.1.conv_out", "down_blocks.5"),
        ("down_blocks.2.downsamplers.0", "down_blocks.7"), ("down_blocks.0", "down_blocks.0"),
        ("down_blocks.1", "down_blocks.3"), ("down_blocks.2", "down_blocks.6"), ("down_blocks.3", "down_blocks.8"),
        ("mid_block", "down_blocks.9"),
    )  # fmt: skip
    decoder = (
        ("up_blocks.0.upsamplers.0", "up_blocks.1"), ("up_blocks.1.upsamplers.0", "up_blocks.3"),
        ("up_blocks.2.upsamplers.0", "up_blocks.5"), ("mid_block", "up_blocks.0"), ("up_blocks.0", "up_blocks.2"),
        ("up_blocks.1", "up_blocks.4"), ("up_blocks.2", "up_blocks.6"),
    )  # fmt: skip
    if name in ("latents_mean", "latents_std"):
        return f"per_channel_statistics.{name.removeprefix('latents_')}-of-means"
    for new, old in encoder if name.startswith("encoder.") else decoder:
        if f".{new}." in name:
            name = name.replace(f".{new}.", f".{old}.", 1)
            break
    name = name.replace("conv_shortcut.conv", "conv_shortcut").replace("resnets", "res_blocks")
    name = name.replace(".norm3.", ".norm3.norm.")
    if name.startswith(("decoder.time_embedder", "decoder.scale_shift_table")):
        name = name.replace("decoder.", "decoder.last_", 1)
    return name
