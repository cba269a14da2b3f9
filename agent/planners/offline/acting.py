"""Who does what and who feels what: poses, emotions and facings are given to the people they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from agent.intent import Performance
from agent.planners.offline.cast import Mention
from agent.planners.offline.lexicon import Match
from agent.planners.offline.page import Page
from agent.planners.offline.wordlists import words, words_in

__all__ = ["Group", "doers", "groups_of", "is_named_only", "is_of_the_scene", "is_refused", "perform"]

_SHARED = frozenset({"swim", "walk", "run", "dance", "sit", "jump", "fish", "talk", "lie", "cheer"})
"""Poses that whoever is with somebody takes too."""
_SCENE_NOUNS = ("scene", "story", "title_card", "production")


@dataclass(slots=True)
class Group:
    """People named together; `oblique`: only done to or looked at."""

    start: int
    end: int
    ids: tuple[str, ...]
    oblique: bool
    last: Mention


def is_refused(page: Page, match: Match) -> bool:
    """Whether a word is denied: `not sad`, `no rain`, `neither of them speaks`."""
    back = match.start - 1
    while back > match.start - 4 and (page.at(back, "pronoun") or page.key(back) in words("possessive_of")):
        back -= 1
    if back < match.start - 1 and (denial := page.at(back, "negation")) and denial.id in ("not", "nobody"):
        return True
    for at in (match.start - 1, match.start - 2):
        negation = page.at(at, "negation")
        if (
            negation
            and negation.id in ("none", "not")
            and (at == match.start - 1 or page.key(match.start - 1) in words("filling"))
        ):
            return True
    return False


def is_of_the_scene(page: Page, match: Match) -> bool:
    """Whether an adjective belongs to a scene, a story or the music, not to a person: `a sad scene`, `sad music`."""
    for at in (match.end, match.end + 1, match.start - 1):
        noun = page.at(at, "thing", "output")
        if noun is None:
            continue
        named = noun.subject == "output" and noun.id == "music" and page.key(match.end).isalpha()
        if (
            at == match.end + 1
            and not named
            and not page.at(  # `sad piano music`
                match.end, "emotion", "mood", "time", "place", "weather", "ordinary", "style"
            )
        ):
            continue
        if at == match.start - 1 and page.language == "en" and noun.id != "music":
            continue
        if noun.subject == "output" or noun.id in _SCENE_NOUNS:
            return True
    copula = page.key(match.start - 1) in words("grading")
    noun = page.at(match.start - 2, "thing", "output")
    return copula and noun is not None and (noun.id in _SCENE_NOUNS or noun.id in ("music", "video"))


def perform(page: Page, mentions: Sequence[Mention], start: int, end: int) -> list[Performance]:
    """What everyone does between tokens `start` and `end`, in order of appearance."""
    here = [m for m in mentions if start <= m.start < end]
    if page.of("pose", "emotion", "facing", start=start, end=end):
        here = [*_carried(page, mentions, here, start), *here]
    groups = groups_of(page, here)
    found: dict[str, dict[str, Any]] = {i: {} for group in groups for i in group.ids}
    singled_out: set[tuple[str, str]] = set()
    for match in page.of("pose", "emotion", "facing", start=start, end=end):
        if is_named_only(page, match, mentions):
            continue
        if is_refused(page, match) or (match.subject == "emotion" and is_of_the_scene(page, match)):
            continue
        name = {"pose": "pose", "emotion": "expression", "facing": "facing"}[match.subject]
        counted = any(g.last.kind == "counted" and g.start == _nearest(page, match, groups) for g in groups)
        for id_ in doers(page, match, groups):
            acts = found[id_]
            # What one of them does alone counts for more than what all do: `Three kids sit. One sings.`
            alone = counted and (id_, name) not in singled_out
            if name not in acts or alone or (name == "pose" and acts[name] in ("stand", "talk")):
                acts[name] = match.id
            if counted:
                singled_out.add((id_, name))
    for before, group in pairwise(groups):  # `Giulia swims with a shark`: both swim.
        pose = found[before.ids[0]].get("pose") if before.ids else None
        joined = page.key(group.start - 1) in words("in_company") and not page.breaks_between(before.end, group.start)
        if pose in _SHARED and joined:
            for id_ in group.ids:
                found[id_].setdefault("pose", pose)
    return [Performance(character=id_, **acts) for id_, acts in found.items()]


def _nearest(page: Page, match: Match, groups: Sequence[Group]) -> int:
    """Where the group right before a word in its sentence begins; -1 when there is none."""
    before = [g.start for g in groups if g.end <= match.start and not page.breaks_between(g.end, match.start)]
    return before[-1] if before else -1


def _carried(page: Page, mentions: Sequence[Mention], here: Sequence[Mention], start: int) -> list[Mention]:
    """Those of the beat before who go on: `Luca shivers, then lies down`, `Luca swims, then hugs Alberto`."""
    earlier = [m for m in mentions if m.start < start]
    done_to = bool(here) and here[0].kind != "phrase" and page.at(here[0].start - 1, "pose", "speech") is not None
    if not earlier or (here and (not done_to or page.breaks_between(earlier[-1].end, here[0].start))):
        return []
    groups = [group for group in groups_of(page, earlier) if not group.oblique]
    return [Mention(groups[-1].start, groups[-1].end, groups[-1].ids)] if groups else []


def is_named_only(page: Page, match: Match, mentions: Sequence[Mention]) -> bool:
    """`talk about the race`: an action named, not done; but `the dancing robot` dances."""
    if match.subject != "pose" or match.end - match.start > 1:
        return False
    before = page.at(match.start - 1, "joiner")
    if page.at(match.start, "place", "elsewhere") is not None:  # `au marché`, `in cucina`, but `Papà cucina`
        return (before is not None and before.id == "where") or not any(
            m.end == match.start or (m.end == match.start - 1 and page.key(m.end) in words("clitics")) for m in mentions
        )
    noun = page.key(match.start - 1) in words_in(page.language, "pointing") - (
        # `Luca che la abbraccia`: a pronoun there, no article.
        words("clitics") if page.language == "it" and page.key(match.start - 2) in words("relatives") else set()
    )
    return noun and not any(m.start <= match.end <= m.end for m in mentions)


def groups_of(page: Page, mentions: Sequence[Mention]) -> list[Group]:
    """Mentions that stand together: `Luca and Alberto`, `Luca, Alberto and a robot`."""
    groups: list[Group] = []
    for mention in mentions:
        between = [page.key(at) for at in range(groups[-1].end, mention.start)] if groups else []
        if groups and groups[-1].end == mention.start and set(mention.ids) <= set(groups[-1].ids):
            groups[-1].end = mention.end  # `Marco e sua sorella Elena`: her name, once more.
            continue
        listed = bool(between) and len(between) <= 3 and all(key in words("standing_together") for key in between)
        closed = bool(groups) and between == [","] and page.key(groups[-1].last.start - 1) in words("and_words")
        acts = mention.kind == "pronoun" and page.at(mention.end, "pose", "emotion", "speech") is not None
        if groups and listed and not (closed and len(groups[-1].ids) > 1) and not acts:
            last = groups[-1]
            last.end, last.ids, last.last = mention.end, tuple(dict.fromkeys([*last.ids, *mention.ids])), mention
            continue
        groups.append(Group(mention.start, mention.end, mention.ids, _is_oblique(page, mention, groups), mention))
    return groups


def _is_oblique(page: Page, mention: Mention, groups: Sequence[Group]) -> bool:
    """Whether the one is only done to or looked at: `waves at Alberto`, `hugs Alberto`."""
    if mention.kind == "pronoun" and page.key(mention.start) in words("him_clitics"):
        return True
    if not groups or page.breaks_between(groups[-1].end, mention.start):
        return False
    at = mention.start - 1
    behind = mention.end + (page.key(mention.end) == ",")
    if page.key(behind) in words("telling_more"):
        return False
    before = page.at(at, "joiner")
    if before and before.id == "where" and page.key(at) != "and":
        return True
    return page.at(at, "pose", "speech") is not None and before is None


def doers(page: Page, match: Match, groups: Sequence[Group]) -> tuple[str, ...]:
    """Those whom a pose, an emotion or a facing belongs to; nobody where the crowd or the birds do it."""
    if page.key(match.start - 1) in words("extras") or (match.subject == "pose" and _of_a_thing(page, match, groups)):
        return ()
    for group in groups:
        inside = group.last.start <= match.start < group.last.end or group.start <= match.start < group.end
        if inside or match.end == group.start:
            one = _one_inside(match, group)
            if inside or (match.subject == "emotion" and _is_adjective(page, match)):
                return one
    if match.id == "walk" and (comes := next((g for g in groups if g.start == match.end), None)):
        return comes.ids  # `poi arriva un gattino`
    before = [g for g in groups if g.end <= match.start and not page.breaks_between(g.end, match.start)]
    subjects = [g for g in before if not g.oblique] or before
    if subjects:
        if len(subjects) > 1 and _goes_on(page, match, subjects[-1]):
            return subjects[-2].ids
        return subjects[-1].ids
    after = [g for g in groups if g.start >= match.end and not page.breaks_between(match.end, g.start)]
    if after:
        return after[0].ids
    earlier = [g for g in groups if g.end <= match.start and not g.oblique]
    if earlier:
        return earlier[-1].ids
    return tuple(dict.fromkeys(i for g in groups for i in g.ids))


def _of_a_thing(page: Page, match: Match, groups: Sequence[Group]) -> bool:
    """`The empty boat floats in the fog. Leo runs.`: a sentence that begins with a thing tells of nobody."""
    begin = match.start
    while begin > 0 and match.start - begin < 8 and not page.starts_sentence(begin):
        begin -= 1
    noun = page.key(begin) in words("articles_the", "articles_one") and match.start - begin >= 2
    if not noun or not page.starts_sentence(begin) or page.at(begin + 1, "ordinal", "number", "pose", "emotion"):
        return False
    inside = any(not page.breaks_between(begin, g.start) for g in groups if begin <= g.start)
    return not inside and any(page.breaks_between(match.end, g.start) for g in groups if g.start >= match.end)


def _goes_on(page: Page, match: Match, nearest: Group) -> bool:
    """`It finds a cat and becomes happy`: behind `and` the subject goes on, not the one whom a verb has just met."""
    joined = any(at >= nearest.end and page.key(at) in words("going_on") for at in (match.start - 1, match.start - 2))
    before = nearest.start - 1
    met = before >= 0 and page.tokens[before].is_word and page.at(before, "joiner", "negation", "edit") is None
    return joined and met


def _is_adjective(page: Page, match: Match) -> bool:
    """`a sad Giulia`, `happy Luca`, but not `... is happy Luca`."""
    return page.key(match.start - 1) not in words("seeming")


def _one_inside(match: Match, group: Group) -> tuple[str, ...]:
    """Of a group that was joined with `and`, the member right behind the adjective."""
    if group.last.start <= match.start or match.end >= group.last.start:
        return group.last.ids
    return group.ids[:1]
