"""Artifacts made to order: a shelf that stores them as the studio does, and media that is good or broken on purpose."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from tools.artifact import RECORD_NAME, Artifact, ArtifactRecord, FileRecord, artifact_key, hash_file
from tools.base import ArtifactRef, EngineContext, ToolOutput
from tools.music.tool import ComposeMusic, MixSound
from tools.timeline import MouthCue, SpokenWord
from tools.transcription.subtitles_tool import SubtitleCue, WriteSubtitles
from tools.video.tool import AnimateShot
from tools.voice.tool import SynthesizeSpeech

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
    pictures: Iterator[NDArray[np.uint8]] | None = None,
    **encoding: Any,
) -> ArtifactRef:
    """A stored shot; `pictures` instead of the moving box."""
    folder = shelf.folder(call)
    pictures = pictures or moving_pictures(frames, width, height, shade)
    count = write_segment(folder / "shot.mp4", pictures, fps=fps, **encoding)
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
    shelf: Shelf,
    call: str,
    samples: NDArray[np.floating[Any]],
    speech: list[tuple[float, float]] | None = None,
    args: dict[str, Any] | None = None,
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
    return shelf.store(call, "mix_sound", folder, output, args or {})


def put_music(shelf: Shelf, call: str, samples: NDArray[np.floating[Any]], duration_s: float) -> ArtifactRef:
    """A stored score, stereo at 48 kHz."""
    folder = shelf.folder(call)
    write_wav(folder / "music.wav", np.stack([samples, samples], axis=1))
    output = ComposeMusic.Output(file="music.wav", sample_rate=RATE, duration_s=len(samples) / RATE, lufs=-20.0)
    return shelf.store(call, "compose_music", folder, output, {"mood": "calm", "duration_s": duration_s})


SPEECH_RATE = 22_050
SPEECH_LEVEL = 0.245
"""Amplitude at which `babble` measures -16 LUFS."""


def babble(words: int, *, level: float = SPEECH_LEVEL) -> NDArray[np.float64]:
    """Something like speech: 0.4 s a word, a buzz that swells and falls with every word; no silence around it."""
    at = np.arange(round(words * 0.4 * SPEECH_RATE)) / SPEECH_RATE
    buzz = sum(np.sin(2 * np.pi * 180 * n * at) / n for n in range(1, 12))
    return buzz * (0.35 + 0.65 * np.sin(np.pi * at / 0.4) ** 2) * level


def put_speech(
    shelf: Shelf,
    call: str,
    text: str,
    *,
    character: str = "luca",
    samples: NDArray[np.floating[Any]] | None = None,
    lead: float = 0.5,
    tail: float = 1.0,
    rate: float = 1.0,
    told: dict[str, Any] | None = None,
) -> ArtifactRef:
    """A stored line; `samples` instead of its babble, `told` instead of fields of its record."""
    folder = shelf.folder(call)
    words = text.split()
    said = babble(len(words)) if samples is None else samples
    silence = [np.zeros(round(seconds * SPEECH_RATE)) for seconds in (lead, tail)]
    clip = np.concatenate([silence[0], said, silence[1]])
    if samples is None:
        # A short word in its silence measures less than a long one of the same level.
        clip *= 10 ** ((-16.0 - pyloudnorm.Meter(SPEECH_RATE).integrated_loudness(clip)) / 20)
    write_wav(folder / "line.wav", clip, SPEECH_RATE)
    step = len(said) / SPEECH_RATE / max(1, len(words))
    starts = [lead + number * step for number in range(len(words))]
    end = lead + len(said) / SPEECH_RATE
    fields: dict[str, Any] = {
        "file": "line.wav",
        "character": character,
        "text": text,
        "sample_rate": SPEECH_RATE,
        "duration_s": end + tail,
        "speech_start": lead,
        "speech_end": end,
        "words": [
            SpokenWord(text=word, start=start, end=start + step) for word, start in zip(words, starts, strict=True)
        ],
        "mouth": [*(MouthCue(start=start, shape="ai") for start in starts), MouthCue(start=end, shape="rest")],
        "lufs": -16.0,
        "peak_db": -3.0,
        "voice": "paper",
    }
    output = SynthesizeSpeech.Output(**(fields | (told or {})))
    return shelf.store(call, "synthesize_speech", folder, output, {"text": text, "rate": rate, "language": "en"})


# Subtitles ------------------------------------------------------------------------------------------------------


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def put_subtitles(shelf: Shelf, call: str, cues: list[SubtitleCue], args: dict[str, Any] | None = None) -> ArtifactRef:
    """Stored subtitles, as .srt and .vtt."""
    folder = shelf.folder(call)
    blocks = [f"{n}\n{_stamp(c.start)} --> {_stamp(c.end)}\n{c.text}\n" for n, c in enumerate(cues, start=1)]
    (folder / "film.srt").write_text("\n".join(blocks), encoding="utf-8")
    vtt = "WEBVTT\n\n" + "\n".join(block.split("\n", 1)[1].replace(",", ".", 2) for block in blocks)
    (folder / "film.vtt").write_text(vtt, encoding="utf-8")
    output = WriteSubtitles.Output(srt="film.srt", vtt="film.vtt", cues=cues)
    return shelf.store(call, "write_subtitles", folder, output, args or {})
