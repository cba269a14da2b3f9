"""The last stretch of every engine that is not the embedded one: from samples to a finished spoken clip.

Checked (numbers, silence, clipping, far too short or long), trimmed, brought to -16 LUFS with 0.5 s before and 1.0 s
after, words and mouth shapes timed by listening to it, written with the consent under which the voice speaks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tools.artifact import write_atomic
from tools.base import EngineContext
from tools.errors import BadOutput
from tools.sound import SAMPLE_RATE, FloatArray, write_wav
from tools.timeline import MouthCue, SpokenWord, estimate_speech_s
from tools.voice.postprocess import FinishedClip, finish_clip, pad_to
from tools.voice.shelf import VoiceUse
from tools.voice.speakable import clean_line
from tools.voice.tool import SynthesizeSpeech

if TYPE_CHECKING:
    from tools.voice.alignment import Alignment

__all__ = ["RECORD_FILE", "check_samples", "finish_recorded"]

RECORD_FILE = "voice.json"
"""Beside the sound: which voice it is, and what its owner allows."""
SHORTEST, LONGEST = 0.22, 4.0
"""Of the time a line takes to say (`estimate_speech_s`): less is a broken line, more is one that ran on."""
LONGEST_MORE_S = 2.5
MOST_SILENCE_S = 60.0
"""Before and after the speech; it is cut off."""
CLIPPED_SHARE = 0.01
"""Part of the samples that may lie in flat tops."""
FLAT_TOP = 4
"""Samples in a row at the same full level that a wave does not have by itself."""


def check_samples(samples: npt.NDArray[Any], rate: int, who: str) -> FloatArray:
    """Samples as a mono float array, full scale 1.0.

    Args:
        samples: `(n,)` or `(n, channels)`, floats, or integers of 16 or 32 bit.
        rate: in Hz.
        who: the engine, for messages.

    Raises:
        BadOutput: nothing in it, no numbers, silence, a rate that no sound has, or overdriven.
    """
    sound = np.asarray(samples)
    if sound.ndim not in (1, 2) or not sound.size or (sound.ndim == 2 and sound.shape[1] > 8):
        raise BadOutput(f"{who} returned no sound.")
    if not 8_000 <= rate <= 192_000:
        raise BadOutput(f"{who} returned sound at {rate} Hz, which is no rate of speech.")
    if np.issubdtype(sound.dtype, np.integer):
        sound = sound / float(-np.iinfo(sound.dtype).min or np.iinfo(sound.dtype).max)
    if not np.all(np.isfinite(sound)):
        raise BadOutput(f"{who} returned samples that are no numbers.")
    mono = sound.mean(axis=1) if sound.ndim == 2 else sound
    # A level that does not move is no sound, however high it is.
    mono = mono - mono.mean()
    peak = float(np.max(np.abs(mono)))
    if peak < 1e-3:
        raise BadOutput(f"{who} returned {len(mono) / rate:.2f} s of silence.")
    clipped = _flat_tops(mono, peak)
    if peak > 0.5 and clipped > CLIPPED_SHARE:
        raise BadOutput(f"{who} returned overdriven sound: {clipped:.0%} of it lies in flat tops.")
    out: FloatArray = mono.astype(np.float32)
    return out


def _flat_tops(mono: npt.NDArray[Any], peak: float) -> float:
    """Part of the samples that lie in runs of at least `FLAT_TOP` at the peak, of one sign."""
    total = 0
    for sign in (1.0, -1.0):
        top = np.concatenate(([False], sign * mono >= 0.999 * peak, [False]))
        edges = np.flatnonzero(np.diff(top.astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        total += int(lengths[lengths >= FLAT_TOP].sum())
    return total / len(mono)


def finish_recorded(
    samples: npt.NDArray[Any],
    rate: int,
    args: SynthesizeSpeech.Input,
    ctx: EngineContext,
    *,
    voice: str,
    use: VoiceUse | None = None,
    words: Sequence[SpokenWord] | None = None,
    exact_s: float = 0.0,
    record: Mapping[str, Any] | None = None,
    slowest: float = 1.0,
) -> SynthesizeSpeech.Output:
    """Finish a recording of one line and write it into `ctx.out`.

    Args:
        samples: `(n,)` or `(n, channels)`, floats of full scale 1.0 or integers; rate: in Hz.
        args: of the call; its text is what is listened for.
        voice: names the voice in the record, as `xtts:luca`; its first part is the engine in messages.
        use: the consent under which it speaks (`tools.voice.shelf.permitted`); written into `voice.json`.
        words: their times in `samples`, in seconds, where the engine knows them; else they are found by listening.
        exact_s: seconds that the clip is to last; silence is added at its end. 0 leaves it as it is.
        record: more to write into `voice.json`, as what the line cost.
        slowest: how many times longer than usual the line may be said ("very slowly").

    Raises:
        BadOutput: the sound is none, silent, overdriven, far too short or long, or does not fit into `exact_s`.
        Cancelled: the call should stop.
    """
    who = voice.partition(":")[0]
    ctx.progress(0.8, "listening to it")
    sound = check_samples(samples, rate, who)
    _check_bounds(len(sound) / rate, args, who, slowest)
    clip = finish_clip(sound, rate)
    _check_length(clip, args, who, slowest)
    clip = pad_to(clip, exact_s, who)
    ctx.progress(0.85, "timing its words")
    timed = _align(args.text, args.language, clip.samples)
    spoken, mouth = list(timed.words), list(timed.mouth)
    if words is not None:
        spoken = [_moved(word, clip) for word in words]
        mouth = _mouth_with(spoken, timed.words, mouth)
    ctx.progress(0.97, "writing")
    write_wav(ctx.out / "speech.wav", clip.samples)
    sure = {"confidence": round(timed.confidence, 3), "method": timed.method}
    told = {"voice": voice, "alignment": sure, "use": (use or VoiceUse()).model_dump(mode="json"), **(record or {})}
    write_atomic(ctx.out / RECORD_FILE, json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False).encode())
    ctx.progress(1.0, "said")
    return SynthesizeSpeech.Output(
        file="speech.wav",
        character=args.character,
        text=args.text,
        sample_rate=SAMPLE_RATE,
        duration_s=clip.duration_s,
        speech_start=clip.speech_start,
        speech_end=clip.speech_end,
        words=[_held(word, clip) for word in spoken],
        mouth=_held_cues(mouth, clip),
        lufs=round(clip.lufs, 2),
        peak_db=round(clip.peak_db, 2),
        voice=voice,
    )


def _align(text: str, language: str, samples: FloatArray) -> Alignment:
    from tools.voice.alignment import align_line

    return align_line(clean_line(text), language, samples, SAMPLE_RATE)


def _check_bounds(seconds: float, args: SynthesizeSpeech.Input, who: str, slowest: float) -> None:
    """Hours of sound are refused before they are brought to another rate, which takes gigabytes."""
    longest = LONGEST * slowest * estimate_speech_s(clean_line(args.text)) / args.rate + LONGEST_MORE_S
    if seconds > longest + MOST_SILENCE_S:
        raise BadOutput(f"{who} took {seconds:.1f} s for a line that lasts {longest:.1f} s at most.")


def _check_length(clip: FinishedClip, args: SynthesizeSpeech.Input, who: str, slowest: float) -> None:
    spoken = clip.speech_end - clip.speech_start
    usual = estimate_speech_s(clean_line(args.text)) / args.rate
    if spoken < SHORTEST * usual:
        raise BadOutput(f"{who} said the line in {spoken:.2f} s, where about {usual:.1f} s are needed.")
    longest = LONGEST * slowest * usual + LONGEST_MORE_S
    if spoken > longest:
        raise BadOutput(f"{who} took {spoken:.1f} s for a line of about {usual:.1f} s.")


def _moved(word: SpokenWord, clip: FinishedClip) -> SpokenWord:
    return SpokenWord(text=word.text, start=word.start + clip.shift, end=word.end + clip.shift)


def _mouth_with(known: Sequence[SpokenWord], found: Sequence[SpokenWord], mouth: list[MouthCue]) -> list[MouthCue]:
    """Mouth shapes found by listening, moved with their words to the times that are known."""
    if [word.text for word in known] != [word.text for word in found]:
        return mouth
    heard = np.array([at for word in found for at in (word.start, word.end)])
    told = np.array([at for word in known for at in (word.start, word.end)])
    moved = np.interp([cue.start for cue in mouth], np.maximum.accumulate(heard), np.maximum.accumulate(told))
    return [MouthCue(start=float(at), shape=cue.shape) for at, cue in zip(moved, mouth, strict=True)]


def _inside(at: float, clip: FinishedClip) -> float:
    return round(min(clip.speech_end, max(clip.speech_start, at)), 4)


def _held(word: SpokenWord, clip: FinishedClip) -> SpokenWord:
    start, end = _inside(word.start, clip), _inside(word.end, clip)
    return SpokenWord(text=word.text, start=start, end=max(start, end))


def _held_cues(cues: Sequence[MouthCue], clip: FinishedClip) -> list[MouthCue]:
    """Cues inside the speech, still rising, neighbours different."""
    held: list[MouthCue] = []
    for cue in cues:
        at = _inside(cue.start, clip)
        if held and at <= held[-1].start:
            held.pop()
        if not held or held[-1].shape != cue.shape:
            held.append(MouthCue(start=at, shape=cue.shape))
    return held
