"""LTX-Video checkpoints: a folder as diffusers saves it, or one safetensors file as ComfyUI users have it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_file, require_family
from tools.models.reading import local_path, reading
from tools.models.streaming import is_streamed, stream
from tools.models.whole import naming_tensors, read_whole
from tools.video.checkpoints import (
    check_libraries,
    check_part,
    narrowed,
    settled,
)
from tools.video.ltx.generations import generation_of, settings_beside, write_settings

__all__ = ["LtxDistilled", "LtxModel", "LtxVideo", "in_bf16"]


def in_bf16(placing: Placing) -> Placing:
    """fp16 as bf16: LTX was trained in bf16, T5 overflows in fp16 (diffusers' docs of LTX); both take as much room."""
    return replace(placing, dtype="bf16") if placing.dtype == "fp16" else placing


@dataclass(frozen=True)
class LtxModel:
    """What the engine gets: diffusers' parts, on the device."""

    transformer: Any
    vae: Any
    scheduler: Any


class LtxVideo(Weights):
    """Transformer and VAE of LTX-Video. Its text encoder is a model of its own, for they need not be there at once."""

    name: ClassVar[str] = "ltx_video"

    def __init__(self) -> None:
        self._model: LtxModel | None = None
        self._streams = False

    def check(self, source: str) -> None:
        check_libraries()
        path = local_path(source, self.name, f"studio models pull {self.name}")
        if path.is_file():
            self._check_file(path)
            return
        hint = "Register the folder that holds transformer/ and vae/, or a single safetensors file."
        check_part(path / "transformer", "ltx", hint)
        check_part(path / "vae", "vae", hint)

    def _check_file(self, path: Path) -> None:
        found = inspect_file(path)
        if found.format != "safetensors":
            raise InvalidInput(f"holds {found.format}; safetensors are read here", where=str(path))
        require_family(found, "ltx")
        if not any(name.startswith("vae.") for name in found.tensors):
            raise InvalidInput(
                "holds the transformer alone, without the decoder (vae) of the pictures", where=str(path),
                hint="Register the whole checkpoint, or a folder as diffusers saves it.",
            )  # fmt: skip

    def load(self, source: str, placing: Placing) -> LtxModel:
        path = Path(source).expanduser()
        placing = in_bf16(placing)
        with reading(path, "LTX-Video"):
            model = self._read_file(path, placing) if path.is_file() else self._read_folder(path, placing)
        modules = {"transformer": model.transformer, "vae": model.vae}
        settled(modules, path)
        narrowed(model.transformer, placing)
        self._streams = is_streamed(placing)
        if self._streams:
            stream(modules, placing, ("transformer",))
        self._model = model
        return model

    @staticmethod
    def _read_folder(path: Path, placing: Placing) -> LtxModel:
        from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel

        dtype = torch_dtype(placing)
        scheduler = FlowMatchEulerDiscreteScheduler()
        if (path / "scheduler").is_dir():
            scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(str(path / "scheduler"), local_files_only=True)
        return LtxModel(
            read_whole(LTXVideoTransformer3DModel, path / "transformer", "the transformer", dtype=dtype),
            read_whole(AutoencoderKLLTXVideo, path / "vae", "the vae", dtype=dtype),
            scheduler,
        )

    @staticmethod
    def _read_file(path: Path, placing: Placing) -> LtxModel:
        from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel

        with tempfile.TemporaryDirectory(prefix="ltx-settings-") as room:
            settings = settings_beside(path)
            if settings is None:
                settings = write_settings(generation_of(inspect_file(path).tensors), Path(room))
            common = {"dtype": torch_dtype(placing), "local_files_only": True, "config": str(settings)}
            with naming_tensors(path):
                return LtxModel(
                    LTXVideoTransformer3DModel.from_single_file(str(path), subfolder="transformer", **common),
                    AutoencoderKLLTXVideo.from_single_file(str(path), subfolder="vae", **common),
                    # Later generations are sampled without a shift that grows with the size (their own pipeline).
                    FlowMatchEulerDiscreteScheduler(),
                )

    def modules(self) -> Mapping[str, Any]:
        if self._model is None or self._streams:
            return {}
        return {"transformer": self._model.transformer, "vae": self._model.vae}

    def unload(self) -> None:
        self._model = None


class LtxDistilled(LtxVideo):
    """The distilled checkpoint: 8 steps, no guidance; published as one file."""

    name: ClassVar[str] = "ltx_video_distilled"
