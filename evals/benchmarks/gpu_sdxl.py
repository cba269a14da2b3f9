"""SDXL on a card: a picture by the studio's own loop, in several ways, beside stock diffusers with the same weights."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.benchmarks.gpu_card import GB, Card
from evals.benchmarks.gpu_full import fill, make, words
from evals.benchmarks.row import Row

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["WAYS", "Asked", "measure_sdxl"]

WAYS = ("plain", "graphs", "kept", "compiled", "blocks", "whole")
"""plain: as the engine does. graphs: passes recorded for a picture of 8 steps or more. kept: recorded, and kept for the
next picture. compiled: recorded, and the UNet compiled as a preset with `compile` has it. blocks, whole: recorded, and
the transformer blocks, or UNet and decoder, compiled with a search for the fastest kernels."""

_PROMPT, _NEGATIVE = "a boy on a beach at sunset, soft light, wide shot", "blurry, flat"


@dataclass(frozen=True)
class Asked:
    """A picture: `steps`, `guidance` (0 computes no negative), `scheduler` by the studio's name, side in pixels."""

    name: str
    steps: int
    guidance: float
    scheduler: str
    side: int
    control: bool = False


@dataclass
class Studio:
    """SDXL on the card, and a ControlNet."""

    card: Card
    pipeline: Any
    controlnet: Any
    dtype: torch.dtype
    small: bool
    kept: Any = field(default=None)

    def noise(self, asked: Asked) -> torch.Tensor:
        import torch

        size = asked.side // 8
        drawn = torch.randn(1, 4, size, size, generator=torch.Generator("cpu").manual_seed(7))
        return drawn.to(self.card.device, self.dtype)

    def map(self, asked: Asked) -> torch.Tensor:
        import torch

        drawn = torch.rand(1, 3, asked.side, asked.side, generator=torch.Generator("cpu").manual_seed(8))
        return drawn.to(self.card.device, self.dtype)


def build(card: Card, small: bool) -> Studio:
    """All networks on the card with random weights; the VAE's are such that 16 bits hold them exactly."""
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    dtype = torch.float16 if card.is_cuda else torch.float32
    device = str(card.device)

    def network(name: str, seed: int, kind: torch.dtype = dtype) -> Any:
        return fill(make(name, small=small), device, kind, seed)

    with tempfile.TemporaryDirectory() as folder:
        tokenizers = [words(Path(folder) / name) for name in ("one", "two")]
    pipeline = StableDiffusionXLPipeline(
        vae=network("sdxl_vae", 1, torch.float16).to(torch.float32),
        text_encoder=network("sdxl_text", 2),
        text_encoder_2=network("sdxl_text_2", 3),
        tokenizer=tokenizers[0],
        tokenizer_2=tokenizers[1],
        unet=network("sdxl_unet", 4),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading",
            steps_offset=1,
        ),
        add_watermarker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return Studio(card, pipeline, network("sdxl_controlnet", 5), dtype, small)


def ours(studio: Studio, asked: Asked, way: str = "plain") -> np.ndarray:
    """A picture as the engine draws it, from words to pixels (side x side x 3 uint8)."""
    import torch

    from tools.image.sdxl.denoise import Control, Part, Request, denoise
    from tools.image.sdxl.encode import encode
    from tools.image.sdxl.pictures import decode
    from tools.image.sdxl.schedulers import make_scheduler

    device, pipeline = str(studio.card.device), studio.pipeline
    with torch.no_grad(), _unet(studio, asked, way) as unet:
        positive, negative = encode(pipeline, [_PROMPT, _NEGATIVE], device, studio.dtype)
        scheduler = make_scheduler(asked.scheduler, pipeline.scheduler.config)
        scheduler.set_timesteps(asked.steps, device=device)
        sizes = [[asked.side, asked.side, 0, 0, asked.side, asked.side]]
        request = Request(
            unet=unet, scheduler=scheduler, timesteps=scheduler.timesteps, parts=[Part(positive)], negative=negative,
            guidance=asked.guidance, time_ids=torch.tensor(sizes, device=device, dtype=studio.dtype),
            generator=torch.Generator("cpu").manual_seed(7), progress=lambda _fraction, _text: None,
            controls=[Control(studio.controlnet, studio.map(asked), 0.8)] if asked.control else (),
        )  # fmt: skip
        latents = denoise(studio.noise(asked) * scheduler.init_noise_sigma, request)
        return decode(pipeline.vae, latents)


