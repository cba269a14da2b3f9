"""How a loaded model gets to its device and off it; in a worker process. torch comes only with a model that has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tools.errors import EngineFailed
from tools.model import Weights
from tools.runtime.residency.slab import Slab

__all__ = ["Mover", "mover_for"]


class Mover(Protocol):
    """Moves one loaded model."""

    @property
    def size(self) -> int:
        """Bytes that it takes on the device, exactly; 0 where that cannot be told before it is there."""

    def bring(self) -> int:
        """To the device; returns its bytes there."""

    def drop(self) -> None:
        """Off the device; the host copy stays."""

    def close(self) -> None:
        """Give back the host copy as well."""

    @property
    def can_restore(self) -> bool:
        """Whether there is a second copy of the weights, from which those on the device can be made anew."""

    def restore(self) -> None:
        """The weights on the device as they were read, whatever was written into them."""


def mover_for(weights: Weights, device: str) -> Mover:
    """The mover of a model that was just loaded."""
    modules = weights.modules()
    if not modules:
        return _OfItsOwn(weights, device)
    if device == "cpu":
        return _Stationary(modules)
    return _AsSlab(modules, device) if device.startswith("cuda") else _TensorByTensor(modules, device)


class _OneCopy:
    """The weights are in one place alone: what is written into them stays."""

    can_restore = False

    def restore(self) -> None:
        raise EngineFailed("there is no second copy of these weights.")


class _OfItsOwn(_OneCopy):
    """The library keeps its own memory."""

    def __init__(self, weights: Weights, device: str) -> None:
        self._weights, self._device = weights, device

    @property
    def size(self) -> int:
        return self._weights.wakes_to()

    def bring(self) -> int:
        return self._weights.wake(self._device)

    def drop(self) -> None:
        self._weights.sleep()

    def close(self) -> None:
        """Nothing of ours is held; `Weights.unload` does it."""


class _AsSlab:
    """CUDA: one pinned copy, one transfer."""

    def __init__(self, modules: Mapping[str, Any], device: str) -> None:
        self._slab = Slab(modules, device)

    @property
    def size(self) -> int:
        return self._slab.nbytes

    def bring(self) -> int:
        self._slab.load()
        return self._slab.nbytes

    def drop(self) -> None:
        # A LoRA that an engine put in is part of the model from then on.
        self._slab.evict(keep_changes=True)

    can_restore = True

    def restore(self) -> None:
        self._slab.restore()

    def close(self) -> None:
        self._slab.close()


class _Stationary(_OneCopy):
    """The CPU: host memory is the device."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        self._modules = modules

    @property
    def size(self) -> int:
        return _bytes(self._modules)

    def bring(self) -> int:
        return _bytes(self._modules)

    def drop(self) -> None:
        """It stays where it is; `close` of the model gives the memory back."""

    def close(self) -> None:
        self._modules = {}


class _TensorByTensor(_OneCopy):
    """Devices without pinned memory, as Apple's, where host and device memory are the same chips."""

    def __init__(self, modules: Mapping[str, Any], device: str) -> None:
        self._modules, self._device = modules, device

    @property
    def size(self) -> int:
        return _bytes(self._modules)

    def bring(self) -> int:
        for module in self._modules.values():
            module.to(self._device)
        return _bytes(self._modules)

    def drop(self) -> None:
        import torch

        for module in self._modules.values():
            module.to("cpu")
        torch.mps.empty_cache()

    def close(self) -> None:
        self._modules = {}


def _bytes(modules: Mapping[str, Any]) -> int:
    tensors = {
        tensor.data_ptr(): tensor.numel() * tensor.element_size()
        for module in modules.values()
        for tensor in (*module.parameters(), *module.buffers())
    }
    return sum(tensors.values())
