"""respond: what was made, what was assumed, what fell short and why, and where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.intent import Intent
from agent.nodes.think import plan_request
from agent.preferring import addressed, wishes_alone
from agent.publishing import kind_of
from agent.recalling import keep_generation
from agent.replies import Replies
from agent.searching import tell_search, tell_sources
from agent.state import AgentState
from agent.storywriting import is_understood, nowhere_to_go
from agent.strategies.composing import answer
from agent.strategies.steps import close_goal, only_plans
from agent.telling_engines import tell_lineup
from agent.transcribing import hear, write_down
from agent.weaknesses import tell_failures, tell_weaknesses
from tools.errors import Cancelled, ToolError

__all__ = ["respond"]

NEEDS_TOOL = {"analysis": "analyze_video"}


def respond(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Put the files in place, write the manifest, and tell the user."""
    context, intent = runtime.context, state["intent"]
    assert intent is not None
    replies = Replies(intent.language)
    delta: dict[str, Any] = {}
    if wishes_alone(state):
        text = " ".join([*state["assumptions"], *state.get("remarks", [])])
    elif intent.kind == "question" and (found := tell_search(state, replies)):
        text = "\n".join(found)
    elif intent.kind in ("question", "smalltalk"):
        text = addressed(answer(state, context, intent, plan_request(state, context.turn(state))), context)
        if state.get("search"):
            # What the web did not say is told as well: it was asked for.
            text = "\n".join([text, *state["assumptions"], *state.get("remarks", [])])
    elif intent.kind == "transcription":
        return _heard(intent, replies, context)
    elif intent.kind in NEEDS_TOOL:
        text = _no_engine(intent, replies, context)
    elif not is_understood(intent):
        text = "\n".join([replies.say("not_changed"), replies.say("unclear", list=_join(intent.questions))])
    elif nothing := nowhere_to_go(state):
        text = replies.say(nothing)
    elif only_plans(state, context):
        text = _told(state, context, replies, intent, [])
    else:
        delta = context.toolbox.publish(state)
        delta["trace"] = [*state["trace"], *keep_generation({**state, **delta}, context)]  # type: ignore[typeddict-item]
        text = _told({**state, **delta}, context, replies, intent, list(delta["files"]))  # type: ignore[typeddict-item]
    if why := context.turn(state).unkept:
        text = "\n".join([text, replies.say("thoughts_unkept", why=why)])
    return close_goal(state, delta, text, context)


def _heard(intent: Intent, replies: Replies, context: AgentContext) -> dict[str, Any]:
    """Write down what is said in the files that were named."""
    from tools.transcription.tool import Transcribe

    folder = context.settings.productions / "transcripts"
    lines, files = [], {}
    endings = [".txt", ".srt", ".vtt"] if "subtitles" in intent.outputs else [".txt"]
    for name in intent.files:
        if not context.toolbox.is_file(name):
            lines.append(replies.say("missing_file", file=name))
            continue
        try:
            artifact = hear(context.toolbox, Path(name), context.cancel)
            found = Transcribe.Output.model_validate(artifact.output)
            for ending in endings:
                stem = Path(name).stem if Path(name).stem + ending not in files else Path(name).name
                place = folder / (stem + ending)
                write_down(found, place)
                files[place.name] = str(place)
        except Cancelled:
            raise
        except ToolError as error:
            lines.append(replies.say("not_heard", file=name, why=str(error)))
            continue
        said = found.text or replies.say("nobody_speaks")
        lines.append(replies.say("heard", file=name, text=said, engine=artifact.record.engine))
    if files:
        lines.append(replies.say("where", folder=str(folder)))
    lines += [] if intent.files else [replies.say("unclear", list=_join(intent.questions))]
    return {"files": files, "made": bool(files), "messages": [AIMessage("\n".join(lines))]}


def _no_engine(intent: Intent, replies: Replies, context: AgentContext) -> str:
    missing = [replies.say("missing_file", file=name) for name in intent.files if not context.toolbox.is_file(name)]
    return " ".join([replies.say("no_engine", tool=NEEDS_TOOL[intent.kind]), *missing])


def _told(state: AgentState, context: AgentContext, replies: Replies, intent: Intent, files: list[str]) -> str:
    board, work = state.get("storyboard"), state["work"]
    assert board is not None
    shots, length = replies.count("shot", len(board.shots)), replies.count("seconds", board.duration_s)
    lines = []
    if only_plans(state, context):
        lines.append(replies.say("planned", title=board.title, shots=shots, length=length))
    elif not files:
        lines.append(replies.say("nothing_made"))
    elif any(name.startswith("film") for name in files):
        lines.append(replies.say("made", title=board.title, shots=shots, length=length))
    else:
        made = list(dict.fromkeys(kind for name in files if (kind := kind_of(name))))
        lines.append(replies.say("made_pieces", pieces=replies.kinds(made), title=board.title))
    if files:
        lines.append(replies.say("where", folder=context.toolbox.shown_folder(state)))
    lines += tell_lineup(state.get("lineup"), board, replies, context.options.preset, made=bool(files))
    if intent.confidence < context.settings.confidence_threshold:
        lines.append(replies.say("guess"))
    sections = [
        ("assumed", state["assumptions"]),
        ("to_know", state.get("remarks", [])),
        ("unclear", intent.questions),
        ("failed", tell_failures(work.failures, replies)),
    ]
    lines += [replies.say(key, list=_join(items)) for key, items in sections if items]
    weak = tell_weaknesses(work.attempts, context.settings.quality_threshold, board, replies)
    if weak:
        lines += [*weak, replies.say("weak_where", folder=context.toolbox.shown_folder(state))]
    lines += [replies.say(problem) for problem in state["problems"]]
    lines += tell_sources(state["synthesis"], replies) if state.get("search") == "found" and state["synthesis"] else []
    return "\n".join(lines)


def _join(items: list[str]) -> str:
    return " ".join(item if item.endswith((".", "?", "!")) else f"{item};" for item in dict.fromkeys(items)).rstrip(";")
