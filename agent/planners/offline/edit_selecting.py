"""Shots that a follow-up names by what they show: `the kitchen shot`, `the close-up`, `la scena al molo`.

What such a name describes is there already, so it is taken off the page: `remove the kitchen shot` sets nothing in the
kitchen, and `make the shot with Giulia rainy` asks nothing of Giulia.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.planners.offline.cast import Mention
from agent.planners.offline.lexicon import Match
from agent.planners.offline.reading import Reading
from agent.planners.offline.wordlists import starts_with, words
from tools.storyboard import Shot

__all__ = ["select_shots"]

_SHOWN = ("place", "time", "weather", "framing", "pose")
_CONTENT = (*_SHOWN, "camera", "mood", "emotion", "style", "aspect", "unit", "output", "number", "facing", "speech")
_NOUNS = ("shot", "scene")
_CHANGING = ("add", "remove", "longer", "shorter", "slower", "faster", "swap")
_LENGTH_OR_LESS = ("remove", "longer", "shorter", "slower", "faster")
"""Changes that bring nothing new: what they name is there, or is missed."""
MOST_DESCRIBING = 6
"""So many tokens before a noun are looked at for what describes it."""


class _Selection:
    """Shots of the present storyboard that words describe, and the tokens that do."""

    def __init__(self, reading: Reading, verbs: list[Match]) -> None:
        self.reading, self.page, self.verbs = reading, reading.page, verbs
        board = reading.request.storyboard
        self.shots: list[Shot] = list(board.shots) if board else []
        self.nouns = [m for m in self.page.of("thing") if m.id in _NOUNS]
        self.found: dict[int, tuple[int, ...]] = {}
        self.taken: set[int] = set()

    def read(self) -> None:
        numbered = any(self.page.at(at, "ordinal", "number") for m in self.nouns for at in (m.start - 1, m.end))
        for noun in self.nouns:
            if not self._described_before(noun):
                self._described_behind(noun)
        if not numbered:
            for framing in self.page.of("framing"):
                self._framing(framing)
        self._opening()

    def _described_before(self, noun: Match) -> bool:
        """`the rainy night shots`, `the first kitchen shot`, `both close-up shots`."""
        page, start = self.page, noun.start
        described: list[Match | Mention] = []
        while start > 0 and noun.start - start < MOST_DESCRIBING:
            match = page.at(start - 1, *_SHOWN) or self._mention_before(start)
            if match is None:
                break
            described.append(match)
            start = match.start
        ordinal = page.at(start - 1, "ordinal") if described else None
        if ordinal is not None:
            start = ordinal.start
        within = page.key(start) in words("of_a_shot") and _is_definite(page.key(start + 1))  # `in the kitchen` is one.
        if not described or not (within or _is_definite(page.key(start - 1))):
            return False
        if self._take(noun.start, described, ordinal):
            return True
        if any(m.id in _LENGTH_OR_LESS for m in self.verbs) and not any(isinstance(m, Mention) for m in described):
            self.found[noun.start] = ()
            self.reading.notes.ask("no_shot_like", words=page.words(start, noun.end).strip(" ,.;!"))
            return True
        return False

    def _mention_before(self, start: int) -> Mention | None:
        """`Giulia's` before `shot`."""
        return next((m for m in self.reading.mentions if m.end == start - 1 and self.page.key(m.end) == "'s"), None)

    def _described_behind(self, noun: Match) -> bool:
        """`the scene at the beach`, `la scena del molo`, `the shot with Giulia`."""
        page = self.page
        if not _is_definite(page.key(noun.start - 1)) or self._is_staged(noun.start - 1):
            return False
        at = noun.end
        while at < noun.end + 3 and (page.key(at) in words("of_a_shot") or page.key(at) in words("articles_the")):
            at += 1
        mention = next((m for m in self.reading.mentions if m.start == at and m.kind != "pronoun"), None)
        match = mention if mention and at > noun.end else page.at(at, "place", "time", "weather")
        if match is None or match.start > at or page.key(match.end) == "'s":
            return False
        spoken = page.at(match.end, "speech", "pose") if mention else None
        return spoken is None and self._says_more(noun.start, match.end) and self._take(noun.start, [match], None)

    def _framing(self, framing: Match) -> None:
        """`the close-up` without another noun; `the close-up of Luca`."""
        page = self.page
        if framing.start in self.taken or any(
            n.start >= framing.end and n.start <= framing.end + 1 for n in self.nouns
        ):
            return
        if not _is_definite(page.key(framing.start - 1)):
            return
        described: list[Match | Mention] = [framing]
        if page.key(framing.end) in words("of_a_shot"):
            described += [m for m in self.reading.mentions if m.start == framing.end + 1 and m.kind != "pronoun"]
        if self._says_more(framing.start, described[-1].end):
            self._take(framing.start, described, None)

    def _opening(self) -> None:
        """`in the kitchen Luca should be sad`, where others of the shots are elsewhere."""
        page = self.page
        for place in page.of("place"):
            at = place.start
            while at > 0 and (page.key(at - 1) in words("of_a_shot") or page.key(at - 1) in words("articles_the")):
                at -= 1
            opens = page.starts_sentence(at) or page.key(at - 1) in words("before_change")
            led = at < place.start or page.key(place.start) in words("of_a_shot")
            if not led or not opens or place.start in self.taken:
                continue
            behind = page.key(place.end) == "," or any(m.start == place.end for m in self.reading.mentions)
            if behind and len({shot.location for shot in self.shots}) > 1 and self._says_more(at, place.end):
                self._take(place.start, [place], None)

    # -- what is meant ------------------------------------------------------------------------------------------------

    def _take(self, at: int, described: Iterable[Match | Mention], ordinal: Match | None) -> bool:
        """Keep the shots that all of `described` holds for; False when there are none."""
        described = list(described)
        fitting = [n for n, shot in enumerate(self.shots, 1) if all(_shows(shot, what) for what in described)]
        if ordinal is not None and ordinal.entry.value:
            which = int(ordinal.entry.value)
            position = which - 1 if which > 0 else len(fitting) + which
            fitting = fitting[position : position + 1] if 0 <= position < len(fitting) else []
        if not fitting:
            return False
        self.found[at] = tuple(fitting)
        parts = [*described, *([ordinal] if ordinal else [])]
        self.taken |= {token for what in parts for token in range(what.start, what.end)}
        return True

    def _is_staged(self, at: int) -> bool:
        """Whether a verb before the article says where the scene is to be: `set the scene in the kitchen`."""
        key = self.page.key(at - 1)
        changed = any(m.end == at and m.id in ("change", "move", "add", "fresh", "rename") for m in self.verbs)
        return changed or key in words("staging_verbs")

    def _says_more(self, start: int, end: int) -> bool:
        """Whether something is asked for besides: `make the scene at the beach` names no shot, but a place."""
        changing = [m for m in self.verbs if m.id in _CHANGING]
        asked = [(m.start, m.end) for m in [*self.page.of(*_CONTENT), *changing]]
        asked += [(m.start, m.end) for m in self.reading.mentions]
        return bool(self.page.quotes) or any(last <= start or first >= end for first, last in asked)


def select_shots(reading: Reading, verbs: list[Match]) -> dict[int, tuple[int, ...]]:
    """Token -> numbers of the shots that are described there; what describes them is taken off the page.

    No numbers stand where a shot is to go or to be longer that is not there; that is told.
    """
    chosen = _Selection(reading, verbs)
    if len(chosen.shots) < 2:
        return {}
    chosen.read()
    if chosen.taken:
        reading.page.keep([m for m in reading.page.matches if not _within(m, chosen.taken)])
        reading.mentions = [m for m in reading.mentions if not _within(m, chosen.taken)]
    return chosen.found


def _within(match: Match | Mention, tokens: set[int]) -> bool:
    return match.start in tokens and match.end - 1 in tokens


def _is_definite(key: str) -> bool:
    return key in words("articles_the") or key in words("these") or bool(starts_with([key], "each_shot"))


def _shows(shot: Shot, what: Match | Mention) -> bool:
    """Whether a shot is as a word says."""
    if isinstance(what, Mention):
        return all(any(p.character == who for p in shot.placements) for who in what.ids)
    if what.subject == "place":
        return shot.location in (what.id, what.entry.instead)
    if what.subject == "pose":
        return any(p.pose == what.id for p in shot.placements)
    here = {"time": shot.time_of_day, "weather": shot.weather, "framing": shot.framing}
    return here[what.subject] == what.id
