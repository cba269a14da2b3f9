"""Find who is named or described in a message: names, noun phrases, plurals."""

from __future__ import annotations

from agent.planners.offline.cast import Mention
from agent.planners.offline.lexicon import Match
from agent.planners.offline.looks import read_features, read_look
from agent.planners.offline.named_places import find_named_places
from agent.planners.offline.page import Page
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.voices import find_voices
from agent.planners.offline.wordlists import words as word_list

__all__ = ["find_people"]

_ADJECTIVES = ("trait", "colour", "emotion", "ordinal")
_SOLE_ADJECTIVES = ("trait", "colour")
_CONTENT = frozenset(
    [
        "place",
        "elsewhere",
        "time",
        "weather",
        "framing",
        "camera",
        "output",
        "aspect",
        "style",
        "facing",
        "thing",
        "pose",
        "emotion",
    ]
)
_DOING = (
    *_CONTENT,
    "joiner",
    "speech",
    "delivery",
    "pronoun",
    "trait",
    "colour",
    "cast",
    "spelling",
    "negation",
    "number",
)
MAX_NAME_WORDS = 3


def find_people(page: Page, vocabulary: Vocabulary) -> list[Mention]:
    """Mentions in order, not yet resolved: names have their ids when they are of the cast, phrases their nouns."""
    mentions: list[Mention] = []
    taken: set[int] = set()
    places = frozenset(at for named in find_named_places(page, vocabulary) for at in named)
    found = (*find_voices(page), *_names(page, vocabulary, places), *_phrases(page, places), *_pronouns(page))
    for mention in found:
        if taken.isdisjoint(range(mention.start, mention.end)):
            taken.update(range(mention.start, mention.end))
            mentions.append(mention)
    mentions.sort(key=lambda mention: mention.start)
    _drop_hidden(page, mentions)
    return mentions


def _names(page: Page, vocabulary: Vocabulary, places: frozenset[int]) -> list[Mention]:
    found: list[Mention] = []
    caseless = page.is_caseless
    at = 0
    while at < len(page.tokens):
        token = page.tokens[at]
        known = page.at(at, "cast") or page.at(at, "spelling")
        if known:
            end = known.end
            while page.at(end, "cast") and page.at(end, "cast").id == known.id:  # type: ignore[union-attr]
                end += 1
            if not _owns_place(page, end):
                kind = "owner" if _owns_person(page, at, end) else "name"
                found.append(Mention(at, end, (known.id,), kind=kind, words=_text(page, at, end)))
            at = end
        elif at in places:
            at += 1
        elif token.is_word and (id_ := vocabulary.near_name(token.key)) and not page.at(at, *_CONTENT):
            found.append(Mention(at, at + 1, (id_,), kind="near", words=token.text))
            at += 1
        elif end := _unknown_name(page, at, vocabulary, caseless):
            look = dict(match.entry.look) if (match := page.at(at, "name")) else {}
            words = _text(page, at, end)
            if _is_speaker_self(page, at):
                words = "Me" if page.language == "en" else words.capitalize()
            found.append(Mention(at, end, kind="name", look=look, words=words))
            at = end
        else:
            at += 1
    return found


def _owns_place(page: Page, end: int) -> bool:
    """Whether `Giulia's kitchen` names the place alone."""
    return page.key(end) == "'s" and any(page.at(at, "place", "elsewhere") for at in (end + 1, end + 2))


def _owns_person(page: Page, at: int, end: int) -> bool:
    """`Luca's mother`, `la mamma di Luca`: she is there, and he only if more is said of him."""
    behind = page.key(end) == "'s" and any(
        page.at(end + 1 + gap, "person") and not any(page.tokens[end + 1 + g].is_mark for g in range(gap))
        for gap in range(2)
        if end + 1 + gap < len(page.tokens)
    )
    return behind or (page.key(at - 1) in word_list("possessive_of") and page.at(at - 2, "person") is not None)


