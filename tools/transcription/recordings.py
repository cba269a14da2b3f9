"""Recordings as samples: from a result of the studio, or from a person's own file, which may be anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from tools.artifact import Artifact
from tools.decoding.limited import Limits, decoded
from tools.errors import InvalidInput
from tools.sound import FloatArray

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["LONGEST_S", "RATE", "read_recording", "sound_file_of"]

RATE = 16_000
"""Hz: what recognisers hear at."""
LONGEST_S = 2 * 3600.0
"""A recording may be this long: two hours of samples take 460 MB."""
LEAST_RATE = 4_000
"""Hz; below it nobody is understood, and a few bytes would become hours of samples."""
_DEMUXERS = {
    ".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".ogg": "ogg", ".opus": "ogg", ".oga": "ogg",
    ".m4a": "mov,mp4,m4a,3gp,3g2,mj2", ".mp4": "mov,mp4,m4a,3gp,3g2,mj2", ".mov": "mov,mp4,m4a,3gp,3g2,mj2",
    ".mkv": "matroska,webm", ".webm": "matroska,webm", ".aac": "aac",
}  # fmt: skip
_CODECS = "pcm_s16le,pcm_s24le,pcm_s32le,pcm_u8,pcm_f32le,pcm_f64le,flac,mp3,mp3float,aac,opus,libopus,vorbis,alac"


def sound_file_of(artifact: Artifact) -> Path:
    """The file of a result that holds its sound.

    Raises:
        InvalidInput: the result is no recording and no film.
    """
    name = str(artifact.output.get("file", ""))
    if Path(name).suffix.lower() not in _DEMUXERS:
        raise InvalidInput(f"{artifact.record.tool or 'this result'} made no recording and no film", where="audio")
    return artifact.file(name)


def read_recording(path: Path, told: Callable[[float], None] = lambda _s: None) -> FloatArray:
    """Mono float32 samples at `RATE`, full scale 1.0. The demuxer is named by the file's ending, and no other is tried.

    Args:
        path: of a sound or a film.
        told: called with the seconds read so far, once in a while.

    Raises:
        InvalidInput: the file cannot be read, has no sound, is cut off at once, too long, or holds no numbers.
    """
    where = str(path)
    kind = _DEMUXERS.get(path.suffix.lower())
    if kind is None:
        raise InvalidInput(f"is none of {', '.join(sorted(_DEMUXERS))}", where=where)
    limits = Limits(libraries=("numpy", "av"), longest_s=LONGEST_S, most=int((LONGEST_S + 600) * RATE * 4))
    pieces = list(decoded(f"{__name__}:sound_in", path, where, limits, told, kind=kind, longest_s=LONGEST_S))
    sound = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    if not len(sound):
        raise InvalidInput("holds no sound that could be decoded", where=where)
    if not np.all(np.isfinite(sound)):
        raise InvalidInput("holds samples that are no numbers", where=where)
    return sound


def sound_in(file: BinaryIO, kind: str, longest_s: float) -> Iterator[FloatArray | float]:
    """What decodes a recording in the process of its own: about a second of samples at a time, and how far it is."""
    import av

    options = {"protocol_whitelist": "", "format_whitelist": kind, "codec_whitelist": _CODECS}
    try:
        if not file.seek(0, 2):
            raise InvalidInput("is empty (0 bytes)")
        file.seek(0)
        with av.open(file, "r", format=kind.split(",")[0], options=options) as container:
            if not container.streams.audio:
                raise InvalidInput("has no sound")
            coded = container.streams.audio[0].codec_context.codec.name
            if coded not in _CODECS.split(","):
                raise InvalidInput(f"is coded as {coded}, which is not read")
            yield from _gathered(_decoded(container, longest_s))
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidInput(f"cannot be read as a recording: {reason}") from error


def _gathered(pieces: Iterator[FloatArray]) -> Iterator[FloatArray | float]:
    """A frame of sound is a hundredth of a second: too little to be sent alone."""
    held: list[FloatArray] = []
    waiting = count = 0
    for piece in pieces:
        held.append(piece)
        waiting += piece.size
        if waiting >= RATE:
            yield np.concatenate(held)
            count += waiting
            held, waiting = [], 0
            yield count / RATE
    if held:
        yield np.concatenate(held)


def _decoded(container: InputContainer, longest_s: float) -> Iterator[FloatArray]:
    """Damaged packets are left out: an old recording is still worth hearing."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    count = 0
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if frame.sample_rate < LEAST_RATE:
                raise InvalidInput(f"has {frame.sample_rate} Hz; speech needs {LEAST_RATE}")
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray().reshape(-1).astype(np.float32)
                count += samples.size
                yield samples
        if count > longest_s * RATE:
            raise InvalidInput(f"is longer than {longest_s / 3600:g} hours", hint="Cut it into parts and give each.")
    for piece in resampler.resample(None):
        yield piece.to_ndarray().reshape(-1).astype(np.float32)
