"""ElevenLabs' `POST /v1/text-to-speech/{voice_id}/with-timestamps`, as it answers.

Written after elevenlabs.io/docs/api-reference/text-to-speech/convert-with-timestamps, its help page "API - Error Code
400 or 401", and the models and the request of its library 2.78: path, query, the body with types and bounds, the
header `xi-api-key`, and the bodies of errors. The sound is espeak-ng's; times are laid over its characters.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

KEY = "sk_canary_0f1e2d3c4b5a69788796a5b4c3d2e1f0"
MODELS = ("eleven_multilingual_v2", "eleven_v3", "eleven_flash_v2_5", "eleven_turbo_v2_5")
OUTPUTS = ("mp3_44100_128", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000")
MOST_CHARACTERS = 10_000


class Settings(BaseModel):
    model_config = ConfigDict(extra="allow")
    stability: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    similarity_boost: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    style: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    use_speaker_boost: bool | None = None
    speed: Annotated[float, Field(ge=0.7, le=1.2)] | None = None


class Body(BaseModel):
    text: str
    model_id: str = "eleven_multilingual_v2"
    language_code: str | None = None
    voice_settings: Settings | None = None
    seed: Annotated[int, Field(ge=0, le=4294967295)] | None = None
    previous_text: str | None = None
    next_text: str | None = None
    apply_text_normalization: Literal["auto", "on", "off"] = "auto"


class Server(ThreadingHTTPServer):
    """`plan` is what it answers next, one for each request: `ok`, or a name of `_FAULTS`, or `busy:SECONDS`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.voices = {"v0iceOfLuca": 240.0, "v0iceOfAlberto": 120.0}
        self.plan: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.quota = 100_000
        self.told_characters: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        words = parts.path.strip("/").split("/")
        if len(words) != 4 or words[:2] != ["v1", "text-to-speech"] or words[3] != "with-timestamps":
            self._json(404, {"detail": "Not Found"})
            return
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.server.seen.append({"voice": words[2], "query": query, "headers": dict(self.headers), "body": data})
        step = self.server.plan.pop(0) if self.server.plan else "ok"
        if step != "ok" and self._fail(step):
            return
        self._speak(words[2], query, data)

    def _speak(self, voice: str, query: dict[str, str], data: bytes) -> None:
        key = self.headers.get("xi-api-key")
        if not key:
            told = "Neither authorization header nor xi-api-key received, please provide one."
            self._refuse(401, "needs_authorization", told)
            return
        if key != KEY:
            self._refuse(401, "invalid_api_key", "Invalid API key")
            return
        try:
            body = Body.model_validate_json(data)
        except ValidationError as error:
            detail = [
                {"type": one["type"], "loc": ["body", *one["loc"]], "msg": one["msg"], "input": None}
                for one in error.errors()
            ]
            self._json(422, {"detail": detail})
            return
        output = query.get("output_format", "mp3_44100_128")
        if output not in OUTPUTS:
            self._json(422, {"detail": [{"type": "enum", "loc": ["query", "output_format"], "msg": "no such format"}]})
            return
        if output in ("pcm_44100", "pcm_48000"):
            self._refuse(403, "output_format_not_allowed", "Your current subscription does not allow this format.")
            return
        if voice not in self.server.voices:
            self._refuse(404, "voice_not_found", f"A voice with the voice_id {voice} was not found.")
            return
        if body.model_id not in MODELS:
            self._refuse(400, "model_not_found", f"A model with the model_id {body.model_id} was not found.")
            return
        if body.language_code and body.model_id == "eleven_multilingual_v2":
            self._refuse(400, "unsupported_language", "This model does not take a language_code.")
            return
        if len(body.text) > MOST_CHARACTERS:
            self._refuse(400, "max_character_limit_exceeded", f"This text has {len(body.text)} characters.")
            return
        if len(body.text) > self.server.quota:
            told = f"This request exceeds your quota. You have {self.server.quota} credits remaining."
            self._refuse(401, "quota_exceeded", told)
            return
        self.server.quota -= len(body.text)
        self._answer(voice, body, int(output.split("_")[1]))

    def _answer(self, voice: str, body: Body, rate: int) -> None:
        from tests.tools.voice.servers.rendition import rendition

        tone = body.voice_settings or Settings()
        shade = int(hashlib.sha256(str(body.seed).encode()).hexdigest()[:2], 16) / 255 * 0.04
        sound = rendition(
            body.text,
            rate,
            pitch=self.server.voices[voice] * (1 + shade),
            speed=tone.speed or 1.0,
            lively=1.6 - (tone.stability if tone.stability is not None else 0.5) + (tone.style or 0.0),
        )
        length = len(sound) / rate
        # 50 ms of silence lie around the sound; every character has its share of what is between.
        count = max(1, len(body.text))
        edges = np.linspace(0.05, length - 0.05, count + 1)
        alignment = {
            "characters": list(body.text),
            "character_start_times_seconds": [round(float(at), 3) for at in edges[:-1]],
            "character_end_times_seconds": [round(float(at), 3) for at in edges[1:]],
        }
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
        content = {
            "audio_base64": base64.b64encode(pcm).decode(),
            "alignment": alignment,
            "normalized_alignment": alignment,
        }
        told = self.server.told_characters
        self._json(200, content, {"character-cost": str(len(body.text) if told is None else told), "request-id": "r1"})

    def _fail(self, step: str) -> bool:
        name, _, value = step.partition(":")
        sound = base64.b64encode(b"\x00\x00" * 24_000).decode()
        match name:
            case "busy":
                headers = {"Retry-After": value} if value else {}
                detail = {"status": "too_many_concurrent_requests", "message": "Too many concurrent requests."}
                self._json(429, {"detail": detail}, headers)
            case "500":
                self._send(500, b"Internal Server Error", "text/plain", {})
            case "echo":
                self._refuse(400, "bad_thing", f"your key {self.headers.get('xi-api-key')} is wrong")
            case "elsewhere":
                self._send(307, b"", "text/plain", {"Location": value})
            case "html":
                self._send(200, b"<html>it works</html>", "text/html", {})
            case "silent":
                self._json(200, {"audio_base64": sound, "alignment": None})
            case "empty":
                self._json(200, {"audio_base64": "", "alignment": None})
            case "odd":
                self._json(200, {"audio_base64": base64.b64encode(b"\x01" * 4801).decode()})
            case "base64":
                self._json(200, {"audio_base64": "!!!!"})
            case "nothing":
                self._json(200, {"ok": True})
            case "list":
                self._json(200, [1, 2])
            case "hang":
                time.sleep(3.0)
            case "drip":
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                for _ in range(40):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.1)
            case "flood":
                self.send_response(200)
                self.send_header("Content-Length", str(1 << 30))
                self.end_headers()
                for _ in range(1 << 10):
                    self.wfile.write(b" " * (1 << 20))
            case "die":
                self.close_connection = True
            case _:
                raise AssertionError(step)
        return True

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._json(status, {"detail": {"status": code, "message": message}})

    def _json(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), "application/json", headers or {})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            # Whoever asked went away.
            return


@contextmanager
def serving() -> Iterator[Server]:
    """A server in a thread of this process."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2.0)
