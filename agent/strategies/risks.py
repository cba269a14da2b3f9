"""What can be seen of a request before anything is drawn, by rules: what is likely to go wrong on screen."""

from __future__ import annotations

from agent.intent import Intent

__all__ = ["WORDS_PER_SECOND", "risks_of"]

WORDS_PER_SECOND = 2.7
"""Spoken words; the embedded voices speak 2.5 to 4.4 a second, a person who acts about this."""
MOST_IN_FRAME = {"detail": 1, "close": 2, "medium": 3, "full": 4, "wide": 8}


def risks_of(intent: Intent) -> list[str]:
    """Short sentences; none where nothing speaks against the request."""
    found: list[str] = []
    for number, beat in enumerate(intent.brief.beats if intent.brief else [], 1):
        people = len(beat.performances)
        if beat.framing and people > MOST_IN_FRAME[beat.framing]:
            found.append(f"shot {number}: {people} people in a {beat.framing} shot will hide one another")
        words = sum(len(line.text.split()) for line in beat.dialogue)
        if beat.duration_s and words / WORDS_PER_SECOND > beat.duration_s:
            found.append(f"shot {number}: {words} words do not fit into {beat.duration_s:g} s")
        if beat.location is None and beat.location_words:
            found.append(f"shot {number}: “{beat.location_words}” is no place that can be drawn by name")
    found += [f"{name} has no sheet and is drawn from words" for name in intent.unknown_names[:3]]
    return found[:6]
