"""The sheet of music that a score is written on: its form, its harmony, and how a note comes onto it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.music.moods import MODES, DrumPart, MoodScore, Part

__all__ = ["Note", "Sheet", "Stroke", "WrittenScore"]

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


class Sheet:
    """A score while it is written: `bars` bars of `harmony`, then the last chord.

    Args:
        mood: how music of this mood is written.
        seconds: length of the whole.
        rng: decides everything that is left open.
    """

    def __init__(self, mood: MoodScore, seconds: float, rng: np.random.Generator) -> None:
        self.mood, self.rng, self.seconds = mood, rng, seconds
        self.tonic = int(rng.choice(mood.tonics))
        self.scale = MODES[mood.mode]
        self.notes: list[Note] = []
        self.strokes: list[Stroke] = []
        self.bars, self.tempo = self._fit()
        self.harmony = self._harmonise()
        self.intro = 0 if self.bars < 6 else 2 if self.bars < 24 else 4

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

    def strike(self, part: DrumPart, bar: int, sixteenth: int, velocity: float) -> None:
        """Add a stroke on a drum."""
        start = max(0.0, self.at(bar, sixteenth / 4) + float(self.rng.normal(0, 0.004)))
        self.strokes.append(Stroke(start, float(np.clip(velocity * part.level, 0.02, 1)), part))
