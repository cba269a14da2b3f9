"""Weights that engines share: read from disk once, then on the device or beside it as a whole.

An engine names the models it needs in configs/engines.yaml (`models: [sdxl_base]`); configs/models.yaml says which
class below reads each of them. The runtime decides when a model is on the device; an engine takes what is there:

    pipeline = ctx.model("sdxl_base")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

__all__ = ["DType", "Offload", "Placing", "Quantise", "Weights", "torch_dtype"]

DType = Literal["fp32", "fp16", "bf16"]
Quantise = Literal["none", "int8", "int4"]
Offload = Literal["none", "group", "sequential"]


@dataclass(frozen=True)
class Placing:
    """How a model is to be loaded; from the hardware profile, and from what the out-of-memory ladder came to.

    Attributes:
        device: as torch names it: `cuda:0`, `mps`, `cpu`.
        dtype: of weights that are not quantised.
        quantise: to how many bits.
        offload: whether it goes through the device in parts.
        sliced, tiled: attention, and the image decoder, work in parts: slower, with the same result up to rounding.
        smaller: how many times the sizes of the working set were halved (batch, chunk, then picture).
    """

    device: str = "cpu"
    dtype: DType = "fp32"
    quantise: Quantise = "none"
    offload: Offload = "none"
    sliced: bool = False
    tiled: bool = False
    smaller: int = 0

    @property
    def of_weights(self) -> Placing:
        """The part that holds for the weights: where this differs, they must be loaded anew."""
        return replace(self, sliced=False, tiled=False, smaller=0)

    @property
    def width(self) -> str:
        """How many bits a weight has: results differ by it."""
        return self.dtype if self.quantise == "none" else self.quantise


def torch_dtype(placing: Placing) -> Any:
    """torch's dtype of a placing."""
    import torch

    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[placing.dtype]


class Weights(ABC):
    """One model. Construction is free; lives in a worker process."""

    name: ClassVar[str]

    def check(self, source: str) -> None:  # noqa: B027 - most models have nothing to check beyond their files
        """Look whether the files and libraries are there, without loading them.

        Args:
            source: where the files are, as configs/models.yaml or the user's own registration says.

        Raises:
            MissingPrerequisite: names the command that mends it.
        """

    @abstractmethod
    def load(self, source: str, placing: Placing) -> Any:
        """Read it from disk into host memory; nothing of it is on the device yet.

        Returns:
            What engines get from `ctx.model(name)`: a pipeline, a model with its processor.
        """

    def modules(self) -> Mapping[str, Any]:
        """The torch modules whose tensors make up the model, by name. The runtime moves them as one block.

        Empty where the library keeps its own memory: then `wake` and `sleep` move it.
        """
        return {}

    def wakes_to(self) -> int:
        """Bytes that `wake` will take on the device, exactly; 0 where that cannot be told before."""
        return 0

    def wake(self, device: str) -> int:  # noqa: ARG002
        """Bring it to the device; returns its bytes there. For models without `modules`."""
        return 0

    def sleep(self) -> None:  # noqa: B027
        """Off the device, weights kept in host memory where the library can. For models without `modules`."""

    def left(self) -> int:
        """Bytes that it keeps of the device while it sleeps, as a server does; after `unload`, those that stay all the
        same, of one that is not the studio's to end. For models without `modules`."""
        return 0

    def unload(self) -> None:  # noqa: B027
        """Give back host memory, too. `load` may follow."""
