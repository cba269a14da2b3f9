"""The three models that take turns on one card, as their real tensors with random content. Needs torch.

Shapes follow from the published configurations; the parameter counts are those of the released weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = [
    "MODELS",
    "ModelSpec",
    "Shape",
    "build",
    "clip_text",
    "qwen_language",
    "qwen_vision",
    "sdxl_unet",
    "sdxl_vae",
]

Shape = tuple[str, tuple[int, ...], str]
"""Name, size, type: `float16`, `bfloat16`, `float32`, `int8` or `int32`."""


@dataclass(frozen=True)
class ModelSpec:
    """One of the three.

    Attributes:
        name, about: which, and in which number format.
        modules: the shapes of each module, by its name.
        working: bytes that a call takes besides the weights.
    """

    name: str
    about: str
    modules: dict[str, Callable[[], Iterator[Shape]]]
    working: int


def _linear(name: str, wide: int, out: int, kind: str, bias: bool = True) -> Iterator[Shape]:
    yield f"{name}.weight", (out, wide), kind
    if bias:
        yield f"{name}.bias", (out,), kind


def _conv(name: str, wide: int, out: int, kernel: int, kind: str) -> Iterator[Shape]:
    yield f"{name}.weight", (out, wide, kernel, kernel), kind
    yield f"{name}.bias", (out,), kind


def _norm(name: str, wide: int, kind: str, bias: bool = True) -> Iterator[Shape]:
    yield f"{name}.weight", (wide,), kind
    if bias:
        yield f"{name}.bias", (wide,), kind


def _resnet(name: str, wide: int, out: int, kind: str, time: int = 0) -> Iterator[Shape]:
    yield from _norm(f"{name}.norm1", wide, kind)
    yield from _conv(f"{name}.conv1", wide, out, 3, kind)
    if time:
        yield from _linear(f"{name}.time_emb_proj", time, out, kind)
    yield from _norm(f"{name}.norm2", out, kind)
    yield from _conv(f"{name}.conv2", out, out, 3, kind)
    if wide != out:
        yield from _conv(f"{name}.conv_shortcut", wide, out, 1, kind)


def _transformer(name: str, wide: int, depth: int, kind: str, text: int = 2048) -> Iterator[Shape]:
    yield from _norm(f"{name}.norm", wide, kind)
    yield from _linear(f"{name}.proj_in", wide, wide, kind)
    for number in range(depth):
        block = f"{name}.blocks.{number}"
        for attention, keys in (("attn1", wide), ("attn2", text)):
            yield from _linear(f"{block}.{attention}.to_q", wide, wide, kind, bias=False)
            yield from _linear(f"{block}.{attention}.to_k", keys, wide, kind, bias=False)
            yield from _linear(f"{block}.{attention}.to_v", keys, wide, kind, bias=False)
            yield from _linear(f"{block}.{attention}.to_out", wide, wide, kind)
        for norm in ("norm1", "norm2", "norm3"):
            yield from _norm(f"{block}.{norm}", wide, kind)
        yield from _linear(f"{block}.ff.in", wide, 8 * wide, kind)
        yield from _linear(f"{block}.ff.out", 4 * wide, wide, kind)
    yield from _linear(f"{name}.proj_out", wide, wide, kind)


def sdxl_unet(kind: str = "float16") -> Iterator[Shape]:
    """SDXL base's UNet: 2,567,463,684 parameters."""
    time = 1280
    yield from _conv("conv_in", 4, 320, 3, kind)
    for name, wide in (("time_embedding", 320), ("add_embedding", 2816)):
        yield from _linear(f"{name}.1", wide, time, kind)
        yield from _linear(f"{name}.2", time, time, kind)
    for number, (wide, out, depth) in enumerate(((320, 320, 0), (320, 640, 2), (640, 1280, 10))):
        for layer in range(2):
            yield from _resnet(f"down.{number}.{layer}", out if layer else wide, out, kind, time)
            if depth:
                yield from _transformer(f"down.{number}.attn.{layer}", out, depth, kind)
        if number < 2:
            yield from _conv(f"down.{number}.downsample", out, out, 3, kind)
    yield from _resnet("mid.0", 1280, 1280, kind, time)
    yield from _transformer("mid.attn", 1280, 10, kind)
    yield from _resnet("mid.1", 1280, 1280, kind, time)
    skips = ((2560, 2560, 1920), (1920, 1280, 960), (960, 640, 640))
    for number, (out, depth) in enumerate(((1280, 10), (640, 2), (320, 0))):
        for layer, wide in enumerate(skips[number]):
            yield from _resnet(f"up.{number}.{layer}", wide, out, kind, time)
            if depth:
                yield from _transformer(f"up.{number}.attn.{layer}", out, depth, kind)
        if number < 2:
            yield from _conv(f"up.{number}.upsample", out, out, 3, kind)
    yield from _norm("conv_norm_out", 320, kind)
    yield from _conv("conv_out", 320, 4, 3, kind)


