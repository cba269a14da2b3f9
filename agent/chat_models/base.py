"""What the rest of the agent sees of a chat model.

    model = context.models.of("primary", turn)          # None where no model is set
    script = model.piece(Script, messages, label="script", temperature=0.9)

A *piece* is a small pydantic model. What comes back is one that validates, or a `ChatFailed` that says why not; it is
never half a piece, and never an exception of another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["ChatModel", "Piece", "Role", "Step", "ToolCall"]

Role = Literal["primary", "vision", "coder"]


class Piece(BaseModel):
    """Base of what a model is asked for: unknown fields are dropped, since small models add some; types are checked.

    Keep pieces small and flat: few fields, short enumerations, bounded lists. Field descriptions go to the model.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)


PieceT = TypeVar("PieceT", bound=Piece)


@dataclass(frozen=True)
class ToolCall:
    """A function call as a model asked for it; nothing of it is checked yet.

    Attributes:
        id: as the model gave it; may be empty, or stand twice.
        name: of the function; may be unknown.
        arguments: the text of the arguments; may be no JSON.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Step:
    """One answer of a model that was offered functions: words, or calls, or both, or neither."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    cut: bool = False
    """Whether the answer ended because it was too long."""
    tokens: int = 0


class ChatModel(Protocol):
    """A chat model within the bounds of one turn."""

    @property
    def name(self) -> str:
        """`provider/model`."""
        ...

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
        """Ask for one piece: held to its schema where the server can, validated here always, repaired once.

        Args:
            wanted: the piece.
            messages: langchain messages: system first, then the conversation.
            label: what it is for, as it stands in the trace.
            temperature: None takes the setting's.
            max_tokens: of the answer.
            check: raises ValueError for what a schema cannot say; its text goes back to the model for the repair.

        Raises:
            ChatFailed: any of `agent.chat_models.errors`.
            Cancelled: a person stopped the turn.
        """
        ...

    def text(
        self,
        messages: Sequence[BaseMessage],
        *,
        label: str,
        temperature: float | None = None,
        max_tokens: int = 1_500,
    ) -> str:
        """Ask for plain words; never empty.

        Raises:
            ChatFailed, Cancelled: as `piece`.
        """
        ...

    def step(
        self,
        messages: Sequence[BaseMessage],
        functions: Sequence[dict[str, Any]],
        *,
        label: str,
        temperature: float | None = None,
        max_tokens: int = 1_500,
    ) -> Step:
        """Offer functions (OpenAI schemas) and see what the model does.

        Raises:
            ChatFailed, Cancelled: as `piece`. Malformed calls are no failure: they are in `Step.calls` as they came.
        """
        ...
