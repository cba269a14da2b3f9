"""Voices by description: Parler-TTS, in the stack `parler`. English; nobody's voice, so that it needs no consent."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from configs.settings import Settings
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import BadOutput, InvalidInput
from tools.sound import FloatArray
from tools.voice.parler_weights import ParlerModel, check_libraries
from tools.voice.parler_words import PARLER_PATH, Manner, ParlerBook, load_book, manner_of, speaker_of
from tools.voice.recorded import finish_recorded
from tools.voice.sentences import parts_of
from tools.voice.shelf import VoiceShelf
from tools.voice.speakable import clean_line, words_of
from tools.voice.tool import SynthesizeSpeech

__all__ = ["ParlerSpeech"]


class ParlerSpeech(Engine[SynthesizeSpeech.Input, SynthesizeSpeech.Output]):
    """`synthesize_speech` by Parler-TTS mini."""

    tool: ClassVar = SynthesizeSpeech
    name: ClassVar[str] = "parler"
    version: ClassVar[str] = "1"

    def __init__(self, words: Path = PARLER_PATH, voices: Path | None = None) -> None:
        self._path, self._voices = words, voices

    def check(self) -> None:
        check_libraries()

    def load(self) -> None:
        import parler_tts  # noqa: F401 - with torch and transformers

    def fingerprint(self, args: SynthesizeSpeech.Input) -> str:
        book = load_book(self._path)
        known = {
            "manner": self._manner(book, args).model_dump(mode="json"),
            "settings": book.model_dump(mode="json", include={"temperature", "most_letters", "most_s"}),
        }
        return hashlib.sha256(canonical_json(known)).hexdigest()

    def _manner(self, book: ParlerBook, args: SynthesizeSpeech.Input) -> Manner:
        home = self._voices if self._voices is not None else Settings().voices_home
        return manner_of(book, speaker_of(args, VoiceShelf(home)), args)

    def run(self, args: SynthesizeSpeech.Input, ctx: EngineContext) -> SynthesizeSpeech.Output:
        """Say the line; `exact_s` pads it with silence.

        Raises:
            InvalidInput: another language than English, nothing to say, or a record that is wrong.
            BadOutput: silence, what is no number, far too short or long, or longer than `exact_s`.
            Cancelled: within one step of the decoder.
        """
        if args.language != "en":
            raise InvalidInput(
                f"Parler-TTS mini speaks English, not {args.language!r}", where="language",
                hint="XTTS, ElevenLabs and espeak speak other languages.",
            )  # fmt: skip
        text = clean_line(args.text)
        if not words_of(text):
            raise InvalidInput(f"there is nothing to say in {args.text[:40]!r}: no letters, no digits", where="text")
        book = load_book(self._path)
        manner = self._manner(book, args)
        net: ParlerModel = ctx.model("parler_mini")
        parts = parts_of(text, book.most_letters)
        pause = np.zeros(round(manner.pace.pause_s * net.rate), dtype=np.float32)
        sound: list[FloatArray] = []
        for number, part in enumerate(parts):
            ctx.progress(0.02 + 0.76 * number / len(parts), manner.description[:100])
            ear = _Ear(ctx, number, len(parts), round(book.most_s * net.steps_per_s))
            # The same seed for each part keeps the voice that the description leaves open.
            said = _say(net, book, manner.description, part, ctx.seed, ctx.placing.device, ear)
            sound += [pause, said] if sound else [said]
        return finish_recorded(
            np.concatenate(sound), net.rate, args, ctx, voice=f"parler:{args.character}",
            exact_s=args.exact_s or 0.0, record={"description": manner.description}, slowest=manner.pace.slower,
        )  # fmt: skip


class _Ear:
    """Between the logits and the sampling of every step: tells how far it is, and hears what is no number.

    On a GPU the sampling of what is no number would break the device for this process, so it must be heard before.
    """

    def __init__(self, ctx: EngineContext, part: int, parts: int, most: int) -> None:
        self._ctx, self._part, self._parts, self.most = ctx, part, parts, most
        self._steps = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002 - as transformers calls it
        if bool(scores.isnan().any()):
            raise BadOutput(
                "Parler-TTS computed values that are no numbers.", hint="In fp16 some cards do that: bf16 or fp32 help."
            )
        self._steps = min(self._steps + 1, self.most)
        done = (self._part + self._steps / self.most) / self._parts
        self._ctx.progress(0.02 + 0.76 * done, f"step {self._steps} of at most {self.most}")
        return scores


def _say(
    net: ParlerModel, book: ParlerBook, description: str, text: str, seed: int, device: str, ear: _Ear
) -> FloatArray:
    """One part of a line, `(n,)` at `net.rate`."""
    import torch
    from parler_tts.logits_processors import ParlerTTSLogitsProcessor
    from transformers import LogitsProcessorList

    told, asked = (net.tokenizer(words, return_tensors="pt").to(device) for words in (description, text))
    settings = net.model.generation_config
    # The model's own keeps the codebooks' ends in step; a list of one's own replaces it.
    own = ParlerTTSLogitsProcessor(settings.eos_token_id, net.model.decoder.num_codebooks, 1, torch.device(device))
    kind, _, index = device.partition(":")
    cards = [] if kind == "cpu" else [int(index or 0)]
    with torch.random.fork_rng(cards, device_type=kind if cards else "cuda"), torch.no_grad():
        torch.manual_seed(seed % 2**63)
        drawn = net.model.generate(
            input_ids=told.input_ids,
            attention_mask=told.attention_mask,
            prompt_input_ids=asked.input_ids,
            prompt_attention_mask=asked.attention_mask,
            do_sample=True,
            temperature=book.temperature,
            max_length=ear.most,
            logits_processor=LogitsProcessorList([own, ear]),
        )
    sound: FloatArray = drawn.float().cpu().numpy().reshape(-1)
    return sound
