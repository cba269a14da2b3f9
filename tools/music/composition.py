"""Writes a score: form, harmony, melody and accompaniment from a mood, a length and a seed.

Small rules that a songwriter would know. A one-bar motif is repeated, moved and varied over four-bar phrases; strong
beats take notes of the chord, others step between them; phrases ask (end open) and answer (end on the tonic); the last
bars go dominant - tonic, slow down a little and ring out before the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.music.moods import MODES, DrumPart, MoodScore, Part

__all__ = ["Note", "Stroke", "WrittenScore", "compose"]

RING_S = 2.4
"""Seconds that the last chord rings, at most."""
RITARDANDO = 1.18
"""The last bar before the end takes this much longer."""


@dataclass(frozen=True)
class Note:
    """A note: seconds, MIDI pitch, loudness 0..1, who plays it."""

    start: float
    length: float
    pitch: int
    velocity: float
    part: Part


@dataclass(frozen=True)
class Stroke:
    """A stroke on a drum: seconds, loudness 0..1."""

    start: float
    velocity: float
    part: DrumPart


@dataclass(frozen=True)
class WrittenScore:
    """Everything that is played, sorted by time."""

    notes: list[Note]
    strokes: list[Stroke]
    tempo: float
    tonic: int


def compose(mood: MoodScore, seconds: float, seed: int) -> WrittenScore:
    """Write a score of exactly `seconds`; the same seed gives the same score."""
    return _Composer(mood, seconds, np.random.default_rng([seed % (1 << 63), 41])).write()


class _Composer:
    def __init__(self, mood: MoodScore, seconds: float, rng: np.random.Generator) -> None:
        self.mood, self.rng, self.seconds = mood, rng, seconds
        self.tonic = int(rng.choice(mood.tonics))
        self.scale = MODES[mood.mode]
        self.notes: list[Note] = []
        self.strokes: list[Stroke] = []
        self.bars, self.tempo = self._fit()
        self.harmony = self._harmonise()
        self.intro = 0 if self.bars < 6 else 2 if self.bars < 24 else 4

    # --- form

    def _fit(self) -> tuple[int, float]:
        """How many bars, and the tempo at which they and the ringing of the last chord fill the time."""
        slow, fast = self.mood.tempo
        wish = float(self.rng.uniform(slow, fast))
        ring = min(RING_S, 0.4 * self.seconds)
        beats = self.mood.beats
        around = round((self.seconds - ring) * wish / 60 / beats - (RITARDANDO - 1))
        options = []
        for count in range(max(1, around - 3), around + 4):
            tempo = (count + RITARDANDO - 1) * beats * 60 / (self.seconds - ring)
            outside = max(0.0, slow - tempo, tempo - fast) / wish
            # Whole phrases of four bars sound finished; of two, nearly.
            uneven = 0.0 if count % 4 == 0 else 0.02 if count % 2 == 0 else 0.05
            if outside < 0.12:
                options.append((outside * 6 + abs(tempo - wish) / wish + uneven, count, tempo))
        if not options:
            # Too short for a bar: only the last chord is left, struck and rung.
            return 0, wish
        _, count, tempo = min(options)
        return count, tempo

    def _harmonise(self) -> list[int]:
        """The degree (0 is the tonic) of each bar: verse, verse, bridge, verse, then the cadence."""
        choices = self.mood.progressions
        order = self.rng.permutation(len(choices))
        verse, bridge = choices[order[0]], choices[order[1]]
        degrees: list[int] = []
        while len(degrees) < self.bars:
            degrees += bridge if len(degrees) // 4 % 4 == 2 else verse
        degrees = degrees[: self.bars]
        if self.bars >= 2:
            degrees[-1] = 5
        if self.bars >= 4:
            degrees[-2] = 4 if self.rng.random() < 0.6 else 2
        return [degree - 1 for degree in degrees]

    def at(self, bar: int, beat: float) -> float:
        """Seconds of a beat; swing and the slowing down at the end are in it."""
        whole, part = divmod(beat, 1.0)
        if self.mood.swing and 0.25 < part < 0.75:
            part += self.mood.swing * (0.5 - abs(part - 0.5)) / 0.5
        in_bar: float = whole + part
        plain = 60.0 / self.tempo
        if bar == self.bars - 1 and self.bars:
            in_bar += (RITARDANDO - 1) * in_bar**2 / self.mood.beats
        elif bar >= self.bars:
            in_bar += (RITARDANDO - 1) * self.mood.beats if self.bars else 0.0
        return (bar * self.mood.beats + in_bar) * plain

    def pitch(self, degree: int, base: int | None = None) -> int:
        """MIDI number of a step of the scale (0 is the tonic, 7 the octave above)."""
        return (self.tonic if base is None else base) + 12 * (degree // 7) + self.scale[degree % 7]

    def chord(self, bar: int) -> list[int]:
        """Steps of the scale in a bar's chord."""
        root = self.harmony[bar] if bar < self.bars else 0
        tones = [root, root + 2, root + 4]
        if self.mood.sevenths and bar < self.bars:
            tones.append(root + 6)
        return tones

    def play(self, part: Part, bar: int, beat: float, beats: float, pitch: int, velocity: float) -> None:
        """Add a note, moved and weighted a little as a hand would."""
        while pitch > 103:
            pitch -= 12
        start = self.at(bar, beat) + float(self.rng.normal(0.0, 0.005))
        level = float(np.clip(velocity * part.level * (1 + self.rng.normal(0.0, 0.07)), 0.02, 1.0))
        length = max(0.05, beats * 60.0 / self.tempo)
        start = max(0.0, start)
        if start < self.seconds - 0.05:
            self.notes.append(Note(start, min(length, self.seconds - start), pitch, level, part))

    # --- writing

    def write(self) -> WrittenScore:
        voicing: list[int] = []
        for bar in range(self.bars):
            swell = self._swell(bar)
            voicing = self._voice(bar, voicing)
            self._accompany(bar, voicing, swell)
            self._bass(bar, swell)
            if bar >= self.intro or self.intro == 0:
                self._drums(bar, swell)
        self._melody()
        self._end(voicing)
        return WrittenScore(
            sorted(self.notes, key=lambda note: (note.start, note.pitch, note.part.instrument)),
            sorted(self.strokes, key=lambda stroke: (stroke.start, stroke.part.drum)),
            self.tempo,
            self.tonic,
        )

    def _swell(self, bar: int) -> float:
        """The arch of the whole: up to two thirds, then down again."""
        place = bar / max(1, self.bars)
        return 0.8 + 0.2 * float(np.sin(np.pi * min(1.0, place / 1.3)))

    def _voice(self, bar: int, before: list[int]) -> list[int]:
        """The chord around the fourth below middle C, in the inversion that moves least from the last one."""
        tones = [self.pitch(step) % 12 for step in self.chord(bar)]
        options = []
        for low in range(50, 63):
            if low % 12 in tones:
                turned = sorted(low + (tone - low) % 12 for tone in tones)
                moved = sum(abs(a - b) for a, b in zip(turned, before, strict=False)) if before else abs(low - 55)
                options.append((moved + 0.4 * abs(low - 55), turned))
        return min(options)[1]

    def _accompany(self, bar: int, voicing: list[int], swell: float) -> None:
        beats, part = self.mood.beats, self.mood.harmony
        kind = self.mood.accompaniment
        if self.mood.pad is not None:
            for pitch in voicing:
                self.play(self.mood.pad, bar, 0.0, beats * 1.02, pitch, 0.8 * swell)
        if kind == "arpeggio":
            up = [*voicing, voicing[0] + 12]
            pattern = [0, 1, 2, 3, 2, 1, 2, 1] if beats == 4 else [0, 1, 2, 3, 2, 1]
            for index, place in enumerate(pattern):
                self.play(part, bar, index / 2, 1.6, up[place % len(up)], (0.85 if index == 0 else 0.65) * swell)
        elif kind == "waltz":
            for beat in range(1, beats):
                for pitch in voicing:
                    self.play(part, bar, float(beat), 0.55, pitch, (0.7 if beat == 1 else 0.6) * swell)
        elif kind == "strum":
            strokes = [(0.0, 1.0), (1.0, 0.6), (1.5, 0.75), (2.5, 0.7), (3.0, 0.85), (3.5, 0.55)]
            for moment, force in strokes:
                if moment >= beats:
                    continue
                down = moment % 1 == 0
                strings = [*voicing, voicing[0] + 12]
                for index, pitch in enumerate(strings if down else reversed(strings)):
                    self.play(part, bar, moment + 0.03 * index, 0.9, pitch, force * (0.75 if down else 0.55) * swell)
        elif kind == "oompah":
            for beat in range(beats):
                if beat % 2 == 1:
                    for pitch in voicing:
                        self.play(part, bar, float(beat), 0.3, pitch, 0.7 * swell)
        elif kind == "pulse":
            for index in range(beats * 2):
                pitch = voicing[0] if index % 2 == 0 else voicing[(index // 2) % len(voicing)]
                accent = 1.0 if index % 4 == 0 else 0.7
                self.play(part, bar, index / 2, 0.42, pitch - 12 * (index % 2 == 0), accent * 0.8 * swell)
        elif kind == "block":
            for index, pitch in enumerate(voicing):
                self.play(part, bar, 0.04 * index, beats * 0.98, pitch, 0.75 * swell)
        else:  # chimes
            for beat in self.rng.choice(beats * 2, size=2, replace=False):
                tone = voicing[int(self.rng.integers(len(voicing)))]
                self.play(part, bar, float(beat) / 2, 3.0, tone + 24, float(self.rng.uniform(0.4, 0.8)) * swell)

    def _bass(self, bar: int, swell: float) -> None:
        part, beats = self.mood.bass, self.mood.beats
        if part is None:
            return
        root = 36 + (self.pitch(self.harmony[bar]) - 36) % 12
        fifth = root + (self.pitch(self.harmony[bar] + 4) - self.pitch(self.harmony[bar]))
        if fifth > 50:
            fifth -= 12
        line = self.mood.bass_line
        if line == "whole":
            self.play(part, bar, 0.0, beats * 0.95, root, 0.9 * swell)
        elif line == "pedal":
            self.play(part, bar, 0.0, beats * 0.98, 36 + self.tonic % 12, 0.85 * swell)
        elif line == "root_fifth":
            self.play(part, bar, 0.0, 1.3, root, 0.95 * swell)
            if beats == 4:
                self.play(part, bar, 2.0, 1.3, fifth, 0.8 * swell)
        elif line == "eighths":
            for index in range(beats * 2):
                self.play(part, bar, index / 2, 0.45, root, (0.95 if index % 2 == 0 else 0.65) * swell)
        else:  # walking
            after = self.harmony[bar + 1] if bar + 1 < self.bars else 0
            target = 36 + (self.pitch(after) - 36) % 12
            path = [
                root,
                36 + (self.pitch(self.harmony[bar] + 2) - 36) % 12,
                fifth,
                target + (1 if fifth > target else -1),
            ]
            for beat, pitch in enumerate(path[:beats]):
                self.play(part, bar, float(beat), 0.85, pitch, (0.9 if beat == 0 else 0.75) * swell)

    def _drums(self, bar: int, swell: float) -> None:
        for part in self.mood.drums:
            for index, mark in enumerate(part.pattern):
                if mark != ".":
                    force = (0.95 if mark == "x" else 0.5) * float(1 + self.rng.normal(0, 0.08)) * swell
                    start = max(0.0, self.at(bar, index / 4) + float(self.rng.normal(0, 0.004)))
                    self.strokes.append(Stroke(start, float(np.clip(force * part.level, 0.02, 1)), part))

    # --- melody

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
        sounding = self.bars - self.intro
        for index in range(sounding):
            bar = self.intro + index
            phrase, place = divmod(index, 4)
            last = bar == self.bars - 1
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
                self.play(part, bar, beat, length * self.mood.staccato, self.pitch(step), 0.85 if beat == 0 else 0.75)
                number += 1
            beat += abs(length)
        return step

    def _close(self, bar: int, anchor: int, part: Part, *, open_end: bool) -> int:
        """The end of a phrase: a step or two down to a long note; open on the chord's fifth or second, or closed."""
        beats = self.mood.beats
        target = self._near_chord(anchor, bar)
        if not open_end and bar < self.bars - 1:
            root = self.chord(bar)[0]
            target = min((root + 7 * turn for turn in (-1, 0, 1)), key=lambda at: abs(at - anchor))
            low, high = self.mood.range
            target = min(high, max(low, target))
        self.play(part, bar, 0.0, 1.0 * self.mood.staccato, self.pitch(target + 1), 0.7)
        self.play(part, bar, 1.0, (beats - 1.5), self.pitch(target), 0.75)
        return target

    def _near_chord(self, step: int, bar: int) -> int:
        tones = {tone % 7 for tone in self.chord(bar)[:3]}
        return min(range(step - 3, step + 4), key=lambda at: (at % 7 not in tones, abs(at - step), -at))

    # --- the end

    def _end(self, voicing: list[int]) -> None:
        """The tonic chord, gently broken, ringing until the fade has it."""
        beats = (self.seconds - self.at(self.bars, 0.0)) * self.tempo / 60
        chord = self._voice(self.bars, voicing)
        for part, force in ((self.mood.harmony, 0.9), (self.mood.pad, 0.8)):
            if part is not None:
                for index, pitch in enumerate(chord):
                    self.play(part, self.bars, 0.07 * index, beats, pitch, force)
        if self.mood.bass is not None:
            self.play(self.mood.bass, self.bars, 0.0, beats, 36 + self.tonic % 12, 0.9)
        top = self.pitch(7 if self.mood.range[1] >= 7 else 0)
        self.play(self.mood.melody, self.bars, 0.2, beats, top, 0.8)
        for drum in self.mood.drums:
            if drum.drum in ("timpani", "triangle", "kick", "frame"):
                self.strokes.append(Stroke(self.at(self.bars, 0.0), drum.level * 0.8, drum))
