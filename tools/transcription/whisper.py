"""`transcribe` by faster-whisper: Whisper on CTranslate2, without torch.

Nobody speaks in silence, but Whisper hears words there: what is silent is not given to it at all, what its voice
detector (silero, which comes with the library) finds no speech in is left out, and what it is itself unsure of is
dropped by the limits of OpenAI's own decoder (Radford et al. 2022, section 4.5: compression ratio 2.4, log probability
-1, no-speech probability 0.6).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tools.base import Engine, EngineContext
from tools.errors import BadOutput, EngineFailed, InvalidInput, OutOfMemory
from tools.sound import FloatArray, gain
from tools.transcription.recordings import RATE, read_recording, sound_file_of
from tools.transcription.tool import HeardSegment, HeardWord, Transcribe

__all__ = ["FasterWhisper", "FasterWhisperSmall", "FasterWhisperTurbo"]

BEAM = 5
BATCH = 8
"""Pieces of 30 s that are heard at once."""
ALONE_S = 30.0
"""A recording up to this long is heard in one piece."""
SILENT_DB = -60.0
VAD = {"min_silence_duration_ms": 500, "speech_pad_ms": 200}
GUARDS: dict[str, Any] = {
    "compression_ratio_threshold": 2.4,
    "log_prob_threshold": -1.0,
    "no_speech_threshold": 0.6,
    # What it heard before must not talk it into hearing more of the same.
    "condition_on_previous_text": False,
}


class FasterWhisper(Engine[Transcribe.Input, Transcribe.Output]):
    """Whisper large-v3."""

    tool = Transcribe
    name = "faster_whisper"
    version = "1"
    model: ClassVar[str] = "whisper_large_v3"
    hearing: ClassVar[float] = 0.98
    """How much of the work is done when all is heard."""

    def run(self, args: Transcribe.Input, ctx: EngineContext) -> Transcribe.Output:
        """Write down what is said.

        Raises:
            InvalidInput: the recording cannot be read, or the model does not know the language.
            OutOfMemory: of the device; EngineFailed: CTranslate2 broke.
        """
        whisper = ctx.model(self.model).whisper
        path = sound_file_of(ctx.open(args.audio)) if args.audio is not None else Path(args.file)
        ctx.progress(0.0, "reading the recording")
        sound = read_recording(path, lambda at: ctx.progress(0.02, f"{at:.0f} s read"))
        duration = len(sound) / RATE
        if args.language and args.language not in whisper.supported_languages:
            raise InvalidInput(f"{self.model} does not know the language {args.language!r}", where="language")
        spans = _speech(sound)
        if not spans:
            loud = float(np.max(np.abs(sound))) > gain(SILENT_DB)
            note = "nobody speaks in it" if loud else "the recording is silent"
            return _written(ctx, args, args.language, 1.0 if args.language else 0.0, duration, [], note, [])
        ctx.progress(0.05, "listening")
        try:
            segments, info = _heard(whisper, sound, args, spans, max(1, BATCH >> ctx.placing.smaller), ctx.seed)
            kept = _kept(segments, duration, args.words, self.hearing, ctx)
        except RuntimeError as error:
            text = str(error).strip().splitlines()[0][:200]
            raise (OutOfMemory if "out of memory" in text.lower() else EngineFailed)(f"CTranslate2: {text}") from error
        kept, notes = self.timed(kept, sound, info.language, ctx)
        note = "" if kept else "nothing in it could be understood"
        return _written(ctx, args, info.language, _share(info.language_probability), duration, kept, note, notes)

    def timed(
        self,
        segments: list[HeardSegment],
        sound: FloatArray,  # noqa: ARG002
        language: str,  # noqa: ARG002
        ctx: EngineContext,  # noqa: ARG002
    ) -> tuple[list[HeardSegment], list[str]]:
        """What was heard with the times of its words, and what is to be said of them; here they stay Whisper's own."""
        return segments, []

    def fingerprint(self, args: Transcribe.Input) -> str:  # noqa: ARG002
        return f"{BEAM} {BATCH}"


