"""The one denoising loop: guidance, regions, ControlNets, kept parts, hand-over, and a look at the clock every step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tools.image.sdxl.encode import Words

if TYPE_CHECKING:
    import torch

__all__ = ["Control", "Keep", "Look", "Part", "denoise"]


@dataclass(frozen=True)
class Look:
    """What is switched on in the UNet for a part: LoRA weights by adapter, and how strongly references act."""

    adapters: tuple[tuple[str, float], ...] = ()
    identity: float = 0.0


@dataclass(frozen=True)
class Part:
    """A part of the picture with a prompt of its own.

    Attributes:
        words: its prompt.
        weight: 1 x 1 x h x w of the latents, how much of it is taken where; None: everywhere.
        look: what is switched on for it.
        images: of the IP-Adapters, 1 x pictures x ... each; of `negative_images` for what is avoided.
    """

    words: Words
    weight: torch.Tensor | None = None
    look: Look = Look()
    images: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True)
class Control:
    """A ControlNet with its map (1 x 3 x H x W, 0..1), and the fractions of the steps between which it acts.

    `mode` is the input of a union ControlNet that the map is for; None for a plain one. One that reads `faces` is
    given the tokens of the references in place of words, as InstantID's was trained.
    """

    net: Any
    image: torch.Tensor
    strength: float
    start: float = 0.0
    end: float = 1.0
    mode: int | None = None
    faces: bool = False

    def acts(self, step: int, steps: int) -> bool:
        """Whether it conditions this step; the rule is diffusers'."""
        return not (step / steps < self.start or (step + 1) / steps > self.end)


@dataclass(frozen=True)
class Keep:
    """What stays: `mask` 1 x 1 x h x w is 1 where the picture may change; `latents` and `noise` of the rest."""

    mask: torch.Tensor
    latents: torch.Tensor
    noise: torch.Tensor


@dataclass(frozen=True)
class Request:
    """All that the loop needs besides the latents.

    Attributes:
        unet, scheduler: diffusers' own.
        parts: what is drawn; weights add up to 1 everywhere.
        negative: what is avoided, of the same length as the parts' words.
        guidance: 1 or less computes no negative.
        time_ids: 1 x 6 (base) or 1 x 5 (refiner), what SDXL is told of sizes; `negative_time_ids` for what is avoided.
        one_by_one: samples go through the UNet singly, for little memory.
        wear: switches a look on while its samples are computed.
        generator: of schedulers that add noise.
        progress: called before every pass with the fraction done; may raise to stop.
    """

    unet: Any
    scheduler: Any
    timesteps: torch.Tensor
    parts: Sequence[Part]
    negative: Words
    guidance: float
    time_ids: torch.Tensor
    generator: Any
    progress: Callable[[float, str], None]
    negative_time_ids: torch.Tensor | None = None
    negative_images: tuple[torch.Tensor, ...] = ()
    controls: Sequence[Control] = ()
    keep: Keep | None = None
    one_by_one: bool = False
    wear: Callable[[Look], AbstractContextManager[None]] = field(default=lambda _look: nullcontext())


def denoise(latents: torch.Tensor, asked: Request) -> torch.Tensor:
    """Latents (1 x 4 x h x w, noised as the first timestep asks) to the latents after the last timestep."""
    steps = len(asked.timesteps)
    accepts = inspect.signature(asked.scheduler.step).parameters
    more = {"generator": asked.generator} if "generator" in accepts else {}
    groups = _by_look(asked.parts)
    for step, time in enumerate(asked.timesteps):
        scaled = asked.scheduler.scale_model_input(latents, time)
        noise = None
        for number, (look, parts) in enumerate(groups):
            asked.progress((step + number / len(groups)) / steps, f"step {step + 1} of {steps}")
            with asked.wear(look):
                share = _predict(asked, scaled, time, step, steps, parts)
            noise = share if noise is None else noise + share
        latents = asked.scheduler.step(noise, time, latents, **more, return_dict=False)[0]
        if asked.keep is not None:
            latents = _kept(asked, asked.keep, latents, step)
    return latents


def _by_look(parts: Sequence[Part]) -> list[tuple[Look, list[Part]]]:
    groups: dict[Look, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.look, []).append(part)
    return list(groups.items())


