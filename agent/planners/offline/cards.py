"""Titles beside a story: which beats they become, and where in the film those stand."""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Beat
from agent.planners.offline.beats import Cut
from agent.planners.offline.cast import Mention
from agent.planners.offline.page import Page
from agent.planners.offline.spoken import Speech
from agent.planners.offline.text import fold
from agent.planners.offline.wordlists import holds, words

__all__ = ["with_cards"]

_SCENERY = ("location", "location_words", "time_of_day", "weather", "mood")
"""What a card that opens a film shares with what follows; one behind takes it from what came before."""


def with_cards(page: Page, mentions: Sequence[Mention], speech: Speech, told: Sequence[tuple[Cut, Beat]]) -> list[Beat]:
    """Beats with their titles: each behind the first has a shot of its own, and so has a card beside a story.

    A card that opens the film stands before all of them, wherever it is told.
    """
    opening: list[Beat] = []
    beats: list[Beat] = []
    for cut, beat in told:
        shown = [(text, token) for text, token in speech.overlays if cut.start <= token < cut.end]
        behind = [Beat(text=text, text_overlay=text) for text, _ in shown[1:]]
        if not shown or shown[0][1] not in speech.cards or not (beat.performances or beat.dialogue):
            beats += [beat, *behind]
            continue
        text, token = shown[0]
        beat = beat.model_copy(update={"text_overlay": ""})
        card = Beat(text=text, text_overlay=text)
        if _opens(page, text, token):
            opening.append(card)
            beats += [beat, *behind]
        elif any(cut.start <= m.start < token for m in mentions):
            beats += [beat, card, *behind]
        else:
            beats += [card, beat, *behind]
    if opening:
        scenery = {name: getattr(beats[0], name) for name in _SCENERY}
        opening = [card.model_copy(update=scenery) for card in opening]
    return [*opening, *beats]


def _opens(page: Page, text: str, token: int) -> bool:
    """`Luca waves, with a title card "Hello"`: a card that comes along opens the film; `The end` ends it."""
    card = next((m for m in reversed(page.of("thing", end=token)) if m.id == "title_card"), None)
    if card is None or fold(text).strip(" .!…") in words("last_words"):
        return False
    near = [page.key(at) for at in range(card.start, token + 5)]
    along = any(page.key(at) in words("with_words") for at in range(max(0, card.start - 2), card.start))
    return along and not holds(near, "at_the_end")
