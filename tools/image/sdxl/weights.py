"""SDXL checkpoints: a folder as diffusers saves it, or one safetensors file as ComfyUI and A1111 users have it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import EngineFailed, InvalidInput, MissingPrerequisite
from tools.image.sdxl.files import check_libraries, local_path, require_safetensors
from tools.model import Placing, Weights
from tools.models import inspect_folder, require_family

__all__ = ["SdxlCheckpoint", "SdxlRefiner", "torch_dtype"]

CONFIGS = "config with tokenizers"


def torch_dtype(placing: Placing) -> Any:
    """torch's dtype of a placing."""
    import torch

    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[placing.dtype]


class SdxlCheckpoint(Weights):
    """SDXL base, a fine-tune of it, or SDXL-Lightning: a `StableDiffusionXLPipeline` whose parts the engine uses.

    The VAE is kept in float32, in which its values do not overflow (madebyollin/sdxl-vae-fp16-fix, model card).
    """

    name: ClassVar[str] = "sdxl_base"
    family: ClassVar[str] = "sdxl"
    parts: ClassVar[tuple[str, ...]] = ("unet", "vae", "text_encoder", "text_encoder_2")

    def __init__(self) -> None:
        self._pipeline: Any = None
        self._streams = False

    def check(self, source: str) -> None:
        check_libraries()
        path = local_path(source, self.name, f"studio models pull {self.name}")
        if path.is_file():
            require_safetensors(path, self.family)
            self._configs(path)
        else:
            self._check_folder(path)

    def _check_folder(self, path: Path) -> None:
        """Every file is looked at, its content rather than its name; nothing of it is loaded."""
        if not (path / "model_index.json").is_file():
            raise InvalidInput(
                "holds no model_index.json: it is not a folder of diffusers", where=str(path),
                hint="Register the folder that holds unet/, vae/ and text_encoder/, or a single safetensors file.",
            )  # fmt: skip
        found = inspect_folder(path).weights
        for part in self.parts:
            files = [file for file in found if file.path.parent == path / part and file.format == "safetensors"]
            if not files:
                raise InvalidInput(
                    "there are no safetensors in it; pickles (.bin, .ckpt, .pt) are not loaded", where=str(path / part)
                )
            # What was cut into several files tells what it is only as a whole.
            for file in files if not any((path / part).glob("*.index*.json")) else ():
                require_family(file, {"unet": self.family, "vae": "vae"}.get(part, "clip"))

    def _configs(self, file: Path) -> Path:
        """The folder with configs and tokenizers of a single file: named as the file, or `sdxl-config` beside it."""
        for folder in (file.with_suffix(""), file.with_name("sdxl-config")):
            if (folder / "model_index.json").is_file():
                return folder
        raise MissingPrerequisite(
            f"{file} needs SDXL's configs and tokenizers (4 MB) in {file.with_name('sdxl-config')}.",
            command="hf download stabilityai/stable-diffusion-xl-base-1.0 --include '*.json' 'tokenizer*/*' "
            f"--local-dir '{file.with_name('sdxl-config')}'",
        )

    def _pipeline_class(self) -> Any:
        from diffusers import StableDiffusionXLPipeline

        return StableDiffusionXLPipeline

    def load(self, source: str, placing: Placing) -> Any:
        import torch

        path = Path(source).expanduser()
        try:
            self._pipeline = self._read(path, torch_dtype(placing))
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            if isinstance(error, MemoryError) or "alloc" in str(error):
                raise
            raise InvalidInput(
                f"cannot be read as {self.family}: {str(error).strip().splitlines()[0][:200]}", where=str(path),
                hint="Fetch it again, or register another file.",
            ) from error  # fmt: skip
        self._pipeline.vae.to(torch.float32)
        for part, module in self._modules().items():
            module.requires_grad_(False).eval()
            lacking = [name for name, tensor in module.state_dict().items() if tensor.is_meta]
            if lacking:
                raise InvalidInput(f"lacks {len(lacking)} weights of the {part}, as {lacking[0]}", where=str(path))
        self._streams = placing.offload != "none" and placing.device != "cpu"
        if self._streams:
            self._stream(placing)
        return self._pipeline

    def _read(self, path: Path, dtype: Any) -> Any:
        kind = self._pipeline_class()
        common = {"dtype": dtype, "local_files_only": True, "add_watermarker": False}
        if path.is_file():
            return kind.from_single_file(str(path), config=str(self._configs(path)), **common)
        # `variant` does not fall back by itself: it is asked for where the files say so.
        variant = "fp16" if any((path / "unet").glob("*.fp16*.safetensors")) else None
        plain = any(one for one in (path / "unet").glob("*.safetensors") if ".fp16" not in one.name)
        return kind.from_pretrained(
            str(path), use_safetensors=True, variant=None if plain else variant, trust_remote_code=False, **common
        )

    def _stream(self, placing: Placing) -> None:
        """Have the weights go through the device in parts; they stay in host memory."""
        import torch
        from diffusers.hooks import apply_group_offloading

        if not hasattr(torch, placing.device.partition(":")[0]):
            raise EngineFailed(f"weights cannot be streamed to {placing.device}.")
        for name, module in self._modules().items():
            whole_blocks = placing.offload == "group" and name == "unet"
            apply_group_offloading(
                module,
                onload_device=torch.device(placing.device),
                offload_device=torch.device("cpu"),
                offload_type="block_level" if whole_blocks else "leaf_level",
                num_blocks_per_group=1 if whole_blocks else None,
                use_stream=placing.offload == "group" and placing.device.startswith("cuda"),
            )

    def _modules(self) -> dict[str, Any]:
        return {part: getattr(self._pipeline, part) for part in self.parts if getattr(self._pipeline, part) is not None}

    def modules(self) -> Mapping[str, Any]:
        return {} if self._streams or self._pipeline is None else self._modules()

    def unload(self) -> None:
        self._pipeline = None


class SdxlRefiner(SdxlCheckpoint):
    """The refiner: another UNet, the second text encoder alone."""

    name: ClassVar[str] = "sdxl_refiner"
    family: ClassVar[str] = "sdxl_refiner"
    parts: ClassVar[tuple[str, ...]] = ("unet", "vae", "text_encoder_2")

    def _pipeline_class(self) -> Any:
        from diffusers import StableDiffusionXLImg2ImgPipeline

        return StableDiffusionXLImg2ImgPipeline
