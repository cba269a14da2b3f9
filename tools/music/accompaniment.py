"""What lies under the melody: chords, bass and drums, bar by bar."""

from __future__ import annotations

from tools.music.sheet import Sheet

__all__ = ["accompany", "bass_line", "drum_bar", "voice_chord"]


def voice_chord(sheet: Sheet, bar: int, before: list[int]) -> list[int]:
    """The chord around the fourth below middle C, in the inversion that moves least from the last one."""
    tones = [sheet.pitch(step) % 12 for step in sheet.chord(bar)]
    options = []
    for low in range(50, 63):
        if low % 12 in tones:
            turned = sorted(low + (tone - low) % 12 for tone in tones)
            moved = sum(abs(a - b) for a, b in zip(turned, before, strict=False)) if before else abs(low - 55)
            options.append((moved + 0.4 * abs(low - 55), turned))
    return min(options)[1]


def accompany(sheet: Sheet, bar: int, voicing: list[int], swell: float) -> None:
    """A bar of the mood's accompaniment figure on the chord `voicing` (MIDI numbers), and of its pad."""
    beats, part = sheet.mood.beats, sheet.mood.harmony
    kind = sheet.mood.accompaniment
    if sheet.mood.pad is not None:
        for pitch in voicing:
            sheet.play(sheet.mood.pad, bar, 0.0, beats * 1.02, pitch, 0.8 * swell)
    if kind == "arpeggio":
        up = [*voicing, voicing[0] + 12]
        pattern = [0, 1, 2, 3, 2, 1, 2, 1] if beats == 4 else [0, 1, 2, 3, 2, 1]
        for index, place in enumerate(pattern):
            sheet.play(part, bar, index / 2, 1.6, up[place % len(up)], (0.85 if index == 0 else 0.65) * swell)
    elif kind == "waltz":
        for beat in range(1, beats):
            for pitch in voicing:
                sheet.play(part, bar, float(beat), 0.55, pitch, (0.7 if beat == 1 else 0.6) * swell)
    elif kind == "strum":
        strokes = [(0.0, 1.0), (1.0, 0.6), (1.5, 0.75), (2.5, 0.7), (3.0, 0.85), (3.5, 0.55)]
        for moment, force in strokes:
            if moment >= beats:
                continue
            down = moment % 1 == 0
            strings = [*voicing, voicing[0] + 12]
            for index, pitch in enumerate(strings if down else reversed(strings)):
                sheet.play(part, bar, moment + 0.03 * index, 0.9, pitch, force * (0.75 if down else 0.55) * swell)
    elif kind == "oompah":
        for beat in range(beats):
            if beat % 2 == 1:
                for pitch in voicing:
                    sheet.play(part, bar, float(beat), 0.3, pitch, 0.7 * swell)
    elif kind == "pulse":
        for index in range(beats * 2):
            pitch = voicing[0] if index % 2 == 0 else voicing[(index // 2) % len(voicing)]
            accent = 1.0 if index % 4 == 0 else 0.7
            sheet.play(part, bar, index / 2, 0.42, pitch - 12 * (index % 2 == 0), accent * 0.8 * swell)
    elif kind == "block":
        for index, pitch in enumerate(voicing):
            sheet.play(part, bar, 0.04 * index, beats * 0.98, pitch, 0.75 * swell)
    else:  # chimes
        for beat in sheet.rng.choice(beats * 2, size=2, replace=False):
            tone = voicing[int(sheet.rng.integers(len(voicing)))]
            sheet.play(part, bar, float(beat) / 2, 3.0, tone + 24, float(sheet.rng.uniform(0.4, 0.8)) * swell)


def bass_line(sheet: Sheet, bar: int, swell: float) -> None:
    """A bar of the bass, in the octave above the low C."""
    part, beats = sheet.mood.bass, sheet.mood.beats
    if part is None:
        return
    root = 36 + (sheet.pitch(sheet.harmony[bar]) - 36) % 12
    fifth = root + (sheet.pitch(sheet.harmony[bar] + 4) - sheet.pitch(sheet.harmony[bar]))
    if fifth > 50:
        fifth -= 12
    line = sheet.mood.bass_line
    if line == "whole":
        sheet.play(part, bar, 0.0, beats * 0.95, root, 0.9 * swell)
    elif line == "pedal":
        sheet.play(part, bar, 0.0, beats * 0.98, 36 + sheet.tonic % 12, 0.85 * swell)
    elif line == "root_fifth":
        sheet.play(part, bar, 0.0, 1.3, root, 0.95 * swell)
        if beats == 4:
            sheet.play(part, bar, 2.0, 1.3, fifth, 0.8 * swell)
    elif line == "eighths":
        for index in range(beats * 2):
            sheet.play(part, bar, index / 2, 0.45, root, (0.95 if index % 2 == 0 else 0.65) * swell)
    else:  # walking
        after = sheet.harmony[bar + 1] if bar + 1 < sheet.bars else 0
        target = 36 + (sheet.pitch(after) - 36) % 12
        path = [
            root,
            36 + (sheet.pitch(sheet.harmony[bar] + 2) - 36) % 12,
            fifth,
            target + (1 if fifth > target else -1),
        ]
        for beat, pitch in enumerate(path[:beats]):
            sheet.play(part, bar, float(beat), 0.85, pitch, (0.9 if beat == 0 else 0.75) * swell)


def drum_bar(sheet: Sheet, bar: int, swell: float) -> None:
    """A bar of every drum, as its pattern says."""
    for part in sheet.mood.drums:
        for index, mark in enumerate(part.pattern):
            if mark != ".":
                force = (0.95 if mark == "x" else 0.5) * float(1 + sheet.rng.normal(0, 0.08)) * swell
                sheet.strike(part, bar, index, force)
