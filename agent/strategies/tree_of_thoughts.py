"""Tree of thoughts: several storyboards, scored by stated criteria, the best kept.

Source: Yao et al., "Tree of Thoughts: Deliberate Problem Solving with Large Language Models" (2023), arXiv 2305.10601;
here with one level of branching. The offline planner's storyboard is always among the candidates, so that the outcome
is never worse than it by these measures. A model's vote between the two best counts only where it says the same twice:
asked without names, in both orders (models prefer what stands first: Zheng et al. 2023, arXiv 2306.05685).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import Field

from agent.chat_models.base import Piece
from agent.chat_models.errors import BudgetSpent, ChatFailed
from agent.functions.telling import board_text
from agent.planners.base import Composition
from agent.replies import Replies
from agent.strategies.base import NO_MODEL, Job, StrategyName, offline_planner, prompt
from agent.strategies.scoring import Score, score_board
from agent.strategies.variations import varied

__all__ = ["ANGLES", "Candidate", "TreeOfThoughts", "Vote"]

ANGLES = (
    "Angle of this version: the feelings of the characters; close on faces where it matters.",
    "Angle of this version: the place and the light; let the picture tell it.",
    "Angle of this version: movement and timing; something always happens.",
)
VOTE = 0.05
"""What a vote adds to a score: enough to decide between equals, too little to overrule what was measured."""
NEAR = 0.10
"""Candidates further apart than this are not voted on."""


class Vote(Piece):
    """A blind choice between two storyboards."""

    better: Literal["first", "second", "equal"] = Field(description="which one tells the request better")
    reason: str = Field(description="why, in a few words")


@dataclass(frozen=True)
class Candidate:
    """A storyboard with where it comes from and what it scored."""

    name: str
    written: Composition
    score: Score
    vote: float = 0.0
    by_model: bool = False

    @property
    def total(self) -> float:
        """With the vote."""
        return self.score.total + self.vote


class TreeOfThoughts:
    """Writes several, keeps the best."""

    name: StrategyName = "tree_of_thoughts"

    def compose(self, job: Job) -> Composition:
        """See `Strategy`."""
        candidates = [*self._by_model(job), *self._by_rules(job)]
        for one in candidates:
            data = {"candidate": one.name, "total": one.score.total, **one.score.parts}
            job.turn.think("score", f"{one.name}: {one.score.told()}", source="rules", label="storyboards", data=data)
        best = _voted(job, candidates)
        told = f"kept: {best.name}, {best.total:.2f} of {len(candidates)} storyboards"
        job.turn.think("note", told, source="rules", label="storyboards", data={"kept": best.name})
        if job.model is None or best.by_model:
            return best.written
        said = Replies(job.intent.language).say("kept_by_rules", n=len(candidates))
        return replace(best.written, remarks=[*best.written.remarks, said])

    def _by_model(self, job: Job) -> list[Candidate]:
        if job.model is None:
            job.turn.think("note", f"{NO_MODEL}: versions by rules alone", source="offline", label="storyboards")
            return []
        found: list[Candidate] = []
        for number, angle in enumerate(ANGLES, 1):
            written = job.planner.compose(job.intent, replace(job.noting(angle).request, take=number))
            score = score_board(written.storyboard, job.intent)
            found.append(Candidate(f"version {number}", written, score, by_model=True))
            spending = job.turn.spending
            if max(spending.used_steps / spending.steps, spending.used_tokens / spending.tokens) > 0.6:
                job.turn.think("note", f"no further version: {number} have used most of the budget", source="rules")
                break
        return found

    def _by_rules(self, job: Job) -> list[Candidate]:
        plain = replace(job.request, turn=None)
        first = offline_planner().compose(job.intent, plain)
        found = [Candidate("by rules", first, score_board(first.storyboard, job.intent))]
        for name, board in varied(first.storyboard, job.intent):
            written = replace(first, storyboard=board)
            found.append(Candidate(f"by rules, {name}", written, score_board(board, job.intent)))
        return found


def _voted(job: Job, candidates: list[Candidate]) -> Candidate:
    """The best; of equals the one that came first. A model may decide between two that are near each other."""
    ranked = sorted(candidates, key=lambda one: -one.score.total)
    if job.model is None or len(ranked) < 2 or ranked[0].score.total - ranked[1].score.total > NEAR:
        return ranked[0]
    one, other = ranked[:2]
    try:
        votes = [_ask(job, one, other), {"first": "second", "second": "first"}.get(_ask(job, other, one), "equal")]
    except ChatFailed as failure:
        if not isinstance(failure, BudgetSpent):
            job.turn.think("note", f"no vote: {failure}", source="rules", label="vote")
        return one
    if votes[0] != votes[1] or votes[0] == "equal":
        job.turn.think("score", "the vote is not the same in both orders; it does not count", label="vote")
        return one
    chosen = one if votes[0] == "first" else other
    job.turn.think("score", f"voted for {chosen.name}, in both orders", source=job.model.name, label="vote")
    pair = [replace(each, vote=VOTE if each is chosen else 0.0) for each in (one, other)]
    return max(pair, key=lambda each: each.total)


def _ask(job: Job, one: Candidate, other: Candidate) -> str:
    assert job.model is not None
    boards = [board_text(each.written.storyboard)[:3_000] for each in (one, other)]
    question = f"The request:\n{job.request.text}\n\nFirst:\n{boards[0]}\n\nSecond:\n{boards[1]}"
    messages = [SystemMessage(prompt("vote")), HumanMessage(question)]
    return job.model.piece(Vote, messages, label="vote", temperature=0.0, max_tokens=200).better
