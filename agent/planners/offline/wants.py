"""Which things are to be made: asked for, refused, or the only ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agent.intent import OutputKind
from agent.planners.offline.lexicon import Match
from agent.planners.offline.page import Page
from agent.planners.offline.wordlists import starts_with, words

__all__ = ["ORDER", "Wants", "full_scene", "read_wants"]

ORDER: tuple[OutputKind, ...] = (
    "script", "image", "voice", "music", "subtitles", "video", "transcript", "analysis", "text",
)  # fmt: skip
ORDER_OF_WISHES: tuple[Literal["refused", "only", "head", "added"], ...] = ("refused", "only", "head", "added")
_MAKING = frozenset(("make", "draw", "polite"))


@dataclass
class Wants:
    """Outputs by how they were spoken of.

    Attributes:
        head: what the request asks to make (`an image of ...`).
        added: what is to be there too (`with subtitles`).
        refused: what is not to be made.
        only: named with `only`, `just`: nothing else is made.
        silent: no voices (`a silent film`).
        burn: subtitles are to be drawn into the picture.
    """

    head: set[OutputKind] = field(default_factory=set)
    added: set[OutputKind] = field(default_factory=set)
    refused: set[OutputKind] = field(default_factory=set)
    only: set[OutputKind] = field(default_factory=set)
    silent: bool = False
    burn: bool = False

    @property
    def said(self) -> bool:
        """Whether outputs were spoken of at all."""
        return bool(self.head or self.added or self.refused or self.only)

    def result(self, base: list[OutputKind]) -> list[OutputKind]:
        """What to make, in the order of making, when `base` is what is made unasked."""
        chosen: set[OutputKind]
        if self.only:
            chosen = set(self.only) | (self.added - self.refused if "video" not in self.only else set())
        elif self.head and "video" not in self.head:
            chosen = self.head | self.added
        else:
            chosen = set(base) | self.added | self.head
        chosen -= self.refused - self.only
        return [kind for kind in ORDER if kind in chosen]


def full_scene(spoken: bool) -> list[OutputKind]:
    """What a scene is made of; voice and subtitles only where something is said."""
    return ["image", "voice", "music", "subtitles", "video"] if spoken else ["image", "music", "video"]


def read_wants(page: Page, people_at: list[int]) -> Wants:
    """Sort the outputs a message speaks of. `people_at`: tokens where people are named."""
    wants = Wants()
    wants.silent = any(m.id in ("silent", "soundless") for m in page.of("negation"))
    if wants.silent:
        wants.refused.add("voice")
    if any(m.id == "soundless" for m in page.of("negation")):
        wants.refused.add("music")
    matches = page.of("output")
    if any(page.key(at) in words("soundless_formats") for m in matches for at in range(m.start, m.end)):
        wants.refused |= {"voice", "music"}
    for number, match in enumerate(matches):
        kind: OutputKind = match.id  # type: ignore[assignment]
        how = _how(page, match, matches[number - 1] if number else None, people_at, wants)
        if how == "refused":
            wants.refused.add(kind)
        elif how == "only":
            wants.only.add(kind)
        elif how == "added":
            wants.added.add(kind)
        elif how == "head":
            wants.head.add(kind)
    if wants.silent and wants.only == {"music"}:  # `no dialogue, only music` is still a film.
        wants.only.clear()
    drawn = [m for m in page.of("request") if m.id == "draw"]
    if (
        drawn
        and not wants.head
        and not any(m.id in ("scene", "story") for m in page.of("thing"))
        and drawn[0].start < 6
        and not any(at < drawn[0].start for at in people_at)  # `Giulia disegna un cuore`
    ):
        wants.head.add("image")
    wants.burn = _burns(page)
    if wants.burn:
        wants.added.add("subtitles")
    return wants


def _burns(page: Page) -> bool:
    for match in page.of("request"):
        if match.id == "burn":
            near = page.of("output", start=max(0, match.start - 6), end=match.end + 6)
            inside = any(page.key(at) in words("subtitle_words") for at in range(match.start, match.end))
            if inside or any(m.id == "subtitles" for m in near):
                return True
    return False


def _how(page: Page, match: Match, before: Match | None, people_at: list[int], wants: Wants) -> str:
    """`refused`, `only`, `added`, `head`, or nothing when the word is only part of the story."""
    negation = _negation(page, match)
    if negation in ("none", "not"):
        return "refused"
    if negation == "only":
        return "only"
    if before and _listed(page, before, match):  # `no music and voices`, `only voice and music`
        for kinds in ORDER_OF_WISHES:
            if before.id in getattr(wants, kinds):
                return kinds
    behind = [page.key(at) for at in range(match.end, match.end + 4)]
    if behind[0] in words("refused_behind"):
        return "refused"
    if behind[0] in words("only_behind") or starts_with(behind, "and_nothing"):
        return "only"
    if match.id == "voice" and behind[0] in words("voice_height"):
        return ""
    key = page.key(match.start - 1)
    if key in words("qualifying"):
        key = page.key(match.start - 2)
    if key in words("belonging") and before:
        return ""  # `a poster for the movie`
    if match.id in ("image", "video") and _stands_apart(page, match):
        return "head"
    at_head = _is_head(page, match, people_at)
    if key in words("adding") and not (at_head and not _has_subject_before(page, match, people_at)):
        return "added"
    if at_head:
        return "added" if _is_behind_story(page, match, people_at) else "head"
    if match.id in ("music", "subtitles") and not _done_by_people(page, match):
        return "added"
    return ""


def _is_behind_story(page: Page, match: Match, people_at: list[int]) -> bool:
    """`Giulia sits on her bed. Soft music.`: music and subtitles named behind a story go with it."""
    return match.id in ("music", "subtitles") and any(
        at < match.start and page.breaks_between(at, match.start) for at in people_at
    )


def _negation(page: Page, match: Match) -> str:
    """Id of the negation that governs an output: `no`, `without any`, `only the`."""
    for back in range(1, 5):
        at = match.start - back
        if at < 0:
            break
        negation = page.at(at, "negation")
        if negation:
            return negation.id if negation.id in ("none", "not", "only") else ""
        if page.tokens[at].is_mark and page.key(at) != "-":
            break
        if page.at(at, "request") and page.at(at, "request").id != "burn":  # type: ignore[union-attr]
            continue
        if page.at(at, "cast", "person", "place", "pose", "output", "name", "joiner", "time"):
            break
    return ""


def _listed(page: Page, before: Match, match: Match) -> bool:
    between = [page.key(at) for at in range(before.end, match.start)]
    return len(between) <= 3 and all(key in words("listing_outputs") for key in between)


def _is_head(page: Page, match: Match, people_at: list[int]) -> bool:
    """Whether the request asks to make this: near its verb, or first of all, or `picture of ...`."""
    start = match.start
    while start > 0 and not page.starts_sentence(start):
        start -= 1
    subject = any(start <= at < match.start for at in people_at)
    if not subject and match.start - start <= 8 and not page.of("pose", start=start, end=match.start):
        asked = any(m.id in _MAKING or m.id == "burn" for m in page.of("request", start=start, end=match.start))
        if asked or match.start - start <= 4 or page.key(match.end) in words("head_of"):
            return True
    verb = [m for m in page.of("request", start=max(0, match.start - 4), end=match.start) if m.id in ("make", "draw")]
    return bool(verb) and not subject


def _stands_apart(page: Page, match: Match) -> bool:
    """`..., film noir style, still picture`: between marks, with nothing that it could belong to."""
    before, behind = match.start - 1, match.end
    while page.key(before) in words("qualifying") or (before > 0 and page.at(before, "aspect", "style")):
        before -= 1
    if not match.start or before < 0 or (behind < len(page.tokens) and not page.tokens[behind].is_mark):
        return False
    return page.key(before) in (",", ".", ";", "-", "–") and page.key(behind) not in (":", "(")


def _has_subject_before(page: Page, match: Match, people_at: list[int]) -> bool:
    return any(at < match.start for at in people_at) or bool(page.of("place", "thing", "output", end=match.start))


def _done_by_people(page: Page, match: Match) -> bool:
    """`Luca listens to music`, `dancing to the music` is part of the story."""
    before = [page.key(match.start - back) for back in (1, 2, 3)]
    return any(key in words("hearing") for key in before)
