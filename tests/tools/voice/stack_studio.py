"""Voices that live in a stack of their own, run for real in its environment: executor, lane, worker, tiny checkpoint.

The environments are not made by the tests: `studio stacks install NAME`. They are looked for below STUDIO_STACKS, a
models folder, or below the studio's own; without one the tests are skipped.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.engines import load_engines
from configs.models import load_models
from configs.settings import Settings
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import MissingPrerequisite
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool
from tools.runtime.workers.stacks import interpreter_of
from tools.sound import read_wav

__all__ = ["StackStudio", "stack_home", "stack_python"]

SIZE = 512 << 20


def stack_home() -> Path:
    """The models folder whose stacks are used."""
    return Path(os.environ.get("STUDIO_STACKS") or Settings().models_home).expanduser().absolute()


def stack_python(name: str) -> str:
    """The interpreter of a stack; the test is skipped where it is not installed."""
    try:
        return interpreter_of(name, load_engines().stacks[name], stack_home())
    except MissingPrerequisite as error:
        pytest.skip(f"{error} (or name a models folder that has it in STUDIO_STACKS)")


class StackStudio:
    """Says lines with one engine.

    Args:
        folder: of its own; voices lie in `voices`.
        source: the model's checkpoint.
    """

    def __init__(self, folder: Path, engine: str, model: str, source: Path) -> None:
        stack_python(engine)
        self.folder, self.engine, self.model = folder, engine, model
        self.home = folder / "models"
        self.home.mkdir(parents=True)
        (self.home / ".stacks").symlink_to(stack_home() / ".stacks")
        self.voices = self.home / ".voices"
        self.registry = Registry.load()
        self.pool = WorkerPool(1, self.registry.stacks, models_home=self.home)
        self._count = 0
        self.use(source)

    def use(self, source: Path) -> None:
        """Another checkpoint in the model's place."""
        entry = load_models().models[self.model].model_copy(update={"source": str(source)})
        models = {self.model: (entry, Model(self.model, SIZE, SIZE, load_s=1.0))}
        self._lane = Lane("cpu", 4 * SIZE, models, {self.model: Placing()}, None)

    def say(self, seed: int = 1, stop_at: str = "", **args: Any) -> Any:
        """The artifact of a line, or the error that it ended with; nothing is taken from earlier ones."""
        self._count += 1
        cancel = threading.Event()
        store = ArtifactStore(self.folder / f"store{self._count}")
        executor = Executor(self.registry, store, self.pool, lane=self._lane, cancel=cancel)

        def listen(event: Any) -> None:
            if stop_at and event.text.startswith(stop_at):
                cancel.set()

        executor.on_event = listen
        asked = {"text": "We can do this!", "character": "luca", **args}
        call = Call(id="line", tool="synthesize_speech", engine=self.engine, seed=seed, args=asked)
        return executor.run([call])["line"]

    def sound(self, **args: Any) -> np.ndarray:
        """Samples of a line that must succeed."""
        made = self.say(**args)
        assert isinstance(made, Artifact), made
        return read_wav(made.file("speech.wav"))[0]

    def close(self) -> None:
        self.pool.close()
        self._lane.close()


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two clips are different beyond rounding."""
    count = min(len(one), len(other))
    return len(one) != len(other) or float(np.abs(one[:count] - other[:count]).mean()) > 1e-3
