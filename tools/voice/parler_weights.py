"""Parler-TTS's checkpoints: a folder as transformers saves it; read in the stack `parler`, safetensors only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_folder, require_family
from tools.models.libraries import require_libraries
from tools.models.reading import model_folder, reading
from tools.models.whole import require_whole

__all__ = ["ParlerMini", "ParlerModel", "check_libraries"]


def check_libraries() -> None:
    """See that this is an environment with Parler-TTS.

    Raises:
        MissingPrerequisite: with the command that makes one.
    """
    require_libraries("Parler-TTS needs", ("torch", "transformers", "parler_tts"), "studio stacks install parler")


@dataclass(frozen=True)
class ParlerModel:
    """What the engine is given: the model in eval mode, its tokenizer, the rate of its sound in Hz, steps a second."""

    model: Any
    tokenizer: Any
    rate: int
    steps_per_s: float


class ParlerMini(Weights):
    """parler-tts/parler-tts-mini-v1, or a fine-tune of it. Its codec is kept in float32: what it makes is heard."""

    name: ClassVar[str] = "parler_mini"

    def __init__(self) -> None:
        self._loaded: ParlerModel | None = None

    def check(self, source: str) -> None:
        check_libraries()
        folder = model_folder(self.name, source, "config.json and tokenizer_config.json")
        for name in ("config.json", "tokenizer_config.json"):
            if not (folder / name).is_file():
                raise InvalidInput(f"holds no {name}: it is not a folder of Parler-TTS", where=str(folder))
        for file in inspect_folder(folder).weights:
            require_family(file, "parler")

    def load(self, source: str, placing: Placing) -> ParlerModel:
        import torch
        from parler_tts import ParlerTTSForConditionalGeneration
        from transformers import AutoTokenizer

        folder = str(Path(source).expanduser())
        common = {"local_files_only": True, "trust_remote_code": False}
        with reading(Path(folder), "Parler-TTS"):
            tokenizer = AutoTokenizer.from_pretrained(folder, **common)
            model, info = ParlerTTSForConditionalGeneration.from_pretrained(
                folder, torch_dtype=torch_dtype(placing), use_safetensors=True, output_loading_info=True,
                local_files_only=True,
            )  # fmt: skip
        require_whole(Path(folder), info, "Parler-TTS")
        model.requires_grad_(False).eval()
        model.audio_encoder.to(torch.float32)
        codec = model.config.audio_encoder
        self._loaded = ParlerModel(model, tokenizer, codec.sampling_rate, float(codec.frame_rate))
        return self._loaded

    def modules(self) -> Mapping[str, Any]:
        return {"parler": self._loaded.model} if self._loaded else {}

    def unload(self) -> None:
        self._loaded = None
