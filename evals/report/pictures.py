"""Small pictures of a result, taken into the page: as data, each once, up to what the page may hold."""

from __future__ import annotations

import base64
from pathlib import Path

from evals.report.markup import Html, el, shortened
from evals.result import Picture

__all__ = ["MOST_BYTES", "Album"]

MOST_BYTES = 6_000_000
"""Of all pictures together; as base64 a third more."""
_LARGEST = 300_000
_JPEG = b"\xff\xd8\xff"


class Album:
    """The pictures of one page.

    Args:
        place: folder of the results; nothing outside it is read, whatever results.json names.
        most: bytes of all pictures together.
    """

    def __init__(self, place: Path, most: int = MOST_BYTES) -> None:
        self._place = place.resolve()
        self._left = most
        self._shown: dict[bytes, str] = {}
        self.left_out = 0

    def turn_page(self) -> None:
        """Another run begins: what was shown in an earlier one is shown again."""
        self._shown.clear()

    def figure(self, run_folder: str, picture: Picture, turn: int) -> Html:
        """A picture with what it is of; where it cannot be shown, why."""
        if not picture.file:
            return _told(picture, "")
        data = self._read(run_folder, picture.file)
        if data is None:
            return _told(picture, f"{picture.file} is not there, or no picture of a report")
        earlier = self._shown.get(data)
        if earlier:
            return _told(picture, f"the same as {earlier}")
        if len(data) > self._left:
            self.left_out += 1
            return _told(picture, f"left out, the page is full: {run_folder}/{picture.file}")
        self._left -= len(data)
        self._shown[data] = f"{picture.of} of turn {turn}"
        address = "data:image/jpeg;base64," + base64.b64encode(data).decode()
        width = _width(data)
        return el(
            "figure",
            el("img", src=address, alt=f"{picture.of}, turn {turn}", loading="lazy"),
            el("figcaption", el("b", picture.of), f" {shortened(picture.note, 160)}" if picture.note else None),
            class_="film" if width > 600 else None,
        )

    def text(self, run_folder: str, name: str, most: int = 400_000) -> str | None:
        """A text file of a run; None where it is not there or too large."""
        data = self._bytes(run_folder, name, most)
        return None if data is None else data.decode("utf-8", "replace")

    def _read(self, run_folder: str, name: str) -> bytes | None:
        data = self._bytes(run_folder, name, _LARGEST)
        return data if data is not None and data.startswith(_JPEG) else None

    def _bytes(self, run_folder: str, name: str, most: int) -> bytes | None:
        try:
            path = (self._place / run_folder / name).resolve()
            if not path.is_relative_to(self._place) or not path.is_file() or path.stat().st_size > most:
                return None
            return path.read_bytes()
        except (OSError, ValueError, RuntimeError):
            return None


def _told(picture: Picture, why: str) -> Html:
    note = " · ".join(one for one in (picture.note, why) if one)
    return el("p", el("b", picture.of), f" {note}", class_="no-picture")


def _width(data: bytes) -> int:
    """Pixels across, from the frame header (ITU-T T.81, B.2.2); 0 where there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + size
    return 0
