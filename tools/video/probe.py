"""What is inside a media file, told by its headers and, when asked, by decoding every frame.

Files are opened with one demuxer named beforehand and with a list of the codecs it may use, so that a file that
pretends to be a film (a playlist that names other files, a picture, an archive) is refused and not followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
from av.container import InputContainer

from tools.errors import BadOutput

__all__ = ["AudioInfo", "MediaInfo", "MediaKind", "SubtitleInfo", "VideoInfo", "open_media", "probe", "read_cues"]

MediaKind = Literal["mp4", "wav", "srt"]

DEMUXERS: dict[str, str] = {"mp4": "mov,mp4,m4a,3gp,3g2,mj2", "wav": "wav", "srt": "srt"}
CODECS: dict[str, str] = {"mp4": "h264,aac,mov_text", "wav": "pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le", "srt": "subrip"}


@dataclass(frozen=True)
class VideoInfo:
    """The video track.

    Attributes:
        fps: frames a second, exact.
        frames: as the header counts them.
        duration_s: seconds, as the header says.
        decoded: frames that could be decoded; None where nothing was decoded.
        errors: packets that could not be decoded, and frames that came out damaged.
    """

    codec: str
    width: int
    height: int
    pixels: str
    fps: Fraction
    frames: int
    duration_s: float
    decoded: int | None = None
    errors: int = 0


@dataclass(frozen=True)
class AudioInfo:
    """The audio track; `decoded_s` is what could be decoded (None: not tried), with the codec's padding at the end."""

    codec: str
    sample_rate: int
    channels: int
    duration_s: float
    decoded_s: float | None = None
    errors: int = 0


@dataclass(frozen=True)
class SubtitleInfo:
    """The subtitle track: `cues` are (start, end, text), in seconds from the start of the film."""

    codec: str
    language: str
    cues: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class MediaInfo:
    """A media file: its tracks in the order of the file, and the first track of each kind."""

    streams: tuple[str, ...]
    duration_s: float
    title: str
    video: VideoInfo | None
    audio: AudioInfo | None
    subtitles: SubtitleInfo | None

    @property
    def errors(self) -> int:
        """Everything that failed to decode, in all tracks."""
        return (self.video.errors if self.video else 0) + (self.audio.errors if self.audio else 0)


