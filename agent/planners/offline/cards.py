"""Titles beside a story: which beats they become, and where in the film those stand."""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Beat
from agent.planners.offline.beats import Cut
from agent.planners.offline.cast import Mention
from agent.planners.offline.dialogue import Speech
from agent.planners.offline.page import Page
from agent.planners.offline.text import fold
from agent.planners.offline.wordlists import holds, words

__all__ = ["with_cards"]

_SCENERY = ("location", "location_words", "time_of_day", "weather", "mood")
"""What a card that opens a film shares with what follows; one behind takes it from what came before."""


def with_cards(page: Page, mentions: Sequence[Mention], speech: Speech, cut: Cut, beat: Beat) -> list[Beat]:
    """A beat with its titles: each behind the first has a shot of its own, and so has a card beside a story."""
    shown = [(text, token) for text, token in speech.overlays if cut.start <= token < cut.end]
    if not shown:
        return [beat]
    first, token = shown[0]
    before: list[Beat] = []
    behind = [Beat(text=text, text_overlay=text) for text, _ in shown[1:]]
    if token in speech.cards and (beat.performances or beat.dialogue):
        beat = beat.model_copy(update={"text_overlay": ""})
        told_before = any(cut.start <= m.start < token for m in mentions) and not _opens(page, first, token)
        scenery = {name: getattr(beat, name) for name in _SCENERY}
        card = Beat(text=first, text_overlay=first, **({} if told_before else scenery))
        before, behind = ([], [card, *behind]) if told_before else ([card], behind)
    return [*before, beat, *behind]


def _opens(page: Page, text: str, token: int) -> bool:
    """`Luca waves, with a title card "Hello"`: a card that comes along opens the film; `The end` ends it."""
    card = next((m for m in reversed(page.of("thing", end=token)) if m.id == "title_card"), None)
    if card is None or fold(text).strip(" .!…") in words("last_words"):
        return False
    near = [page.key(at) for at in range(card.start, token + 5)]
    along = any(page.key(at) in words("with_words") for at in range(max(0, card.start - 2), card.start))
    return along and not holds(near, "at_the_end")
