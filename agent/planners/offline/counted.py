"""One of several, by number or in turn: `Two boys. One laughs, the other cries`, `Il primo piange, il secondo ride`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agent.planners.offline.cast import Mention
from agent.planners.offline.page import Page
from agent.planners.offline.quotes import QUOTE_MARK
from agent.planners.offline.verbs import grammar
from agent.planners.offline.wordlists import starts_with, words

__all__ = ["beside_names", "count_off", "one_of", "one_of_several"]

_NEXT = 0
"""Stands for whoever of the group was not spoken of alone yet."""


def count_off(page: Page, mentions: Sequence[Mention], present: tuple[str, ...] = ()) -> list[Mention]:
    """Mentions of single members of a group named before, for counting words that no noun follows.

    Args:
        mentions: settled as far as names, phrases and plurals go, in order.
        present: those of the present scene, who are meant when nobody is named here.
    """
    named = {i for m in mentions for i in m.ids}
    if not any(len(m.ids) > 1 for m in mentions) and len(named) < 2 and (named or len(present) < 2):
        return []
    taken = {at for m in mentions for at in range(m.start, m.end) if m.kind != "pronoun"}
    found: list[Mention] = []
    spoken_of: list[str] = []
    at = 0
    while at < len(page.tokens):
        counted = None if at in taken else _counting_word(page, at)
        if counted is None:
            at += 1
            continue
        number, end = counted
        group = _group_before(at, mentions) if named else present
        who = _member(group, number, spoken_of) if taken.isdisjoint(range(at, end)) else None
        if who is not None and _does_something(page, end):
            spoken_of.append(who)
            found.append(Mention(at, end, (who,), kind="counted", words=page.words(at, end)))
            at = end
        else:
            at += 1
    return found


def beside_names(page: Page, several: Mention, mentions: Sequence[Mention]) -> bool:
    """Whether a plural and the names of those whom it counts stand side by side: `two old sisters, Anna and Bea`."""
    names = [m for m in mentions if m.kind in ("name", "near") and set(m.ids) <= set(several.ids) and m.ids]
    if len(names) < 2 or len(names) != len(several.ids):
        return False
    first, last = names[0], names[-1]
    joined = all(b.start - a.end <= 2 for a, b in pairwise(names))
    before = several.end <= first.start <= several.end + 2 and not page.breaks_between(several.end, first.start)
    behind = last.end <= several.start <= last.end + 1 and not page.breaks_between(last.end, several.start)
    return joined and (before or behind)


def one_of_several(page: Page, mention: Mention, mentions: Sequence[Mention]) -> str | None:
    """Whom `one girl`, `the other girl`, `the second robot` stands for among several of that noun; None: somebody else.

    Args:
        mention: a noun phrase that is not settled yet.
    """
    several = [m for m in mentions if m.start < mention.start and m.noun == mention.noun and len(m.ids) > 1]
    if not several:
        return None
    counted = next((c for at in range(mention.start, mention.end) if (c := _counting_word(page, at))), None)
    if counted is None:
        return None
    before = [m for m in mentions if several[-1].end <= m.start < mention.start and m.noun == mention.noun]
    return _member(several[-1].ids, counted[0], [i for m in before if len(m.ids) == 1 for i in m.ids])


def one_of(page: Page, mention: Mention, group: Sequence[str]) -> str | None:
    """Whom of a group a noun phrase with a number counts (`one robot`, `the second robot`); not `another robot`."""
    counted = next((c for at in range(mention.start, mention.end) if (c := _counting_word(page, at))), None)
    return _member(group, counted[0], ()) if counted is not None and counted[0] != _NEXT else None


def _counting_word(page: Page, at: int) -> tuple[int, int] | None:
    """(number, end) of a counting word at a token; `_NEXT` for `other`; None when none stands there."""
    keys = [page.key(number) for number in range(at, at + 4)]
    if keys[0] == "":
        return None
    if size := starts_with(keys, "counting_other"):
        return _NEXT, at + size + _tail(page, at + size)
    if size := starts_with(keys, "counting_one"):
        return 1, at + size + _tail(page, at + size)
    first = at + (keys[0] in words("counting_articles"))
    ordinal = page.at(first, "ordinal")
    if ordinal is None or ordinal.start != first or first == at:
        return None
    return int(ordinal.entry.value or 1), ordinal.end + _tail(page, ordinal.end)


def _tail(page: Page, at: int) -> int:
    return starts_with([page.key(number) for number in range(at, at + 3)], "counting_tails")


def _does_something(page: Page, at: int) -> bool:
    """Whether a verb or a feeling follows: `one laughs`, `the other one is asleep`, `uno dei due piange`."""
    token = page.tokens[at] if at < len(page.tokens) else None
    if token is None or not (token.is_word or token.text == QUOTE_MARK):
        return False
    if page.at(at, "thing", "output"):
        return False
    if page.at(at, "pose", "speech", "emotion", "delivery", "facing") is not None:
        return True
    plain_verb = page.language == "en" and token.key in grammar().finite
    return plain_verb or token.key in words("being", "deeds", "clitics", "relatives") or (
        page.at(at + 1, "pose") is not None and page.language != "en"
    )  # fmt: skip


def _group_before(at: int, mentions: Sequence[Mention]) -> tuple[str, ...]:
    """Those who may be counted off: the last plural, or else all who were named before."""
    before = [m for m in mentions if m.end <= at and m.ids and not m.refused and m.kind not in ("voice", "owner")]
    several = [m.ids for m in before if len(m.ids) > 1 and m.kind != "pronoun"]
    return several[-1] if several else tuple(dict.fromkeys(i for m in before for i in m.ids))


def _member(group: Sequence[str], number: int, spoken_of: Sequence[str]) -> str | None:
    """The member of a group with a number, counted from 1 (from the end for -1), or the next in turn."""
    if len(group) < 2:
        return None
    if number == _NEXT:
        left = [who for who in group if who not in spoken_of]
        return left[0] if spoken_of and left else group[1]
    if number == 1 and group[0] in spoken_of:
        return next((who for who in group if who not in spoken_of), None)
    if abs(number) > len(group):
        return None
    return group[number - 1 if number > 0 else number]
