"""Changes that the rules did not understand, proposed by the model and proven by being carried out.

A proposal counts when the reviser really carries it out on the present storyboard: it changes something and brings up
no problem. Lines that the user once quoted are only changed where this very request quotes them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError

from agent.chat_models.base import Piece
from agent.intent import Edit, Intent, Performance
from agent.planners.base import PlanRequest
from agent.planners.chat_pieces.choices import choice, narrowed
from agent.planners.chat_pieces.texts import Sentence, Speech, folded
from agent.planners.offline.planner import OfflinePlanner
from tools.storyboard import Camera, CastMember, Emotion, Framing, Line, Mood, Storyboard, TimeOfDay, Weather

__all__ = ["EditPlan", "ProposedEdit", "edit_plan_of", "usable_edits"]

MOST_EDITS = 12
REMOVING = ("remove_character", "remove_line", "remove_shot")


class ProposedEdit(Piece):
    """One change; only the fields that `op` needs count, all others are null."""

    op: Literal[
        "set_time", "set_weather", "set_place", "set_framing", "set_camera", "set_mood", "mute_music", "set_pose",
        "set_expression", "add_character", "remove_character", "rename_character", "swap", "add_line", "set_line",
        "remove_line", "set_duration", "set_overlay", "set_title", "split_shot", "remove_shot", "copy_shot",
        "reorder_shot",
    ]  # fmt: skip
    shot: Annotated[int, Field(ge=1, le=60)] | None = Field(description="number of the shot; null is every shot")
    character: str | None = Field(description="id of whom it is about, or who says the line")
    time_of_day: TimeOfDay | None
    weather: Weather | None
    place: str | None
    framing: Framing | None
    camera: Camera | None
    mood: Mood | None
    pose: str | None
    expression: Emotion | None = Field(description="of the face, or how the line is said")
    text: Speech | None = Field(description="the new line, name, title or writing")
    old_text: Speech | None = Field(description="set_line, remove_line: the line as it is now")
    factor: Annotated[float, Field(ge=0.2, le=5.0)] | None = Field(description="set_duration: length times this")
    to: Annotated[int, Field(ge=1, le=60)] | None = Field(description="reorder_shot: its new number")


class EditPlan(Piece):
    """What is to change."""

    goal: Sentence = Field(description="what you took the request to mean, to the user, in the user's language")
    edits: Annotated[
        list[ProposedEdit], BeforeValidator(lambda value: value[:MOST_EDITS] if isinstance(value, list) else value)
    ] = Field(description="the changes, the fewest that do it; none where nothing can be done", max_length=MOST_EDITS)


def edit_plan_of(places: Sequence[str], poses: Sequence[str], cast: Sequence[str], shots: int) -> type[EditPlan]:
    """The piece for this storyboard."""
    number = Annotated[int, Field(ge=1, le=shots)] | None
    edit = narrowed(
        ProposedEdit, shot=number, to=number, place=choice(places) | None, pose=choice(poses) | None,
        character=choice(cast) | None,
    )  # fmt: skip
    return narrowed(EditPlan, edits=Annotated[list[edit], Field(max_length=MOST_EDITS)])  # type: ignore[valid-type]


def usable_edits(
    plan: EditPlan, rules: Intent, request: PlanRequest, offline: OfflinePlanner, known: dict[str, CastMember]
) -> list[Edit]:
    """The proposals that hold, in order, as edits to be made behind those of the rules.

    Args:
        rules: the offline planner's intent; its edits are not proposed again, nor undone.
        known: the characters that have sheets.
    """
    board = request.storyboard
    assert board is not None
    base = offline.revise(board, rules, request) if rules.edits else None
    now, problems = (base.storyboard, base.problems) if base else (board, [])
    kept: list[Edit] = []
    for proposed in plan.edits:
        edit = _as_edit(proposed, board, rules, request, known)
        if edit is None or _clashes(edit, rules.edits) or _touches_quoted(edit, now, request):
            continue
        intent = rules.model_copy(update={"kind": "edit", "edits": [*rules.edits, *kept, edit]})
        made = offline.revise(board, intent, request)
        if made.storyboard != now and len(made.problems) <= len(problems) and made.storyboard.shots:
            now = made.storyboard
            kept.append(edit)
    return kept


def _as_edit(
    one: ProposedEdit, board: Storyboard, rules: Intent, request: PlanRequest, known: dict[str, CastMember]
) -> Edit | None:
    """The proposal as an edit; None where it lacks what it needs, or brings in somebody whom nobody named."""
    who, text, language = one.character, one.text or "", rules.language
    here = {member.id for member in board.cast}
    said = folded(request.text)
    fields: dict[str, object] = {"shot": one.shot}
    op: str = one.op
    if op in ("set_pose", "set_expression"):
        value = one.pose if op == "set_pose" else one.expression
        if not who or not value or who not in here:
            return None
        name = "pose" if op == "set_pose" else "expression"
        op, fields["performance"] = "set_performance", Performance.model_validate({"character": who, name: value})
        fields["character"] = who
    elif op in ("add_line", "set_line"):
        if not text or not (who in here if op == "add_line" else (one.old_text or who)):
            return None
        speaker = who or _speaker(board, one.old_text or "")
        if speaker is None:
            return None
        fields["line"] = Line(character=speaker, text=text, emotion=one.expression or "neutral", language=language)
        fields |= {"character": speaker, "old_text": one.old_text}
    elif op == "remove_line":
        fields |= {"character": who, "old_text": one.old_text}
    elif op == "add_character":
        # Somebody comes in only where the request names them.
        if who not in known or who in here or not any(word in said for word in (who, known[who].name.lower())):
            return None
        fields |= {"character": who, "member": known[who], "performance": Performance(character=who, pose=one.pose)}
    elif op in ("remove_character", "rename_character", "swap"):
        fields |= {"character": who, "text": text[:80] or None}
    else:
        fields |= {
            "time_of_day": one.time_of_day, "weather": one.weather, "location": one.place, "framing": one.framing,
            "camera": one.camera, "mood": one.mood, "factor": one.factor, "to": one.to, "text": text or None,
        }  # fmt: skip
    if not _has_what_it_needs(op, fields):
        return None
    try:
        return Edit.model_validate({"op": op, **{key: value for key, value in fields.items() if value is not None}})
    except ValidationError:
        return None


_NEEDS = (
    ("set_time", "time_of_day"), ("set_weather", "weather"), ("set_place", "location"), ("set_framing", "framing"),
    ("set_camera", "camera"), ("set_mood", "mood"), ("set_duration", "factor"), ("set_overlay", "text"),
    ("set_title", "text"), ("rename_character", "character"), ("rename_character", "text"), ("swap", "character"),
    ("remove_character", "character"), ("remove_line", "old_text"), ("remove_shot", "shot"), ("split_shot", "shot"),
    ("copy_shot", "shot"), ("reorder_shot", "shot"), ("reorder_shot", "to"),
)  # fmt: skip


def _has_what_it_needs(op: str, fields: dict[str, object]) -> bool:
    return all(fields.get(field) is not None for needy, field in _NEEDS if needy == op)


def _speaker(board: Storyboard, text: str) -> str | None:
    wanted = folded(text)
    return next((one.character for shot in board.shots for one in shot.dialogue if folded(one.text) == wanted), None)


def _clashes(edit: Edit, rules: Sequence[Edit]) -> bool:
    """Whether an edit is about what the rules change already, or takes away beside it."""
    if rules and edit.op in REMOVING:
        return True
    return any(one.op == edit.op and (one.shot is None or edit.shot is None or one.shot == edit.shot) for one in rules)


def _touches_quoted(edit: Edit, board: Storyboard, request: PlanRequest) -> bool:
    """Whether a line or a title would change that the user wrote, and that this request does not speak of."""
    if edit.op not in ("set_line", "remove_line", "remove_character", "remove_shot", "set_title"):
        return False
    earlier = " ".join(folded(text) for role, text in request.history if role in ("user", "human"))
    now = folded(request.text)
    if edit.op == "set_title":
        return folded(board.title) in earlier and folded(board.title) not in now
    lines = [line for shot in board.shots for line in shot.dialogue]
    if edit.op in ("set_line", "remove_line"):
        old = folded(edit.old_text or "")
        lines = [line for line in lines if (folded(line.text) == old if old else line.character == edit.character)]
    elif edit.op == "remove_character":
        lines = [line for line in lines if line.character == edit.character]
    elif edit.shot is not None:
        at = edit.shot if edit.shot > 0 else len(board.shots)
        lines = board.shots[at - 1].dialogue if at <= len(board.shots) else []
    return any(folded(line.text) in earlier and folded(line.text) not in now for line in lines)
