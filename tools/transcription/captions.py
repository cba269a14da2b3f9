"""Subtitles of a recording or a film that somebody else made, from what was heard in it."""

from __future__ import annotations

from tools.errors import InvalidInput
from tools.transcription.grouping import TimedText
from tools.transcription.markup import clean, to_srt, to_vtt
from tools.transcription.subtitles import cues_of
from tools.transcription.subtitles_tool import SubtitleCue
from tools.transcription.tool import HeardSegment, Transcribe

__all__ = ["captions_of", "written_as"]

FPS = 25
"""Of a recording without pictures: cues stand two frames apart."""


def captions_of(transcript: Transcribe.Output, *, fps: int = FPS, max_chars: int = 42) -> list[SubtitleCue]:
    """Cues with times in the recording; a segment without word times shares its time out by the words' lengths."""
    lines = [("", words) for segment in transcript.segments if (words := _words(segment))]
    return cues_of(lines, transcript.duration_s, {}, fps=fps, max_chars=max_chars)


def _words(segment: HeardSegment) -> list[TimedText]:
    if segment.words:
        return [TimedText(text, word.start, word.end) for word in segment.words if (text := clean(word.text))]
    tokens = clean(segment.text).split()
    total, gone = sum(len(token) + 1 for token in tokens), 0
    words = []
    for token in tokens:
        start = segment.start + (segment.end - segment.start) * gone / total
        gone += len(token) + 1
        words.append(TimedText(token, start, segment.start + (segment.end - segment.start) * gone / total))
    return words


def written_as(ending: str, transcript: Transcribe.Output, *, max_chars: int = 42) -> str:
    """The transcript as a file of its kind.

    Args:
        ending: `.srt`, `.vtt` or `.txt`.

    Raises:
        InvalidInput: another ending.
    """
    if ending == ".txt":
        return "".join(f"{segment.text}\n" for segment in transcript.segments)
    cues = captions_of(transcript, max_chars=max_chars)
    if ending == ".srt":
        return to_srt(cues)
    if ending == ".vtt":
        return to_vtt(cues, voices=False)
    raise InvalidInput(f"subtitles are written as .srt, .vtt or .txt, not {ending!r}", where="--out")