def open_media(path: Path, kind: MediaKind) -> InputContainer:
    """Open a file with the demuxer of its kind and no other, reading local files only.

    Raises:
        BadOutput: it is not there, is not of that kind, or is damaged beyond opening.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS[kind], "codec_whitelist": CODECS[kind]}
    try:
        return av.open(str(path), format=kind, options=options)
    except (av.FFmpegError, OSError) as error:
        raise BadOutput(f"{path.name} cannot be read as {kind.upper()}: {_reason(error)}.") from error


def probe(
    path: Path,
    *,
    kind: MediaKind = "mp4",
    decode: bool = False,
    on_frame: Callable[[int, av.VideoFrame], None] | None = None,
    on_sound: Callable[[av.AudioFrame], None] | None = None,
) -> MediaInfo:
    """Look into a media file.

    Args:
        path: the file.
        kind: what it should be.
        decode: decode every frame of sound and picture and count what fails; else only headers are read.
        on_frame: called with number and frame for each decoded picture.
        on_sound: called for each decoded piece of sound.

    Raises:
        BadOutput: the file cannot be opened.
    """
    with open_media(path, kind) as media:
        tally = _Tally()
        if decode:
            _decode_all(media, tally, on_frame, on_sound)
        video = _video_info(media, tally if decode else None)
        audio = _audio_info(media, tally if decode else None)
        seconds = float(media.duration / av.time_base) if media.duration else 0.0
        streams = tuple(stream.type for stream in media.streams)
        title = media.metadata.get("title", "")
    return MediaInfo(
        streams=streams,
        duration_s=seconds,
        title=title,
        video=video,
        audio=audio,
        subtitles=_subtitle_info(path, kind) if "subtitle" in streams else None,
    )


def read_cues(path: Path) -> list[tuple[float, float, str]]:
    """The cues of an .srt file as (start, end, text), seconds, in order.

    Raises:
        BadOutput: it cannot be read as SRT.
    """
    with open_media(path, "srt") as media:
        return _cues(media, lambda data: data.decode("utf-8", "replace").strip())


@dataclass
class _Tally:
    """What decoding counted."""

    pictures: int = 0
    picture_errors: int = 0
    samples: int = 0
    sound_errors: int = 0


def _decode_all(
    media: InputContainer,
    tally: _Tally,
    on_frame: Callable[[int, av.VideoFrame], None] | None,
    on_sound: Callable[[av.AudioFrame], None] | None,
) -> None:
    # One thread: the studio plans its cores itself, and which packet an error falls on must not depend on timing.
    streams = [*media.streams.video[:1], *media.streams.audio[:1]]
    for stream in streams:
        stream.codec_context.thread_count = 1
    if not streams:
        return
    packets = media.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            # The file breaks off inside a packet: what follows cannot be found.
            tally.picture_errors += 1
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            if packet.stream.type == "video":
                tally.picture_errors += 1
            else:
                tally.sound_errors += 1
            continue
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                tally.picture_errors += frame.is_corrupt
                if on_frame:
                    on_frame(tally.pictures, frame)
                tally.pictures += 1
            elif isinstance(frame, av.AudioFrame):
                tally.sound_errors += frame.is_corrupt
                tally.samples += frame.samples
                if on_sound:
                    on_sound(frame)


def _video_info(media: InputContainer, tally: _Tally | None) -> VideoInfo | None:
    if not media.streams.video:
        return None
    stream = media.streams.video[0]
    codec = stream.codec_context
    return VideoInfo(
        codec=codec.name,
        width=codec.width,
        height=codec.height,
        pixels=codec.pix_fmt or "",
        fps=stream.average_rate or stream.guessed_rate or Fraction(0),
        frames=stream.frames,
        duration_s=_seconds(stream.duration, stream.time_base),
        decoded=tally.pictures if tally else None,
        errors=tally.picture_errors if tally else 0,
    )


def _audio_info(media: InputContainer, tally: _Tally | None) -> AudioInfo | None:
    if not media.streams.audio:
        return None
    stream = media.streams.audio[0]
    codec = stream.codec_context
    return AudioInfo(
        codec=codec.name,
        sample_rate=codec.sample_rate,
        channels=codec.channels,
        duration_s=_seconds(stream.duration, stream.time_base),
        decoded_s=tally.samples / codec.sample_rate if tally and codec.sample_rate else None,
        errors=tally.sound_errors if tally else 0,
    )


def _subtitle_info(path: Path, kind: MediaKind) -> SubtitleInfo:
    with open_media(path, kind) as media:
        stream = media.streams.subtitles[0]
        # A mov_text sample is a 16-bit length, the text, and style boxes (3GPP TS 26.245, 5.17).
        cues = _cues(media, lambda data: data[2 : 2 + int.from_bytes(data[:2], "big")].decode("utf-8", "replace"))
        return SubtitleInfo(stream.codec_context.name, stream.metadata.get("language", ""), tuple(cues))


def _cues(media: InputContainer, text_of: Callable[[bytes], str]) -> list[tuple[float, float, str]]:
    stream = media.streams.subtitles[0]
    cues = []
    for packet in media.demux(stream):
        if packet.pts is None:
            continue
        text = text_of(bytes(packet))
        if text:
            start = _seconds(packet.pts, stream.time_base)
            cues.append((start, start + _seconds(packet.duration, stream.time_base), text))
    return cues


def _seconds(ticks: int | None, time_base: Fraction | None) -> float:
    return float(ticks * time_base) if ticks and time_base else 0.0


def _reason(error: Any) -> str:
    return cast(str, getattr(error, "strerror", None) or str(error) or type(error).__name__)