def _unknown_name(page: Page, at: int, vocabulary: Vocabulary, caseless: bool) -> int:
    """Where a name that is not of the cast ends; 0 when none begins at `at`."""
    token = page.tokens[at]
    if not token.is_word or page.at(at, "person", "group", "ordinary"):
        return 0
    if _is_speaker_self(page, at):
        return at + 1
    if page.key(at) in word_list("before_surname") and token.text[0].isupper() and page.tokens[at + 1 :]:
        return _surname(page, at + 1, vocabulary, True)  # `Mr Smith`
    if page.at(at, "pronoun") and page.starts_sentence(at):
        return 0  # Spanish `Ella` is no name there.
    if at and page.at(at - 1, "person") and token.text[0].isupper() and not caseless and not page.at(at, *_DOING):
        return _surname(page, at + 1, vocabulary, True)  # `ihr Hund Bello`
    given = page.at(at, "name")
    capital = token.text[0].isupper() and not caseless
    opens = page.starts_sentence(at)
    if given:
        other = page.at(at, *_CONTENT)
        if (
            other
            and not (capital and _is_described(page, given.end))
            and (
                not capital or opens or page.key(at - 1) in word_list("person_the", "placing") or other.end > given.end
            )
        ):
            return 0
        if given.entry.capital and (caseless or (opens and not _acts(page, given.end))):
            return 0
        return _surname(page, given.end, vocabulary, capital)
    titled = page.at(at - 1, "joiner")
    if titled and titled.id == "named" and page.at(titled.start - 1, "person") and token.text[0].isupper():
        return _surname(page, at + 1, vocabulary, True)  # `a robot named Pixel`
    if page.key(at - 1) in word_list("placing") or vocabulary.is_known(token.key):
        return 0
    joined = _joins_name(page, at)
    if not capital:
        return at + 1 if joined and len(token.key) > 2 and not token.key.endswith("s") else 0
    if len(token.text) < 2 or (opens and not (_acts(page, at + 1) or joined or _with_stranger(page, at, vocabulary))):
        return 0
    if page.language == "de" and not (joined or page.at(at - 1, "joiner")):
        return 0
    if page.at(at - 1, "joiner") and page.at(at - 1, "joiner").id == "where" and page.key(at - 1) != "to":  # type: ignore[union-attr]
        return 0
    return _surname(page, at + 1, vocabulary, capital)


def _is_speaker_self(page: Page, at: int) -> bool:
    """`my dog and me`, `io e Luca`: whoever writes wants to be in the picture."""
    if page.key(at) not in word_list("myself"):
        return False
    before, behind = page.at(at - 1, "joiner"), page.at(at + 1, "joiner")
    people = ("cast", "name", "person", "group", "spelling")
    joined = before is not None and page.key(at - 1) in word_list("and_words") and page.at(at - 2, *people)
    ahead = [page.at(at + step, *people) for step in (2, 3)]
    opens = page.starts_sentence(at) or page.at(at - 1, "joiner", "thing", "output") is not None
    return bool(joined) or bool(
        behind is not None and page.key(at + 1) in word_list("and_words") and any(ahead) and opens
    )


def _surname(page: Page, end: int, vocabulary: Vocabulary, capital: bool) -> int:
    """Take capitalised words that nothing else claims into the name: Marco Rossi."""
    start = end - 1
    while capital and end < len(page.tokens) and end - start < MAX_NAME_WORDS:
        token = page.tokens[end]
        given = page.at(end, "name") is not None and not page.at(end, *_CONTENT)
        given = given or (end == start + 1 and page.key(start) in word_list("before_surname"))  # `Mrs Brown`
        if not token.is_word or not token.text[0].isupper() or (vocabulary.is_known(token.key) and not given):
            break
        end += 1
    return end


