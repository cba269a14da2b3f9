"""The fifth piece: words for image models, a prompt and a negative prompt for each shot, with the trigger words once.

The model gives phrases alone. Trigger words of characters, places and styles are put in here, from characters.yaml and
loras.yaml: a model forgets them, changes them or gives those of somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from agent.chat_models.base import Piece
from agent.planners.chat_pieces.asking import Asker
from agent.planners.chat_pieces.choices import narrowed
from agent.planners.chat_pieces.prompts import read_prompt
from agent.planners.chat_pieces.questions import board_in_words, quoted
from agent.planners.chat_pieces.texts import plain_line
from configs.characters import CharacterSheet, load_characters
from configs.loras import LorasFile, load_loras
from tools.storyboard import Shot, Storyboard

__all__ = ["ShotPrompts", "ShotWords", "prompted", "triggers_of"]

BATCH = 12
"""Shots that are asked about at once."""
MOST_BATCHES = 2
LONGEST_PROMPT, LONGEST_NEGATIVE = 600, 300
_NOT_PLAIN = re.compile(r"[^\w\s,.'’-]|_|(?<=\w)-+(?=\s|$|,)")


class ShotWords(Piece):
    """One shot for an image model."""

    shot: int = Field(description="its number")
    prompt: str = Field(
        description="what one sees, as English phrases with commas between: light, colours, textures, lens"
    )
    negative: str = Field(description="what the picture must not show, as English phrases; may be empty")


class ShotPrompts(Piece):
    """The shots for an image model."""

    shots: list[ShotWords]


def prompts_of(first: int, last: int) -> type[ShotPrompts]:
    """The piece for these shots (1-based)."""
    one = narrowed(ShotWords, shot=Annotated[int, Field(ge=first, le=last)])
    count = last - first + 1
    return narrowed(ShotPrompts, shots=Annotated[list[one], Field(min_length=1, max_length=count)])  # type: ignore[valid-type]


def prompted(board: Storyboard, asker: Asker) -> Storyboard:
    """The storyboard with prompts, as far as a model gives them; shots without keep none, and long storyboards get them
    for their first shots.
    """
    wanted = range(len(board.shots))[: BATCH * MOST_BATCHES]
    shots = list(board.shots)
    sheets, loras = load_characters(), load_loras()
    for batch in (wanted[at : at + BATCH] for at in range(0, len(wanted), BATCH)):
        found = _asked(board, batch, asker)
        if found is None:
            break
        for words in found.shots:
            at = words.shot - 1
            if at in batch and board.shots[at].prompt == shots[at].prompt:
                shots[at] = _with_words(shots[at], words, board, sheets, loras)
    return board.model_copy(update={"shots": shots})


def _asked(board: Storyboard, batch: Sequence[int], asker: Asker) -> ShotPrompts | None:
    numbers = ", ".join(str(at + 1) for at in batch)
    question = f"{board_in_words(board)}\n{quoted('shots_to_write_for', numbers)}"
    return asker.ask(
        "coder",
        prompts_of(batch[0] + 1, batch[-1] + 1),
        read_prompt("shot_prompts"),
        question,
        label="prompts",
        max_tokens=200 + 130 * len(batch),
        check=_said_something,
    )


def _said_something(piece: ShotPrompts) -> None:
    if not any(phrases(one.prompt) for one in piece.shots):
        raise ValueError("every prompt is empty")


def triggers_of(shot: Shot, style: str, sheets: Mapping[str, CharacterSheet], loras: LorasFile) -> list[str]:
    """The trigger words of who is in a shot, where it plays, and the style, each once."""
    words = [word for one in shot.placements if one.character in sheets for word in sheets[one.character].trigger]
    for entry in loras.loras.values():
        key = shot.location if entry.kind == "place" else style if entry.kind == "style" else ""
        if key and key in entry.when:
            words += entry.trigger
    return _once(words)


def phrases(text: str) -> list[str]:
    """The phrases of a model's prompt, without what an image model's prompt syntax would read as weights."""
    plain = _NOT_PLAIN.sub(" ", plain_line(text))
    return _once(" ".join(part.split()).strip(" .,'’-") for part in re.split(r"[,.]+(?:\s|$)|\n", plain))


def _with_words(
    shot: Shot, words: ShotWords, board: Storyboard, sheets: Mapping[str, CharacterSheet], loras: LorasFile
) -> Shot:
    triggers = triggers_of(shot, board.style, sheets, loras)
    kept = {word.casefold() for word in triggers}
    here = {one.character for one in shot.placements}
    others = {one.id: one.name for one in board.cast} | {who: sheet.name for who, sheet in sheets.items()}
    absent = [word for who, name in others.items() if who not in here for word in (who, name.split()[0].lower())]
    said = [one for one in phrases(words.prompt) if one.casefold() not in kept and not _names(one, absent)]
    avoided = [one for one in phrases(words.negative) if one.casefold() not in kept]
    prompt = _joined([*triggers, *said], LONGEST_PROMPT)
    return shot.model_copy(
        update={"prompt": prompt or None, "negative": _joined(avoided, LONGEST_NEGATIVE) or None} if said else {}
    )


def _names(phrase: str, names: Sequence[str]) -> bool:
    words = set(re.findall(r"\w+", phrase.casefold()))
    return any(name in words for name in names)


def _once(words: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for word in words:
        if word:
            found.setdefault(word.casefold(), word)
    return list(found.values())


def _joined(words: Sequence[str], most: int) -> str:
    """As many whole phrases as there is room for."""
    text = ""
    for word in words:
        longer = f"{text}, {word}" if text else word
        if len(longer) > most:
            break
        text = longer
    return text
