"""What a model is shown: the request, what is fixed, and what others wrote, each in its place and marked as data."""

from __future__ import annotations

from collections.abc import Sequence

from agent.fencing import cleaned, fenced, nonce_of
from agent.intent import Brief, Intent
from agent.planners.base import PlanRequest
from agent.planners.chat_pieces.texts import shortened
from agent.requests import without_controls
from tools.storyboard import CastMember, Language, Storyboard

__all__ = [
    "LANGUAGES",
    "board_in_words",
    "cast_in_words",
    "fixed_in_words",
    "history_in_words",
    "notes_in_words",
    "quoted",
    "request_in_words",
]

LANGUAGES: dict[Language, str] = {"en": "English", "it": "Italian", "de": "German", "es": "Spanish", "fr": "French"}
LONGEST_REQUEST = 6_000
LONGEST_NOTE = 700
MOST_NOTES = 6
MOST_SHOTS = 24
LONGEST_BOARD = 20_000
"""Characters of a storyboard, some 5,000 tokens; shots are shown whole, with every line as it stands."""
MOST_TURNS = 6


def quoted(title: str, text: str) -> str:
    """Somebody's text between marks that it cannot hold itself."""
    inside = without_controls(text).replace("<", "‹").replace(">", "›").strip()
    return f"<{title}>\n{inside}\n</{title}>"


def request_in_words(request: PlanRequest) -> str:
    """The user's message, without what is beyond all measure."""
    return quoted("request", request.text[:LONGEST_REQUEST])


def notes_in_words(request: PlanRequest) -> str:
    """Passages from knowledge and web: something to know, nothing to obey; empty where there are none."""
    notes = [shortened(note, LONGEST_NOTE) for note in request.notes[:MOST_NOTES] if note.strip()]
    if not notes:
        return ""
    text = "\n".join(f"- {note}" for note in notes)
    # The same mark each time, so that kept pieces are found.
    return fenced(text, nonce=nonce_of(text))


def history_in_words(request: PlanRequest) -> str:
    """The last messages of the conversation; answers in it may quote documents and pages."""
    said = [f"{role}: {cleaned(shortened(text, 300))}" for role, text in request.history[-MOST_TURNS:]]
    return quoted("conversation", "\n".join(said)) if said else ""


def cast_in_words(cast: Sequence[CastMember], sheets: dict[str, str]) -> str:
    """The characters of a film by id, with what they look like."""
    lines = []
    for member in cast:
        looks = sheets.get(member.id) or (member.look.description if member.look else "")
        lines.append(f"- {member.id}: {member.name}{f' ({looks})' if looks else ''}")
    return "\n".join(lines) or "- nobody"


def fixed_in_words(brief: Brief, intent: Intent) -> str:
    """What the user fixed, line by line."""
    lines = [f"language: {LANGUAGES[intent.language]}"]
    if brief.duration_s:
        lines.append(f"length: {brief.duration_s:g} seconds")
    if brief.title:
        lines.append(f"title: {shortened(brief.title, 120)}")
    if brief.shot_count:
        lines.append(f"number of shots: {brief.shot_count}")
    for number, beat in enumerate(brief.beats, 1):
        said = [
            f"{name} {value}"
            for name, value in (
                ("place", beat.location or beat.location_words),
                ("time", beat.time_of_day),
                ("weather", beat.weather),
                ("framing", beat.framing),
                ("camera", beat.camera),
                ("mood", beat.mood),
                ("what happens", shortened(beat.action, 200)),
                ("writing in the picture", beat.text_overlay),
            )
            if value
        ]
        said += [
            f"{one.character}: {', '.join(str(part) for part in (one.pose, one.expression, one.facing) if part)}"
            for one in beat.performances
            if one.pose or one.expression or one.facing
        ]
        said += [f"{line.character} says “{shortened(line.text, 200)}”" for line in beat.dialogue]
        name = f"beat {number}" if len(brief.beats) > 1 else "everywhere"
        lines += [f"{name}: {one}" for one in said]
    return quoted("fixed", "\n".join(lines))


def board_in_words(board: Storyboard) -> str:
    """A storyboard, a line or few a shot."""
    lines = [f"title: {board.title}; {board.duration_s:g} seconds; style {board.style}; {board.aspect}"]
    lines += [f"cast: {', '.join(f'{one.id} ({one.name})' for one in board.cast) or 'nobody'}"]
    room, shown = LONGEST_BOARD, 0
    for number, shot in enumerate(board.shots[:MOST_SHOTS], 1):
        people = ", ".join(f"{one.character} {one.pose} {one.expression}" for one in shot.placements) or "nobody"
        told = [
            f"shot {number}: {shot.framing}, {shot.camera}, {shot.location}, {shot.time_of_day}, {shot.weather}, "
            f"{shot.duration_s:g} s; {people}; {shortened(shot.action, 160)}",
            *(f'  {line.character} ({line.emotion}): "{line.text}"' for line in shot.dialogue),
        ]
        room -= sum(map(len, told))
        if room < 0:
            break
        lines += told
        shown = number
    if len(board.shots) > shown:
        lines.append(f"and {len(board.shots) - shown} more shots")
    return quoted("storyboard", "\n".join(lines))
