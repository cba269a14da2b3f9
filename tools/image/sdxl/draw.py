"""A plan drawn: everything is put on the model for this one call, and taken off again however the call ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput
from tools.image.layout import Layout
from tools.image.sdxl.canvas import Canvas
from tools.image.sdxl.conditions import controls_of
from tools.image.sdxl.denoise import Keep, Look, Part, Request, denoise
from tools.image.sdxl.encode import Words, encode
from tools.image.sdxl.identity import Identity, with_identity
from tools.image.sdxl.lora import Wardrobe, attached
from tools.image.sdxl.narrow import is_narrow
from tools.image.sdxl.pictures import decode, encode_picture, fit
from tools.image.sdxl.plan import Plan
from tools.image.sdxl.recorded import replayed
from tools.image.sdxl.regions import latent_mask, region_weights
from tools.image.sdxl.schedulers import make_scheduler
from tools.model import Placing

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["Canvas", "draw"]

_REPAIR_GROWS = 0.03
"""Of the shorter side: a repaired character may come out a little larger than its mask."""
_MERGE_FROM_STEPS = 6
"""Fewer steps gain less from merged LoRAs than merging and restoring take."""
_AESTHETIC, _NEGATIVE_AESTHETIC = 6.0, 2.5
"""What the refiner is told (Podell et al. 2023, arXiv 2307.01952; diffusers' defaults)."""


def draw(plan: Plan, layout: Layout, canvas: Canvas) -> list[np.ndarray]:
    """Draw a picture, or several by the seeds that follow: each is the very one that its own seed alone gives.

    Returns:
        Each height x width x 3 uint8, of the size asked for.

    Raises:
        BadOutput: it is blank, or not a number.
        InvalidInput, MissingPrerequisite: a LoRA, ControlNet or reference cannot be used.
        Cancelled: within one step of being told.
    """
    import torch

    pipeline = canvas.pipeline
    with ExitStack() as stack, torch.no_grad():
        stack.enter_context(_sparing(pipeline, canvas.placing, sliced=canvas.placing.sliced and not plan.references))
        wardrobe = stack.enter_context(
            attached(pipeline, plan.adapters, canvas.dtype, canvas.device, _restore(plan, layout, canvas))
        )
        identity = stack.enter_context(
            with_identity(
                pipeline,
                plan.images.identity,
                plan.references,
                canvas.dtype,
                canvas.device,
                canvas.companions,
                canvas.note,
            )
        )
        stack.enter_context(canvas.hasten(plan))
        # One after the other: side by side they would not be, to the bit, what each is alone.
        count = plan.rendering.variants
        latents = [
            _sample(plan, layout, one, wardrobe, identity)
            for one in (canvas.variant(number, count) for number in range(count))
        ]
        canvas.sampled()
        canvas.progress(0.98, "decoding")
        pictures = [fit(decode(pipeline.vae, one), canvas.size) for one in latents]
    if plan.rendering.repair and canvas.start is not None:
        mask = layout.masks[plan.rendering.repair]
        pictures = [_pasted(picture, canvas.start, mask, canvas) for picture in pictures]
    return pictures


def _restore(plan: Plan, layout: Layout, canvas: Canvas) -> Callable[[], None] | None:
    """What undoes a merge, where merging LoRAs is possible and worth it."""
    apart = any(one.character for one in plan.adapters) and any(mask.any() for mask in layout.masks.values())
    if plan.preset.steps < _MERGE_FROM_STEPS or plan.references or (plan.regional and apart):
        return None
    modules = (canvas.pipeline.unet, canvas.pipeline.text_encoder, canvas.pipeline.text_encoder_2)
    return None if any(is_narrow(one) for one in modules if one is not None) else canvas.restore


@contextmanager
def _sparing(pipeline: Any, placing: Placing, *, sliced: bool) -> Iterator[None]:
    """Attention and decoder in parts while the block runs."""
    processors = pipeline.unet.attn_processors
    if placing.tiled:
        pipeline.vae.enable_tiling()
    if sliced:
        pipeline.unet.set_attention_slice("auto")
    try:
        yield
    finally:
        if placing.tiled:
            pipeline.vae.disable_tiling()
        if sliced:
            # Slices take the place of torch's own attention; this brings it back.
            pipeline.unet.set_attn_processor(processors)


def _sample(
    plan: Plan, layout: Layout, canvas: Canvas, wardrobe: Wardrobe | None, identity: Identity | None
) -> torch.Tensor:
    import torch

    generator = torch.Generator("cpu").manual_seed(canvas.seed)
    if identity is not None and not _people(plan, layout):
        identity = identity.for_all()
    wear = _wear(canvas.pipeline, wardrobe, identity)
    parts, negative = _parts(plan, layout, canvas, wear, identity)
    scheduler = make_scheduler(plan.preset.scheduler, canvas.pipeline.scheduler.config)
    scheduler.set_timesteps(plan.preset.steps, device=canvas.device)
    width, height = canvas.latent_size
    # On the CPU and in float32: one seed is one picture on every device.
    noise = torch.randn(1, 4, height, width, generator=generator).to(canvas.device, canvas.dtype)
    latents, timesteps, keep = _begin(plan, layout, canvas, scheduler, noise)
    refine = plan.preset.refine_from if canvas.refiner is not None and canvas.start is None else 1.0
    controls = controls_of(plan, layout, canvas, identity)
    asked = Request(
        unet=canvas.pipeline.unet, scheduler=scheduler, timesteps=_until(timesteps, scheduler, refine), parts=parts,
        negative=negative, guidance=plan.preset.guidance, time_ids=_time_ids(canvas), generator=generator,
        progress=_share(canvas.progress, 0.08, 0.08 + 0.88 * refine), controls=controls,
        negative_images=identity.nobody if identity else (), keep=keep, one_by_one=canvas.placing.smaller > 0,
        wear=wear,
    )  # fmt: skip
    replays = plan.images.replay and canvas.device.startswith("cuda")
    with replayed(asked, when=replays, note=canvas.note) as ready:
        latents = denoise(latents, ready)
    if refine < 1.0:
        latents = _refined(plan, canvas, latents, refine, generator)
    return latents


def _wear(pipeline: Any, wardrobe: Wardrobe | None, identity: Identity | None) -> Callable[[Look], Any]:
    if wardrobe is None and identity is not None and identity.adapters:
        wardrobe = Wardrobe(pipeline)

    @contextmanager
    def wear(look: Look) -> Iterator[None]:
        if wardrobe is not None:
            wardrobe.wear(look.adapters)
        if identity is not None:
            pipeline.set_ip_adapter_scale(look.identity)
        yield

    return wear


def _parts(
    plan: Plan, layout: Layout, canvas: Canvas, wear: Callable[[Look], Any], identity: Identity | None
) -> tuple[list[Part], Words]:
    """The parts of the picture with their words; and the negative's, padded to the same length."""
    people = _people(plan, layout)
    weights: Mapping[str, Any] = region_weights(people, canvas.latent_size, canvas.device) if people else {"": None}
    prompts = {name: plan.prompts.people[name] if name else plan.prompts.whole for name in weights}
    looks = {name: _look(name, plan, identity, whole=not people) for name in weights}
    words = _encoded(canvas, [(prompts[name], looks[name]) for name in weights], plan.prompts.negative, wear)
    parts = []
    for (name, weight), one in zip(weights.items(), words[:-1], strict=True):
        images: tuple[torch.Tensor, ...] = ()
        if identity is not None:
            images = identity.images.get(name) or identity.images.get("") or identity.nobody
        parts.append(Part(one, None if weight is None else weight.to(canvas.dtype), looks[name], images))
    return parts, words[-1]


def _people(plan: Plan, layout: Layout) -> dict[str, np.ndarray]:
    """The masks of those who are drawn by their own words; none where one prompt holds for the whole picture."""
    return {name: mask for name, mask in layout.masks.items() if plan.regional and mask.any()}


def _look(name: str, plan: Plan, identity: Identity | None, *, whole: bool) -> Look:
    """With regions a character's LoRA and references shape its own part alone; without, all shape the picture."""
    adapters = [one for one in plan.adapters if whole or one.character in ("", name)]
    worn = tuple((one.name, one.weight) for one in adapters)
    if identity is None or not (whole or name in identity.images or "" in identity.images):
        return Look(worn)
    weights = plan.reference_weights
    weight = max(weights.values(), default=1.0) if whole else weights.get(name if name in identity.images else "", 1.0)
    strength = plan.identity_scale * weight
    return Look(worn + identity.adapters if strength else worn, strength)


def _encoded(
    canvas: Canvas, asked: Sequence[tuple[str, Look]], negative: str, wear: Callable[[Look], Any]
) -> list[Words]:
    """Each prompt under the LoRAs of its part; the negative, last, under those of the first."""
    import torch

    found: list[Words] = []
    looks = [*asked, (negative, asked[0][1])]
    texts = [text for text, _ in looks]
    by_look: dict[tuple[tuple[str, float], ...], list[Words]] = {}
    for _, look in looks:
        if look.adapters not in by_look:
            with wear(look), torch.no_grad():
                by_look[look.adapters] = encode(canvas.pipeline, texts, canvas.device, canvas.dtype)
    for index, (_, look) in enumerate(looks):
        found.append(by_look[look.adapters][index])
    return found


def _begin(
    plan: Plan, layout: Layout, canvas: Canvas, scheduler: Any, noise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, Keep | None]:
    """Where the loop begins: from noise, or from a picture that was noised as far as it may change."""
    if canvas.start is None:
        return noise * scheduler.init_noise_sigma, scheduler.timesteps, None
    steps, order = plan.preset.steps, getattr(scheduler, "order", 1)
    first = max(steps - min(int(steps * plan.rendering.strength), steps), 0)
    first = min(first, steps - 1)
    timesteps = scheduler.timesteps[first * order :]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first * order)
    given = encode_picture(canvas.pipeline.vae, fit(canvas.start, canvas.working), canvas.dtype).to(canvas.device)
    latents = scheduler.add_noise(given, noise, timesteps[:1])
    if not plan.rendering.repair:
        return latents, timesteps, None
    shown = layout.masks.get(plan.rendering.repair)
    if shown is None or not shown.any():
        raise InvalidInput(f"the picture does not show {plan.rendering.repair}", where="rendering.repair")
    mask = latent_mask(shown, canvas.latent_size, canvas.device, grow=_REPAIR_GROWS).to(canvas.dtype)
    return latents, timesteps, Keep(mask, given, noise)


