"""What the graph remembers: references, never bytes. Pictures and sounds lie in the production's store."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from agent.intent import Intent
from agent.lineup import Lineup
from agent.strategies.goals import Plan
from knowledge.passage import Passage
from knowledge.web.synthesis import Synthesis
from tools.storyboard import Shot, Storyboard

__all__ = ["AgentInput", "AgentState", "Attempt", "Override", "Recalled", "Work"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Override(_Model):
    """What the quality loop changed about a call: arguments by name, and steps added to its seed."""

    args: dict[str, Any] = Field(default_factory=dict)
    seed_step: int = 0


class Attempt(_Model):
    """One try at one call: the artifact it gave, its review, and what had been changed for it."""

    call: str
    number: int
    key: str
    review: str = Field("", description="key of the review artifact; empty when no review could be made")
    score: float = Field(ge=0.0, le=1.0)
    passed: bool
    override: Override = Field(default_factory=Override)
    reason: str = Field("", description="what fell short, with every number")
    failed: list[str] = Field(default_factory=list, description="names of the failed checks, the worst first")
    seen: list[str] = Field(default_factory=list, description="what a vision model saw: a score and a reason each")
    best: bool = False

    @property
    def id(self) -> str:
        """By which a later attempt may refer to what this one made."""
        return f"{self.call}.try{self.number}"


class Recalled(_Model):
    """A change that an earlier generation found helpful: this call begins with it."""

    override: Override
    before: float = Field(description="score that was measured without it")
    after: float = Field(description="score that was measured with it")
    source: str = Field(description="id of that generation")
    conditions: str = Field(description="digest of what was the same")
    failed: list[str] = Field(default_factory=list, description="names of the checks that it mended")


class Restaged(_Model):
    """A shot that is staged in another way: as it was, how often that was tried, and what was done about it."""

    before: Shot
    tries: int
    fix: str


class Work(_Model):
    """How far a storyboard has come. Emptied whenever the storyboard changes; the store remembers what was made."""

    stage: int = 0
    pending: list[str] = Field(default_factory=list, description="ids of the calls of the next batch")
    results: dict[str, str] = Field(default_factory=dict, description="call id -> key of its best artifact")
    failures: dict[str, str] = Field(default_factory=dict, description="call id -> what went wrong")
    overrides: dict[str, Override] = Field(default_factory=dict)
    recalled: dict[str, Recalled] = Field(default_factory=dict, description="what calls began with, by call id")
    attempts: list[Attempt] = Field(default_factory=list)
    approved: bool = False
    restaged: dict[str, Restaged] = Field(default_factory=dict, description="shot id -> how it was staged before")


class AgentInput(TypedDict):
    """What `invoke` takes: `{"messages": "make a beach scene with Luca and Alberto"}` is enough."""

    messages: Annotated[list[AnyMessage], add_messages]


class AgentState(AgentInput, total=False):
    """What `invoke` returns and a thread keeps.

    storyboard, lineup, outputs, burn_subtitles, variations, production, request, past/future and summary (of what was
    said long ago) live on from turn to turn; all else is set anew by `think`.
    """

    storyboard: Storyboard | None
    outputs: list[str]
    burn_subtitles: bool
    variations: int
    production: str
    request: str
    plan: Plan | None
    past: list[str]
    future: list[str]
    summary: str

    lineup: Lineup | None
    intent: Intent | None
    notes: list[Passage]
    search: str
    synthesis: Synthesis | None
    composed: bool
    changed: bool
    restart: bool
    work: Work
    assumptions: list[str]
    remarks: list[str]
    problems: list[str]
    trace: list[str]
    files: dict[str, str]
    scores: dict[str, float]
    made: bool
