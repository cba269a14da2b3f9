"""Whom of the present scene a follow-up means: `the cat`, `him`, `toglila`, `the first`, by what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from agent.planners.offline.cast import Mention
from agent.planners.offline.reading import Reading
from agent.planners.offline.text import Token, fold, tokenise
from agent.planners.offline.wordlists import words
from tools.storyboard import CastMember

__all__ = ["Present", "settle_present"]

_CLITICS = (("him_in_verb", "he"), ("her_in_verb", "she"), ("them_in_verb", "they"))
_GENDERS = {"he": "boy", "she": "girl"}
REMEMBERED = 12
"""So many messages are looked back for the one that named somebody last."""


class Present:
    """The cast of the present scene, to be asked whom words mean.

    Args:
        reading: of the follow-up; its request holds the scene and what was said before.
    """

    def __init__(self, reading: Reading) -> None:
        self._vocabulary, self._language, self._roster = reading.vocabulary, reading.language, reading.roster
        board = reading.request.storyboard
        self.cast: list[CastMember] = list(board.cast) if board else []
        self._said = [text for role, text in reading.request.history[-REMEMBERED:] if role in ("user", "human")]

    def named(self, phrase: Sequence[Token]) -> str | None:
        """Id of the one whom a name, a noun or an ordinal stands for; None when nobody or several."""
        tokens = [token for token in phrase if not token.is_mark]
        while tokens and tokens[0].key in words("articles_the", "these"):
            tokens = tokens[1:]
        if not tokens:
            return None
        keys = [token.key for token in tokens]
        return self._by_ordinal(keys) or self._by_name(keys) or self._by_noun(tokens)

    def _by_ordinal(self, keys: list[str]) -> str | None:
        ordinals = self._vocabulary.find(tokenise(keys[0]), self._language, frozenset({"ordinal"}))
        if not ordinals or len(keys) > 2 or (len(keys) == 2 and keys[1] not in words("first_one")):
            return None
        number = int(ordinals[0].entry.value or 0)
        at = number - 1 if number > 0 else len(self.cast) + number
        return self.cast[at].id if 0 <= at < len(self.cast) else None

    def _by_name(self, keys: list[str]) -> str | None:
        said = " ".join(keys)
        found = [m.id for m in self.cast if said in (m.id, m.id.replace("_", " "), " ".join(_words(m.name)))]
        found = found or [m.id for m in self.cast if len(keys) == 1 and said in _words(m.name)]
        return found[0] if len(found) == 1 else None

    def _by_noun(self, tokens: list[Token]) -> str | None:
        nouns = self._vocabulary.find(tokens, self._language, frozenset({"person"}))
        if not nouns:
            return None
        look = nouns[-1].entry.look
        if "species" in look:
            found = [m.id for m in self.cast if m.look and m.look.species == look["species"]]
        else:
            gender, age = look.get("gender", "neutral"), look.get("age", "child")
            fitting = [m.id for m in self.cast if not (m.look and m.look.species != "human")]
            found = [i for i in fitting if self._roster.gender(i) == gender and self._roster.age(i) == age]
        return found[0] if len(found) == 1 else None

    # -- by what was said before ------------------------------------------------------------------------------------

    @cached_property
    def last_named(self) -> list[str]:
        """Those of the scene whom the last message that named any of them named, in order; else all of the cast."""
        for text in reversed(self._said):
            if found := self._named_in(text):
                return found
        return [member.id for member in self.cast]

    @property
    def just_named(self) -> list[str]:
        """Those whom the message right before named, when that was a change and not the first request."""
        return self._named_in(self._said[-1]) if len(self._said) > 1 else []

    @property
    def follows_change(self) -> bool:
        """Whether the message before was a follow-up too."""
        return len(self._said) > 1

    def _named_in(self, text: str) -> list[str]:
        tokens = [token for token in tokenise(text[:4000]) if not token.is_mark]
        found: list[str] = []
        for at in range(len(tokens)):
            by_noun = self._vocabulary.find(tokens[at : at + 1], self._language, frozenset({"person"}))
            who = self._by_name([tokens[at].key]) or (self._by_noun(tokens[at : at + 1]) if by_noun else None)
            if who:
                found = [*[one for one in found if one != who], who]
        return found

    def of_gender(self, pronoun: str, among: Sequence[str]) -> list[str]:
        """Those among `among` whom `he` or `she` may stand for: people of that gender, else animals and robots."""
        exact = [who for who in among if self._roster.gender(who) == _GENDERS[pronoun]]
        return exact or [who for who in among if self._roster.gender(who) == "neutral"]

    def creatures(self, among: Sequence[str]) -> list[str]:
        """The animals, robots and monsters among `among`."""
        kinds = {m.id: m.look.species for m in self.cast if m.look}
        return [who for who in among if kinds.get(who, "human") != "human"]


def _words(name: str) -> list[str]:
    return [fold(part) for part in name.split()]


def settle_present(reading: Reading) -> Present:
    """Let the mentions of a follow-up stand for those of the scene whom they mean; asks nothing, invents nobody."""
    present = Present(reading)
    for mention in reading.mentions:
        if mention.kind == "pronoun":
            _pronoun(reading, present, mention)
        elif len(mention.ids) == 1 and mention.ids[0] not in reading.roster.present:
            _known_by_other_words(reading, present, mention)
    _animals(reading, present)
    for at, token in enumerate(reading.page.tokens):
        noun = next((noun for name, noun in _CLITICS if token.key in words(name)), None)
        if noun is not None and (ids := _meant_by_verb(present, noun)):
            reading.mentions.append(Mention(at, at + 1, ids, kind="pronoun", noun=noun, words=token.text))
            for who in ids:
                reading.roster.members.setdefault(who, reading.roster.present[who])
    reading.mentions.sort(key=lambda mention: mention.start)
    return present


def _known_by_other_words(reading: Reading, present: Present, mention: Mention) -> None:
    """`il gatto` where a black cat is, `Bolt` where the robot has that name by now."""
    page = reading.page
    if page.key(mention.start) in words("articles_one") or page.key(mention.start - 1) in words("articles_one"):
        return
    (stranger,) = mention.ids
    who = present.named(page.tokens[mention.start : mention.end])
    if who is None or stranger in reading.vocabulary.cast:
        return
    mention.ids = (who,)
    reading.roster.members.pop(stranger, None)
    reading.roster.members.setdefault(who, reading.roster.present[who])


def _pronoun(reading: Reading, present: Present, mention: Mention) -> None:
    """A pronoun that nobody of the same message stands before means the one who was named last."""
    before = [m for m in reading.mentions if m.start < mention.start and m.kind != "pronoun"]
    if before or mention.noun not in ("he", "she"):
        return
    fitting = present.of_gender(mention.noun, present.last_named)
    if not fitting:
        return
    for who in mention.ids:
        reading.roster.members.pop(who, None)
    who = fitting[-1]
    if len(fitting) > 1:
        reading.notes.assume("pronoun_taken", word=mention.words, name=reading.roster.name(who))
    mention.ids = (who,)
    reading.roster.members.setdefault(who, reading.roster.present[who])


def _animals(reading: Reading, present: Present) -> None:
    """`make it run`, right after a dog came in, means the dog; `make it night` means nobody."""
    page = reading.page
    fitting = present.creatures(present.just_named)
    named = {mention.start for mention in reading.mentions}
    for match in page.of("pronoun"):
        acts = page.of("pose", "emotion", "facing", start=match.end)
        if match.id == "it" and match.start not in named and len(fitting) == 1 and acts:
            reading.mentions.append(Mention(match.start, match.end, (fitting[0],), kind="pronoun", noun="it"))
            reading.roster.members.setdefault(fitting[0], reading.roster.present[fitting[0]])


def _meant_by_verb(present: Present, noun: str) -> tuple[str, ...]:
    """`rendila triste` means her when one woman was named last; else it means the scene."""
    if noun == "they":
        return tuple(present.last_named)
    fitting = present.of_gender(noun, present.last_named)
    fitting = fitting or present.of_gender(noun, [member.id for member in present.cast])
    return tuple(fitting) if len(fitting) == 1 else ()
