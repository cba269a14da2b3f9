"""Names given anew to those of the present scene: `rename the robot to Bolt`, `chiama il gatto Micio`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Edit
from agent.planners.offline.edit_who import Present
from agent.planners.offline.reading import Reading
from agent.planners.offline.text import Token, tokenise
from agent.planners.offline.wordlists import starts_with, words
from tools.storyboard import slugify

__all__ = ["read_naming"]

MOST_WORDS = 3
"""A name has no more words than this."""
LONGEST = 200
"""A longer text, in characters, is no wish for a name."""


def read_naming(reading: Reading, present: Present, text: str) -> Edit | None:
    """The edit that gives one of the cast another name; None when `text` asks for nothing of the kind.

    One who is not there is still named in the edit, so that `revise` can say so.
    """
    if len(text) > LONGEST:
        return None
    tokens = [token for token in tokenise(text) if not token.is_mark]
    while polite := starts_with([token.key for token in tokens], "polite_start"):
        tokens = tokens[polite:]
    keys = [token.key for token in tokens]
    found: Edit | None = None
    if verb := starts_with(keys, "rename_verbs"):
        found = _renamed(reading, present, text, tokens[verb:])
    elif verb := starts_with(keys, "call_verbs"):
        found = _called(reading, present, text, tokens[verb:])
    elif verb := starts_with(keys, "the_name_of"):
        found = _is(reading, present, text, tokens[verb:], "is_word")
    else:
        found = _is(reading, present, text, tokens, "is_called")
    return found


def _renamed(reading: Reading, present: Present, text: str, rest: Sequence[Token]) -> Edit | None:
    """`the robot to Bolt`."""
    links = [at for at, token in enumerate(rest) if token.key in words("name_links") and 0 < at < len(rest) - 1]
    for at in links:
        if who := _who(reading, present, rest[:at]):
            return _edit(text, who, rest[at + 1 :])
    pronouns = reading.vocabulary.find(rest[:1], reading.language, frozenset({"pronoun"}))
    if not links:
        return _called(reading, present, text, rest)
    if _is_film(rest[: links[0]]) or pronouns:
        return None
    return _edit(text, _stranger(rest[: links[0]]), rest[links[0] + 1 :])


def _called(reading: Reading, present: Present, text: str, rest: Sequence[Token]) -> Edit | None:
    """`the cat Micio`: as much as names somebody there is who; what is left is the name."""
    rest = _without_tail(rest)
    for at in range(len(rest) - 1, 0, -1):
        name = rest[at:]
        if len(name) > MOST_WORDS or not _may_be_name(reading, name):
            continue
        if who := _who(reading, present, rest[:at]):
            return _edit(text, who, name)
    described = len(rest) == 3 and rest[0].key in words("articles_the") and rest[-1].text[0].isupper()
    if described and not _is_film(rest[:-1]):
        return _edit(text, _stranger(rest[:-1]), rest[-1:])
    return None


def _is(reading: Reading, present: Present, text: str, tokens: Sequence[Token], link: str) -> Edit | None:
    """`the first is called Nina`, `the robot's name is Bolt`."""
    keys = [token.key for token in tokens]
    for at in range(1, len(keys) - 1):
        if size := starts_with(keys[at:], link):
            who, name = _who(reading, present, tokens[:at]), tokens[at + size :]
            return _edit(text, who, name) if who and _may_be_name(reading, name) else None
    return None


def _who(reading: Reading, present: Present, phrase: Sequence[Token]) -> str | None:
    pronouns = reading.vocabulary.find(phrase, reading.language, frozenset({"pronoun"})) if len(phrase) == 1 else []
    if not pronouns:
        return present.named(phrase)
    if pronouns[0].id in ("he", "she"):
        fitting = present.of_gender(pronouns[0].id, present.last_named)
        return fitting[-1] if fitting else None
    if pronouns[0].id == "it":  # `call it Home` names the film, unless an animal has just come in.
        fitting = present.creatures(present.just_named)
        return fitting[0] if len(fitting) == 1 else None
    return None


def _may_be_name(reading: Reading, name: Sequence[Token]) -> bool:
    """Written with a capital, or one word that means nothing else here (`call the cat micio`)."""
    name = _without_tail(name)
    if not name or len(name) > MOST_WORDS:
        return False
    if all(token.text[0].isupper() for token in name):
        return True
    if len(name) > 1 or not name[0].is_word or reading.vocabulary.is_ordinary(name[0].key):
        return False
    meanings = {match.subject for match in reading.vocabulary.find(name, reading.language)}
    return meanings <= {"person", "name"} if meanings else not reading.vocabulary.is_known(name[0].key)


def _without_tail(name: Sequence[Token]) -> Sequence[Token]:
    """A name without `now` and `please` behind it."""
    for at in range(1, len(name)):
        if (size := starts_with([token.key for token in name[at:]], "name_tails")) and at + size == len(name):
            return name[:at]
    return name


def _is_film(phrase: Sequence[Token]) -> bool:
    return any(token.key in words("film_words") for token in phrase)


def _stranger(phrase: Sequence[Token]) -> str:
    kept = [token.text for token in phrase if token.key not in words("articles_the", "articles_one")]
    return slugify(" ".join(kept), "character")


def _edit(text: str, who: str, name: Sequence[Token]) -> Edit | None:
    name = _without_tail(name)
    if not name or len(name) > MOST_WORDS:
        return None
    written = text[name[0].start : name[-1].end]
    if written.islower():
        written = written.title()
    return Edit(op="rename_character", character=who, text=written)
