"""What can go wrong with a chat model, as a branch of `tools.errors`.

    ChatFailed             the model gave nothing usable; the planner goes on without it
    ├── ChatUnavailable    nobody answered in time, or the server failed again and again
    ├── ChatRejected       the server will not take such a request: parameters, lengths
    │   └── ChatShut       nor any other of this turn: the key, the model's name, the account's credit
    ├── ContextOverflow    the request is longer than the model can read
    ├── BadReply           it answered, but not with what was asked for, also after one repair
    ├── ChatRefused        the model declined
    └── BudgetSpent        this turn's tokens, seconds or steps are used up

No message holds a key or a header.
"""

from __future__ import annotations

from tools.errors import ToolError

__all__ = [
    "BadReply",
    "BudgetSpent",
    "ChatFailed",
    "ChatRefused",
    "ChatRejected",
    "ChatShut",
    "ChatUnavailable",
    "ContextOverflow",
]


class ChatFailed(ToolError):
    """The model gave nothing usable."""


class ChatUnavailable(ChatFailed):
    """Nobody answered in time, or the server failed again and again."""

    retryable = True


class ChatRejected(ChatFailed):
    """The server will not take such a request; `told` is what it said, for whoever may ask in another way."""

    def __init__(self, message: str, *, told: str = "", status: int = 400, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.told = told
        self.status = status


class ChatShut(ChatRejected):
    """The server will take no request at all: the key is wrong, the model is not there, the credit is used up."""


class ContextOverflow(ChatFailed):
    """The request is longer than the model can read."""


class BadReply(ChatFailed):
    """The model answered, but not with what was asked for."""

    retryable = True


class ChatRefused(ChatFailed):
    """The model declined to answer."""


class BudgetSpent(ChatFailed):
    """This turn's tokens, seconds or steps are used up."""
