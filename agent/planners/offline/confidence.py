"""How sure the reader may be: the share of what was written that it could place."""

from __future__ import annotations

from agent.intent import Brief
from agent.planners.offline.headings import find_headings
from agent.planners.offline.limits import tell_limits
from agent.planners.offline.reading import Reading
from agent.planners.offline.word_count import word_count_tokens

__all__ = ["rate", "unplaced"]

MAX_NAMED = 6


def unplaced(reading: Reading) -> list[str]:
    """Content words that no lexicon holds and no name, quote or file took in."""
    page, vocabulary = reading.page, reading.vocabulary
    covered = {at for m in page.matches for at in range(m.start, m.end)}
    covered |= {at for m in reading.mentions for at in range(m.start, m.end)}
    covered |= {at for start, end in find_headings(page) for at in range(start, end)}
    covered |= word_count_tokens(page)
    places = {word for beat_word in (page.language,) for word in vocabulary.common[beat_word]}
    words = [
        token.text
        for at, token in enumerate(page.tokens)
        if token.is_word
        and at not in covered
        and token.key not in places
        and len(token.text) > 1
        and token.text[0] != "'"
    ]
    return list(dict.fromkeys(words))


def rate(reading: Reading, brief: Brief) -> float:
    """0..1, and the words that cannot be shown go into the questions."""
    page = reading.page
    tell_limits(page, brief.aspect or "16:9", reading.notes)
    words = [token for token in page.tokens if token.is_word]
    said = {w.lower() for beat in brief.beats if beat.location_words for w in beat.location_words.split()}
    lost = [word for word in unplaced(reading) if word.lower() not in said]
    if lost:
        shown = ", ".join(f'"{word}"' for word in lost[:MAX_NAMED])
        reading.notes.ask("words_not_drawn", words=shown)
    share = 1.0 - len(lost) / max(1, len(words))
    sure = 0.3 + 0.7 * share**2
    if not brief.cast and not any(beat.text_overlay for beat in brief.beats):
        sure -= 0.1
    if not any(beat.location or beat.location_words or beat.text_overlay for beat in brief.beats):
        sure -= 0.1
    sure -= 0.08 * len([q for q in reading.notes.questions if q])
    if lost and len(lost) >= 0.5 * len(words):
        sure = min(sure, 0.3)
    return round(max(0.05, min(1.0, sure)), 2)
