"""The third and fourth piece: the lines of a film, and their second version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from agent.chat_models.base import Piece
from agent.planners.chat_pieces.choices import choice, narrowed
from agent.planners.chat_pieces.texts import Sentence, Speech
from agent.planners.offline.pacing import shortest, speech_need
from agent.planners.offline.tongue import language_of_text
from agent.planners.offline.vocabulary import Vocabulary
from tools.storyboard import Delivery, Emotion, Language, Line

__all__ = ["Revision", "Script", "fits", "language_check", "revised", "revision_of", "script_of", "words_in"]

TELLING_WORDS = 12
"""A text with fewer words does not tell its language."""


class SpokenLine(Piece):
    """One line."""

    beat: int = Field(description="number of the beat it is said in")
    who: str
    text: Speech = Field(description="what is said, words alone, at most two short sentences")
    emotion: Emotion
    delivery: Delivery


class Script(Piece):
    """The lines of the film, in order."""

    lines: list[SpokenLine]


class BetterLine(Piece):
    """A line, rewritten."""

    line: int = Field(description="its number")
    text: Speech
    emotion: Emotion


class Revision(Piece):
    """What is weak in a script, and the lines that are better."""

    weak: Sentence = Field(description="what is weakest, in one sentence")
    lines: list[BetterLine] = Field(description="only the lines that change")


def script_of(cast: Sequence[str], beats: int, most_lines: int) -> type[Script]:
    """The piece for these speakers and so many beats."""
    numbers = Annotated[int, Field(ge=1, le=beats)]
    line = narrowed(SpokenLine, beat=numbers, who=choice(cast))
    return narrowed(Script, lines=Annotated[list[line], Field(min_length=1, max_length=most_lines)])  # type: ignore[valid-type]


def revision_of(lines: int) -> type[Revision]:
    """The piece for a script of so many lines."""
    better = narrowed(BetterLine, line=Annotated[int, Field(ge=1, le=lines)])
    return narrowed(Revision, lines=Annotated[list[better], Field(max_length=lines)])  # type: ignore[valid-type]


def words_in(texts: Sequence[str]) -> int:
    """How many words are spoken."""
    return sum(len(text.split()) for text in texts)


def language_check(language: Language, vocabulary: Vocabulary) -> Callable[[Sequence[str]], None]:
    """A check that lines are in the language they should be in, and hold something to say.

    Raises (the check): ValueError, in words for the model.
    """
    names = {"en": "English", "it": "Italian", "de": "German", "es": "Spanish", "fr": "French"}

    def check(texts: Sequence[str]) -> None:
        for number, text in enumerate(texts, 1):
            if not any(char.isalnum() for char in text):
                raise ValueError(f"line {number} says nothing")
        told = " ".join(texts)
        if words_in([told]) >= TELLING_WORDS and language_of_text(told, vocabulary, language) != language:
            raise ValueError(f"the lines must be in {names[language]}")

    return check


def revised(script: Script, revision: Revision) -> list[str]:
    """The texts of a script with the better lines in their places; of two versions of one line the first counts."""
    better: dict[int, str] = {}
    for one in revision.lines:
        if one.text:
            better.setdefault(one.line, one.text)
    return [better.get(number, line.text) for number, line in enumerate(script.lines, 1)]


def fits(beats: Sequence[Sequence[Line]], seconds: float | None, least_s: float) -> list[list[Line]]:
    """The lines of each beat that there is time for; the last lines of the fullest beats go first.

    Args:
        seconds: of the whole film; None: as many as there are.
        least_s: the least that a beat takes without speech.
    """
    kept = [list(lines) for lines in beats]
    while seconds is not None and any(kept) and sum(shortest(lines, least_s) for lines in kept) > seconds:
        fullest = max(range(len(kept)), key=lambda at: (speech_need(kept[at]), at))
        kept[fullest].pop()
    return kept
