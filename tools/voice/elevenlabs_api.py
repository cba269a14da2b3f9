"""One line asked of ElevenLabs, with the times of its characters: `/v1/text-to-speech/{voice_id}/with-timestamps`.

Through the service's own library, which leaves some things to us: it tries again by itself (turned off), it follows
redirects with the key (turned off), reads without end (bounded), and does not look at what it was answered.

Source: elevenlabs.io/docs/api-reference/text-to-speech/convert-with-timestamps, and the library's version 2.78.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from configs.voice_engines import ElevenlabsSettings
from tools.errors import BadOutput, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite, ToolError
from tools.voice.elevenlabs_line import Answer, LineRequest, characters_of
from tools.voice.spending import Spent

if TYPE_CHECKING:
    import httpx

__all__ = ["ElevenlabsApi"]

MAX_BYTES = 64 << 20
_POLL_S = 0.1
_DIGITS = re.compile(r"[0-9]+\Z")
"""Of a header: `str.isdigit` takes ² for a digit, too, and `int` does not."""


class _Busy(Exception):
    """To be tried again after a while."""

    def __init__(self, told: str, pause_s: float | None) -> None:
        super().__init__(told)
        self.told, self.pause_s = told, pause_s


class ElevenlabsApi:
    """The service.

    Args:
        settings: where it is, how often and how long it is tried.
        key: of the account; told to nobody but the service.
    """

    def __init__(self, settings: ElevenlabsSettings, key: str) -> None:
        self._settings, self._key = settings, key

    def say(self, request: LineRequest, spent: Spent, beat: Callable[[str], None]) -> Answer:
        """Have a line said.

        Args:
            spent: told what it came to, or that nothing was charged.
            beat: called again and again with what is going on; may raise to stop.

        Raises:
            MissingPrerequisite: the key is not accepted.
            InvalidInput: the service refuses the request; says why.
            EngineHung: no answer in time. EngineFailed: it cannot be reached, breaks, or stays too busy.
            BadOutput: it answered with nothing usable.
        """
        pause = 1.0
        for attempt in range(1, self._settings.tries + 1):
            try:
                return self._ask(request, spent, beat)
            except _Busy as busy:
                spent.nothing()
                wait = pause if busy.pause_s is None else busy.pause_s
                if wait > self._settings.longest_pause:
                    told = f"{busy.told}, and says to come again in {wait:.0f} s"
                    raise EngineFailed(f"ElevenLabs {told}.", hint="Try again later, or take another voice.") from None
                if attempt == self._settings.tries:
                    raise EngineFailed(f"ElevenLabs {busy.told}, {attempt} times in a row.") from None
                _wait(wait, partial(beat, f"ElevenLabs {busy.told}; waiting"))
                pause *= 2
                spent.charged = None
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, request: LineRequest, spent: Spent, beat: Callable[[str], None]) -> Answer:
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def work() -> None:
            try:
                results.put(self._post(request))
            except BaseException as error:
                results.put(error)

        threading.Thread(target=work, name="elevenlabs", daemon=True).start()
        begun = time.monotonic()
        while True:
            try:
                outcome = results.get(timeout=_POLL_S)
                break
            except queue.Empty:
                if time.monotonic() - begun > self._settings.timeout + 1.0:
                    raise self._late() from None
                # Who stops here has paid: what was sent cannot be taken back.
                beat("")
        if isinstance(outcome, BaseException):
            raise self._understood(outcome, spent)
        headers, data = outcome
        charged = str(headers.get("character-cost") or headers.get("x-character-count") or "")
        spent.came_to(int(charged) if _DIGITS.match(charged) and len(charged) < 9 else len(request.text))
        return self._read(data, request)

    def _post(self, request: LineRequest) -> tuple[Mapping[str, str], Any]:
        import httpx
        from elevenlabs import VoiceSettings
        from elevenlabs.client import ElevenLabs

        timeout = self._settings.timeout
        with httpx.Client(transport=_bounded(timeout), timeout=timeout, follow_redirects=False) as http:
            client = ElevenLabs(base_url=self._settings.url, api_key=self._key, httpx_client=http, timeout=timeout)
            answer = client.text_to_speech.with_raw_response.convert_with_timestamps(
                request.voice_id,
                text=request.text,
                model_id=request.model,
                output_format=request.output,
                seed=request.seed,
                voice_settings=VoiceSettings(
                    stability=request.stability,
                    similarity_boost=request.similarity,
                    style=request.style,
                    use_speaker_boost=request.speaker_boost,
                    speed=request.speed,
                ),
                request_options={"max_retries": 0, "additional_headers": {"Accept-Encoding": "identity"}},
            )
            return answer.headers, answer.data

    # -- what went wrong --------------------------------------------------------------------------------------------

    def _understood(self, error: BaseException, spent: Spent) -> BaseException:
        """An error of the library as one of ours, without headers, and without the key."""
        import httpx
        from elevenlabs.core.api_error import ApiError

        if isinstance(error, ToolError):
            return error
        if isinstance(error, ApiError):
            return self._refusal(error, spent)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            spent.nothing()
            return _Busy("cannot be reached", None)
        if isinstance(error, httpx.TimeoutException):
            return self._late()
        if isinstance(error, httpx.HTTPError):
            return EngineFailed(f"the connection to ElevenLabs broke ({type(error).__name__}).")
        if isinstance(error, ValueError | TypeError | KeyError | AttributeError | RecursionError):
            return BadOutput("ElevenLabs answered what its own library cannot read.")
        return error

    def _late(self) -> EngineHung:
        return EngineHung(f"ElevenLabs did not answer within {self._settings.timeout:g} s.")

    def _refusal(self, error: Any, spent: Spent) -> BaseException:
        status = int(error.status_code or 0)
        code, said = self._said(error.body)
        if 200 <= status < 300:
            return BadOutput("ElevenLabs answered no JSON.")
        spent.nothing()
        if status == 429:
            return _Busy(f"is busy ({code or 'too many requests'})", _retry_after(error.headers or {}))
        if status in (408, 409) or status >= 500:
            return _Busy(f"answered {status}", _retry_after(error.headers or {}))
        if 300 <= status < 400:
            return EngineFailed(f"ElevenLabs answered {status}: it leads elsewhere, and the key does not go there.")
        if code in ("quota_exceeded", "insufficient_credits") or status == 402:
            return InvalidInput(f"the quota at ElevenLabs is used up: {said}", hint="Take another voice.")
        if status == 401:
            return MissingPrerequisite(
                f"ElevenLabs does not accept the key ({code or said}).", command="export ELEVENLABS_API_KEY=..."
            )
        if status == 404 or code == "voice_not_found":
            return InvalidInput(
                f"ElevenLabs has no such voice: {said}", where="voice_id", hint="`studio voice add` names another."
            )
        return InvalidInput(f"ElevenLabs refuses the request ({status} {code}): {said}".replace(" )", ")"))

    def _said(self, body: Any) -> tuple[str, str]:
        """Code and message of an error: `detail` is an object, a list of what does not validate, or a text."""
        detail = body.get("detail", body) if isinstance(body, dict) else body
        if isinstance(detail, list):
            parts = [one for one in detail if isinstance(one, dict)]
            told = "; ".join(f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}" for one in parts[:3])
            return "", self._safe(told)
        if isinstance(detail, dict):
            code = str(detail.get("status") or detail.get("code") or "")
            return self._safe(code)[:60], self._safe(str(detail.get("message", "")))
        return "", self._safe(str(detail))

    def _safe(self, text: str) -> str:
        return " ".join(text.replace(self._key, "***").split())[:300]

    # -- what it answered -------------------------------------------------------------------------------------------

    def _read(self, data: Any, request: LineRequest) -> Answer:
        encoded = getattr(data, "audio_base_64", None)
        try:
            raw = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
        except (binascii.Error, ValueError):
            raise BadOutput("ElevenLabs answered sound that is not in base64.") from None
        if not raw:
            raise BadOutput("ElevenLabs answered without sound.")
        if len(raw) % 2 or raw[:4] == b"RIFF" or raw[:3] == b"ID3":
            raise BadOutput(f"ElevenLabs answered sound that is no {request.output}.")
        samples, rate = np.frombuffer(raw, dtype="<i2"), self._settings.rate
        return Answer(samples, rate, request.text, characters_of(getattr(data, "alignment", None), len(samples) / rate))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as the service says: a number, or a date (RFC 9110, 10.2.3)."""
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if _DIGITS.match(told):
        return float(told[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time()) if told else None
    except (ValueError, TypeError, OverflowError):
        return None


def _wait(seconds: float, beat: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while True:
        beat()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(0.1, left))


def _bounded(limit_s: float) -> httpx.BaseTransport:
    """A transport that reads an answer within a time and a size: the library's limits begin anew with each byte."""
    import httpx

    class Bounded(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            deadline = time.monotonic() + limit_s
            answer = super().handle_request(request)
            body = bytearray()
            try:
                for part in answer.iter_raw():
                    body += part
                    if len(body) > MAX_BYTES:
                        raise BadOutput(f"ElevenLabs answered with more than {MAX_BYTES >> 20} MB.")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("too slow", request=request)
            finally:
                answer.close()
            headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
            return httpx.Response(answer.status_code, headers=headers, content=bytes(body), request=request)

    return Bounded(retries=0)
