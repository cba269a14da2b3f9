"""Which chat model plays which role, by the settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from agent.chat_models.base import Role
from configs.chat_models import Endpoint, find_endpoint
from configs.settings import Settings
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from agent.chat_models.chat import Chat
    from agent.chat_models.wire import Hold, Wire
    from agent.turns import Turn

__all__ = ["ChatModels"]


class ChatModels:
    """The chat models of the settings; nothing is opened until one is asked.

    Args:
        settings: name the models.
        hold_on: for an endpoint, what has its model on the device that it may share with the generators.
    """

    def __init__(self, settings: Settings, hold_on: Callable[[Endpoint], Hold] | None = None) -> None:
        self.settings = settings
        self._hold_on = hold_on or (lambda _endpoint: lambda _cancel: nullcontext())
        self._wires: dict[str, Wire] = {}
        self._lock = threading.Lock()

    def named(self, role: Role) -> str:
        """`provider/model` of a role; empty where the settings name none. The primary stands in for the coder."""
        settings = self.settings
        return {"primary": settings.primary, "vision": settings.vision, "coder": settings.coder or settings.primary}[
            role
        ]

    def of(self, role: Role, turn: Turn) -> Chat | None:
        """The model of a role within a turn; None where there is none.

        Raises:
            InvalidInput: the setting names a model that cannot be asked: unknown provider, missing key, network off.
        """
        name = self.named(role)
        if not name:
            return None
        # langchain's messages come with it: not for a studio that is only asked which model is set.
        from agent.chat_models.chat import Chat
        from agent.chat_models.wire import Wire

        with self._lock:
            if name not in self._wires:
                try:
                    endpoint = find_endpoint(name, network=self.settings.network)
                except YamlProblem as problem:
                    raise InvalidInput(problem.message, where=f"{role} (or STUDIO_{role.upper()})") from None
                self._wires[name] = Wire(endpoint, self.settings.model_timeout_s, self._hold_on(endpoint))
            return Chat(self._wires[name], self.settings, turn)
