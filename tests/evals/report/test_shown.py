"""The small pictures of a turn: what was published, and every attempt where one was made again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from evals.report.shown import MOST, show_turn
from evals.result import TurnRecord

KEYS = ["a" * 40, "b" * 40]


def record(**fields: Any) -> TurnRecord:
    return TurnRecord(number=2, said="draw", production="productions/p", **fields)


def draw(path: Path, colour: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 320), colour).save(path)
    return path


def artifact(folder: Path, key: str, colour: str) -> None:
    path = folder / "productions/p/artifacts" / key[:2] / key
    size = draw(path / "still.png", colour).stat().st_size
    told = {
        "key": key, "tool": "generate_image", "engine": "draft", "version": "1", "args": {}, "seed": 1,
        "files": {"still.png": {"size": size, "sha256": ""}}, "output": {"image": "still.png"}, "digest": "",
        "seconds": 1.0,
    }  # fmt: skip
    (path / "artifact.json").write_text(json.dumps(told))


def attempt(number: int, score: float, *, best: bool) -> dict[str, Any]:
    return {"call": "s1.still", "number": number, "key": KEYS[number - 1], "score": score, "best": best,
            "reason": "" if best else "too dark"}  # fmt: skip


def colour(folder: Path, name: str) -> tuple[int, int, int]:
    picture = Image.open(io.BytesIO((folder / name).read_bytes())).convert("RGB")
    assert picture.size == (400, 200)
    pixel = picture.getpixel((200, 100))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def test_what_was_published_is_shown_small(tmp_path: Path) -> None:
    draw(tmp_path / "productions/p/stills/s1.png", "#ff0000")
    (shown,) = show_turn(record(files={"stills/s1": "productions/p/stills/s1.png", "script": "x/script.md"}), tmp_path)
    assert (shown.of, shown.file, shown.note) == ("stills/s1", "shown/turn2-1.jpg", "")
    assert colour(tmp_path, shown.file)[0] > 240
    assert (tmp_path / shown.file).stat().st_size < 50_000


def test_where_one_was_made_again_every_attempt_is_shown_and_why(tmp_path: Path) -> None:
    for key, painted in zip(KEYS, ("#000000", "#00ff00"), strict=True):
        artifact(tmp_path, key, painted)
    draw(tmp_path / "productions/p/stills/s1.png", "#00ff00")
    tried = [attempt(1, 0.0, best=False), attempt(2, 1.0, best=True)]
    first, second = show_turn(
        record(files={"stills/s1": "productions/p/stills/s1.png"}, attempts=tried),
        tmp_path,
    )
    assert first.note == "attempt 1, score 0.00, not kept: too dark"
    assert second.note == "attempt 2, score 1.00, kept"
    assert colour(tmp_path, first.file)[1] < 10 < 240 < colour(tmp_path, second.file)[1]


def test_what_cannot_be_shown_says_why_and_of_many_some_are_counted(tmp_path: Path) -> None:
    files = {f"stills/s{number}": f"productions/p/stills/s{number}.png" for number in range(MOST + 3)}
    for path in list(files.values())[1:]:
        draw(tmp_path / path, "#ffffff")
    (tmp_path / files["stills/s0"]).write_bytes(b"no picture")
    shown = show_turn(record(files=files), tmp_path)
    assert (shown[0].file, shown[0].note) == ("", "cannot be shown: s0.png is no picture.")
    assert (shown[-1].file, shown[-1].of) == ("", "3 more")
    assert len(shown) == MOST + 1


def test_a_turn_that_made_nothing_shows_nothing(tmp_path: Path) -> None:
    assert show_turn(TurnRecord(number=1, said="hello"), tmp_path) == []
    gone = [attempt(1, 0.0, best=False), attempt(2, 1.0, best=True)]
    assert show_turn(record(attempts=gone), tmp_path) == []
    assert not (tmp_path / "shown").exists()