def _acts(page: Page, at: int) -> bool:
    """Whether what follows is what follows a person: a verb, `and`, `is`, a comma and a trait."""
    if page.key(at) in word_list("being", "deeds") or _is_described(page, at):
        return True
    return page.at(at, "pose", "speech", "emotion", "delivery") is not None or (
        page.at(at, "joiner") is not None
        and page.at(at, "joiner").id in ("and", "named")  # type: ignore[union-attr]
        and any(page.at(ahead, "cast", "name", "person") for ahead in _behind_article(page, at + 1))
    )


def _behind_article(page: Page, at: int) -> range:
    """`Leo and an old fisherman`: where whom a word joins may stand, behind an article and an adjective."""
    return range(at, at + (3 if page.key(at) in word_list("person_articles") else 1))


def _with_stranger(page: Page, at: int, vocabulary: Vocabulary) -> bool:
    """`Kwame and Aiko build a snowman`: another name that nobody knows follows."""
    other = page.tokens[at + 2] if page.key(at + 1) in word_list("and_words") and at + 2 < len(page.tokens) else None
    strange = other is not None and other.is_word and not vocabulary.is_known(other.key)
    return bool(strange and other and other.text[0].isupper() and page.language != "de")


def _is_described(page: Page, at: int) -> bool:
    """`Max, a tall man with a red coat`: an apposition follows, which tells who that is."""
    if page.key(at) in word_list("person_the") and page.at(at + 1, "person"):
        return True  # `Pip the mouse`
    if page.key(at) not in (",", "("):
        return False
    if page.key(at + 1) not in word_list("apposition_articles"):  # `Marina, Giulia's aunt, waves`
        return (
            page.key(at + 2) == "'s" and page.at(at + 1, "cast", "name") is not None and bool(page.at(at + 3, "person"))
        )
    return any(page.at(ahead, "person") for ahead in range(at + 2, at + 6) if not page.breaks_between(at, ahead))


def _joins_name(page: Page, at: int) -> bool:
    """Whether `and` joins the word to a name of the cast: `zorblax and luca`, `luca and zorblax in the forest`."""
    after = page.at(at + 1, "joiner")
    if (
        after
        and after.id == "and"
        and page.at(after.end, "cast", "spelling")
        and page.key(at - 1) not in word_list("person_articles")
    ):
        return page.at(at - 1, "joiner") is not None or page.starts_sentence(at)
    before = page.at(at - 1, "joiner")
    if before and before.id == "and" and page.key(at - 1) in word_list("and_words"):
        ends = at + 1 >= len(page.tokens) or page.tokens[at + 1].is_mark or page.at(at + 1, "joiner", "pose", "speech")
        return bool(ends and page.at(before.start - 1, "cast", "spelling"))
    return before is not None and before.id == "named"