def _vae_mid(name: str, kind: str) -> Iterator[Shape]:
    yield from _resnet(f"{name}.0", 512, 512, kind)
    yield from _norm(f"{name}.attn.norm", 512, kind)
    for part in ("q", "k", "v", "out"):
        yield from _linear(f"{name}.attn.{part}", 512, 512, kind)
    yield from _resnet(f"{name}.1", 512, 512, kind)


def sdxl_vae(kind: str = "float32") -> Iterator[Shape]:
    """SDXL's VAE: 83,653,863 parameters."""
    yield from _conv("encoder.in", 3, 128, 3, kind)
    for number, (wide, out) in enumerate(((128, 128), (128, 256), (256, 512), (512, 512))):
        yield from _resnet(f"encoder.{number}.0", wide, out, kind)
        yield from _resnet(f"encoder.{number}.1", out, out, kind)
        if number < 3:
            yield from _conv(f"encoder.{number}.down", out, out, 3, kind)
    yield from _vae_mid("encoder.mid", kind)
    yield from _norm("encoder.norm", 512, kind)
    yield from _conv("encoder.out", 512, 8, 3, kind)
    yield from _conv("quant", 8, 8, 1, kind)
    yield from _conv("post_quant", 4, 4, 1, kind)
    yield from _conv("decoder.in", 4, 512, 3, kind)
    yield from _vae_mid("decoder.mid", kind)
    for number, (wide, out) in enumerate(((512, 512), (512, 512), (512, 256), (256, 128))):
        for layer in range(3):
            yield from _resnet(f"decoder.{number}.{layer}", out if layer else wide, out, kind)
        if number < 3:
            yield from _conv(f"decoder.{number}.up", out, out, 3, kind)
    yield from _norm("decoder.norm", 128, kind)
    yield from _conv("decoder.out", 128, 3, 3, kind)


def clip_text(wide: int, layers: int, projection: int = 0, kind: str = "float16") -> Iterator[Shape]:
    """A CLIP text encoder: 123,060,480 parameters with (768, 12), 694,659,840 with (1280, 32, 1280)."""
    yield "tokens", (49408, wide), kind
    yield "positions", (77, wide), kind
    for number in range(layers):
        for part in ("q", "k", "v", "out"):
            yield from _linear(f"{number}.{part}", wide, wide, kind)
        yield from _norm(f"{number}.norm1", wide, kind)
        yield from _norm(f"{number}.norm2", wide, kind)
        yield from _linear(f"{number}.fc1", wide, 4 * wide, kind)
        yield from _linear(f"{number}.fc2", 4 * wide, wide, kind)
    yield from _norm("final", wide, kind)
    if projection:
        yield from _linear("projection", wide, projection, kind, bias=False)


