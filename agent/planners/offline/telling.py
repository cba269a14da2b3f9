"""The action of a shot in words: what the request tells, as clean sentences in the present tense.

Words that ask, and words about the film itself (film_words.py), are left out; what remains gets a verb in the present
tense (present_tense.py): `Luca running` becomes `Luca runs`, and `a race between Luca and Alberto` becomes `Luca and
Alberto have a race`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.planners.offline.cast import Mention
from agent.planners.offline.film_words import ABOUT_SCENERY, dropped_words, is_of_film
from agent.planners.offline.page import Page
from agent.planners.offline.present_tense import CLAUSE_ENDS, ENDS, has_verb, is_finite, sentence_of
from agent.planners.offline.quotes import QUOTE_MARK
from agent.planners.offline.verbs import telling_data, word_set
from agent.planners.offline.wordlists import words

__all__ = ["MAX_ACTION", "tell"]

MAX_ACTION = 600
MAX_TOKENS = 240
"""So many tokens are more than an action holds."""


def tell(
    page: Page,
    mentions: Sequence[Mention],
    start: int,
    end: int,
    names: Mapping[str, str] | None = None,
    doers: Sequence[str] = (),
) -> str:
    """What tokens `start` to `end` tell of what is to be seen; empty when they only ask for a film.

    Args:
        names: by character id; whom a shot begins with is named even where the request says `he`.
        doers: names of those who act, for a verb that comes without its subject (`poi si tuffa`).
    """
    stop = min(end, len(page.tokens), start + MAX_TOKENS)
    dropped = dropped_words(page, start, stop)
    sentences: list[str] = []
    for first, last in _sentences(page, start, stop):
        spans = [(a, b) for a, b in _clauses(page, first, last) if not is_of_film(page, mentions, a, b, dropped)]
        spans = [(a, b) for a, b in spans if not _only_says(page, a, b)]
        kept = [at for at in _joined_spans(page, mentions, spans, first) if at not in dropped]
        kept = _headed(page, mentions, _without_saying(page, kept), dropped)
        told = sentence_of(page, mentions, kept, {} if sentences else names or {})
        if told and " " not in told and page.quotes and not any(m.start in kept for m in mentions):
            continue  # `Alberto answers, shrugging, "..."`
        if told and doers and not sentences and _lacks_subject(page, mentions, kept):
            told = f"{_and(page.language).join(doers)} {told[:1].lower()}{told[1:]}"
        if told:
            sentences.append(told[:1].upper() + told[1:])
    text = ". ".join(sentences).replace("!.", "!").replace("?.", "?")
    return text[:MAX_ACTION].strip(" ,;:-(")


def _only_says(page: Page, start: int, end: int) -> bool:
    """`Il padre dice`, `says Giulia`: a clause that only gives out a quote, whose words are heard anyway."""
    verbs = page.of("speech", start=start, end=end)
    if not verbs:
        return False
    if page.of("pose", start=start, end=end):
        return False
    near = range(max(0, verbs[0].start - 3), min(len(page.tokens), verbs[-1].end + 6))
    return any(page.tokens[at].text == QUOTE_MARK for at in near)


def _without_saying(page: Page, kept: list[int]) -> list[int]:
    """`comes in and says "..."`: without the verb that only gives out the quote behind it."""
    last = kept[-1] if kept else -1
    verb = page.at(last, "speech")
    quoted = any(page.tokens[at].text == QUOTE_MARK for at in range(last + 1, min(last + 4, len(page.tokens))))
    if verb is None or not quoted or page.at(last, "pose") is not None:
        return kept
    left = [at for at in kept if at < verb.start]
    while left and (page.key(left[-1]) in words("and_words") or page.tokens[left[-1]].is_mark):
        left = left[:-1]
    return left if len(left) > 1 else kept


def _joined_spans(page: Page, mentions: Sequence[Mention], spans: list[tuple[int, int]], first: int) -> list[int]:
    """The tokens of clauses; where one between two commas was left out, its commas go too (`Giulia[, cross,] runs`)."""
    kept: list[int] = []
    last = first
    for start, end in spans:
        gap = bool(kept) and start > last
        goes_on = gap and page.key(start) == "," and not any(m.start == start + 1 for m in mentions)
        kept += range(start + 1 if goes_on else start, end)
        last = end
    return kept


def _and(language: str) -> str:
    """The `and` of a language between two names."""
    return f" {telling_data().joins[language]} "


def _lacks_subject(page: Page, mentions: Sequence[Mention], kept: Sequence[int]) -> bool:
    """`si tuffa`, `jumps in`: a verb at the head and nobody named before it."""
    if not kept or any(m.start in kept for m in mentions):
        return False
    first = next((pose for at in kept[:3] if (pose := page.at(at, "pose"))), None)
    finite = page.language == "en" and is_finite(page, kept[0]) and not page.at(kept[0], "request")
    return finite or (page.language in ("it", "es", "fr") and first is not None)


def _sentences(page: Page, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of sentences and lines."""
    spans: list[tuple[int, int]] = []
    first = start
    for at in range(start, end):
        broken = at > first and page.breaks_between(at - 1, at) and page.tokens[at - 1].key not in ENDS
        if broken:
            spans.append((first, at))
            first = at
        quoted = page.tokens[at].text == QUOTE_MARK and at + 1 < end and page.tokens[at + 1].text[0].isupper()
        if page.tokens[at].key in ENDS or quoted:  # `"Stop!" Alberto turns round.`
            spans.append((first, at))
            first = at + 1
    spans.append((first, end))
    return [(a, b) for a, b in spans if a < b]


