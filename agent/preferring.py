"""What a person always wants, at work: heard in their own words, kept, and used where a request says nothing of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.context import AgentContext
from agent.intent import Intent, OutputKind
from agent.planned import planned_calls
from agent.replies import Replies
from agent.state import AgentState, Override, Work
from knowledge.preference_words import load_wording, read_wishes
from knowledge.preferences import Preference, tell
from knowledge.problems import KnowledgeProblem

__all__ = ["TOPIC", "Heard", "addressed", "begin_as_preferred", "hear_wishes", "prefer", "wishes_alone"]

TOPIC = "preferences"
"""Topic of a message that says what a person always wants, and nothing else."""


@dataclass(frozen=True)
class Heard:
    """What a message said for good.

    Attributes:
        rest: the message without it.
        sentences: what is told of it: that it is kept, or why it could not be.
        new: kinds that were said just now.
        only: whether it says nothing else.
        language: of what was said.
    """

    rest: str
    sentences: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    only: bool = False
    language: str = "en"


def hear_wishes(text: str, context: AgentContext) -> Heard:
    """Keep what a person's own message says for good."""
    said = read_wishes(text)
    if not said.wishes:
        return Heard(text)
    language = said.language
    wording = load_wording()
    try:
        context.preferences.keep(said)
        told = ", ".join(tell(kind, value, language) for kind, value in said.wishes.items())
        sentences = [wording.say["kept"][said.language].format(list=told)]
        if not said.rest:
            sentences.append(wording.say["how_to_forget"][said.language])
    except KnowledgeProblem as problem:
        sentences = [str(problem)]
    return Heard(said.rest or text, tuple(sentences), tuple(said.wishes), not said.rest, language)


def prefer(intent: Intent, text: str, heard: Heard, context: AgentContext) -> tuple[Intent, list[str]]:
    """The intent of a new scene with what the person prefers where the request is silent, and what is told of it."""
    if intent.kind != "scene" or intent.brief is None:
        return intent, []
    try:
        kept = context.preferences.all()
    except KnowledgeProblem as problem:
        return intent, [str(problem)]
    words = re.findall(r"[0-9]+:[0-9]+|[^\W_]+", text.casefold())
    said = f" {' '.join(words)} "
    intent = intent.model_copy(deep=True)
    applied = [one for one in kept if not _decided(one.kind, said) and _apply(one, intent, context)]
    replies = Replies(intent.language)
    told = [tell(one.kind, one.value, intent.language) for one in applied if one.kind not in heard.new]
    return intent, [replies.say("as_you_prefer", what=", ".join(told))] if told else []


def _decided(kind: str, said: str) -> bool:
    """Whether the request speaks of it itself."""
    entry = load_wording().kinds.get(kind)
    return entry is not None and any(f" {word} " in said for words in entry.topic.values() for word in words)


def _apply(one: Preference, intent: Intent, context: AgentContext) -> bool:
    """Change the intent; whether that changed anything."""
    brief = intent.brief
    assert brief is not None
    match one.kind:
        case "aspect" | "style":
            return _set(brief, one.kind, one.value)
        case "time_of_day" | "weather" | "mood":
            if not brief.beats or any(getattr(beat, one.kind) is not None for beat in brief.beats):
                return False
            return all(_set(beat, one.kind, one.value) for beat in brief.beats)
        case "burn_subtitles":
            wanted = one.value == "yes" and not intent.burn_subtitles and "video" in intent.outputs
            intent.burn_subtitles = intent.burn_subtitles or wanted
            return wanted
        case "music" | "subtitles":
            return one.value == "no" and not context.options.outputs and _leave_out(intent, one.kind)
        case "voice_rate":
            return any(beat.dialogue for beat in brief.beats)
    return False


def _set(model: object, name: str, value: str) -> bool:
    if getattr(model, name) is not None:
        return False
    setattr(model, name, value)
    return True


def _leave_out(intent: Intent, kind: str) -> bool:
    kept: list[OutputKind] = [output for output in intent.outputs if output != kind]
    if not kept or kept == intent.outputs:
        return False
    intent.outputs = kept
    return True


def begin_as_preferred(state: AgentState, context: AgentContext) -> Work:
    """Lines are spoken as fast or as slowly as the person prefers, until the judge finds otherwise."""
    work = state["work"]
    try:
        kept = {one.kind: one.value for one in context.preferences.all()}
    except KnowledgeProblem:
        return work
    if "voice_rate" not in kept:
        return work
    lines = [
        call for call in planned_calls(state, context) if call.tool == "synthesize_speech" and "rate" not in call.args
    ]
    rates = {call.id: Override(args={"rate": float(kept["voice_rate"])}) for call in lines}
    return work.model_copy(update={"overrides": {**rates, **work.overrides}})


def addressed(text: str, context: AgentContext) -> str:
    """An answer, said to the person by the name they want to be called."""
    try:
        name = next((one.value for one in context.preferences.all() if one.kind == "name"), "")
    except KnowledgeProblem:
        return text
    if not name or not text or name.casefold() in text.casefold():
        return text
    begins_with_i = re.match(r"I\b", text)
    return f"{name}, {text if begins_with_i else text[0].lower() + text[1:]}"


def wishes_alone(state: AgentState) -> bool:
    """Whether the message of this turn said what the person always wants, and nothing else."""
    intent = state.get("intent")
    return intent is not None and intent.kind == "smalltalk" and intent.topic == TOPIC
