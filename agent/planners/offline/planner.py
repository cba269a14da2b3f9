"""The planner that needs no model: it reads by lexicons and writes by rules."""

from __future__ import annotations

from functools import cached_property

from agent.intent import Intent
from agent.planners.base import Composition, PlanRequest
from agent.planners.offline.vocabulary import Vocabulary
from tools.storyboard import Storyboard

__all__ = ["OfflinePlanner"]


class OfflinePlanner:
    """A `Planner` (agent.planners.base) of rules and word lists; lexicons are read on first use."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Lexicons and cast, read once.

        Raises:
            YamlProblem: a lexicon or the cast is malformed; names file and line.
        """
        return Vocabulary.load()

    def understand(self, request: PlanRequest) -> Intent:
        """Read a request. Never raises on odd text: what it does not understand is in `questions`."""
        from agent.planners.offline.web_search import understand_with_web

        return understand_with_web(request, self.vocabulary)

    def compose(self, intent: Intent, request: PlanRequest) -> Composition:
        """Write a storyboard for an intent of kind `scene`."""
        from agent.planners.offline.compose import compose

        return compose(intent, request)

    def revise(self, storyboard: Storyboard, intent: Intent, request: PlanRequest) -> Composition:
        """Carry out the edits of an intent of kind `edit`."""
        from agent.planners.offline.revise import revise

        return revise(storyboard, intent, request)

    def answer(self, intent: Intent, request: PlanRequest) -> str:
        """Answer a question or small talk in the user's language."""
        from agent.planners.offline.answer import answer

        return answer(intent, request, self.vocabulary)
