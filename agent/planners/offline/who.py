"""Settle who is meant by each mention: unknown names, described ones, `two boys`, `the girl`, `he`, `they`."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import OSA

from agent.planners.offline.cast import MAX_CHARACTERS, Mention, Roster
from agent.planners.offline.counted import beside_names, count_off, one_of, one_of_several
from agent.planners.offline.lexicon import expand
from agent.planners.offline.looks import age_behind, read_features, read_look
from agent.planners.offline.page import Page
from agent.planners.offline.pronouns import find_clitics, settle_pronouns
from agent.planners.offline.say import Notes
from agent.planners.offline.text import plain
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.voices import voice_name
from agent.planners.offline.wordlists import starts_with
from agent.planners.offline.wordlists import words as word_list

__all__ = ["Casting", "settle"]

_REFUSING = ("none", "not")
_TRIVIAL = frozenset({"age", "gender", "species"})


class Casting:
    """Gives each mention of a page its ids, filling the roster.

    Args:
        page: the message.
        roster: filled with everyone who takes part.
        notes: gets what was assumed.
    """

    def __init__(self, page: Page, vocabulary: Vocabulary, roster: Roster, notes: Notes) -> None:
        self.page, self.vocabulary, self.roster, self.notes = page, vocabulary, roster, notes
        self.refused: set[str] = set()

    def names(self, mentions: list[Mention], speakers: Sequence[str]) -> None:
        """First all names, for plurals and `the boy` may stand for those named later."""
        for mention in mentions:
            mention.refused = mention.refused or self._is_refused(mention)
        for mention in mentions:
            if mention.kind in ("name", "near") and not mention.refused:
                self._name(mention)
            elif mention.kind == "voice" and not mention.refused:
                self._voice(mention)
        self.speakers = list(speakers)

    def _is_refused(self, mention: Mention) -> bool:
        people = self.page.of("cast", "spelling", "name", "person", "group", end=mention.start)
        if self.page.key(mention.start - 1) == "about" and people and mention.kind != "pronoun":
            # `talk about Giulia`: she is not there; `a film about Giulia`: she is.
            doing = self.page.of("pose", "speech", start=max(0, mention.start - 4), end=mention.start)
            if any(m.subject == "speech" or m.id in ("talk", "think") for m in doing):
                return True
        if mention.kind != "pronoun" and self._is_away(mention):
            return True
        behind = (self.page.key(mention.end), self.page.key(mention.end + 1))
        excepted = self.page.key(mention.start - 1) in word_list("excepting")
        if excepted and behind[0] == "," and behind[1] in word_list("relatives"):
            return False  # `Everyone is asleep except Luca, who looks at the stars`
        before = self.page.at(mention.start - 1, "negation")
        return before is not None and before.id in _REFUSING and mention.kind != "pronoun"

    def _is_away(self, mention: Mention) -> bool:
        """`Alberto is nowhere to be seen`, `Luca dreams of Alberto`: one who is spoken of and not there."""
        keys = [token.key for token in self.page.tokens[max(0, mention.start - 3) : mention.end + 4]]
        at = min(mention.start, 3)
        if starts_with(keys[at + mention.end - mention.start :], "absent"):
            return True
        return any(starts_with(keys[back:], "minding") == at - back for back in range(at))

    def _voice(self, mention: Mention) -> None:
        """One who is only heard; `Luca's voice` is Luca's."""
        if mention.ids:
            self.roster.known(mention.ids[0])
        else:
            mention.ids = (self.roster.voice(voice_name(mention.words, self.page.language)),)

    def _name(self, mention: Mention) -> None:
        page = self.page
        if mention.ids:
            (id_,) = mention.ids
            self.roster.known(id_)
            written = [page.key(at) for at in range(mention.start, mention.end)]
            if mention.kind == "near" or not self.vocabulary.own_spelling(id_, written):
                self.notes.assume("name_read", word=mention.words, name=self.roster.name(id_))
            features = read_features(page, mention.end)
            if set(features.look) - _TRIVIAL - {"height", "build"} and id_ not in self.roster.present:
                words = page.words(mention.end, features.end).strip(" ,")
                self.notes.assume("look_kept", name=self.roster.name(id_), look=words)
            return
        features = read_features(page, mention.end)
        adjectives = [
            m for m in page.of("trait", "colour") if m.end == mention.start or m.end == mention.start - 1 == m.start
        ]
        look = {**mention.look, **read_look(adjectives, page), **features.look, **age_behind(page, mention.end)}
        description = page.words(mention.end, features.end).strip(" ,") if features.look else ""
        recalled = self.roster.recall(mention.words)
        id_ = recalled or self.roster.new(mention.words, look, description)
        self.roster.enrich(id_, look, description)
        mention.ids = (id_,)

    def recall(self, mention: Mention) -> None:
        """Take those of the present scene whom a mention stands for into the request."""
        mention.ids = tuple(self.roster.take(i) for i in mention.ids)

    def phrases(self, mentions: list[Mention]) -> None:
        """Then noun phrases and plurals, in order."""
        for number, mention in enumerate(mentions):
            if mention.refused or mention.kind not in ("phrase", "group"):
                continue
            earlier = [m for m in mentions[:number] if m.kind != "owner"]
            before = earlier[-1] if earlier else None
            after = mentions[number + 1] if number + 1 < len(mentions) else None
            if mention.kind == "phrase":
                self._phrase(mention, before, after, mentions)
            else:
                self._plural(mention, mentions)

    def _phrase(self, mention: Mention, before: Mention | None, after: Mention | None, mentions: list[Mention]) -> None:
        counted = one_of_several(self.page, mention, mentions) or self._one_of_present(mention)
        if counted is not None:
            mention.ids = (counted,)
            return
        named = self._apposition(mention, before, after)
        if named:
            mention.ids = named.ids
            (id_,) = named.ids
            if id_ in self.vocabulary.cast:
                if set(mention.look) - _TRIVIAL:
                    self.notes.assume("look_kept", name=self.roster.name(id_), look=mention.words)
            else:
                member = self.roster.members[id_]
                present = member.look.description if member.look else ""
                words = self._description(mention)
                self.roster.enrich(id_, mention.look, words if present in words else f"{words} {present}")
            return
        if mention.noun in self.roster.nouns and self.page.key(mention.start) not in word_list("another_one"):
            mention.ids = (self.roster.nouns[mention.noun],)
            return
        id_ = self._already(mention, mentions) or self._girl_or_boy(mention) or self._described(mention)
        mention.ids = (id_,)
        self.roster.nouns[mention.noun] = id_

    def _one_of_present(self, mention: Mention) -> str | None:
        """`remove one robot`, `the second girl`, where several of that kind are in the present scene."""
        kind = {name: mention.look.get(name) for name in ("species", "gender", "age") if name in mention.look}
        looks = {i: m.look for i, m in self.roster.present.items() if m.look}
        alike = [i for i, look in looks.items() if kind and all(getattr(look, k) == v for k, v in kind.items())]
        verbs = self.vocabulary.find(
            self.page.tokens[: mention.start], self.page.language, frozenset({"edit", "request"})
        )
        if any(m.id in ("add", "fresh") for m in verbs) or len(alike) < 2:
            return None
        who = one_of(self.page, mention, alike)
        return self.roster.take(who) if who else None

    def _apposition(self, mention: Mention, before: Mention | None, after: Mention | None) -> Mention | None:
        """The name that stands beside the phrase: `Marco, an old man`, `a robot called Zip`, `captain Bruno`."""
        page = self.page
        if before and before.kind in ("name", "near") and len(before.ids) == 1 and not before.refused:
            between = [page.key(at) for at in range(before.end, mention.start)]
            if not between and page.key(mention.start) in word_list("person_the"):
                return before  # `Pip the mouse`
            owned = between[:1] == [","] and len(between) == 3 and between[2] == "'s"  # `Marina, Giulia's aunt`
            if owned and page.key(mention.end) in (",", ".", ""):
                return before
            an = page.key(mention.start) in word_list("apposition_articles")
            if an and len(between) == 1 and between[0] in word_list("apposition_links") | {"("}:
                follows = page.at(mention.end, "joiner")
                listed = (
                    between == [","]
                    and (follows is not None and page.key(mention.end) in word_list("and_words"))
                    and self._person_at(follows.end)
                )
                if not listed and not (between == [","] and self._lists_after(mention)):
                    return before
        if after and after.kind in ("name", "near") and len(after.ids) == 1 and not after.refused:
            gap = [page.key(at) for at in range(mention.end, after.start)]
            joiner = page.at(mention.end, "joiner")
            if not gap and (mention.noun not in self.roster.nouns):
                return after
            if (joiner and joiner.id == "named" and joiner.end == after.start) or (
                page.at(mention.end, "thing") and gap == ["named"]
            ):
                return after
            thing = page.at(mention.end, "thing")
            if thing and thing.id == "title" and thing.end == after.start:
                return after
            if gap == [","] and self._closes(after) and not self._lists_before(mention):
                return after
        return None

    def _person_at(self, at: int) -> bool:
        return self.page.at(at, "cast", "name", "person", "group", "number") is not None or self.page.key(
            at
        ) in word_list("list_articles")

    def _lists_after(self, mention: Mention) -> bool:
        """`Luca, a robot, and a cat`: a list, not an apposition."""
        page = self.page
        at = mention.end
        if page.key(at) == "," and page.at(at + 1, "joiner"):
            at += 1
        joiner = page.at(at, "joiner")
        return (
            joiner is not None
            and joiner.id == "and"
            and page.key(at) in word_list("and_words")
            and self._person_at(joiner.end)
        )

    def _closes(self, mention: Mention) -> bool:
        return self.page.key(mention.end) in (",", "")

    def _lists_before(self, mention: Mention) -> bool:
        joiner = self.page.at(mention.start - 1, "joiner")
        return (joiner is not None and joiner.id == "and") or self.page.key(mention.start - 1) == ","

    def _already(self, mention: Mention, mentions: list[Mention]) -> str | None:
        """`the boy` when one boy was named; one of the present storyboard who is called so."""
        if recalled := self.roster.recall(mention.words):
            return recalled
        if not mention.definite or set(mention.look) - _TRIVIAL or "species" in mention.look:
            return None
        earlier = [i for m in mentions if m.start < mention.start and not m.refused for i in m.ids]
        gender, age = str(mention.look.get("gender", "neutral")), str(mention.look.get("age", "child"))
        pool = list(dict.fromkeys(earlier)) or list(self.roster.present)
        fitting = [i for i in pool if self.roster.gender(i) == gender and self.roster.age(i) == age]
        if not fitting and age == "adult":  # `an old man ... the man`
            fitting = [i for i in pool if self.roster.gender(i) == gender and self.roster.age(i) == "elder"]
        return self.roster.take(fitting[0]) if len(fitting) == 1 and gender != "neutral" else None

    def _girl_or_boy(self, mention: Mention) -> str | None:
        """`the girl` is the only girl of the cast; so is `a girl` whose looks fit or who is with ours."""
        gender = mention.look.get("gender")
        if mention.noun not in ("boy", "girl"):
            return None
        fitting = [
            id_ for id_ in self.vocabulary.cast if self.vocabulary.gender(id_) == gender and id_ not in self.refused
        ]
        if len(fitting) != 1 or fitting[0] in self.roster.members:
            return None
        words = set(plain(self.vocabulary.cast[fitting[0]].description).replace(",", " ").split())
        said = {plain(str(value)) for name, value in mention.look.items() if name not in _TRIVIAL and value is not True}
        said |= {name for name, value in mention.look.items() if value is True}
        fits = bool(said) and said <= words
        with_ours = not said and any(member.known for member in self.roster.members.values())
        if not (fits or with_ours or (mention.definite and not said)):
            return None
        self.notes.assume("girl_is", words=mention.words, name=self.roster.name(fitting[0]))
        return self.roster.known(fitting[0])

    def _described(self, mention: Mention, name: str = "") -> str:
        name = name or mention.words[:1].upper() + mention.words[1:]
        id_ = self.roster.new(name, mention.look, self._description(mention))
        entry = self.vocabulary.lexicons["person"].entries.get(mention.noun)
        if entry and entry.instead:
            word = mention.words if mention.kind != "group" else name.rsplit(" ", 1)[0].lower()
            self.notes.assume("drawn_as", word=word, kind=entry.instead.replace("_", " "))
        return id_

    def _description(self, mention: Mention) -> str:
        page = self.page
        if page.key(mention.start - 1) == "'s" and mention.start > 1:  # Whose mother she is.
            return page.words(mention.start - 2, mention.end).strip(" ,.;:")
        start = mention.start + (mention.count > MAX_CHARACTERS)  # Of `5000 people` not all are drawn.
        words = page.words(start, mention.end).strip(" ,.;:")
        return words[:1].lower() + words[1:]

    def _plural(self, mention: Mention, mentions: list[Mention]) -> None:
        """`two boys`: those who are named, else those of the cast whom the words fit, else so many new ones."""
        entry = self.vocabulary.lexicons["person"].entries.get(mention.noun)
        group = self.vocabulary.lexicons["group"].entries[mention.noun]
        base: dict[str, object] = {**group.look, **(entry.look if entry else {})}
        look = {**base, **mention.look}
        said = set(look) - set(base)
        ours = "species" not in base and base.get("age", "child") == "child" and not said
        gender = str(look.get("gender", "neutral"))
        named = self._named(mention, gender, mentions) if "species" not in base else []
        if named and (mention.count in (0, len(named))):
            mention.ids = tuple(self.roster.take(i) for i in named)
            if beside_names(self.page, mention, mentions):  # `two old sisters, Anna and Bea`
                noun = self._singular(mention, "person" if entry else "group")
                one = " ".join([*mention.words.split()[:-1], noun])
                words = f"{'an' if one[0] in 'aeiou' else 'a'} {one}" if self.page.language == "en" else ""
                for i in mention.ids:
                    self.roster.enrich(i, look, words)
            return
        fitting = [
            i
            for i in self.vocabulary.cast
            if gender in ("neutral", self.vocabulary.gender(i)) and i not in self.refused
        ]
        exact = mention.count == len(fitting) and (gender != "neutral" or mention.definite)
        if ours and len(fitting) > 1 and (exact or (mention.definite and mention.count in (0, len(fitting)))):
            mention.ids = tuple(self.roster.known(i) for i in fitting)
            names = self.notes.listed([self.roster.name(i) for i in fitting])
            self.notes.assume("group_known", words=self._description(mention), names=names)
            return
        if not mention.count:
            mention.count = 2
            self.notes.assume("group_count", words=self._description(mention), count=2)
        mention.look = look
        count = min(mention.count, MAX_CHARACTERS)
        noun = self._singular(mention, "person" if entry else "group")
        name = noun[:1].upper() + noun[1:]
        mention.ids = tuple(self._described(mention, f"{name} {number}") for number in range(1, count + 1))

    def _singular(self, mention: Mention, subject: str) -> str:
        """What one of several is called: of `dolphins` a dolphin, not the first animal of its kind in the lexicon."""
        label = self.vocabulary.label(subject, mention.noun, self.page.language)
        said = plain(mention.words.split()[-1]) if mention.words else ""
        entry = self.vocabulary.lexicons[subject].entries[mention.noun]
        forms = [form for written in getattr(entry, self.page.language) for form in expand(written)]
        whole = plain(mention.words)

        def slips(form: str) -> int:
            return min(OSA.distance(plain(form), said), OSA.distance(plain(form), whole))

        near = [form for form in forms if plain(form)[:3] in (said[:3], whole[:3]) and slips(form) <= 3]
        if not near:  # Italian `bambini` are of both kinds: each of them is a `bambino`.
            others = self.vocabulary.lexicons[subject].entries.values()
            every = (f for other in others for written in getattr(other, self.page.language) for f in expand(written))
            near = [form for form in every if OSA.distance(plain(form), said) <= 1]
        return min(near, key=slips, default=label)

    def _named(self, mention: Mention, gender: str, mentions: list[Mention]) -> list[str]:
        """Those named elsewhere in the request, or who speak in it, and whom the plural may stand for."""
        ids = [i for m in mentions if m.kind in ("name", "near") and not m.refused for i in m.ids]
        ids = list(dict.fromkeys([*ids, *self.speakers]))
        if not ids and mention.definite:
            ids = list(self.roster.present)
        fitting = [i for i in ids if gender == "neutral" or self.roster.gender(i) in (gender, "neutral")]
        if mention.look.get("age", self.vocabulary.lexicons["group"].entries[mention.noun].look.get("age")) == "child":
            fitting = [i for i in fitting if self.roster.age(i) not in ("adult", "elder")]
        return fitting if len(fitting) > 1 else []

    def owners(self, mentions: list[Mention]) -> None:
        """`La mamma di Luca lo abbraccia`: he is there after all."""
        page = self.page
        for mention in mentions:
            stop = min(mention.end + 4, len(page.tokens))
            done_to = any(
                page.key(at) in word_list("clitics") and page.at(at + 1, "pose", "speech")
                for at in range(mention.end, stop)
            )
            if mention.kind == "owner" and mention.ids and page.language == "it" and done_to:
                mention.kind = "name"
                self.roster.known(mention.ids[0])


def settle(
    page: Page, mentions: list[Mention], speakers: Sequence[str], vocabulary: Vocabulary, roster: Roster, notes: Notes
) -> list[Mention]:
    """Give every mention its ids; those that stand for nobody are left out."""
    casting = Casting(page, vocabulary, roster, notes)
    casting.refused = {i for m in mentions if casting._is_refused(m) for i in m.ids}
    casting.names(mentions, speakers)
    casting.phrases(mentions)
    casting.owners(mentions)
    if counted := count_off(page, [m for m in mentions if m.ids], tuple(roster.present)):
        inside = {at for m in counted for at in range(m.start, m.end)}
        kept = [m for m in mentions if m.kind != "pronoun" or m.start not in inside]  # `uno de ellos`
        mentions = sorted([*kept, *counted], key=lambda mention: mention.start)
        for mention in counted:
            casting.recall(mention)
    mentions = sorted([*mentions, *find_clitics(page, mentions)], key=lambda mention: mention.start)
    settle_pronouns(page, mentions, speakers, vocabulary, roster, notes)
    return [mention for mention in mentions if mention.ids and not mention.refused and mention.kind != "owner"]
