"""Phonemes (IPA) to Preston Blair's mouth shapes, timed for animation."""

from __future__ import annotations

from collections.abc import Sequence

from tools.timeline import MouthCue, MouthShape

__all__ = ["mouth_cues", "shapes_of"]

_SHAPES: dict[MouthShape, str] = {
    "mbp": "mbpɓ",
    "fv": "fvʋɱ",
    "l": "lɫʎɭɬ",
    "wq": "wʍɥ",
    "ai": "aɑæʌɐäɶ",
    "e": "eɛəɜɪiɘɚɝɨᵻ",
    "o": "oɔɒøœɵɤ",
    "u": "uʊyʏʉɯ",
    "etc": "cdɡgknrsθðyztʃʒɹɾʁχxhjɲŋçɕʑʝɣɦʔʤʧqɟβɸʀɻ",
}
_SHAPE_OF: dict[str, MouthShape] = {char: shape for shape, chars in _SHAPES.items() for char in chars}
_VOWELS: frozenset[MouthShape] = frozenset(("ai", "e", "o", "u"))

MIN_PAUSE_S = 0.09
"""A shorter silence between two sounds is a closed consonant, not a mouth at rest."""
MIN_CUE_S = 0.034
"""A shape that would be held for less is left out, for nobody could see it (a frame at 24 fps is 0.042 s)."""

CLOSED_S = 0.06


def shapes_of(ipa: str) -> list[MouthShape]:
    """The shapes one phoneme runs through: one for most, two for a diphthong, none for a mark without sound."""
    shapes: list[MouthShape] = []
    for char in ipa:
        shape = _SHAPE_OF.get(char)
        if shape is not None and (not shapes or shapes[-1] != shape):
            shapes.append(shape)
    if any(shape in _VOWELS for shape in shapes):
        # An r or a glide inside a vowel phoneme colours it and is not a place of its own.
        shapes = [shape for shape in shapes if shape in _VOWELS]
    return shapes[:2] if shapes and shapes[0] in _VOWELS else shapes[-1:]


def mouth_cues(phonemes: Sequence[tuple[float, float, str]]) -> list[MouthCue]:
    """Cues from timed phonemes.

    Args:
        phonemes: (start, end, IPA) in seconds, in order; an empty IPA is a pause.

    Returns:
        Cues with rising times; neighbours differ; the last is `rest`, at the end of the speech.
    """
    raw: list[tuple[float, MouthShape]] = []
    end = 0.0
    for start, stop, ipa in phonemes:
        shapes = shapes_of(ipa)
        if not shapes:
            if stop - start >= MIN_PAUSE_S:
                raw.append((start, "rest"))
            continue
        # The second half of a diphthong comes late: the first target is held.
        raw.append((start, shapes[0]))
        if len(shapes) == 2:
            raw.append((start + 0.55 * (stop - start), shapes[1]))
        end = stop
    raw = [cue for cue in raw if cue[0] < end]
    kept: list[tuple[float, MouthShape]] = []
    for index, (start, shape) in enumerate(raw):
        stop = raw[index + 1][0] if index + 1 < len(raw) else end
        if stop - start < MIN_CUE_S and shape not in ("mbp", "fv", "rest"):
            continue
        if not kept or kept[-1][1] != shape:
            kept.append((start, shape))
    return _hold_closures(kept, end)


def _hold_closures(raw: list[tuple[float, MouthShape]], end: float) -> list[MouthCue]:
    """Lips that meet must be seen to: a closure is held at least `CLOSED_S`, begun early where the mouth has time."""
    cues: list[MouthCue] = []
    for index, (start, shape) in enumerate(raw):
        stop = raw[index + 1][0] if index + 1 < len(raw) else end
        before = raw[index - 1][0] if index else start
        if shape in ("mbp", "fv") and stop - start < CLOSED_S:
            start = max(start - (CLOSED_S - (stop - start)), before + 0.6 * (start - before))
        if not cues or start > cues[-1].start:
            cues.append(MouthCue(start=start, shape=shape))
    if cues and cues[-1].shape != "rest":
        cues.append(MouthCue(start=max(end, cues[-1].start + 1e-3), shape="rest"))
    return cues
