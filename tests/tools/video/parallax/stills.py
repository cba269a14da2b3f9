"""Stills of the draft engine as the runtime would hand them to the parallax engine."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np

from tools.base import ArtifactRef, EngineContext
from tools.image.draft import DraftImage
from tools.image.tool import GenerateImage
from tools.storyboard import CastMember, Placement, Shot
from tools.video.parallax.engine import ParallaxShot
from tools.video.tool import AnimateShot

CAST = [CastMember(id=name, name=name.title(), known=True) for name in ("luca", "alberto")]
SIZE = (320, 180)
FPS = 12


def shot(**changes: Any) -> Shot:
    people = [
        Placement(character="luca", x=0.35, facing="right", depth=0.45),
        Placement(character="alberto", x=0.62, facing="left", depth=0.2),
    ]
    return Shot.model_validate({"id": "s1", "framing": "full", "duration_s": 1.0, "placements": people, **changes})


def still(out: Path, the_shot: Shot, size: tuple[int, int] = SIZE, engine: str = "draft", **more: Any) -> Any:
    """A still as an artifact: `output`, `file(name)`, `record`."""
    out.mkdir(parents=True, exist_ok=True)
    args = GenerateImage.Input(shot=the_shot, cast=CAST, width=size[0], height=size[1], **more)
    made = DraftImage().run(args, EngineContext(out=out, seed=3, open_artifact=lambda _: None))  # type: ignore[arg-type, return-value]
    record = SimpleNamespace(args=args.model_dump(mode="json"), engine=engine)
    return SimpleNamespace(output=made.model_dump(mode="json"), file=lambda name: out / name, record=record)


def spoken(folder: Path, character: str = "luca") -> Any:
    """A clip of two seconds with words from 0.5 to 1.5 s."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [int(9000 * math.sin(i * 0.3)) if 4000 <= i < 12000 else 0 for i in range(20000)]
    with wave.open(str(folder / "line.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    text = "We can do this!"
    clip = {
        "file": "line.wav", "character": character, "text": text, "sample_rate": 8000, "duration_s": 2.5,
        "speech_start": 0.5, "speech_end": 1.5, "lufs": -16.0, "peak_db": -3.0, "voice": character,
        "words": [{"text": w, "start": 0.5 + i * 0.25, "end": 0.75 + i * 0.25} for i, w in enumerate(text.split())],
        "mouth": [{"start": 0.0, "shape": "rest"}],
    }  # fmt: skip
    return SimpleNamespace(output=clip, file=lambda name: folder / name)


def animate(
    out: Path,
    the_shot: Shot,
    picture: Any,
    speech: tuple[Any, ...] = (),
    *,
    seed: int = 5,
    size: tuple[int, int] = SIZE,
    hooks: dict[str, Any] | None = None,
    **more: Any,
) -> AnimateShot.Output:
    out.mkdir(parents=True, exist_ok=True)
    by_key = {"still": picture, **{f"clip{number}": clip for number, clip in enumerate(speech)}}
    args = AnimateShot.Input(
        shot=the_shot,
        cast=CAST,
        width=size[0],
        height=size[1],
        fps=FPS,
        picture=ArtifactRef(call="s1.still", key="still") if picture is not None else None,
        speech=[ArtifactRef(call=f"c{number}", key=f"clip{number}") for number in range(len(speech))],
        **more,
    )
    engine = ParallaxShot()
    engine.load()
    return engine.run(args, EngineContext(out=out, seed=seed, open_artifact=by_key.__getitem__, **(hooks or {})))


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