def _clauses(page: Page, start: int, end: int) -> list[tuple[int, int]]:
    """Spans between marks; each holds the mark before it."""
    starts = [start] + [at for at in range(start + 1, end) if page.key(at) in CLAUSE_ENDS and not _is_inside(page, at)]
    return list(zip(starts, [*starts[1:], end], strict=True))


def _is_inside(page: Page, at: int) -> bool:
    """`half-open`: a mark that stands within a word."""
    return page.key(at) == "-" and 0 < at < len(page.tokens) - 1 and (
        page.tokens[at - 1].end == page.tokens[at].start and page.tokens[at].end == page.tokens[at + 1].start
    )  # fmt: skip


def _headed(page: Page, mentions: Sequence[Mention], kept: list[int], dropped: set[int]) -> list[int]:
    """Without marks, words of asking and scenery at the head, and without marks at the end."""
    kept = _without_face(page, mentions, _from_subject(page, mentions, kept))
    if kept and page.at(kept[0] - 1, "camera") and page.at(kept[0], "joiner") and not has_verb(page, kept):
        return []  # `zoom out from Luca's eyes to the whole beach` is all about the camera.
    leading = word_set("leading", page.language)
    while kept:
        at = kept[0]
        mark = page.tokens[at].is_mark
        counted = page.at(at, "ordinal") is not None and page.key(at + 1) == ","  # `In the second, Alberto ...`
        article = counted or (
            page.key(at) in word_set("carriers", page.language) and (at + 1 in dropped or page.at(at + 1, "ordinal"))
        )
        named = any(m.start == at and m.kind in ("phrase", "group") for m in mentions)  # `el perro` keeps its article.
        if named or not (mark or page.key(at) in leading or article) or page.at(at, "cast", "person"):
            break
        if page.at(at, "emotion", "mood") and not dropped & {at - 1, at + 1}:
            break
        kept = kept[1:]
    while kept and (page.tokens[kept[-1]].is_mark or (kept[-1] + 1 in dropped and _is_little(page, kept[-1]))):
        kept = kept[:-1]
    return kept


def _without_face(page: Page, mentions: Sequence[Mention], kept: list[int]) -> list[int]:
    """`Alberto's face as he realises ...`: what the face is shown for is what happens."""
    first = next((m for m in mentions if kept and m.start == kept[0]), None)
    if first is None or page.key(first.end) != "'s":
        return kept
    face = page.at(first.end + 1, "thing")
    if face is None or face.id != "face" or page.key(face.end) not in word_set("meanwhile", page.language):
        return kept
    start = face.end + 1 + (page.at(face.end + 1, "pronoun") is not None)
    return [at for at in kept if at < first.end or at >= start]


def _from_subject(page: Page, mentions: Sequence[Mention], kept: list[int]) -> list[int]:
    """`the piazza at noon with Luca ...`, `the harbour where they ...`: from the one who does something."""
    first = next((m for m in mentions if m.start in kept and not m.refused), None)
    if first is None or kept[0] >= first.start:
        return kept
    before = kept[: kept.index(first.start)]
    little = word_set("leading", page.language) | word_set("carriers", page.language)
    leads = page.key(before[-1]) in little or page.tokens[before[-1]].is_mark
    leads = leads or page.at(before[-1], "time", "weather", "place") is not None
    scenery = all(
        page.at(at, *ABOUT_SCENERY, "joiner")
        or page.key(at) in little
        or page.tokens[at].is_mark
        or page.key(at) == "'s"
        for at in before
    )
    article = len(before) == 1 and not page.tokens[before[0]].is_mark and not page.at(before[0], "joiner")
    return kept[len(before) :] if leads and scenery and not article else kept


def _is_little(page: Page, at: int) -> bool:
    joiner = page.at(at, "joiner")
    return joiner is not None and joiner.end - joiner.start == 1 and page.at(at, "cast", "person", "place") is None


# -- grammar ----------------------------------------------------------------------------------------------------------
