"""Writes a score: form, harmony, melody and accompaniment from a mood, a length and a seed.

Small rules that a songwriter would know. A one-bar motif is repeated, moved and varied over four-bar phrases; strong
beats take notes of the chord, others step between them; phrases ask (end open) and answer (end on the tonic); the last
bars go dominant - tonic, slow down a little and ring out before the end.
"""

from __future__ import annotations

import numpy as np

from tools.music.accompaniment import accompany, bass_line, drum_bar, voice_chord
from tools.music.moods import MoodScore, Part
from tools.music.sheet import Sheet, WrittenScore

__all__ = ["compose"]


def compose(mood: MoodScore, seconds: float, seed: int) -> WrittenScore:
    """Write a score of exactly `seconds`; the same seed gives the same score."""
    return _Composer(Sheet(mood, seconds, np.random.default_rng([seed % (1 << 63), 41]))).write()


class _Composer:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.mood, self.rng = sheet, sheet.mood, sheet.rng

    def write(self) -> WrittenScore:
        voicing: list[int] = []
        for bar in range(self.sheet.bars):
            swell = self._swell(bar)
            voicing = voice_chord(self.sheet, bar, voicing)
            accompany(self.sheet, bar, voicing, swell)
            bass_line(self.sheet, bar, swell)
            if bar >= self.sheet.intro or self.sheet.intro == 0:
                drum_bar(self.sheet, bar, swell)
        self._melody()
        self._end(voicing)
        return WrittenScore(
            sorted(self.sheet.notes, key=lambda note: (note.start, note.pitch, note.part.instrument)),
            sorted(self.sheet.strokes, key=lambda stroke: (stroke.start, stroke.part.drum)),
            self.sheet.tempo,
            self.sheet.tonic,
        )

    def _swell(self, bar: int) -> float:
        """The arch of the whole: up to two thirds, then down again."""
        place = bar / max(1, self.sheet.bars)
        return 0.8 + 0.2 * float(np.sin(np.pi * min(1.0, place / 1.3)))

    def _motif(self) -> tuple[list[float], list[int]]:
        """A bar of rhythm, and the way its notes move: steps from the note before."""
        rhythms = self.mood.rhythms
        rhythm = rhythms[int(self.rng.integers(len(rhythms)))]
        moves = []
        for beat in rhythm:
            if beat > 0:
                jump = self.rng.random() < self.mood.leap
                size = int(self.rng.integers(2, 5)) if jump else int(self.rng.choice([0, 1, 1, 1]))
                moves.append(size * (1 if self.rng.random() < 0.5 else -1))
        return rhythm, moves

    def _melody(self) -> None:
        ask, other = self._motif(), self._motif()
        anchor = int(self.rng.choice([2, 4, 7]))
        low, high = self.mood.range
        sounding = self.sheet.bars - self.sheet.intro
        for index in range(sounding):
            bar = self.sheet.intro + index
            phrase, place = divmod(index, 4)
            last = bar == self.sheet.bars - 1
            closing = place == 3 or last
            part = self.mood.answer if self.mood.answer is not None and phrase % 2 == 1 else self.mood.melody
            # Underscore breathes: in a long piece the third phrase of four is left to the accompaniment.
            if sounding > 12 and phrase % 4 == 2 and not last and self.mood.answer is None:
                continue
            motif = other if (place == 2 or phrase % 4 == 2) else ask
            drift = (0, 1, 3, 0)[phrase % 4]
            if closing:
                anchor = self._close(bar, anchor, part, open_end=phrase % 2 == 0 and not last)
            else:
                anchor = self._bar(bar, motif, min(high - 2, max(low + 2, anchor + drift)), part, vary=place == 1)
            anchor = min(high - 1, max(low + 1, anchor))

    def _bar(self, bar: int, motif: tuple[list[float], list[int]], anchor: int, part: Part, *, vary: bool) -> int:
        rhythm, moves = motif
        low, high = self.mood.range
        beat, step, number = 0.0, anchor, 0
        for length in rhythm:
            if length > 0:
                move = moves[number] if not (vary and number == len(moves) - 1) else -moves[number]
                step = step + (move if number else 0)
                if step > high or step < low:
                    step = step - 2 * move
                step = min(high, max(low, step))
                if beat % 2 == 0 or length >= 1.5:
                    step = self._near_chord(step, bar)
                self.sheet.play(
                    part, bar, beat, length * self.mood.staccato, self.sheet.pitch(step), 0.85 if beat == 0 else 0.75
                )
                number += 1
            beat += abs(length)
        return step

    def _close(self, bar: int, anchor: int, part: Part, *, open_end: bool) -> int:
        """The end of a phrase: a step or two down to a long note; open on the chord's fifth or second, or closed."""
        beats = self.mood.beats
        target = self._near_chord(anchor, bar)
        if not open_end and bar < self.sheet.bars - 1:
            root = self.sheet.chord(bar)[0]
            target = min((root + 7 * turn for turn in (-1, 0, 1)), key=lambda at: abs(at - anchor))
            low, high = self.mood.range
            target = min(high, max(low, target))
        self.sheet.play(part, bar, 0.0, 1.0 * self.mood.staccato, self.sheet.pitch(target + 1), 0.7)
        self.sheet.play(part, bar, 1.0, (beats - 1.5), self.sheet.pitch(target), 0.75)
        return target

    def _near_chord(self, step: int, bar: int) -> int:
        tones = {tone % 7 for tone in self.sheet.chord(bar)[:3]}
        return min(range(step - 3, step + 4), key=lambda at: (at % 7 not in tones, abs(at - step), -at))

    def _end(self, voicing: list[int]) -> None:
        """The tonic chord, gently broken, ringing until the fade has it."""
        beats = (self.sheet.seconds - self.sheet.at(self.sheet.bars, 0.0)) * self.sheet.tempo / 60
        chord = voice_chord(self.sheet, self.sheet.bars, voicing)
        for part, force in ((self.mood.harmony, 0.9), (self.mood.pad, 0.8)):
            if part is not None:
                for index, pitch in enumerate(chord):
                    self.sheet.play(part, self.sheet.bars, 0.07 * index, beats, pitch, force)
        if self.mood.bass is not None:
            self.sheet.play(self.mood.bass, self.sheet.bars, 0.0, beats, 36 + self.sheet.tonic % 12, 0.9)
        top = self.sheet.pitch(7 if self.mood.range[1] >= 7 else 0)
        self.sheet.play(self.mood.melody, self.sheet.bars, 0.2, beats, top, 0.8)
        for drum in self.mood.drums:
            if drum.drum in ("timpani", "triangle", "kick", "frame"):
                self.sheet.strike(drum, self.sheet.bars, 0, 0.8)
