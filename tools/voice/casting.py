"""Which voice a character gets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from configs.voices import EspeakVoice, VoiceBook
from tools.storyboard import Look

__all__ = ["CastVoice", "cast_voice"]

PITCH_SPREAD = 2.5
"""Semitones up or down by which two characters who share a voice are set apart."""
FORMANT_SPREAD = 0.06
RATE_SPREAD = 0.07


@dataclass(frozen=True)
class CastVoice:
    """A voice as one character has it; `label` names it in the record."""

    label: str
    voice: EspeakVoice


def _suits(voice: EspeakVoice, look: Look, *, gender: bool, age: bool) -> bool:
    suits = voice.suits
    return (
        suits is not None
        and look.species in suits.species
        and (not age or look.age in suits.ages)
        and (not gender or look.gender in suits.genders)
    )


def _pool(book: VoiceBook, look: Look) -> list[str]:
    """Names of the voices that fit the look as closely as any do."""
    for gender, age in ((True, True), (False, True), (True, False), (False, False)):
        names = [name for name, voice in book.voices.items() if _suits(voice, look, gender=gender, age=age)]
        if names:
            return names
    return [book.fallback]


def cast_voice(book: VoiceBook, character: str, look: Look | None) -> CastVoice:
    """The voice of a character: its own, or one that fits its look, varied by its id.

    The same id and look always give the same voice. Two ids with the same look get different voices or variants:
    pitch, resonance and rate are each moved by a part of the id's hash.
    """
    own = book.characters.get(character)
    if own is not None:
        return CastVoice(own.espeak, book.voices[own.espeak])
    names = _pool(book, look or Look())
    digest = hashlib.sha256(character.encode()).digest()
    name = names[int.from_bytes(digest[:4], "big") % len(names)]
    base = book.voices[name]
    pitch, formants, rate = (value / 255 * 2 - 1 for value in digest[4:7])
    varied = base.model_copy(
        update={
            "pitch": round(min(450.0, max(50.0, base.pitch * 2 ** (pitch * PITCH_SPREAD / 12))), 2),
            "formants": round(min(1.6, max(0.6, base.formants * (1 + formants * FORMANT_SPREAD))), 4),
            "rate": round(min(260.0, max(80.0, base.rate * (1 + rate * RATE_SPREAD))), 2),
        }
    )
    return CastVoice(f"{name}-{digest[4:7].hex()}", varied)
