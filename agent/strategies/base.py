"""What every strategy is: a way from an intent to a storyboard. One interface, so that rules or a flag may choose.

A strategy thinks by way of the turn (`Turn.think`), asks models within the turn's budget, and always comes to a result:
where a model gives nothing, the planner's, and where that gives nothing, the offline planner's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from agent.intent import Intent
from agent.planners.base import Composition, Planner, PlanRequest
from agent.strategies.policy import Policy
from agent.turns import Turn
from configs.settings import Settings
from knowledge.passage import Passage

if TYPE_CHECKING:
    from agent.chat_models.base import ChatModel
    from agent.functions.desk import Desk
    from agent.functions.table import FunctionTable
    from agent.planners.offline.planner import OfflinePlanner

__all__ = ["NO_MODEL", "STRATEGIES", "Job", "Strategy", "StrategyName", "is_ours", "offline_planner", "prompt"]

StrategyName = Literal["plain", "react", "chain_of_thought", "tree_of_thoughts", "reflexion"]
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)
NO_MODEL = "no chat model"
OURS = "knowledge/documents/"
"""Where the documents lie that come with the studio; every other passage was written by others."""
_PROMPTS = Path(__file__).parents[1] / "prompts"


@dataclass(frozen=True)
class Job:
    """One request on its way to a storyboard or an answer.

    Attributes:
        intent: as it was understood.
        request: as planners want it, with its notes.
        passages: what retrieval and search brought; data.
        planner: who plans: by a chat model, or by rules.
        policy: what this turn may do.
        settings: limits.
        turn: budget and trace.
        model: the primary chat model; None where there is none.
        table: the functions of this turn, opened where they are needed.
        lessons: what was learned from requests like this one.
        heard: texts of others that came in by way of functions, and what a model made of them.
    """

    intent: Intent
    request: PlanRequest
    passages: Sequence[Passage]
    planner: Planner
    policy: Policy
    settings: Settings
    turn: Turn
    model: ChatModel | None
    table: Callable[[], AbstractContextManager[FunctionTable[Desk]]]
    lessons: Sequence[Any] = field(default=())
    heard: list[str] = field(default_factory=list)

    def noting(self, *notes: str) -> Job:
        """The same job with further notes, before the others: what was thought comes before what was read."""
        kept = tuple(note for note in notes if note.strip())
        return replace(self, request=replace(self.request, notes=(*kept, *self.request.notes)))

    @property
    def foreign(self) -> list[str]:
        """The texts in this job that were written by others: passages, what was heard, lessons in a model's words."""
        passages = (f"{one.title}\n{one.text}" for one in self.passages if not is_ours(one))
        return [*passages, *self.heard, *(one.text for one in self.lessons if one.source != "rules")]


class Strategy(Protocol):
    """A way to think before a storyboard is written."""

    name: StrategyName

    def compose(self, job: Job) -> Composition:
        """Write the storyboard of a scene; never fails for want of a model.

        Raises:
            Cancelled: a person stopped the turn.
        """
        ...


def is_ours(passage: Passage) -> bool:
    """Whether a passage is of a document that comes with the studio: by where it says it is from, and by its words."""
    if not passage.source.startswith(OURS):
        return False
    ours = _own_words()
    sentences = re.split(r"(?<=[.!?:])\s+|\n+", passage.text)
    return all(" ".join(one.split()) in ours for one in sentences)


@cache
def _own_words() -> str:
    """Every document that comes with the studio, as one line."""
    from knowledge.documents_folder import DocumentsFolder

    parts = [
        part
        for document in DocumentsFolder().documents
        for part in (document.title, *(f"{heading} {text}" for heading, text in document.sections))
    ]
    return " ".join(" ".join(parts).split())


@cache
def offline_planner() -> OfflinePlanner:
    """The planner by rules: the floor that no result falls below. One for all, since its lexicons take a while."""
    from agent.planners.offline.planner import OfflinePlanner

    return OfflinePlanner()


@cache
def prompt(name: str) -> str:
    """A prompt of agent/prompts/, by name."""
    return (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()
