"""A face pack on the device: read when the studio says so, given back when it needs the room."""

from __future__ import annotations

from typing import ClassVar

from tools.errors import EngineFailed
from tools.identity.face_pack import FacePack, check_face_libraries, pack_files
from tools.model import Placing, Weights

__all__ = ["ArcFaceWeights"]

_ROOM = 1.5
"""Of the files' size: what ONNX Runtime takes on the device for weights and what it computes with."""


class ArcFaceWeights(Weights):
    """`ctx.model("arcface").pack` is a `FacePack` while it is on the device. ONNX Runtime keeps its own memory: a pack
    that leaves the device is read anew from its files (0.2 GB) when it comes back."""

    name: ClassVar[str] = "arcface"

    def __init__(self) -> None:
        self._source = ""
        self._pack: FacePack | None = None

    def check(self, source: str) -> None:
        check_face_libraries()
        pack_files(source)

    def load(self, source: str, placing: Placing) -> ArcFaceWeights:  # noqa: ARG002 - ONNX files have one width
        pack_files(source)
        self._source = source
        return self

    @property
    def pack(self) -> FacePack:
        """The networks, on the device.

        Raises:
            EngineFailed: they are not.
        """
        if self._pack is None:
            raise EngineFailed("the face pack is not on the device.")
        return self._pack

    def wake(self, device: str) -> int:
        if self._pack is None:
            self._pack = FacePack(self._source, device)
        # ONNX Runtime does not say; its arena is about this much larger than the weights.
        return round(_ROOM * sum(file.stat().st_size for file in self._pack.files))

    def sleep(self) -> None:
        self._pack = None

    def unload(self) -> None:
        self._pack = None
