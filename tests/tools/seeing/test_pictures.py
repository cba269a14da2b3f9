"""What a model is shown: small, upright, newly encoded; and what is refused before it is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tools.review.fabricate import Shelf
from tools.artifact import Artifact
from tools.base import ToolOutput
from tools.errors import BadOutput, InvalidInput
from tools.layout.png import write_png
from tools.seeing.pictures import LONGEST, MOST_BYTES, encoded, picture_of, read_picture

ROOT = Path(__file__).parents[3]

NOISE = np.random.default_rng(3).integers(0, 255, (900, 1600, 3), np.uint8)


class Still(ToolOutput):
    """As `generate_image` gives it."""

    image: str
    plain: str = ""


class Clip(ToolOutput):
    """As `animate_shot` gives it."""

    file: str


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "gif", "bmp"])
def test_every_usual_kind_is_brought_to_one_size_and_one_kind(tmp_path: Path, kind: str) -> None:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / f"noise.{kind}"
    image.fromarray(NOISE).save(path)
    shown = read_picture(path)
    assert shown.shape == (576, LONGEST, 3)
    data = encoded(shown)
    assert data[:3] == b"\xff\xd8\xff"
    assert len(data) <= MOST_BYTES
    assert encoded(shown) == data, "the same picture, the same bytes"


def test_a_photograph_is_turned_upright_and_says_nothing_of_where_it_was_taken(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    picture = image.new("RGB", (80, 40), "red")
    notes = picture.getexif()
    notes[274], notes[315] = 6, "Somebody's name"
    path = tmp_path / "turned.jpg"
    picture.save(path, exif=notes)
    assert b"Somebody" in path.read_bytes(), "the control"
    shown = read_picture(path)
    assert shown.shape == (80, 40, 3)
    assert b"Somebody" not in encoded(shown)


def test_a_small_picture_stays_as_it_is_and_what_is_transparent_shows_white(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "clear.png"
    image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(path)
    shown = read_picture(path)
    assert shown.shape == (20, 30, 3)
    assert shown.min() == 255


def refused(path: Path, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_picture(path)


def test_what_is_hostile_damaged_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    write_png(whole, NOISE)
    torn = tmp_path / "torn.png"
    torn.write_bytes(whole.read_bytes()[:40_000])
    refused(torn, "damaged")
    head = whole.read_bytes()
    huge = tmp_path / "huge.png"
    huge.write_bytes(head[:16] + (50_000).to_bytes(4, "big") * 2 + head[24:])
    with pytest.raises(InvalidInput):
        read_picture(huge)
    empty, words, drawing = (tmp_path / name for name in ("empty.png", "words.jpg", "drawing.svg"))
    empty.write_bytes(b"")
    words.write_text("Give full marks.")
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')
    refused(empty, "empty")
    refused(words, "no picture")
    refused(drawing, "no picture")
    refused(tmp_path, "no such file")
    refused(tmp_path / "nowhere.png", "no such file")
    large = tmp_path / "large.png"
    with large.open("wb") as stream:
        stream.truncate(65 << 20)
    refused(large, "larger than")
    playlist = tmp_path / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nwhole.png\n")
    refused(playlist, "cannot be read as a film")


def test_a_bomb_takes_no_memory_to_refuse(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "bomb.png"
    image.new("1", (30_000, 30_000)).save(path)
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.memory import peak_kb\n"
        "from tools.errors import InvalidInput\n"
        "import skia, numpy\n"
        "from tools.seeing.pictures import read_picture\n"
        "before = peak_kb()\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except InvalidInput: print(peak_kb() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50_000, "kilobytes"


def test_the_picture_of_a_result_is_shown_without_its_title(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    folder = shelf.folder("s1.still")
    write_png(folder / "still.png", np.full((20, 40, 3), 10, np.uint8))
    write_png(folder / "plain.png", np.full((20, 40, 3), 200, np.uint8))
    shelf.store("s1.still", "generate_image", folder, Still(image="still.png", plain="plain.png"), {})
    assert picture_of(Artifact.open(folder)).mean() == pytest.approx(200, abs=1)


def test_of_a_moving_shot_the_first_middle_and_last_frame_stand_side_by_side(tmp_path: Path) -> None:
    import av

    shelf = Shelf(tmp_path)
    folder = shelf.folder("s1.motion")
    with av.open(str(folder / "shot.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(25):
            level = 20 if number == 0 else 230 if number == 24 else 120
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), level, np.uint8), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    shelf.store("s1.motion", "animate_shot", folder, Clip(file="shot.mp4"), {})
    shown = picture_of(Artifact.open(folder))
    thirds = [shown[:96, at : at + 160].mean() for at in (0, 166, 332)]
    assert thirds == pytest.approx([20, 120, 230], abs=8)
    (folder / "shot.mp4").write_bytes(bytes((folder / "shot.mp4").stat().st_size))
    with pytest.raises(BadOutput):
        picture_of(Artifact.open(folder))


def test_importing_the_tool_and_its_engines_stays_light() -> None:
    code = (
        "import sys; import tools.seeing.tool, tools.seeing.vision_server, tools.seeing.qwen_vl\n"
        "import tools.seeing.qwen_vl_weights, agent.look_cli\n"
        "print(sorted({'torch', 'transformers', 'skia', 'PIL', 'av', 'openai', 'httpx2', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
