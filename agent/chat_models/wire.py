"""One request over OpenAI's chat API, by langchain-openai: bounded in size and time, its failures told apart.

Servers differ in what they take. What one refuses (a schema, a temperature) is left out from then on and remembered for
as long as the process lives; that is a way of asking and changes nothing of what is accepted as an answer.

Sources: the OpenAI API reference (chat completions, error codes); the pages of vLLM, llama.cpp, Ollama and LM Studio on
their OpenAI-compatible servers.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.chat_models.base import ToolCall
from agent.chat_models.errors import BadReply, ChatFailed, ChatRefused, ChatRejected, ChatUnavailable
from agent.chat_models.failures import SCHEMA, as_failure, shown
from agent.chat_models.pieces import in_words, without_lengths
from configs.chat_models import Endpoint
from tools.errors import Cancelled, ToolError

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["Hold", "Reply", "Request", "Wire"]

Hold = Callable[[threading.Event], AbstractContextManager[None]]
"""Has a model on the device while it is asked; the event ends the wait for the device."""

MOST_BYTES = 4 * 1024 * 1024
"""Of one answer; a storyboard piece is some kilobytes."""
MOST_TOKENS = 10_000_000
"""That one request can have taken, prompt and answer; a server that tells of more does not count."""
ATTEMPTS = 3
"""Requests for one answer, where the server was busy, broke, or could not be reached."""
LONGEST_WAIT_S = 20.0
"""What a server may ask us to wait (Retry-After) before the turn goes on without it."""
LOOK_EVERY_S = 0.05
_TEMPERATURE = re.compile(r"temperature", re.IGNORECASE)
_WAYS = ("json_schema", "strict", "json_object", "none")
"""Of holding a server to a schema, from the firmest to none."""


@dataclass(frozen=True)
class Request:
    """What is asked in one request.

    Attributes:
        messages: langchain messages.
        schema: JSON schema of the answer, with its name; None for plain words.
        in_words: tell the schema in words as well, whatever the server can be held to.
        functions: OpenAI function schemas.
        temperature, max_tokens: as the API has them.
    """

    messages: Sequence[BaseMessage]
    schema: tuple[str, dict[str, Any]] | None = None
    functions: tuple[dict[str, Any], ...] = ()
    temperature: float | None = None
    max_tokens: int = 1_500
    in_words: bool = False


@dataclass(frozen=True)
class Reply:
    """What came back, unchecked: words, calls, and whether the answer was cut at its length limit."""

    text: str
    calls: tuple[ToolCall, ...]
    cut: bool
    tokens: int


@dataclass
class _Ways:
    """How a server wants to be asked, learned from what it refused."""

    structured: str
    temperature: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)


class Wire:
    """One endpoint. May be used from several threads.

    Args:
        endpoint: the model at its server.
        timeout_s: for one answer, all its attempts and waits included.
        hold: has the model on the device while it is asked, where it shares one.
    """

    def __init__(self, endpoint: Endpoint, timeout_s: float, hold: Hold = lambda _cancel: nullcontext()) -> None:
        self.endpoint = endpoint
        self.timeout_s = timeout_s
        self._hold = hold
        self._ways = _Ways(endpoint.entry.structured)
        self._model: Any = None
        self._lock = threading.Lock()

    def send(self, request: Request, *, seconds: float, cancel: threading.Event) -> Reply:
        """Ask; tries again where that may help.

        Args:
            seconds: what is left for it.
            cancel: a person stopped the turn.

        Raises:
            ChatFailed: see `agent.chat_models.errors`.
            Cancelled: `cancel` was set.
        """
        try:
            with self._hold(cancel):
                return self._tried(request, seconds, cancel)
        except (ChatFailed, Cancelled):
            raise
        except ToolError as error:
            raise ChatUnavailable(f"{self.endpoint.name} could not be brought to the device: {error}") from error

    def _tried(self, request: Request, seconds: float, cancel: threading.Event) -> Reply:
        deadline = time.monotonic() + min(self.timeout_s, seconds)
        last: ChatFailed = ChatUnavailable(f"{self.endpoint.name} did not answer in time")
        tries = 0
        while tries < ATTEMPTS and time.monotonic() < deadline:
            tries += 1
            try:
                return self._once(request, deadline, cancel)
            except ChatRejected as refusal:
                if not self._learn(request, refusal):
                    raise
                tries -= 1  # Asked in another way now; each way is left at most once.
            except ChatUnavailable as failure:
                last = failure
                wait = getattr(failure, "wait_s", 0.5 * 2 ** (tries - 1))
                if wait > min(LONGEST_WAIT_S, deadline - time.monotonic()) or tries == ATTEMPTS:
                    break
                if cancel.wait(wait):
                    raise Cancelled("stopped") from None
        raise last

    # -- one request ------------------------------------------------------------------------------------------------

    def _once(self, request: Request, deadline: float, cancel: threading.Event) -> Reply:
        """One request on a thread of its own: neither a silent server nor a dripping one outlasts the deadline."""
        future: Future[Any] = Future()
        model = self._chat()

        def work() -> None:
            try:
                future.set_result(model.invoke(self._messages(request), **self._parameters(request)))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, name=f"ask {self.endpoint.name}", daemon=True).start()
        while True:
            try:
                answer = future.result(timeout=LOOK_EVERY_S)
                break
            except NotYet:
                if future.done():
                    raise self._as_failure(future.exception()) from None
            except Exception as error:
                raise self._as_failure(error) from None
            if cancel.is_set():
                self._hang_up()
                raise Cancelled("stopped")
            if time.monotonic() >= deadline:
                self._hang_up()
                raise ChatUnavailable(f"{self.endpoint.name} did not answer within {self.timeout_s:g} s")
        return self._read(answer)

    def _chat(self) -> Any:
        """The langchain model, built at the first request (its import takes two seconds)."""
        with self._lock:
            if self._model is None:
                from langchain_openai import ChatOpenAI

                from agent.chat_models.limited_http import limited_client

                self._client = limited_client(MOST_BYTES, self.timeout_s, proxies=self.endpoint.is_remote)
                self._model = ChatOpenAI(
                    model=self.endpoint.model,
                    base_url=self.endpoint.url,
                    # Servers without keys want a word all the same; None would take OPENAI_API_KEY to a stranger.
                    api_key=self.endpoint.key or "none",
                    organization="" if self.endpoint.provider != "openai" else None,
                    http_client=self._client,
                    max_retries=0,
                    timeout=self.timeout_s,
                    use_responses_api=False,
                    streaming=False,
                )
            return self._model

    def _hang_up(self) -> None:
        """Close the connections, so that the server stops working for nobody."""
        with self._lock:
            if self._model is not None:
                self._model = None
                self._client.close()

    def _messages(self, request: Request) -> list[BaseMessage]:
        if request.schema is None or (self._ways.structured in ("json_schema", "strict") and not request.in_words):
            return list(request.messages)
        return in_words(request.messages, request.schema[1])

    def _parameters(self, request: Request) -> dict[str, Any]:
        # In extra_body, where langchain-openai leaves them as they are: it would parse schemas and rename limits.
        body: dict[str, Any] = {self.endpoint.entry.max_tokens: request.max_tokens}
        parameters: dict[str, Any] = {"extra_body": body}
        if request.schema is not None and self._ways.structured in ("json_schema", "strict"):
            name, schema = request.schema
            schema = without_lengths(schema) if self._ways.structured == "strict" else schema
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema, "strict": True},
            }
        elif request.schema is not None and self._ways.structured == "json_object":
            body["response_format"] = {"type": "json_object"}
        if request.functions and self.endpoint.entry.tools:
            parameters["tools"] = list(request.functions)
        if request.temperature is not None and self._ways.temperature:
            parameters["temperature"] = request.temperature
        return parameters

    def _learn(self, request: Request, refusal: ChatRejected) -> bool:
        """Whether to ask in another way: without what the server's words or its status complain about."""
        with self._ways.lock:
            if request.temperature is not None and self._ways.temperature and _TEMPERATURE.search(refusal.told):
                self._ways.temperature = False
                return True
            if request.schema is None or self._ways.structured == "none":
                return False
            if SCHEMA.search(refusal.told) or refusal.status >= 500:
                self._ways.structured = _WAYS[_WAYS.index(self._ways.structured) + 1]
                return True
        return False

    # -- what came back ---------------------------------------------------------------------------------------------

    def _read(self, message: BaseMessage) -> Reply:
        """The answer without langchain's types.

        Raises:
            BadReply: it is no answer of an assistant.
            ChatRefused: the model declined, or a filter of the server's did.
        """
        from langchain_core.messages import AIMessage

        if not isinstance(message, AIMessage):
            raise BadReply(
                f"{self.endpoint.name} answered in the role of another: {shown(self.endpoint.clean(message.type))}"
            )
        about = message.response_metadata or {}
        finish = str(about.get("finish_reason") or "")
        refusal = message.additional_kwargs.get("refusal")
        if refusal or finish == "content_filter":
            raise ChatRefused(
                f"{self.endpoint.name} declined: {shown(self.endpoint.clean(str(refusal or 'its content filter')))}"
            )
        calls = [
            ToolCall(
                *map(
                    self.endpoint.clean,
                    (str(one.get("id") or ""), str(one.get("name") or ""), _as_json(one.get("args"))),
                )
            )
            for one in [*message.tool_calls, *message.invalid_tool_calls]
        ]
        # A model that is told its own key, or a server that repeats it, must not bring it into prompts and films.
        text = self.endpoint.clean(str(message.text))
        return Reply(text, tuple(calls), cut=finish == "length", tokens=_tokens(message.usage_metadata, text))

    def _as_failure(self, error: BaseException | None) -> Exception:
        """The error of the SDK as one of ours; anything that is no error of a request is raised as it is."""
        return as_failure(error, self.endpoint, MOST_BYTES)


def _tokens(used: Any, text: str) -> int:
    """What an answer took, as the server counts; where that is no count (infinite, negative), by the text's length."""
    counted = used.get("total_tokens") if used else None
    return counted if isinstance(counted, int) and 0 < counted <= MOST_TOKENS else max(1, len(text) // 4)


def _as_json(arguments: Any) -> str:
    import json

    return arguments if isinstance(arguments, str) else json.dumps(arguments)
