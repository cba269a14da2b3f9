"""What an IP-Adapter needs on the device, as models of their own: the image encoder, and the adapter's own tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.image.sdxl.files import check_libraries, require_safetensors, the_file
from tools.image.sdxl.narrow import narrow
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_folder, require_family
from tools.models.reading import local_path
from tools.models.streaming import is_streamed, stream
from tools.models.whole import read_whole

__all__ = ["IpAdapterTensors", "SdxlImageEncoder", "encoder_folder", "load_image_encoder"]


def encoder_folder(path: Path) -> Path:
    """The folder of an image encoder: the one below `path` that holds a config.json.

    Raises:
        InvalidInput: there are none, or several.
    """
    configs = [path / "config.json"] if (path / "config.json").is_file() else sorted(path.rglob("config.json"))
    if len(configs) != 1:
        raise InvalidInput(f"holds {len(configs)} config.json; one image encoder is needed", where=str(path))
    return configs[0].parent


def load_image_encoder(path: Path, dtype: Any) -> Any:
    """CLIP's image encoder, read into host memory.

    Raises:
        InvalidInput: it cannot be read.
    """
    from transformers import CLIPVisionModelWithProjection

    folder = encoder_folder(path)
    try:
        encoder = read_whole(
            CLIPVisionModelWithProjection, folder, "the image encoder", dtype=dtype, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InvalidInput(f"cannot be read: {str(error).strip().splitlines()[0][:200]}", where=str(folder)) from error
    return encoder.requires_grad_(False).eval()


class SdxlImageEncoder(Weights):
    """The encoder that sees reference pictures."""

    name: ClassVar[str] = "ip_adapter_encoder"

    def __init__(self) -> None:
        self._encoder: Any = None
        self._streams = False

    def check(self, source: str) -> None:
        check_libraries()
        folder = encoder_folder(local_path(source, "the image encoder", f"studio models pull {self.name}"))
        for file in inspect_folder(folder).weights:
            require_family(file, "clip")

    def load(self, source: str, placing: Placing) -> Any:
        encoder = load_image_encoder(Path(source).expanduser(), torch_dtype(placing))
        narrow(encoder, placing, at_least=8)
        self._streams = is_streamed(placing)
        if self._streams:
            stream({"image_encoder": encoder}, placing)
        self._encoder = encoder
        return encoder

    def modules(self) -> Mapping[str, Any]:
        return {} if self._encoder is None or self._streams else {"image_encoder": self._encoder}

    def unload(self) -> None:
        self._encoder = None


class IpAdapterTensors(Weights):
    """An IP-Adapter's tensors: they are attached to the UNet for a call, and share their memory with it then."""

    name: ClassVar[str] = "ip_adapter"

    def __init__(self) -> None:
        self._holder: Any = None

    def check(self, source: str) -> None:
        check_libraries()
        file = the_file(local_path(source, "the IP-Adapter", "studio models list"))
        require_safetensors(file, "ip_adapter", "instantid", base="sdxl")

    def load(self, source: str, placing: Placing) -> Any:
        """A torch module whose buffers are the tensors of the file; its `tensors()` gives them by their names there."""
        import torch
        from safetensors.torch import load_file

        class Tensors(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
            """Tensors by name; torch's own names of buffers may hold no dots."""

            def __init__(self, named: Mapping[str, torch.Tensor]) -> None:
                super().__init__()
                self._names = list(named)
                for number, tensor in enumerate(named.values()):
                    self.register_buffer(f"t{number}", tensor)

            def tensors(self) -> dict[str, torch.Tensor]:
                return {name: getattr(self, f"t{number}") for number, name in enumerate(self._names)}

        dtype = torch_dtype(placing)
        file = the_file(Path(source).expanduser())
        self._holder = Tensors({name: tensor.to(dtype) for name, tensor in load_file(str(file)).items()})
        return self._holder

    def modules(self) -> Mapping[str, Any]:
        return {} if self._holder is None else {"adapter": self._holder}

    def unload(self) -> None:
        self._holder = None
