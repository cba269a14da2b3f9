"""Stable Video Diffusion checkpoints: a folder as diffusers saves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models.reading import local_path, reading
from tools.models.streaming import is_streamed, stream
from tools.models.whole import read_whole
from tools.video.checkpoints import (
    check_libraries,
    check_part,
    settled,
)

__all__ = ["SvdCheckpoint"]


class SvdCheckpoint(Weights):
    """A `StableVideoDiffusionPipeline`.

    The VAE is kept in float32: it overflows in fp16, and a pipeline that casts it to and fro would take its weights out
    of the block in which the studio moves them.
    """

    name: ClassVar[str] = "svd_xt"
    parts: ClassVar[Mapping[str, str]] = {"unet": "svd", "vae": "vae", "image_encoder": "clip"}

    def __init__(self) -> None:
        self._pipeline: Any = None
        self._streams = False

    def check(self, source: str) -> None:
        check_libraries()
        path = local_path(source, self.name, f"studio models pull {self.name}")
        hint = "Register the folder that holds unet/, vae/ and image_encoder/."
        if not (path / "model_index.json").is_file():
            raise InvalidInput("holds no model_index.json: it is not a folder of diffusers", where=str(path), hint=hint)
        for part, family in self.parts.items():
            check_part(path / part, family, hint)

    def load(self, source: str, placing: Placing) -> Any:
        import torch
        from diffusers import (
            AutoencoderKLTemporalDecoder,
            StableVideoDiffusionPipeline,
            UNetSpatioTemporalConditionModel,
        )
        from transformers import CLIPVisionModelWithProjection

        path = Path(source).expanduser()
        # `variant` does not fall back by itself: it is asked for where the files say so.
        plain = any(one for one in (path / "unet").glob("*.safetensors") if ".fp16" not in one.name)
        common = {"dtype": torch_dtype(placing), "variant": None if plain else "fp16"}
        kinds = {
            "unet": UNetSpatioTemporalConditionModel,
            "vae": AutoencoderKLTemporalDecoder,
            "image_encoder": CLIPVisionModelWithProjection,
        }
        with reading(path, "Stable Video Diffusion"):
            parts = {part: read_whole(kind, path / part, f"the {part}", **common) for part, kind in kinds.items()}
            pipeline = StableVideoDiffusionPipeline.from_pretrained(
                str(path), local_files_only=True, use_safetensors=True, trust_remote_code=False, **parts
            )
        pipeline.vae.to(torch.float32)
        pipeline.set_progress_bar_config(disable=True)
        modules = {part: getattr(pipeline, part) for part in self.parts}
        settled(modules, path)
        self._streams = is_streamed(placing)
        if self._streams:
            stream(modules, placing)
        self._pipeline = pipeline
        return pipeline

    def modules(self) -> Mapping[str, Any]:
        if self._pipeline is None or self._streams:
            return {}
        return {part: getattr(self._pipeline, part) for part in self.parts}

    def unload(self) -> None:
        self._pipeline = None
