"""What goes wrong with a request over OpenAI's chat API, as one of our own errors.

Sources: the OpenAI API reference (error codes); the exceptions of the `openai` package; what the servers of vLLM,
llama.cpp, Ollama and LM Studio answer to requests that they refuse.
"""

from __future__ import annotations

import re
from typing import Any

from agent.chat_models.errors import (
    BadReply,
    ChatFailed,
    ChatRejected,
    ChatShut,
    ChatUnavailable,
    ContextOverflow,
)
from configs.chat_models import Endpoint
from configs.unreached import why_unreached
from tools.errors import Cancelled

__all__ = ["SCHEMA", "as_failure", "shown"]

_OVERFLOW = re.compile(
    r"context.{0,20}(length|window|size)|maximum.{0,20}(context|tokens)|too many tokens|prompt is too long|"
    r"exceed.{0,40}(context|n_ctx|token)",
    re.IGNORECASE,
)
SCHEMA = re.compile(r"response_format|json_schema|grammar|structured|guided|schema", re.IGNORECASE)
"""What a server says that will not be held to a schema."""
_SECRET = re.compile(r"(sk-|Bearer\s+)[\w.\-*]{6,}", re.IGNORECASE)


def as_failure(error: BaseException | None, endpoint: Endpoint, most_bytes: int) -> Exception:
    """An error of the OpenAI SDK or of HTTP as one of `agent.chat_models.errors`.

    Args:
        error: what was raised while it was asked.
        endpoint: the model that was asked; what its server said is shown without its secrets.
        most_bytes: that one answer may have.
    """
    import httpx2
    import openai

    from agent.chat_models.limited_http import AnswerTooLarge

    name, clean = endpoint.name, endpoint.clean
    if isinstance(error, Cancelled | ChatFailed):
        return error
    cause = error
    while cause is not None and not isinstance(cause, AnswerTooLarge):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, AnswerTooLarge):
        return BadReply(f"{name} sent more than {most_bytes // 2**20} MB for one answer")
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, endpoint)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError | OSError):
        return ChatUnavailable(f"{name} cannot be reached at {clean(endpoint.url)}: {why_unreached(error)}")
    if isinstance(error, openai.APIError | openai.OpenAIError):
        return ChatUnavailable(f"{name} failed: {shown(clean(str(error)))}")
    if isinstance(error, ValueError | TypeError | KeyError | AttributeError | RecursionError | IndexError):
        # What langchain raises where the body is JSON of another shape than the API's, or no JSON.
        return BadReply(
            f"{name} answered with something that is no chat completion; "
            f"does a server of OpenAI's chat API stand at {clean(endpoint.url)}?"
        )
    return error if isinstance(error, Exception) else RuntimeError(repr(error))


def _of_status(error: Any, endpoint: Endpoint) -> ChatFailed:
    name, status, said = endpoint.name, int(error.status_code), endpoint.clean(str(error.message))
    told = shown(said.removeprefix(f"Error code: {status} - "))
    if status in (400, 413, 422, 500) and _OVERFLOW.search(said):
        return ContextOverflow(f"the request is longer than {name} can read: {told}")
    if status == 429 and "insufficient_quota" not in said:
        busy = ChatUnavailable(f"{name} is busy (429): {told}")
        _wait_for(busy, error.response.headers.get("retry-after"))
        return busy
    if status in (408, 409, 425) or (status >= 500 and not SCHEMA.search(said)):
        failure = ChatUnavailable(f"{name} failed ({status}): {told}")
        _wait_for(failure, error.response.headers.get("retry-after"))
        return failure
    hints = {
        402: "The account has no credit left.",
        401: _wrong_key(endpoint),
        403: "Its key is not allowed to use this model.",
        404: "Look at the model's name and at the server's address.",
        429: "The account has no credit left.",
    }
    # 403 may be about this request alone: gateways say it of what their filter stops.
    kind = ChatShut if status in (401, 402, 404, 429) else ChatRejected
    return kind(
        f"{name} refused the request ({status}): {told}",
        told=said,
        status=status,
        hint=hints.get(status, ""),
    )


def _wrong_key(endpoint: Endpoint) -> str:
    """What to do about it: the variable that its key is taken from."""
    if not endpoint.entry.key:
        return f"No key is sent to {endpoint.provider}; its `key` in configs/chat_models.yaml names a variable."
    return f"Its key is {'wrong' if endpoint.key else 'missing'}. To mend it: export {endpoint.entry.key}=..."


def _wait_for(failure: ChatUnavailable, header: str | None) -> None:
    """Take the server's own word for how long to wait; only in seconds, since dates need its clock."""
    try:
        seconds = float(header or "")
    except ValueError:
        return
    if 0.0 <= seconds < float("inf"):
        failure.wait_s = seconds  # type: ignore[attr-defined]


def shown(text: str, most: int = 300) -> str:
    """What a server said, as one short line without controls and without what looks like a key."""
    from agent.requests import without_controls

    clean = _SECRET.sub(r"\1…", " ".join(without_controls(text).split()))
    return clean if len(clean) <= most else clean[:most] + "…"