def _pasted(picture: np.ndarray, start: np.ndarray, mask: np.ndarray, canvas: Canvas) -> np.ndarray:
    """Outside the repaired part the very pixels that were there: the decoder alone would change them a little."""
    import numpy as np
    import torch
    from torch.nn.functional import interpolate

    small = latent_mask(mask, canvas.latent_size, "cpu", grow=_REPAIR_GROWS)
    share = interpolate(small, size=(canvas.size[1], canvas.size[0]), mode="bilinear", align_corners=False)
    soft = share.to(torch.float32).clamp(0, 1)[0, 0, :, :, None].numpy()
    mixed: np.ndarray = np.rint(picture * soft + start * (1.0 - soft)).astype(np.uint8)
    return mixed


def _time_ids(canvas: Canvas) -> torch.Tensor:
    import torch

    width, height = canvas.working
    return torch.tensor([[height, width, 0, 0, height, width]], device=canvas.device, dtype=canvas.dtype)


def _cutoff(scheduler: Any, fraction: float) -> int:
    trained = int(scheduler.config.num_train_timesteps)
    return round(trained - fraction * trained)


def _until(timesteps: torch.Tensor, scheduler: Any, fraction: float) -> torch.Tensor:
    """The timesteps before the refiner takes over."""
    if fraction >= 1.0:
        return timesteps
    kept = timesteps[timesteps >= _cutoff(scheduler, fraction)]
    return kept if len(kept) else timesteps[:1]


