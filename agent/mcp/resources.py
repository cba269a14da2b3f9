"""What lies in the productions, as MCP resources: storyboards, scripts, pictures at a bounded size, sounds, films.

Only files that a production lists in its manifest are shown, besides its storyboard and script. Names are compared with
what is there; none becomes a path before that. The conversations and records beside the productions are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from tools.errors import InvalidInput, ToolError

__all__ = ["MOST_BYTES", "PICTURE_SIDE", "Shown", "ShownFiles", "bounded_picture"]

SCHEME = "studio://production/"
MOST_BYTES = 12_000_000
"""Bytes of a resource that is handed out; of a larger one its place is told."""
MOST_LISTED = 500
PICTURE_SIDE = 768
"""Pixels of the longer side of a picture that is shown to a model."""
_MIME = {
    ".yaml": "application/yaml", ".md": "text/markdown", ".srt": "application/x-subrip", ".vtt": "text/vtt",
    ".png": "image/png", ".wav": "audio/wav", ".mp4": "video/mp4",
}  # fmt: skip
_TEXT = (".yaml", ".md", ".srt", ".vtt")


@dataclass(frozen=True)
class Shown:
    """One file that is shown.

    Attributes:
        uri: `studio://production/beach/film.mp4`.
        path: where it lies.
        mime: what it is.
        size: its bytes.
    """

    uri: str
    path: Path
    mime: str
    size: int

    @property
    def name(self) -> str:
        """`beach/film.mp4`."""
        return unquote(self.uri.removeprefix(SCHEME))

    @property
    def is_text(self) -> bool:
        """Whether it is read as text."""
        return self.path.suffix in _TEXT


class ShownFiles:
    """The files of the productions below one folder."""

    def __init__(self, productions: Path) -> None:
        self.productions = productions

    def all(self) -> list[Shown]:
        """Every file that is shown, the newest production first, `MOST_LISTED` at most."""
        folders = [path.parent for path in self.productions.glob("*/storyboard.yaml")]
        folders = [one for one in folders if not one.is_symlink() and not one.name.startswith(".")]
        folders.sort(key=lambda one: (-one.stat().st_mtime, one.name))
        found: list[Shown] = []
        for folder in folders:
            if len(found) >= MOST_LISTED:
                break
            found += self._of(folder)
        return found[:MOST_LISTED]

    def find(self, uri: str) -> Shown:
        """The file of a URI.

        Raises:
            InvalidInput: there is none that is shown.
        """
        name, _, _ = unquote(uri.removeprefix(SCHEME)).partition("/") if uri.startswith(SCHEME) else ("", "", "")
        for folder in self.productions.iterdir() if name and self.productions.is_dir() else ():
            if folder.name == name and not name.startswith(".") and folder.is_dir() and not folder.is_symlink():
                found = next((one for one in self._of(folder) if one.uri == uri), None)
                if found is not None:
                    return found
        raise InvalidInput(f"there is no resource {uri[:200]!r}.", hint="resources/list names those there are.")

    def of_path(self, path: Path) -> Shown | None:
        """The file at a path, if it is shown."""
        resolved = path.resolve()
        if not resolved.is_relative_to(self.productions):
            return None
        folder = self.productions / resolved.relative_to(self.productions).parts[0]
        return next((one for one in self._of(folder) if one.path == resolved), None) if folder.is_dir() else None

    def _of(self, folder: Path) -> list[Shown]:
        from tools.runtime.storage.production import Production

        try:
            exports = list(Production.found(folder).manifest().exports)
        except ToolError:
            # One damaged production does not hide the others.
            exports = []
        found = []
        for name in ["storyboard.yaml", "script.md", *exports]:
            path = folder / name
            if path.suffix in _MIME and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                uri = SCHEME + quote(f"{folder.name}/{name}")
                found.append(Shown(uri, path.resolve(), _MIME[path.suffix], path.stat().st_size))
        return found


def bounded_picture(path: Path, side: int = PICTURE_SIDE) -> tuple[bytes, str]:
    """A picture no larger than a model needs, as JPEG, and its type.

    Args:
        path: a PNG of a production.
        side: pixels of its longer side at most.

    Raises:
        InvalidInput: it is no picture, or a huge one.
    """
    import numpy as np
    import skia

    from tools.decoding.limited import Limits, decoded_one

    # A production may have come from anywhere, and this process serves: what decodes is another.
    where = path.name
    try:
        if path.stat().st_size > MOST_BYTES * 4:
            raise InvalidInput("is too large to be shown", where=where)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}", where=where) from error
    limits = Limits(libraries=("numpy", "skia"))
    shown = decoded_one("tools.seeing.pictures:picture_in", path, where, limits, longest=side)
    height, width = shown.shape[:2]
    opaque = np.full((height, width, 4), 255, np.uint8)
    opaque[:, :, :3] = shown
    image = skia.Image.fromarray(opaque, skia.kRGBA_8888_ColorType)
    data = image.encodeToData(skia.EncodedImageFormat.kJPEG, 85)
    if data is None:
        raise InvalidInput(f"{path.name} cannot be shown")
    return bytes(data), "image/jpeg"
