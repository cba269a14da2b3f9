"""What every voice goes through after synthesis, whatever engine made it: trim, silence around, room, loudness, peaks.

The result is a mono clip at `tools.sound.SAMPLE_RATE`: 0.5 s of silence, the speech, 1.0 s of silence, at -16 LUFS
(measured over the whole clip, as a judge or a broadcaster would), no true peak above -1 dBFS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tools.errors import BadOutput
from tools.sound import SAMPLE_RATE, SILENCE_DB, FloatArray, gain, limit, loudness, peak_db, resample
from tools.timeline import LEAD_S, TAIL_S

__all__ = ["TARGET_LUFS", "FinishedClip", "finish_clip", "pad_to"]

TARGET_LUFS = -16.0
TRIM_DB = -46.0
"""Below this, against the clip's own peak, the ends of a recording count as silence."""
FADE_S = 0.004
MIN_PEAK_DB = -60.0
"""A recording that never gets louder is no speech."""


@dataclass(frozen=True)
class FinishedClip:
    """A clip ready to be written; times in seconds from its start.

    Attributes:
        samples: float32 `(n,)` at `SAMPLE_RATE`.
        shift: what to add to a time in the raw recording to get the time in the clip.
    """

    samples: FloatArray
    duration_s: float
    speech_start: float
    speech_end: float
    shift: float
    lufs: float
    peak_db: float


def _speech_bounds(samples: FloatArray) -> tuple[int, int]:
    """First and last sample of the speech, by the level in windows of 5 ms."""
    window = SAMPLE_RATE // 200
    count = len(samples) // window
    if not count:
        raise BadOutput("the voice engine returned no sound.")
    levels = np.max(np.abs(samples[: count * window]).reshape(count, window), axis=1)
    top = float(levels.max())
    if top <= gain(MIN_PEAK_DB):
        raise BadOutput(f"the voice engine returned silence (peak {peak_db(samples):.0f} dBFS).")
    loud = np.flatnonzero(levels > top * gain(TRIM_DB))
    return int(loud[0]) * window, min(len(samples), (int(loud[-1]) + 1) * window)


def _room(samples: FloatArray, amount: float) -> FloatArray:
    """Early reflections and a short tail of a small, soft room: `amount` is the reverb's level, 0 none, 1 plain.

    It lives inside the silence after the speech (gone 0.35 s later), and is the same for every clip.
    """
    from scipy.signal import fftconvolve

    length = int(0.32 * SAMPLE_RATE)
    at = np.arange(length) / SAMPLE_RATE
    noise = np.random.default_rng(20).standard_normal(length)
    response = noise * np.exp(-at / 0.045) * 0.012 * (at > 0.012)
    # A soft room swallows the high end first.
    response = np.convolve(response, np.hanning(9) / np.hanning(9).sum(), "same")
    for delay, level in ((0.0071, 0.16), (0.0113, -0.12), (0.0171, 0.10), (0.0233, -0.07)):
        response[int(delay * SAMPLE_RATE)] += level
    response *= np.minimum(1.0, np.linspace(6.0, 0.0, length))
    wet = fftconvolve(samples, response)[: len(samples)]
    out: FloatArray = (samples + amount * wet).astype(np.float32)
    return out


def finish_clip(samples: FloatArray, rate: int, *, room: float = 0.0, target_lufs: float = TARGET_LUFS) -> FinishedClip:
    """Finish a recording of one line.

    Args:
        samples: mono `(n,)`, full scale 1.0.
        rate: its sample rate in Hz.
        room: level of a small room's reverb; 0 leaves the recording dry (recorded voices have a room already).
        target_lufs: integrated loudness of the finished clip.

    Raises:
        BadOutput: there is no sound in it, or it holds values that are no numbers.
    """
    if not np.all(np.isfinite(samples)):
        raise BadOutput("the voice engine returned samples that are no numbers.")
    sound = resample(samples.astype(np.float32), rate, SAMPLE_RATE)
    start, stop = _speech_bounds(sound)
    lead, tail = round(LEAD_S * SAMPLE_RATE), round(TAIL_S * SAMPLE_RATE)
    clip = np.zeros(lead + (stop - start) + tail, dtype=np.float32)
    speech = sound[start:stop].copy()
    ramp = np.linspace(0.0, 1.0, min(int(FADE_S * SAMPLE_RATE), len(speech) // 2), dtype=np.float32)
    speech[: len(ramp)] *= ramp
    speech[len(speech) - len(ramp) :] *= ramp[::-1]
    clip[lead : lead + len(speech)] = speech
    if room > 0:
        clip = _room(clip, room)
    clip = _to_loudness(clip, target_lufs)
    return FinishedClip(
        samples=clip,
        duration_s=len(clip) / SAMPLE_RATE,
        speech_start=LEAD_S,
        speech_end=(lead + len(speech)) / SAMPLE_RATE,
        shift=(lead - start) / SAMPLE_RATE,
        lufs=loudness(clip),
        peak_db=peak_db(clip),
    )


def pad_to(clip: FinishedClip, exact_s: float | None, who: str) -> FinishedClip:
    """A clip that lasts exactly so many seconds, with silence added at its end; None or 0 leaves it as it is.

    Raises:
        BadOutput: it lasts longer.
    """
    if not exact_s:
        return clip
    if clip.duration_s > exact_s + 1e-6:
        raise BadOutput(f"{who} took {clip.duration_s:.2f} s for a line that is to last {exact_s:.2f} s.")
    missing = max(0, round(exact_s * SAMPLE_RATE) - len(clip.samples))
    samples = np.pad(clip.samples, (0, missing))
    return replace(clip, samples=samples, duration_s=len(samples) / SAMPLE_RATE)


def _to_loudness(clip: FloatArray, target: float) -> FloatArray:
    """Bring a clip to its loudness; limiting takes some away, so that it is made up for up to four times."""
    level = loudness(clip)
    if level <= SILENCE_DB:
        raise BadOutput("the voice engine returned a sound too quiet to be measured.")
    wanted = target - level
    out = limit(clip * np.float32(gain(wanted)))
    for _ in range(4):
        missing = target - loudness(out)
        if abs(missing) < 0.05:
            break
        wanted += missing
        out = limit(clip * np.float32(gain(wanted)))
    return out
