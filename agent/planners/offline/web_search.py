"""Requests for a search of the web, in so many words: `search the web for ...`, `look up ... and make a scene`.

What is asked of the web is taken out of the message, and only that goes out; what is left is read as any request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from agent.intent import Intent
from agent.planners.base import PlanRequest
from agent.planners.offline.finish import base_intent
from agent.planners.offline.read import read, understand
from agent.planners.offline.say import Notes
from agent.planners.offline.text import clean, tokenise
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import MOST_WORDS, starts_with

__all__ = ["WebWish", "find_web_wish", "understand_with_web"]

TOPIC = "web"
MOST_CHARACTERS = 300
_MARKS = ":-–—\"'“”«»("
_STOPS = ".!?;,"
_QUOTES = '["“”«»„]|:'
_ENDS = " \t\n,:;-–—\"'“”«»()?!."


@dataclass(frozen=True)
class WebWish:
    """What a person wants looked up.

    Attributes:
        words: what the web is asked.
        rest: what else the message wants; empty: nothing.
        named: whether the web was named, or only a search.
    """

    words: str
    rest: str = ""
    named: bool = True


def understand_with_web(request: PlanRequest, vocabulary: Vocabulary) -> Intent:
    """As `understand`, for messages that may ask for a search of the web."""
    wish = find_web_wish(clean(request.text))
    if wish is None:
        return understand(request, vocabulary)
    found = {"needs_search": True, "search_words": wish.words}
    if wish.rest:
        intent = _understood_there(wish, request, vocabulary)
        return intent.model_copy(update={**found, "goal": f"{wish.words} → {intent.goal}"})
    reading = read(request, vocabulary)
    known = [member.id for member in reading.roster.members.values() if member.known]
    if known and not wish.named:
        return understand(request, vocabulary)  # `find out who Alberto is`: we know.
    intent = base_intent(reading, kind="question", topic=TOPIC, outputs=["text"], confidence=0.9)
    # Other names are looked up, not cast: `look up Marco Polo` brings nobody on the stage.
    quiet = {"characters": known, "unknown_names": [], "assumptions": [], "questions": []}
    return intent.model_copy(update={**found, **quiet})


def _understood_there(wish: WebWish, request: PlanRequest, vocabulary: Vocabulary) -> Intent:
    """What is to be made; "there" is the place that was looked up, or it is told that we do not know it."""
    intent = understand(replace(request, text=wish.rest), vocabulary)
    placed = _placed(wish)
    if placed == wish.rest or intent.kind == "edit" or _has_place(intent):
        return intent
    there = understand(replace(request, text=placed), vocabulary)
    if _has_place(there):
        return there
    notes = Notes(vocabulary.sentences, intent.language)
    notes.assume("place_looked_up", words=wish.words)
    return intent.model_copy(update={"assumptions": [*notes.assumptions, *intent.assumptions]})


def _has_place(intent: Intent) -> bool:
    return intent.brief is not None and any(beat.location for beat in intent.brief.beats)


def _placed(wish: WebWish) -> str:
    """What is to be made, with the words that were looked up for "there"; in somebody's line it stays what they say."""
    tokens = tokenise(re.split(_QUOTES, wish.rest)[0])
    keys = [token.key for token in tokens]
    for at, token in enumerate(tokens):
        if starts_with(keys[at : at + 1], "web_there") and not starts_with(keys[at + 1 : at + 2], "web_there_not"):
            return f"{wish.rest[: token.start]}in {wish.words}{wish.rest[token.end :]}"
    return wish.rest


def find_web_wish(text: str) -> WebWish | None:
    """What a message wants looked up; None where it asks for no search, or not for what."""
    tokens = tokenise(text[:2_000])
    keys = [token.key for token in tokens]
    at = _skip(keys, 0, "web_before")
    named = starts_with(keys[at : at + MOST_WORDS], "web_search")
    looked = starts_with(keys[at : at + MOST_WORDS], "web_look") if not named else 0
    at += named or looked
    if not (named or looked) or (looked and starts_with(keys[at : at + MOST_WORDS], "web_look_not")):
        return None
    start = _skip(keys, at, "web_about")
    end, rest = _cut(keys, start + 1)
    words = " ".join(text[tokens[start].start : tokens[end - 1].end].split()).strip(_ENDS) if start < end else ""
    if not any(letter.isalnum() for letter in words):
        return None
    return WebWish(words[:MOST_CHARACTERS], text[tokens[rest].start :] if rest < len(keys) else "", bool(named))


def _cut(keys: list[str], start: int) -> tuple[int, int]:
    """Where what is asked ends, and where what is to be made begins: `boats, and then | make a scene`."""
    for at in range(start, len(keys)):
        if keys[at] in _STOPS or starts_with(keys[at : at + 1], "web_joiners"):
            rest = _skip(keys, at, "web_joiners")
            if starts_with(keys[rest : rest + MOST_WORDS], "web_make"):
                return at, rest
    return len(keys), len(keys)


def _skip(keys: list[str], at: int, words: str) -> int:
    """The first token behind such words, and behind marks between them."""
    while at < len(keys):
        step = starts_with(keys[at : at + MOST_WORDS], words) or (1 if keys[at] in _MARKS + _STOPS else 0)
        if not step:
            break
        at += step
    return at
