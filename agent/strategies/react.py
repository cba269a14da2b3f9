"""ReAct: thought, calls, observations, again, until there is an answer or a bound is reached.

Source: Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models" (2022), arXiv 2210.03629.

Used to gather what a storyboard needs, and to answer questions. What ends it, whatever a model does: the turn's steps,
tokens and seconds (`agent.turns.Spending`), the table's calls, `STEPS` of its own, three times the same, two empty
answers, or a model that fails. Calls are run by the table, which holds the policy; nothing here runs anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.chat_models.errors import ChatFailed
from agent.fencing import fenced, nonce_of
from agent.planners.base import Composition
from agent.planners.offline.web_search import TOPIC as WEB
from agent.strategies.base import NO_MODEL, Job, StrategyName, is_ours, offline_planner, prompt
from agent.strategies.policy import words_of
from knowledge.passage import Passage

if TYPE_CHECKING:
    from agent.chat_models.base import ChatModel, Step
    from agent.functions.desk import Desk
    from agent.functions.table import FunctionTable
    from agent.turns import Turn

__all__ = ["Gathered", "React", "answer_question", "react", "texts_of_others"]

GATHERING_STEPS = 8
"""Steps before a storyboard is written; what is left of the turn's belongs to the writing."""
SAME = 3
"""How often a model may say and call the same before it is ended."""
EMPTY = 2
LONGEST_CONVERSATION = 24_000
"""Characters that the model is shown at most; older observations are shortened first."""
SHORT = 240
SURE = 0.8
"""Confidence from which the rules know the answer to a question."""
_FOREIGN = ("transcribe_recording", "list_scenes", "show_storyboard", "why")
"""Functions of the studio whose answers hold words of others, or of earlier turns."""
KEPT = 0.6
"""Part of the words of that answer that a model's must hold."""

Ended = Literal["answered", "steps", "repeating", "empty", "failed"]


@dataclass
class Gathered:
    """What came of a loop.

    Attributes:
        text: the model's last words; empty where it came to none.
        ended: why it ended.
        calls: that were run.
        refused: that were not run.
        why: of a failure.
    """

    text: str = ""
    ended: Ended = "steps"
    calls: int = 0
    refused: int = 0
    why: str = ""
    messages: list[BaseMessage] = field(default_factory=list)


def react(
    model: ChatModel,
    table: FunctionTable[Desk],
    turn: Turn,
    messages: Sequence[BaseMessage],
    *,
    steps: int,
    label: str = "react",
) -> Gathered:
    """Run the loop.

    Args:
        model: who thinks.
        table: the functions of this turn, and their rules.
        turn: budget and trace.
        messages: system and question.
        steps: of this loop at most.
        label: in the trace.

    Raises:
        Cancelled: a person stopped the turn.
    """
    found = Gathered(messages=list(messages))
    said: Counter[str] = Counter()
    empty = 0
    for _ in range(steps):
        try:
            step = model.step(_bounded(found.messages), table.schemas(), label=label)
        except ChatFailed as failure:
            found.ended, found.why = "failed", str(failure)
            return found
        if step.text.strip():
            turn.think("thought", step.text, source=model.name, label=label, tokens=step.tokens)
        if not step.calls:
            if step.text.strip() and not step.cut:
                found.text, found.ended = step.text.strip(), "answered"
                return found
            empty += 1
            if empty >= EMPTY:
                found.text, found.ended = step.text.strip(), "empty"
                return found
            told = "Your answer was cut off. Answer again, shorter." if step.cut else "You said nothing. Answer."
            found.messages.append(HumanMessage(told))
            continue
        signature = _signature(step)
        said[signature] += 1
        if said[signature] >= SAME:
            turn.think("note", "the model says the same again and again; ended", source="rules", label=label)
            found.ended = "repeating"
            return found
        _act(found, table, turn, step, model.name)
    turn.think("note", f"ended after {steps} steps", source="rules", label=label)
    return found


def _act(found: Gathered, table: FunctionTable[Desk], turn: Turn, step: Step, name: str) -> None:
    """Run the calls of one answer, keep what belongs into the conversation, and tell it in the trace."""
    before = len(table.records)
    for call in step.calls:
        turn.think("action", f"{call.name} {call.arguments}"[:600], source=name, label=call.name[:80])
    found.messages += table.answer(step.text, step.calls)
    ran = len(table.records) - before
    found.calls += ran
    for observation in table.messages():
        failed = observation.status == "error"
        found.refused += failed
        data = {"refused": True} if failed else {}
        turn.think("observation", str(observation.text), source="tool", label=str(observation.name), data=data)


def _signature(step: Step) -> str:
    return json.dumps([step.text.strip(), [[call.name, call.arguments] for call in step.calls]])


def _bounded(messages: list[BaseMessage]) -> list[BaseMessage]:
    """The conversation, its oldest observations shortened until it is short enough; no id goes missing."""
    sizes = [len(str(one.text)) for one in messages]
    over = sum(sizes) - LONGEST_CONVERSATION
    bounded: list[BaseMessage] = []
    for one, size in zip(messages, sizes, strict=True):
        if over > 0 and isinstance(one, ToolMessage) and size > SHORT:
            over -= size - SHORT
            one = one.model_copy(update={"content": f"{str(one.text)[:SHORT]} […shown before]"})
        bounded.append(one)
    return bounded


