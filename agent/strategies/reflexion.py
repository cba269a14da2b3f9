"""Reflexion: what failed becomes a short lesson, and a request like it begins with that lesson.

Source: Shinn et al., "Reflexion: Language Agents with Verbal Reinforcement Learning" (2023), arXiv 2303.11366.

Three things teach: pictures that never passed their checks, calls that failed, and a user who changed what was made.
Rules put the lesson into words; a model may say it better, in one validated piece, about the same facts. Lessons hold
no text of documents or of the web: they are written from checks, errors and the user's own edits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import Field

from agent.chat_models.base import Piece
from agent.chat_models.errors import ChatFailed
from agent.intent import Intent
from agent.planners.base import Composition
from agent.strategies.base import NO_MODEL, Job, StrategyName, prompt
from agent.strategies.chain_of_thought import deliberate
from agent.strategies.scoring import score_board
from agent.strategies.staging import Fix, fix_for, restaged
from agent.strategies.variations import fixed_by
from knowledge.reflections import FILE_NAME, Reflection, Reflections
from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from agent.chat_models.base import ChatModel
    from agent.context import AgentContext
    from agent.state import AgentState
    from agent.turns import Turn

__all__ = ["LessonText", "Reflexion", "lessons_of", "reflect", "reflections"]

MOST_NEW = 4
"""Lessons of one turn."""


class LessonText(Piece):
    """A lesson in a model's words."""

    lesson: str = Field(description="one sentence: what to do otherwise next time, and when")


class Reflexion:
    """Writes with what was learned."""

    name: StrategyName = "reflexion"

    def compose(self, job: Job) -> Composition:
        """See `Strategy`."""
        lessons: Sequence[Reflection] = job.lessons
        for one in lessons:
            job.turn.think("lesson", one.text, source=one.source, label="recalled", data={"cause": one.cause})
        if job.model is None:
            job.turn.think("note", f"{NO_MODEL}: lessons are applied by rules", source="offline", label="reflexion")
        noted = job.noting("Learned from requests like this one:\n" + "\n".join(one.text for one in lessons)[:1_200])
        written = job.planner.compose(job.intent, (deliberate(noted) if job.model else noted).request)
        return _applied(written, job.intent, lessons, job.turn)


def _applied(written: Composition, intent: Intent, lessons: Sequence[Reflection], turn: Turn) -> Composition:
    """The storyboard with what lessons change by rules, where the user did not say otherwise and it scores no less."""
    fixes = list(dict.fromkeys(one.fix for one in lessons if one.fix))
    board = written.storyboard
    for fix in fixes:
        if fix != "apart" and "framing" in fixed_by(intent):
            continue
        shots = [restaged(shot, fix) if _touches(shot.framing, fix) else None for shot in board.shots]
        if not any(shots):
            continue
        data = board.model_dump()
        data["shots"] = [(new or old).model_dump() for new, old in zip(shots, board.shots, strict=True)]
        changed = Storyboard.model_validate(data)
        before, after = score_board(board, intent).total, score_board(changed, intent).total
        if after >= before:
            board = changed
            turn.think("plan", f"staged {fix} from the start: a lesson says so", source="rules", label="reflexion")
    return replace(written, storyboard=board)


def _touches(framing: str, fix: Fix) -> bool:
    """A lesson about people too small is about wide shots, one about people cut off about close ones."""
    return {"closer": framing == "wide", "wider": framing in ("close", "detail"), "apart": True}[fix]


def reflections(context: AgentContext) -> Reflections:
    """The lessons of this studio."""
    return Reflections(context.settings.knowledge_home / FILE_NAME)


