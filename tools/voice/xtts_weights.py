"""XTTS v2's checkpoints, converted to safetensors; read in the stack `xtts` by coqui-tts's own classes.

It is published as a pickle (model.pth), which is not read here: `python -m tools.voice.xtts_convert` makes of it, once,
a folder with model.safetensors, config.json and vocab.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput, MissingPrerequisite
from tools.model import Placing, Weights
from tools.models import inspect_file
from tools.models.libraries import require_libraries
from tools.models.reading import reading

__all__ = ["CONVERT", "FILES", "XttsModel", "XttsV2", "check_libraries"]

FILES = ("model.safetensors", "config.json", "vocab.json")
CONVERT = "python -m tools.voice.xtts_convert FOLDER_WITH_MODEL_PTH NEW_FOLDER"
_PARTS = ("gpt.", "hifigan_decoder.")


def check_libraries() -> None:
    """See that this is an environment with coqui-tts.

    Raises:
        MissingPrerequisite: with the command that makes one.
    """
    require_libraries("XTTS needs", ("torch", "TTS"), "studio stacks install xtts")


@dataclass(frozen=True)
class XttsModel:
    """What the engine is given: coqui-tts's `Xtts` in eval mode, and the rate of its sound in Hz.

    Attributes:
        steps: the most of its decoder in one part.
        heard_s, piece_s: seconds of the recordings that its decoder hears, and of a piece of them.
    """

    model: Any
    rate: int
    steps: int
    languages: tuple[str, ...]
    heard_s: int
    piece_s: int


class XttsV2(Weights):
    """coqui/XTTS-v2, or a fine-tune of it; in float32 whatever is asked, for coqui-tts runs it in no other."""

    name: ClassVar[str] = "xtts_v2"

    def __init__(self) -> None:
        self._loaded: XttsModel | None = None

    def check(self, source: str) -> None:
        check_libraries()
        command = f"studio models path {self.name} FOLDER"
        path = Path(source).expanduser() if source else None
        if path is None or not path.exists():
            told = f"there is no {path}" if path else "it is not on this machine"
            raise MissingPrerequisite(f"{self.name}: {told}. Convert it once: {CONVERT}", command=command)
        folder = path.parent if path.is_file() else path
        for name in FILES:
            if not (folder / name).is_file():
                hint = f"Convert it once: {CONVERT}" if (folder / "model.pth").is_file() else ""
                raise InvalidInput(f"holds no {name}", where=str(folder), hint=hint)
        found = inspect_file(folder / FILES[0])
        if found.format != "safetensors" or not all(any(n.startswith(p) for n in found.tensors) for p in _PARTS):
            raise InvalidInput(f"this is a {found.family}; expected was XTTS", where=str(found.path))

    def load(self, source: str, placing: Placing) -> XttsModel:  # noqa: ARG002 - see the class
        path = Path(source).expanduser()
        folder = path.parent if path.is_file() else path
        with reading(folder, "XTTS", f"Convert it again: {CONVERT}"):
            self._loaded = _read(folder)
        return self._loaded

    def modules(self) -> Mapping[str, Any]:
        return {"xtts": self._loaded.model} if self._loaded else {}

    def unload(self) -> None:
        self._loaded = None


def _read(folder: Path) -> XttsModel:
    from safetensors.torch import load_file
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
    from TTS.tts.models.xtts import Xtts

    config = XttsConfig()
    config.load_json(str(folder / "config.json"))
    model = Xtts(config)
    model.tokenizer = VoiceBpeTokenizer(vocab_file=str(folder / "vocab.json"))
    # The number of its words decides sizes.
    model.init_models()
    result = model.load_state_dict(load_file(folder / FILES[0]), strict=False)
    lacking, more = sorted(result.missing_keys), sorted(result.unexpected_keys)
    if lacking or more:
        what = f"lacks {len(lacking)} weights, as {lacking[0]}" if lacking else f"has weights too many, as {more[0]}"
        raise InvalidInput(what, where=str(folder / FILES[0]))
    model.requires_grad_(False)
    # Its eval makes the decoder that is asked step by step, out of the same weights.
    model.eval()
    audio, args = config.audio, config.model_args
    return XttsModel(
        model, audio.output_sample_rate, args.gpt_max_audio_tokens, tuple(config.languages),
        int(config.gpt_cond_len), int(config.gpt_cond_chunk_len),
    )  # fmt: skip
