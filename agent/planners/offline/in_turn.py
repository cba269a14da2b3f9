"""What one does after another: `Luca walks in, looks around, sits down and falls asleep`, `He runs. He falls.`

Nobody takes two poses at once, so the second begins a beat of its own: in another sentence, or in a row of three.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.planners.offline.acting import doers, groups_of, is_named_only, is_refused
from agent.planners.offline.cast import Mention
from agent.planners.offline.lexicon import Match
from agent.planners.offline.page import Page
from agent.planners.offline.wordlists import words

__all__ = ["in_turn"]

_BESIDE = frozenset({"stand", "talk", "think", "hold"})
"""Poses that begin nothing new: who walks may talk, but who has talked and walks off does another thing."""
LEAST_IN_ROW = 3
"""`sits and waves` is one picture; `walks in, sits down, falls asleep` are three."""


def in_turn(page: Page, mentions: Sequence[Mention]) -> list[int]:
    """Tokens where a beat begins because somebody does another thing than before."""
    if any(not quote.speaker and not _is_title(page, quote.token) for quote in page.quotes):
        return []  # Who speaks between deeds is told by the words around the quotes.
    groups = groups_of(page, mentions)
    deeds = [(m, doers(page, m, groups)) for m in page.of("pose") if _is_deed(page, m, mentions)]
    starts: list[int] = []
    doing: dict[str, Match] = {}
    for number, (match, who) in enumerate(deeds):
        before = next((doing[i] for i in who if i in doing and doing[i].id != match.id), None)
        before = None if match.id in _BESIDE else before
        begin = None
        if before is not None and page.breaks_between(before.end, match.start):
            begin = _sentence(page, match.start)
        elif before is not None and _in_row(page, deeds, number):
            begin = _clause(page, before.end, match.start)
        if begin is not None and begin > (starts[-1] if starts else 0):
            starts.append(begin)
            doing = {}
        doing.update(dict.fromkeys(who, match))
    return starts


def _is_title(page: Page, token: int) -> bool:
    things = (page.at(at, "thing") for at in range(max(0, token - 3), token))
    return any(thing is not None and thing.id in ("title_card", "title", "overlay") for thing in things)


def _is_deed(page: Page, match: Match, mentions: Sequence[Mention]) -> bool:
    return not is_named_only(page, match, mentions) and not is_refused(page, match)


def _sentence(page: Page, at: int) -> int:
    while at > 0 and not page.breaks_between(at - 1, at) and not page.starts_sentence(at):
        at -= 1
    return at


def _in_row(page: Page, deeds: Sequence[tuple[Match, tuple[str, ...]]], number: int) -> bool:
    """Whether one of at least three deeds of the same in one sentence, set off by commas."""
    match, who = deeds[number]
    row = [m for m, others in deeds if others == who and not page.breaks_between(*sorted((m.start, match.start)))]
    if len({m.id for m in row}) < LEAST_IN_ROW:
        return False
    return any(page.key(at) == "," for at in range(row[0].end, row[-1].start))


def _clause(page: Page, start: int, end: int) -> int | None:
    """Behind the comma or the `and` that parts two deeds."""
    marks = [at for at in range(start, end) if page.key(at) == "," or page.key(at) in words("and_words")]
    return marks[-1] + 1 if marks else None
