"""Subtitles: shown while their words are said, one at a time, long enough to be read, with the words of the script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tools.artifact import Artifact
from tools.errors import BadOutput
from tools.music.tool import MixSound
from tools.review.limits import Limits, SubtitleLimits
from tools.review.speech import word_tokens
from tools.review.tool import Check
from tools.review.verdict import below, holds, not_run
from tools.timeline import SpokenClip, film_starts, shot_timeline
from tools.transcription.subtitles_tool import SubtitleCue, WriteSubtitles
from tools.video.probe import read_cues

__all__ = [
    "check_cue_length",
    "check_files_agree",
    "check_inside_speech",
    "check_lines",
    "check_no_overlaps",
    "check_reading_speed",
    "check_text",
    "line_times",
    "review_subtitles",
]

Span = tuple[float, float]
ROUNDING_S = 0.002
"""Files count milliseconds."""


def line_times(call: dict[str, Any], clips: Sequence[SpokenClip]) -> list[Span] | None:
    """When each line is heard in the film, by the timeline that picture and sound follow.

    Args:
        call: the arguments of `write_subtitles` or `mix_sound`: `fps` and `shots`.
        clips: every line of the film, in order.

    Returns:
        Start and end of each line in seconds; None where the clips are not those of the call.
    """
    spans: list[Span] = []
    shots, left = [], list(clips)
    for shot in call.get("shots", []):
        count = len(shot.get("speech", []))
        said, left = left[:count], left[count:]
        if len(said) < count:
            return None
        shots.append(shot_timeline(shot["duration_s"], call["fps"], [(c.speech_start, c.speech_end) for c in said]))
    if left:
        return None
    for begin, timeline in zip(film_starts([s.frames for s in shots], call.get("fps", 1)), shots, strict=True):
        spans += [(begin + line.start, begin + line.end) for line in timeline.lines]
    return spans


def check_inside_speech(cues: list[SubtitleCue], lines: list[Span], limits: SubtitleLimits) -> Check:
    """Every cue stands while a line is said, and every line has a cue."""
    outside = [
        cue
        for cue in cues
        if not any(start - limits.early_s <= cue.start and cue.end <= end + limits.late_s for start, end in lines)
        or not any(cue.start < end and cue.end > start for start, end in lines)
    ]
    bare = sum(not any(cue.start < end and cue.end > start for cue in cues) for start, end in lines)
    wrong = []
    if outside:
        first = outside[0]
        wrong.append(
            f"{len(outside)} of {len(cues)} subtitles stand outside the speech, as {first.start:.2f}-{first.end:.2f} s"
        )
    if bare:
        wrong.append(f"{bare} of {len(lines)} lines have none")
    detail = "; ".join(wrong) or f"{len(cues)} subtitles inside {len(lines)} lines"
    return holds("inside_speech", not wrong, detail, score=1 - (len(outside) + bare) / max(1, len(cues) + len(lines)))


def check_no_overlaps(cues: list[SubtitleCue]) -> Check:
    """One subtitle at a time, in order, each with an end after its start."""
    wrong = sum(later.start < earlier.end - ROUNDING_S for earlier, later in pairwise(cues))
    wrong += sum(cue.end <= cue.start or cue.start < 0 for cue in cues)
    detail = f"{wrong} of {len(cues)} overlap the next or end before they begin" if wrong else "one at a time, in order"
    return holds("no_overlaps", not wrong, detail, score=1 - wrong / max(1, len(cues)))


def check_reading_speed(cues: list[SubtitleCue], limits: SubtitleLimits) -> Check:
    """Characters a second of the fastest cue."""
    speeds = [len(cue.text.replace("\n", " ")) / max(cue.end - cue.start, 1e-3) for cue in cues]
    fastest = max(speeds, default=0.0)
    told = f"the fastest asks for {fastest:.0f} characters a second, at most {limits.max_reading_speed:g}"
    return below("reading_speed", fastest, limits.max_reading_speed, told)


def check_cue_length(cues: list[SubtitleCue], limits: SubtitleLimits) -> Check:
    """No cue flashes past or stays for ever."""
    allowed = limits.duration
    odd = [cue for cue in cues if not allowed.low - ROUNDING_S <= cue.end - cue.start <= allowed.high + ROUNDING_S]
    detail = f"{len(odd)} of {len(cues)} are shown for less than {allowed.low:g} or more than {allowed.high:g} s"
    return holds("cue_length", not odd, detail, score=1 - len(odd) / max(1, len(cues)))


def check_lines(cues: list[SubtitleCue], max_chars: int, limits: SubtitleLimits) -> Check:
    """Rows of text that fit the picture."""
    wide = max((len(row) for cue in cues for row in cue.text.split("\n")), default=0)
    rows = max((cue.text.count("\n") + 1 for cue in cues), default=0)
    told = f"at most {rows} rows (allowed {limits.max_lines}) of {wide} characters (allowed {max_chars})"
    score = min(limits.max_lines / max(rows, 1), max_chars / max(wide, 1))
    return holds("lines", score >= 1, told, score=score)


def check_text(cues: list[SubtitleCue], lines: Sequence[str], *, named: bool) -> Check:
    """In order of time the subtitles say what the script says, letter by letter.

    Args:
        cues: in any order.
        lines: the text of each line of the film, in order.
        named: whether the first cue of a line begins with the speaker's name and a colon.
    """
    shown = sorted(cues, key=lambda cue: cue.start)
    texts = [cue.text.removeprefix(f"{cue.speaker}:") if named else cue.text for cue in shown]
    found, wanted = _letters(texts), _letters(lines)
    if found == wanted:
        return holds("text", True, f"the words of all {len(lines)} lines")
    same = SequenceMatcher(None, wanted, found, autojunk=False).ratio() if len(wanted) * len(found) < 4e6 else 0.0
    return holds("text", False, f"the words differ from the script's ({same:.0%} alike)", score=same)


def _letters(texts: Sequence[str]) -> str:
    return "".join("".join(word_tokens(text)) for text in texts)


def check_files_agree(cues: list[SubtitleCue], srt: Path, vtt: Path) -> Check:
    """The .srt and the .vtt can be read and say what the record says."""
    wrong = []
    try:
        read = read_cues(srt)
        alike = len(read) == len(cues) and all(
            abs(start - cue.start) <= ROUNDING_S and abs(end - cue.end) <= ROUNDING_S and _same_words(text, cue.text)
            for (start, end, text), cue in zip(read, cues, strict=True)
        )
        if not alike:
            wrong.append(f"{srt.name} holds {len(read)} subtitles that differ from the {len(cues)} of its record")
    except BadOutput as error:
        wrong.append(error.message)
    text = vtt.read_text(encoding="utf-8", errors="replace")
    times = re.findall(r"^(\d+):(\d\d):(\d\d\.\d{3}) --> ", text, re.M)
    starts = [int(hours) * 3600 + int(minutes) * 60 + float(seconds) for hours, minutes, seconds in times]
    if not text.startswith("WEBVTT"):
        wrong.append(f"{vtt.name} is no WebVTT")
    elif len(starts) != len(cues) or any(abs(a - cue.start) > ROUNDING_S for a, cue in zip(starts, cues, strict=True)):
        wrong.append(f"{vtt.name} holds other times than its record")
    return holds("files_agree", not wrong, "; ".join(wrong) or "both files say what the record says")


def _same_words(one: str, other: str) -> bool:
    return word_tokens(one) == word_tokens(other)


def review_subtitles(subject: Artifact, speech: list[Artifact], limits: Limits) -> list[Check]:
    """Every check of a `write_subtitles` result.

    Args:
        subject: the subtitles.
        speech: the spoken clips of the film in order, and the mix if it is made: then its times count.
        limits: of the judge.
    """
    made = WriteSubtitles.Output.model_validate(subject.output)
    call = subject.record.args
    clips, heard = _sort(speech)
    lines = heard if heard is not None else line_times(call, clips)
    allowed = limits.subtitles
    checks = [
        check_files_agree(made.cues, subject.file(made.srt), subject.file(made.vtt)),
        check_no_overlaps(made.cues),
        check_reading_speed(made.cues, allowed),
        check_cue_length(made.cues, allowed),
        check_lines(made.cues, int(call.get("max_chars", 42)), allowed),
    ]
    if clips:
        checks.append(check_text(made.cues, [c.text for c in clips], named=bool(call.get("show_names", False))))
    else:
        checks.append(not_run("text", "the spoken clips"))
    if lines is None or (not lines and made.cues):
        return [*checks, not_run("inside_speech", "the spoken clips of every shot, in order")]
    return [*checks, check_inside_speech(made.cues, lines, allowed)]


def _sort(speech: list[Artifact]) -> tuple[list[SpokenClip], list[Span] | None]:
    """Clips, and the times of the lines where a mix is among the references."""
    clips: list[SpokenClip] = []
    heard: list[Span] | None = None
    for artifact in speech:
        if artifact.record.tool == "mix_sound":
            heard = MixSound.Output.model_validate(artifact.output).speech
            continue
        try:
            clips.append(SpokenClip.model_validate(artifact.output))
        except ValidationError as error:
            raise BadOutput(f"{artifact.record.tool} is no spoken clip.") from error
    return clips, heard
