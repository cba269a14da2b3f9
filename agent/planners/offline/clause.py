"""One clause of a follow-up: its tokens, its words of change, and the shots it speaks of."""

from __future__ import annotations

from agent.planners.offline.edit_who import Present
from agent.planners.offline.lexicon import Match
from agent.planners.offline.reading import Reading
from agent.planners.offline.wordlists import words

__all__ = ["Clause"]


class Clause:
    """Tokens `start` to `end` of a follow-up with the words of change in them."""

    def __init__(
        self, reading: Reading, start: int, end: int, verbs: list[Match], previous: Clause | None, present: Present
    ) -> None:
        self.reading, self.start, self.end, self.verbs = reading, start, end, verbs
        self.page = reading.page
        self.mentions = [m for m in reading.mentions if start <= m.start < end]
        self.quotes = [q for q in self.page.quotes if start <= q.token < end]
        self.previous = previous
        self.present = present
        self.asked = False
        """Whether the clause was understood so far that a question was put to the user."""
        self.disliked: str | None = None
        """A line that the clause only quotes (`I don't like the line "..."`); the next clause may replace it."""
        self.shots = list(dict.fromkeys(number for number, _ in self.shots_named(start, end)))
        """Every shot that it speaks of, or goes on speaking of; `shot` is the first."""
        if not self.shots and previous is not None and not self.has("thing"):
            adds = self.mentions and any(m.id == "add" and m.start == start for m in verbs)
            self.shots = [] if adds else previous.shots
        self.shot = self.shots[0] if self.shots else None

    def has(self, *subjects: str) -> bool:
        """Whether something of these subjects stands in the clause."""
        return bool(self.page.of(*subjects, start=self.start, end=self.end))

    def verb(self, *ids: str) -> Match | None:
        """The first word of change of these kinds; `with` adds only where nothing else is said."""
        strict = [m for m in self.verbs if m.id in ids and self.page.key(m.start) not in words("with_words")]
        return strict[0] if strict else None

    def thing(self, *ids: str) -> Match | None:
        """The first noun of the studio of these kinds."""
        return next((m for m in self.page.of("thing", start=self.start, end=self.end) if m.id in ids), None)

    @property
    def is_filler(self) -> bool:
        """Only politeness: `please`, `thanks`."""
        if self.disliked is not None:
            return True
        said = [t for t in self.page.tokens[self.start : self.end] if t.is_word]
        talk = self.reading.vocabulary.find(
            self.page.tokens[self.start : self.end], self.page.language, frozenset({"smalltalk", "request"})
        )
        return all(t.key in words("filler") for t in said) or sum(m.end - m.start for m in talk) >= len(said)

    def shots_named(self, start: int, end: int) -> list[tuple[int, int]]:
        """(number, token) of every shot spoken of between two tokens: `the second shot`, `l'ultima inquadratura`,
        and those named by what they show."""
        page, shown = self.page, self.reading.shots_shown
        found = [(number, at) for at in sorted(shown) if start <= at < end for number in shown[at]]
        for thing in page.of("thing", start=start, end=end):
            if thing.id not in ("shot", "scene") or thing.start in shown:
                continue
            before, behind = page.at(thing.start - 1, "ordinal"), page.at(thing.end, "ordinal")
            number = page.at(thing.end, "number")
            if before and before.entry.value:
                found += [(n, thing.start) for n in self._ordinals_before(thing.start, start)]
            elif thing.end < len(page.tokens) and page.tokens[thing.end].text.isdigit():
                found.append((min(int(page.tokens[thing.end].text), 99), thing.start))
            elif behind and behind.entry.value and thing.id == "shot":
                found.append((int(behind.entry.value), thing.start))
            elif number and number.entry.value and number.entry.value >= 1:
                found.append((int(number.entry.value), thing.start))
            if found and found[-1][1] == thing.start:
                found += [(n, thing.start) for n in self._numbers_after(thing.end, end)]
        for ordinal in page.of("ordinal", start=start, end=end):
            if not found and page.key(ordinal.end) in words("the_one") and ordinal.entry.value:
                found.append((int(ordinal.entry.value), ordinal.start))
        return found

    def _ordinals_before(self, at: int, start: int) -> list[int]:
        """`the first and the last shot`: every ordinal before the noun, in order."""
        numbers: list[int] = []
        while at > start:
            ordinal = self.page.at(at - 1, "ordinal")
            if ordinal and ordinal.entry.value:
                numbers.insert(0, int(ordinal.entry.value))
                at = ordinal.start
            elif numbers and self.page.key(at - 1) in words("ordinal_joiners"):
                at -= 1
            else:
                break
        return numbers

    def _numbers_after(self, at: int, end: int) -> list[int]:
        """`shots 1, 2 and 3`: the numbers behind the first."""
        numbers: list[int] = []
        at += 1
        while at + 1 < end and self.page.key(at) in words("number_joiners"):
            if not self.page.tokens[at + 1].text.isdigit():
                break
            numbers.append(min(int(self.page.tokens[at + 1].text), 99))
            at += 2
        return numbers
