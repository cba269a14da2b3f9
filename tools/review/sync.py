"""Whether a film's tracks still lie where they were made: sound against its mix, subtitles against the lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.review.limits import SubtitleLimits
from tools.review.tool import Check
from tools.review.verdict import holds, not_run
from tools.review.waveform import STEP_S, Sounding

__all__ = ["check_in_sync", "check_subtitle_track", "lag_s"]

SEARCH_S = 0.6
"""How far apart the two may lie and still be compared; farther apart they are different sounds."""
QUIET_DB = -60.0
MIN_SWING_DB = 1.0
"""A hum without any ups and downs fits itself everywhere."""
MIN_LIKENESS = 0.8
"""Correlation of the levels; AAC at 160 kb/s keeps it above 0.99."""


def lag_s(heard: NDArray[np.float64], mixed: NDArray[np.float64]) -> tuple[float, float]:
    """By how many seconds `heard` comes later than `mixed`, and how much alike they are there (-1..1).

    Args:
        heard, mixed: levels in dBFS, one every `STEP_S`.
    """
    one, other = np.maximum(heard, QUIET_DB), np.maximum(mixed, QUIET_DB)
    best = (0.0, -1.0)
    reach = round(SEARCH_S / STEP_S)
    for lag in sorted(range(-reach, reach + 1), key=abs):
        late, early = (one[lag:], other) if lag >= 0 else (one, other[-lag:])
        length = min(late.size, early.size)
        if length < 10 or late[:length].std() < 1e-6 or early[:length].std() < 1e-6:
            continue
        alike = float(np.corrcoef(late[:length], early[:length])[0, 1])
        if alike > best[1] + 1e-6:
            best = (lag * STEP_S, alike)
    return best


def check_in_sync(heard: Sounding, mixed: Sounding, frame_s: float) -> Check:
    """The film's sound is the mix, not shifted by more than a frame."""
    if np.maximum(mixed.levels, QUIET_DB).std() < MIN_SWING_DB:
        return not_run("in_sync", "sound with ups and downs: this is one even level")
    lag, alike = lag_s(heard.levels, mixed.levels)
    if alike < MIN_LIKENESS:
        return holds(
            "in_sync", False, f"the sound is not that of the mix ({alike:.0%} alike)", score=max(0.0, alike) / 2
        )
    side = "late" if lag > 0 else "early"
    told = (
        f"the sound is {abs(lag):.2f} s {side}, at most {frame_s:.3f} s" if lag else "the sound is where it was mixed"
    )
    return holds("in_sync", abs(lag) <= frame_s + 1e-6, told, score=1 - abs(lag) / SEARCH_S)


def check_subtitle_track(
    cues: Sequence[tuple[float, float, str]], lines: Sequence[tuple[float, float]], limits: SubtitleLimits
) -> Check:
    """Every subtitle of the film stands while a line is heard."""
    outside = [
        start
        for start, end, _ in cues
        if not any(a - limits.early_s <= start and end <= b + limits.late_s and start < b and end > a for a, b in lines)
    ]
    told = f"{len(cues)} subtitles stand by {len(lines)} lines"
    if outside:
        told = f"{len(outside)} of {len(cues)} subtitles stand where nobody speaks, as at {outside[0]:.2f} s"
    return holds("subtitle_track", not outside, told, score=1 - len(outside) / max(1, len(cues)))
