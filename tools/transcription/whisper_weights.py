"""Whisper in CTranslate2's format: a folder with model.bin, config.json, tokenizer.json and the vocabulary.

CTranslate2 keeps its own memory: the studio has it come and go (`load_model`, `unload_model`) and accounts for it by
the size of its file.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from tools.errors import EngineFailed, InvalidInput, MissingPrerequisite, OutOfMemory
from tools.model import Placing, Weights
from tools.models import inspect_folder
from tools.models.libraries import require_libraries
from tools.models.reading import model_folder

__all__ = ["WhisperLargeV2", "WhisperLargeV3", "WhisperSmall", "WhisperTurbo", "WhisperWeights", "check_model_bin"]

LIBRARIES = ("faster_whisper", "ctranslate2", "onnxruntime")
_FILES = ("model.bin", "config.json", "tokenizer.json")
_MOST_NAMES = 100_000


class WhisperWeights(Weights):
    """`ctx.model(name).whisper` is a `faster_whisper.WhisperModel` while it is on the device."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self._source = ""
        self._placing = Placing()
        self._whisper: Any = None
        self._sleeps = False

    def check(self, source: str) -> None:
        require_libraries("hearing needs", LIBRARIES)
        folder = model_folder(self.name, source, "model.bin and tokenizer.json")
        for name in _FILES:
            # Without tokenizer.json the library would ask the network for one.
            if not (folder / name).is_file():
                raise MissingPrerequisite(
                    f"{folder} has no {name}: it is no Whisper folder in CTranslate2's format.",
                    command=f"studio models pull {self.name}",
                )
        if not any((folder / name).is_file() for name in ("vocabulary.json", "vocabulary.txt")):
            raise MissingPrerequisite(f"{folder} has no vocabulary.json.", command=f"studio models pull {self.name}")
        inspect_folder(folder)
        check_model_bin(folder / "model.bin")

    def load(self, source: str, placing: Placing) -> WhisperWeights:
        self.check(source)
        self._source, self._placing = source, placing
        return self

    @property
    def whisper(self) -> Any:
        """The `WhisperModel`, on the device.

        Raises:
            EngineFailed: it is not.
        """
        if self._whisper is None or self._sleeps:
            raise EngineFailed(f"{self.name} is not on the device.")
        return self._whisper

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(self._source).expanduser()

    def wake(self, device: str) -> int:
        try:
            if self._whisper is None:
                self._whisper = self._opened(device)
            elif self._sleeps:
                self._whisper.model.load_model()
        except (RuntimeError, ValueError, json.JSONDecodeError) as error:
            self._whisper = None
            raise _told(error, self.folder) from error
        self._sleeps = False
        return self._bytes()

    def _opened(self, device: str) -> Any:
        from faster_whisper import WhisperModel

        kind, _, number = device.partition(":")
        kind = kind if kind == "cuda" else "cpu"
        return WhisperModel(
            str(self.folder), device=kind, device_index=int(number or 0), compute_type=self._compute(kind),
            local_files_only=True,
        )  # fmt: skip

    def _compute(self, kind: str) -> str:
        """How it computes: in 8 bits where the placing says so, else in the placing's width where the device has it."""
        import ctranslate2

        able = ctranslate2.get_supported_compute_types(kind)
        plain = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}[self._placing.dtype]
        narrow = self._placing.quantise != "none"
        wanted = [f"int8_{plain}", "int8_float32", "int8"] if narrow else [plain, "float32"]
        return next((one for one in wanted if one in able), "default")

    def _bytes(self) -> int:
        """What the library does not tell: the file's bytes (16 bits a weight, as published) at the width it is in."""
        width = {"fp32": 2.0, "fp16": 1.0, "bf16": 1.0}.get(self._placing.width, 0.55)
        return round(width * (self.folder / "model.bin").stat().st_size)

    def sleep(self) -> None:
        if self._whisper is None or self._sleeps:
            return
        # From a GPU the weights go to host memory; on the CPU that is where they were, so they are given back.
        self._whisper.model.unload_model(to_cpu=self._whisper.model.device == "cuda")
        self._sleeps = True

    def unload(self) -> None:
        if self._whisper is not None:
            self._whisper.model.unload_model()
        self._whisper = None
        self._sleeps = False


class WhisperLargeV3(WhisperWeights):
    """The most exact one."""

    name = "whisper_large_v3"


class WhisperTurbo(WhisperWeights):
    """Several times as fast."""

    name = "whisper_turbo"


class WhisperLargeV2(WhisperWeights):
    """The one before."""

    name = "whisper_large_v2"


class WhisperSmall(WhisperWeights):
    """Fast enough for a CPU."""

    name = "whisper_small"


def _told(error: Exception, folder: Path) -> Exception:
    text = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    if "out of memory" in text.lower():
        return OutOfMemory(f"CTranslate2: {text}")
    return InvalidInput(f"cannot be read as Whisper: {text}", where=str(folder), hint="Fetch it again.")


def check_model_bin(path: Path) -> int:
    """Walk a model.bin from tensor to tensor, reading names and sizes only.

    The layout is that of `ctranslate2.specs.model_spec.ModelSpec._serialize` (CTranslate2 4, binary version 6).

    Returns:
        The number of its tensors.

    Raises:
        InvalidInput: it is no Whisper, or it is cut off; names the file.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        try:
            version = _number(stream)
            name = _text(stream)
            if name != "WhisperSpec":
                raise InvalidInput(f"holds a {name or 'nameless'} model, and a WhisperSpec is wanted", where=str(path))
            _number(stream)
            count = _number(stream)
            if count > _MOST_NAMES:
                raise InvalidInput(f"says that it holds {count:,} tensors", where=str(path))
            for _ in range(count):
                _text(stream)
                rank = stream.read(1)[0]
                stream.seek(4 * rank, 1)
                # Before version 4 the width of a number stood here, and their count.
                width = stream.read(1)[0]
                length = _number(stream) * (1 if version >= 4 else width)
                if stream.tell() + length > size:
                    raise EOFError
                stream.seek(length, 1)
        except (EOFError, IndexError, struct.error, UnicodeDecodeError):
            raise InvalidInput(
                f"is cut off or damaged ({size:,} bytes)", where=str(path), hint="Fetch it again."
            ) from None
    return count


def _number(stream: BinaryIO) -> int:
    return int(struct.unpack("<I", stream.read(4))[0])


def _text(stream: BinaryIO) -> str:
    (length,) = struct.unpack("<H", stream.read(2))
    raw = stream.read(length)
    if len(raw) < length:
        raise EOFError
    return raw.rstrip(b"\0").decode("utf-8")
