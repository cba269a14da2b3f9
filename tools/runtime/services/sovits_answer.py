"""What GPT-SoVITS answers: a body that comes in pieces, a WAV that may lie about its length, errors and silences.

Read in RVC-Boss/GPT-SoVITS `api_v2.py` and `GPT_SoVITS/TTS_infer_pack/TTS.py` (0235857), and run in its version of
August 2026:

- a failed inference answers 200 with 1.00 s of zeros at 16 kHz; one that fails while it streams, with a body cut short;
- a streamed WAV says that it has no frames, and goes on to its end.
"""

from __future__ import annotations

import http.client
import json
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from tools.errors import BadOutput, EngineCrashed, EngineFailed, EngineHung, InvalidInput, OutOfMemory, ToolError

__all__ = ["Reading", "SovitsTimes", "Spoken", "read_wav_bytes", "refusal"]

MAX_BYTES = 64 << 20
"""Eleven minutes at 48 kHz; a longer answer is not a line."""
_POLL_S = 0.1
_READ = 1 << 15


@dataclass(frozen=True)
class SovitsTimes:
    """Seconds to change weights, until an answer begins, of silence within one, and for all of a line."""

    weights: float = 120.0
    first: float = 120.0
    next: float = 60.0
    line: float = 300.0


@dataclass(frozen=True)
class Spoken:
    """What it said: `(n,)` of 16 bit, and the rate in Hz."""

    samples: npt.NDArray[np.int16]
    rate: int


