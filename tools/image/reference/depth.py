"""How far everything in a picture is, as ControlNets read it: near is white.

Source: Yang et al. 2024, "Depth Anything V2" (arXiv 2406.09414): it tells relative inverse depth, large where near.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tools.errors import BadOutput
from tools.image.reference.loading import Seer, SeerWeights

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DepthAnything", "DepthAnythingWeights"]


class DepthAnything(Seer):
    """Tells depth."""

    def depth(self, picture: np.ndarray) -> np.ndarray:
        """The depth map of a picture (height x width x 3 uint8), of its size: the nearest point 255, the farthest 0.

        Raises:
            BadOutput: the model gave values that are not numbers, or the same everywhere.
        """
        import numpy as np
        import torch
        from torch.nn.functional import interpolate

        with torch.no_grad():
            found = self.model(**self.prepared(picture)).predicted_depth.to(torch.float32)
        if not bool(torch.isfinite(found).all()):
            raise BadOutput("the depth model computed values that are not numbers (NaN).")
        size = (picture.shape[0], picture.shape[1])
        values = interpolate(found[:, None], size=size, mode="bicubic", align_corners=False)[0, 0].cpu().numpy()
        low, high = float(values.min()), float(values.max())
        if high - low < 1e-6:
            raise BadOutput("the depth model sees everything equally far away.")
        grey = np.rint((values - low) / (high - low) * 255.0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)


class DepthAnythingWeights(SeerWeights):
    """Depth Anything V2 from its folder."""

    name: ClassVar[str] = "depth_anything"
    model_class: ClassVar[str] = "DepthAnythingForDepthEstimation"
    processor_class: ClassVar[str] = "DPTImageProcessorPil"
    seer: ClassVar[type[Seer]] = DepthAnything
