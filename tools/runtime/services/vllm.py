"""vLLM: asleep its weights lie in host memory (level 1) or nowhere (level 2), and the server keeps running.

Source: docs.vllm.ai, "Sleep Mode". The endpoints are there with VLLM_SERVER_DEV_MODE=1 and `--enable-sleep-mode` only.
Level 1 keeps a copy of the weights in host memory; level 2 keeps none and reads them from disk again on the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from tools.errors import BadOutput, EngineFailed, MissingPrerequisite, OutOfMemory
from tools.runtime.services.http import Answer
from tools.runtime.services.server import Launch, Server, Timeouts

__all__ = ["VllmServer", "vllm_launch"]


def vllm_launch(model: str, port: int, *, program: str = "vllm", more: Sequence[str] = ()) -> Launch:
    """How to start a vLLM that can sleep, on this machine alone.

    Args:
        model: repository or folder.
        more: further arguments, as `--gpu-memory-utilization 0.6`.
    """
    command = [program, "serve", model, "--host", "127.0.0.1", "--port", str(port), "--enable-sleep-mode", *more]
    return Launch(command, env={"VLLM_SERVER_DEV_MODE": "1"})


class VllmServer(Server):
    """One vLLM server.

    Args:
        level: 1 keeps the weights in host memory while it sleeps, 2 does not.
    """

    how_to_start = "VLLM_SERVER_DEV_MODE=1 vllm serve MODEL --enable-sleep-mode"

    def __init__(
        self,
        name: str,
        url: str = "http://127.0.0.1:8000",
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(start=300.0),  # noqa: B008 - it is frozen
        *,
        level: Literal[1, 2] = 1,
        remote: bool = False,
    ) -> None:
        super().__init__(name, url, launch, timeouts, remote=remote)
        self.level = level

    def is_ready(self) -> bool:
        """`/health` answers 200 as soon as the engine runs, also while it sleeps."""
        return self.http.ask("GET", "/health", timeout_s=self.timeouts.probe).status == 200

    def is_asleep(self) -> bool:
        """`/is_sleeping`."""
        answer = self._dev("GET", "/is_sleeping", self.timeouts.probe)
        said = answer.json()
        if not isinstance(said, dict) or not isinstance(said.get("is_sleeping"), bool):
            raise BadOutput(f"{self.name} does not say whether it sleeps: {answer.body[:80]!r}.")
        return bool(said["is_sleeping"])

    def fall_asleep(self) -> None:
        """`/sleep` at this server's level; it answers when the memory is free."""
        self._dev("POST", "/sleep", self.timeouts.sleep, params={"level": str(self.level)})

    def wake_up(self) -> None:
        """`/wake_up`. From level 2: room for the weights, the weights, and only then room for the cache."""
        if self.level == 1:
            self._dev("POST", "/wake_up", self.timeouts.wake)
            return
        self._dev("POST", "/wake_up", self.timeouts.wake, params={"tags": "weights"})
        self._dev("POST", "/collective_rpc", self.timeouts.wake, body={"method": "reload_weights"})
        self._dev("POST", "/wake_up", self.timeouts.wake, params={"tags": "kv_cache"})

    def _dev(self, method: str, path: str, timeout_s: float, **more: Any) -> Answer:
        answer = self.http.ask(method, path, timeout_s=timeout_s, **more)
        if answer.status in (404, 405):
            raise MissingPrerequisite(f"{self.name} cannot sleep: it does not know {path}.", command=self.how_to_start)
        if not 200 <= answer.status < 300:
            said = " ".join(answer.body[:300].decode(errors="replace").split())
            kind = OutOfMemory if "out of memory" in said.lower() else EngineFailed
            raise kind(f"{self.name} answered {answer.status} to {path}: {said}".rstrip(": "))
        return answer
