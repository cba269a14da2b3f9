"""Qwen2.5-VL's checkpoints: a folder as transformers saves it, safetensors only; no code of the folder is run.

Its own processor wants torchvision, for films: here the picture's processor without it (`Qwen2VLImageProcessorPil`) and
the tokenizer are used by themselves, and the text is laid out as the model's chat template does (ChatML).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput
from tools.image.sdxl.narrow import narrow
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_folder
from tools.models.libraries import require_libraries
from tools.models.reading import model_folder, reading, settings_of
from tools.models.whole import read_whole

__all__ = ["LIBRARIES", "MARKS", "QwenVl", "QwenVlModel"]

LIBRARIES = ("torch", "transformers", "safetensors", "PIL")
NEEDED = ("config.json", "preprocessor_config.json", "tokenizer.json")
MARKS = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>")
"""Of the chat template; each must be one token."""


@dataclass(frozen=True)
class QwenVlModel:
    """What an engine is given.

    Attributes:
        model: `Qwen2_5_VLForConditionalGeneration`, in eval mode.
        tokenizer: its tokenizer.
        pictures: its `Qwen2VLImageProcessorPil`.
    """

    model: Any
    tokenizer: Any
    pictures: Any


class QwenVl(Weights):
    """Qwen/Qwen2.5-VL-7B-Instruct, one of its sisters, or a fine-tune of them."""

    name: ClassVar[str] = "qwen_vl_7b"

    def __init__(self) -> None:
        self._loaded: QwenVlModel | None = None

    def check(self, source: str) -> None:
        require_libraries("Qwen2.5-VL needs", LIBRARIES)
        folder = model_folder(self.name, source, ", ".join(NEEDED))
        for name in NEEDED:
            if not (folder / name).is_file():
                raise InvalidInput(
                    f"holds no {name}: it is not a folder of Qwen2.5-VL as transformers saves it", where=str(folder)
                )
        if not any(file.format == "safetensors" for file in inspect_folder(folder).weights):
            raise InvalidInput("there are no safetensors in it; pickles are not loaded", where=str(folder))
        kind = settings_of(folder / "config.json").get("model_type")
        if kind != "qwen2_5_vl":
            raise InvalidInput(f"is of a {kind!r}; expected was 'qwen2_5_vl'", where=str(folder / "config.json"))

    def load(self, source: str, placing: Placing) -> QwenVlModel:
        from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

        folder = Path(source).expanduser()
        common = {"local_files_only": True, "trust_remote_code": False}
        with reading(folder, "Qwen2.5-VL"):
            pictures = Qwen2VLImageProcessorPil.from_pretrained(str(folder), local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **common)
            model = read_whole(
                Qwen2_5_VLForConditionalGeneration, folder, "Qwen2.5-VL", dtype=torch_dtype(placing),
                trust_remote_code=False,
            )  # fmt: skip
        known = tokenizer.get_vocab()
        lacking = [mark for mark in MARKS if mark not in known]
        if lacking:
            raise InvalidInput(f"its tokenizer lacks {', '.join(lacking)}", where=str(folder / "tokenizer.json"))
        model.requires_grad_(False).eval()
        _narrowed(model, placing)
        self._loaded = QwenVlModel(model, tokenizer, pictures)
        return self._loaded

    def modules(self) -> Mapping[str, Any]:
        return {"qwen_vl": self._loaded.model} if self._loaded else {}

    def unload(self) -> None:
        self._loaded = None


def _narrowed(model: Any, placing: Placing) -> None:
    """Language in as few bits as the placing says; what sees, and what chooses the words, in 8 at least."""
    import torch

    if placing.quantise == "none":
        return
    narrow(model.model.language_model, placing)
    narrow(model.model.visual, placing, at_least=8)
    narrow(torch.nn.ModuleList([model.lm_head]), placing, at_least=8)
