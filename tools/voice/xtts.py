"""Cloned voices in many languages: XTTS v2, in the stack `xtts`. Needs the consent of whose voice it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from configs.settings import Settings
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import BadOutput, InvalidInput
from tools.sound import FloatArray, resample
from tools.voice.recorded import finish_recorded
from tools.voice.records import Reference, XttsVoice
from tools.voice.references import recorded
from tools.voice.sentences import parts_of
from tools.voice.shelf import VoiceShelf, digest_of, permitted
from tools.voice.speakable import clean_line, words_of
from tools.voice.tool import SynthesizeSpeech
from tools.voice.xtts_settings import XTTS_PATH, XttsBook, XttsLevers, levers_of, load_book, references_of
from tools.voice.xtts_weights import XttsModel, check_libraries

__all__ = ["XttsSpeech"]

REFERENCE_RATE = 22_050
"""Hz at which it listens to recordings (`Xtts.get_conditioning_latents`)."""
LONGEST_S = 30
"""Of a recording that it listens to; the rest adds nothing there."""
SHORTEST_S = 0.5


class XttsSpeech(Engine[SynthesizeSpeech.Input, SynthesizeSpeech.Output]):
    """`synthesize_speech` by XTTS v2."""

    tool: ClassVar = SynthesizeSpeech
    name: ClassVar[str] = "xtts"
    version: ClassVar[str] = "1"

    def __init__(self, settings: Path = XTTS_PATH, voices: Path | None = None) -> None:
        self._path, self._voices = settings, voices
        self._kept: tuple[Any, tuple[str, ...], Any] | None = None

    def check(self) -> None:
        check_libraries()

    def load(self) -> None:
        import TTS  # noqa: F401 - with torch and transformers

    def unload(self) -> None:
        self._kept = None

    def _shelf(self) -> VoiceShelf:
        return VoiceShelf(self._voices if self._voices is not None else Settings().voices_home)

    def fingerprint(self, args: SynthesizeSpeech.Input) -> str:
        book = load_book(self._path)
        voice = self._shelf().get(args.character, "xtts")
        known = {
            "voice": digest_of(voice) if voice is not None else "",
            "levers": levers_of(book, args).model_dump(mode="json"),
            "like": book.emotions[args.emotion].like,
            "limit": book.limits.get(args.language, 0),
            "pause": book.pause_s,
        }
        return hashlib.sha256(canonical_json(known)).hexdigest()

    def run(self, args: SynthesizeSpeech.Input, ctx: EngineContext) -> SynthesizeSpeech.Output:
        """Say the line in the character's voice; `exact_s` pads it with silence.

        Raises:
            MissingPrerequisite: the character has no voice of the kind `xtts`, or nobody consented to its use.
            InvalidInput: a language it does not speak, nothing to say, a recording that cannot be read or was changed.
            BadOutput: silence, what is no number, far too short or long, or longer than `exact_s`.
            Cancelled: within one step of the decoder.
        """
        text = clean_line(args.text)
        if not words_of(text):
            raise InvalidInput(f"there is nothing to say in {args.text[:40]!r}: no letters, no digits", where="text")
        book = load_book(self._path)
        # A record of this kind is of this class: the shelf checked it.
        voice = cast(XttsVoice, self._shelf().needed(args.character, "xtts"))
        use = permitted(voice)
        net: XttsModel = ctx.model("xtts_v2")
        _check_language(book, net, args.language)
        levers = levers_of(book, args)
        ctx.progress(0.02, f"{args.character} is listened to")
        latents = self._latents(net, references_of(book, voice, args.emotion))
        parts = parts_of(text, book.limits[args.language])
        pause = np.zeros(round(book.pause_s * net.rate), dtype=np.float32)
        sound: list[FloatArray] = []
        for number, part in enumerate(parts):
            ear = _Ear(ctx, number, len(parts), net.steps)
            said = _say(net, latents, part, args.language, levers, ctx.seed * 7919 + number, ctx.placing.device, ear)
            sound += [pause, said] if sound else [said]
        return finish_recorded(
            np.concatenate(sound), net.rate, args, ctx, voice=f"xtts:{args.character}", use=use,
            exact_s=args.exact_s or 0.0, record={"levers": levers.model_dump(mode="json"), "parts": len(parts)},
        )  # fmt: skip

    def _latents(self, net: XttsModel, references: tuple[Reference, ...]) -> Any:
        """What the voice is like, of its recordings; kept for the next line of the same voice."""
        import torch

        wanted = tuple(reference.sha256 for reference in references)
        if self._kept is not None and self._kept[0] is net and self._kept[1] == wanted:
            return self._kept[2]
        sounds = [torch.from_numpy(read_reference(reference.file))[None] for reference in references]
        with torch.no_grad():
            embeddings = [net.model.get_speaker_embedding(sound, REFERENCE_RATE).cpu() for sound in sounds]
            heard = net.model.get_gpt_cond_latents(
                torch.cat(sounds, dim=-1), REFERENCE_RATE, length=net.heard_s, chunk_length=net.piece_s
            )
        latents = heard.cpu().clone(), torch.stack(embeddings).mean(dim=0).clone()
        self._kept = (net, wanted, latents)
        return latents


def read_reference(path: Path) -> FloatArray:
    """A recording as mono `(n,)` at `REFERENCE_RATE`, `LONGEST_S` of it.

    Raises:
        InvalidInput: it cannot be read, is silent, or too short; names the file.
    """
    samples, rate = recorded(path)
    mono: FloatArray = samples[: LONGEST_S * rate].mean(axis=1)
    if len(mono) < SHORTEST_S * rate:
        raise InvalidInput(f"is shorter than {SHORTEST_S} s: nothing can be heard in it", where=str(path))
    if not np.all(np.isfinite(mono)) or float(np.max(np.abs(mono))) < 1e-3:
        raise InvalidInput("is silent, or holds values that are no numbers", where=str(path))
    out: FloatArray = np.clip(resample(mono, rate, REFERENCE_RATE), -1.0, 1.0)
    return out


def _check_language(book: XttsBook, net: XttsModel, language: str) -> None:
    if language not in book.limits or language not in net.languages:
        both = ", ".join(sorted(set(book.limits) & set(net.languages)))
        raise InvalidInput(f"XTTS does not speak {language!r} here; it speaks {both}", where="language")


class _Ear:
    """Between the logits and the sampling of every step: tells how far it is, and hears what is no number.

    On a GPU the sampling of what is no number would break the device for this process, so it must be heard before.
    """

    def __init__(self, ctx: EngineContext, part: int, parts: int, most: int) -> None:
        self._ctx, self._part, self._parts, self._most = ctx, part, parts, most
        self._steps = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002 - as transformers calls it
        if bool(scores.isnan().any()):
            raise BadOutput("XTTS computed values that are no numbers.")
        self._steps = min(self._steps + 1, self._most)
        done = (self._part + self._steps / self._most) / self._parts
        self._ctx.progress(0.05 + 0.7 * done, f"step {self._steps} of at most {self._most}")
        return scores


def _say(
    net: XttsModel, latents: Any, text: str, language: str, levers: XttsLevers, seed: int, device: str, ear: _Ear
) -> FloatArray:
    """One part of a line, `(n,)` at `net.rate`."""
    import torch
    from transformers import LogitsProcessorList

    kind, _, index = device.partition(":")
    cards = [] if kind == "cpu" else [int(index or 0)]
    with torch.random.fork_rng(cards, device_type=kind if cards else "cuda"), torch.no_grad():
        torch.manual_seed(seed % 2**63)
        said = net.model.inference(
            text, language, *latents,
            temperature=levers.temperature, top_k=levers.top_k, top_p=levers.top_p,
            repetition_penalty=levers.repetition_penalty, speed=levers.speed,
            logits_processor=LogitsProcessorList([ear]),
        )  # fmt: skip
    sound: FloatArray = np.asarray(said["wav"], dtype=np.float32).reshape(-1)
    return sound
