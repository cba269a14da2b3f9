"""What models take on this machine: measured where a call or a load was measured, expected by models.yaml until then.

The measured sizes lie in one small JSON file per machine and device. It is written whole, to a name of its own, and
put in place by one rename; two studios that learn at the same time take turns and keep what both measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import threading
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.disk import storage_errors
from tools.runtime.storage.locks import FileLock

__all__ = ["Measured", "MeasuredSizes", "machine_name"]

_NEWEST = 0.3
"""Weight of the newest time in the running mean."""
_TRUST_AFTER = 3
"""Calls after which the measured working memory is believed where it is below the expected one."""
_MARGIN = 1.1
"""Working memory varies with the arguments of a call: this much is kept above the largest seen."""
_LARGEST = 2**60
"""Bytes; whatever is larger was never measured."""


class Measured(BaseModel):
    """What was measured of one model. Sizes in bytes, times in seconds; None is not measured yet.

    Attributes:
        weights: as last measured.
        working: the largest of any call.
        load_s, cold_s: running means that forget.
        calls: how many calls `working` is the largest of.
    """

    model_config = ConfigDict(extra="forbid")

    weights: int | None = Field(None, ge=0, le=_LARGEST)
    working: int | None = Field(None, ge=0, le=_LARGEST)
    load_s: float | None = Field(None, ge=0.0, allow_inf_nan=False)
    cold_s: float | None = Field(None, ge=0.0, allow_inf_nan=False)
    calls: int = Field(0, ge=0, le=_LARGEST)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(1, ge=1, le=1)
    machine: str
    models: dict[str, Measured] = Field(default_factory=dict)


@dataclass(frozen=True)
class _News:
    """One measurement that is not on disk yet."""

    name: str
    weights: int | None
    working: int | None
    load_s: float | None
    cold_s: float | None


class MeasuredSizes:
    """The measured sizes of one device. Every method may be called from any thread.

    Args:
        folder: where the file lies; made when something is saved.
        machine: see `machine_name`; it is part of the file's name.
    """

    def __init__(self, folder: Path, machine: str) -> None:
        self.machine = machine
        self.path = folder / f"model-sizes-{hashlib.sha256(machine.encode()).hexdigest()[:12]}.json"
        self.note = ""
        """What was wrong with the file, for a person; empty when nothing was."""
        self._lock = threading.Lock()
        self._news: list[_News] = []
        self._models = self._read()

    def _read(self) -> dict[str, Measured]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.note = f"{self.path.name} cannot be read ({error.strerror}); sizes are expected ones"
            return {}
        try:
            return _File.model_validate_json(data).models
        except ValidationError as error:
            self.note = f"{self.path.name} is not what it should be ({error.errors()[0]['msg']}); it is measured anew"
            return {}

    def get(self, name: str) -> Measured | None:
        """What was measured of a model, or None."""
        with self._lock:
            found = self._models.get(name)
            return None if found is None else found.model_copy()

    def predict(self, prior: Model) -> Model:
        """A model with what was measured in place of what was expected.

        Working memory is the largest measured and a tenth; until three calls were measured, no less than expected.
        """
        known = self.get(prior.name)
        if known is None:
            return prior
        working = prior.working
        if known.working is not None:
            seen = int(known.working * _MARGIN)
            working = seen if known.calls >= _TRUST_AFTER else max(seen, working)
        return Model(
            prior.name,
            prior.weights if known.weights is None else known.weights,
            working,
            prior.load_s if known.load_s is None else known.load_s,
            prior.cold_s if known.cold_s is None else known.cold_s,
        )

    def record(
        self,
        name: str,
        *,
        weights: int | None = None,
        working: int | None = None,
        load_s: float | None = None,
        cold_s: float | None = None,
    ) -> None:
        """Learn from one load or one call; `save` keeps it."""
        news = _News(name, weights, working, load_s, cold_s)
        with self._lock:
            self._news.append(news)
            _learn(self._models, news)

    def save(self) -> None:
        """Put what was learned since the last time on disk, beside what other processes learned meanwhile.

        Raises:
            StorageFailed: the disk refuses; what was learned is kept in memory, and the next call tries again.
        """
        with self._lock:
            if not self._news:
                return
            with storage_errors(f"cannot keep the measured sizes in {self.path}"):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(self.path.with_suffix(".lock")):
                    models = self._read()
                    for news in self._news:
                        _learn(models, news)
                    _write(self.path, _File(version=1, machine=self.machine, models=models))
            self._models = models
            self._news.clear()


def _learn(models: dict[str, Measured], news: _News) -> None:
    known = models.setdefault(news.name, Measured())
    if news.weights is not None:
        known.weights = news.weights
    if news.working is not None:
        known.working = max(known.working or 0, news.working)
        known.calls += 1
    if news.load_s is not None:
        known.load_s = _mean(known.load_s, news.load_s)
    if news.cold_s is not None:
        known.cold_s = _mean(known.cold_s, news.cold_s)


def _mean(before: float | None, new: float) -> float:
    return new if before is None else round(before + _NEWEST * (new - before), 6)


def _write(path: Path, content: _File) -> None:
    """Replace a file as a whole: after a crash at any moment the old or the new one is there."""
    text = json.dumps(content.model_dump(), indent=1, sort_keys=True) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def machine_name(device: str = "cpu", driver: str = "") -> str:
    """What sizes and times depend on: the machine, the card and its driver."""
    return " | ".join(part for part in (platform.node(), platform.machine(), device, driver) if part)
