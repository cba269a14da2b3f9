"""SDXL checkpoints: a folder of diffusers, one safetensors file as ComfyUI and A1111 users have it, a UNet as GGUF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput, MissingPrerequisite
from tools.image.sdxl.files import check_libraries, require_safetensors
from tools.image.sdxl.narrow import is_narrow, narrow, read_gguf_unet
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_file, inspect_folder, require_family
from tools.models.reading import local_path, reading
from tools.models.streaming import is_streamed, stream
from tools.models.whole import naming_tensors, read_whole, require_filled

__all__ = ["SdxlCheckpoint", "SdxlRefiner"]


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
            found = inspect_file(path)
            if found.format == "gguf":
                require_family(found, self.family)
                self._check_folder(self._rest(path), without_unet=True)
            else:
                require_safetensors(path, self.family)
                self._configs(path)
        else:
            self._check_folder(path)

    def _check_folder(self, path: Path, *, without_unet: bool = False) -> None:
        """Every file is looked at, its content rather than its name; nothing of it is loaded."""
        if not (path / "model_index.json").is_file():
            raise InvalidInput(
                "holds no model_index.json: it is not a folder of diffusers", where=str(path),
                hint="Register the folder that holds unet/, vae/ and text_encoder/, or a single safetensors file.",
            )  # fmt: skip
        found = inspect_folder(path).weights
        for part in self.parts[1:] if without_unet else self.parts:
            files = [file for file in found if file.path.parent == path / part and file.format == "safetensors"]
            if not files:
                raise InvalidInput(
                    "there are no safetensors in it; pickles (.bin, .ckpt, .pt) are not loaded", where=str(path / part)
                )
            # What was cut into several files tells what it is only as a whole.
            for file in files if not any((path / part).glob("*.index*.json")) else ():
                require_family(file, {"unet": self.family, "vae": "vae"}.get(part, "clip"))

    def _rest(self, file: Path) -> Path:
        """The folder with what a GGUF file lacks (text encoders, VAE, tokenizers): named as the file, or `sdxl`."""
        for folder in (file.with_suffix(""), file.with_name("sdxl")):
            if (folder / "model_index.json").is_file():
                return folder
        raise MissingPrerequisite(
            f"{file} holds the UNet alone; the rest of SDXL is looked for in {file.with_name('sdxl')}.",
            command="hf download stabilityai/stable-diffusion-xl-base-1.0 --include '*.json' 'tokenizer*/*' "
            f"'text_encoder*/*.fp16.safetensors' 'vae/*.fp16.safetensors' --local-dir '{file.with_name('sdxl')}'",
        )

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
        with reading(path, self.family):
            pipeline = self._read(path, torch_dtype(placing))
        require_filled(self._parts(pipeline), path)
        pipeline.vae.to(torch.float32)
        for part, module in self._parts(pipeline).items():
            module.requires_grad_(False).eval()
            if part != "vae" and not is_narrow(module):
                narrow(module, placing, at_least=4 if part == "unet" else 8)
        self._pipeline = pipeline
        self._streams = is_streamed(placing)
        if self._streams:
            stream(self._modules(), placing, ("unet",))
        return self._pipeline

    def _read(self, path: Path, dtype: Any) -> Any:
        kind = self._pipeline_class()
        common = {"dtype": dtype, "local_files_only": True, "add_watermarker": False}
        if path.is_file() and inspect_file(path).format == "gguf":
            unet = read_gguf_unet(path, self._rest(path), dtype)
            return self._folder(kind, self._rest(path), common, {"unet": unet})
        if path.is_file():
            with naming_tensors(path):
                return kind.from_single_file(str(path), config=str(self._configs(path)), **common)
        return self._folder(kind, path, common, {})

    def _folder(self, kind: Any, path: Path, common: Mapping[str, Any], read: Mapping[str, Any]) -> Any:
        """Each part by itself: only so is told what was lacking in it."""
        import diffusers
        import transformers

        kinds = {
            "unet": diffusers.UNet2DConditionModel,
            "vae": diffusers.AutoencoderKL,
            "text_encoder": transformers.CLIPTextModel,
            "text_encoder_2": transformers.CLIPTextModelWithProjection,
        }
        parts = dict(read)
        for part in self.parts:
            if part not in parts:
                folder = path / part
                # `variant` does not fall back by itself: it is asked for where the files say so.
                plain = any(".fp16" not in one.name for one in folder.glob("*.safetensors"))
                parts[part] = read_whole(
                    kinds[part], folder, f"the {part}", dtype=common["dtype"], variant=None if plain else "fp16"
                )
        return kind.from_pretrained(str(path), use_safetensors=True, trust_remote_code=False, **common, **parts)

    def _modules(self) -> dict[str, Any]:
        return {} if self._pipeline is None else self._parts(self._pipeline)

    def _parts(self, pipeline: Any) -> dict[str, Any]:
        return {part: getattr(pipeline, part) for part in self.parts if getattr(pipeline, part) is not None}

    def modules(self) -> Mapping[str, Any]:
        return {} if self._streams else self._modules()

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
