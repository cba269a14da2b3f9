"""The models that one worker process holds. The studio decides what is where (`lane`); this does it.

A model is read from disk once (cold -> parked) and moved to the device and off it as a whole; weights never change, so
nothing is copied back. Prefetching runs in a thread beside the call that computes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.errors import InvalidInput, OutOfMemory
from tools.model import Placing, Weights
from tools.runtime.workers.failures import as_tool_error
from tools.runtime.workers.movers import Mover, mover_for

__all__ = ["DeviceMemory", "Residents"]

Message = dict[str, Any]


@dataclass
class _Held:
    """One model. `lock` is held while it moves, by whichever thread moves it."""

    weights: Weights
    lock: threading.Lock = field(default_factory=threading.Lock)
    content: Any = None
    mover: Mover | None = None
    placing: Placing | None = None
    source: str = ""
    bytes: int = 0
    """On the device; 0 unless resident."""
    cold_s: float = 0.0
    load_s: float = 0.0
    failure: Exception | None = None
    """Of a prefetch, raised by the `bring` that would have profited; where memory ran out, that tries itself."""


class Residents:
    """All models of a worker.

    Args:
        construct: makes a `Weights` from its `module:Class`.
    """

    def __init__(self, construct: Callable[[str], Weights]) -> None:
        self._construct = construct
        self._held: dict[str, _Held] = {}

    def bring(self, name: str, path: str, source: str, placing: Placing, room: int) -> Message:
        """Have a model on the device, where it takes no more than `room` bytes.

        Returns:
            `bytes` there, and what it took: `cold_s` from disk (0 where it was parked), `load_s` to the device (0 where
            it was there already). Or `needs`, its bytes, where they are more than `room`: nothing was moved then.

        Raises:
            ToolError: what reading or moving it ended with; it is not on the device then.
        """
        held = self._hold(name, path)
        with held.lock:
            failure, held.failure = held.failure, None
            if failure is not None and not _is_full(failure):
                raise failure
            # There was no room beside the call that computed: now there may be.
            needed = self._bring(held, source, placing, room)
            if needed:
                return {"needs": needed}
            answer = {"bytes": held.bytes, "cold_s": held.cold_s, "load_s": held.load_s}
            held.cold_s = held.load_s = 0.0
            return answer

    def prefetch(self, name: str, path: str, source: str, placing: Placing, room: int) -> None:
        """Begin what `bring` does, in a thread; a `bring` that follows waits for it and tells how it went."""
        held = self._hold(name, path)
        begun = threading.Event()

        def work() -> None:
            with held.lock:
                begun.set()
                try:
                    # Too large for its room: the `bring` that follows says so.
                    self._bring(held, source, placing, room)
                except Exception as error:
                    held.failure = error

        threading.Thread(target=work, name=f"prefetch-{name}", daemon=True).start()
        # Whoever asks next finds the lock taken.
        begun.wait()

    def _hold(self, name: str, path: str) -> _Held:
        if name not in self._held:
            self._held[name] = _Held(self._construct(path))
        return self._held[name]

    def _bring(self, held: _Held, source: str, placing: Placing, room: int) -> int:
        """Read and move; returns the bytes it needs where they are more than `room`, and moves nothing then."""
        if held.placing is not None and (held.placing.of_weights, held.source) != (placing.of_weights, source):
            self._empty(held)
        if held.mover is None:
            started = time.perf_counter()
            held.weights.check(source)
            held.content = held.weights.load(source, placing)
            try:
                held.mover = mover_for(held.weights, placing.device)
            except BaseException:
                held.content = None
                held.weights.unload()
                raise
            held.source = source
            held.cold_s += time.perf_counter() - started
        held.placing = placing
        if not held.bytes:
            if held.mover.size > room:
                return held.mover.size
            started = time.perf_counter()
            held.bytes = max(1, held.mover.bring())
            held.load_s += time.perf_counter() - started
        return 0

    def _empty(self, held: _Held) -> None:
        if held.mover is None:
            return
        if held.bytes:
            held.mover.drop()
            held.bytes = 0
        held.mover.close()
        held.weights.unload()
        held.mover = held.content = held.placing = None

    def evict(self, name: str) -> Message:
        """Off the device, kept in host memory. Nothing happens where it is not on the device.

        Returns:
            `left`: bytes that stay on the device all the same, of a server that sleeps.
        """
        held = self._held.get(name)
        if held is None:
            return {"left": 0}
        with held.lock:
            held.failure = None
            if held.mover is None:
                return {"left": 0}
            if held.bytes:
                held.mover.drop()
                held.bytes = 0
            return {"left": held.weights.left()}

    def unload(self, name: str) -> Message:
        """Out of host memory, too.

        Returns:
            `left`: bytes that stay on the device all the same, of a server that is not ours to end.
        """
        held = self._held.pop(name, None)
        if held is None:
            return {"left": 0}
        with held.lock:
            self._empty(held)
            return {"left": held.weights.left()}

    def contents(self, names: Sequence[str]) -> dict[str, Any]:
        """What engines are given.

        Raises:
            InvalidInput: one of them is not on the device: the studio's account is wrong.
        """
        for name in names:
            if name not in self._held or not self._held[name].bytes:
                raise InvalidInput(f"the model {name} is not on the device")
        return {name: self._held[name].content for name in names}

    def restores(self, names: Sequence[str]) -> dict[str, Callable[[], None]]:
        """What makes the weights of models again what was read; without those of which there is no second copy."""
        held = {name: self._held[name].mover for name in names}
        return {name: mover.restore for name, mover in held.items() if mover is not None and mover.can_restore}


def _is_full(failure: Exception) -> bool:
    """Whether memory ran out; torch need not be imported to tell."""
    return isinstance(as_tool_error(failure, {"do": "prefetch"}), OutOfMemory)


class DeviceMemory:
    """The most device memory that a call took beyond what was there before, as torch counts it; 0 without torch."""

    def __enter__(self) -> DeviceMemory:
        self._cuda = _cuda()
        self.working = self._before = 0
        if self._cuda is not None:
            self._cuda.reset_peak_memory_stats()
            self._before = int(self._cuda.memory_allocated())
        return self

    def __exit__(self, *_: object) -> None:
        if self._cuda is not None:
            self.working = max(0, int(self._cuda.max_memory_allocated()) - self._before)


def _cuda() -> Any:
    """torch.cuda where an engine has imported and begun to use it; nothing is imported here."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized() else None
