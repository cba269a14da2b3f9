"""What works on this machine: tools and engines, the device, the workers. Each is opened when it is first asked for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from configs.settings import Settings

if TYPE_CHECKING:
    from tools.readiness import Readiness
    from tools.registry import Registry
    from tools.runtime.device.lane import Lane
    from tools.runtime.pace import Pace
    from tools.runtime.workers.pool import WorkerPool

__all__ = ["Machinery", "told_workers"]


class Machinery:
    """Engines, device and workers of one machine. Runs of several threads may share it.

    Args:
        settings: where models and what was measured lie, how many workers.
        pool: workers that are already starting; None starts them at the first call.
    """

    def __init__(self, settings: Settings, *, pool: WorkerPool | None = None) -> None:
        self.settings = settings
        self._pool = pool
        self._pool_is_new = pool is not None
        self._registry: Registry | None = None
        self._lane: Lane | None = None
        self._pace: Pace | None = None
        self._starting = threading.Lock()

    @property
    def registry(self) -> Registry:
        """Tools and engines, read on first use."""
        if self._registry is None:
            from configs.profiles import load_profiles
            from tools.registry import Registry
            from tools.runtime.device.hardware import choose_profile, detect

            profiles = load_profiles().profiles
            self._hardware = detect()
            name = choose_profile(self._hardware, profiles, self.settings.profile)
            self._registry = Registry.load(profile=profiles[name])
        return self._registry

    @property
    def lane(self) -> Lane | None:
        """The device for engines with models, opened on first use; None where no model is known."""
        with self._starting:
            if self._lane is None and self.registry.models.loadable:
                from tools.models.shelf import Shelf
                from tools.runtime.device.opening import open_lane

                profile = self.registry.profile
                assert profile is not None
                models = Shelf(self.settings.models_home, self.registry.models).placed()
                here = [name for name, entry in models.models.items() if entry.source]
                together = self.registry.used_together(here)
                self._lane = open_lane(self._hardware, profile, models, self.settings.state_dir, together)
            return self._lane

    @property
    def pace(self) -> Pace:
        """How fast engines are on this machine."""
        with self._starting:
            if self._pace is None:
                from tools.runtime.pace import Pace
                from tools.runtime.residency.sizes import machine_name

                self._pace = Pace(self.settings.state_dir, machine_name())
            return self._pace

    @property
    def pool(self) -> WorkerPool:
        """The workers, started on first use."""
        with self._starting:
            if self._pool is None:
                from tools.runtime.workers.pool import WorkerPool

                home = self.settings.models_home
                self._pool = WorkerPool(
                    self.settings.workers, self.registry.stacks, models_home=home, told=told_workers(self.settings)
                )
                self._pool.start()
            elif self._pool_is_new:
                # It was started before it was known which stacks there are.
                self._pool_is_new = False
                self._pool.know(self.registry.stacks, self.settings.models_home, told_workers(self.settings))
            return self._pool

    def close(self) -> None:
        """End the workers; the next call starts new ones."""
        with self._starting:
            pool, self._pool = self._pool, None
            lane, self._lane = self._lane, None
        if pool is not None:
            pool.close()
        if lane is not None:
            lane.close()

    def readiness(self) -> Readiness:
        """What each engine lacks on this machine, as it is now."""
        from tools.models.shelf import Shelf
        from tools.readiness import Readiness

        registry = self.registry
        shelf = Shelf(self.settings.models_home, registry.models)
        roles = {"vision": self.settings.vision}
        return Readiness(registry, shelf, gpu=self.has_gpu, network=self.settings.network, roles=roles)

    @property
    def has_gpu(self) -> bool:
        """Whether engines with models work on a GPU here."""
        profile = self.registry.profile
        return bool(self._hardware.gpus) and profile is not None and profile.budget_gb > 0


def told_workers(settings: Settings) -> dict[str, str]:
    """What workers need to know of the settings: who looks at pictures, and whether anything may leave this machine."""
    return {
        "STUDIO_VISION": settings.vision,
        "STUDIO_NETWORK": str(settings.network).lower(),
        "STUDIO_MODEL_TIMEOUT_S": str(settings.model_timeout_s),
    }
