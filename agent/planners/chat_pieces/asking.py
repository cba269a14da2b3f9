"""How the planner asks for a piece: kept ones first, then the model; what came from where goes into the trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agent.chat_models.base import ChatModel, Piece, Role
from agent.chat_models.errors import (
    BadReply,
    BudgetSpent,
    ChatFailed,
    ChatRefused,
    ChatRejected,
    ChatShut,
    ChatUnavailable,
    ContextOverflow,
)
from agent.chat_models.roles import ChatModels
from agent.planners.chat_pieces.kept import KeptPieces
from agent.turns import Turn
from tools.errors import InvalidInput

__all__ = ["Asker", "Miss"]

PieceT = TypeVar("PieceT", bound=Piece)
OFFLINE = "offline"
_REASONS: tuple[tuple[type[ChatFailed], str], ...] = (
    (ChatUnavailable, "no_answer"),
    (ChatShut, "shut"),
    (ChatRejected, "rejected"),
    (ContextOverflow, "too_long"),
    (ChatRefused, "declined"),
    (BudgetSpent, "budget"),
    (BadReply, "not_valid"),
)


@dataclass(frozen=True)
class Miss:
    """A piece that no model gave: which, from whom it was wanted, and why there is none (a word of phrases.yaml)."""

    piece: str
    model: str
    reason: str


@dataclass
class Asker:
    """Asks within one turn.

    Attributes:
        models: by role.
        turn: what may be spent, and where thoughts go.
        kept: pieces of earlier turns.
        take: which of several tries at the same request this is; each asks anew.
        missed: the pieces that came to nothing so far.
    """

    models: ChatModels
    turn: Turn
    kept: KeptPieces
    take: int = 0
    missed: list[Miss] = field(default_factory=list)

    def ask(
        self,
        role: Role,
        wanted: type[PieceT],
        system: str,
        question: str,
        *,
        label: str,
        temperature: float | None = None,
        max_tokens: int = 1_500,
        check: Callable[[PieceT], None] | None = None,
        wish: Callable[[PieceT], None] | None = None,
    ) -> PieceT | None:
        """One piece; None where no model gives a valid one, which the trace then says.

        Args:
            check: raises ValueError for what must hold.
            wish: raises ValueError for what should be better; asked of the first answer alone, so that a second one
                that is no better is still taken.

        Raises:
            Cancelled: a person stopped the turn.
        """
        try:
            model = self._model(role)
        except InvalidInput as problem:
            # The turn began with a primary that can be asked; what the setting of another role lacks costs its pieces.
            name = self.models.named(role)
            self.missed.append(Miss(label, name, "no_use"))
            self.turn.think("piece", f"by rules: {problem}", source=OFFLINE, label=label, data={"missed": name})
            return None
        if model is None:
            return None
        messages: Sequence[BaseMessage] = [SystemMessage(system), HumanMessage(question)]
        key = self.kept.key(f"{model.name}#{self.take}", wanted, messages)
        if (known := self.kept.get(key, wanted)) is not None and _passes(known, check):
            self.told(label, model.name, "as it was answered before", known)
            return known
        try:
            piece = model.piece(
                wanted,
                messages,
                label=label,
                temperature=temperature,
                max_tokens=max_tokens,
                check=_wishing(check, wish),
            )
        except ChatFailed as failure:
            self.miss(label, model.name, failure)
            return None
        self.kept.put(key, piece)
        self.told(label, model.name, "", piece)
        return piece

    def told(self, label: str, source: str, text: str, piece: Piece | None = None) -> None:
        """Say in the trace where a piece is from."""
        data = {"piece": piece.model_dump(mode="json")} if piece is not None else {}
        self.turn.think("piece", text or f"{label} by {source}", source=source, label=label, data=data)

    def miss(self, label: str, model: str, failure: ChatFailed) -> None:
        """Say that a piece is the offline planner's because the model gave none."""
        reason = next((word for kind, word in _REASONS if isinstance(failure, kind)), "not_valid")
        self.missed.append(Miss(label, model, reason))
        self.turn.think("piece", f"by rules: {failure}", source=OFFLINE, label=label, data={"missed": model})

    def reject(self, label: str, role: Role, why: str) -> None:
        """Say that a valid piece was not used, because with it something that the user fixed would not hold."""
        name = self.models.named(role)
        self.missed.append(Miss(label, name, "not_kept_to"))
        self.turn.think("piece", f"by rules: {why}", source=OFFLINE, label=label, data={"missed": name})

    def by_rules(self, label: str, why: str) -> None:
        """Say that a piece is the offline planner's by choice: no model was asked."""
        self.turn.think("piece", f"by rules: {why}", source=OFFLINE, label=label)

    def _model(self, role: Role) -> ChatModel | None:
        return self.models.of(role, self.turn)


def _wishing(check: Callable[[PieceT], None] | None, wish: Callable[[PieceT], None] | None) -> Callable[[PieceT], None]:
    wishes = [wish] if wish else []

    def checked(piece: PieceT) -> None:
        if check is not None:
            check(piece)
        if wishes:
            wishes.pop()(piece)

    return checked


def _passes(piece: PieceT, check: Callable[[PieceT], None] | None) -> bool:
    if check is None:
        return True
    try:
        check(piece)
    except ValueError:
        return False
    return True
