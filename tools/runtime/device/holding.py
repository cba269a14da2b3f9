"""Having a model on the device for as long as somebody outside a plan of calls uses it: a chat, say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.errors import InvalidInput
from tools.runtime.device.lane import Lane
from tools.runtime.device.visit import Client
from tools.runtime.events import DeviceEvent
from tools.runtime.workers.pool import WorkerPool

__all__ = ["holding"]


class _Holder(Client):
    def __init__(self, cancel: threading.Event, tell: Callable[[DeviceEvent], None]) -> None:
        self._cancel, self._tell = cancel, tell

    def is_cancelled(self) -> bool:
        return self._cancel.is_set()

    def tell(self, event: DeviceEvent) -> None:
        self._tell(event)


@contextmanager
def holding(
    lane: Lane,
    pool: WorkerPool,
    name: str,
    cancel: threading.Event,
    tell: Callable[[DeviceEvent], None] = lambda _event: None,
) -> Iterator[None]:
    """The device is ours, and the model on it, while the block runs; it stays there until others need the room.

    Args:
        lane: the device.
        pool: workers.
        name: of the model, in models.yaml; most often a server of services.yaml.
        cancel: ends the wait for the device.
        tell: hears what moves.

    Raises:
        InvalidInput: the device does not know the model.
        OutOfMemory: there is no room for it, also when all others have gone.
        Cancelled: `cancel` was set while others had the device.
        ToolError: what bringing it ended with.
    """
    if name not in lane.entries:
        raise InvalidInput(lane.absent.get(name, f"there is no model {name!r} for {lane.device}"))
    with lane.visit(pool, _Holder(cancel, tell)) as visit:
        lane.use([name])
        visit.bring((name,))
        yield
