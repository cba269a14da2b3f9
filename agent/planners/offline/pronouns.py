"""Whom pronouns stand for: `he` is the nearest one before whom it fits, `they` all before."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planners.base import PlanRequest
from agent.planners.offline.cast import Mention, Roster
from agent.planners.offline.looks import read_features
from agent.planners.offline.page import Page
from agent.planners.offline.say import Notes
from agent.planners.offline.text import clean, tokenise
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import words as word_list

__all__ = ["find_clitics", "settle_pronouns", "spoken_of"]

REMEMBERED = 4
"""Messages of the conversation in which one who is meant by a pronoun may have been named."""


class _Pronouns:
    def __init__(
        self, page: Page, speakers: Sequence[str], vocabulary: Vocabulary, roster: Roster, notes: Notes
    ) -> None:
        self.page, self.speakers, self.vocabulary, self.roster, self.notes = page, speakers, vocabulary, roster, notes

    def settle(self, mentions: Sequence[Mention]) -> None:
        """Last, pronouns: `he` is the nearest one before whom it fits, `they` all before."""
        for number, mention in enumerate(mentions):
            if mention.kind != "pronoun":
                continue
            before = [m for m in mentions[:number] if m.ids and not m.refused and m.kind != "voice"]
            if mention.noun == "they":
                before = [m for m in before if m.kind != "owner"]
            if mention.noun == "they" and not before and not self.roster.present:
                # `They all sing: Luca and Alberto`: named behind it.
                before = [m for m in mentions[number + 1 :] if m.ids and not m.refused and m.kind in ("name", "near")]
                before = [m for m in before if not self.page.breaks_between(mention.end, m.start)]
            if self.page.key(mention.start) in word_list("him_clitics") and mention.end - mention.start == 1:
                subject = before[-1:] if before and not self.page.breaks_between(before[-1].end, mention.start) else []
                before = [m for m in before if not subject or set(m.ids).isdisjoint(subject[0].ids)]
                if not before:
                    continue
            mention.ids = self._stands_for(mention, before)
            if mention.noun == "they" and not mention.ids:  # `Luca: "..." Giulia: "..." They run.`
                mention.ids = tuple(self.roster.known(i) for i in self.speakers)
            features = read_features(self.page, mention.end)
            if len(mention.ids) == 1 and features.look and mention.ids[0] not in self.vocabulary.cast:
                who = "che" if self.page.language == "it" else "who"
                words = f"{who} {self.page.words(mention.end, features.end).strip(' ,')}"
                if mention.ids[0] in self.roster.members:  # `She has curly hair and glasses`
                    self.roster.enrich(mention.ids[0], features.look, words)
            impersonal = self.page.language == "fr"  # `qu'il fasse nuit`
            if not mention.ids and mention.noun in ("he", "she") and self._stands_alone() and not impersonal:
                self.notes.ask("pronoun_lost", word=mention.words)

    def _stands_alone(self) -> bool:
        return not self.page.quotes or not self.roster.members

    def _stands_for(self, mention: Mention, before: list[Mention]) -> tuple[str, ...]:
        people = list(dict.fromkeys(i for m in reversed(before) for i in m.ids)) or list(reversed(self.roster.present))
        people += [i for i in reversed(self.roster.present) if i not in people]
        if mention.noun == "they":
            many = next((m.ids for m in reversed(before) if len(m.ids) > 1 and m.kind != "pronoun"), None)
            chosen = tuple(dict.fromkeys(i for m in before for i in m.ids)) or many or tuple(self.roster.present)
        elif mention.noun == "it":  # An animal or a robot of this message; `make it night` means nobody.
            named = list(dict.fromkeys(i for m in reversed(before) for i in m.ids))
            chosen = tuple([i for i in named if self.roster.is_creature(i)][-1:])
        else:
            gender = "boy" if mention.noun == "he" else "girl"
            exact = [i for i in people if self.roster.gender(i) == gender]
            loose = [i for i in people if self.roster.gender(i) == "neutral"]
            chosen = tuple((exact or loose)[:1])
        return tuple(self.roster.take(i) for i in chosen)


def settle_pronouns(
    page: Page,
    mentions: Sequence[Mention],
    speakers: Sequence[str],
    vocabulary: Vocabulary,
    roster: Roster,
    notes: Notes,
) -> None:
    """Give every pronoun its ids, when all others have theirs.

    Args:
        speakers: ids of those who speak in a script on the page, whom `they` may mean when nobody is named.
    """
    _Pronouns(page, speakers, vocabulary, roster, notes).settle(mentions)


def spoken_of(request: PlanRequest, vocabulary: Vocabulary) -> list[str]:
    """Ids of the cast that the person named in the last messages, the latest last."""
    found: list[str] = []
    for role, said in request.history[-REMEMBERED:]:
        if role in ("user", "human"):
            matches = vocabulary.find(tokenise(clean(said[:2000])), "en", frozenset({"cast"}))
            found += [match.id for match in matches if match.id in vocabulary.cast]
    return list(dict.fromkeys(reversed(found)))[::-1]


def find_clitics(page: Page, mentions: Sequence[Mention]) -> list[Mention]:
    """Italian `gli` and `lo` before a verb (`la mamma gli dà il latte`): one more who is there, and only done to."""
    if page.language != "it":
        return []
    taken = {at for m in mentions for at in range(m.start, m.end)}
    return [
        Mention(at, at + 1, kind="pronoun", noun="he", words=token.text)
        for at, token in enumerate(page.tokens)
        if at not in taken
        and token.key in word_list("him_clitics")
        and (page.at(at + 1, "pose", "speech") is not None or page.key(at + 1) in word_list("deeds"))
    ]
