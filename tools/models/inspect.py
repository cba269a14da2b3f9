"""Look at a file of weights before anything loads it: what it is, whether it can be trusted, for which model it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.contents import Content, content_of
from tools.models.family import family_of
from tools.models.gguf_header import read_gguf_header
from tools.models.header import Header, TensorInfo, WrongFile
from tools.models.kinds import FAMILY_NAMES, Family
from tools.models.safetensors_header import read_safetensors_header

__all__ = ["ModelFile", "PickleRefused", "WrongFamily", "inspect_file", "require_family"]

Format = Literal["safetensors", "gguf", "onnx", "ctranslate2"]


class PickleRefused(WrongFile):
    """A file that would run code when it is loaded, whatever its name says."""


class WrongFamily(InvalidInput):
    """A sound file of weights, of another model than the one that is asked for."""


@dataclass(frozen=True)
class ModelFile:
    """A file of weights that was inspected.

    Attributes:
        path: of it.
        format: what it is by its bytes.
        size: bytes.
        family: what it is of, and for.
        header: names and shapes of its tensors and its notes; empty for `onnx` and `ctranslate2`.
    """

    path: Path
    format: Format
    size: int
    family: Family
    header: Header

    @property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """By name."""
        return self.header.tensors

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself."""
        return self.header.metadata

    @property
    def parameters(self) -> int:
        """Numbers in all tensors; 0 where the format does not tell."""
        return self.header.parameters


def inspect_file(path: Path) -> ModelFile:
    """Look at a file of weights; only its header is read, nothing in it runs.

    Raises:
        PickleRefused: it is a pickle, by its content.
        WrongFile: it is no file of weights, it is cut off, or its header lies.
        MissingPrerequisite: it is not there.
    """
    where = str(path)
    try:
        with _open(path) as stream:
            return _inspect(stream, path, where)
    except OSError as error:
        raise WrongFile(f"it cannot be read: {error.strerror or error}", where=where) from None


def _inspect(stream: BinaryIO, path: Path, where: str) -> ModelFile:
    size = os.fstat(stream.fileno()).st_size
    content = content_of(stream, size)
    stream.seek(0)
    if content == "safetensors":
        header = read_safetensors_header(stream, size, where)
    elif content == "gguf":
        header = read_gguf_header(stream, size, where)
    elif content == "onnx":
        return ModelFile(path, content, size, Family("unknown", style="onnx"), Header({}, {}))
    elif content == "ctranslate2":
        return ModelFile(path, content, size, Family("whisper", style="ctranslate2"), Header({}, {}))
    else:
        raise _refusal(content, where)
    return ModelFile(path, content, size, family_of(header), header)


def _open(path: Path) -> BinaryIO:
    try:
        # A pipe would be waited for, a device read for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPrerequisite(f"{path}: there is no such file.", command="studio models list") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise WrongFile("it is no file", where=str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_family(found: ModelFile, *names: str, base: str = "", styles: tuple[str, ...] = ()) -> ModelFile:
    """See that a file is of the model that is asked for, before a loader has to find out.

    Args:
        found: as inspected.
        names: families that will do; see `tools.models.kinds.FAMILY_NAMES`.
        base: for what is added to a model, the family of that model; a file that does not tell its own passes.
        styles: variants that will do, as `plus`; none lets all pass.

    Returns:
        `found`.

    Raises:
        WrongFamily: names the file, what it is, and what was expected.
    """
    is_it = found.family
    right = is_it.name in names and (not styles or is_it.style in styles)
    if right and base and is_it.base and is_it.base != base:
        # A VAE's own shapes do not tell Stable Diffusion's first from its XL.
        right = is_it.base == "sd" and base in ("sd15", "sdxl", "sdxl_refiner")
    if not right:
        wanted = " or ".join(FAMILY_NAMES.get(name, name) for name in names)
        of = f" for {FAMILY_NAMES.get(base, base)}" if base and base not in names else ""
        kinds = f" ({' or '.join(styles)})" if styles else ""
        raise WrongFamily(
            f"this is {_article(str(is_it))}; expected was {_article(wanted + of + kinds)}",
            where=str(found.path),
            hint="`studio models list` shows what is registered under which name.",
        )
    return found


def _article(words: str) -> str:
    # SDXL and LTX are spoken letter by letter.
    return f"{'an' if words[:1] in 'AIO' or words.startswith(('SDXL', 'LTX')) else 'a'} {words}"


def _refusal(content: Content, where: str) -> WrongFile:
    told, hint = {
        "pickle": (
            "this is a pickle: loading it could run any program, so the studio never does",
            "Get the same model as .safetensors, or convert it where you trust it.",
        ),
        "archive": (
            "this is an archive, no file of weights",
            "Unpack it where you trust it, and name the file inside.",
        ),
        "picture": ("this is a picture, no file of weights", ""),
        "web page": ("this is a web page, no file of weights", "A download that needed a login saves such a page."),
        "git lfs pointer": ("this is the pointer of git-lfs, not the file itself", "Run `git lfs pull` beside it."),
        "json": ("this is JSON, no file of weights", ""),
        "text": ("this is text, no file of weights", ""),
        "empty": ("the file is empty", "Get it again."),
    }.get(content, ("this is neither safetensors nor GGUF", ""))
    return (PickleRefused if content == "pickle" else WrongFile)(told, where=where, hint=hint)
