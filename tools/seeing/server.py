"""A vision model at an OpenAI-compatible server: one picture and one question in, one text out, within limits.

Sources: the OpenAI API reference (chat completions with image_url parts, structured outputs, error codes); the pages of
vLLM, llama.cpp, Ollama and LM Studio on their OpenAI-compatible servers.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from configs.chat_models import Endpoint
from tools.errors import BadOutput, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite, ToolError
from tools.runtime.services.http import Answer, ServerHttp
from tools.seeing.asking import Question
from tools.seeing.cleaned import cleaned

__all__ = ["VisionServer"]

ANSWER_TOKENS = 2_000
ANSWER_BYTES = 1 << 20
ATTEMPTS = 3
"""Requests for one answer, where the server was busy or broke."""
LONGEST_WAIT_S = 20.0
"""What a server may ask to be left alone (Retry-After) before it counts as too busy."""
_TICK_S = 0.2
_SCHEMA = re.compile(r"response_format|json_schema|grammar|structured|guided|schema", re.IGNORECASE)
_TEMPERATURE = re.compile(r"temperature", re.IGNORECASE)
_PICTURES = re.compile(r"image|vision|multimodal|mmproj", re.IGNORECASE)
_SECRET = re.compile(r"(sk-|Bearer\s+)[\w.\-*]{6,}", re.IGNORECASE)
_NEXT = {"json_schema": "json_object", "json_object": "none"}


class VisionServer:
    """One model at its server. What it refuses of a way of asking is left out from then on.

    Args:
        endpoint: of chat_models.yaml.
        timeout_s: for one answer, all its attempts and waits included.
        alive: called while the server works; raises to stop waiting.
    """

    def __init__(self, endpoint: Endpoint, timeout_s: float, alive: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._alive = alive
        self._structured: str = endpoint.entry.structured
        self._temperature = True
        self._http = ServerHttp(endpoint.name, endpoint.url, remote=endpoint.is_remote, secure=True)
        if not (endpoint.key.isascii() and endpoint.key.isprintable()):
            # The library's own error would show it.
            raise MissingPrerequisite(
                f"the key in {endpoint.entry.key} holds characters that no key has.",
                command=f"export {endpoint.entry.key}=...",
            )

    def asker(self, picture: bytes) -> Callable[[Question, str, str], tuple[str, int]]:
        """What asks about this JPEG; see `tools.seeing.asking.ask_with_repair`."""
        address = "data:image/jpeg;base64," + base64.b64encode(picture).decode()

        def ask(asked: Question, bad: str, wrong: str) -> tuple[str, int]:
            return self._ask(asked, address, bad, wrong)

        return ask

    def _ask(self, asked: Question, address: str, bad: str, wrong: str) -> tuple[str, int]:
        deadline = time.monotonic() + self._timeout_s
        failure: ToolError = EngineHung(f"{self._endpoint.name} did not answer within {self._timeout_s:g} s.")
        tries = 0
        while tries < ATTEMPTS and (left := deadline - time.monotonic()) > 0:
            tries += 1
            try:
                answer = self._sent(self._body(asked, address, bad, wrong), left)
            except EngineFailed as error:
                failure, wait = error, 0.5 * tries
                if isinstance(error, EngineHung):
                    raise
            else:
                if 200 <= answer.status < 300:
                    return self._read(answer)
                if self._learns(answer):
                    tries -= 1  # Asked in another way now; each way is left at most once.
                    continue
                failure = self._refused(answer)
                if not isinstance(failure, EngineFailed):
                    raise failure
                wait = _seconds(answer.retry_after, 0.5 * tries)
            if tries == ATTEMPTS or wait > min(LONGEST_WAIT_S, deadline - time.monotonic()):
                break
            self._wait(wait)
        raise failure

    def _body(self, asked: Question, address: str, bad: str, wrong: str) -> dict[str, Any]:
        entry = self._endpoint.entry
        shown = [{"type": "text", "text": asked.text}, {"type": "image_url", "image_url": {"url": address}}]
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": asked.system},
            {"role": "user", "content": shown},
        ]
        if wrong:
            told = f"This is not valid: {wrong} Answer again, complete, with the JSON object alone."
            messages += [{"role": "assistant", "content": bad}, {"role": "user", "content": told}]
        body: dict[str, Any] = {
            "model": self._endpoint.model, "messages": messages, entry.max_tokens: ANSWER_TOKENS, "stream": False,
        }  # fmt: skip
        if self._temperature:
            body["temperature"] = 0.0
        if self._structured == "json_schema":
            held = {"name": "judgement", "schema": asked.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": held}
        elif self._structured == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def _sent(self, body: dict[str, Any], seconds: float) -> Answer:
        """One request on a thread of its own, so that whoever waits can be stopped."""
        found: list[Answer | Exception] = []
        headers = {"Authorization": f"Bearer {self._endpoint.key}"} if self._endpoint.key else {}

        def work() -> None:
            try:
                found.append(
                    self._http.ask(
                        "POST", "/chat/completions", timeout_s=seconds, body=body, headers=headers, most=ANSWER_BYTES
                    )
                )
            except Exception as error:
                found.append(error)

        worker = threading.Thread(target=work, name=f"look {self._endpoint.name}", daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(_TICK_S)
            self._alive()
        answer = found[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._alive()
            time.sleep(min(_TICK_S, left))

    # -- what came back ---------------------------------------------------------------------------------------------

    def _read(self, answer: Answer) -> tuple[str, int]:
        """The text, and the tokens that it took.

        Raises:
            BadOutput: no chat completion, a refusal, or an answer that was cut off.
        """
        name = self._endpoint.name
        data = answer.json()
        try:
            choice = data["choices"][0]
            message = choice["message"]
            content, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
        except (KeyError, IndexError, TypeError, AttributeError):
            raise BadOutput(f"{name} answered with something that is no chat completion.") from None
        if refusal or finish == "content_filter":
            why = self._shown(refusal) if isinstance(refusal, str) else "its content filter"
            raise BadOutput(f"{name} declined to look at the picture: {why}")
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in content if isinstance(part, dict))
        text = self._endpoint.clean(content) if isinstance(content, str) else ""
        if finish == "length":
            # What was cut off is no judgement, even where it reads as one; it is asked for once more.
            text = ""
        return text, _tokens(data)

    def _learns(self, answer: Answer) -> bool:
        """Whether to ask in another way: without what the server complains about."""
        if answer.status not in (400, 404, 415, 422, 500, 501):
            return False
        told = answer.body[:4000].decode(errors="replace")
        if self._temperature and answer.status < 500 and _TEMPERATURE.search(told):
            self._temperature = False
            return True
        if self._structured in _NEXT and answer.status != 404 and (_SCHEMA.search(told) or answer.status >= 500):
            self._structured = _NEXT[self._structured]
            return True
        return False

    def _refused(self, answer: Answer) -> ToolError:
        """The error that a status stands for; without the key, whatever the server repeats of it."""
        name, status = self._endpoint.name, answer.status
        told = self._shown(_message(answer.body))
        if status in (401, 403):
            variable = self._endpoint.entry.key
            command = f"export {variable}=..." if variable else "see configs/chat_models.yaml"
            return MissingPrerequisite(f"{name} did not accept the key ({status}): {told}", command=command)
        if status == 404:
            pull = f"ollama pull {self._endpoint.model}" if self._endpoint.provider == "ollama" else "studio doctor"
            return MissingPrerequisite(f"{name} is not there (404): {told}", command=pull)
        if status in (408, 409, 425, 429) or status >= 500:
            busy = "is busy" if status == 429 else "failed"
            return EngineFailed(f"{name} {busy} ({status}): {told}")
        if _PICTURES.search(told):
            return InvalidInput(f"{name} takes no pictures, or not this one ({status}): {told}", where="vision")
        return InvalidInput(f"{name} refused the request ({status}): {told}", where="vision")

    def _shown(self, text: str) -> str:
        return _SECRET.sub(r"\1…", cleaned(self._endpoint.clean(text), 300))


def _message(body: bytes) -> str:
    """What a server says of an error, out of the object that OpenAI's API wraps it in; else the body's beginning."""
    text = body[:4000].decode(errors="replace")
    try:
        error = json.loads(text)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return text[:600]


def _tokens(data: Any) -> int:
    used = data.get("usage") if isinstance(data, dict) else None
    total = used.get("total_tokens") if isinstance(used, dict) else None
    known = isinstance(total, int) and not isinstance(total, bool) and 0 <= total < 10_000_000
    return int(total) if known and total is not None else 0


def _seconds(header: str, otherwise: float) -> float:
    try:
        seconds = float(header)
    except ValueError:
        return otherwise
    return seconds if 0.0 <= seconds < float("inf") else otherwise
