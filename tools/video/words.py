"""A shot of the storyboard as the prompt of a video model: sentences in the order in which one would see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from configs.characters import CharacterSheet
from configs.images import StyleWords
from configs.videos import MotionEntry, VideosFile
from tools.storyboard import CastMember, Placement, Shot

__all__ = ["VideoPrompt", "motion_bucket", "write_video_prompt"]

_FRAMING = {
    "wide": "A wide shot",
    "full": "A full body shot",
    "medium": "A medium shot",
    "close": "A close-up",
    "detail": "An extreme close-up",
}
_TIME = {"dawn": "at dawn", "day": "in daylight", "sunset": "at sunset", "night": "at night"}
_WEATHER = {"clear": "", "rain": "It rains.", "fog": "Fog drifts by.", "snow": "Snow falls."}
_FACING = {"left": "facing left", "right": "facing right", "front": "", "back": "seen from behind"}


@dataclass(frozen=True)
class VideoPrompt:
    """What a video model is asked, and what it is to avoid."""

    text: str
    negative: str


def write_video_prompt(
    shot: Shot,
    cast: Sequence[CastMember],
    sheets: Mapping[str, CharacterSheet],
    videos: VideosFile,
    style: StyleWords,
    *,
    triggers: Iterable[str] = (),
    more: str = "",
    avoid: str = "",
) -> VideoPrompt:
    """Write the prompt of a shot.

    Args:
        cast: of the production; who is not in `sheets` is described by its look.
        sheets: characters.yaml by id.
        style: words of the style that the film is in.
        triggers: words of the LoRAs in use.
        more: words to add.
        avoid: what else to avoid.
    """
    known = {member.id: member for member in cast}
    names = {one.character: _who(one.character, known, sheets) for one in shot.placements}
    people = " and ".join(_person(one, names[one.character]) for one in shot.placements)
    place = _plain(shot.location)
    seen = f" of {people}" if people else ""
    opening = f"{_FRAMING[shot.framing]}{seen}, {place} {_TIME[shot.time_of_day]}."
    speakers = list(dict.fromkeys(names.get(line.character, "") for line in shot.dialogue))
    speaking = [name.partition(",")[0] for name in speakers if name]
    told = {phrase.strip(" .").casefold() for phrase in more.split(",")}
    sentences = [
        opening,
        _WEATHER[shot.weather],
        _sentence(_without_letters(shot.action)),
        videos.speaking.format(names=" and ".join(speaking)) if speaking and videos.speaking else "",
        videos.camera.get(shot.camera, ""),
        _sentence(more),
        _sentence(", ".join(word for word in dict.fromkeys([*triggers, *style.suffix]) if word.casefold() not in told)),
    ]
    negative = ", ".join(dict.fromkeys(word for word in [*style.negative, *videos.negative, avoid.strip(" ,")] if word))
    return VideoPrompt(" ".join(one for one in sentences if one), negative)


def _who(character: str, known: Mapping[str, CastMember], sheets: Mapping[str, CharacterSheet]) -> str:
    sheet, member = sheets.get(character), known.get(character)
    if sheet is not None:
        return f"{_article(sheet.description)} {sheet.description}"
    if member is not None and member.look is not None and member.look.description:
        return member.look.description.strip(" ,.")
    return member.name if member else _plain(character)


def _person(placement: Placement, who: str) -> str:
    doing = [
        "" if placement.pose == "stand" else f"pose: {_plain(placement.pose)}",
        "" if placement.expression == "neutral" else f"{placement.expression} expression",
        _FACING[placement.facing],
    ]
    return ", ".join(one for one in (who, *doing) if one)


def _article(words: str) -> str:
    return "an" if words[:1].lower() in "aeiou" else "a"


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _without_letters(action: str) -> str:
    """What is done; quoted words would be drawn as letters."""
    parts = action.replace("“", '"').replace("”", '"').split('"')
    return " ".join(" ".join(parts[::2]).split())


def _sentence(text: str) -> str:
    text = text.strip(" ,.")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def motion_bucket(shot: Shot, motion: MotionEntry) -> int:
    """How much SVD is told that the shot moves, 1..255: by its camera, its liveliest pose, and any speech."""
    liveliest = max((motion.poses.get(placement.pose, 0) for placement in shot.placements), default=0)
    total = motion.still + motion.camera.get(shot.camera, 0) + liveliest + (motion.speech if shot.dialogue else 0)
    return min(max(total, 1), 255)
