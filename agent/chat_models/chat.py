"""A chat model within one turn: pieces are validated and repaired once, every request is counted and recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.chat_models.base import Piece, Step
from agent.chat_models.errors import BadReply, ChatFailed, ChatShut, ChatUnavailable, ContextOverflow
from agent.chat_models.pieces import NotThePiece, read_piece, schema_of
from agent.chat_models.wire import Reply, Request, Wire
from agent.requests import without_controls
from agent.turns import Turn
from configs.settings import Settings

__all__ = ["Chat"]

PieceT = TypeVar("PieceT", bound=Piece)

LONGEST_ECHO = 2_000
"""Characters of a bad answer that are shown to the model again with what is wrong with it."""


class Chat:
    """A `ChatModel`.

    Args:
        wire: to the model at its server.
        settings: temperatures.
        turn: counts what is spent, keeps what was thought.
    """

    def __init__(self, wire: Wire, settings: Settings, turn: Turn) -> None:
        self._wire = wire
        self._settings = settings
        self._turn = turn

    @property
    def name(self) -> str:
        """`provider/model`."""
        return self._wire.endpoint.name

    def piece(
        self,
        wanted: type[PieceT],
        messages: Sequence[BaseMessage],
        *,
        label: str,
        temperature: float | None = None,
        max_tokens: int = 1_500,
        check: Callable[[PieceT], None] | None = None,
    ) -> PieceT:
        """See `ChatModel`."""
        schema = schema_of(wanted)
        request = Request(messages, (wanted.__name__, schema), (), self._temperature(temperature), max_tokens)
        reply = self._ask(request, label)
        try:
            return _checked(wanted, reply, check)
        except NotThePiece as problem:
            self._turn.think("note", f"not valid, asked to mend it: {problem}", source=self.name, label=label)
            again = [*messages, AIMessage(_echo(reply.text)), HumanMessage(_mend(problem))]
            # A cold reply is likelier to be well formed than another warm one.
            reply = self._ask(replace(request, messages=again, temperature=0.0, in_words=True), f"{label}, mended")
            try:
                return _checked(wanted, reply, check)
            except NotThePiece as still:
                raise BadReply(f"{self.name} gave no valid {label}, also when asked to mend it: {still}") from None

    def text(
        self,
        messages: Sequence[BaseMessage],
        *,
        label: str,
        temperature: float | None = None,
        max_tokens: int = 1_500,
    ) -> str:
        """See `ChatModel`."""
        reply = self._ask(Request(messages, None, (), self._temperature(temperature), max_tokens), label)
        words = without_controls(reply.text).strip()
        if not words:
            raise BadReply(f"{self.name} gave an empty answer for {label}")
        return words

    def step(
        self,
        messages: Sequence[BaseMessage],
        functions: Sequence[dict[str, Any]],
        *,
        label: str,
        temperature: float | None = None,
        max_tokens: int = 1_500,
    ) -> Step:
        """See `ChatModel`."""
        request = Request(messages, None, tuple(functions), self._temperature(temperature), max_tokens)
        reply = self._ask(request, label)
        return Step(without_controls(reply.text), reply.calls, reply.cut, reply.tokens)

    # -- asking -----------------------------------------------------------------------------------------------------

    def _temperature(self, wanted: float | None) -> float:
        return self._settings.temperature if wanted is None else wanted

    def _ask(self, request: Request, label: str) -> Reply:
        """One answer; a request that is too long is shortened once, a model that is down is not waited for again."""
        spending = self._turn.spending
        if self.name in spending.down:
            raise ChatUnavailable(f"{self.name} did not answer before in this turn")
        if self.name in spending.closed:
            raise ChatShut(spending.closed[self.name])
        try:
            return self._counted(request, label)
        except ContextOverflow:
            shorter = _shortened(request.messages)
            if shorter is None:
                raise
            self._turn.think("note", "too long for the model; shortened", source=self.name, label=label)
            return self._counted(replace(request, messages=shorter), label)
        except ChatUnavailable:
            spending.down.add(self.name)
            raise
        except ChatShut as shut:
            spending.closed[self.name] = f"{self.name} turned us away before in this turn ({shut.status})"
            raise

    def _counted(self, request: Request, label: str) -> Reply:
        spending = self._turn.spending
        left = spending.allow(label)
        begun = time.monotonic()
        try:
            reply = self._wire.send(request, seconds=left, cancel=spending.cancel)
        except ChatFailed as failure:
            self._turn.book(self.name, 0, time.monotonic() - begun)
            self._turn.think("note", str(failure), source=self.name, label=label)
            raise
        seconds = time.monotonic() - begun
        self._turn.book(self.name, reply.tokens, seconds)
        return reply


def _checked(wanted: type[PieceT], reply: Reply, check: Callable[[PieceT], None] | None) -> PieceT:
    try:
        piece = read_piece(wanted, reply.text)
    except NotThePiece as problem:
        raise NotThePiece(f"The answer was cut off: it is too long. {problem}" if reply.cut else str(problem)) from None
    if check is not None:
        try:
            check(piece)
        except ValueError as problem:
            raise NotThePiece(str(problem)) from None
    return piece


def _echo(text: str) -> str:
    text = without_controls(text).strip() or "(nothing)"
    return text if len(text) <= LONGEST_ECHO else text[:LONGEST_ECHO] + " […]"


def _mend(problem: NotThePiece) -> str:
    return f"This is not valid:\n{problem}\n\nAnswer again, complete and corrected, with the JSON object alone."


def _shortened(messages: Sequence[BaseMessage]) -> list[BaseMessage] | None:
    """The system message and the last message, its middle left out; None where that is no shorter."""
    system = [one for one in messages[:1] if isinstance(one, SystemMessage)]
    last = messages[-1]
    if not isinstance(last, HumanMessage) or not isinstance(last.content, str):
        return None
    text = last.content
    if len(messages) == len(system) + 1 and len(text) < 2_000:
        return None
    third = len(text) // 3
    kept = text if len(text) < 2_000 else f"{text[:third]}\n[…]\n{text[-third:]}"
    return [*system, HumanMessage(kept)]
