"""What a request leaves open: where whoever plans may add something, and where the user has said enough.

A planner with a model asks this before it asks the model: what is not left open is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.planners.base import PlanRequest
from agent.planners.offline.confidence import unplaced
from agent.planners.offline.read import read
from agent.planners.offline.text import tokenise
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import holds

__all__ = ["Leeway", "leeway_of"]

_TOLD = ("thing", "request", "mood", "emotion", "place", "time", "weather", "cast", "person", "group", "pose")


@dataclass(frozen=True)
class Leeway:
    """What is left open.

    Attributes:
        unplaced: words of the request that no rule can show: what it is about (`jealousy`), or nonsense.
        people: nobody is named, nobody is wished away, and there is something that people would have to play.
        speech: no line is given, and voices are not refused.
        subtitles: they are not refused.
        inventing: new characters are asked for.
        readable: there are words in it that mean something to a studio.
        music_named: it speaks of the music, so that a mood is about that.
    """

    unplaced: tuple[str, ...]
    people: bool
    speech: bool
    subtitles: bool
    inventing: bool
    readable: bool
    music_named: bool


def leeway_of(request: PlanRequest, vocabulary: Vocabulary) -> Leeway:
    """Read what a request leaves open; a matter of milliseconds, and the same each time."""
    reading = read(request, vocabulary)
    page, wants = reading.page, reading.wants
    nobody = any(m.id == "nobody" for m in page.of("negation"))
    keys = [token.key for token in tokenise(request.text) if token.is_word]
    inventing = holds(keys, "inventing")
    lost = tuple(unplaced(reading))
    story = any(m.id == "story" for m in page.of("thing"))
    about = any(m.id == "scene" for m in page.of("thing")) or bool(page.of("mood", "emotion", "output"))
    free = not nobody and not reading.roster.members and not reading.speech.overlays
    no_words = wants.silent or "voice" in wants.refused
    return Leeway(
        unplaced=lost,
        people=free and (inventing or story or (about and bool(lost))),
        speech=not reading.speech.lines and not no_words,
        subtitles="subtitles" not in wants.refused,
        inventing=inventing and not nobody,
        readable=bool(page.of(*_TOLD)),
        music_named=any(m.id == "music" for m in page.of("output")),
    )
