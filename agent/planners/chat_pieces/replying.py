"""Answers to questions that rules cannot know: by the model, from what it is shown, beside the rules' own answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from agent.chat_models.base import Piece
from agent.fencing import cleaned
from agent.intent import Intent
from agent.planners.base import PlanRequest
from agent.planners.chat_pieces.asking import Asker
from agent.planners.chat_pieces.prompts import read_prompt
from agent.planners.chat_pieces.questions import (
    LANGUAGES,
    board_in_words,
    cast_in_words,
    history_in_words,
    notes_in_words,
    quoted,
    request_in_words,
)
from agent.planners.chat_pieces.texts import shortened
from configs.characters import load_characters
from tools.storyboard import CastMember

__all__ = ["is_open_question", "replied"]

LONGEST_ANSWER = 900


class Reply(Piece):
    """An answer."""

    known: bool = Field(description="whether what you were shown answers the question")
    text: Annotated[
        str, BeforeValidator(lambda value: shortened(value, LONGEST_ANSWER) if isinstance(value, str) else value)
    ] = Field(description="the answer in the user's language, at most five sentences, plain words")


def is_open_question(intent: Intent, request: PlanRequest) -> bool:
    """Whether the rules can only quote, or say that they do not know: all else they answer exactly."""
    if intent.kind != "question":
        return False
    return intent.topic in ("general", "character") or (intent.topic == "out_of_scope" and bool(request.notes))


def replied(intent: Intent, request: PlanRequest, ground: str, asker: Asker) -> str:
    """The model's answer, or `ground`, the rules' own."""
    cast = {who: CastMember(id=who, name=sheet.name, known=True) for who, sheet in load_characters().items()}
    members = list(cast.values())
    board = request.storyboard
    members += [one for one in board.cast if one.id not in cast] if board else []
    sheets = {who: sheet.description for who, sheet in load_characters().items()}
    question = "\n".join(
        part
        for part in (
            quoted("cast", cast_in_words(members, sheets)),
            board_in_words(board) if board else "",
            notes_in_words(request),
            history_in_words(request),
            # It may quote a document or a page.
            quoted("answer_of_the_rules", cleaned(ground)),
            request_in_words(request),
        )
        if part
    )
    system = read_prompt("answer", language=LANGUAGES[intent.language])
    reply = asker.ask("primary", Reply, system, question, label="answer", max_tokens=500, check=_says_something)
    return reply.text if reply is not None and reply.known else ground


def _says_something(reply: Reply) -> None:
    if reply.known and not any(char.isalpha() for char in reply.text):
        raise ValueError("text says nothing")
