"""A small model of transformers read from its folder: safetensors alone, no code of its own, no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_folder
from tools.models.libraries import require_libraries
from tools.models.reading import local_path, reading
from tools.models.whole import read_whole

__all__ = ["Seer", "SeerWeights"]

_LIBRARIES = ("torch", "transformers", "PIL")


class Seer:
    """A model that looks at pictures, with what prepares them for it."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor

    @property
    def device(self) -> Any:
        """Where its weights are now."""
        return next(self.model.parameters()).device

    @property
    def dtype(self) -> Any:
        """Of its weights."""
        return next(self.model.parameters()).dtype

    def prepared(self, picture: Any, **more: Any) -> dict[str, Any]:
        """What goes into the model for one picture (height x width x 3 uint8), on its device."""
        inputs = self.processor(picture, return_tensors="pt", **more)
        return {
            name: value.to(self.device, self.dtype) if value.is_floating_point() else value.to(self.device)
            for name, value in inputs.items()
            if name in ("pixel_values", "pixel_mask")
        }


class SeerWeights(Weights):
    """Reads a folder as `studio models pull` leaves it; subclasses name the classes of transformers."""

    model_class: ClassVar[str] = ""
    processor_class: ClassVar[str] = ""
    seer: ClassVar[type[Seer]] = Seer

    def __init__(self) -> None:
        self._seer: Seer | None = None

    def check(self, source: str) -> None:
        require_libraries(f"{self.name} needs", _LIBRARIES)
        self._folder(source)

    def _folder(self, source: str) -> Path:
        path = local_path(source, self.name, f"studio models pull {self.name}")
        folder = path if path.is_dir() else path.parent
        for name in ("config.json", "preprocessor_config.json"):
            if not (folder / name).is_file():
                raise InvalidInput(f"holds no {name}", where=str(folder), hint="Pull it again.")
        if not any(file.format == "safetensors" for file in inspect_folder(folder).weights):
            raise InvalidInput("holds no safetensors; pickles are not loaded", where=str(folder))
        return folder

    def load(self, source: str, placing: Placing) -> Seer:
        import transformers

        folder = self._folder(source)
        with reading(folder, self.name):
            processor = getattr(transformers, self.processor_class).from_pretrained(str(folder), local_files_only=True)
            model = read_whole(
                getattr(transformers, self.model_class), folder, self.name, dtype=torch_dtype(placing),
                trust_remote_code=False,
            )  # fmt: skip
        self._seer = self.seer(model.requires_grad_(False).eval(), processor)
        return self._seer

    def modules(self) -> Mapping[str, Any]:
        return {} if self._seer is None else {"model": self._seer.model}

    def unload(self) -> None:
        self._seer = None
