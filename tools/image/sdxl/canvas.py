"""What a call draws with: models on the device, sizes, seeds, and what it may ask of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput
from tools.image.sdxl.control import ChosenControl
from tools.image.sdxl.pictures import working_size
from tools.image.sdxl.plan import Plan
from tools.model import Placing

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Canvas"]

_LAID_OUT = 0.06
"""How much of a call is done when its layout is."""


@dataclass(frozen=True)
class Canvas:
    """What a call draws with.

    Attributes:
        pipeline: SDXL's parts, on the device.
        refiner: its parts, on the device; None where there is none.
        placing: how sparing to be.
        size: of the picture that is asked for.
        seed: of the noise.
        start: picture to begin from, height x width x 3 uint8, of the size asked for; None: from noise.
        controlnet: gives a ControlNet that was chosen, on the device.
        companions: other models on the device, by name.
        sampled: told when the ControlNets are no longer needed.
        restore: makes the pipeline's weights again what was read; None where nothing may be written into them.
        hasten: has the UNet compute faster while its block runs, where the plan asks for it.
        progress: may raise to stop.
        note: told what was done otherwise than one might think, for the record of the picture.
    """

    pipeline: Any
    refiner: Any
    placing: Placing
    size: tuple[int, int]
    seed: int
    start: np.ndarray | None
    controlnet: Callable[[ChosenControl], Any]
    progress: Callable[[float, str], None]
    companions: Mapping[str, Any] = field(default_factory=dict)
    sampled: Callable[[], None] = field(default=lambda: None)
    restore: Callable[[], None] | None = None
    hasten: Callable[[Plan], AbstractContextManager[None]] = field(default=lambda _plan: nullcontext())
    note: Callable[[str], None] = field(default=lambda _text: None)

    def companion(self, name: str) -> Any:
        """A model besides SDXL, on the device.

        Raises:
            InvalidInput: it is not there.
        """
        if name not in self.companions:
            raise InvalidInput(f"{name} is not on the device")
        return self.companions[name]

    def variant(self, number: int, count: int) -> Canvas:
        """The same by another seed, with its share of the progress."""
        if count == 1:
            return self

        def share(fraction: float, text: str) -> None:
            mine = max(0.0, fraction - _LAID_OUT) / (1.0 - _LAID_OUT)
            done = _LAID_OUT + (1.0 - _LAID_OUT) * (number + mine) / count
            self.progress(done, f"picture {number + 1} of {count}, {text}")

        return replace(self, seed=self.seed + number, progress=share)

    @property
    def device(self) -> str:
        return self.placing.device

    @property
    def dtype(self) -> Any:
        """Of the UNet's weights."""
        return self.pipeline.unet.dtype

    @property
    def working(self) -> tuple[int, int]:
        """Width and height that are drawn."""
        native = int(self.pipeline.unet.config.sample_size) * 8
        # First the batch is halved, then the picture.
        return working_size(*self.size, native, max(0, self.placing.smaller - 1))

    @property
    def latent_size(self) -> tuple[int, int]:
        """Width and height of the latents."""
        width, height = self.working
        return width // 8, height // 8
