"""wav2vec2 with a CTC head, which tells for every 20 ms which letter is heard; a folder, safetensors only.

Its vocabulary is read from vocab.json here: published folders differ in what else they tell of it (some have no
tokenizer_config.json), and one character a column is all that an alignment needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tools.errors import BadOutput, InvalidInput
from tools.model import Placing, Weights, torch_dtype
from tools.models import inspect_folder, require_family
from tools.models.libraries import require_libraries
from tools.models.reading import model_folder, reading, settings_of
from tools.models.whole import require_whole
from tools.sound import FloatArray
from tools.transcription.ctc_alignment import Alphabet

__all__ = ["AlignEnglish", "AlignItalian", "Aligner", "Wav2Vec2Aligner"]

LIBRARIES = ("torch", "transformers", "safetensors")
_FILES = ("config.json", "preprocessor_config.json", "vocab.json")
_RATE = 16_000
_PIECE, _CONTEXT = 1000, 50
"""Frames that are heard at once, and frames on either side of them that are heard along: 20 s and 1 s."""
_TRAINING_ONLY = "masked_spec_embed"
"""What stands for hidden frames in training; facebook/wav2vec2-base-960h has none."""


@dataclass(frozen=True)
class Aligner:
    """What an engine is given.

    Attributes:
        model: `Wav2Vec2ForCTC`, in eval mode.
        alphabet: its vocabulary.
        normalised: it was trained on sounds of mean zero and deviation one.
        hop, field: samples at 16 kHz from frame to frame, and those that one frame hears.
    """

    model: Any
    alphabet: Alphabet
    normalised: bool
    hop: int
    field: int

    def second(self, frame: float) -> float:
        """Where a frame begins, in seconds: in the middle of what it hears and its neighbour does not."""
        return (frame * self.hop + (self.field - self.hop) / 2) / _RATE

    def emissions(self, sound: FloatArray, told: Callable[[float], None] = lambda _share: None) -> FloatArray:
        """Log probabilities `(frames, columns)`, float32; long sounds are heard in pieces.

        Args:
            sound: mono float32 at 16 kHz.
            told: called with the share that is done, before each piece.

        Raises:
            BadOutput: the model answered with values that are no numbers.
        """
        import torch

        total = max(0, (len(sound) - self.field) // self.hop + 1)
        weight = self.model.lm_head.weight
        pieces = [np.zeros((0, weight.shape[0]), dtype=np.float32)]
        for first in range(0, total, _PIECE):
            told(first / total)
            low, high = max(0, first - _CONTEXT), min(total, first + _PIECE + _CONTEXT)
            piece = sound[low * self.hop : (high - 1) * self.hop + self.field].astype(np.float32)
            if self.normalised:
                piece = (piece - piece.mean()) / np.sqrt(piece.var() + 1e-7)
            with torch.inference_mode():
                values = torch.from_numpy(piece)[None].to(weight.device, weight.dtype)
                heard = torch.log_softmax(self.model(values).logits[0].float(), dim=-1).cpu().numpy()
            pieces.append(heard[first - low : first - low + _PIECE])
        found = np.concatenate(pieces)
        if not np.isfinite(found).all():
            raise BadOutput("the aligner answered with values that are no numbers.")
        return found


class Wav2Vec2Aligner(Weights):
    """`ctx.model(name)` is an `Aligner`."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self._loaded: Aligner | None = None

    def check(self, source: str) -> None:
        require_libraries(f"{self.name} needs", LIBRARIES)
        folder = model_folder(self.name, source, "config.json and vocab.json")
        for name in _FILES:
            if not (folder / name).is_file():
                raise InvalidInput(
                    f"holds no {name}: it is no wav2vec2 folder as transformers saves it", where=str(folder)
                )
        files = inspect_folder(folder).weights
        if not files:
            raise InvalidInput("holds no safetensors", where=str(folder), hint="A pickle beside is never loaded.")
        for file in files:
            require_family(file, "wav2vec2")
        config = settings_of(folder / "config.json")
        if config.get("model_type") != "wav2vec2":
            raise InvalidInput(
                f"is of a {config.get('model_type')!r}; expected was 'wav2vec2'", where=str(folder / "config.json")
            )
        _alphabet(folder, config)

    def load(self, source: str, placing: Placing) -> Aligner:
        from transformers import Wav2Vec2ForCTC

        self.check(source)
        folder = Path(source).expanduser()
        with reading(folder, "wav2vec2"):
            model, found = Wav2Vec2ForCTC.from_pretrained(
                str(folder), dtype=torch_dtype(placing), use_safetensors=True, output_loading_info=True,
                local_files_only=True, trust_remote_code=False, ignore_mismatched_sizes=True,
            )  # fmt: skip
        lacking = [name for name in found["missing_keys"] if not str(name).endswith(_TRAINING_ONLY)]
        require_whole(folder, {**found, "missing_keys": lacking}, "a wav2vec2 that writes (CTC)", model)
        config, sound = settings_of(folder / "config.json"), settings_of(folder / "preprocessor_config.json")
        if sound.get("sampling_rate", _RATE) != _RATE:
            raise InvalidInput(f"hears {sound['sampling_rate']} Hz; {_RATE} Hz is known here", where=str(folder))
        model.requires_grad_(False).eval()
        kernels, strides = model.config.conv_kernel, model.config.conv_stride
        field = 1 + sum((kernel - 1) * prod(strides[:index]) for index, kernel in enumerate(kernels))
        self._loaded = Aligner(
            model, _alphabet(folder, config), bool(sound.get("do_normalize", True)), prod(strides), field
        )
        return self._loaded

    def modules(self) -> Mapping[str, Any]:
        return {"wav2vec2": self._loaded.model} if self._loaded else {}

    def unload(self) -> None:
        self._loaded = None


class AlignEnglish(Wav2Vec2Aligner):
    """facebook/wav2vec2-base-960h."""

    name = "align_english"


class AlignItalian(Wav2Vec2Aligner):
    """dbdmg/wav2vec2-xls-r-300m-italian."""

    name = "align_italian"


def _alphabet(folder: Path, config: Mapping[str, Any]) -> Alphabet:
    """The vocabulary; the blank is the padding token, as in every CTC model of transformers.

    Raises:
        InvalidInput: it is no vocabulary of single characters, or not that of this model.
    """
    where = str(folder / "vocab.json")
    known, size = settings_of(folder / "vocab.json"), config.get("vocab_size", 32)
    if not all(isinstance(column, int) for column in known.values()):
        raise InvalidInput("is no list of characters with their columns", where=where)
    if not known or not all(0 <= column < size for column in known.values()):
        raise InvalidInput(f"does not go with the model's {size} columns", where=where)
    settings = folder / "tokenizer_config.json"
    mark = (settings_of(settings) if settings.is_file() else {}).get("word_delimiter_token") or "|"
    letters = {name: column for name, column in known.items() if len(name) == 1 and name not in (mark, " ")}
    if not any(name.isalpha() for name in letters):
        raise InvalidInput("has no letters", where=where)
    blank = config.get("pad_token_id", 0)
    if not isinstance(blank, int) or not 0 <= blank < size or blank in letters.values():
        raise InvalidInput(f"its blank, column {blank}, is a letter or none", where=where)
    return Alphabet(letters, blank, known.get(mark))