@contextmanager
def _unet(studio: Studio, asked: Asked, way: str) -> Iterator[Any]:
    from tools.image.sdxl.recorded import WORTH_RECORDING, CudaGraph, Recorded, recorded

    record = CudaGraph if studio.card.is_cuda else Rerun
    net = studio.pipeline.unet
    if way == "compiled":
        with _compiled(net), _unet(studio, asked, "graphs") as unet:
            yield unet
        return
    if way == "kept":
        studio.kept = studio.kept or Recorded(net, lambda: 0, record)
        yield studio.kept
    elif way == "plain" or asked.steps < WORTH_RECORDING:
        yield net
    else:
        with recorded(net, lambda: 0, record) as unet:
            yield unet


@contextmanager
def _compiled(net: Any) -> Iterator[None]:
    """The UNet compiled as the engine does it where a preset says so."""
    from types import SimpleNamespace

    from tools.image.sdxl.haste import Haste

    plan: Any = SimpleNamespace(preset=SimpleNamespace(compile=True), references={})
    haste = net.__dict__.setdefault("_benchmark_haste", Haste())
    with haste.of(net)(plan):
        yield
    if haste.note:
        raise RuntimeError(haste.note)


class Rerun:
    """In the place of a CUDA graph where there is no card: computes again from the same tensors."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute

    def replay(self) -> Any:
        return self._compute()


def stock(studio: Studio, asked: Asked) -> np.ndarray:
    """The same picture by diffusers' pipeline as its documentation has it, everything in the width of the weights."""
    import numpy as np
    from diffusers import StableDiffusionXLControlNetPipeline

    from tools.image.sdxl.schedulers import make_scheduler

    pipeline, more = studio.pipeline, {}
    scheduler = make_scheduler(asked.scheduler, pipeline.scheduler.config)
    if asked.control:
        pipeline = StableDiffusionXLControlNetPipeline(
            **pipeline.components, controlnet=studio.controlnet, add_watermarker=False
        )  # fmt: skip
        pipeline.set_progress_bar_config(disable=True)
        more = {"image": studio.map(asked), "controlnet_conditioning_scale": 0.8}
    before, pipeline.scheduler = pipeline.scheduler, scheduler
    try:
        drawn = pipeline(
            prompt=_PROMPT, negative_prompt=_NEGATIVE, height=asked.side, width=asked.side, latents=studio.noise(asked),
            num_inference_steps=asked.steps, guidance_scale=asked.guidance, output_type="np", **more,
        ).images[0]  # fmt: skip
    finally:
        pipeline.scheduler = before
    pixels: np.ndarray = np.rint(drawn * 255).astype(np.uint8)
    return pixels


def timed(card: Card, do: Callable[[], Any], times: int) -> dict[str, Any]:
    """Seconds: `first` with all that is done once, then the median of so many, and the least."""
    first = card.seconds(do)
    seconds = [card.seconds(do) for _ in range(times)]
    return {"first": first, "median": statistics.median(seconds), "least": min(seconds), "times": times}


def _drawn(card: Card, draw: Callable[[], np.ndarray], times: int) -> tuple[dict[str, Any], np.ndarray]:
    """How long a picture takes, and the picture."""
    pictures: list[np.ndarray] = []
    return timed(card, lambda: pictures.append(draw()), times), pictures[-1]


