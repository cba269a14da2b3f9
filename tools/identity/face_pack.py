"""An ArcFace pack (buffalo_l, antelopev2): the detector and the recogniser of a folder, run by ONNX Runtime.

The folder is the user's own, under InsightFace's terms (non-commercial research); nothing is ever fetched.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadOutput, InvalidInput, MissingPrerequisite
from tools.identity.alignment import SIDE, cut_out
from tools.identity.scrfd import Detected, decode
from tools.models import inspect_file
from tools.models.libraries import lacking_libraries, require_libraries

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Face", "FacePack", "check_face_libraries", "pack_files", "placed_pack"]

PUBLISHED = {"arcface": "buffalo_l", "antelopev2": "antelopev2"}
"""By name in models.yaml what InsightFace calls the pack."""
DETECTORS = ("det_*.onnx", "scrfd*.onnx")
RECOGNISERS = ("w600k_*.onnx", "glint*.onnx", "arcface*.onnx")
SIZES = (640, 320)
"""Sides of the square that the detector sees. In the larger one small faces are found; a face that fills the whole
picture is often found in the smaller one alone."""
_LIBRARIES = ("onnxruntime", "cv2", "PIL")


@dataclass(frozen=True)
class Face:
    """A face of a picture: where it is, and the 512 numbers that describe it (as the network gives them)."""

    found: Detected
    raw: np.ndarray

    @property
    def embedding(self) -> np.ndarray:
        """The 512 numbers at length 1: the likeness of two faces is the product of theirs (cosine)."""
        import numpy as np

        unit: np.ndarray = self.raw / np.linalg.norm(self.raw)
        return unit


def check_face_libraries() -> None:
    """See that what reads a pack is installed.

    Raises:
        MissingPrerequisite: with the command that installs it.
    """
    command = f"{sys.executable} -m pip install {' '.join(lacking_libraries(_LIBRARIES))}"
    require_libraries("faces need", _LIBRARIES, command)


def placed_pack(name: str = "arcface") -> str:
    """Where the pack of that name in models.yaml lies; empty where it is not on this machine."""
    from configs.models import load_models
    from configs.settings import Settings
    from tools.models.shelf import Shelf

    models = load_models()
    return Shelf(Settings().models_home, models).source_of(name) or models.models[name].source


def _how_to_get(name: str) -> str:
    return f"get the pack {PUBLISHED[name]} from InsightFace under its terms, then: studio models path {name} FOLDER"


def pack_files(source: str, name: str = "arcface") -> tuple[Path, Path]:
    """Detector and recogniser of a pack; neither is opened.

    Raises:
        MissingPrerequisite: there is no pack, or a part of it is missing.
        InvalidInput: one of them is not ONNX.
    """
    folder = Path(source).expanduser() if source else None
    if folder is not None and folder.is_file():
        folder = folder.parent
    if folder is None or not folder.is_dir():
        told = f"there is no {folder}" if folder is not None else "none is registered"
        raise MissingPrerequisite(f"a face pack ({PUBLISHED[name]}) is needed; {told}.", command=_how_to_get(name))
    parts = []
    for what, patterns in (("detector", DETECTORS), ("recogniser", RECOGNISERS)):
        found = sorted(file for pattern in patterns for file in folder.glob(pattern))
        if not found:
            raise MissingPrerequisite(f"{folder} holds no {what} ({', '.join(patterns)}).", command=_how_to_get(name))
        if inspect_file(found[0]).format != "onnx":
            raise InvalidInput("is not ONNX", where=str(found[0]), hint="Get the pack again.")
        parts.append(found[0])
    return parts[0], parts[1]


class FacePack:
    """The two networks of a pack.

    Args:
        source: the pack's folder.
        device: `cpu`, or `cuda:N`, which needs onnxruntime-gpu.
        name: in models.yaml, for messages.

    Raises:
        MissingPrerequisite: a file, or what runs it on that device, is missing.
        InvalidInput: a file cannot be read, or is no such network.
    """

    def __init__(self, source: str, device: str = "cpu", name: str = "arcface") -> None:
        check_face_libraries()
        self.files = pack_files(source, name)
        self._detector = _session(self.files[0], device)
        self._recogniser = _session(self.files[1], device)
        if len(self._detector.get_outputs()) != 9:
            raise InvalidInput(
                f"has {len(self._detector.get_outputs())} outputs; a face detector with five points has 9",
                where=str(self.files[0]),
            )
        shape = self._recogniser.get_inputs()[0].shape
        if list(shape[1:]) != [3, SIDE, SIDE]:
            raise InvalidInput(f"takes {shape}; ArcFace takes 3 x {SIDE} x {SIDE}", where=str(self.files[1]))

    def faces(self, picture: np.ndarray) -> list[Face]:
        """Every face of a picture (height x width x 3 uint8, red green blue), the surest first.

        Raises:
            BadOutput: a network gave values that are not numbers.
        """
        return [Face(found, self._describe(cut_out(picture, found.points))) for found in self._detect(picture)]

    def _detect(self, picture: np.ndarray) -> list[Detected]:
        for side in self._sides():
            found = self._detect_at(picture, side)
            if found:
                return found
        return []

    def _sides(self) -> tuple[int, ...]:
        fixed = self._detector.get_inputs()[0].shape[-1]
        return (fixed,) if isinstance(fixed, int) else SIZES

    def _detect_at(self, picture: np.ndarray, side: int) -> list[Detected]:
        import cv2
        import numpy as np

        height, width = picture.shape[:2]
        scale = side / max(height, width)
        fitted = (max(1, round(width * scale)), max(1, round(height * scale)))
        seen = np.zeros((side, side, 3), np.uint8)
        seen[: fitted[1], : fitted[0]] = cv2.resize(np.ascontiguousarray(picture), fitted)
        outputs = _run(self._detector, (seen.astype(np.float32) - 127.5) / 128.0, self.files[0])
        try:
            return decode(outputs, (side, side), scale)
        except ValueError as error:
            raise InvalidInput(f"is no SCRFD detector: {error}", where=str(self.files[0])) from error

    def _describe(self, cut: np.ndarray) -> np.ndarray:
        import numpy as np

        raw = _run(self._recogniser, (cut.astype(np.float32) - 127.5) / 127.5, self.files[1])[0].reshape(-1)
        if raw.size != 512 or not float(np.linalg.norm(raw)) > 0.0:
            raise InvalidInput(f"describes a face by {raw.size} numbers; ArcFace has 512", where=str(self.files[1]))
        return raw


def _session(path: Path, device: str) -> Any:
    import onnxruntime

    kind, _, number = device.partition(":")
    providers: list[Any] = ["CPUExecutionProvider"]
    if kind == "cuda":
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise MissingPrerequisite(
                "this ONNX Runtime has no CUDA.",
                command=f"{sys.executable} -m pip install --force-reinstall --no-deps onnxruntime-gpu",
            )
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(number or 0)}))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Its own pool of threads on every core would fight with the other workers of the studio.
    options.intra_op_num_threads = 2
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors have no common class of their own.
        raise InvalidInput(
            f"cannot be read: {str(error).strip().splitlines()[0][:200]}", where=str(path), hint="Get the pack again."
        ) from error


def _run(session: Any, pixels: np.ndarray, path: Path) -> list[np.ndarray]:
    """One picture (height x width x 3, normalised) through a network."""
    import numpy as np

    blob = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
    outputs: list[np.ndarray] = session.run(None, {session.get_inputs()[0].name: blob})
    if not all(bool(np.isfinite(output).all()) for output in outputs):
        raise BadOutput(f"{path.name} computed values that are not numbers (NaN).")
    return outputs
