"""What a plan by a model may hold: checked from outside, after the fact, by where each part of it comes from.

Models that write storyboards have read passages that others wrote, and a model that obeys them would put in whom or
what those dictate. So every part of a plan is held against three texts: the user's own words, what the studio itself
would write (the floor, by rules), and the foreign texts. What stands in a foreign text and in neither of the others is
taken out: characters by name, words by runs of words. Some parts never come from a model at all: control images,
outputs, files, how many versions, whether the web is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.intent import Intent
from agent.planners.base import Composition, PlanRequest
from agent.strategies.policy import Policy
from agent.turns import Turn
from tools.storyboard import Shot, Storyboard

__all__ = ["Origins", "bound_board", "bound_intent", "origins_of"]

RUN = 5
"""Words in a row that are no accident; a shorter text counts as a whole."""
_WORD = re.compile(r"[^\W_]+")
_STRANGE = re.compile(r"\d|^[A-Z]{4,}$")
_SURE = 0.8
_TAKES_AWAY = ("undo", "redo", "set_outputs", "remove_shot", "remove_character", "remove_line")
_ASKED_FOR = ("transcript", "analysis")


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _line(texts: Iterable[str]) -> str:
    """Texts as one line of words, so that runs can be looked for."""
    return " | ".join(f" {' '.join(_words(text))} " for text in texts)


@dataclass(frozen=True)
class Origins:
    """Where words may come from.

    Attributes:
        own: the user's words, what rules would write, and the present storyboard, as lines of words.
        foreign: what others wrote.
        quotes: the user asked that foreign texts be quoted.
    """

    own: str
    foreign: str
    quotes: bool = False
    strange: frozenset[str] = field(default=frozenset())

    def dictated(self, text: str) -> bool:
        """Whether a text, or a run of it, stands in a foreign text and nowhere of our own."""
        if not self.foreign.strip(" |") or self.quotes or not text.strip():
            return False
        words = _words(text)
        if any(word in self.strange for word in words):
            return True
        size = min(RUN, len(words))
        runs = (" " + " ".join(words[at : at + size]) + " " for at in range(len(words) - size + 1))
        return size > 1 and any(run in self.foreign and run not in self.own for run in runs)

    def named(self, name: str) -> bool:
        """Whether a name comes from a foreign text alone."""
        if self.quotes:
            return False
        words = [word for word in _words(name.replace("_", " ")) if len(word) > 2]
        return any(f" {word} " in self.foreign and f" {word} " not in self.own for word in words)


def origins_of(
    policy: Policy, request: PlanRequest, foreign: Sequence[str], floor: Storyboard | None = None
) -> Origins:
    """The texts of one turn by who wrote them.

    Args:
        policy: of the turn, with the user's message.
        request: with what the user said before; what the agent answered may hold foreign words.
        foreign: passages that others wrote.
        floor: what the rules would write.
    """
    said = [text for role, text in request.history if role == "human"]
    told = [text for role, text in request.history if role != "human"]
    boards = [board for board in (floor, request.storyboard) if board is not None]
    own = _line([policy.text, *said, *(text for board in boards for text in _texts(board))])
    theirs = _line([*foreign, *told])
    odd = {word.casefold() for text in [*foreign, *told] for word in _WORD.findall(text) if _STRANGE.search(word)}
    strange = frozenset(word for word in odd if len(word) > 3 and f" {word} " not in own)
    return Origins(own, theirs, policy.quotes, strange)


def _texts(board: Storyboard) -> Iterable[str]:
    yield board.title
    for member in board.cast:
        yield f"{member.id.replace('_', ' ')} {member.name}"
    for shot in board.shots:
        yield from (shot.action, shot.text_overlay, *(line.text for line in shot.dialogue))


def bound_board(
    written: Composition, floor: Composition, origins: Origins, turn: Turn, before: Storyboard | None = None
) -> Composition:
    """The storyboard without what foreign texts dictated, and without control images that nobody gave.

    Args:
        written: by a planner that may have asked a model.
        floor: by rules.
        origins: who wrote what.
        turn: hears what was taken out.
        before: the storyboard that was changed, if it was a change.
    """
    board = written.storyboard
    if board == floor.storyboard:
        return written
    taken: list[str] = []
    out = {one.id for one in board.cast if origins.named(one.name) or origins.named(one.id)}
    taken += [f"the character {name}, whom the user did not name" for name in sorted(out)]
    given = {shot.id: [one.model_dump() for one in shot.control] for shot in (before or floor.storyboard).shots}
    shots = [
        _bound_shot(shot, number, floor.storyboard, origins, out, given.get(shot.id, []), taken)
        for number, shot in enumerate(board.shots)
    ]
    cast = [one.model_dump() for one in board.cast if one.id not in out]
    for member in cast:
        if member["look"] and origins.dictated(member["look"]["description"]):
            member["look"]["description"] = ""
            taken.append(f"the description of {member['id']}")
    title = floor.storyboard.title if origins.dictated(board.title) else board.title
    style = floor.storyboard.style if origins.dictated(board.style) else board.style
    taken += ["the title"] * (title != board.title) + ["the style"] * (style != board.style)
    if not taken:
        return written
    for one in taken:
        turn.think("note", f"left out: {one}; it stands only in a text of others", source="policy", label="storyboard")
    data = {**board.model_dump(), "title": title, "style": style, "cast": cast, "shots": shots}
    problems = [one for one in written.problems if not origins.dictated(one)]
    assumptions = [one for one in written.assumptions if not origins.dictated(one)]
    return replace(written, storyboard=Storyboard.model_validate(data), assumptions=assumptions, problems=problems)


def _bound_shot(
    shot: Shot, number: int, floor: Storyboard, origins: Origins, out: set[str], control: list[Any], taken: list[str]
) -> dict[str, Any]:
    data = shot.model_dump()
    ours = floor.shots[min(number, len(floor.shots) - 1)]
    data["placements"] = [one for one in data["placements"] if one["character"] not in out]
    kept = []
    for line in data["dialogue"]:
        if line["character"] in out or origins.dictated(line["text"]):
            taken.append(f"a line in {shot.id}")
        else:
            kept.append(line)
    data["dialogue"] = kept
    for name in ("action", "text_overlay"):
        if origins.dictated(data[name]):
            data[name] = getattr(ours, name)
            taken.append(f"the {name.replace('_', ' ')} of {shot.id}")
    for name in ("prompt", "negative"):
        if data.get(name) and origins.dictated(data[name]):
            data[name] = None
            taken.append(f"the {name} of {shot.id}")
    if data["control"] != control:
        data["control"] = control
        taken.append(f"reference pictures of {shot.id} that the user did not give")
    return data


def bound_intent(intent: Intent, floor: Intent, policy: Policy, turn: Turn) -> Intent:
    """The intent with what only the user may ask for, as rules read it from his own words.

    Args:
        intent: as a planner understood it, perhaps by a model that saw the conversation.
        floor: as rules understand the same message.
        policy: of the turn.
        turn: hears what was put right.
    """
    if floor.kind == "question" and floor.confidence >= _SURE and intent.kind in ("scene", "edit"):
        turn.think("note", "this is a question: nothing is made", source="policy", label="intent")
        return floor
    ours = (
        set(floor.outputs) if floor.kind == intent.kind else {"image", "voice", "music", "subtitles", "video", "text"}
    )
    outputs = [one for one in intent.outputs if one in ours or one in ("voice", "subtitles", "script")]
    outputs = [one for one in outputs if one not in _ASKED_FOR or one in floor.outputs]
    said = {one.op for one in floor.edits}
    changed = {
        "outputs": outputs or list(floor.outputs),
        "files": [name for name in intent.files if name in policy.text],
        "variations": min(intent.variations, floor.variations),
        "search_words": floor.search_words if floor.kind == intent.kind else "",
        "burn_subtitles": intent.burn_subtitles and floor.burn_subtitles,
        "needs_search": intent.needs_search and (floor.needs_search or "network" in policy.effects),
        "edits": [edit for edit in intent.edits if edit.op not in _TAKES_AWAY or edit.op in said or not floor.edits],
    }
    bounded = intent.model_copy(update=changed)
    for name in changed:
        if getattr(bounded, name) != getattr(intent, name):
            told = f"{name}: only what the user's own words ask for"
            turn.think("note", told, source="policy", label="intent")
    return bounded
