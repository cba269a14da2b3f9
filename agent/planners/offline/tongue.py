"""Which language a text is in: by its common words, by lexicon words, by letters and endings."""

from __future__ import annotations

import re
from typing import cast

from agent.planners.offline.text import plain, tokenise
from agent.planners.offline.vocabulary import Vocabulary
from tools.storyboard import Language

__all__ = ["language_of_line", "language_of_text"]

_LETTERS: dict[Language, str] = {"de": "äöüß", "es": "ñ¿¡", "fr": "çœêâîôûëï", "it": ""}
_ITALIAN_ENDING = re.compile(r"[a-z]{2,}[aeiou]$")
_SUBJECTS = ("place", "time", "weather", "emotion", "pose", "output", "thing", "request", "person", "group",
             "number", "question", "smalltalk", "edit", "framing", "negation", "joiner", "speech", "colour",
             "trait", "topic")  # fmt: skip
MAX_WORDS = 400


def _scores(text: str, vocabulary: Vocabulary) -> dict[Language, float]:
    scores: dict[Language, float] = dict.fromkeys(("en", "it", "de", "es", "fr"), 0.0)
    for token in [token for token in tokenise(text[:4000]) if token.is_word][:MAX_WORDS]:
        if "cast" in vocabulary.index.words.get(token.key, ()) or "name" in vocabulary.index.words.get(token.key, ()):
            continue
        homes = [language for language, words in vocabulary.common.items() if token.key in words]
        if not homes:
            homes = sorted(
                {
                    language
                    for subject in _SUBJECTS
                    for language in vocabulary.index.single.get(subject, {}).get(token.key, ())
                    if language != "any"
                }
            )
        for language in homes:
            scores[cast(Language, language)] += 1 / len(homes)
        low = token.text.lower()
        if token.key == "è" or (low[-1] in "àèéìòù" and plain(low) != low and low[-1] != "é"):
            scores["it"] += 0.6
        for other, letters in _LETTERS.items():
            if any(letter in low for letter in letters):
                scores[other] += 0.7
    return scores


def language_of_text(text: str, vocabulary: Vocabulary, default: Language = "en") -> Language:
    """The language of a request; `default` when nothing tells."""
    scores = _scores(text, vocabulary)
    best = max(scores, key=lambda language: scores[language])
    if scores[best] <= 0 or scores[best] <= scores[default] + 0.01:
        return default
    return best


def language_of_line(text: str, vocabulary: Vocabulary, request: Language) -> Language:
    """The language of a line of dialogue, apart from that of the request."""
    scores = _scores(text, vocabulary)
    best = max(scores, key=lambda language: scores[language])
    sung = [token.key for token in tokenise(text) if token.is_word]
    if len(sung) > 1 and len(set(sung)) == 1:
        return request  # `La la la!` is sung in every language.
    if scores[best] > scores[request] + 0.75:  # One borrowed word makes no other language.
        return best
    if scores[best] > 0 or request != "en":
        return request
    words = [
        plain(token.text)
        for token in tokenise(text)
        if token.is_word and not {"cast", "name"} & vocabulary.index.words.get(token.key, set())
    ]
    # Words that nobody knows and that all end in a vowel are far more often Italian than English.
    if (
        len(set(words)) > 1
        and any(len(word) > 4 for word in words)
        and all(_ITALIAN_ENDING.search(word) for word in words)
    ):
        return "it"
    return request
