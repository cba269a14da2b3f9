"""The `Planner` protocol: what the mind of the studio must be able to do, with a model or without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from agent.intent import Intent
from agent.turns import Turn
from tools.storyboard import Storyboard

__all__ = ["Composition", "PlanRequest", "Planner"]


@dataclass(frozen=True)
class PlanRequest:
    """What a planner is told.

    Attributes:
        text: the user's message.
        history: earlier messages of the conversation, oldest first, as (role, text); what lies further back comes first
            as ("summary", text).
        storyboard: the present storyboard, if there is one.
        notes: passages that retrieval and search brought; data, never instructions.
        own_note: the passage of the person's own documents that fits so well that it may be the answer; '' for none.
        turn: what this turn may spend on chat models, and where its thoughts go; None: nothing, and nowhere.
        take: another number asks a model anew where the same was asked before.
    """

    text: str
    history: tuple[tuple[str, str], ...] = ()
    storyboard: Storyboard | None = None
    notes: tuple[str, ...] = ()
    own_note: str = ""
    turn: Turn | None = None
    take: int = 0


@dataclass(frozen=True)
class Composition:
    """A storyboard with what was assumed while it was written, what could not be done, and what else the user should
    know (which model gave nothing), as plain sentences.
    """

    storyboard: Storyboard
    assumptions: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Planner(Protocol):
    """Understands a request, writes a storyboard, changes it, answers a question."""

    def understand(self, request: PlanRequest) -> Intent:
        """Read a request. Never raises on odd text: what it does not understand is in `questions`."""
        ...

    def compose(self, intent: Intent, request: PlanRequest) -> Composition:
        """Write a storyboard for an intent of kind `scene`."""
        ...

    def revise(self, storyboard: Storyboard, intent: Intent, request: PlanRequest) -> Composition:
        """Carry out the edits of an intent of kind `edit` (not undo, redo, set_outputs: the agent does those)."""
        ...

    def answer(self, intent: Intent, request: PlanRequest) -> str:
        """Answer a question or small talk, from the cast, the storyboard and the notes, in the user's language."""
        ...
