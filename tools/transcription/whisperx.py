"""`transcribe` as WhisperX does it: Whisper large-v2 hears the words, wav2vec2 tells when they are said.

Whisper's own times come from its attention and drift by some tenths of a second; a CTC model of the language, told
what is said, places every word to its frame of 20 ms (Bain et al. 2023, https://arxiv.org/abs/2303.00747). Where the
language has no aligner here, and where a segment cannot be aligned, Whisper's times stay, and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tools.base import EngineContext
from tools.errors import OutOfMemory
from tools.sound import FloatArray
from tools.transcription.aligner_weights import Aligner
from tools.transcription.aligners import ALIGNERS
from tools.transcription.ctc_alignment import align_words
from tools.transcription.recordings import RATE
from tools.transcription.tool import HeardSegment, HeardWord
from tools.transcription.whisper import FasterWhisper

__all__ = ["WhisperX"]

MARGIN_S = 0.5
"""How far beyond a segment, as Whisper has it, its words are looked for; never in the segment beside it."""
CONTEXT_S = 1.0
"""How much on either side of that is heard along: no letter is told apart by its own frame alone."""


class WhisperX(FasterWhisper):
    """Whisper large-v2 with aligned words."""

    name = "whisperx"
    model: ClassVar[str] = "whisper_large_v2"
    hearing: ClassVar[float] = 0.7

    def timed(
        self, segments: list[HeardSegment], sound: FloatArray, language: str, ctx: EngineContext
    ) -> tuple[list[HeardSegment], list[str]]:
        """The segments with the times of their words in the sound, and what is to be said of them.

        Raises:
            BadOutput: the aligner answered with values that are no numbers.
            OutOfMemory: of the device.
        """
        if not any(segment.words for segment in segments):
            return segments, []
        name = ALIGNERS.get(language, "")
        if name not in ctx.models:
            told = f"{name} is not here: studio models pull {name}" if name else f"none is known for {language!r}"
            return segments, [f"the times of the words are Whisper's own, for want of an aligner ({told})"]
        aligner: Aligner = ctx.model(name)
        found: list[HeardSegment] = []
        left = 0
        for index, segment in enumerate(segments):
            share = index / len(segments)
            ctx.progress(self.hearing + (0.99 - self.hearing) * share, f"aligning: {segment.text[:50]}")
            low = max(segment.start - MARGIN_S, found[-1].end if found else 0.0)
            follows = segments[index + 1].start if index + 1 < len(segments) else len(sound) / RATE
            high = min(segment.end + MARGIN_S, max(segment.end, follows))
            aligned = _aligned(segment, sound, low, high, aligner, ctx, self.hearing + (0.99 - self.hearing) * share)
            left += aligned is None
            found.append(aligned or _after(segment, found[-1].end if found else 0.0))
        notes = [f"{left} of {len(segments)} segments could not be aligned and keep Whisper's times"] if left else []
        return found, notes


def _aligned(
    segment: HeardSegment, sound: FloatArray, low: float, high: float, aligner: Aligner, ctx: EngineContext, at: float
) -> HeardSegment | None:
    """The segment with aligned words; None where they cannot be."""
    if not segment.words or high <= low:
        return None
    begin = max(0, round((low - CONTEXT_S) * RATE))
    first = max(0, round((low * RATE - begin) / aligner.hop))
    last = first + int((high - low) * RATE / aligner.hop)
    try:
        heard = aligner.emissions(sound[begin : round((high + CONTEXT_S) * RATE)], lambda _share: ctx.progress(at))
    except RuntimeError as error:
        if "out of memory" in str(error).lower():
            raise OutOfMemory(f"the aligner: {str(error).splitlines()[0][:200]}") from error
        raise
    spans = align_words(heard[first:last], [word.text for word in segment.words], aligner.alphabet)
    if spans is None:
        return None
    zero = begin / RATE
    times = [(zero + aligner.second(first + span.first), zero + aligner.second(first + span.end)) for span in spans]
    words = _placed(segment.words, times, low, high)
    return segment.model_copy(update={"start": words[0].start, "end": words[-1].end, "words": words})


def _placed(
    words: Sequence[HeardWord], times: Sequence[tuple[float, float]], low: float, high: float
) -> list[HeardWord]:
    """The words at these times, between `low` and `high`."""
    placed = []
    edge = low
    for word, (begins, ends) in zip(words, times, strict=True):
        start = min(high, max(edge, begins))
        edge = min(high, max(start, ends))
        placed.append(word.model_copy(update={"start": round(start, 3), "end": round(edge, 3)}))
    return placed


def _after(segment: HeardSegment, edge: float) -> HeardSegment:
    """A segment that keeps its times, but does not begin before the one before it ends."""
    words = [
        word.model_copy(update={"start": max(edge, word.start), "end": max(edge, word.end)}) for word in segment.words
    ]
    start = max(edge, segment.start)
    return segment.model_copy(update={"start": start, "end": max(start, segment.end), "words": words})
