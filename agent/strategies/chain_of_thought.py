"""Chain of thought: one piece of reasoning before the storyboard is written.

Source: Wei et al., "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models" (2022), arXiv 2201.11903.
Who wants what in this scene, what could go wrong on screen, and what is decided about it: short, typed, recorded, and
handed to the planner as a note of its own.
"""

from __future__ import annotations

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import Field

from agent.chat_models.base import Piece
from agent.chat_models.errors import ChatFailed
from agent.fencing import fenced, nonce_of
from agent.planners.base import Composition
from agent.strategies.base import NO_MODEL, Job, StrategyName, prompt
from agent.strategies.risks import risks_of

__all__ = ["ChainOfThought", "Deliberation", "deliberate"]


class Deliberation(Piece):
    """What was considered before writing."""

    wants: str = Field(description="who wants what in this scene, and what stands in the way")
    risks: list[str] = Field(max_length=4, description="what could go wrong on screen, a short sentence each")
    decisions: list[str] = Field(max_length=5, description="what is done about it: staging, framing, pace, lines")


class ChainOfThought:
    """Thinks once, then writes."""

    name: StrategyName = "chain_of_thought"

    def compose(self, job: Job) -> Composition:
        """See `Strategy`."""
        return job.planner.compose(job.intent, deliberate(job).request)


def deliberate(job: Job) -> Job:
    """The job with what was considered as a note; without a model, with what rules see."""
    if job.model is None:
        risks = risks_of(job.intent)
        told = "; ".join(risks) or "nothing speaks against it"
        job.turn.think("thought", f"{NO_MODEL}, by rules: {told}", source="offline", label="considered")
        return job
    known = "\n\n".join(job.request.notes[:4])
    material = fenced(known, nonce=nonce_of(known)) if known else ""
    question = f"{material}\n\nThe user says:\n{job.request.text}".strip()
    messages = [SystemMessage(prompt("deliberate")), HumanMessage(question)]
    try:
        piece = job.model.piece(
            Deliberation,
            messages,
            label="considered",
            temperature=job.settings.thinking_temperature,
            max_tokens=700,
        )
    except ChatFailed as failure:
        job.turn.think("piece", f"left out: {failure}", source="offline", label="considered")
        return job
    lines = [
        piece.wants[:400],
        *(f"Could go wrong: {one}" for one in piece.risks),
        *(f"So: {one}" for one in piece.decisions),
    ]
    text = "\n".join(lines)
    job.turn.think("thought", text, source=job.model.name, label="considered")
    return job.noting(f"Considered before writing:\n{text[:1_500]}")
