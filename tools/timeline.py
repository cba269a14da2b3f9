"""When each thing happens: the one place where the times of a shot and of a film are worked out.

Pure arithmetic on the storyboard and on the lengths of the spoken clips, so that picture, sound and subtitles,
which are made apart and in any order, agree to the frame.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = [
    "LEAD_S",
    "LINE_GAP_S",
    "TAIL_S",
    "LineTime",
    "MouthCue",
    "MouthShape",
    "ShotTimeline",
    "SpokenClip",
    "SpokenWord",
    "estimate_speech_s",
    "film_starts",
    "shot_timeline",
]

LEAD_S = 0.5
"""Silence before speech, in seconds: at the head of every spoken clip and at least at the head of a shot."""
TAIL_S = 1.0
"""Silence after speech, in seconds: at the end of every spoken clip and at least at the end of a shot."""
LINE_GAP_S = 0.35
"""Pause between two lines of one shot, in seconds (the silences of the clips overlap)."""

_VOWELS = re.compile(r"[aeiouy]+")
_COMMAS = re.compile(r"[,;:](?=\s)|\s[-–—](?=\s)|—")
_STOPS = re.compile(r"[.!?…]+(?=\s)")
_ENDS = " .,;:!?…-–—\"'»”)"

MouthShape = Literal["rest", "mbp", "ai", "e", "o", "u", "fv", "l", "wq", "etc"]
"""Preston Blair's mouth shapes; `rest` is a closed, relaxed mouth, `etc` stands for c d g k n r s th y z."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpokenWord(_Model):
    """A word with its times in seconds from the start of the clip."""

    text: str
    start: float
    end: float


class MouthCue(_Model):
    """From `start` (seconds from the start of the clip) the mouth has this shape."""

    start: float
    shape: MouthShape


class SpokenClip(_Model):
    """What `synthesize_speech` returns about the wav it wrote; times in seconds from the start of the wav."""

    file: str
    character: str
    text: str
    sample_rate: int
    duration_s: float
    speech_start: float
    speech_end: float
    words: list[SpokenWord]
    mouth: list[MouthCue]
    lufs: float
    peak_db: float
    voice: str


@dataclass(frozen=True)
class LineTime:
    """One clip in its shot: the clip's first sample lies `offset` seconds after the shot's first frame.

    `offset` is never negative. `start` and `end` bound the audible speech, seconds from the shot's first frame.
    """

    offset: float
    start: float
    end: float


@dataclass(frozen=True)
class ShotTimeline:
    """A shot in time: `frames` at the storyboard's rate, and where each of its lines lies."""

    frames: int
    duration_s: float
    lines: tuple[LineTime, ...]
    stretched_s: float
    """By how much the speech made the shot longer than the storyboard says, in seconds."""


def estimate_speech_s(text: str, words_per_second: float = 2.6) -> float:
    """Seconds a line takes to say, without the silence around it, from its syllables and its pauses.

    Fitted to 174 clips of the embedded voice (29 lines in English and Italian, six ways to say them): a neutral clip
    takes 0.16 s a syllable, 0.52 s a digit, 0.49 s a comma, 0.68 s between sentences and 0.30 s besides. The default
    rate is a quarter slower than that, so that lines said sadly still fit; slower ones need a lower rate.

    Args:
        text: the line.
        words_per_second: speaking rate; measured voices lie between 2.4 and 4.4 (2.6 is on the safe side).
    """
    syllables = sum(_syllables(word) for word in text.split())
    inside = text.rstrip(_ENDS)
    pauses = len(_COMMAS.findall(inside)) * 0.6 + len(_STOPS.findall(inside)) * 0.85
    return max(0.4, (0.35 + syllables * 0.2 + pauses) * 2.6 / words_per_second)


def _syllables(word: str) -> float:
    """Syllables as groups of vowels; a digit is read as about three, a letter of another script as half of one."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    digits = sum(c.isdigit() for c in plain)
    others = sum(c.isalpha() and not c.isascii() for c in plain)
    latin = len(_VOWELS.findall(plain)) or (0.5 if any(c.isascii() and c.isalpha() for c in plain) else 0.0)
    return digits * 3.0 + others * 0.5 + latin


def shot_timeline(duration_s: float, fps: int, clips: Sequence[tuple[float, float]]) -> ShotTimeline:
    """Lay the clips of a shot one after another, centred in the time there is; stretch the shot if they need more.

    Args:
        duration_s: length of the shot in the storyboard.
        fps: frames a second.
        clips: for each line, in order, `speech_start` and `speech_end` inside its clip, in seconds.
    """
    earliest = _earliest(clips)
    needed = earliest[-1][1] + TAIL_S if earliest else 0.0
    length = max(duration_s, needed)
    # Up to a tenth of a microsecond too long is rounding, not a frame more.
    frames = max(1, -int(-(length * fps - 1e-7) // 1))
    later = min(max(0.0, length - needed) * 0.35, 1.0)
    lines = [
        LineTime(offset=max(0.0, begin + later - start), start=begin + later, end=end + later)
        for (start, _), (begin, end) in zip(clips, earliest, strict=True)
    ]
    return ShotTimeline(
        frames=frames, duration_s=frames / fps, lines=tuple(lines), stretched_s=max(0.0, needed - duration_s)
    )


def _earliest(clips: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The earliest start and end of each line's speech; none starts before its clip could have begun."""
    times: list[tuple[float, float]] = []
    at = LEAD_S
    for start, end in clips:
        begin = max(at, start)
        times.append((begin, begin + end - start))
        at = times[-1][1] + LINE_GAP_S
    return times


def film_starts(frames: Sequence[int], fps: int) -> list[float]:
    """Seconds at which each shot begins in the film."""
    starts, total = [], 0
    for count in frames:
        starts.append(total / fps)
        total += count
    return starts
