"""How the model's reading of a request and the rules' reading become one, field by field.

What the rules read is what the user wrote; the model fills what they left open. The rules of the merge:

kind       What the rules are sure of stays. A scene stays a scene; an edit of which anything was understood stays an
           edit. Only where the rules understood nothing, or took a message for a general question that is no
           question by its form, the model's kind counts: a scene where there are words a studio can do something
           with, a question, or small talk. With a storyboard present such a message never becomes a new scene.
place, time, weather, mood
           The model's where the whole request names none.
characters The model's only where the request names nobody, wishes nobody away and needs somebody; always from the
           cast there is.
outputs    Voices and subtitles come in where the model wants dialogue, lines may be written, somebody could say
           them, and the user did not choose the outputs.
language, files, variations, format, lengths, quoted lines, writing in the picture
           The rules', always.
questions  Words that the rules could not show are no question any more: the story is told about them. All else stays.
confidence Never lower than the rules'; where the model read the request too, at least the agent's threshold.
"""

from __future__ import annotations

from agent.intent import Beat, Brief, Intent, IntentKind, OutputKind
from agent.planners.chat_pieces.understanding import Understanding
from agent.planners.offline.leeway import Leeway
from tools.storyboard import CastMember

__all__ = ["kind_of", "merge", "tells_too_little"]


def tells_too_little(intent: Intent) -> bool:
    """Whether the rules understood nothing that could be done."""
    return (intent.kind == "smalltalk" and intent.topic == "not_understood") or (
        intent.kind == "edit" and not intent.edits and intent.topic != "again"
    )


def kind_of(rules: Intent, model: Understanding, leeway: Leeway, text: str, has_board: bool) -> IntentKind:
    """The kind of a message, by the rules at the top of this file."""
    general = rules.kind == "question" and rules.topic == "general" and "?" not in text
    if not (tells_too_little(rules) or general):
        return rules.kind
    if model.kind == "scene" and leeway.readable and not has_board:
        return "scene"
    if model.kind == "question":
        return "question"
    return rules.kind


def merge(
    rules: Intent,
    model: Understanding,
    leeway: Leeway,
    *,
    text: str,
    has_board: bool,
    cast: dict[str, CastMember],
    threshold: float,
) -> Intent:
    """The intent of both.

    Args:
        rules: the offline planner's.
        model: the chat model's.
        leeway: what the request leaves open.
        text: of the request.
        has_board: whether there is a storyboard.
        cast: the characters that have sheets, by id.
        threshold: the confidence below which the agent says that it guesses.
    """
    kind = kind_of(rules, model, leeway, text, has_board)
    if kind == "question" and rules.kind != "question":
        told = {"kind": kind, "topic": "general", "outputs": ["text"], "questions": [], "confidence": threshold}
        return rules.model_copy(update={**told, "goal": model.goal or rules.goal})
    if kind != "scene":
        return rules
    brief = _brief(rules.brief or Brief(beats=[Beat(text=text[:2000])]), model, leeway, cast)
    outputs = _outputs(rules, model, leeway, brief)
    characters = [member.id for member in brief.cast] if not rules.characters else rules.characters
    questions = [one for one in rules.questions if not _about_words(one, leeway)] if rules.kind == "scene" else []
    confidence = max(rules.confidence, threshold)
    unsure = rules.confidence < threshold
    return rules.model_copy(
        update={
            "kind": "scene",
            "topic": "",
            "goal": model.goal or rules.goal,
            "brief": brief,
            "outputs": outputs,
            "characters": characters,
            "questions": list(dict.fromkeys([*questions, *(model.unclear if unsure else [])])),
            "assumptions": list(dict.fromkeys([*rules.assumptions, *(one for one in model.assumptions if one)])),
            "confidence": confidence,
        }
    )


def _about_words(question: str, leeway: Leeway) -> bool:
    """Whether a question of the rules is that they cannot show words of the request."""
    return any(f'"{word}"' in question for word in leeway.unplaced)


def _brief(brief: Brief, model: Understanding, leeway: Leeway, cast: dict[str, CastMember]) -> Brief:
    beats = list(brief.beats) or [Beat()]
    fills: dict[str, object] = {}
    if model.place and not any(beat.location or beat.location_words for beat in beats):
        fills["location"] = model.place
    for field in ("time_of_day", "weather", "mood"):
        value = getattr(model, field)
        if value and not any(getattr(beat, field) for beat in beats):
            fills[field] = value
    # What follows inherits it; a title card has no place of its own.
    first = next((at for at, beat in enumerate(beats) if not beat.text_overlay), None)
    if first is not None:
        beats[first] = beats[first].model_copy(update=fills)
    members = list(brief.cast)
    if not members and leeway.people and not leeway.inventing:
        members = [cast[who] for who in dict.fromkeys(model.characters) if who in cast]
    return brief.model_copy(update={"beats": beats, "cast": members})


def _outputs(rules: Intent, model: Understanding, leeway: Leeway, brief: Brief) -> list[OutputKind]:
    """The outputs with voices, where somebody is to speak and the user left it open."""
    outputs: list[OutputKind] = list(rules.outputs)
    if rules.kind != "scene":
        outputs = ["image", "music", "video"]
    somebody = bool(brief.cast) or leeway.inventing
    if not (model.dialogue and leeway.speech and somebody and "video" in outputs and "voice" not in outputs):
        return outputs
    order: list[OutputKind] = ["script", "image", "voice", "music", "subtitles", "video"]
    subtitled = leeway.subtitles
    return [one for one in order if one in outputs or one == "voice" or (one == "subtitles" and subtitled)]
