"""llama.cpp's server, which holds one model as long as it runs; and llama-swap, which starts and ends such servers.

Source: tools/server/README.md of llama.cpp (`/health`); the README of llama-swap (`/running`, `/unload`, `/upstream`).
"""

from __future__ import annotations

from urllib.parse import quote

from tools.errors import BadOutput, EngineFailed, MissingPrerequisite, OutOfMemory
from tools.runtime.services.server import Launch, Server, Timeouts

__all__ = ["LlamaServer", "LlamaSwapModel"]


class LlamaServer(Server):
    """`llama-server`: it cannot sleep, so `sleep` ends it where it is ours, and `start` brings it back."""

    can_sleep = False
    how_to_start = "llama-server -m MODEL.gguf --host 127.0.0.1 --port 8080"

    def is_ready(self) -> bool:
        """`/health`: 503 while it loads, 200 with `ok` when it can work."""
        return self.http.ask("GET", "/health", timeout_s=self.timeouts.probe).status == 200


class LlamaSwapModel(Server):
    """One model behind llama-swap; asleep means that its server does not run.

    Args:
        model: its name in llama-swap's configuration.
    """

    how_to_start = "llama-swap --config config.yaml --listen 127.0.0.1:8080"

    def __init__(
        self,
        name: str,
        model: str,
        url: str = "http://127.0.0.1:8080",
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(start=30.0, wake=180.0),  # noqa: B008 - it is frozen
        *,
        remote: bool = False,
    ) -> None:
        super().__init__(name, url, launch, timeouts, remote=remote)
        self.model = model

    def is_ready(self) -> bool:
        """Whether `/running` answers."""
        return self.http.ask("GET", "/running", timeout_s=self.timeouts.probe).status == 200

    def is_asleep(self) -> bool:
        """Whether `/running` does not list the model, or lists it as gone. One that is loading is neither: it takes
        memory, and `wake` waits for its first answer."""
        answer = self.http.must("GET", "/running", timeout_s=self.timeouts.probe)
        said = answer.json()
        running = said.get("running") if isinstance(said, dict) else None
        if not isinstance(running, list) or not all(isinstance(one, dict) for one in running):
            raise BadOutput(f"{self.name} does not say what runs: {answer.body[:80]!r}.")
        states = [one.get("state") for one in running if one.get("model") == self.model]
        return not any(state not in ("stopped", "shutdown") for state in states)

    def start(self) -> None:
        """Have llama-swap run and the model loaded."""
        super().start()
        self.wake()

    def wake_up(self) -> None:
        """Any request for the model starts its server; this one asks for its health, and waits until it is there."""
        path = f"/upstream/{quote(self.model, safe='/')}/health"
        answer = self.http.ask("GET", path, timeout_s=self.timeouts.wake)
        if answer.status == 404:
            raise MissingPrerequisite(
                f"llama-swap has no model {self.model}.", command="add it to llama-swap's config.yaml"
            )
        if answer.status != 200:
            said = " ".join(answer.body[:300].decode(errors="replace").split())
            kind = OutOfMemory if "out of memory" in said.lower() else EngineFailed
            raise kind(f"{self.name} answered {answer.status} as it woke: {said}".rstrip(": "))

    def fall_asleep(self) -> None:
        """Unload this model; an older llama-swap can only unload all of them."""
        path = f"/api/models/unload/{quote(self.model, safe='/')}"
        if self.http.ask("POST", path, timeout_s=self.timeouts.sleep).status in (404, 405):
            self.http.must("GET", "/unload", timeout_s=self.timeouts.sleep)