def _refined(plan: Plan, canvas: Canvas, latents: torch.Tensor, fraction: float, generator: Any) -> torch.Tensor:
    """The last part of the steps by the refiner, which reads the prompt by the second encoder alone."""
    import torch

    refiner = canvas.refiner
    scheduler = make_scheduler(plan.preset.scheduler, refiner.scheduler.config)
    scheduler.set_timesteps(plan.preset.steps, device=canvas.device)
    late = scheduler.timesteps < _cutoff(scheduler, fraction)
    timesteps = scheduler.timesteps[late]
    if not len(timesteps):
        return latents
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(len(scheduler.timesteps) - len(timesteps))
    positive, negative = encode(refiner, [plan.prompts.whole, plan.prompts.negative], canvas.device, refiner.unet.dtype)
    width, height = canvas.working

    def ids(score: float) -> torch.Tensor:
        return torch.tensor([[height, width, 0, 0, score]], device=canvas.device, dtype=refiner.unet.dtype)

    return denoise(
        latents.to(refiner.unet.dtype),
        Request(
            unet=refiner.unet, scheduler=scheduler, timesteps=timesteps, parts=[Part(positive)], negative=negative,
            guidance=plan.preset.guidance, time_ids=ids(_AESTHETIC), negative_time_ids=ids(_NEGATIVE_AESTHETIC),
            generator=generator, progress=_share(canvas.progress, 0.08 + 0.88 * fraction, 0.96),
            one_by_one=canvas.placing.smaller > 0,
        ),
    )  # fmt: skip


def _share(progress: Callable[[float, str], None], first: float, last: float) -> Callable[[float, str], None]:
    def report(fraction: float, text: str) -> None:
        progress(first + (last - first) * fraction, text)

    return report
