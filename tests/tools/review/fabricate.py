"""Artifacts made to order: a shelf that stores them as the studio does, and media that is good or broken on purpose."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tools.artifact import RECORD_NAME, Artifact, ArtifactRecord, FileRecord, artifact_key, hash_file
from tools.base import ArtifactRef, EngineContext, ToolOutput
from tools.music.tool import MixSound
from tools.transcription.subtitles_tool import SubtitleCue, WriteSubtitles
from tools.video.tool import AnimateShot

RATE = 48_000


class Shelf:
    """A folder of artifacts, and the context an engine is run with."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: dict[str, Path] = {}

    def folder(self, call: str) -> Path:
        """An empty folder to make the artifact of a call in."""
        path = self.root / call.replace("/", "_")
        path.mkdir(parents=True)
        return path

    def store(self, call: str, tool: str, folder: Path, output: ToolOutput, args: dict[str, Any]) -> ArtifactRef:
        """Write the record of what lies in `folder`; the reference has its key filled in."""
        data = output.model_dump(mode="json")
        key = artifact_key(tool=tool, engine="fabricated", version="1", args=[call, args], seed=0, inputs={})
        record = ArtifactRecord(
            key=key,
            tool=tool,
            engine="fabricated",
            version="1",
            args=args,
            seed=0,
            files={
                path.relative_to(folder).as_posix(): FileRecord(size=path.stat().st_size, sha256=hash_file(path))
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            },
            output=data,
            digest=key,
            seconds=0.0,
        )
        (folder / RECORD_NAME).write_text(record.model_dump_json())
        self.paths[key] = folder
        return ArtifactRef(call=call, key=key)

    def context(self, name: str = "out", seed: int = 0) -> EngineContext:
        """A context with an empty folder of this name."""
        out = self.root / f"out-{name}"
        out.mkdir(parents=True)
        return EngineContext(out=out, seed=seed, open_artifact=lambda key: Artifact.open(self.paths[key]))


# Pictures in motion ---------------------------------------------------------------------------------------------


def moving_pictures(frames: int, width: int, height: int, shade: int = 90) -> Iterator[NDArray[np.uint8]]:
    """A box that crosses a gradient."""
    ramp = np.linspace(shade - 40, shade + 60, width).clip(0, 255).astype(np.uint8)
    for number in range(frames):
        picture = np.repeat(np.broadcast_to(ramp, (height, width))[:, :, None], 3, axis=2).copy()
        left = (number * 5) % max(1, width - width // 6)
        picture[height // 4 : height // 2, left : left + width // 6] = (230, 180, 40)
        yield picture


def write_segment(
    path: Path,
    pictures: Iterator[NDArray[np.uint8]] | list[NDArray[np.uint8]],
    *,
    fps: int = 24,
    b_frames: int = 0,
    codec: str = "libx264",
    extra: dict[str, str] | None = None,
) -> int:
    """Encode pictures (height, width, 3) to an MP4; returns how many there were."""
    count = 0
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as media:
        stream: Any = None
        for picture in pictures:
            if stream is None:
                stream = media.add_stream(codec, rate=fps)
                stream.height, stream.width, stream.pix_fmt = picture.shape[0], picture.shape[1], "yuv420p"
                options = {"preset": "ultrafast", "crf": "23", "bf": str(b_frames)} if codec == "libx264" else {}
                stream.options = options | (extra or {})
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = count, Fraction(1, fps)
            media.mux(stream.encode(frame))
            count += 1
        media.mux(stream.encode(None))
    return count


def put_segment(
    shelf: Shelf,
    call: str,
    frames: int = 36,
    *,
    width: int = 320,
    height: int = 180,
    fps: int = 24,
    shade: int = 90,
    told_frames: int | None = None,
    **encoding: Any,
) -> ArtifactRef:
    """A stored shot."""
    folder = shelf.folder(call)
    count = write_segment(folder / "shot.mp4", moving_pictures(frames, width, height, shade), fps=fps, **encoding)
    count = told_frames or count
    output = AnimateShot.Output(
        file="shot.mp4", width=width, height=height, fps=fps, frames=count, duration_s=count / fps
    )
    return shelf.store(call, "animate_shot", folder, output, {})


# Sound ----------------------------------------------------------------------------------------------------------


def write_wav(path: Path, samples: NDArray[np.floating[Any]], rate: int = RATE) -> None:
    """Write mono (n,) or (n, channels) samples of -1..1 as 16 bit."""
    data = samples if samples.ndim == 2 else samples[:, None]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(data.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((data.clip(-1, 1) * 32767).astype("<i2").tobytes())


def tone(seconds: float, *, rate: int = RATE, hertz: float = 440.0, level: float = 0.2) -> NDArray[np.float64]:
    """A sine, mono."""
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate) * level


def put_mix(
    shelf: Shelf, call: str, samples: NDArray[np.floating[Any]], speech: list[tuple[float, float]] | None = None
) -> ArtifactRef:
    """A stored mix, stereo at 48 kHz."""
    folder = shelf.folder(call)
    stereo = samples if samples.ndim == 2 else np.stack([samples, samples], axis=1)
    write_wav(folder / "mix.wav", stereo)
    output = MixSound.Output(
        file="mix.wav",
        sample_rate=RATE,
        duration_s=len(stereo) / RATE,
        lufs=-16.0,
        peak_db=-3.0,
        speech=speech or [],
    )
    return shelf.store(call, "mix_sound", folder, output, {})


# Subtitles ------------------------------------------------------------------------------------------------------


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def put_subtitles(shelf: Shelf, call: str, cues: list[SubtitleCue]) -> ArtifactRef:
    """Stored subtitles, as .srt and .vtt."""
    folder = shelf.folder(call)
    blocks = [f"{n}\n{_stamp(c.start)} --> {_stamp(c.end)}\n{c.text}\n" for n, c in enumerate(cues, start=1)]
    (folder / "film.srt").write_text("\n".join(blocks), encoding="utf-8")
    vtt = "WEBVTT\n\n" + "\n".join(block.split("\n", 1)[1].replace(",", ".", 2) for block in blocks)
    (folder / "film.vtt").write_text(vtt, encoding="utf-8")
    output = WriteSubtitles.Output(srt="film.srt", vtt="film.vtt", cues=cues)
    return shelf.store(call, "write_subtitles", folder, output, {})
