"""ControlNets as models: read from a folder of diffusers or a file alone, plain or of several maps at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.image.sdxl.files import check_libraries, require_safetensors, the_file
from tools.image.sdxl.narrow import narrow
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_file, inspect_folder, require_family
from tools.models.reading import local_path
from tools.models.streaming import is_streamed, stream
from tools.models.whole import misshapen, read_whole, require_filled

__all__ = ["SDXL_UNET", "SdxlControlNet", "load_controlnet"]

SDXL_UNET: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "cross_attention_dim": 2048,
}
"""stabilityai/stable-diffusion-xl-base-1.0, unet/config.json."""


class SdxlControlNet(Weights):
    """A ControlNet for SDXL; a model of its own, on the device for the calls that use it."""

    name: ClassVar[str] = "controlnet"

    def __init__(self) -> None:
        self._net: Any = None
        self._streams = False

    def check(self, source: str) -> None:
        check_libraries()
        path = local_path(source, "a ControlNet for SDXL", "studio models list")
        if path.is_dir() and (path / "config.json").is_file():
            _class_of(path)
        else:
            require_safetensors(the_file(path), "controlnet", base="sdxl")

    def load(self, source: str, placing: Placing) -> Any:
        net = load_controlnet(Path(source).expanduser(), torch_dtype(placing))
        narrow(net, placing)
        self._streams = is_streamed(placing)
        if self._streams:
            stream({"controlnet": net}, placing)
        self._net = net
        return net

    def modules(self) -> Mapping[str, Any]:
        return {} if self._net is None or self._streams else {"controlnet": self._net}

    def unload(self) -> None:
        self._net = None


def load_controlnet(path: Path, dtype: Any, unet: Any = None) -> Any:
    """Read a ControlNet into host memory.

    Args:
        path: a folder of diffusers, or a safetensors file, with its config.json beside it or without.
        unet: of the model that it is to condition: a file without a config has its topology; None: that of SDXL.

    Raises:
        InvalidInput: it cannot be read, holds pickles alone, or is another kind of network.
    """
    folder = path if path.is_dir() else path.parent
    try:
        if (folder / "config.json").is_file():
            net = _from_folder(folder, dtype)
        else:
            net = _from_file(the_file(path), unet, dtype)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InvalidInput(
            f"cannot be read as a ControlNet: {str(error).strip().splitlines()[0][:200]}", where=str(path),
            hint="It must be a ControlNet for SDXL.",
        ) from error  # fmt: skip
    return net.requires_grad_(False).eval()


def _from_folder(folder: Path, dtype: Any) -> Any:
    import diffusers

    # `variant` does not fall back by itself.
    variant = None if (folder / "diffusion_pytorch_model.safetensors").is_file() else "fp16"
    return read_whole(getattr(diffusers, _class_of(folder)), folder, "the ControlNet", dtype=dtype, variant=variant)


def _class_of(folder: Path) -> str:
    """diffusers' class of a folder, every file of which is looked at."""
    try:
        kind = json.loads((folder / "config.json").read_text())["_class_name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("is no config of diffusers", where=str(folder / "config.json")) from None
    files = [file for file in inspect_folder(folder).weights if file.path.parent == folder]
    for file in files:
        require_family(file, "controlnet", base="sdxl")
    if any(file.family.part == "union" for file in files):
        # The published folder calls itself a plain one.
        kind = "ControlNetUnionModel"
    if kind not in ("ControlNetModel", "ControlNetUnionModel"):
        raise InvalidInput(f"is a {kind}; a ControlNetModel is needed", where=str(folder))
    return str(kind)


def _from_file(file: Path, unet: Any, dtype: Any) -> Any:
    import torch
    from diffusers import ControlNetModel, ControlNetUnionModel, UNet2DConditionModel
    from safetensors.torch import load_file

    require_safetensors(file, "controlnet", base="sdxl")
    kind = ControlNetUnionModel if inspect_file(file).family.part == "union" else ControlNetModel
    with torch.device("meta"):
        plain = UNet2DConditionModel(**SDXL_UNET) if unet is None else unet
        net = kind.from_unet(plain, load_weights_from_unet=False)
    tensors = load_file(str(file))
    for name, tensor in net.state_dict().items():
        if name in tensors and tensors[name].shape != tensor.shape:
            raise misshapen(file, name, tensors[name].shape, tensor.shape)
    net.load_state_dict(tensors, strict=False, assign=True)
    require_filled({"ControlNet": net}, file)
    more = [name for name in tensors if name not in net.state_dict()]
    if more:
        raise InvalidInput(f"holds {len(more)} weights that the ControlNet has not, as {more[0]}", where=str(file))
    return net.to(dtype)
