"""GPT-SoVITS' `api_v2.py`, as it answers: `python sovits.py -a HOST -p PORT -c CONFIG`.

Written after RVC-Boss/GPT-SoVITS, `api_v2.py` and `GPT_SoVITS/TTS_infer_pack/TTS.py` (commit 0235857): the same paths,
parameters with their types and defaults, order of the checks, bodies of the errors, streaming modes, and the same
failures that look like success. Weights are small JSON files here (`{"weights": "gpt"|"sovits", "pitch": 220}`); the
sound is espeak-ng's, at a pitch that follows from weights, recording and seed, and a liveliness from the temperature.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import re
import signal
import sys
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Union
from urllib.parse import parse_qs, urlsplit

import numpy as np
import yaml
from pydantic import BaseModel, ValidationError

LANGUAGES = ["auto", "auto_yue", "en", "zh", "ja", "yue", "ko", "all_zh", "all_ja", "all_yue", "all_ko"]
CUTS = ["cut0", "cut1", "cut2", "cut3", "cut4", "cut5"]
RATES = {"v1": 32_000, "v2": 32_000, "v2Pro": 32_000, "v3": 24_000, "v4": 48_000}


class Request(BaseModel):
    """`TTS_Request` of api_v2.py."""

    text: str = None  # type: ignore[assignment]
    text_lang: str = None  # type: ignore[assignment]
    ref_audio_path: str = None  # type: ignore[assignment]
    aux_ref_audio_paths: list = None  # type: ignore[assignment,type-arg]
    prompt_lang: str = None  # type: ignore[assignment]
    prompt_text: str = ""
    top_k: int = 15
    top_p: float = 1
    temperature: float = 1
    text_split_method: str = "cut5"
    batch_size: int = 1
    batch_threshold: float = 0.75
    split_bucket: bool = True
    speed_factor: float = 1.0
    fragment_interval: float = 0.3
    seed: int = -1
    media_type: str = "wav"
    streaming_mode: Union[bool, int] = False  # noqa: UP007 - as it stands there
    parallel_infer: bool = True
    repetition_penalty: float = 1.35
    sample_steps: int = 32
    super_sampling: bool = False
    overlap_length: int = 2
    min_chunk_length: int = 16


class Server(ThreadingHTTPServer):
    """Its state, what it was asked, and what it is to fail at.

    `faults`: `infer` (an inference fails), `infer2` (the second fragment does), `hang`, `cut`, `noise` (overdriven),
    `oom`, `slow` (a quarter of a second a fragment).
    """

    daemon_threads = True

    def __init__(self, port: int = 0, config: Path | None = None, version: str = "v2") -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.config = config
        self.version = version
        self.gpt: dict[str, Any] = {"pitch": 150}
        self.sovits: dict[str, Any] = {"pitch": 150}
        self.gpt_path = self.sovits_path = "default"
        self.prompt: dict[str, Any] = {"path": None, "digest": "", "sovits": ""}
        self.faults: set[str] = set()
        self.seen: list[tuple[str, str, dict[str, Any]]] = []
        self.spoken: list[dict[str, Any]] = []
        self.loop = threading.RLock()
        """Its event loop: whatever runs on it keeps all others waiting."""
        self.inferring = 0
        self.overlaps = 0
        """Times at which weights or words came in while words were being said: that garbles both."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    # -- what it holds

    def save(self) -> None:
        if self.config is not None:
            data = {"custom": {"t2s_weights_path": self.gpt_path, "vits_weights_path": self.sovits_path}}
            self.config.write_text(yaml.safe_dump(data))

    def load_gpt(self, path: str) -> None:
        # The path is written before the file is read.
        self.gpt_path = path
        self.save()
        self.gpt = self._weights(path, "gpt")

    def load_sovits(self, path: str) -> None:
        self.sovits_path = path
        self.sovits = self._weights(path, "sovits")
        self.save()

    @staticmethod
    def _weights(path: str, kind: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(Path(path).read_text())
        if data["weights"] != kind:
            raise KeyError("config")
        return data

    def set_ref_audio(self, path: str) -> None:
        with wave.open(path) as stream:
            seconds = stream.getnframes() / stream.getframerate()
        if not 3.0 <= seconds <= 10.0:
            raise OSError("参考音频在3~10秒范围外，请更换！")
        # The prompt's tokens come from the weights of this moment, and stay when those change.
        self.prompt = {
            "path": path,
            "digest": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
            "sovits": self.sovits_path,
        }

    # -- speaking

    def run(self, req: dict[str, Any]) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
        """`TTS.run`: whole, or in fragments."""
        pieces = req["return_fragment"] or req["streaming_mode"]
        rate = RATES[self.version]
        assert req["text_lang"] in LANGUAGES
        if req["prompt_text"] not in (None, ""):
            assert req["prompt_lang"] in LANGUAGES
        elif self.version in ("v3", "v4"):
            raise ValueError("prompt_text cannot be empty when using SoVITS_V3")
        if req["ref_audio_path"] != self.prompt["path"]:
            if not Path(req["ref_audio_path"]).exists():
                raise ValueError(f"{req['ref_audio_path']} not exists")
            self.set_ref_audio(req["ref_audio_path"])
        fragments = _cut(req["text"], req["text_split_method"])
        if not fragments:
            if not pieces:
                yield 16_000, np.zeros(16_000, dtype=np.int16)
            return
        while req["batch_size"] <= 0:
            # `while pos < end` whose step is the size of a batch.
            time.sleep(3600)
        self.inferring += 1
        try:
            whole: list[np.ndarray[Any, Any]] = []
            for number, fragment in enumerate(fragments):
                if "slow" in self.faults:
                    time.sleep(0.25)
                if "hang" in self.faults:
                    time.sleep(3600)
                if "infer" in self.faults or ("infer2" in self.faults and number == 1):
                    raise RuntimeError("CUDA error: device-side assert triggered")
                part = np.concatenate([self._say(fragment, req, rate), np.zeros(int(rate * req["fragment_interval"]))])
                sound = (np.clip(part, -1, 1) * 32767).astype(np.int16)
                if pieces:
                    yield rate, sound
                whole.append(sound)
            if not pieces:
                yield rate, np.concatenate(whole)
        except Exception:
            yield 16_000, np.zeros(16_000, dtype=np.int16)
            raise
        finally:
            self.inferring -= 1

    def _say(self, text: str, req: dict[str, Any], rate: int) -> np.ndarray[Any, Any]:
        from tests.tools.voice.servers.rendition import rendition

        chance = random.Random(f"{req['seed']}" if req["seed"] != -1 else None)
        if "noise" in self.faults:
            return np.clip(np.random.default_rng(0).standard_normal(rate * 2) * 20, -1, 1)
        stale = 1.0 if self.prompt["sovits"] == self.sovits_path else 1.5
        shade = 1 + int(self.prompt["digest"][:2], 16) / 255 * 0.2
        pitch = (self.gpt["pitch"] + self.sovits["pitch"]) / 2 * shade * stale * (1 + 0.03 * chance.random())
        return rendition(text, rate, pitch=pitch, speed=req["speed_factor"], lively=req["temperature"])


def _cut(text: str, method: str) -> list[str]:
    parts = [text] if method == "cut0" else re.split(r"(?<=[,.;?!、，。？！：…])", text)
    return [part for part in parts if re.search(r"\w", part)]


def _header(rate: int) -> bytes:
    """`wave_header_chunk`: a WAV of no frames."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(b"")
    return buffer.getvalue()


def _wav(rate: int, sound: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(sound.tobytes())
    return buffer.getvalue()


def check_params(req: dict[str, Any]) -> str | None:
    """The message of a 400, in the order of api_v2.py."""
    if req["ref_audio_path"] in (None, ""):
        return "ref_audio_path is required"
    if req["text"] in (None, ""):
        return "text is required"
    for name in ("text_lang", "prompt_lang"):
        if req[name] in (None, ""):
            return f"{name} is required"
        if req[name].lower() not in LANGUAGES:
            return f"{name}: {req[name]} is not supported in version v2"
    if req["media_type"] not in ("wav", "raw", "ogg", "aac"):
        return f"media_type: {req['media_type']} is not supported"
    if req["text_split_method"] not in CUTS:
        return f"text_split_method:{req['text_split_method']} is not supported"
    return None


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.server.seen.append(("GET", parts.path, query))
        with self.server.loop:
            match parts.path:
                case "/openapi.json":
                    self._json(200, {"openapi": "3.1.0", "info": {"title": "FastAPI", "version": "0.1.0"}})
                case "/control":
                    self._control(query.get("command"))
                case "/set_gpt_weights":
                    self._set("gpt", query.get("weights_path"))
                case "/set_sovits_weights":
                    self._set("sovits", query.get("weights_path"))
                case "/set_refer_audio":
                    self._refer(query.get("refer_audio_path"))
                case "/tts":
                    if query.get("text_lang") is None or query.get("prompt_lang") is None:
                        # None.lower()
                        self._send(500, b"Internal Server Error", "text/plain; charset=utf-8")
                        return
                    low = {name: query[name].lower() for name in ("text_lang", "prompt_lang")}
                    self._tts({**query, **low}, kind="query")
                case _:
                    self._json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        if parts.path != "/tts":
            known = ("/control", "/set_gpt_weights", "/set_sovits_weights", "/set_refer_audio", "/openapi.json")
            status = 405 if parts.path in known else 404
            self._json(status, {"detail": "Method Not Allowed" if status == 405 else "Not Found"})
            return
        try:
            body = json.loads(data)
        except ValueError:
            self._json(422, {"detail": [{"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error"}]})
            return
        self.server.seen.append(("POST", parts.path, body))
        self._tts(body, kind="body")

    def _control(self, command: str | None) -> None:
        if command is None:
            self._json(400, {"message": "command is required"})
        elif command == "exit":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self._json(200, None)

    def _set(self, kind: str, path: str | None) -> None:
        if path in (None, ""):
            self._json(400, {"message": f"{kind} weight path is required"})
            return
        self.server.overlaps += self.server.inferring > 0
        try:
            (self.server.load_gpt if kind == "gpt" else self.server.load_sovits)(str(path))
        except Exception as error:
            self._json(400, {"message": f"change {kind} weight failed", "Exception": str(error)})
            return
        self._json(200, {"message": "success"})

    def _refer(self, path: str | None) -> None:
        try:
            self.server.set_ref_audio(path)  # type: ignore[arg-type]
        except Exception as error:
            self._json(400, {"message": "set refer audio failed", "Exception": str(error)})
            return
        self._json(200, {"message": "success"})

    def _tts(self, raw: Any, kind: str) -> None:
        try:
            req = Request.model_validate(raw).model_dump()
        except ValidationError as error:
            detail = [
                {"type": one["type"], "loc": [kind, *one["loc"]], "msg": one["msg"], "input": one["input"]}
                for one in error.errors()
            ]
            self._json(422, {"detail": detail})
            return
        message = check_params(req)
        if message is not None:
            self._json(400, {"message": message})
            return
        mode = req["streaming_mode"]
        if mode not in (0, 1, 2, 3):
            told = "the value of streaming_mode must be 0, 1, 2, 3(int) or true/false(bool)"
            self._json(400, {"message": told})
            return
        req["return_fragment"], req["streaming_mode"] = mode == 1, mode in (2, 3)
        self.server.spoken.append({**req, "gpt": self.server.gpt_path, "sovits": self.server.sovits_path})
        self.server.overlaps += self.server.inferring > 0
        if mode:
            self._stream(req)
        else:
            with self.server.loop:
                self._whole(req)

    def _whole(self, req: dict[str, Any]) -> None:
        try:
            if "oom" in self.server.faults:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            rate, sound = next(self.server.run(req))
        except Exception as error:
            self._json(400, {"message": "tts failed", "Exception": str(error)})
            return
        body = _wav(rate, sound)
        if "cut" in self.server.faults:
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self._send(200, body, "audio/wav")

    def _stream(self, req: dict[str, Any]) -> None:
        """`StreamingResponse`: the status is sent before anything was computed; who fails then just hangs up."""
        self.send_response(200)
        self.send_header("Content-Type", "audio/wav")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            first = True
            for rate, sound in self.server.run(req):
                pieces = [_header(rate)] if first else []
                first = False
                raw = sound.tobytes()
                if "cut" in self.server.faults:
                    self._chunk(b"".join([*pieces, raw[: len(raw) // 2]]))
                    return
                for piece in (*pieces, raw):
                    self._chunk(piece)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            return
        except Exception:
            return

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _json(self, status: int, content: Any) -> None:
        self._send(status, json.dumps(content, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(version: str = "v2", config: Path | None = None) -> Iterator[Server]:
    """A server in a thread of this process."""
    server = Server(config=config, version=version)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2.0)


def main() -> None:
    """As `api_v2.py` is started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", default="GPT_SoVITS/configs/tts_infer.yaml")
    parser.add_argument("-a", default="127.0.0.1")
    parser.add_argument("-p", type=int, default=9880)
    args = parser.parse_args()
    config = Path(args.c)
    yaml.safe_load(config.read_text())
    print("GPT-SoVITS (a server of the tests)", flush=True)
    server = Server(args.p, config)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
