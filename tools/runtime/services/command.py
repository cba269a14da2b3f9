"""Any program as a resident: started by its command, ready by HTTP, an open port or a line of its output."""

from __future__ import annotations

import socket

from tools.errors import EngineCrashed, InvalidInput
from tools.runtime.services.server import Launch, Server, Timeouts

__all__ = ["CommandServer"]


class CommandServer(Server):
    """It cannot sleep: `sleep` ends it, `wake` starts it again.

    Args:
        ready_path: it is ready when a GET of this answers 200; empty: when its port is open. With a `ready_line` in the
            launch, its first readiness is that line.
    """

    can_sleep = False

    def __init__(
        self,
        name: str,
        url: str,
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is frozen
        *,
        ready_path: str = "",
        remote: bool = False,
    ) -> None:
        super().__init__(name, url, launch, timeouts, remote=remote)
        if ready_path and not ready_path.startswith("/"):
            raise InvalidInput("begins with a slash", where=f"{name}.ready_path")
        self._ready_path = ready_path

    def is_ready(self) -> bool:
        """See `ready_path`; an open port is not asked anything."""
        if self._ready_path:
            return self.http.ask("GET", self._ready_path, timeout_s=self.timeouts.probe).status == 200
        try:
            with socket.create_connection((self.http.host, self.http.port), timeout=self.timeouts.probe):
                return True
        except OSError:
            raise EngineCrashed(f"{self.name}: nobody listens on {self.http.url}.") from None
