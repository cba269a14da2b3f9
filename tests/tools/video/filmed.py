"""What tests of video models share: a shot to film, stills to begin from, and the frames of what was made."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import yaml

from configs.videos import VIDEOS_YAML
from tools.artifact import Artifact, ArtifactRecord, FileRecord, hash_file
from tools.base import EngineContext
from tools.layout.png import write_png
from tools.model import Placing
from tools.video.tool import AnimateShot

CAST = [{"id": "luca", "name": "Luca", "known": True}, {"id": "alberto", "name": "Alberto", "known": True}]
LTX_CLIP = {"width": 64, "height": 64, "frames": 17, "least_frames": 9, "overlap": 9}
SVD_CLIP = {"width": 64, "height": 64}


def videos_yaml(folder: Path, **changes: dict[str, Any]) -> Path:
    """videos.yaml as it ships, in small: clips of 64 x 64, few steps; `ltx` and `svd` change more of them."""
    data: dict[str, Any] = yaml.safe_load(VIDEOS_YAML.read_text())
    for preset in data["presets"].values():
        preset["steps"] = 2
    data["ltx"]["clip"].update(LTX_CLIP)
    data["svd"]["clip"].update(SVD_CLIP)
    for model, values in changes.items():
        for key, value in values.items():
            data[model][key] = {**data[model][key], **value} if isinstance(value, dict) else value
    path = folder / "videos.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def asked(**changes: Any) -> AnimateShot.Input:
    """Half a second at 24 frames, 64 x 64; `shot` changes the shot."""
    shot = {"id": "s1", "framing": "full", "duration_s": 0.5, "placements": [{"character": "luca"}]}
    shot |= changes.pop("shot", {})
    return AnimateShot.Input.model_validate({"shot": shot, "cast": CAST, "width": 64, "height": 64, **changes})


def record(folder: Path, output: dict[str, Any], args: dict[str, Any], tool: str) -> Artifact:
    files = {p.name: FileRecord(size=p.stat().st_size, sha256=hash_file(p)) for p in folder.iterdir()}
    made = ArtifactRecord(
        key=folder.name, tool=tool, engine="draft", version="1", args=args, seed=0, files=files, output=output,
        digest=folder.name, seconds=0.0,
    )  # fmt: skip
    return Artifact(folder, made)


class Studio:
    """Films shots with a tiny checkpoint; keeps what it is given as artifacts by key."""

    def __init__(self, folder: Path, models: dict[str, Any], engine: Any) -> None:
        from tools.video.plan import VideoConfig

        self.folder, self.models, self.kind, self.calls = folder, models, engine, 0
        self.config = VideoConfig(videos=videos_yaml(folder))
        self.artifacts: dict[str, Artifact] = {}
        self.output: AnimateShot.Output | None = None

    def rules(self, **changes: dict[str, Any]) -> None:
        """Change videos.yaml."""
        from dataclasses import replace

        self.config = replace(self.config, videos=videos_yaml(self.folder, **changes))

    def still(self, key: str, picture: np.ndarray | int = 1, text: str = "", *, plain: bool = False) -> dict[str, str]:
        """A reference to a still: the picture, or coloured noise by seed.

        Args:
            text: the title that is drawn into it.
            plain: the picture is kept without the title, too.
        """
        folder = self.folder / key
        folder.mkdir()
        if isinstance(picture, int):
            coarse = np.random.default_rng(picture).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            picture = np.kron(coarse, np.ones((8, 8, 1), dtype=np.uint8))
        write_png(folder / "still.png", 255 - picture if plain else picture)
        if plain:
            write_png(folder / "plain.png", picture)
        output = {
            "image": "still.png", "plain": "plain.png" if plain else "", "width": picture.shape[1],
            "height": picture.shape[0], "masks": {}, "maps": {}, "on_stage": {}, "location": "beach",
        }  # fmt: skip
        self.artifacts[key] = record(folder, output, {"shot": {"text_overlay": text}}, "generate_image")
        return {"call": key, "key": key}

    def line(self, key: str, text: str, seconds: float) -> dict[str, str]:
        """A reference to a spoken line of so many seconds, half a second of silence before it and one after."""
        folder = self.folder / key
        folder.mkdir()
        with wave.open(str(folder / "line.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(int((seconds + 1.5) * 8000) * 2))
        each = seconds / len(text.split())
        words = [
            {"text": word, "start": 0.5 + number * each, "end": 0.5 + (number + 1) * each}
            for number, word in enumerate(text.split())
        ]
        output = {
            "file": "line.wav", "character": "luca", "text": text, "sample_rate": 8000, "duration_s": seconds + 1.5,
            "speech_start": 0.5, "speech_end": 0.5 + seconds, "words": words, "mouth": [], "lufs": -16.0,
            "peak_db": -3.0, "voice": "luca",
        }  # fmt: skip
        self.artifacts[key] = record(folder, output, {}, "synthesize_speech")
        return {"call": key, "key": key}

    def engine(self) -> Any:
        made = self.kind()
        made.config = self.config
        return made

    def film(
        self, args: AnimateShot.Input | None = None, seed: int = 7, placing: Placing = Placing(), **context: Any  # noqa: B008
    ) -> np.ndarray:  # fmt: skip
        """Frames x height x width x 3 of the film as it is decoded."""
        self.calls += 1
        self.out = self.folder / f"out{self.calls}"
        self.out.mkdir()
        ctx = EngineContext(
            out=self.out, seed=seed, models=self.models, placing=placing,
            **{"open_artifact": lambda key: self.artifacts[key], **context},
        )  # fmt: skip
        self.output = self.engine().run(args or asked(), ctx)
        return frames_of(self.out / self.output.file)

    @property
    def notes(self) -> str:
        assert self.output is not None
        return "\n".join(self.output.notes)


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as film:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]).astype(int)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference in 8-bit levels."""
    if one.shape != other.shape:
        pytest.fail(f"{one.shape} is not {other.shape}")
    return float(np.abs(one - other).mean())
