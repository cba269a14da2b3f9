"""Looks: what the words around a person say about how the person looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.planners.offline.lexicon import Match
from agent.planners.offline.page import Page
from agent.planners.offline.wordlists import words as word_list

__all__ = ["Features", "age_behind", "read_features", "read_look"]

_REACH = 24
_AGES = {"elder": 60, "adult": 20, "teen": 13, "child": 0}
"""Least years of each age of `Look`."""


@dataclass(slots=True)
class Features:
    """Fields of `Look` that were said, and the token after the last word that said them."""

    look: dict[str, object] = field(default_factory=dict)
    end: int = 0


def read_features(page: Page, start: int) -> Features:
    """What follows a person: `with a white beard and a red cap`, `in un vestito blu`."""
    traits: list[Match] = []
    end, at = start, start
    while at < min(len(page.tokens), start + _REACH):
        match = page.at(at, "trait", "colour")
        noun = page.language == "de" and page.tokens[at].text[0].isupper() and page.at(at, "person", "group")
        if noun:  # `ein Mädchen und ein Junge`
            break
        if match and match.start == at:
            ahead = match.end
            while (more := page.at(ahead, "trait", "colour")) and more.end > ahead:
                ahead = more.end
            if page.at(ahead, "person", "group"):  # `and a black cat` is another one.
                break
            traits += [m for m in page.matches if m.start == at and m.subject in ("trait", "colour")]
            at = end = match.end
        elif page.key(at) in word_list("look_links") and not page.at(
            at, "cast", "name", "person", "group", "place", "time"
        ):
            at += 1
        else:
            break
    if not any(m.subject == "trait" for m in traits):
        return Features({}, start)
    return Features(read_look(traits, page), end)


def age_behind(page: Page, start: int) -> dict[str, object]:
    """The age that a number right behind a name tells: `MARTA, 70, stern`, `LEO (8)`, `Marco, 35,`."""
    opens, number, closes = page.key(start), page.key(start + 1), page.key(start + 2)
    pair = (opens, closes)
    if not number.isdecimal() or not (pair == ("(", ")") or (opens == "," and closes in (",", ".", "", ")"))):
        return {}
    years = int(number[:3])
    if not 0 < years < 120:
        return {}
    return {"age": next(age for age, least in _AGES.items() if years >= least)}


def read_look(matches: Sequence[Match], page: Page, creature: bool = False) -> dict[str, object]:
    """Fields of `Look` from traits and colours; a colour goes to the trait beside it, of a creature else to its fur."""
    traits = [m for m in matches if m.subject == "trait"]
    colours = [m for m in matches if m.subject == "colour"]
    look: dict[str, object] = {}
    accessories: list[object] = []
    has_hair = any(m.entry.goes_with == "hair_color" for m in traits)
    for trait in traits:
        for name, value in trait.entry.look.items():
            if name == "accessories":
                accessories += value
            elif name == "height" and trait.id == "short" and has_hair:
                look["hair"] = "short"
            else:
                look[name] = value
    for colour in colours:
        if any(t.start == colour.start and t.entry.look for t in traits):  # `blonde` is a look and a colour at once.
            continue
        target = _target(colour, traits, page)
        if target:
            look[target] = colour.id
        elif creature:
            look["skin"] = colour.id
    if accessories:
        look["accessories"] = list(dict.fromkeys(accessories))[:6]
    return look


def _target(colour: Match, traits: Sequence[Match], page: Page) -> str | None:
    """The colour field that a colour word sets: of the noun after it, in Romance languages of the one before it."""
    after = [t for t in traits if t.entry.goes_with and 0 <= t.start - colour.end <= 2]
    before = [t for t in traits if t.entry.goes_with and 0 <= colour.start - t.end <= 1]
    if page.language in ("it", "es", "fr") and before:
        return before[-1].entry.goes_with
    nearest = after[:1] or before[-1:]
    return nearest[0].entry.goes_with if nearest else None
