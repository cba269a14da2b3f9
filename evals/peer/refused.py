"""An error as the servers word it.

OpenAI: https://platform.openai.com/docs/guides/error-codes. vLLM: `vllm/entrypoints/openai/protocol.py`
(ErrorResponse). llama.cpp: `tools/server/README.md`, https://github.com/ggml-org/llama.cpp/pull/15780
(`exceed_context_size_error`). Ollama cuts long prompts itself.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DIALECTS", "Refused", "overflow"]

DIALECTS = ("openai", "vllm", "llama.cpp", "ollama")


class Refused(Exception):
    """The request is not answered: status, and the error object of the body."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | int | None = None, status: int = 400,
        kind: str = "invalid_request_error", more: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code, **(more or {})}


def overflow(dialect: str, asked: int, window: int, completion: int = 0) -> Refused:
    """The prompt (tokens) and what shall be answered do not fit the window, in the words of the server.

    Ollama has no such error: it gets OpenAI's, as the gateways before it give.
    """
    if dialect == "vllm":
        return Refused(
            f"This model's maximum context length is {window} tokens. However, you requested {asked + completion} "
            f"tokens ({asked} in the messages, {completion} in the completion). Please reduce the length of the "
            "messages or completion.",
            kind="BadRequestError", code=400,
        )  # fmt: skip
    if dialect == "llama.cpp":
        return Refused(
            "the request exceeds the available context size. try increasing the context size or enable context shift",
            kind="exceed_context_size_error", code=400, more={"n_prompt_tokens": asked, "n_ctx": window},
        )  # fmt: skip
    return Refused(
        f"This model's maximum context length is {window} tokens. However, your messages resulted in {asked} tokens. "
        "Please reduce the length of the messages.",
        param="messages", code="context_length_exceeded",
    )  # fmt: skip
