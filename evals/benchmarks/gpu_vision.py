"""Qwen2.5-VL-7B on a card of 16 GB: in 8 bits, how long it looks at a picture and how long it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.benchmarks.gpu_card import GB, Card
from evals.benchmarks.gpu_full import fill, make
from evals.benchmarks.gpu_sdxl import timed
from evals.benchmarks.row import Row

if TYPE_CHECKING:
    import torch

__all__ = ["measure_vision"]

_PATCHES = (1, 42, 74)
"""Of a picture of about 1024 x 576: frames, rows and columns of 14 pixels; four of them make a token."""
_SMALL_PATCHES = (1, 4, 8)
_QUESTION, _ANSWER = 160, 64
"""Tokens of a judge's question besides the picture, and of its answer in JSON."""


def _questions(network: Any, card: Card, small: bool, dtype: torch.dtype) -> dict[str, Any]:
    """A picture of noise with a question after it."""
    import torch

    generator = torch.Generator().manual_seed(5)
    frames, rows, columns = _SMALL_PATCHES if small else _PATCHES
    config = network.config
    seen = frames * rows * columns // 4
    words = torch.randint(1000, 20000, (_QUESTION,), generator=generator).tolist()
    ids = [config.vision_start_token_id, *([config.image_token_id] * seen), config.vision_end_token_id, *words]
    kinds = [int(one == config.image_token_id) for one in ids]
    asked = {
        "input_ids": torch.tensor([ids]),
        "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
        "mm_token_type_ids": torch.tensor([kinds], dtype=torch.int),
        "pixel_values": torch.randn(frames * rows * columns, 1176, generator=generator).to(dtype),
        "image_grid_thw": torch.tensor([[frames, rows, columns]]),
    }
    return {name: value.to(card.device) for name, value in asked.items()}


def measure_vision(card: Card, *, small: bool = False, times: int = 3) -> tuple[list[Row], dict[str, Any]]:
    """Measure the first token (the picture is looked at) and an answer of 64.

    Returns:
        The rows, and everything that was measured.
    """
    import torch

    dtype = torch.bfloat16 if card.is_cuda else torch.float32
    network = make("qwen_vl", small=small)
    _fill_narrow(network, card, dtype)
    asked = _questions(network, card, small, dtype)

    def answer(tokens: int) -> Any:
        with torch.no_grad():
            return network.generate(
                **asked, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False, eos_token_id=None,
                pad_token_id=0,
            )  # fmt: skip

    found: dict[str, Any] = {"tokens_in": int(asked["input_ids"].shape[1]), "tokens_out": _ANSWER}
    found["first token"] = timed(card, lambda: answer(1), times)
    found["answer"] = timed(card, lambda: answer(_ANSWER), times)
    found["weights_gb"] = _bytes(network) / GB
    found["peak_gb"] = card.peak() / GB
    rest = found["answer"]["median"] - found["first token"]["median"]
    found["tokens_per_s"] = (_ANSWER - 1) / rest if rest > 0 else 0.0
    return [
        Row("Qwen2.5-VL-7B in 8 bits, first token", found["first token"]["median"], "s"),
        Row(f"Qwen2.5-VL-7B in 8 bits, an answer of {_ANSWER} tokens", found["answer"]["median"], "s"),
        Row("Qwen2.5-VL peak", found["peak_gb"], "GB", goal=15.5),
    ], found


def _fill_narrow(network: Any, card: Card, dtype: torch.dtype) -> None:
    """Random weights, the decoder's matrices in 8 bits; layer by layer, for in 16 bits they are more than the card."""
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    device = str(card.device)
    for number, layer in enumerate(network.model.language_model.layers):
        fill(layer, device, dtype, 100 + number)
        quantize_(layer, Int8WeightOnlyConfig())
        layer.requires_grad_(False)
    _fill_rest(network, device, dtype)


def _fill_rest(network: Any, device: str, dtype: torch.dtype) -> None:
    """Everything that is on meta still, and the buffers of all."""
    for number, module in enumerate(network.modules()):
        alone = list(module._parameters.values())
        if alone and all(weight is None or weight.is_meta for weight in alone):
            children, module._modules = module._modules, {}
            try:
                fill(module, device, dtype, 1000 + number)
            finally:
                module._modules = children
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = buffer.to(device)


def _bytes(network: Any) -> int:
    total = 0
    for weight in network.parameters():
        parts = weight.__tensor_flatten__()[0] if hasattr(weight, "__tensor_flatten__") else ()
        inner = [getattr(weight, part) for part in parts] or [weight]
        total += sum(one.numel() * one.element_size() for one in inner)
    return total
