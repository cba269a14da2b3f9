"""A storyboard while it is being revised: a working copy, the numbers of its shots, and what will be told.

The copy is changed by replacing whole shots, so that the storyboard that came in stays as it was and what no edit
touches is equal to what it was, down to the id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.intent import Edit, Intent
from agent.planners.offline.direction import Direction, Tongue
from agent.planners.offline.notes import Notes
from agent.planners.offline.pacing import fitted, total_of
from agent.planners.offline.phrasing import join_names, short_name
from tools.storyboard import CastMember, Shot, Storyboard

__all__ = ["Changes", "has"]


def has(shot: Shot, character: str) -> bool:
    """Whether somebody stands in a shot."""
    return any(p.character == character for p in shot.placements)


class Changes(Notes):
    """The working copy of one revision.

    Attributes:
        board: the storyboard that came in.
        shots, cast: as they are now.
        fields: changed fields of the storyboard itself (`title`, `aspect`, ...).
    """

    def __init__(self, board: Storyboard, intent: Intent, direction: Direction, tongue: Tongue) -> None:
        super().__init__(direction, tongue)
        self.board = board
        self.shots: list[Shot] = list(board.shots)
        self.cast: list[CastMember] = list(board.cast)
        self.fields: dict[str, Any] = {}
        self._numbers = [shot.id for shot in board.shots]
        self._briefed = {member.id: member for member in (intent.brief.cast if intent.brief else [])}
        for edit in intent.edits:
            if edit.member:
                self._briefed[edit.member.id] = edit.member

    # -- people -------------------------------------------------------------------------------------------------------

    @property
    def aspect(self) -> Any:
        """The aspect as it is now."""
        return self.fields.get("aspect", self.board.aspect)

    def member(self, character: str | None) -> CastMember | None:
        """The cast member of that id."""
        return next((member for member in self.cast if member.id == character), None)

    def briefed(self, character: str) -> CastMember | None:
        """One who is not in the cast yet, as the request introduced them."""
        return self._briefed.get(character)

    def name(self, character: str | None) -> str:
        """What a character is called, whether in the scene or not."""
        if not character:
            return "?"
        member = self.member(character) or self._briefed.get(character)
        return short_name(member) if member else character.replace("_", " ").title()

    def names(self, characters: Sequence[str]) -> str:
        """Several, as `Luca and Alberto`."""
        return join_names([self.name(who) for who in characters], self.direction, self.tongue)

    # -- shots --------------------------------------------------------------------------------------------------------

    def index(self, shot_number: int) -> int | None:
        """Position of a shot by its number. Numbers are those that the user saw, whatever
        this request has removed since."""
        if shot_number == -1:
            return len(self.shots) - 1
        if 1 <= shot_number <= len(self._numbers):
            wanted = self._numbers[shot_number - 1]
            return next((i for i, shot in enumerate(self.shots) if shot.id == wanted), None)
        # Beyond what the user saw there may be one that this very request added.
        return shot_number - 1 if len(self._numbers) < shot_number <= len(self.shots) else None

    def renumber(self) -> None:
        """From here on, numbers are those of the present order: whoever moves a shot counts on from the new order."""
        self._numbers = [shot.id for shot in self.shots]

    def targets(self, edit: Edit) -> list[int]:
        """Positions of the shots that an edit is about; empty, with a problem told, when there is none."""
        if edit.shot is None:
            return list(range(len(self.shots)))
        at = self.index(edit.shot)
        if at is None:
            self.problem("no_such_shot", shot=edit.shot, count=len(self.shots))
            return []
        return [at]

    def replace(self, at: int, **update: Any) -> None:
        """Change fields of one shot; checked by the schema."""
        self.shots[at] = Shot.model_validate({**self.shots[at].model_dump(), **_plain(update)})

    def fit(self, at: int) -> None:
        """Stretch a shot whose lines no longer fit, and say so."""
        before = self.shots[at]
        self.shots[at] = fitted(before)
        if self.shots[at] is not before:
            self.assume("stretched", shot=at + 1, seconds=self.shots[at].duration_s)

    def new_id(self) -> str:
        """An id that no shot has or had."""
        taken = {shot.id for shot in [*self.board.shots, *self.shots]}
        count = len(taken) + 1
        while f"s{count}" in taken:
            count += 1
        return f"s{count}"

    # -- the end ------------------------------------------------------------------------------------------------------

    def result(self) -> Storyboard:
        """The revised storyboard, validated; the length follows the shots where any of them changed."""
        before = [(shot.id, shot.duration_s) for shot in self.board.shots]
        after = [(shot.id, shot.duration_s) for shot in self.shots]
        if sorted(before) != sorted(after):
            self.fields["duration_s"] = min(1800.0, max(0.5, total_of(self.shots)))
        data = self.board.model_dump()
        data["cast"] = [member.model_dump() for member in self.cast]
        data["shots"] = [shot.model_dump() for shot in self.shots]
        return Storyboard.model_validate({**data, **self.fields})


def _plain(update: dict[str, Any]) -> dict[str, Any]:
    """Models among the values as data, so that the whole shot is validated again."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value.model_dump() if hasattr(value, "model_dump") else value

    return {name: plain(value) for name, value in update.items()}
