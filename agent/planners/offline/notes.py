"""What the composer and the reviser tell the user: assumptions and problems, each sentence once."""

from __future__ import annotations

from agent.planners.offline.direction import Direction, Tongue

__all__ = ["Notes"]


class Notes:
    """Sentences by their names in `direction/phrases.yaml`, in the user's language."""

    def __init__(self, direction: Direction, tongue: Tongue) -> None:
        self.direction = direction
        self.tongue = tongue
        self.assumptions: list[str] = []
        self.problems: list[str] = []

    def assume(self, sentence: str, /, **values: object) -> None:
        """Tell what was done besides, or taken for granted."""
        self._add(self.assumptions, sentence, values)

    def problem(self, sentence: str, /, **values: object) -> None:
        """Tell what could not be done."""
        self._add(self.problems, sentence, values)

    def _add(self, to: list[str], sentence: str, values: dict[str, object]) -> None:
        told = self.direction.phrases.say(sentence, self.tongue, **values)
        if told not in to:
            to.append(told)