def opening(job: Job, task: str) -> list[BaseMessage]:
    """What the loop begins with: the rules, what is known, and the user's own words last."""
    known = "\n\n".join(job.request.notes[:6])
    board = job.request.storyboard
    before = "\n".join(
        f"{'the user said' if role == 'human' else 'you said'}: {text[:600]}" for role, text in job.request.history[-6:]
    )
    told = [f"What was said before:\n{fenced(before, nonce=nonce_of(before))}"] if before else []
    told += [f"What is known so far:\n{fenced(known, nonce=nonce_of(known))}"] if known else []
    told += [f"There is a storyboard, “{board.title}”, with {len(board.shots)} shots."] if board else []
    told += [f"{task}\n\nThe user says:\n{job.request.text}"]
    return [SystemMessage(prompt("react")), HumanMessage("\n\n".join(told))]


class React:
    """Gathers with functions before the storyboard is written."""

    name: StrategyName = "react"

    def compose(self, job: Job) -> Composition:
        """See `Strategy`."""
        return job.planner.compose(job.intent, gather(job).request)


def gather(job: Job) -> Job:
    """The job with what functions found for it; without a model, as it was."""
    if job.model is None:
        job.turn.think("note", f"{NO_MODEL}: what the documents gave is all there is", source="offline", label="react")
        return job
    task = (
        "Gather what is needed for a storyboard of this request, in few calls. Then say in a few lines what you found."
    )
    steps = min(GATHERING_STEPS, job.settings.max_steps)
    with job.table() as table:
        found = react(job.model, table, job.turn, opening(job, task), steps=steps, label="gather")
        theirs = texts_of_others(table)
    job.heard.extend([*theirs, found.text] if theirs or job.foreign else [])
    _told(job, found)
    return job.noting(*([f"Found for this request: {found.text[:1_500]}"] if found.text else []))


def answer_question(job: Job) -> str | None:
    """An answer to a question by a model with functions; None where it came to none, and the planner answers.

    Raises:
        Cancelled: a person stopped the turn.
    """
    if job.model is None:
        job.turn.think("note", f"{NO_MODEL}: answered by rules", source="offline", label="answer")
        return None
    known = _known(job)
    language = {"en": "English", "it": "Italian", "de": "German", "es": "Spanish", "fr": "French"}
    task = (
        f"Answer the user's question in {language[job.intent.language]}, from what the functions say, in a few lines."
    )
    if known:
        task += f"\nThe studio knows this for certain; keep all of it: {known}"
    steps = min(GATHERING_STEPS * 2, job.settings.max_steps)
    with job.table() as table:
        found = react(job.model, table, job.turn, opening(job, task), steps=steps, label="answer")
    if not found.text and found.ended in ("steps", "repeating") and found.calls:
        last = [*_bounded(found.messages), HumanMessage("No more calls. Answer now, with what you have.")]
        try:
            found.text = job.model.text(last, label="answer")
        except ChatFailed as failure:
            found.why = str(failure)
    _told(job, found)
    if found.text and known and not _keeps(found.text, known):
        told = "the answer leaves out what the studio knows for certain; that is said instead"
        job.turn.think("note", told, source="rules", label="answer")
        return known
    return found.text or None


def _known(job: Job) -> str:
    """What the rules answer where they are sure; no model's answer may fall short of it.

    Of what the web is asked they know nothing, and say so: that is no fact for a model to keep.
    """
    if job.intent.confidence < SURE or job.intent.topic in ("", "general", WEB):
        return ""
    return offline_planner().answer(job.intent, replace(job.request, turn=None))


def _keeps(text: str, known: str) -> bool:
    facts = {word for word in words_of(known) if len(word) > 3}
    return len(facts & words_of(text)) >= KEPT * len(facts)


def texts_of_others(table: FunctionTable[Desk]) -> list[str]:
    """The texts of others that a loop has read: descriptions of tools that are not the studio's, and answers."""
    from agent.functions.knowing import KNOWING
    from agent.functions.making import MAKING

    ours = {one.name for one in (*KNOWING, *MAKING)}
    told = {one.name: one.description for one in (*KNOWING, *MAKING)}
    shown = [one for name, one in table.functions.items() if name in table.allowed]
    found = [one.description for one in shown if told.get(one.name) != one.description]
    for record in table.records:
        if record.name not in ours or record.name in _FOREIGN:
            found.append(record.observation.text)
            continue
        # Of the studio's own functions alone: data of another server's may be of any shape, and say anything.
        for one in record.observation.data.get("passages", ()):
            if not is_ours(Passage(text=one["text"], source=one["source"])):
                found.append(f"{one['title']}\n{one['text']}")
    return found


def _told(job: Job, found: Gathered) -> None:
    data: dict[str, Any] = {"ended": found.ended, "calls": found.calls, "refused": found.refused}
    text = f"react: {found.ended}, {found.calls} calls run, {found.refused} refused"
    job.turn.think("note", f"{text}{': ' + found.why if found.why else ''}", source="rules", label="react", data=data)