def _predict(
    asked: Request, scaled: torch.Tensor, time: torch.Tensor, step: int, steps: int, parts: Sequence[Part]
) -> torch.Tensor:
    """The weighted noise of the parts of one look, each guided away from the negative under the same look."""
    import torch

    guided = asked.guidance > 1.0
    words = [*([asked.negative] if guided else []), *(part.words for part in parts)]
    times = [*([asked.negative_time_ids] if guided else []), *([asked.time_ids] * len(parts))]
    ids = [asked.time_ids if one is None else one for one in times]
    images = [*([asked.negative_images] if guided else []), *(part.images for part in parts)]
    batches = [[index] for index in range(len(words))] if asked.one_by_one else [list(range(len(words)))]
    found: list[torch.Tensor] = []
    for batch in batches:
        if found:
            asked.progress(step / steps, f"step {step + 1} of {steps}")
        found.append(
            _pass(asked, scaled, time, step, steps, [words[i] for i in batch], [ids[i] for i in batch],
                  [images[i] for i in batch])
        )  # fmt: skip
    noises = torch.cat(found).chunk(len(words))
    total = None
    for part, noise in zip(parts, noises[1:] if guided else noises, strict=True):
        if guided:
            noise = noises[0] + asked.guidance * (noise - noises[0])
        share = noise if part.weight is None else noise * part.weight
        total = share if total is None else total + share
    assert total is not None
    return total


def _pass(
    asked: Request,
    scaled: torch.Tensor,
    time: torch.Tensor,
    step: int,
    steps: int,
    words: Sequence[Words],
    time_ids: Sequence[torch.Tensor],
    images: Sequence[tuple[torch.Tensor, ...]],
) -> torch.Tensor:
    """One batch through the ControlNets and the UNet."""
    import torch

    count = len(words)
    sample = scaled.expand(count, -1, -1, -1).contiguous()
    embeds = torch.cat([one.embeds for one in words])
    added: dict[str, Any] = {
        "text_embeds": torch.cat([one.pooled for one in words]),
        "time_ids": torch.cat(list(time_ids)),
    }
    down: list[torch.Tensor] | None = None
    mid: torch.Tensor | None = None
    acting = [one for one in asked.controls if one.acts(step, steps) and one.strength != 0.0]
    for controls in _by_net(acting):
        some_down, some_mid = controls[0].net(
            sample,
            time,
            encoder_hidden_states=torch.cat([one[0].flatten(1, 2) for one in images]) if controls[0].faces else embeds,
            guess_mode=False,
            added_cond_kwargs=added,
            return_dict=False,
            **_conditions(controls, count),
        )
        down = list(some_down) if down is None else [one + two for one, two in zip(down, some_down, strict=True)]
        mid = some_mid if mid is None else mid + some_mid
    if images[0]:
        added = {**added, "image_embeds": [torch.cat(list(one)) for one in zip(*images, strict=True)]}
    noise: torch.Tensor = asked.unet(
        sample,
        time,
        encoder_hidden_states=embeds,
        down_block_additional_residuals=down,
        mid_block_additional_residual=mid,
        added_cond_kwargs=added,
        return_dict=False,
    )[0]
    return noise


def _by_net(controls: Sequence[Control]) -> list[list[Control]]:
    """Maps of one union ControlNet go through it at once; a plain one has a pass for each."""
    groups: dict[int, list[Control]] = {}
    for number, control in enumerate(controls):
        groups.setdefault(-1 - number if control.mode is None else id(control.net), []).append(control)
    return list(groups.values())


def _conditions(controls: Sequence[Control], count: int) -> dict[str, Any]:
    """What a ControlNet is given of its maps, for so many samples."""
    import torch

    first = controls[0]
    images = [one.image.expand(count, -1, -1, -1) for one in controls]
    if first.mode is None:
        return {"controlnet_cond": images[0], "conditioning_scale": first.strength}
    modes = [int(one.mode or 0) for one in controls]
    told = torch.zeros(count, int(first.net.config.num_control_type), device=first.image.device)
    told[:, modes] = 1.0
    return {
        "controlnet_cond": images,
        "conditioning_scale": [one.strength for one in controls],
        "control_type": told.to(first.image.dtype),
        "control_type_idx": modes,
    }


def _kept(asked: Request, keep: Keep, latents: torch.Tensor, step: int) -> torch.Tensor:
    """Outside the mask: what was there, as noisy as the next step expects."""
    rest = keep.latents
    if step + 1 < len(asked.timesteps):
        following = asked.timesteps[step + 1 : step + 2]
        rest = asked.scheduler.add_noise(keep.latents, keep.noise, following)
    return (1.0 - keep.mask) * rest + keep.mask * latents