class FasterWhisperTurbo(FasterWhisper):
    """Whisper large-v3 turbo."""

    name = "faster_whisper_turbo"
    model = "whisper_turbo"


class FasterWhisperSmall(FasterWhisper):
    """Whisper small, for machines without a GPU."""

    name = "faster_whisper_small"
    model = "whisper_small"


def _speech(sound: FloatArray) -> list[dict[str, int]]:
    """Where somebody speaks, in samples; none where it is silent."""
    if float(np.max(np.abs(sound))) <= gain(SILENT_DB):
        return []
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    found: list[dict[str, int]] = get_speech_timestamps(sound, VadOptions(**VAD), RATE)
    return found


def _heard(
    whisper: Any, sound: FloatArray, args: Transcribe.Input, spans: list[dict[str, int]], batch: int, seed: int
) -> tuple[Iterable[Any], Any]:
    import ctranslate2

    # Only where it is unsure does it draw lots (temperature); then the same seed draws the same.
    ctranslate2.set_random_seed(seed)
    common = {
        "language": args.language or None, "task": "transcribe", "beam_size": BEAM, "word_timestamps": args.words,
        "vad_filter": True, "vad_parameters": VAD, **GUARDS,
    }  # fmt: skip
    spoken = sum(span["end"] - span["start"] for span in spans) / RATE
    if batch == 1 or spoken <= ALONE_S:
        guard = 2.0 if args.words else None
        segments, info = whisper.transcribe(sound, hallucination_silence_threshold=guard, **common)
        return segments, info
    from faster_whisper import BatchedInferencePipeline

    segments, info = BatchedInferencePipeline(whisper).transcribe(sound, batch_size=batch, **common)
    return segments, info


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4) if math.isfinite(value) else 0.0


def _kept(
    segments: Iterable[Any], duration: float, with_words: bool, share: float, ctx: EngineContext
) -> list[HeardSegment]:
    """Segments with their times inside the recording; decoding goes on while they are taken, one by one."""
    kept: list[HeardSegment] = []
    edge = 0.0
    for segment in segments:
        done = min(1.0, segment.end / max(duration, 1e-3))
        ctx.progress(0.05 + (share - 0.05) * done, segment.text.strip()[:60])
        if not all(math.isfinite(value) for value in (segment.start, segment.end, segment.avg_logprob)):
            raise BadOutput("the recogniser answered with values that are no numbers.")
        text = segment.text.strip()
        if not any(char.isalnum() for char in text):
            continue
        words: list[HeardWord] = []
        for word in segment.words or () if with_words else ():
            start = min(duration, max(edge, word.start))
            edge = min(duration, max(start, word.end))
            if word.word.strip():
                words.append(
                    HeardWord(
                        text=word.word.strip(), start=round(start, 3), end=round(edge, 3),
                        probability=_share(word.probability),
                    )
                )  # fmt: skip
        start = words[0].start if words else min(duration, max(0.0, segment.start))
        end = words[-1].end if words else min(duration, max(start, segment.end))
        kept.append(HeardSegment(text=text, start=round(start, 3), end=round(end, 3), words=words))
    return kept


def _written(
    ctx: EngineContext,
    args: Transcribe.Input,
    language: str,
    probability: float,
    duration: float,
    segments: list[HeardSegment],
    note: str,
    notes: list[str],
) -> Transcribe.Output:
    lines = [segment.text for segment in segments]
    (ctx.out / "transcript.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    ctx.progress(1.0, note or f"{sum(len(line.split()) for line in lines)} words")
    return Transcribe.Output(
        file="transcript.txt",
        text=" ".join(lines),
        language=language,
        language_probability=probability,
        duration_s=round(duration, 4),
        segments=segments,
        key=args.audio.key if args.audio else "",
        note=note,
        notes=notes,
    )
