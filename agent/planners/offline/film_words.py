"""Which words of a request speak of the film (its music, style, length, format), not of what is to be seen in it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planners.offline.cast import Mention
from agent.planners.offline.headings import find_headings
from agent.planners.offline.lexicon import Match
from agent.planners.offline.limits import ratio_spans
from agent.planners.offline.page import Page
from agent.planners.offline.quotes import FILE_MARK, LINE_MARK, QUOTE_MARK
from agent.planners.offline.verbs import grammar, word_set
from agent.planners.offline.word_count import word_count_tokens
from agent.planners.offline.wordlists import words

__all__ = ["ABOUT_SCENERY", "dropped_words", "is_of_film"]

MOST_QUALIFYING = 4
"""So many words may qualify music or light; more tell something."""
MOST_LEADING = 9
"""So many tokens may lead to the noun of the film."""
_FILM_NOUNS = frozenset(
    ("shot", "scene", "story", "production", "title_card", "title", "overlay", "variation", "format", "style", "length")
) | {"camera"}
"""Ids of lexicons/things.yaml that stand for the film, not for something in it."""
_ABOUT_FILM = ("output", "style", "aspect", "framing", "camera", "unit", "request", "mood")
ABOUT_SCENERY = ("place", "elsewhere", "time", "weather", "emotion", "delivery", "ordinary", "trait", "colour")


def dropped_words(page: Page, start: int, end: int) -> set[int]:
    """Tokens about the film itself, with the little words that lead to them and follow them."""
    drop: set[int] = {at for first, stop in find_headings(page) for at in range(first, stop) if start <= at < end}
    drop.update(at for at in range(start, end) if page.tokens[at].text in (QUOTE_MARK, LINE_MARK, FILE_MARK))
    for first, stop in ratio_spans(page):
        drop.update(at for at in range(start, end) if first <= page.tokens[at].start < stop)
    drop |= {at for at in word_count_tokens(page) if start <= at < end}
    for phrase in grammar().quality:
        for at in range(start, end - len(phrase) + 1):
            if tuple(page.key(at + i) for i in range(len(phrase))) == phrase:
                drop.update(range(at, at + len(phrase)))
    for match in page.of(*_ABOUT_FILM, "thing", "negation", start=start, end=end):
        # `Luca builds a boat`: behind a subject a verb of making is what happens.
        done = match.subject == "request" and match.id in ("make", "draw") and _has_subject(page, match.start, start)
        if not done and _is_film_word(page, match):
            drop.update(range(match.start, match.end))
    drop |= _lead_in(page, start, end, drop) | _purpose(page, start, end)
    for at in sorted(drop):
        _widen(page, at, start, end, drop)
    return drop


def _lead_in(page: Page, start: int, end: int, drop: set[int]) -> set[int]:
    """`a loopable background of ...`: all that leads to the film itself, when what it shows comes behind."""
    for match in page.of("output", "thing", start=start, end=min(end, start + MOST_LEADING)):
        shown = page.key(match.end) in words("head_of") or page.key(match.end) == ":"
        told = page.of("cast", "person", "group", "pose", "place", "elsewhere", start=start, end=match.start)
        if match.start in drop and shown and not told and match.id not in ("music", "voice"):
            return set(range(start, match.end + 1))
    return set()


def _purpose(page: Page, start: int, end: int) -> set[int]:
    """`for my stream`: whom or what the film is for."""
    found: set[int] = set()
    for at in range(start, end):
        if page.key(at) not in word_set("leads_to_purpose", page.language) or page.at(at - 1, "pose"):
            continue
        for last in (at + 1, at + 2, at + 3):
            if last < end and page.key(last) in word_set("purposes", page.language):
                found.update(range(at, last + 1))
            if page.at(last, "cast"):
                break
    return found


def _has_subject(page: Page, at: int, start: int) -> bool:
    """Whether somebody is named before a token in its sentence."""
    return any(
        not page.breaks_between(m.start, at) for m in page.of("cast", "person", "group", "pronoun", start=start, end=at)
    )


def _is_film_word(page: Page, match: Match) -> bool:
    """Whether a phrase speaks of the film: its music, its style, its length; not `dances to the music`."""
    noun = page.at(match.end, "output", "thing")
    if match.id == "variation" and page.key(match.end) in words("one_article") and _has_subject(page, match.start, 0):
        return False  # `Giulia takes a photo`
    if match.subject == "thing" and match.id == "story" and _is_done(page, match):
        return not _has_subject(page, match.start, 0)  # `racconta una storia`
    if match.subject == "thing":
        return (match.id in _FILM_NOUNS and match.id not in ("camera", "style", "length")) or (
            match.id in ("camera", "style", "length")
        )
    if match.subject == "unit":
        return bool(match.start) and (
            page.tokens[match.start - 1].is_number or page.key(match.start - 1) == "-"
            or page.at(match.start - 1, "number") is not None
        )  # fmt: skip
    if match.subject == "mood":
        return noun is not None and (noun.subject == "output" or noun.id in _FILM_NOUNS)
    if match.subject == "negation":
        return match.id in ("silent", "soundless") or (match.id in ("none", "only") and noun is not None)
    if match.subject == "output" and page.at(match.start, "pose") and _has_subject(page, match.start, 0):
        return False  # `Giulia painting` does it.
    if match.subject == "output":
        done = _is_done(page, match)
        if match.id in ("image", "video") and done and _has_subject(page, match.start, 0):
            return page.at(match.start - 1, "request") is not None  # `Giulia takes a photo`, `Alberto eats everything`
        return match.id not in ("music", "voice") or not done
    if match.subject in ("framing", "camera"):
        return not match.entry.careful or page.at(match.start, "pose") is None
    return True


def _is_done(page: Page, match: Match) -> bool:
    """`listens to music`, `plays a song`: music within the story."""
    back = list(range(max(0, match.start - 3), match.start))
    return any(page.at(at, "pose", "speech") or page.key(at) in grammar().finite for at in back)


def _widen(page: Page, at: int, start: int, end: int, drop: set[int]) -> None:
    """Take along what leads to a dropped word and what only qualifies it."""
    language = page.language
    before = at - 1
    amount = page.at(at, "unit", "thing", "output", "framing", "camera") is not None
    while before >= start and before not in drop:
        key, token = page.key(before), page.tokens[before]
        number = amount and (token.is_number or page.at(before, "number") is not None or key == "-")
        film = page.at(before, "mood", "style", "emotion") is not None and page.at(at, "output", "thing", "mood")
        if not (number or film or key in word_set("carriers", language)) or page.at(before, "cast", "person", "group"):
            break
        drop.add(before)
        before -= 1
    behind = at + 1
    while behind < end and behind not in drop and page.at(at, "camera", "style", "aspect", "output", "framing"):
        qualified = page.at(at, "output") and page.at(behind, "mood", "emotion") and page.language != "en"
        if not qualified and page.key(behind) not in word_set("trailing", language):
            break
        drop.add(behind)
        behind += 1


def is_of_film(page: Page, mentions: Sequence[Mention], start: int, end: int, dropped: set[int]) -> bool:
    """Whether a clause says nothing but how the film is, where, when, and in what weather."""
    if any(start <= m.start < end and not m.refused for m in mentions):
        return False
    content = [at for at in range(start, end) if page.tokens[at].is_word or page.tokens[at].is_number]
    if not content or all(at in dropped for at in content):
        return True
    if any((denied := page.at(at, "negation")) is not None and denied.id == "nobody" for at in content):
        return not page.of("place", "elsewhere", start=start, end=end)  # `an empty beach` is what is to be seen.
    if len(content) <= MOST_QUALIFYING and _is_music(page, content):
        return True  # `lullaby music`, `warm light`
    for at in content:
        if at in dropped or page.at(at, *ABOUT_SCENERY, "negation", "number", "mood", "style"):
            continue
        key = page.key(at)
        little = word_set("carriers", page.language) | word_set("trailing", page.language)
        if key not in little and key not in word_set("leading", page.language) and page.at(at, "joiner") is None:
            return False
    return True


def _is_music(page: Page, content: Sequence[int]) -> bool:
    """Whether a clause ends or begins with music or light, whatever qualifies it."""
    if page.key(content[-1]) in word_set("film_looks", page.language):
        return True
    nouns = [page.at(at, "output", "thing") for at in (content[0], content[-1])]
    return any(noun is not None and noun.id in ("music", "time", "style", "voice", "camera") for noun in nouns)
