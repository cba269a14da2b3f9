"""How fast engines are on this machine, beside what engines.yaml predicts. Only times shown and orders depend on it."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.artifact import write_atomic
from tools.registry import EngineSpec
from tools.runtime.storage.disk import storage_errors

__all__ = ["Pace"]

_NEWEST = 0.2
"""Weight of the newest call in the running mean."""
_SLOWEST, _FASTEST = 1000.0, 0.01


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    machine: str
    engines: dict[str, float] = Field(default_factory=dict, description="measured seconds / predicted seconds")


class Pace:
    """Measured against predicted seconds, by engine. Every method may be called from any thread.

    Args:
        folder: where the file lies; None keeps nothing.
        machine: what times depend on; it is part of the file's name.
    """

    def __init__(self, folder: Path | None, machine: str) -> None:
        self._machine = machine
        digest = hashlib.sha256(machine.encode()).hexdigest()[:12]
        self._path = folder / f"engine-pace-{digest}.json" if folder else None
        self._lock = threading.Lock()
        self._changed = False
        self._ratios = self._read()

    def _read(self) -> dict[str, float]:
        """What was measured before; a file that is not what it should be is measured anew."""
        if self._path is None:
            return {}
        try:
            ratios = _File.model_validate_json(self._path.read_bytes()).engines
        except (OSError, ValidationError):
            return {}
        return {name: ratio for name, ratio in ratios.items() if _FASTEST <= ratio <= _SLOWEST}

    def predict(self, engine: EngineSpec, args: dict[str, Any], *, slower: float = 1.0) -> float:
        """Seconds that a call will take here; `slower` is reckoned with until it was measured."""
        with self._lock:
            return engine.predicted_s(args) * self._ratios.get(_name(engine), slower)

    def learn(self, engine: EngineSpec, args: dict[str, Any], seconds: float) -> None:
        """A call took so many seconds of the engine's own time."""
        predicted = engine.predicted_s(args)
        if predicted <= 0 or seconds <= 0:
            return
        ratio = min(max(seconds / predicted, _FASTEST), _SLOWEST)
        with self._lock:
            before = self._ratios.get(_name(engine))
            self._ratios[_name(engine)] = ratio if before is None else before + _NEWEST * (ratio - before)
            self._changed = True

    def save(self) -> None:
        """Put it on disk. Two studios that save at once: the later one's figures stay, either are right.

        Raises:
            StorageFailed: the disk refuses; it is kept in memory.
        """
        with self._lock:
            if self._path is None or not self._changed:
                return
            with storage_errors(f"cannot keep the measured times in {self._path}"):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                ratios = {name: round(ratio, 4) for name, ratio in sorted(self._ratios.items())}
                content = _File(machine=self._machine, engines=ratios)
                write_atomic(self._path, content.model_dump_json(indent=1).encode() + b"\n")
            self._changed = False


def _name(engine: EngineSpec) -> str:
    return f"{engine.tool}/{engine.name}"
