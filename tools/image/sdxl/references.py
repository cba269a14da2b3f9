"""What is seen of a reference picture, and the tokens that an adapter makes of it.

Base projects the embedding of the whole picture; Plus, Plus-Face and Full-Face the patches of CLIP's last layer but
one, against those of a black picture; FaceID an ArcFace embedding of length 1, against zeros; FaceID Plus v2 that
together with the patches of the face cut out; InstantID the embedding as the network gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput
from tools.models import inspect_file

if TYPE_CHECKING:
    import numpy as np
    import torch

    from tools.identity.face_pack import Face, FacePack

__all__ = ["PACKS", "Look", "Looker", "style_of", "tokens_of"]

PACKS = {"faceid": "arcface", "faceid_plus": "arcface", "plus_face": "arcface", "instantid": "antelopev2"}
"""By style the face pack that its adapter was trained with (buffalo_l, antelopev2)."""
_FACE_MARGIN = 0.5
"""Of a face's own size, added around it where a picture is cut to the face."""
_SHOWN = 512
"""Pixels a side that CLIP's preparation begins from."""


@dataclass(frozen=True)
class Look:
    """What is seen of one picture: CLIP's patches or embedding with those of no picture, and the face's numbers."""

    clip: torch.Tensor | None = None
    no_clip: torch.Tensor | None = None
    face: np.ndarray | None = None


def style_of(file: Path) -> str:
    """Which kind of adapter a file is: base, plus, full_face, faceid, faceid_plus or instantid."""
    family = inspect_file(file).family
    return "instantid" if family.name == "instantid" else family.style or "base"


class Looker:
    """Looks at reference pictures for one style of adapter.

    Args:
        style: see `style_of`.
        encoder: CLIP's image encoder on the device, where the style has one.
        to_faces: cut pictures to the face first, where a face pack is on this machine (Plus-Face).
    """

    def __init__(self, style: str, encoder: Any, to_faces: bool) -> None:
        self._style, self._encoder, self._to_faces = style, encoder, to_faces
        self._pack: FacePack | None = None

    def look(self, path: Path) -> Look:
        """Look at a picture.

        Raises:
            InvalidInput: it cannot be read, or a face is needed and there is none; names it.
            MissingPrerequisite: a face pack is needed, and is not on this machine.
        """
        from tools.image.reference.photo import read_photo

        picture = read_photo(path)
        if self._style == "faceid":
            return Look(face=self._face(picture, path).embedding)
        if self._style == "instantid":
            return Look(face=self._face(picture, path).raw)
        if self._style == "faceid_plus":
            face = self._face(picture, path)
            clip, no_clip = self._patches(self._around(picture, face))
            return Look(clip, no_clip, face.embedding)
        if self._to_faces and self._has_pack():
            picture = self._around(picture, self._face(picture, path))
        clip, no_clip = self._whole(picture) if self._style == "base" else self._patches(picture)
        return Look(clip, no_clip)

    @property
    def misses_faces(self) -> bool:
        """Whether pictures ought to be cut to the face, and there is no face pack to find it with."""
        return self._to_faces and not self._has_pack()

    def _has_pack(self) -> bool:
        from tools.identity.face_pack import placed_pack

        return bool(placed_pack(PACKS["plus_face"]))

    def _face(self, picture: np.ndarray, path: Path) -> Face:
        """The largest face."""
        from tools.identity.face_pack import FacePack, placed_pack

        if self._pack is None:
            name = PACKS.get(self._style, PACKS["plus_face"])
            self._pack = FacePack(placed_pack(name), name=name)
        faces = self._pack.faces(picture)
        if not faces:
            raise InvalidInput(
                "no face was found in this reference picture", where=str(path),
                hint="Give one that shows the face from the front; drawings often have none that is known as one.",
            )  # fmt: skip
        return max(faces, key=lambda face: face.found.area)

    def _around(self, picture: np.ndarray, face: Face) -> np.ndarray:
        """A square around a face."""
        x0, y0, x1, y1 = face.found.box
        half = max(x1 - x0, y1 - y0) * (1 + _FACE_MARGIN) / 2
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        left, top = max(0, round(x - half)), max(0, round(y - half))
        return picture[top : max(top + 1, round(y + half)), left : max(left + 1, round(x + half))]

    def _whole(self, picture: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        with torch.no_grad():
            seen = self._encoder(self._pixels(picture)).image_embeds
        return seen, torch.zeros_like(seen)

    def _patches(self, picture: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        pixels = self._pixels(picture)
        with torch.no_grad():
            seen = self._encoder(pixels, output_hidden_states=True).hidden_states[-2]
            none = self._encoder(torch.zeros_like(pixels), output_hidden_states=True).hidden_states[-2]
        return seen, none

    def _pixels(self, picture: np.ndarray) -> torch.Tensor:
        """CLIP's own preparation: shorter side to its size, centre cut, normalised; 1 x 3 x side x side."""
        import numpy as np
        import torch
        from PIL import Image, ImageOps

        side = int(self._encoder.config.image_size)
        mean = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
        std = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
        square = ImageOps.fit(Image.fromarray(picture), (_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
        fitted = np.asarray(square.resize((side, side), Image.Resampling.BICUBIC))
        values = (fitted.astype(np.float32) / 255.0 - mean) / std
        weight = next(self._encoder.parameters())
        return torch.from_numpy(values).permute(2, 0, 1)[None].to(weight.device, self._encoder.dtype)


def tokens_of(
    layer: Any, style: str, looks: Sequence[Look], dtype: Any, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens of pictures and of as many that show nothing, pictures x tokens x width each.

    Args:
        layer: the adapter's own projection, on the device.
    """
    import numpy as np
    import torch

    def together(parts: Sequence[Any]) -> torch.Tensor:
        return torch.cat(list(parts)).to(device, dtype)

    if style in ("faceid", "faceid_plus", "instantid"):
        numbers = np.stack([look.face for look in looks if look.face is not None])
        faces = torch.from_numpy(numbers).to(device, dtype)
        if style == "instantid":
            faces = faces[:, None]
        shown, none = faces, torch.zeros_like(faces)
    else:
        shown, none = together([look.clip for look in looks]), together([look.no_clip for look in looks])
    if style != "faceid_plus":
        return layer(shown), layer(none)
    # Version 2 adds what CLIP sees to what ArcFace says; SDXL has no version 1.
    layer.shortcut = True
    layer.clip_embeds = together([look.clip for look in looks])[None]
    seen = layer(shown)
    layer.clip_embeds = together([look.no_clip for look in looks])[None]
    return seen, layer(none)
