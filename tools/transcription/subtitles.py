"""Subtitles from word times: .srt and .vtt, grouped to be read at ease.

The rules are those of the BBC Subtitle Guidelines and of Netflix' Timed Text Style Guide: two lines of at most
`max_chars`, up to 17 characters a second, at least a second on screen, two frames between cues, breaks where the
sense breaks. Where speech is faster than reading, the words win: nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tools.base import Engine, EngineContext
from tools.errors import BadOutput
from tools.timeline import SpokenClip, SpokenWord, film_starts, shot_timeline
from tools.transcription.grouping import TimedText, break_lines, group_words
from tools.transcription.markup import clean, to_srt, to_vtt
from tools.transcription.subtitles_tool import SubtitleCue, WriteSubtitles

__all__ = ["Subtitles", "cues_of"]

READING_SPEED = 17.0
"""Characters a second that most people read without haste."""
MIN_CUE_S = 1.0
LINGER_S = 0.5
"""How long a cue may stay after its last word."""
COMFORT_S = 0.25
"""How long it stays anyway, where there is room."""
GAP_FRAMES = 2
GLANCE_S = 0.8
"""A cue shorter than this may use up the gap before the next one."""


class Subtitles(Engine[WriteSubtitles.Input, WriteSubtitles.Output]):
    """`write_subtitles` by the times of the spoken words."""

    tool = WriteSubtitles
    name = "subtitles"
    version = "1"

    def run(self, args: WriteSubtitles.Input, ctx: EngineContext) -> WriteSubtitles.Output:
        """Write `subtitles.srt` and `subtitles.vtt`; both are empty of cues where nobody speaks.

        Raises:
            BadOutput: a clip among the arguments is no result of `synthesize_speech`.
        """
        lines, film_s = _lines_of_film(args, ctx)
        ctx.progress(0.3, f"{len(lines)} lines")
        cues = cues_of(lines, film_s, args.names, fps=args.fps, max_chars=args.max_chars, show_names=args.show_names)
        # WebVTT has a tag for the speaker, SubRip and the picture only the text: there the name stands before it.
        unnamed = cues_of(lines, film_s, args.names, fps=args.fps, max_chars=args.max_chars)
        (ctx.out / "subtitles.srt").write_text(to_srt(cues), encoding="utf-8", newline="\n")
        vtt = to_vtt(unnamed, voices=args.show_names)
        (ctx.out / "subtitles.vtt").write_text(vtt, encoding="utf-8", newline="\n")
        ctx.progress(1.0, f"{len(cues)} subtitles")
        return WriteSubtitles.Output(srt="subtitles.srt", vtt="subtitles.vtt", cues=cues)


def _lines_of_film(args: WriteSubtitles.Input, ctx: EngineContext) -> tuple[list[tuple[str, list[TimedText]]], float]:
    """Every line as (character, its words in film time), and the film's length in seconds."""
    shots: list[list[SpokenClip]] = []
    for shot in args.shots:
        shots.append([_clip(ctx.open(ref).output) for ref in shot.speech])
    timelines = [
        shot_timeline(shot.duration_s, args.fps, [(clip.speech_start, clip.speech_end) for clip in clips])
        for shot, clips in zip(args.shots, shots, strict=True)
    ]
    starts = film_starts([timeline.frames for timeline in timelines], args.fps)
    lines = []
    for begin, timeline, clips in zip(starts, timelines, shots, strict=True):
        for clip, placed in zip(clips, timeline.lines, strict=True):
            words = [
                TimedText(text=text, start=begin + placed.offset + word.start, end=begin + placed.offset + word.end)
                for word in _words(clip)
                if (text := clean(word.text))
            ]
            if words:
                lines.append((clip.character, words))
    return lines, sum(timeline.frames for timeline in timelines) / args.fps


def _clip(output: dict[str, Any]) -> SpokenClip:
    try:
        return SpokenClip.model_validate(output)
    except ValidationError as error:
        raise BadOutput(f"a clip is no result of synthesize_speech: {error.errors()[0]['msg']}.") from error


def _words(clip: SpokenClip) -> list[SpokenWord]:
    """The words with their punctuation; engines that give no times get them by the length of the words."""
    tokens = clean(clip.text).split()
    if clip.words and len(tokens) == len(clip.words):
        return [SpokenWord(text=token, start=w.start, end=w.end) for token, w in zip(tokens, clip.words, strict=True)]
    if clip.words:
        return list(clip.words)
    total = sum(len(token) + 1 for token in tokens)
    words, gone, span = [], 0, clip.speech_end - clip.speech_start
    for token in tokens:
        start = clip.speech_start + span * gone / total
        gone += len(token) + 1
        words.append(SpokenWord(text=token, start=start, end=clip.speech_start + span * gone / total))
    return words


def cues_of(
    lines: Sequence[tuple[str, list[TimedText]]],
    film_s: float,
    names: Mapping[str, str],
    *,
    fps: int,
    max_chars: int,
    show_names: bool = False,
) -> list[SubtitleCue]:
    """Subtitles of a film.

    Args:
        lines: (speaker, words with their times in the film), in order; each with a word at least.
        film_s: length of the film in seconds.
        names: by speaker: the name shown.
        fps: frames a second: cues stand two frames apart.
        max_chars: characters a line of text may have.
        show_names: the name stands before what is said.
    """
    groups: list[tuple[str, list[TimedText]]] = []
    for character, words in lines:
        name = clean(names.get(character, character)) or character
        shown = words
        if show_names:
            at = words[0].start
            label = [TimedText(text=part, start=at, end=at) for part in f"{name}:".split()]
            shown = [*label, *words]
        groups += [(name, group) for group in group_words(shown, max_chars, READING_SPEED)]
    gap = GAP_FRAMES / fps
    cues: list[SubtitleCue] = []
    for index, (name, group) in enumerate(groups):
        start = _ms(group[0].start)
        if cues:
            start = max(start, cues[-1].end)
        follows = groups[index + 1][1][0].start if index + 1 < len(groups) else film_s + gap
        end = _end(group, start, follows, gap, film_s)
        text = "\n".join(break_lines([word.text for word in group], max_chars))
        cues.append(SubtitleCue(start=start, end=max(end, start + 0.001), text=text, speaker=name))
    return cues


def _end(group: list[TimedText], start: float, follows: float, gap: float, film_s: float) -> float:
    """When a cue goes: after its words and a moment more, but before the next one, and not after the film."""
    said = group[-1].end
    letters = sum(len(word.text) + 1 for word in group) - 1
    wanted = max(said + COMFORT_S, start + max(MIN_CUE_S, letters / READING_SPEED))
    # A shout between two lines: the gap gives way that it may be read, the order does not.
    latest = min(max(follows - gap, min(follows, start + GLANCE_S)), film_s)
    return _ms(min(wanted, said + LINGER_S, latest))


def _ms(seconds: float) -> float:
    """Whole milliseconds, cut and not rounded: never past the next cue or the film."""
    return int(max(0.0, seconds) * 1000 + 1e-6) / 1000
