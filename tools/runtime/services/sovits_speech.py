"""Speaking with GPT-SoVITS through `api_v2.py`.

Its weights are global, so they are set and spoken with under one lock, held against every process of this machine. Read
in RVC-Boss/GPT-SoVITS `api_v2.py` and `GPT_SoVITS/TTS_infer_pack/TTS.py` (0235857), and run in its version of August
2026:

- a change of weights that fails leaves the old ones, under the name of the new;
- a recording is remembered by its path, with what other weights made of it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import BadOutput, EngineCrashed, EngineHung, ToolError
from tools.runtime.device.lease import GpuLease, lease_root
from tools.runtime.device.shared_files import create_for_all, open_to_read
from tools.runtime.services.http import Answer, is_this_machine
from tools.runtime.services.sovits_answer import Reading, SovitsTimes, Spoken, read_wav_bytes, refusal

if TYPE_CHECKING:
    from tools.runtime.services.gpt_sovits import GptSovitsServer

__all__ = ["SovitsSpeech"]

SETTLE_S = 10.0
"""A stop waits so long for the end of the line: the next must not meet it in the server, which nobody can interrupt."""


class SovitsSpeech:
    """Speaks on one server.

    Args:
        server: that runs.
        times: see there.
    """

    def __init__(self, server: GptSovitsServer, times: SovitsTimes) -> None:
        self._server, self._times = server, times
        # One server has several names on its own machine, and one lock.
        host = "here" if is_this_machine(server.http.host) else server.http.host.replace(":", ".")
        self._name = f"voices-{host}-{server.http.port}"[:80]
        named = os.environ.get("STUDIO_LEASES", "")
        self._root = Path(named) if named else lease_root()
        self._folder = self._root / "studio-leases" / self._name

    def speak(self, gpt: str, sovits: str, request: Mapping[str, Any], beat: Callable[[float], None]) -> Spoken:
        """Say a text with a pair of weights.

        Args:
            gpt, sovits: paths of the weights, on the server.
            request: as `POST /tts` takes it; asks for wav.
            beat: told again and again how many seconds of sound there are; may raise to stop.

        Raises:
            InvalidInput: it refuses the weights, the reference, or the language; says which.
            OutOfMemory: its device is full.
            EngineHung: no answer in time. EngineCrashed: it is gone, or hung up. EngineFailed: any other error of its.
            BadOutput: it answered with nothing usable.
        """
        with _heard(GpuLease(self._name, what="speech", root=self._root), beat):
            # Asked only now: while it speaks for another, it may not answer.
            self._server.start()
            self._set_weights(gpt, sovits)
            self._set_reference(str(request.get("ref_audio_path", "")))
            try:
                return self._say(request, beat)
            except ToolError:
                # What it holds now nobody knows: it may have loaded its defaults.
                self._note("")
                raise

    # -- weights ----------------------------------------------------------------------------------------------------

    def _set_weights(self, gpt: str, sovits: str) -> None:
        """Have both; asked for anew unless the server is ours, and nobody changed them since."""
        identity = self._server.identity
        wanted = json.dumps([gpt, sovits, identity])
        if identity and self._last_note() == wanted:
            return
        self._note("")
        for path, file in (("/set_gpt_weights", gpt), ("/set_sovits_weights", sovits)):
            answer = self._asked(path, {"weights_path": file})
            if answer.status != 200:
                raise refusal(answer.status, answer.body, self._server.name, file)
        self._note(wanted)

    def _set_reference(self, file: str) -> None:
        """Have the recording read anew: it is remembered by its path alone, and with tokens of the weights before.

        What is wrong with it is told here; while it streams, it would only hang up.
        """
        params = {"refer_audio_path": file}
        answer = self._asked("/set_refer_audio", params)
        if answer.status != 200:
            raise refusal(answer.status, answer.body, self._server.name, file)

    def _asked(self, path: str, params: Mapping[str, str]) -> Answer:
        try:
            return self._server.http.ask("GET", path, timeout_s=self._times.weights, params=params)
        except (EngineHung, EngineCrashed):
            self._server.give_up()
            raise

    def _note(self, text: str) -> None:
        """Write down what it holds, for all processes that speak on it; each user has a note, the newest counts."""
        path = self._folder / f"weights.{os.getuid()}"
        # The folder is open to all: a name that can be guessed could be somebody's link to a file of ours.
        temp = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(create_for_all(temp), "wb") as stream:
                stream.write(text.encode())
            os.replace(temp, path)
        except OSError:
            # With no note of ours the weights are set again: slower, and right.
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _last_note(self) -> str:
        notes: list[tuple[int, str]] = []
        for path in self._folder.glob("weights.*"):
            try:
                fd = open_to_read(path)
                try:
                    notes.append((os.fstat(fd).st_mtime_ns, os.read(fd, 1 << 16).decode()))
                finally:
                    os.close(fd)
            except (OSError, ValueError):
                return ""
        return max(notes)[1] if notes else ""

    # -- speech -----------------------------------------------------------------------------------------------------

    def _say(self, request: Mapping[str, Any], beat: Callable[[float], None]) -> Spoken:
        streamed = bool(request.get("streaming_mode"))
        reading = Reading(self._server.http.url, request, self._times)
        try:
            status, body = reading.read(self._server.name, beat, SETTLE_S if streamed else 0.0)
        except (EngineHung, EngineCrashed):
            self._server.give_up()
            raise
        finally:
            if streamed and not reading.settled:
                self._server.give_up()
        if status != 200:
            raise refusal(status, body, self._server.name, str(request.get("ref_audio_path", "")))
        spoken = read_wav_bytes(body, self._server.name, streamed=streamed)
        if not np.any(spoken.samples):
            told = "as it does where its inference failed" if spoken.rate == 16_000 else "all silent"
            raise BadOutput(
                f"{self._server.name} answered {len(spoken.samples) / spoken.rate:.2f} s of zeros, {told}.",
                hint="Its own output says why.",
            )
        return spoken


@contextmanager
def _heard(lease: GpuLease, beat: Callable[[float], None]) -> Iterator[None]:
    """Hold the lock; a stop is heard while waiting for it."""
    failure: list[BaseException] = []

    def stopped() -> bool:
        try:
            beat(0.0)
        except BaseException as error:
            failure.append(error)
        return bool(failure)

    try:
        lease.acquire(is_cancelled=stopped)
    except ToolError:
        if failure:
            raise failure[0] from None
        raise
    try:
        yield
    finally:
        lease.release()
