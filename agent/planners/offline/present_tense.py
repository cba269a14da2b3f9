"""The words that are kept, as a sentence in the present tense: `Luca running` becomes `Luca runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.planners.offline.acting import Group, groups_of
from agent.planners.offline.cast import Mention
from agent.planners.offline.page import Page
from agent.planners.offline.text import tokenise
from agent.planners.offline.verbs import be, grammar, present, telling_data, third_person, word_set
from agent.planners.offline.wordlists import words

__all__ = ["CLAUSE_ENDS", "ENDS", "has_verb", "is_finite", "joined_text", "sentence_of"]

ENDS = frozenset(".!?;")
CLAUSE_ENDS = frozenset({",", ":", "(", ")", "-", "–", "—", "/", "|", "[", "]", "*", "•", "+"})


def sentence_of(page: Page, mentions: Sequence[Mention], kept: list[int], names: Mapping[str, str]) -> str:
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
    return joined_text(page, [at for at in kept if at not in cut], swaps)


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
        if at not in kept or page.key(at) not in word_set("between", page.language) or len(group.ids) < 2:
            continue
        head = kept[: kept.index(at)]
        if not 0 < len(head) <= 5 or any(page.at(i, "joiner", "cast", "person") for i in head):
            return ""
        what, rest = joined_text(page, head, {}), joined_text(page, [i for i in kept if i >= group.end], {})
        who = page.words(group.start, group.end).strip(" ,;:.!?")
        told = telling_data().have[page.language].format(who=who, what=_with_article(what, page))
        parted = page.key(group.end) == ","  # `a race between Luca and Alberto, Giulia cheers`
        return f"{told}{',' if parted else ''}{'' if rest[:1] in ',.' else ' '}{rest}".strip()
    return ""


def _with_article(what: str, page: Page) -> str:
    first = tokenise(what)[0].key if tokenise(what) else ""
    if page.language != "en" or first in word_set("carriers", "en") or first.endswith("s"):
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
        if inside and page.key(inside[0]) in word_set("relatives", page.language):
            rest = inside[1:]
            if page.language != "en" or not any(is_finite(page, at) for at in rest[1:]):
                cut.add(inside[0])
                inside = rest
        _give_verb(page, inside, many, swaps, at_head=group.start in kept[:2])


def _unnamed_to_present(page: Page, kept: list[int], swaps: dict[int, str]) -> None:
    """`a snowman melting in the square`: whoever it is that nobody has a name for does it now."""
    if page.language != "en":
        return
    for place, at in enumerate(kept[:8]):
        if is_finite(page, at) or (place and page.at(at, "joiner")):
            return
        if place and at - 1 == kept[place - 1] and page.key(at) in grammar().gerunds and page.tokens[at - 1].is_word:
            if page.key(at - 1) not in word_set("carriers", "en"):
                swaps[at] = present(page.key(at), page.key(at - 1).endswith("s") and page.key(at - 1) != "'s")
            return


def _opens_clause(page: Page, group: Group, kept: Sequence[int]) -> bool:
    before = page.key(group.start - 1)
    joiner = page.at(group.start - 1, "joiner")
    return before in CLAUSE_ENDS or before in ENDS or before in ("while", "and", "mentre", "e") or (
        joiner is not None and joiner.id in ("then", "and") and group.start in kept
    )  # fmt: skip


def _give_verb(page: Page, inside: list[int], many: bool, swaps: dict[int, str], at_head: bool) -> None:
    """Turn the first gerund behind a subject into a finite verb, or say `is` where there is no verb at all."""
    language = page.language
    if not inside:
        return
    first_gerund = next((at for at in inside if is_gerund(page, at)), None)
    before = [at for at in inside if first_gerund is None or at < first_gerund]
    made = at_head and not many and language == "en" and bool(page.of("request", end=inside[0]))
    if made and (plain := third_person(page.key(inside[0]))):  # `make Luca run`
        swaps[inside[0]] = plain
        return
    if any(is_finite(page, at) for at in before):
        return
    aside = page.key(inside[0]) == "," and any(
        page.key(at) == "," and at + 1 in inside and is_finite(page, at + 1) for at in inside[1:]
    )
    if aside:  # `Luca, soaking wet, stands ...`
        return
    if first_gerund is None:
        opener = page.at(inside[0], "joiner", "emotion")
        placed = page.key(inside[0]) in words("locating", "place_openers")
        placed = placed or page.key(inside[0]) in word_set("states", language)
        placed = placed or (
            opener is not None and ((opener.subject == "emotion" and language == "en") or opener.id == "where")
        )
        acted = page.of("pose", "speech", start=inside[0], end=inside[-1] + 1)
        if at_head and placed and all(page.key(match.start) in word_set("states", language) for match in acted):
            swaps[inside[0]] = f"{be(language, many)} {page.tokens[inside[0]].text}"
        return
    if language == "es":
        swaps[first_gerund] = f"{be(language, many)} {page.tokens[first_gerund].text}"
        return
    if page.at(first_gerund - 1, "joiner") or page.key(first_gerund - 1) in ("the", "a", "for"):
        return
    # `Giulia's hands knead`: what is nearest before the verb is plural.
    many = many or (first_gerund > inside[0] and page.key(first_gerund - 1).endswith("s") and len(before) < 3)
    swaps[first_gerund] = present(page.key(first_gerund), many)
    if first_gerund == inside[0] + 1 and page.key(inside[0]) == ",":
        swaps[inside[0]] = ""  # `Alberto, sweating` sweats.
    joined = False
    for at in inside:
        if at > first_gerund and joined and is_gerund(page, at):
            swaps[at] = present(page.key(at), many)
        joined = at > first_gerund and page.key(at) in words("going_on")


def has_verb(page: Page, kept: Sequence[int]) -> bool:
    return any(page.at(at, "pose", "speech") or is_finite(page, at) or is_gerund(page, at) for at in kept)


def is_gerund(page: Page, at: int) -> bool:
    key = page.key(at)
    if page.language == "es":
        return key.endswith(tuple(telling_data().gerund_endings.es)) and len(key) > 5
    if page.language != "en" or not key.endswith("ing") or len(key) < 5:
        return False
    if page.at(at, "thing", "place", "time", "weather", "output", "person"):
        return key in grammar().gerunds and page.at(at, "pose") is not None
    if key in grammar().gerunds or page.at(at, "pose") is not None:
        return True
    little = page.at(at - 1, "joiner", "colour", "trait", "number") or page.key(at - 1) in word_set("carriers", "en")
    return len(key) > 5 and key not in word_set("ing_nouns", "en") and not little


def is_finite(page: Page, at: int) -> bool:
    key = page.key(at)
    if key in word_set("copulas", page.language):
        return True
    if page.language != "en":
        state = key in word_set("states", page.language)
        return page.at(at, "pose", "speech") is not None and not state and not is_gerund(page, at)
    if page.key(at - 1) in word_set("carriers", "en") and page.at(at, "pose") is None:
        return False
    return key in grammar().finite and not key.endswith("ing")


def joined_text(page: Page, kept: Sequence[int], swaps: dict[int, str]) -> str:
    """Tokens as text, with the spaces they were written with."""
    parts: list[str] = []
    last = -2
    for at in kept:
        token = page.tokens[at]
        word = swaps.get(at, token.text)
        if not word:
            continue
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