def lessons_of(state: AgentState, threshold: float) -> list[Reflection]:
    """What a finished turn teaches, by rules."""
    intent, board, work = state.get("intent"), state.get("storyboard"), state["work"]
    if intent is None or board is None:
        return []
    words = Reflection.words(state.get("request", ""))
    about = tuple(dict.fromkeys([*(one.id for one in board.cast), *(shot.location for shot in board.shots)]))[:40]
    shots = {shot.id: shot for shot in board.shots}
    found: list[Reflection] = []
    for attempt in work.attempts:
        name, _, kind = attempt.call.rpartition(".")
        shot = shots.get(name.rpartition(".")[2])
        if not attempt.best or attempt.score >= threshold or kind != "still" or shot is None:
            continue
        fix = fix_for(attempt.failed)
        checks = ", ".join(dict.fromkeys(one.partition(".")[0].replace("_", " ") for one in attempt.failed[:3]))
        what = {"closer": "frame it closer", "wider": "frame it wider", "apart": "set people further apart"}
        text = (
            f"A {shot.framing} shot of {len(shot.placements)} at the {shot.location.replace('_', ' ')} fell short"
            f" ({checks or 'score'}) after every attempt; {what[fix] if fix else 'stage it in another way'}."
        )
        found.append(Reflection(request=words, about=about, cause="checks", text=text, fix=fix or ""))
    for call in list(work.failures)[:2]:
        kind = call.rpartition(".")[2].rstrip("0123456789") or call
        text = f"The {kind} could not be made here; plan so that the scene is whole without it."
        found.append(Reflection(request=words, about=about, cause="failure", text=text))
    if state.get("changed"):
        found += _corrections(intent, words, about)
    return found[:MOST_NEW]


def _corrections(intent: Intent, words: tuple[str, ...], about: tuple[str, ...]) -> list[Reflection]:
    """What the user changed about a scene, where that is a matter of taste and not of the story."""
    found: list[Reflection] = []
    for edit in intent.edits if intent.kind == "edit" else []:
        wants = {
            "set_time": edit.time_of_day,
            "set_weather": edit.weather,
            "set_mood": edit.mood,
            "set_framing": edit.framing,
            "set_camera": edit.camera,
            "set_aspect": edit.aspect,
            "mute_music": "without music",
        }.get(edit.op)
        if edit.op == "set_duration" and edit.factor:
            wants = "shorter" if edit.factor < 1 else "longer"
        if wants:
            field = edit.op.removeprefix("set_").replace("_", " ")
            text = f"The user then changed this: {field} {wants}. Think of it from the start."
            found.append(Reflection(request=words, about=about, cause="user", text=text))
    return found


def reflect(state: AgentState, context: AgentContext, turn: Turn, model: ChatModel | None) -> list[Reflection]:
    """Learn from a finished turn; what is new is kept and told in the trace."""
    found = lessons_of(state, context.settings.quality_threshold)
    if not found:
        return []
    store = reflections(context)
    known = {(one.text, one.cause) for one in store.all()}
    told = [one if (one.text, one.cause) in known else _in_words(one, turn, model) for one in found]
    try:
        new = store.learn(told)
    except OSError as error:
        turn.think("note", f"a lesson could not be kept: {error.strerror}", source="rules", label="lesson")
        return []
    for one in new:
        turn.think("lesson", one.text, source=one.source, label="learned", data={"cause": one.cause})
    return new


def _in_words(lesson: Reflection, turn: Turn, model: ChatModel | None) -> Reflection:
    """The lesson as a model puts it; as the rules do where it gives none."""
    if model is None:
        return lesson
    messages = [SystemMessage(prompt("lesson")), HumanMessage(lesson.text)]
    try:
        said = model.piece(LessonText, messages, label="lesson", max_tokens=150, check=_plain).lesson.strip()
    except ChatFailed as failure:
        turn.think("piece", f"by rules: {failure}", source="offline", label="lesson")
        return lesson
    return lesson.model_copy(update={"text": said, "source": model.name[:120]})


def _plain(piece: LessonText) -> None:
    if not 0 < len(piece.lesson.strip()) <= 300 or "\n" in piece.lesson or "://" in piece.lesson:
        raise ValueError("lesson: one plain sentence, without addresses")