def _stored(name: str, wide: int, out: int, kind: str) -> Iterator[Shape]:
    """A linear layer without bias as it is stored: `int4` as AWQ does (8 numbers in an int32, groups of 128)."""
    if kind == "int4":
        yield f"{name}.qweight", (wide, out // 8), "int32"
        yield f"{name}.qzeros", (wide // 128, out // 8), "int32"
        yield f"{name}.scales", (wide // 128, out), "float16"
    elif kind == "int8":
        yield f"{name}.weight", (out, wide), "int8"
        yield f"{name}.scale", (out,), "float32"
    else:
        yield f"{name}.weight", (out, wide), kind


def qwen_language(
    wide: int, layers: int, keys: int, inner: int, kind: str, attention: str, mlp: Callable[[int], str]
) -> Iterator[Shape]:
    """Qwen2.5's decoder: 14,770,033,664 parameters with (5120, 48, 1024, 13824).

    Args:
        wide, layers, keys, inner: width, depth, width of keys and values, width inside the MLP.
        kind: type of embeddings, norms and biases.
        attention: how its linear layers are stored.
        mlp: the same for the MLP, by the number of the layer.
    """
    yield "embed", (152064, wide), kind
    for number in range(layers):
        for part, out in (("q", wide), ("k", keys), ("v", keys)):
            yield from _stored(f"{number}.{part}", wide, out, attention)
            yield f"{number}.{part}.bias", (out,), kind
        yield from _stored(f"{number}.o", wide, wide, attention)
        for part, (before, after) in {"gate": (wide, inner), "up": (wide, inner), "down": (inner, wide)}.items():
            yield from _stored(f"{number}.{part}", before, after, mlp(number))
        yield from _norm(f"{number}.norm1", wide, kind, bias=False)
        yield from _norm(f"{number}.norm2", wide, kind, bias=False)
    yield from _norm("norm", wide, kind, bias=False)
    yield "lm_head", (152064, wide), kind


def qwen_vision(kind: str = "bfloat16", out: int = 3584) -> Iterator[Shape]:
    """The eye of Qwen2.5-VL; with the decoder (3584, 28, 512, 18944) it makes 8,292,166,656 parameters."""
    wide, inner = 1280, 3420
    yield "patches", (wide, 3, 2, 14, 14), kind
    for number in range(32):
        yield from _norm(f"{number}.norm1", wide, kind, bias=False)
        yield from _norm(f"{number}.norm2", wide, kind, bias=False)
        yield from _linear(f"{number}.qkv", wide, 3 * wide, kind)
        yield from _linear(f"{number}.proj", wide, wide, kind)
        yield from _linear(f"{number}.gate", wide, inner, kind)
        yield from _linear(f"{number}.up", wide, inner, kind)
        yield from _linear(f"{number}.down", inner, wide, kind)
    yield from _norm("merger.norm", wide, kind, bias=False)
    yield from _linear("merger.0", 4 * wide, 4 * wide, kind)
    yield from _linear("merger.2", 4 * wide, out, kind)


def _llm() -> Iterator[Shape]:
    return qwen_language(5120, 48, 1024, 13824, "float16", "int4", lambda _layer: "int4")


def _judge() -> Iterator[Shape]:
    # All in bf16 it takes 16.6 GB and leaves nothing of a 16 GB card; every second MLP in 8 bits makes it 13.7.
    return qwen_language(3584, 28, 512, 18944, "bfloat16", "bfloat16", lambda n: "int8" if n % 2 else "bfloat16")


MODELS = (
    ModelSpec(
        "llm", "Qwen2.5-14B-Instruct, 4 bits in groups of 128, embeddings fp16", {"language": _llm}, 2_000_000_000
    ),
    ModelSpec(
        "sdxl",
        "SDXL base 1.0, fp16, VAE fp32",
        {
            "unet": sdxl_unet,
            "text_encoder": lambda: clip_text(768, 12),
            "text_encoder_2": lambda: clip_text(1280, 32, 1280),
            "vae": sdxl_vae,
        },
        4_500_000_000,
    ),
    ModelSpec(
        "judge",
        "Qwen2.5-VL-7B-Instruct, bf16, every second MLP 8 bits",
        {"visual": qwen_vision, "language": _judge},
        1_000_000_000,
    ),
)
"""In the order in which they take turns."""


def build(spec: ModelSpec, seed: int, shrink: int = 1) -> dict[str, torch.nn.Module]:
    """The modules of a model, on the CPU, with random content.

    Args:
        seed: of the content.
        shrink: take one tensor of so many, and of it the first rows: for trying the benchmark out on any machine.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    # A pool that is copied from at changing places: drawing 15 G numbers one by one takes minutes.
    pool = torch.randint(-128, 128, (max(1 << 20, (1 << 26) // shrink),), dtype=torch.int8, generator=generator)
    modules = {}
    offset = 0
    for name, shapes in spec.modules.items():
        module = torch.nn.Module()
        for number, (path, size, kind) in enumerate(shapes()):
            if number % shrink:
                continue
            size = (max(1, size[0] // shrink), *size[1:])
            weight = _random(size, getattr(torch, kind), pool, offset)
            offset = (offset + 4099 * 64) % pool.numel()
            # A parameter's name must have no dot.
            module.register_parameter(path.replace(".", "/"), torch.nn.Parameter(weight, requires_grad=False))
        modules[name] = module.eval()
    return modules


def _random(size: tuple[int, ...], kind: Any, pool: torch.Tensor, offset: int) -> torch.Tensor:
    import torch

    made = torch.empty(size, dtype=kind)
    flat = made.view(-1).view(torch.int8)
    done = 0
    while done < flat.numel():
        count = min(flat.numel() - done, pool.numel() - offset)
        flat[done : done + count] = pool[offset : offset + count]
        done, offset = done + count, 0
    return made
