"""`understand`: a message becomes an `Intent`, with no model, by reading it against the lexicons.

Topics of questions (`Intent.topic`) are the ids of lexicons/topics.yaml, and `character` (ids in `characters`), `place`
(of the scene), `shot:N`, `general` and `out_of_scope`; of small talk, the ids of lexicons/smalltalk.yaml and
`not_understood`.
"""

from __future__ import annotations

from agent.intent import Intent
from agent.planners.base import PlanRequest
from agent.planners.offline.kind import decide
from agent.planners.offline.quotes import find_quotes
from agent.planners.offline.reading import Reading
from agent.planners.offline.text import MAX_CHARS, clean, tokenise
from agent.planners.offline.tongue import language_of_text
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import pattern
from tools.storyboard import Language

__all__ = ["read", "understand"]


def understand(request: PlanRequest, vocabulary: Vocabulary) -> Intent:
    """Read a request. Never raises on odd text; what is not understood is in `questions`.

    Args:
        request: the message with the conversation and the present storyboard.
        vocabulary: lexicons and cast.
    """
    reading = read(request, vocabulary)
    if len(request.text) > MAX_CHARS:
        reading.notes.assume("too_long", count=f"{MAX_CHARS:,}")
    return decide(reading)


def read(request: PlanRequest, vocabulary: Vocabulary) -> Reading:
    """The message read, before it is decided what it is."""
    text = _undotted(_unwrapped(clean(request.text)))
    language = language_of_text(_told(text), vocabulary, _language_before(request, vocabulary))
    return Reading(text, language, request, vocabulary)


def _told(text: str) -> str:
    """The message without its quotes, which may be in another language; all of it when little is left."""
    told = text
    for quote in reversed(find_quotes(text)):
        told = f"{told[: quote.start]} {told[quote.end :]}"
    return told if sum(token.is_word for token in tokenise(told[:2000])) >= 3 else text


def _undotted(text: str) -> str:
    """`Mr. Oduya` without its full stop, which would end a sentence between the title and the name."""
    return pattern(r"\b(?:{honorifics})(?= [^\W\d_])").sub(
        lambda title: title[0][:-1] if title[0][0].isupper() and text[title.end() + 1].isupper() else title[0], text
    )


def _unwrapped(text: str) -> str:
    """A whole message in quotes is no quote: `"make a beach scene with Luca"`."""
    pairs = {'"': '"', "“": "”", "«": "»", "'": "'"}
    if len(text) > 12 and text.count(" ") >= 3 and pairs.get(text[0]) == text[-1]:
        inner = text[1:-1]
        if text[0] not in inner and text[-1] not in inner:
            return inner.strip()
    return text


def _language_before(request: PlanRequest, vocabulary: Vocabulary) -> Language:
    """The language the user wrote in before, for messages that do not tell by themselves (`Luca?`)."""
    for role, said in reversed(request.history[-8:]):
        if role in ("user", "human"):
            return language_of_text(clean(said[:2000]), vocabulary)
    return "en"
