"""A shot of the storyboard as prompts: what is asked, what is avoided, and what each character is alone.

Weights follow compel's syntax, `(word)1.3`. What comes from people's own text is made plain first, so that a bracket in
a line of action is no weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from configs.characters import CharacterSheet
from configs.images import ImagesFile
from tools.storyboard import CastMember, Placement, Shot

__all__ = ["Prompts", "plain", "write_prompts"]

_FRAMING = {
    "wide": "wide shot",
    "full": "full body shot",
    "medium": "medium shot",
    "close": "close-up",
    "detail": "extreme close-up",
}
_TIME = {"dawn": "at dawn", "day": "in daylight", "sunset": "at sunset", "night": "at night"}
_FACING = {"left": "facing left", "right": "facing right", "front": "", "back": "seen from behind"}
_LOUD = 1.1
"""Who is in the picture counts a little more than the rest of a long prompt."""


@dataclass(frozen=True)
class Prompts:
    """What an image model is asked.

    Attributes:
        whole: the prompt of the whole picture.
        negative: what is avoided.
        people: by character: the prompt of the part of the picture that shows it.
    """

    whole: str
    negative: str
    people: Mapping[str, str]


def plain(text: str) -> str:
    """Text without what compel would read as weights or conjunctions."""
    return " ".join(re.sub(r"[()\[\]{}<>\\\"+^`|]|(?<=\w)-+(?=\s|$|,)|\.(?=and|blend|swap)", " ", text).split()).strip(
        " ,"
    )


def write_prompts(
    shot: Shot,
    cast: Sequence[CastMember],
    sheets: Mapping[str, CharacterSheet],
    images: ImagesFile,
    *,
    style: str,
    location: str = "",
    triggers: Iterable[str] = (),
    more: str = "",
    avoid: str = "",
) -> Prompts:
    """Write the prompts of a shot.

    Args:
        cast: of the production; who is not in `sheets` is described by its look.
        sheets: characters.yaml by id.
        style: of the production.
        location: the place that is drawn; empty is the shot's own.
        triggers: words of the LoRAs in use.
        more: words to add, in compel's syntax.
        avoid: what else to avoid, in compel's syntax.
    """
    words = images.styles.get(style) or images.styles["other"]
    known = {member.id: member for member in cast}
    scene = [_FRAMING[shot.framing]]
    people = {
        placement.character: _person(placement, known.get(placement.character), sheets.get(placement.character))
        for placement in shot.placements
    }
    said = {phrase.casefold() for text in people.values() for phrase in _split(text)}
    around = [
        plain((location or shot.location).replace("_", " ").replace("-", " ")),
        _TIME[shot.time_of_day],
        "" if shot.weather == "clear" else shot.weather,
        *(word for word in triggers if word.casefold() not in said),
        *(() if style in images.styles else (plain(style.replace("_", " ")),)),
        *words.suffix,
    ]
    added = [phrase for phrase in _phrases(more) if phrase.casefold() not in said]
    described = [f"({text}){_LOUD:g}" if len(people) <= 2 else text for text in people.values()]
    whole = [*scene, *described, plain(shot.action), *added, *around]
    alone = {name: ", ".join(_once([scene[0], text, *around])) for name, text in people.items()}
    return Prompts(", ".join(_once(whole)), ", ".join(_once([*words.negative, avoid])), alone)


def _person(placement: Placement, member: CastMember | None, sheet: CharacterSheet | None) -> str:
    """A character's words: description, triggers that it does not hold yet, pose, expression, direction."""
    if sheet is not None:
        who = [*_split(sheet.description), *sheet.trigger]
    elif member is not None and member.look is not None and member.look.description:
        who = _split(plain(member.look.description))
    else:
        who = [plain(member.name if member else placement.character)]
    doing = [
        "" if placement.pose == "stand" else plain(placement.pose.replace("_", " ").replace("-", " ")),
        "" if placement.expression == "neutral" else f"{placement.expression} expression",
        _FACING[placement.facing],
    ]
    return ", ".join(_once([*who, *doing]))


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _phrases(text: str) -> list[str]:
    """Words to add as phrases; commas inside brackets part nothing, `(wet, cold)1.3` is one."""
    found, depth, begun = [], 0, 0
    for at, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth <= 0:
            found.append(text[begun:at].strip())
            begun = at + 1
    return [*found, text[begun:].strip()]


def _once(phrases: Iterable[str]) -> list[str]:
    """Every phrase at its first place alone; upper and lower case are one, empty ones go."""
    found: dict[str, str] = {}
    for phrase in phrases:
        text = phrase.strip(" ,")
        if text:
            found.setdefault(text.casefold(), text)
    return list(found.values())
