"""The networks themselves, at full size, from their published configurations, with random weights and no file at all.

`make(name)` gives a network without weights (device meta); `fill` puts random ones in, right on the device. `small`
ones have the same topology and narrow layers: for trying the benchmarks out on any machine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["NETWORKS", "Network", "fill", "make", "parameters", "words"]


@dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        library, kind: where its class is.
        config: as published, what differs from the class's own defaults.
        small: what is different in small.
        parameters: of the published weights.
        of_config: the class's name of its configuration; empty: the options are its own arguments.
    """

    library: str
    kind: str
    config: Mapping[str, Any]
    small: Mapping[str, Any]
    parameters: int
    of_config: str = ""


_DOWN = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D")
_UP = ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")
_SDXL: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280), "down_block_types": _DOWN, "layers_per_block": 2,
    "transformer_layers_per_block": (1, 2, 10), "attention_head_dim": (5, 10, 20), "cross_attention_dim": 2048,
    "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "use_linear_projection": True,
    "projection_class_embeddings_input_dim": 2816,
}  # fmt: skip
_SMALL_SDXL: dict[str, Any] = {
    "block_out_channels": (32, 64, 64), "transformer_layers_per_block": (1, 1, 2), "attention_head_dim": (1, 2, 2),
    "cross_attention_dim": 192, "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 176,
}  # fmt: skip
_CLIP: dict[str, Any] = {"vocab_size": 49408, "bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 1}
_SMALL_CLIP: dict[str, Any] = {"intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}

NETWORKS = {
    "sdxl_unet": Network(
        "diffusers", "UNet2DConditionModel", {**_SDXL, "up_block_types": _UP, "sample_size": 128},
        {**_SMALL_SDXL, "sample_size": 8}, 2_567_463_684,
    ),
    "sdxl_vae": Network(
        "diffusers", "AutoencoderKL",
        {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4, "sample_size": 1024,
         "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
         "scaling_factor": 0.13025, "force_upcast": True},
        {"block_out_channels": (32, 32, 32, 32), "layers_per_block": 1}, 83_653_863,
    ),
    "sdxl_text": Network(
        "transformers", "CLIPTextModel",
        {**_CLIP, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
         "projection_dim": 768, "hidden_act": "quick_gelu"},
        {**_SMALL_CLIP, "hidden_size": 64, "projection_dim": 64}, 123_060_480, "CLIPTextConfig",
    ),
    "sdxl_text_2": Network(
        "transformers", "CLIPTextModelWithProjection",
        {**_CLIP, "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20,
         "projection_dim": 1280, "hidden_act": "gelu"},
        {**_SMALL_CLIP, "hidden_size": 128, "projection_dim": 128}, 694_659_840, "CLIPTextConfig",
    ),
    "sdxl_controlnet": Network("diffusers", "ControlNetModel", _SDXL, _SMALL_SDXL, 1_251_014_160),
    "ltx_transformer": Network(
        "diffusers", "LTXVideoTransformer3DModel", {},
        {"num_attention_heads": 2, "attention_head_dim": 16, "cross_attention_dim": 32, "num_layers": 2,
         "caption_channels": 32}, 1_923_385_472,
    ),
    "ltx_vae": Network(
        "diffusers", "AutoencoderKLLTXVideo", {},
        {"block_out_channels": (16, 32, 32, 32), "decoder_block_out_channels": (16, 32, 32, 32),
         "layers_per_block": (1, 1, 1, 1, 1), "decoder_layers_per_block": (1, 1, 1, 1, 1)}, 419_193_649,
    ),
    "ltx_text": Network(
        "transformers", "T5EncoderModel",
        {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "vocab_size": 32128,
         "feed_forward_proj": "gated-gelu", "is_encoder_decoder": False},
        {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}, 4_762_310_656, "T5Config",
    ),
    "qwen_vl": Network(
        "transformers", "Qwen2_5_VLForConditionalGeneration",
        {"text_config": {
            "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
            "num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 128000,
            "rope_scaling": {"type": "mrope", "rope_type": "default", "mrope_section": [16, 24, 24]}},
         "vision_config": {
            "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584, "num_heads": 16,
            "fullatt_block_indexes": [7, 15, 23, 31], "hidden_act": "silu"},
         "image_token_id": 151655, "video_token_id": 151656, "vision_start_token_id": 151652,
         "vision_end_token_id": 151653, "tie_word_embeddings": False},
        {"text_config": {
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
            "num_key_value_heads": 1, "vocab_size": 152064, "max_position_embeddings": 4096,
            "rope_scaling": {"type": "mrope", "rope_type": "default", "mrope_section": [4, 6, 6]}},
         "vision_config": {
            "depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64, "num_heads": 2,
            "fullatt_block_indexes": [1], "hidden_act": "silu"}},
        8_292_166_656, "Qwen2_5_VLConfig",
    ),
}  # fmt: skip
"""By name; each with the number of parameters that the published weights have."""


def make(name: str, *, small: bool = False) -> Any:
    """A network without weights: its parameters are on the device meta, its buffers on the CPU and right."""
    import importlib

    from accelerate import init_empty_weights  # type: ignore[import-untyped]

    known = NETWORKS[name]
    library = importlib.import_module(known.library)
    options = {**known.config, **(known.small if small else {})}
    with init_empty_weights(include_buffers=False):
        if known.of_config:
            network = getattr(library, known.kind)(getattr(library, known.of_config)(**options))
        else:
            network = getattr(library, known.kind)(**options)
    if known.library == "transformers":
        # What is tied was torn apart on its way to meta.
        network.tie_weights()
    return network.requires_grad_(False).eval()


def parameters(network: Any) -> int:
    """How many numbers a network has; what is tied counts once."""
    return sum(weight.numel() for weight in network.parameters())


def fill(network: Any, device: str, dtype: torch.dtype, seed: int) -> Any:
    """Put random weights in, drawn on the device, of a size with which values neither fade nor grow between layers."""
    import torch

    generator = torch.Generator(device).manual_seed(seed)
    made: dict[int, torch.nn.Parameter] = {}
    for module in network.modules():
        for name, weight in module._parameters.items():
            if weight is None:
                continue
            if id(weight) not in made:
                values = _drawn(name, tuple(weight.shape), device, dtype, generator)
                made[id(weight)] = torch.nn.Parameter(values, requires_grad=False)
            module._parameters[name] = made[id(weight)]
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = buffer.to(device)
    return network


def _drawn(name: str, shape: tuple[int, ...], device: str, dtype: torch.dtype, generator: torch.Generator) -> Any:
    import torch

    if len(shape) < 2:
        return (torch.zeros if name == "bias" else torch.ones)(shape, device=device, dtype=dtype)
    scale = 1.0 / math.sqrt(math.prod(shape[1:]))
    return torch.randn(shape, device=device, dtype=dtype, generator=generator).mul_(scale)


def words(folder: Path) -> Any:
    """A tokenizer of CLIP's size that knows no words: one token a letter."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + number) for number in range(256 - len(letters))]
    known = [*letters, *(f"{letter}</w>" for letter in letters)]
    known += [f"<{number}>" for number in range(_CLIP["bos_token_id"] - len(known))]
    # `<|endoftext|>` has the highest id: the pooled output is taken there.
    known += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(known)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token="<|endoftext|>", model_max_length=77
    )
