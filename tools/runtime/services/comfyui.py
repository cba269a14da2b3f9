"""ComfyUI: it loads models when a workflow asks for them, and gives them back when it is told to.

Source: the project's server.py (`/system_stats`, `/free`) and main.py, which acts on `/free` between two workflows.
"""

from __future__ import annotations

from typing import Any

from tools.errors import BadOutput, EngineCrashed
from tools.runtime.services.server import Launch, Server, Timeouts

__all__ = ["ComfyServer"]

ASLEEP_BYTES = 512 << 20
"""Less than this that torch keeps of a card holds no model; a VAE alone or a small encoder would be as large."""


class ComfyServer(Server):
    """One server. Asleep means that it holds no models: it loads them anew from its own files when it draws.

    There is no way to have it load models but to draw: it counts as awake as soon as it may.
    """

    how_to_start = "python main.py --listen 127.0.0.1 --port 8188"

    def __init__(
        self,
        name: str,
        url: str = "http://127.0.0.1:8188",
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(start=180.0, sleep=60.0),  # noqa: B008 - it is frozen
        *,
        remote: bool = False,
    ) -> None:
        super().__init__(name, url, launch, timeouts, remote=remote)
        self._freed = False

    def is_ready(self) -> bool:
        """`/system_stats`."""
        return self.http.ask("GET", "/system_stats", timeout_s=self.timeouts.probe).status == 200

    def is_asleep(self) -> bool:
        """Whether it was told to free its memory, and its cards hold next to nothing of torch's."""
        return self._freed and self._kept() < ASLEEP_BYTES

    def wake(self) -> None:
        """Let it load what its workflows ask for.

        Raises:
            EngineCrashed: it does not run.
        """
        if self.state() == "stopped":
            raise EngineCrashed(f"{self.name} does not run.")
        self._freed = False

    def fall_asleep(self) -> None:
        """`/free`: it answers at once, and does it as soon as no workflow runs; `sleep` waits."""
        body = {"unload_models": True, "free_memory": True}
        self.http.must("POST", "/free", timeout_s=self.timeouts.probe, body=body)
        self._freed = True

    def size_bytes(self) -> int | None:
        """What torch keeps while it sleeps; None while it is awake, for it loads as much as the next workflow asks."""
        return self._kept() if self._freed else None

    def _kept(self) -> int:
        """Bytes of its cards that torch has reserved."""
        answer = self.http.must("GET", "/system_stats", timeout_s=self.timeouts.probe)
        said = answer.json()
        devices: Any = said.get("devices") if isinstance(said, dict) else None
        if not isinstance(devices, list) or not all(isinstance(one, dict) for one in devices):
            raise BadOutput(f"{self.name} does not say which devices it has: {answer.body[:80]!r}.")
        kept = [one.get("torch_vram_total") for one in devices if one.get("type") != "cpu"]
        return sum(one for one in kept if isinstance(one, int) and one > 0)
