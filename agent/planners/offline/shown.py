"""Writing that is seen and not heard: signs, letters, cards over black, `The End`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planners.offline.cast import Mention
from agent.planners.offline.page import Page, Quote
from agent.planners.offline.text import tokenise
from agent.planners.offline.wordlists import starts_with, words

__all__ = ["is_on_poster", "is_shown"]

_TO_TITLE = 5
"""So far behind `a poster for the film` its title stands at most."""

_MOST_BETWEEN = 7


def is_shown(page: Page, quote: Quote, back: int, mentions: Sequence[Mention]) -> bool:
    """Whether a quote that no script gives to anybody is written somewhere, by the words of its sentence before it.

    Args:
        back: the token with which the sentence begins.
        mentions: those who are named; one right before the quote says it.
    """
    keys = [token.key for token in page.tokens[back : quote.token]]
    people = [m.end - back for m in mentions if back <= m.start < quote.token]
    said = [m.start - back for m in page.of("speech", "delivery", start=back, end=quote.token)]
    wrote = [at for at, key in enumerate(keys) if key in words("writing") and at >= len(keys) - 3]
    if wrote and not any(at > wrote[-1] for at in people):
        return True
    last = max(people, default=-1)
    for at in range(len(keys)):
        if not said and at >= last and starts_with(keys[at:], "cards"):
            return True
        length = 0 if at and starts_with(keys[at - 1 :], "off_stage") else starts_with(keys[at:], "bearers")
        between = keys[at + length :]
        if (
            length
            and at + 1 > last
            and (between or not said or said[-1] >= at)  # `shouts from the boat "Land!"` is said.
            and len(between) <= _MOST_BETWEEN
            and all(key in words("showing") for key in between)
        ):
            return True
    return not said and not people and _takes_leave(page, quote)


def _takes_leave(page: Page, quote: Quote) -> bool:
    """`"The End"`, with nobody behind it who says so."""
    after = page.at(quote.token + 1, "speech", "cast", "person")
    return after is None and " ".join(token.key for token in tokenise(quote.text) if token.is_word) in words(
        "farewells"
    )


def is_on_poster(page: Page, quote: Quote, back: int, mentions: Sequence[Mention]) -> bool:
    """`a poster for "Night Boat" with Luca`: the name of the film, written on the picture."""
    posters = [at for at in range(back, quote.token) if page.key(at) in words("posters")]
    if not posters or quote.token - posters[-1] > _TO_TITLE or page.of("speech", start=back, end=quote.token):
        return False
    return not any(posters[-1] < m.start < quote.token for m in mentions)
