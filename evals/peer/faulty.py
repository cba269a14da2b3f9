"""What a fault is made from."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from evals.peer.minds import sampled_call
from evals.peer.replies import Call, Reply
from evals.peer.sampling import Sampler, words
from evals.peer.seen import Seen

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """A request, the answer that would be right, and a source of variation."""

    right: Reply
    seen: Seen
    sampler: Sampler
    rng: Random
    dialect: str
    context: int

    @property
    def content(self) -> str:
        """What the right answer says; where it calls tools, what it could have said instead."""
        if self.right.content is not None:
            return self.right.content
        if self.seen.schema is not None:
            return self.sampler.text(self.seen.schema, self.rng)
        return words(self.rng, 12)

    @property
    def json(self) -> Any:
        """The content, read; an object made of it where it is no JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return {"answer": self.content}

    @property
    def calls(self) -> tuple[Call, ...]:
        """The right calls; where there are none, one of an offered tool, or of one that was never offered."""
        made = self.right.calls
        if not made and self.seen.tools:
            made = (sampled_call(self.seen, self.rng.choice(sorted(self.seen.tools)), self.sampler, self.rng),)
        return made or (Call("search_the_web", {"query": "harbours"}),)

    def says(self, content: str | None, **changes: Any) -> Reply:
        """The right reply with this content and no calls."""
        return self.right.but(content=content, calls=(), **changes)

    def first_call(self, **changes: Any) -> Reply:
        """The right calls with the first changed."""
        made = self.calls
        return self.right.but(content=None, calls=(replace(made[0], **changes), *made[1:]))