def _phrases(page: Page, places: frozenset[int]) -> list[Mention]:
    """Noun phrases: `an old fisherman with a white beard`, `two small robots`."""
    found: list[Mention] = []
    for match in page.of("person", "group"):
        if match.start in places or (found and match.start < found[-1].end):
            continue
        plural = match.subject == "group"
        if not plural and (several := page.at(match.start, "group")) and _phrase_start(page, several)[1] > 1:
            continue  # `zwei Mädchen`
        if page.at(match.start, "trait") and page.at(match.end, "person", "group"):
            continue  # `un vecchio pescatore`: an adjective here.
        trade = page.at(match.end, "person") if match.subject == "person" else None  # `a mouse chef` is one.
        start, count, definite, number = _phrase_start(page, match)
        kind = page.at(match.end, "thing")
        if start == match.start and kind is not None and kind.id in ("story", "scene"):
            continue  # `they tell ghost stories`
        if plural and start == match.start and page.at(match.start - 1, "cast", "name", "pronoun", "person"):
            continue  # `Giulia cooks pasta`
        if plural and match.entry.weak and not (number or definite):
            continue
        if page.key(match.end) == "'s" and page.at(match.end + 1, "place", "elsewhere"):
            continue
        before = [m for m in page.matches if start <= m.start < match.start and m.subject in _SOLE_ADJECTIVES]
        creature = "species" in match.entry.look
        noun_end = trade.end if trade else match.end
        after = read_features(page, noun_end)
        inner = [m for m in page.matches if match.start <= m.start < match.end and m.subject in _SOLE_ADJECTIVES]
        inner = [m for m in inner if (m.start, m.end) != (match.start, match.end)]  # `ein Junge` is no `junger`.
        behind = _adjectives_behind(page, noun_end)
        look = {
            **(trade.entry.look if trade else {}),
            **match.entry.look,
            **read_look([*before, *inner, *behind], page, creature),
            **after.look,
        }
        extra = [
            *_list(trade.entry.look.get("accessories") if trade else None),
            *_list(match.entry.look.get("accessories")),
            *_list(look.get("accessories")),
        ]
        if extra:
            look["accessories"] = list(dict.fromkeys(extra))[:6]
        end = max(noun_end, after.end, *(m.end for m in behind), 0)
        first = min([m.start for m in before if match.start - m.start <= 3] or [match.start])
        words = _text(page, first, max([noun_end, *(m.end for m in behind)]))
        found.append(Mention(start, end, (), "group" if plural else "phrase", match.id, count, definite, look, words))
    return found


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _adjectives_behind(page: Page, at: int) -> list[Match]:
    """Adjectives right behind the noun, as in Italian: `un gatto nero`, `una signora anziana`."""
    behind: list[Match] = []
    while page.language in ("it", "es", "fr") and (match := page.at(at, *_SOLE_ADJECTIVES)) and match.start == at:
        behind += [m for m in page.matches if m.start == at and m.subject in _SOLE_ADJECTIVES]
        at = match.end
    return behind


def _phrase_start(page: Page, match: Match) -> tuple[int, int, bool, bool]:
    """Walk back over adjectives, numbers and the article: (first token, how many, definite, number said)."""
    at, count, number = match.start, 0 if match.subject == "group" else 1, False
    while at > 0:
        before = at - 1
        value = page.at(before, "number")
        if page.tokens[before].is_number and page.tokens[before].text.isdigit():
            count, number, at = min(int(page.tokens[before].text), 99), True, before
        elif value and value.entry.value and value.entry.value >= 1:
            if match.subject == "group" or value.entry.value == 1:
                count, number, at = int(value.entry.value), True, value.start
            else:
                break
        elif page.at(before, *_ADJECTIVES):
            at = page.at(before, *_ADJECTIVES).start  # type: ignore[union-attr]
        elif (
            page.key(before) in word_list("person_articles")
            and page.key(before) not in word_list("person_the")
            # French and Spanish `a` leads to a person and is no article.
            and not (page.key(before) == "a" and page.language in ("fr", "es", "it"))
        ):
            at = before
        else:
            break
    definite = page.key(at - 1) in word_list("person_the")
    return (at - 1 if definite else at), count, definite, number


def _pronouns(page: Page) -> list[Mention]:
    return [
        Mention(
            m.start,
            m.end,
            kind="pronoun",
            noun=m.id,
            count=0 if m.id == "they" else 1,
            words=_text(page, m.start, m.end),
        )
        for m in page.of("pronoun")
    ]


def _drop_hidden(page: Page, mentions: list[Mention]) -> None:
    """Take matches off the page that are part of a name or a phrase: Luna is no moon, an old man's age no time."""
    keep = ("cast", "spelling", "name", "person", "group", "number", "pronoun")
    named = {at for m in mentions if m.kind in ("name", "near", "voice") for at in range(m.start, m.end)}
    inside = {at for m in mentions for at in range(m.start, m.end)}
    page.keep(
        [
            m
            for m in page.matches
            if m.subject in keep or m.start not in inside or (m.subject == "emotion" and m.start not in named)
        ]
    )


def _text(page: Page, start: int, end: int) -> str:
    """The words of tokens `start` to `end` as written."""
    if start >= end:
        return ""
    return page.text[page.tokens[start].start : page.tokens[end - 1].end]
