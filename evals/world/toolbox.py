"""The agent's toolbox in a world: the real one, with the world's engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.state import AgentState
from agent.toolbox import Toolbox
from configs.settings import Settings
from evals.world.ears import write_ears
from evals.world.engines import ALLOWED, WORLD_VARIABLE, note_calls, world_engines, write_faults
from evals.world.machine import Machine, hardware_of, published_sizes
from evals.world.model import World
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import ToolError

if TYPE_CHECKING:
    from tools.registry import Registry
    from tools.runtime.device.lane import Lane
    from tools.runtime.workers.pool import WorkerPool

__all__ = ["WorldToolbox"]


class WorldToolbox(Toolbox):
    """Everything of it is as it ships but the registry's entries, and which modules workers may take engines from.

    Args:
        settings: of the scenario.
        world: its world.
        folder: where the world keeps what is to go wrong.
        seen: is handed each batch of calls before it is run.
    """

    def __init__(
        self, settings: Settings, world: World, folder: Path, seen: Callable[[list[Call]], None] = lambda _calls: None
    ) -> None:
        super().__init__(settings)
        self._world, self._folder, self._seen = world, folder, seen
        write_faults(folder, world.faults)
        if world.ears:
            write_ears(folder, world.ears)
        self._machine = world.machine or (Machine() if world.weights else None)

    @property
    def registry(self) -> Registry:
        """Tools and the world's engines."""
        if self._registry is None:
            self._registry = world_engines(super().registry, self._world)
            if self._machine is not None:
                self._hardware = hardware_of(self._machine, self._hardware)
        return self._registry

    @property
    def lane(self) -> Lane | None:
        """The device; where the world says so, its plans reckon with the sizes of models.yaml."""
        if self._lane is None and self._machine is not None and self._machine.sizes == "published":
            from tools.models.shelf import Shelf
            from tools.runtime.device.opening import open_lane

            registry = self.registry
            assert registry.profile is not None
            placed = Shelf(self.settings.models_home, registry.models).placed()
            models = published_sizes(placed, registry.models)
            here = [name for name, entry in models.models.items() if entry.source]
            together = registry.used_together(here)
            with self._starting:
                self._lane = open_lane(self._hardware, registry.profile, models, self.settings.state_dir, together)
        return super().lane

    @property
    def pool(self) -> WorkerPool:
        """The workers, which may take engines of the world, too."""
        with self._starting:
            if self._pool is None:
                from agent.machinery import told_workers
                from tools.runtime.workers.pool import WorkerPool

                told = {**told_workers(self.settings), WORLD_VARIABLE: str(self._folder.absolute())}
                self._pool = WorkerPool(
                    self.settings.workers or 1, self.registry.stacks, ALLOWED, models_home=self.settings.models_home,
                    told=told,
                )  # fmt: skip
                self._pool.start()
            return self._pool

    def run(
        self, state: AgentState, calls: list[Call], tell: Callable[[Any], None], cancel: threading.Event
    ) -> Mapping[str, Artifact | ToolError]:
        """See `Toolbox.run`."""
        self._seen(calls)
        if self._world.faults:
            note_calls(self._folder, self.registry, calls)
        return super().run(state, calls, tell, cancel)
