"""The parts of an intent that every kind of message has."""

from __future__ import annotations

from agent.intent import Intent
from agent.planners.offline.reading import Reading

__all__ = ["base_intent"]


def base_intent(reading: Reading, **fields: object) -> Intent:
    """An intent with what every kind has."""
    members = list(reading.roster.members.values())
    return Intent.model_validate(
        {
            "goal": _goal(reading),
            "characters": [member.id for member in members],
            "unknown_names": list(dict.fromkeys(member.name for member in members if not member.known)),
            "language": reading.language,
            "files": reading.page.files[:32],
            "assumptions": reading.notes.assumptions,
            "questions": reading.notes.questions,
            **fields,
        }
    )


def _goal(reading: Reading) -> str:
    """The request in one line."""
    line = " ".join(reading.page.text.split())
    return line if len(line) <= 160 else line[:157].rsplit(" ", 1)[0] + "..."