def _difference(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    import numpy as np

    apart = np.abs(one.astype(int) - other.astype(int))
    return {"mean": round(float(apart.mean()), 4), "most": float(apart.max())}


TUNED: dict[str, Any] = {
    "max_autotune": True, "conv_1x1_as_mm": True, "coordinate_descent_tuning": True,
    "coordinate_descent_check_all_directions": True, "epilogue_fusion": False, "triton.cudagraphs": False,
}  # fmt: skip
"""Options of torch's compiler that diffusion models gain from (PyTorch, "Accelerating Generative AI Part III")."""


def hasten(pipeline: Any, compile_: str = "", *, tuned: bool = True) -> None:
    """Have SDXL's UNet and decoder in the layout that convolutions are fastest in; and compiled, where that is asked.

    Args:
        pipeline: of SDXL, before its weights are packed.
        compile_: `blocks`: the transformer blocks, which takes a minute on first use; `whole`: UNet and decoder, which
            takes several and gains more.
        tuned: search for the fastest kernels as well, which takes longer.
    """
    import torch

    for part in (pipeline.unet, pipeline.vae):
        part.to(memory_format=torch.channels_last)
    if not compile_:
        return
    options = TUNED if tuned else {"triton.cudagraphs": False}
    if compile_ == "blocks":
        pipeline.unet.compile_repeated_blocks(fullgraph=True, dynamic=False, options=options)
    else:
        pipeline.unet.compile(fullgraph=True, dynamic=False, options=options)
        pipeline.vae.decoder.compile(dynamic=False, options=options)


def _prepare(studio: Studio, way: str) -> float:
    """Bring the networks into the form of a way; seconds of it, without what compiles at the first pass."""
    import torch

    started = time.perf_counter()
    if way != "plain":
        torch._dynamo.reset()
        hasten(studio.pipeline, way if way in ("blocks", "whole") else "", tuned=not studio.small)
    return time.perf_counter() - started


def measure_sdxl(
    card: Card, *, small: bool = False, times: int = 5, ways: tuple[str, ...] = WAYS
) -> tuple[list[Row], dict[str, Any]]:
    """Measure pictures of 30 and of 4 steps, and with a ControlNet.

    Args:
        small: narrow networks, pictures of 64 pixels and 9 steps in the place of 30, for any machine.
        times: pictures a figure, after the first.
        ways: of `WAYS`, in that order.

    Returns:
        The rows, and everything that was measured.
    """
    import torch

    side, many = (64, 9) if small else (1024, 30)
    pictures = [
        Asked("30 steps", many, 7.5, "dpmpp_2m", side),
        Asked("4 steps", 4, 0.0, "euler_trailing", side),
        Asked("30 steps + ControlNet", many, 7.5, "dpmpp_2m", side, control=True),
    ]
    studio = build(card, small)
    found: dict[str, Any] = {"side": side, "dtype": str(studio.dtype), "stock": {}, "ours": {}}
    drawn: dict[str, np.ndarray] = {}
    with torch.no_grad():
        studio.pipeline.vae.to(studio.dtype)
        for asked in pictures:
            found["stock"][asked.name], drawn[asked.name] = _drawn(card, partial(stock, studio, asked), times)
        studio.pipeline.vae.to(torch.float32)
        found["stock_peak_gb"] = round(card.peak() / GB, 3)
        card.forget_peak()
        for way in (one for one in WAYS if one in ways):
            found["ours"][way] = _one_way(studio, way, pictures, times, drawn)
    return _rows(found, pictures, card), found


def _one_way(
    studio: Studio, way: str, pictures: list[Asked], times: int, drawn: dict[str, np.ndarray]
) -> dict[str, Any]:
    told: dict[str, Any] = {"prepare_s": round(_prepare(studio, way), 3)}
    for asked in pictures:
        try:
            told[asked.name], picture = _drawn(studio.card, partial(ours, studio, asked, way), times)
            told[asked.name]["from stock"] = _difference(picture, drawn[asked.name])
        except RuntimeError as error:
            # One way that this card or this torch cannot go: the others are measured all the same.
            told[asked.name] = {"failed": str(error).strip().splitlines()[0][:300]}
    if studio.kept is not None:
        told["note"] = studio.kept.note
        studio.kept.close()
        studio.kept = None
    told["peak_gb"] = round(studio.card.peak() / GB, 3)
    return told


def _rows(found: dict[str, Any], pictures: list[Asked], card: Card) -> list[Row]:
    rows = []
    goals = {"30 steps": 1.25, "4 steps": 0.23}
    for asked in pictures:
        times = {way: told[asked.name]["median"] for way, told in found["ours"].items() if "median" in told[asked.name]}
        if not times:
            continue
        best = min(times, key=lambda way: times[way])
        beside = found["stock"][asked.name]["median"]
        goal = goals.get(asked.name)
        rows.append(Row(f"SDXL {asked.name}, {best}", times[best], "s", goal, beside, "stock diffusers"))
        if asked.name == "30 steps":
            rows.append(Row("SDXL 30 steps, ours / stock", times[best] / beside, "x", goal=0.5))
    rows.append(Row("SDXL peak of all ways", card.peak() / GB, "GB", goal=15.5))
    return rows
