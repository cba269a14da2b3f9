"""The roster of a request: who takes part, known or not, in order of appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.planners.offline.vocabulary import Vocabulary
from tools.storyboard import CastMember, Look, Storyboard, slugify

__all__ = ["MAX_CHARACTERS", "Mention", "Roster"]

MAX_CHARACTERS = 8
"""So many stand in one picture (tools.storyboard.Shot)."""


@dataclass(slots=True)
class Mention:
    """Tokens `start` to `end` (exclusive) that stand for characters.

    Attributes:
        ids: who; empty while it is not known.
        kind: a name, a noun phrase, a plural or a pronoun.
        noun: id of the lexicon's noun (people.yaml, groups.yaml) or of the pronoun.
        count: how many a plural stands for; 0 when it does not say.
        definite: `the boys` rather than `boys`.
        look: what the words say about looks, as fields of `Look`.
        words: as written, without article.
        refused: named to be left out (`without Alberto`).
    """

    start: int
    end: int
    ids: tuple[str, ...] = ()
    kind: str = "name"
    noun: str = ""
    count: int = 1
    definite: bool = False
    look: dict[str, object] = field(default_factory=dict)
    words: str = ""
    refused: bool = False


class Roster:
    """Who is in the request. Ids are slugs; the same words always give the same id."""

    def __init__(
        self, vocabulary: Vocabulary, storyboard: Storyboard | None = None, spoken_of: Sequence[str] = ()
    ) -> None:
        self._vocabulary = vocabulary
        self.members: dict[str, CastMember] = {}
        self.nouns: dict[str, str] = {}
        """Noun of people.yaml -> id of the one it last stood for."""
        self.voices: set[str] = set()
        """Those who are only heard."""
        self.present: dict[str, CastMember] = {m.id: m for m in storyboard.cast} if storyboard else {}
        """Those of the present storyboard, or before there is one those spoken of (`who is Giulia?` `draw her`). They
        are not part of the request until it names them."""
        if storyboard is None:
            for id_ in spoken_of:
                self.present[id_] = CastMember(id=id_, name=vocabulary.cast[id_].name, known=True)

    def known(self, id_: str) -> str:
        """Take a character of the cast in."""
        sheet = self._vocabulary.cast[id_]
        self.members.setdefault(id_, self.present.get(id_) or CastMember(id=id_, name=sheet.name, known=True))
        return id_

    def recall(self, words: str) -> str | None:
        """Id of one who is in the request or in the present storyboard and is called `words`."""
        slug = slugify(words, "")
        for members in (self.members, self.present):
            if slug and slug in members:
                self.members.setdefault(slug, members[slug])
                return slug
        return None

    def take(self, id_: str) -> str:
        """Take in one whose id is known, of the cast, the request or the present storyboard."""
        return self.known(id_) if id_ in self._vocabulary.cast else self.recall(id_) or id_

    def new(self, name: str, look: dict[str, object], description: str = "") -> str:
        """Take in one who has no sheet; `name` as written, cut to a line."""
        name = " ".join(name.split())[:80] or "someone"
        id_ = slugify(name, "character")
        if id_ in self._vocabulary.cast:  # Somebody else of that name keeps apart from the cast.
            id_ = f"{id_}_2"
        if id_ not in self.members:
            known = self.present.get(id_)
            self.members[id_] = known or CastMember(
                id=id_, name=name, known=False, look=Look.model_validate({**look, "description": description[:300]})
            )
        return id_

    def voice(self, name: str) -> str:
        """Take in one who is only heard: a narrator, a voice, a radio."""
        id_ = self.recall(name) or self.new(name, {"age": "adult"}, name.lower())
        self.voices.add(id_)
        return id_

    def enrich(self, id_: str, look: dict[str, object], description: str) -> None:
        """Add what more is said about the looks of one without a sheet."""
        member = self.members[id_]
        if member.known or not (look or description):
            return
        present = member.look.model_dump(exclude_defaults=True) if member.look else {}
        accessories = list(dict.fromkeys([*present.get("accessories", []), *_listed(look.get("accessories"))]))
        merged = {**present, **look}
        if accessories:
            merged["accessories"] = accessories[:6]
        if len(description) > len(str(present.get("description", ""))):
            merged["description"] = description[:300]
        self.members[id_] = member.model_copy(update={"look": Look.model_validate(merged)})

    def gender(self, id_: str) -> str:
        """`boy`, `girl` or `neutral` (robots, animals and those of whom it is not said)."""
        member = self.members.get(id_) or self.present.get(id_)
        if id_ in self._vocabulary.cast:
            return self._vocabulary.gender(id_)
        return member.look.gender if member and member.look else "neutral"

    def age(self, id_: str) -> str:
        """`child`, `teen`, `adult` or `elder`; those of the cast are children unless their sheet says more."""
        sheet = self._vocabulary.cast.get(id_)
        if sheet is not None:
            return str((getattr(sheet, "look", None) or {}).get("age", "child"))
        member = self.members.get(id_) or self.present.get(id_)
        return member.look.age if member and member.look else "child"

    def is_creature(self, id_: str) -> bool:
        """Whether the one is an animal, a robot or a monster."""
        member = self.members.get(id_)
        return member is not None and member.look is not None and member.look.species != "human"

    def name(self, id_: str) -> str:
        """What the one is called in a sentence."""
        member = self.members.get(id_) or self.present.get(id_)
        if member and not member.known:
            return member.name
        return self._vocabulary.first_name(id_)

    def of_gender(self, gender: str, among: Sequence[str]) -> list[str]:
        """Those among `among` whom a word of this gender may stand for."""
        return [id_ for id_ in among if self.gender(id_) in (gender, "neutral")]


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []
