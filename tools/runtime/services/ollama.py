"""Ollama: one server, many models; a model is loaded by an empty request and unloaded by `keep_alive: 0`.

Source: the project's docs/api.md ("Load a model", "Unload a model", "List Running Models").
"""

from __future__ import annotations

from typing import Any

from tools.errors import BadOutput, EngineFailed, MissingPrerequisite, OutOfMemory
from tools.runtime.services.server import Launch, Server, Timeouts

__all__ = ["OllamaModel"]


class OllamaModel(Server):
    """One model of an Ollama server. The server itself is small; asleep means that this model is not loaded.

    Args:
        model: as `qwen2.5:14b`; without a tag it is `:latest`, as Ollama reads it.
    """

    how_to_start = "ollama serve"

    def __init__(
        self,
        name: str,
        model: str,
        url: str = "http://127.0.0.1:11434",
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(start=30.0, wake=180.0),  # noqa: B008 - it is frozen
        *,
        remote: bool = False,
    ) -> None:
        super().__init__(name, url, launch, timeouts, remote=remote)
        self.model = model if ":" in model.rpartition("/")[2] else f"{model}:latest"

    def is_ready(self) -> bool:
        """`/api/version`."""
        return self.http.ask("GET", "/api/version", timeout_s=self.timeouts.probe).status == 200

    def is_asleep(self) -> bool:
        """Whether the model is not among those that `/api/ps` lists."""
        return self._entry() is None

    def _entry(self) -> dict[str, Any] | None:
        answer = self.http.must("GET", "/api/ps", timeout_s=self.timeouts.probe)
        said = answer.json()
        models = said.get("models") if isinstance(said, dict) else None
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise BadOutput(f"{self.name} does not say which models are loaded: {answer.body[:80]!r}.")
        return next((model for model in models if self.model in (model.get("model"), model.get("name"))), None)

    def start(self) -> None:
        """Have the server run and the model loaded."""
        super().start()
        self.wake()

    def wake_up(self) -> None:
        """An empty request that is kept for ever: the studio says when it goes."""
        self._generate(-1, self.timeouts.wake)

    def fall_asleep(self) -> None:
        """An empty request that is kept for no time. The answer comes before the memory is free; `sleep` waits."""
        self._generate(0, self.timeouts.sleep)

    def _generate(self, keep_alive: int, timeout_s: float) -> None:
        body = {"model": self.model, "keep_alive": keep_alive, "stream": False}
        answer = self.http.ask("POST", "/api/generate", timeout_s=timeout_s, body=body)
        said = " ".join(answer.body[:300].decode(errors="replace").split())
        if answer.status == 404:
            raise MissingPrerequisite(f"Ollama has no model {self.model}.", command=f"ollama pull {self.model}")
        if not 200 <= answer.status < 300:
            kind = OutOfMemory if "memory" in said.lower() else EngineFailed
            raise kind(f"{self.name} answered {answer.status}: {said}".rstrip(": "))
        if not isinstance(answer.json(), dict) or not answer.json().get("done"):
            raise BadOutput(f"{self.name} did not say that it is done: {said[:80]!r}.")

    def size_bytes(self) -> int | None:
        """`size_vram` of `/api/ps`; 0 where it is not loaded, None where the server does not say."""
        entry = self._entry()
        if entry is None:
            return 0
        size = entry.get("size_vram")
        return size if isinstance(size, int) and size >= 0 else None
