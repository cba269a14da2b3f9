"""The action of a shot in words: what the request tells, as clean sentences in the present tense.

Words that ask, and words about the film itself (framing, music, style, length, format), are left out; `Luca running`
becomes `Luca runs`, and `a race between Luca and Alberto` becomes `Luca and Alberto have a race`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent.planners.offline.acting import Group, groups_of
from agent.planners.offline.cast import Mention
from agent.planners.offline.headings import find_headings
from agent.planners.offline.lexicon import Match
from agent.planners.offline.limits import ratio_spans
from agent.planners.offline.page import Page
from agent.planners.offline.quotes import FILE_MARK, LINE_MARK, QUOTE_MARK
from agent.planners.offline.text import tokenise
from agent.planners.offline.wordlists import words
from configs.yaml_file import load_yaml_model

__all__ = ["MAX_ACTION", "tell"]

MAX_ACTION = 600
MOST_QUALIFYING = 4
"""So many words may qualify music or light; more tell something."""
MOST_LEADING = 9
"""So many tokens may lead to the noun of the film."""
MAX_TOKENS = 240
"""So many tokens are more than an action holds."""
_FILM_NOUNS = frozenset(
    ("shot", "scene", "story", "production", "title_card", "title", "overlay", "variation", "format", "style", "length")
) | {"camera"}
"""Ids of lexicons/things.yaml that stand for the film, not for something in it."""
_ABOUT_FILM = ("output", "style", "aspect", "framing", "camera", "unit", "request", "mood")
_ABOUT_SCENERY = ("place", "elsewhere", "time", "weather", "emotion", "delivery", "ordinary", "trait", "colour")
_ENDS = frozenset(".!?;")
_CLAUSE_ENDS = frozenset({",", ":", "(", ")", "-", "–", "—", "/", "|", "[", "]", "*", "•", "+"})


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    en: list[str] = []
    it: list[str] = []
    de: list[str] = []
    es: list[str] = []
    fr: list[str] = []


class _Number(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    one: str
    many: str


class _Telling(BaseModel):
    """`direction/telling.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verbs: list[str]
    doubled: list[str]
    endings_kept: list[str]
    endings_with_e: list[str]
    third_person: dict[str, str]
    be: dict[str, _Number]
    gerund_endings: _Words
    relatives: _Words
    between: _Words
    have: dict[str, str]
    joins: dict[str, str]
    copulas: _Words
    leading: _Words
    carriers: _Words
    trailing: _Words
    quality: list[str]
    ing_nouns: _Words
    film_looks: _Words
    purposes: _Words
    leads_to_purpose: _Words = Field(alias="for")
    states: _Words


def _keys(written: Collection[str]) -> frozenset[str]:
    return frozenset(token.key for word in written for token in tokenise(word) if token.is_word)


@dataclass(frozen=True)
class _Grammar:
    """The data by language, as sets of folded words."""

    data: _Telling
    gerunds: dict[str, str]
    finite: frozenset[str]
    quality: tuple[tuple[str, ...], ...]


@cache
def _data() -> _Telling:
    return load_yaml_model(Path(__file__).with_name("direction") / "telling.yaml", _Telling)


@cache
def _word_set(kind: str, language: str) -> frozenset[str]:
    return _keys(getattr(getattr(_data(), kind), language))


@cache
def _grammar() -> _Grammar:
    data = _data()
    doubled = frozenset(data.doubled)
    gerunds = {_gerund(verb, doubled): verb for verb in data.verbs}
    finite = frozenset({*data.verbs, *(_third(verb, data.third_person) for verb in data.verbs)})
    quality = tuple(tuple(token.key for token in tokenise(phrase)) for phrase in data.quality)
    return _Grammar(data, gerunds, finite, quality)


def _gerund(verb: str, doubled: frozenset[str]) -> str:
    """`run` -> running, `make` -> making, `lie` -> lying."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and verb[-2] not in "eoy":
        return verb[:-1] + "ing"
    return verb + verb[-1] + "ing" if verb in doubled else verb + "ing"


def _third(verb: str, irregular: dict[str, str]) -> str:
    """`run` -> runs, `carry` -> carries, `watch` -> watches."""
    if verb in irregular:
        return irregular[verb]
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")


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
    dropped = _dropped(page, start, stop)
    sentences: list[str] = []
    for first, last in _sentences(page, start, stop):
        spans = [(a, b) for a, b in _clauses(page, first, last) if not _is_of_film(page, mentions, a, b, dropped)]
        kept = [at for a, b in spans for at in range(a, b) if at not in dropped]
        kept = _headed(page, mentions, kept, dropped)
        told = _sentence(page, mentions, kept, {} if sentences else names or {})
        if told and doers and not sentences and _lacks_subject(page, mentions, kept):
            told = f"{_and(page.language).join(doers)} {told[:1].lower()}{told[1:]}"
        if told:
            sentences.append(told[:1].upper() + told[1:])
    text = ". ".join(sentences).replace("!.", "!").replace("?.", "?")
    return text[:MAX_ACTION].strip(" ,;:-(")


def _and(language: str) -> str:
    """The `and` of a language between two names."""
    return f" {_data().joins[language]} "


def _lacks_subject(page: Page, mentions: Sequence[Mention], kept: Sequence[int]) -> bool:
    """`si tuffa`, `jumps in`: a verb at the head and nobody named before it."""
    if not kept or any(m.start in kept for m in mentions):
        return False
    first = page.at(kept[0], "pose")
    finite = page.language == "en" and page.key(kept[0]).endswith("s") and _is_finite(page, kept[0])
    return finite or (page.language in ("it", "es", "fr") and first is not None)


def _sentences(page: Page, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of sentences and lines."""
    spans: list[tuple[int, int]] = []
    first = start
    for at in range(start, end):
        broken = at > first and page.breaks_between(at - 1, at) and page.tokens[at - 1].key not in _ENDS
        if broken:
            spans.append((first, at))
            first = at
        if page.tokens[at].key in _ENDS:
            spans.append((first, at))
            first = at + 1
    spans.append((first, end))
    return [(a, b) for a, b in spans if a < b]


def _clauses(page: Page, start: int, end: int) -> list[tuple[int, int]]:
    """Spans between marks; each holds the mark before it."""
    starts = [start] + [at for at in range(start + 1, end) if page.key(at) in _CLAUSE_ENDS and not _is_inside(page, at)]
    return list(zip(starts, [*starts[1:], end], strict=True))


def _is_inside(page: Page, at: int) -> bool:
    """`half-open`: a mark that stands within a word."""
    return page.key(at) == "-" and 0 < at < len(page.tokens) - 1 and (
        page.tokens[at - 1].end == page.tokens[at].start and page.tokens[at].end == page.tokens[at + 1].start
    )  # fmt: skip


def _dropped(page: Page, start: int, end: int) -> set[int]:
    """Tokens about the film itself, with the little words that lead to them and follow them."""
    drop: set[int] = {at for first, stop in find_headings(page) for at in range(first, stop) if start <= at < end}
    drop.update(at for at in range(start, end) if page.tokens[at].text in (QUOTE_MARK, LINE_MARK, FILE_MARK))
    for first, stop in ratio_spans(page):
        drop.update(at for at in range(start, end) if first <= page.tokens[at].start < stop)
    for phrase in _grammar().quality:
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
        if page.key(at) not in _word_set("leads_to_purpose", page.language) or page.at(at - 1, "pose"):
            continue
        for last in (at + 1, at + 2, at + 3):
            if last < end and page.key(last) in _word_set("purposes", page.language):
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
        return match.id not in ("music", "voice") or not _is_done(page, match)
    if match.subject in ("framing", "camera"):
        return not match.entry.careful or page.at(match.start, "pose") is None
    return True


def _is_done(page: Page, match: Match) -> bool:
    """`listens to music`, `plays a song`: music within the story."""
    back = list(range(max(0, match.start - 3), match.start))
    return any(page.at(at, "pose", "speech") or page.key(at) in _grammar().finite for at in back)


def _widen(page: Page, at: int, start: int, end: int, drop: set[int]) -> None:
    """Take along what leads to a dropped word and what only qualifies it."""
    language = page.language
    before = at - 1
    amount = page.at(at, "unit", "thing", "output", "framing", "camera") is not None
    while before >= start and before not in drop:
        key, token = page.key(before), page.tokens[before]
        number = amount and (token.is_number or page.at(before, "number") is not None or key == "-")
        film = page.at(before, "mood", "style", "emotion") is not None and page.at(at, "output", "thing", "mood")
        if not (number or film or key in _word_set("carriers", language)) or page.at(before, "cast", "person", "group"):
            break
        drop.add(before)
        before -= 1
    behind = at + 1
    while behind < end and behind not in drop and page.at(at, "camera", "style", "aspect", "output", "framing"):
        qualified = page.at(at, "output") and page.at(behind, "mood", "emotion") and page.language != "en"
        if not qualified and page.key(behind) not in _word_set("trailing", language):
            break
        drop.add(behind)
        behind += 1


def _is_of_film(page: Page, mentions: Sequence[Mention], start: int, end: int, dropped: set[int]) -> bool:
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
        if at in dropped or page.at(at, *_ABOUT_SCENERY, "negation", "number", "mood", "style"):
            continue
        key = page.key(at)
        little = _word_set("carriers", page.language) | _word_set("trailing", page.language)
        if key not in little and key not in _word_set("leading", page.language) and page.at(at, "joiner") is None:
            return False
    return True


def _is_music(page: Page, content: Sequence[int]) -> bool:
    """Whether a clause ends or begins with music or light, whatever qualifies it."""
    if page.key(content[-1]) in _word_set("film_looks", page.language):
        return True
    nouns = [page.at(at, "output", "thing") for at in (content[0], content[-1])]
    return any(noun is not None and noun.id in ("music", "time", "style", "voice", "camera") for noun in nouns)


def _headed(page: Page, mentions: Sequence[Mention], kept: list[int], dropped: set[int]) -> list[int]:
    """Without marks, words of asking and scenery at the head, and without marks at the end."""
    kept = _from_subject(page, mentions, kept)
    if kept and page.at(kept[0] - 1, "camera") and page.at(kept[0], "joiner") and not _has_verb(page, kept):
        return []  # `zoom out from Luca's eyes to the whole beach` is all about the camera.
    leading = _word_set("leading", page.language)
    while kept:
        at = kept[0]
        mark = page.tokens[at].is_mark
        article = page.key(at) in _word_set("carriers", page.language) and at + 1 in dropped
        if not (mark or page.key(at) in leading or article) or page.at(at, "cast", "person"):
            break
        if page.at(at, "emotion", "mood") and not dropped & {at - 1, at + 1}:
            break
        kept = kept[1:]
    while kept and (page.tokens[kept[-1]].is_mark or (kept[-1] + 1 in dropped and _is_little(page, kept[-1]))):
        kept = kept[:-1]
    return kept