class Reading:
    """One `POST /tts`, read in a thread, so that a stop is heard while the server says nothing."""

    def __init__(self, url: str, request: Mapping[str, Any], times: SovitsTimes) -> None:
        parts = urlsplit(url)
        self._path = f"{parts.path.rstrip('/')}/tts"
        self._request, self._times = json.dumps(request).encode(), times
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=times.first + 5)
        self.settled = True
        """False where it was stopped, and works on all the same."""
        self._pieces: queue.SimpleQueue[bytes | int | BaseException | None] = queue.SimpleQueue()

    def _work(self) -> None:
        """The status, pieces of the body, and None at its end; or what went wrong."""
        try:
            self._connection.request("POST", self._path, self._request, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            self._pieces.put(response.status)
            while piece := response.read1(_READ):
                self._pieces.put(piece)
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            self._pieces.put(None)
        except BaseException as error:
            self._pieces.put(error)

    def read(self, name: str, beat: Callable[[float], None], settle_s: float) -> tuple[int, bytes]:
        """Status and whole body.

        Raises:
            EngineHung, EngineCrashed, BadOutput: see `SovitsSpeech.speak`; what `beat` raises.
        """
        worker = threading.Thread(target=self._work, name="tts", daemon=True)
        worker.start()
        status, body = 0, bytearray()
        begun = quiet_since = time.monotonic()
        limit = self._times.first
        try:
            while True:
                try:
                    piece = self._pieces.get(timeout=_POLL_S)
                except queue.Empty:
                    if time.monotonic() - quiet_since > limit:
                        raise EngineHung(f"{name} said nothing for {limit:g} s.") from None
                    self._beat(beat, body, settle_s)
                    continue
                quiet_since = time.monotonic()
                if quiet_since - begun > self._times.line:
                    raise EngineHung(f"{name} was not done with a line within {self._times.line:g} s.")
                if piece is None:
                    return status, bytes(body)
                if isinstance(piece, BaseException):
                    raise _broken(piece, name, len(body))
                if isinstance(piece, int):
                    status = piece
                    continue
                limit = self._times.next
                body += piece
                if len(body) > MAX_BYTES:
                    raise BadOutput(f"{name} answered with more than {MAX_BYTES >> 20} MB.")
                self._beat(beat, body, settle_s)
        finally:
            self._close()

    def _beat(self, beat: Callable[[float], None], body: bytearray, settle_s: float) -> None:
        rate = int.from_bytes(body[24:28], "little") if len(body) >= 44 and body[:4] == b"RIFF" else 0
        try:
            beat(max(0, len(body) - 44) / 2 / rate if rate else 0.0)
        except BaseException:
            self.settled = self._settles(settle_s)
            raise

    def _settles(self, limit_s: float) -> bool:
        """Read on to the end of the answer: it goes on working on it until then, whoever listens."""
        deadline = time.monotonic() + limit_s
        while (left := deadline - time.monotonic()) > 0:
            with suppress(queue.Empty):
                piece = self._pieces.get(timeout=left)
                if piece is None or isinstance(piece, BaseException):
                    return True
        return False

    def _close(self) -> None:
        with suppress(OSError, AttributeError):
            # Wakes the thread, which may wait for a byte.
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _broken(error: BaseException, name: str, got: int) -> ToolError:
    if isinstance(error, TimeoutError):
        return EngineHung(f"{name} did not answer in time.")
    if isinstance(error, http.client.IncompleteRead) or (got and isinstance(error, ConnectionError)):
        return BadOutput(f"{name} broke off after {got} bytes, as it does where its inference fails while it streams.")
    if isinstance(error, ConnectionRefusedError):
        return EngineCrashed(f"{name}: nobody listens there.")
    if isinstance(error, http.client.RemoteDisconnected | OSError):
        return EngineCrashed(f"{name} hung up.")
    if isinstance(error, http.client.HTTPException):
        return BadOutput(f"{name} did not speak HTTP ({type(error).__name__}).")
    raise error


def refusal(status: int, body: bytes, name: str, file: str) -> ToolError:
    """What a status other than 200 means: 400 carries `{message, Exception}`."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = {}
    told = told if isinstance(told, dict) else {}
    said = " ".join(f"{told.get('message', '')} {told.get('Exception', '')}".split())[:300]
    lower = said.lower()
    if status != 400:
        return EngineFailed(f"{name} answered {status}: {said or body[:120].decode(errors='replace')}")
    if "out of memory" in lower:
        return OutOfMemory(f"{name}: {said}")
    if "weight" in lower:
        return InvalidInput(
            f"{name} cannot load these weights: {said}", where=file, hint="The path must be one on the server."
        )
    if any(mark in said for mark in ("3~10", "3-10", "3 - 10")):
        return InvalidInput(f"{name} takes recordings of 3 to 10 s only", where=file)
    if "not exists" in lower or "refer audio" in lower:
        return InvalidInput(
            f"{name} cannot read the recording: {said}", where=file, hint="The path must be one on the server."
        )
    if "prompt_text" in lower:
        return InvalidInput(f"{name} must be told what is said in the recording", where=file)
    if "not supported" in lower:
        return InvalidInput(f"{name}: {said}")
    return EngineFailed(f"{name} answered 400: {said}")


def read_wav_bytes(data: bytes, name: str, *, streamed: bool = False) -> Spoken:
    """A WAV of 16 bit, mono, as the server sends it.

    Args:
        streamed: its header may say that it has no frames: then all that follows counts.

    Raises:
        BadOutput: empty, no WAV, another format, or cut.
    """
    if not data:
        raise BadOutput(f"{name} answered nothing.")
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadOutput(f"{name} answered {data[:24]!r}, which is no WAV.")
    at, rate = 12, 0
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind == b"fmt " and len(body) >= 16:
            coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if (coding, channels, bits) != (1, 1, 16) or not rate:
                raise BadOutput(f"{name} answered sound of format {coding}, {channels} channels, {bits} bit.")
        if kind == b"data" and rate:
            samples = data[at + 8 :] if streamed and size in (0, 0xFFFFFFFF) else body
            if len(samples) < size != 0xFFFFFFFF or len(samples) % 2:
                raise BadOutput(f"{name} answered a WAV that was cut short.")
            if not samples:
                raise BadOutput(f"{name} answered a WAV without sound.")
            return Spoken(np.frombuffer(samples, dtype="<i2"), rate)
        at += 8 + size + (size & 1)
    raise BadOutput(f"{name} answered a WAV without sound.")
