"""All that the reader knows: lexicons, the cast, and which written form stands for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from rapidfuzz import process
from rapidfuzz.distance import OSA

from agent.planners.offline.lexicon import Entry, Lexicon, Match, PhraseIndex, expand, load_lexicons
from agent.planners.offline.say import Sentences, load_sentences
from agent.planners.offline.text import Token, fold, tokenise
from agent.planners.offline.verbs import verb_forms
from tools.storyboard import Language

__all__ = ["READING", "Character", "Vocabulary"]

READING = frozenset(
    [
        "place",
        "elsewhere",
        "time",
        "weather",
        "emotion",
        "pose",
        "framing",
        "camera",
        "output",
        "aspect",
        "style",
        "mood",
        "delivery",
        "speech",
        "facing",
        "person",
        "group",
        "trait",
        "colour",
        "number",
        "unit",
        "ordinal",
        "negation",
        "thing",
        "request",
        "pronoun",
        "joiner",
        "name",
        "spelling",
        "cast",
        "ordinary",
        "opening",
    ]
)
"""Subjects that describe a scene."""
_CORRECTED = ("place", "elsewhere", "time", "weather", "emotion", "pose", "framing", "person", "output")


class Character(Protocol):
    """What the reader needs of a character sheet (configs.characters)."""

    @property
    def id(self) -> str:
        """Slug."""
        ...

    @property
    def name(self) -> str:
        """Full name."""
        ...

    @property
    def aliases(self) -> Sequence[str]:
        """Other names."""
        ...

    @property
    def description(self) -> str:
        """A few words."""
        ...


class Vocabulary:
    """Lexicons and cast, ready to be looked up. Reading it changes nothing.

    Args:
        cast: the character sheets by id.
        lexicons: by subject.
        sentences: what the reader says.
    """

    def __init__(self, cast: Mapping[str, Character], lexicons: Mapping[str, Lexicon], sentences: Sentences) -> None:
        self.cast = dict(cast)
        self.lexicons = dict(lexicons)
        self.sentences = sentences
        self.index = PhraseIndex([*lexicons.values(), _cast_lexicon(cast.values())])
        common = lexicons["common"].entries.values()
        self.common: dict[str, frozenset[str]] = {
            language: frozenset(fold(word) for entry in common for word in getattr(entry, language))
            for language in ("en", "it", "de", "es", "fr")
        }
        self._ordinary = frozenset().union(*self.common.values())
        self._own_words = {
            sheet.id: frozenset(token.key for token in tokenise(f"{sheet.id} {sheet.name}")) for sheet in cast.values()
        }
        self._near_names = {
            form: sheet.id
            for sheet in cast.values()
            for form in {fold(sheet.id), *(fold(part) for part in sheet.name.split())}
            if len(form) >= 4
        }

    @classmethod
    def load(cls) -> Vocabulary:
        """Read the lexicons of this package and the cast, with the places and characters of a folder of one's own.

        Raises:
            YamlProblem: a file is missing or breaks its schema; names file and line.
        """
        from configs.characters import load_characters
        from tools.layout.catalog import own_place_words

        lexicons = load_lexicons()
        if own := own_place_words():
            places = lexicons["place"]
            # Written alike in every language: a place of one's own has the words that its file gives it.
            entries = {**places.entries, **{place: Entry(any=words) for place, words in own.items()}}
            lexicons["place"] = places.model_copy(update={"entries": entries})
        return cls(load_characters(), lexicons, load_sentences())

    def find(self, tokens: Sequence[Token], language: Language, subjects: frozenset[str] = READING) -> list[Match]:
        """Phrases among `tokens`; words of other languages count when this one has none there."""
        return self.index.find(tokens, subjects, language, self.common[language])

    def is_known(self, key: str) -> bool:
        """Whether a folded word stands in any lexicon, or is a form of a common verb."""
        return key in self.index or key in self._ordinary or key in verb_forms()

    def is_ordinary(self, key: str) -> bool:
        """Whether a folded word is a common word of some language."""
        return key in self._ordinary

    def own_spelling(self, id_: str, words: Iterable[str]) -> bool:
        """Whether folded words are spelled as in the character's own name."""
        return self._own_words.get(id_, frozenset()).issuperset(words)

    def first_name(self, id_: str) -> str:
        """The name a character is called by: the first word of the sheet's name."""
        sheet = self.cast.get(id_)
        return sheet.name.split()[0] if sheet else id_

    def gender(self, id_: str) -> str:
        """`boy`, `girl` or `neutral` of a character of the cast."""
        look: Any = getattr(self.cast[id_], "look", None) or {}
        if isinstance(look, Mapping) and "gender" in look:
            return str(look["gender"])
        words = set(fold(self.cast[id_].description).replace(",", " ").split())
        return "girl" if words & {"girl", "woman"} else "boy" if words & {"boy", "man"} else "neutral"

    def near_name(self, word: str) -> str | None:
        """Id of the character whose name `word` misspells; None for known words and for anything too far off.

        One slip (a letter more, less, other or swapped) in a name of four to six letters, two in a longer one; the
        first letter must be right, and the word must not be a word or a name of its own.
        """
        key = fold(word)
        if len(key) < 3 or self.is_known(key):
            return None
        best: tuple[int, str] | None = None
        for form, id_ in self._near_names.items():
            allowed = 2 if len(form) >= 7 else 1
            if key[0] != form[0] or abs(len(key) - len(form)) > allowed:
                continue
            distance = int(OSA.distance(key, form, score_cutoff=allowed))
            if distance > allowed or (len(form) < 5 and _other_letter(key, form)):
                continue
            if distance == 2 and key[:3] != form[:3] and key[-2:] != form[-2:]:
                continue
            if best is None or distance < best[0]:
                best = (distance, id_)
        return best[1] if best else None

    def near_word(self, key: str, language: Language) -> str | None:
        """The lexicon word that a misspelled `key` most likely is; None when there is none near enough."""
        if len(key) < 5 or not key.isalpha() or self.is_known(key):
            return None
        allowed = 1 if len(key) < 9 else 2
        best: tuple[int, str] | None = None
        for subject in _CORRECTED if len(key) > 5 else _CORRECTED[:4]:
            words = [
                word
                for word, languages in self.index.single.get(subject, {}).items()
                if language in languages and word[0] == key[0] and abs(len(word) - len(key)) <= allowed
            ]
            if subject not in ("place", "time", "weather"):  # `cheek` is a word, not half of `cheeky`.
                words = [word for word in words if not word.startswith(key)]
            if len(key) < 7:  # `bench` is a word of its own, `sunst` and `beahc` are none.
                words = [word for word in words if not _other_letter(key, word)]
            hit = process.extractOne(key, words, scorer=OSA.distance, score_cutoff=allowed)
            if hit and (best is None or hit[1] < best[0]):
                best = (int(hit[1]), str(hit[0]))
        return best[1] if best else None

    def label(self, subject: str, id_: str, language: Language) -> str:
        """The first word of an entry in a language, for sentences: `forest`, `foresta`."""
        entry = self.lexicons[subject].entries.get(id_)
        words = (getattr(entry, language) or entry.en or entry.any) if entry else []
        return expand(words[0])[0] if words else id_.replace("_", " ")


def _other_letter(key: str, word: str) -> bool:
    """Whether a letter stands in place of another: that is more often another word than a slip."""
    return len(key) == len(word) and sorted(key) != sorted(word)


def _cast_lexicon(sheets: Iterable[Character]) -> Lexicon:
    """The names of the cast as a lexicon of subject `cast`."""
    return Lexicon(
        about="the cast",
        subject="cast",
        entries={
            sheet.id: Entry(any=list(dict.fromkeys([sheet.id, sheet.name, *sheet.name.split(), *sheet.aliases])))
            for sheet in sheets
        },
    )
