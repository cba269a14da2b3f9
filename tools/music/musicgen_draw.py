"""Sound from MusicGen, as long as asked: windows of at most 30 s, each going on from the last seconds of another.

The model was trained on 30 s (Copet et al., "Simple and Controllable Music Generation", 2023) and goes on from sound
that it is given; what it returns begins with its own rendering of that, which is where one window becomes the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tools.errors import BadOutput
from tools.music.musicgen_weights import MusicgenModel
from tools.music.musicgen_words import MusicgenBook
from tools.sound import FloatArray

__all__ = ["draw_music"]

Tell = Callable[[float, str], None]
SILENT = 1e-3
"""A piece that never gets louder than this (-60 dBFS) is no music."""
LEAST_STEPS = 16
"""Fewer steps than the delay pattern of its codebooks needs are not drawn."""


def draw_music(
    net: MusicgenModel, book: MusicgenBook, words: str, seconds: float, seed: int, device: str, tell: Tell
) -> FloatArray:
    """Music of at least `seconds`.

    Args:
        words: the description.
        seed: the same gives the same sound on the same machine.
        device: where the model is.
        tell: told the fraction done and a text at every step; what it raises ends the drawing.

    Returns:
        `(n, channels)` at `net.rate`.

    Raises:
        BadOutput: the model computed no numbers, or silence.
    """
    total = math.ceil(seconds * net.rate / net.hop)
    window, heard = (int(part * net.rate / net.hop) for part in (book.window_s, book.prompt_s))
    fade = max(1, round(book.crossfade_s * net.rate))
    sound = np.zeros(((total + LEAST_STEPS) * net.hop, net.channels), dtype=np.float32)
    done = number = 0
    while done < total:
        prompt = min(heard, done)
        wanted = max(LEAST_STEPS, min(window - prompt, total - done))
        at, given = done * net.hop, prompt * net.hop
        ear = _Ear(done, wanted, total, tell)
        words_and_sound = _inputs(net, words, sound[at - given : at], device)
        piece = _window(net, book, words_and_sound, wanted, _Seeded(seed * 7919 + number, device), ear)
        _join(sound[at - given : at], piece[:given], fade)
        sound[at : at + wanted * net.hop] = piece[given : given + wanted * net.hop]
        done, number = done + wanted, number + 1
    sound = sound[: done * net.hop]
    if float(np.max(np.abs(sound))) < SILENT:
        raise BadOutput(f"MusicGen drew {len(sound) / net.rate:.1f} s of silence.")
    return sound


class _Ear:
    """Between the logits and the sampling of every step: tells how far it is, and hears what is no number.

    On a GPU the sampling of what is no number would break the device for this process, so it must be heard before.
    """

    def __init__(self, done: int, wanted: int, total: int, tell: Tell) -> None:
        self._done, self._wanted, self._total, self._tell = done, wanted, total, tell
        self._steps = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002 - as transformers calls it
        if bool((scores.isnan() | scores.isposinf()).any()):
            raise BadOutput(
                "MusicGen computed values that are no numbers.", hint="In fp16 some cards do that: bf16 or fp32 help."
            )
        self._steps = min(self._steps + 1, self._wanted)
        now = self._done + self._steps
        self._tell(min(1.0, now / self._total), f"step {now} of {self._total}")
        return scores


class _Seeded:
    """Random numbers from `seed` inside, and those of the process as they were after it."""

    def __init__(self, seed: int, device: str) -> None:
        import torch

        kind, _, index = device.partition(":")
        cards = [] if kind == "cpu" else [int(index or 0)]
        self._seed = seed % 2**63
        self._kept = torch.random.fork_rng(cards, device_type=kind if cards else "cuda")

    def __enter__(self) -> None:
        import torch

        self._kept.__enter__()
        torch.manual_seed(self._seed)

    def __exit__(self, *error: Any) -> None:
        self._kept.__exit__(*error)


def _inputs(net: MusicgenModel, words: str, given: FloatArray, device: str) -> Any:
    """What the model reads: the words, and the sound that it is to go on from where there is some."""
    audio = {}
    if len(given):
        audio = {"audio": given[:, 0] if net.channels == 1 else given.T, "sampling_rate": net.rate}
    inputs = net.processor(text=[words], padding=True, return_tensors="pt", **audio).to(device)
    if "input_values" in inputs:
        inputs["input_values"] = inputs["input_values"].to(net.model.audio_encoder.dtype)
    return inputs


def _window(net: MusicgenModel, book: MusicgenBook, inputs: Any, steps: int, seeded: _Seeded, ear: _Ear) -> FloatArray:
    """One window: the rendering of what was given, and `steps` more."""
    import torch
    from transformers import LogitsProcessorList

    with seeded, torch.no_grad():
        drawn = net.model.generate(
            **inputs,
            do_sample=True,
            guidance_scale=book.guidance,
            temperature=book.temperature,
            top_k=book.top_k,
            # A step of music is whole when the last of its codebooks has come, each one step after the other.
            max_new_tokens=steps + net.codebooks - 1,
            logits_processor=LogitsProcessorList([ear]),
        )
    sound: FloatArray = drawn[0].float().cpu().numpy().T
    if not np.all(np.isfinite(sound)):
        raise BadOutput("MusicGen drew samples that are no numbers.")
    return sound


def _join(end: FloatArray, again: FloatArray, fade: int) -> None:
    """Have the last `fade` samples of `end` become what the next window made of them, in place.

    Both are the same music, so that the two weigh 1 in all; of unlike sounds it would be their powers.
    """
    fade = min(fade, len(end))
    if fade:
        ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)[:, None]
        end[-fade:] = end[-fade:] * (1 - ramp) + again[-fade:] * ramp
