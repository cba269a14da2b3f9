"""MusicGen's checkpoints: a folder as transformers saves it, with its processor; safetensors only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_folder, require_family
from tools.models.libraries import require_libraries
from tools.models.reading import model_folder, reading, settings_of
from tools.models.whole import read_whole

__all__ = ["LIBRARIES", "MusicgenMedium", "MusicgenModel", "MusicgenSmall"]

LIBRARIES = ("torch", "transformers", "safetensors")
NEEDED = (("config.json",), ("preprocessor_config.json", "processor_config.json"), ("tokenizer.json",))
"""Files of a folder; of those in one row any will do: transformers 5 writes the settings of processors elsewhere."""


@dataclass(frozen=True)
class MusicgenModel:
    """What an engine is given.

    Attributes:
        model: `MusicgenForConditionalGeneration`, in eval mode.
        processor: its `MusicgenProcessor`.
        rate: Hz of what it draws.
        channels: 1, or 2 for the stereo checkpoints.
        hop: samples of one step of its decoder.
        codebooks: of its decoder, per channel; a step of music is ready that many steps after it began.
    """

    model: Any
    processor: Any
    rate: int
    channels: int
    hop: int
    codebooks: int


class MusicgenSmall(Weights):
    """facebook/musicgen-small, or a fine-tune of it.

    EnCodec is kept in float32: it is 60 million parameters small, and what it makes is what is heard.
    """

    name: ClassVar[str] = "musicgen_small"

    def __init__(self) -> None:
        self._loaded: MusicgenModel | None = None

    def check(self, source: str) -> None:
        require_libraries("MusicGen needs", LIBRARIES)
        folder = model_folder(self.name, source, "config.json and tokenizer.json")
        for names in NEEDED:
            if not any((folder / name).is_file() for name in names):
                raise InvalidInput(
                    f"holds no {names[0]}: it is not a folder of MusicGen as transformers saves it", where=str(folder)
                )
        for file in inspect_folder(folder).weights:
            require_family(file, "musicgen")
        kind = settings_of(folder / "config.json").get("model_type")
        if kind != "musicgen":
            raise InvalidInput(f"is of a {kind!r}; expected was 'musicgen'", where=str(folder / "config.json"))

    def load(self, source: str, placing: Placing) -> MusicgenModel:
        import torch
        from transformers import AutoProcessor, MusicgenForConditionalGeneration

        folder = str(Path(source).expanduser())
        common = {"local_files_only": True, "trust_remote_code": False}
        with reading(Path(folder), "MusicGen"):
            processor = AutoProcessor.from_pretrained(folder, **common)
            model = read_whole(
                MusicgenForConditionalGeneration, Path(folder), "MusicGen", dtype=torch_dtype(placing),
                trust_remote_code=False,
            )  # fmt: skip
        model.requires_grad_(False).eval()
        model.audio_encoder.to(torch.float32)
        self._loaded = _described(model, processor, folder)
        return self._loaded

    def modules(self) -> Mapping[str, Any]:
        return {"musicgen": self._loaded.model} if self._loaded else {}

    def unload(self) -> None:
        self._loaded = None


class MusicgenMedium(MusicgenSmall):
    """facebook/musicgen-medium."""

    name: ClassVar[str] = "musicgen_medium"


def _described(model: Any, processor: Any, folder: str) -> MusicgenModel:
    codec, decoder = model.config.audio_encoder, model.config.decoder
    if decoder.audio_channels not in (1, 2):
        raise InvalidInput(f"draws {decoder.audio_channels} channels; 1 and 2 are known here", where=folder)
    if processor.feature_extractor.sampling_rate != codec.sampling_rate:
        raise InvalidInput(
            f"its processor hears {processor.feature_extractor.sampling_rate} Hz, its codec {codec.sampling_rate} Hz",
            where=folder,
        )
    hop = 1
    for ratio in codec.upsampling_ratios:
        hop *= ratio
    codebooks = decoder.num_codebooks // decoder.audio_channels
    return MusicgenModel(model, processor, codec.sampling_rate, decoder.audio_channels, hop, codebooks)
