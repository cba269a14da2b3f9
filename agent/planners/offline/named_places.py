"""Places by their own names: `Zanzu tower`, `Baker Street`, `Lake Garda`, `Ponte Vecchio`. Nobody is called so."""

from __future__ import annotations

from agent.planners.offline.page import Page
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import words, words_in

__all__ = ["find_named_places"]

_MOST_WORDS = 3
"""Of the name, beside the noun."""
_PERSON = ("cast", "spelling")
_DOING = ("pose", "speech", "delivery", "emotion")
_QUALIFYING = ("trait", "colour", "ordinal", "person", "name", "place", "elsewhere", "weather", "time")
"""What a capitalised word may mean besides, as part of a name: `the Old Mill`, `Baker Street`, `Sunset Hill`."""


def find_named_places(page: Page, vocabulary: Vocabulary) -> list[range]:
    """The tokens of each place that is called by a name, noun and name together, in order.

    A noun of a place makes a name of the capitalised words before it (English) or behind it (Italian and its kin, and
    a few English ones). Members of the cast stay who they are, and so does who acts: `al ponte Zanzu saluta`.
    """
    found: list[range] = []
    if page.is_caseless:
        return found
    for at, token in enumerate(page.tokens):
        if found and at < found[-1].stop:
            continue
        start, end = at, at + 1
        if token.key in words("named_before"):
            start = _first_word(page, vocabulary, at)
        if start == at and token.key in _leading(page, at):
            end = _last_word(page, vocabulary, at)
        if end - start > 1:
            found.append(range(start, end))
    return found


def _leading(page: Page, at: int) -> frozenset[str]:
    """The nouns that stand before a name here; in English only where they are written large, as part of it."""
    if page.tokens[at].text[0].isupper():
        return words("named_behind")
    return words_in(page.language, "named_behind") if page.language != "en" else frozenset()


def _first_word(page: Page, vocabulary: Vocabulary, noun: int) -> int:
    """Where a name begins that ends with this noun; the noun itself where nothing names it."""
    large = page.tokens[noun].text[0].isupper()
    start = noun
    while start and noun - start < _MOST_WORDS and _is_part(page, vocabulary, start - 1, large):
        start -= 1
    # The first word of a sentence is written large whatever it is.
    if start < noun and page.starts_sentence(start) and vocabulary.is_known(page.key(start)):
        start += 1
    return start


def _last_word(page: Page, vocabulary: Vocabulary, noun: int) -> int:
    """Where a name ends that begins with this noun; right behind the noun where nothing names it."""
    end = noun + 1
    if page.key(end) in words("of_a_name") and end + 1 < len(page.tokens):
        end += 1
    first = end
    while end < len(page.tokens) and end - first < _MOST_WORDS and _is_part(page, vocabulary, end, True):
        end += 1
    acts = page.at(end, *_DOING) is not None
    if not page.tokens[noun].text[0].isupper():
        acts = acts or _joins(page, end)
    return noun + 1 if end == first or acts else end


def _joins(page: Page, at: int) -> bool:
    """`al ponte Zanzu e Luca parlano`: a list of people goes on."""
    return page.key(at) in words("and_words") and page.at(at + 1, "cast", "name", "person") is not None


def _is_part(page: Page, vocabulary: Vocabulary, at: int, large: bool) -> bool:
    """Whether a word may belong to the name of a place: written large, and nothing else; or what else fits a name."""
    token = page.tokens[at]
    if not token.is_word or not token.text[0].isupper() or page.at(at, *_PERSON):
        return False
    return not vocabulary.is_known(token.key) or (large and page.at(at, *_QUALIFYING) is not None)
