"""The two subtitle formats, written so that no text can break out of its cue.

SubRip has no standard; what players agree on is written. WebVTT: W3C Candidate Recommendation of 4 April 2019.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from tools.transcription.subtitles_tool import SubtitleCue

__all__ = ["clean", "to_srt", "to_vtt"]

_STYLE_CODE = re.compile(r"\{\\[^}]*\}")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def clean(text: str) -> str:
    """Text for a subtitle: control and direction-override characters and player markup dropped, spaces made single."""
    kept = []
    for char in _TAG.sub(" ", _STYLE_CODE.sub(" ", unicodedata.normalize("NFC", text))):
        category = unicodedata.category(char)
        if char.isspace() or category == "Cc":
            kept.append(" ")
        elif category in ("Cs", "Co", "Cn") or (category == "Cf" and char not in "\u200c\u200d"):
            # The joiners stay: Persian, Hindi and family emoji are written with them.
            continue
        else:
            kept.append(char)
    return " ".join("".join(kept).split())


def _clock(seconds: float, mark: str) -> str:
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02d}:{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}{mark}{total % 1000:03d}"


def to_srt(cues: Sequence[SubtitleCue]) -> str:
    """SubRip text. Players read `<...>` and `{\\...}` as markup and `-->` as a time: such characters are replaced."""
    blocks = []
    for number, cue in enumerate(cues, start=1):
        text = cue.text.replace("-->", "→").replace("<", "‹").replace(">", "›").replace("{", "(").replace("}", ")")
        blocks.append(f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_vtt(cues: Sequence[SubtitleCue], *, voices: bool) -> str:
    """WebVTT text; with `voices` each cue names its speaker in a voice tag."""
    blocks = ["WEBVTT\n"]
    for number, cue in enumerate(cues, start=1):
        text = _escape(cue.text)
        if voices and cue.speaker:
            text = f"<v {_escape(cue.speaker)}>{text}"
        blocks.append(f"{number}\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n")
    return "\n".join(blocks)
