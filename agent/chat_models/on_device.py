"""A chat model that shares the device with the studio's own models: it takes its turn like them.

On a card of 16 GB a language model and SDXL are never there at once. Where the server of an endpoint is one of
services.yaml, it is woken before it is asked, with the device held meanwhile; the pictures that follow put it to sleep.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.chat_models.wire import Hold
from configs.chat_models import Endpoint
from configs.models import ModelsFile
from configs.services import ServicesFile, load_services

if TYPE_CHECKING:
    from agent.toolbox import Toolbox

__all__ = ["hold_on", "resident_of"]

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def resident_of(endpoint: Endpoint, models: ModelsFile, services: ServicesFile) -> str:
    """The name in models.yaml of the server behind an endpoint; empty where services.yaml has no such server."""
    asked = urlsplit(endpoint.url)
    for name, entry in models.loadable.items():
        service = services.services.get(str(entry.source or ""))
        if service is None or "services.weights" not in str(entry.weights):
            continue
        there = urlsplit(service.url)
        same_host = asked.hostname == there.hostname or {asked.hostname, there.hostname} <= set(_THIS_MACHINE)
        if same_host and asked.port == there.port and service.model in ("", endpoint.model):
            return name
    return ""


def hold_on(toolbox: Toolbox, endpoint: Endpoint) -> Hold:
    """Has the model of an endpoint on the device while it is asked; nothing where there is nothing to share."""

    @contextmanager
    def hold(cancel: threading.Event) -> Iterator[None]:
        from tools.runtime.device.holding import holding

        name = "" if endpoint.is_remote else resident_of(endpoint, toolbox.registry.models, load_services())
        lane = toolbox.lane if name and toolbox.has_gpu else None
        with holding(lane, toolbox.pool, name, cancel) if lane is not None else nullcontext():
            yield

    return hold