def _has_verb(page: Page, kept: Sequence[int]) -> bool:
    return any(page.at(at, "pose", "speech") or _is_finite(page, at) or _is_gerund(page, at) for at in kept)


def _from_subject(page: Page, mentions: Sequence[Mention], kept: list[int]) -> list[int]:
    """`the piazza at noon with Luca ...`, `the harbour where they ...`: from the one who does something."""
    first = next((m for m in mentions if m.start in kept and not m.refused), None)
    if first is None or kept[0] >= first.start:
        return kept
    before = kept[: kept.index(first.start)]
    little = _word_set("leading", page.language) | _word_set("carriers", page.language)
    leads = page.key(before[-1]) in little or page.tokens[before[-1]].is_mark
    leads = leads or page.at(before[-1], "time", "weather", "place") is not None
    scenery = all(
        page.at(at, *_ABOUT_SCENERY, "joiner")
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


def _sentence(page: Page, mentions: Sequence[Mention], kept: list[int], names: Mapping[str, str]) -> str:
    """The kept tokens as a sentence with a verb in the present tense."""
    if not kept:
        return ""
    groups = [g for g in groups_of(page, mentions) if g.start in kept]
    swaps = {
        at: page.tokens[at].text.capitalize() for at in kept if page.at(at, "cast") and page.tokens[at].text.islower()
    }
    swaps |= {at: "and" for at in kept if page.key(at) in ("n", "'n'") and page.language == "en"}
    cut: set[int] = set()
    _name_subject(groups, kept, names, swaps)
    if raised := _between(page, groups, kept):
        return raised
    if not groups or groups[0].start != kept[0]:
        _unnamed_to_present(page, kept, swaps)
    if groups:
        _to_present(page, groups, kept, swaps, cut)
    return _joined(page, [at for at in kept if at not in cut], swaps)


def _name_subject(
    groups: Sequence[Group], kept: Sequence[int], names: Mapping[str, str], swaps: dict[int, str]
) -> None:
    """Put the name in place of a pronoun that opens a shot: `He runs` is `Luca runs`."""
    first = groups[0] if groups else None
    if first is None or first.last.kind != "pronoun" or first.start != kept[0] or first.end - first.start > 1:
        return
    called = [names[id_] for id_ in first.ids if id_ in names]
    if len(called) == 1 and len(first.ids) == 1:
        swaps[first.start] = called[0]


def _between(page: Page, groups: Sequence[Group], kept: list[int]) -> str:
    """`a race between Luca and Alberto` as a sentence."""
    for group in groups:
        at = group.start - 1
        if at not in kept or page.key(at) not in _word_set("between", page.language) or len(group.ids) < 2:
            continue
        head = kept[: kept.index(at)]
        if not 0 < len(head) <= 5 or any(page.at(i, "joiner", "cast", "person") for i in head):
            return ""
        what, rest = _joined(page, head, {}), _joined(page, [i for i in kept if i >= group.end], {})
        who = page.words(group.start, group.end).strip(" ,;:.!?")
        told = _data().have[page.language].format(who=who, what=_with_article(what, page))
        return f"{told}{'' if rest[:1] in ',.' else ' '}{rest}".strip()
    return ""


def _with_article(what: str, page: Page) -> str:
    first = tokenise(what)[0].key if tokenise(what) else ""
    if page.language != "en" or first in _word_set("carriers", "en") or first.endswith("s"):
        return what
    return f"{'an' if first[:1] in 'aeiou' else 'a'} {what}"


def _to_present(page: Page, groups: Sequence[Group], kept: list[int], swaps: dict[int, str], cut: set[int]) -> None:
    """Give every subject a verb in the present tense."""
    for number, group in enumerate(groups):
        if group.oblique or (number and not _opens_clause(page, group, kept)):
            continue
        limit = next(
            (g.start for g in groups[number + 1 :] if not g.oblique and _opens_clause(page, g, kept)), kept[-1] + 1
        )
        inside = [at for at in kept if group.end <= at < limit]
        many = len(group.ids) > 1 or bool(inside and page.key(inside[0]) in words("going_on"))
        if inside and page.key(inside[0]) in _word_set("relatives", page.language):
            rest = inside[1:]
            if page.language != "en" or not any(_is_finite(page, at) for at in rest[1:]):
                cut.add(inside[0])
                inside = rest
        _give_verb(page, inside, many, swaps, at_head=group.start in kept[:2])


def _unnamed_to_present(page: Page, kept: list[int], swaps: dict[int, str]) -> None:
    """`a snowman melting in the square`: whoever it is that nobody has a name for does it now."""
    if page.language != "en":
        return
    for place, at in enumerate(kept[:8]):
        if _is_finite(page, at) or (place and page.at(at, "joiner")):
            return
        if place and at - 1 == kept[place - 1] and page.key(at) in _grammar().gerunds and page.tokens[at - 1].is_word:
            if page.key(at - 1) not in _word_set("carriers", "en"):
                swaps[at] = _present(page.key(at), page.key(at - 1).endswith("s") and page.key(at - 1) != "'s")
            return


def _opens_clause(page: Page, group: Group, kept: Sequence[int]) -> bool:
    before = page.key(group.start - 1)
    joiner = page.at(group.start - 1, "joiner")
    return before in _CLAUSE_ENDS or before in _ENDS or before in ("while", "and", "mentre", "e") or (
        joiner is not None and joiner.id in ("then", "and") and group.start in kept
    )  # fmt: skip


def _give_verb(page: Page, inside: list[int], many: bool, swaps: dict[int, str], at_head: bool) -> None:
    """Turn the first gerund behind a subject into a finite verb, or say `is` where there is no verb at all."""
    language = page.language
    if not inside:
        return
    first_gerund = next((at for at in inside if _is_gerund(page, at)), None)
    before = [at for at in inside if first_gerund is None or at < first_gerund]
    if any(_is_finite(page, at) for at in before):
        return
    if first_gerund is None:
        opener = page.at(inside[0], "joiner", "emotion")
        placed = page.key(inside[0]) in words("locating", "place_openers")
        placed = placed or page.key(inside[0]) in _word_set("states", language)
        placed = placed or (opener is not None and (opener.subject == "emotion" or opener.id == "where"))
        if at_head and placed and not page.of("pose", "speech", start=inside[0], end=inside[-1] + 1):
            swaps[inside[0]] = f"{_be(language, many)} {page.tokens[inside[0]].text}"
        return
    if language == "es":
        swaps[first_gerund] = f"{_be(language, many)} {page.tokens[first_gerund].text}"
        return
    if page.at(first_gerund - 1, "joiner") or page.key(first_gerund - 1) in ("the", "a", "for"):
        return
    # `Giulia's hands knead`: what is nearest before the verb is plural.
    many = many or (first_gerund > inside[0] and page.key(first_gerund - 1).endswith("s") and len(before) < 3)
    swaps[first_gerund] = _present(page.key(first_gerund), many)
    joined = False
    for at in inside:
        if at > first_gerund and joined and _is_gerund(page, at):
            swaps[at] = _present(page.key(at), many)
        joined = at > first_gerund and page.key(at) in words("going_on")


def _be(language: str, many: bool) -> str:
    forms = _data().be[language]
    return forms.many if many else forms.one


def _is_gerund(page: Page, at: int) -> bool:
    key = page.key(at)
    if page.language == "es":
        return key.endswith(tuple(_data().gerund_endings.es)) and len(key) > 5
    if page.language != "en" or not key.endswith("ing") or len(key) < 5:
        return False
    if page.at(at, "thing", "place", "time", "weather", "output", "person"):
        return key in _grammar().gerunds and page.at(at, "pose") is not None
    if key in _grammar().gerunds or page.at(at, "pose") is not None:
        return True
    little = page.at(at - 1, "joiner", "colour", "trait", "number") or page.key(at - 1) in _word_set("carriers", "en")
    return len(key) > 5 and key not in _word_set("ing_nouns", "en") and not little


def _is_finite(page: Page, at: int) -> bool:
    key = page.key(at)
    if key in _word_set("copulas", page.language):
        return True
    if page.language != "en":
        return page.at(at, "pose", "speech") is not None and not _is_gerund(page, at)
    if page.key(at - 1) in _word_set("carriers", "en") and page.at(at, "pose") is None:
        return False
    return key in _grammar().finite and not key.endswith("ing")


def _present(gerund: str, many: bool) -> str:
    """`running` -> runs or run."""
    grammar = _grammar()
    base = grammar.gerunds.get(gerund) or _stem(gerund[:-3])
    return base if many else _third(base, grammar.data.third_person)


def _stem(stem: str) -> str:
    """The plain form of a verb that is not in the list: `doodl` -> doodle, `hik` -> hike, `jump` -> jump."""
    vowels = "aeiouy"
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lszf":
        return stem[:-1]
    if len(stem) < 3:
        return stem
    before, last = stem[-2], stem[-1]
    if last in "vuzc" or (last == "l" and before not in vowels and before != "l") or (last == "g" and before in "nd"):
        return stem if stem.endswith(tuple(_data().endings_kept)) else stem + "e"
    short = before in vowels and stem[-3] not in vowels and last not in "wxy"
    syllables = sum(1 for i, char in enumerate(stem) if char in vowels and (i == 0 or stem[i - 1] not in vowels))
    if short and (syllables == 1 or stem.endswith(tuple(_data().endings_with_e))):
        return stem + "e"
    return stem


def _joined(page: Page, kept: Sequence[int], swaps: dict[int, str]) -> str:
    """Tokens as text, with the spaces they were written with."""
    parts: list[str] = []
    last = -2
    for at in kept:
        token = page.tokens[at]
        word = swaps.get(at, token.text)
        glued = last == at - 1 and page.tokens[last].end == token.start
        if parts and (glued or (token.is_mark and token.key in ",.;:!?)") or parts[-1].endswith("'")):
            if not (token.is_mark and parts[-1][-1:] in ",;:"):
                parts.append(word)
        elif parts:
            parts.append(f" {word}")
        elif not token.is_mark:
            parts.append(word)
        last = at
    return "".join(parts).strip(" ,;:-(")
