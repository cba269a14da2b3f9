"""Contact sheets: every file is on them, in order, small, and the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import skia

from tools.contact_sheet import contact_sheet
from tools.errors import InvalidInput
from tools.layout.png import write_png

COLOURS = [(220, 40, 40), (40, 180, 60), (40, 60, 220), (230, 200, 40)]


def picture(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (90, 160)) -> Path:
    write_png(path, np.full((*size, 3), colour, dtype=np.uint8))
    return path


def film(path: Path, frames: int) -> Path:
    """Its brightness rises from black to white."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(frames):
            grey = np.full((96, 160, 3), round(255 * number / max(1, frames - 1)), dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def opened(data: bytes) -> np.ndarray:
    return skia.Image.MakeFromEncoded(skia.Data(data)).toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3]


def test_pictures_stand_in_reading_order(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(COLOURS)]
    sheet = opened(contact_sheet(files, width=326, columns=2))
    assert sheet.shape == (186, 326, 3)
    for colour, (y, x) in zip(COLOURS, [(45, 80), (45, 246), (140, 80), (140, 246)], strict=True):
        assert np.abs(sheet[y, x].astype(int) - colour).max() < 12
    assert contact_sheet(files, width=326) == contact_sheet(files, width=326)
    assert opened(contact_sheet(files[:1], width=326)).shape[1] == 326


def test_tall_and_wide_pictures_keep_their_shape(tmp_path: Path) -> None:
    files = [picture(tmp_path / "wide.png", COLOURS[0]), picture(tmp_path / "tall.png", COLOURS[1], (160, 90))]
    sheet = opened(contact_sheet(files, width=206))
    assert sheet.shape == (round(100 * 160 / 90), 206, 3)
    assert sheet[120, 40].min() > 240, "paper below the wide one"


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 100, 400])
def test_a_film_is_shown_from_its_first_to_its_last_frame(tmp_path: Path, frames: int) -> None:
    sheet = opened(contact_sheet([film(tmp_path / "f.mp4", frames)], width=600, columns=4, frames=4))
    shown = min(4, frames)
    cell = (600 - 6 * (shown - 1)) // shown
    greys = [int(sheet[10, number * (cell + 6) + cell // 2].mean()) for number in range(shown)]
    wanted = [round(255 * at / max(1, shown - 1)) for at in range(shown)]
    assert all(abs(a - b) <= 255 // max(4, frames) + 14 for a, b in zip(greys, wanted, strict=True)), (greys, wanted)


def test_what_cannot_be_shown_is_told(tmp_path: Path) -> None:
    for name in ("words.png", "words.mp4"):
        (tmp_path / name).write_text("no picture")
        with pytest.raises(InvalidInput, match=f"{name} is no"):
            contact_sheet([tmp_path / name])
    with pytest.raises(InvalidInput, match=r"no file gone\.png"):
        contact_sheet([tmp_path / "gone.png"])
    for wrong in ({"files": []}, {"files": ["x.png"], "width": 0}, {"files": ["x.png"], "frames": 0}):
        with pytest.raises(InvalidInput, match="needs files"):
            contact_sheet(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "playlist", ["ffconcat version 1.0\nfile f.mp4\n", "#EXTM3U\n#EXTINF:1,\nf.mp4\n#EXT-X-ENDLIST\n"]
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_playlist_reads_no_other_file(playlist: str, suffix: str, tmp_path: Path) -> None:
    film(tmp_path / "f.mp4", 5)
    (tmp_path / f"list.{suffix}").write_text(playlist)
    with pytest.raises(InvalidInput, match="no film that can be read"):
        contact_sheet([tmp_path / f"list.{suffix}"])


def test_what_no_sheet_holds_is_refused(tmp_path: Path) -> None:
    line = picture(tmp_path / "line.png", COLOURS[0], (4_000, 1))
    with pytest.raises(InvalidInput, match="too tall"):
        contact_sheet([line], width=8192)
    many = [picture(tmp_path / "dot.png", COLOURS[1], (8, 8))] * 40
    assert opened(contact_sheet(many, width=32, columns=40)).shape[1] == 32
