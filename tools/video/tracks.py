"""The tracks of a film: video packets copied from segments, AAC made of a wav, mov_text made of cues."""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags

from tools.errors import BadOutput, EngineFailed, InvalidInput, StorageFailed
from tools.video.probe import open_media, probe

__all__ = [
    "AUDIO_BITS",
    "AUDIO_RATE",
    "Cue",
    "Segment",
    "read_segment",
    "require_alike",
    "require_length",
    "write_film",
]

Cue = tuple[float, float, str]
"""Start and end in seconds from the start of the film, and the text."""
AUDIO_RATE = 48_000
"""Samples a second: what video players and sites expect, and what the mixer writes."""
AUDIO_BITS = 160_000
"""Bits a second of AAC-LC stereo; transparent for speech over music (listening tests put the knee near 128 k)."""
AAC_FRAME = 1024
"""Samples in one AAC-LC frame."""
SUBTITLE_TICKS = 1000
"""Ticks a second of the subtitle track: an .srt counts milliseconds."""

LANGUAGES = {
    "en": ("eng", "English"),
    "it": ("ita", "Italiano"),
    "de": ("deu", "Deutsch"),
    "es": ("spa", "Español"),
    "fr": ("fra", "Français"),
}
"""By language: its code in ISO 639-2/T, which MP4 stores (ISO/IEC 14496-12, 8.4.2), and its own name."""

STYLE_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""The mov_text encoder makes the track's default style from an ASS header and refuses to open without one."""


@dataclass(frozen=True)
class Segment:
    """One encoded shot: its file, and all that must be alike for its packets to follow another's."""

    path: Path
    frames: int
    fps: int
    format: dict[str, Any]


def read_segment(path: Path, frames: int, fps: int, where: str) -> Segment:
    """Look into an encoded shot and check that it is what its record says.

    Args:
        path: MP4 with H.264.
        frames: how many its record promises.
        fps: at which rate.
        where: how errors name it, as `shots[2]`.

    Raises:
        InvalidInput: it cannot be read, is not H.264, or is not what was promised.
    """
    try:
        with open_media(path, "mp4") as media:
            if not media.streams.video:
                raise InvalidInput(f"{path.name} has no picture", where=where)
            stream = media.streams.video[0]
            codec = stream.codec_context
            found: dict[str, Any] = {
                "codec": codec.name,
                "width": codec.width,
                "height": codec.height,
                "frames a second": stream.average_rate,
                "pixel format": codec.pix_fmt,
                "pixel shape": codec.sample_aspect_ratio or Fraction(1),
                "codec profile": codec.profile,
                # Sequence and picture parameter sets. MP4 stores them once a track, so one set must serve every shot.
                "codec settings (SPS/PPS)": codec.extradata,
            }
            counted = stream.frames
    except BadOutput as error:
        raise InvalidInput(error.message, where=where, hint="Make that shot again.") from error
    if found["codec"] != "h264":
        raise InvalidInput(f"{path.name} is {found['codec']}; only H.264 is joined", where=where)
    if counted != frames:
        raise InvalidInput(f"{path.name} holds {counted} frames and its record says {frames}", where=where)
    if found["frames a second"] != fps:
        raise InvalidInput(f"{path.name} runs at {found['frames a second']} fps, not at {fps}", where=where)
    return Segment(path, counted, fps, found)


def require_alike(segments: Sequence[Segment]) -> None:
    """Raise InvalidInput for the first segment that cannot follow the first one, and say in what it differs."""
    first = segments[0].format
    for number, segment in enumerate(segments[1:], start=1):
        for name, value in segment.format.items():
            if value != first[name]:
                told = "differ" if isinstance(value, bytes) else f"{value} and {first[name]}"
                raise InvalidInput(
                    f"cannot be joined to shots[0] without encoding: {name} {told}",
                    where=f"shots[{number}]",
                    hint="Animate every shot with the same size, rate and engine.",
                )


def require_length(sound: Path, frames: int, fps: int) -> None:
    """Sound that is more than a frame too long or short means that it was mixed for other shots."""

    try:
        info = probe(sound, kind="wav").audio
    except BadOutput as error:
        raise InvalidInput(error.message, where="sound", hint="Mix the sound again.") from error
    length = info.duration_s if info else 0.0
    if abs(length - frames / fps) > 1 / fps:
        raise InvalidInput(f"lasts {length:.2f} s and the shots together {frames / fps:.2f} s", where="sound")


def write_film(
    path: Path,
    segments: Sequence[Segment],
    sound: Path | None,
    cues: Sequence[Cue],
    *,
    title: str,
    language: str,
    progress: Callable[[float, str], None],
) -> None:
    """Write the film.

    Args:
        path: of the MP4.
        segments: alike, in order.
        sound: a wav, or None for no audio track.
        cues: in order; none makes no subtitle track.
        title: kept in the file.
        language: of what is said, as en, it.
        progress: called with the fraction done and a text; may raise.

    Raises:
        StorageFailed: the disk is full or read-only.
        EngineFailed: anything else in the library.
    """
    fps, frames = segments[0].fps, sum(segment.frames for segment in segments)
    # `bitexact` leaves out dates and version strings; `faststart` puts the index first, so that it plays while loading.
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    try:
        with av.open(str(path), "w", format="mp4", options=options) as film:
            film.metadata["title"] = title
            tracks = [_video_packets(segments, _add_video(film, segments[0], language), progress)]
            if sound:
                tracks.append(_audio_packets(sound, _add_audio(film, language), frames * AUDIO_RATE // fps))
            if cues:
                tracks.append(_subtitle_packets(cues, _add_subtitles(film, language), frames / fps))
            film.start_encoding()
            # In order of decoding time, each kind next to the others, so that a player need not seek while it plays.
            for packet in heapq.merge(*tracks, key=lambda packet: packet.dts * packet.time_base):
                film.mux(packet)
    except av.FFmpegError as error:
        if error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT):
            raise StorageFailed(f"cannot write the film: {error.strerror}.") from error
        raise EngineFailed(f"joining the shots failed: {error.strerror}.") from error


def _language(code: str) -> tuple[str, str]:
    return LANGUAGES.get(code, ("und", code))


def _add_video(film: Any, first: Segment, language: str) -> Any:

    with open_media(first.path, "mp4") as media:
        stream = film.add_stream_from_template(media.streams.video[0], opaque=False)
    stream.time_base = Fraction(1, first.fps)
    stream.metadata["language"] = _language(language)[0]
    return stream


def _add_audio(film: Any, language: str) -> Any:

    stream = film.add_stream("aac", rate=AUDIO_RATE, layout="stereo")
    stream.bit_rate = AUDIO_BITS
    stream.codec_context.flags |= Flags.bitexact
    stream.metadata["language"] = _language(language)[0]
    return stream


def _add_subtitles(film: Any, language: str) -> Any:
    stream = film.add_stream("mov_text")
    stream.codec_context.subtitle_header = STYLE_HEADER
    stream.codec_context.time_base = stream.time_base = Fraction(1, SUBTITLE_TICKS)
    code, name = _language(language)
    stream.metadata.update({"language": code, "title": name, "handler_name": "Subtitles"})
    return stream


def _video_packets(segments: Sequence[Segment], stream: Any, progress: Callable[[float, str], None]) -> Iterator[Any]:
    """The packets of all segments, in decoding order, times in frames from the start of the film."""

    start, total = 0, sum(segment.frames for segment in segments)
    for number, segment in enumerate(segments):
        with open_media(segment.path, "mp4") as media:
            seen = 0
            for packet in media.demux(media.streams.video[0]):
                if packet.pts is None or packet.dts is None:
                    continue  # the empty packet that ends a file
                frame, decode = packet.pts * packet.time_base * segment.fps, packet.dts * packet.time_base * segment.fps
                if frame.denominator != 1 or not 0 <= frame < segment.frames or (not seen and not packet.is_keyframe):
                    raise InvalidInput(
                        "does not begin with a key frame at 0 s and go on frame by frame", where=f"shots[{number}]"
                    )
                packet.stream, packet.time_base = stream, Fraction(1, segment.fps)
                packet.pts, packet.dts, packet.duration = int(frame) + start, int(decode) + start, 1
                seen += 1
                yield packet
            if seen != segment.frames:
                raise InvalidInput(f"breaks off after {seen} of {segment.frames} frames", where=f"shots[{number}]")
        start += segment.frames
        progress(start / total, f"shot {number + 1} of {len(segments)}")


def _audio_packets(path: Path, stream: Any, samples: int) -> Iterator[Any]:
    """AAC packets of a wav, cut or filled with silence to exactly `samples` samples."""

    for block, start in _blocks(path, samples):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE, start, Fraction(1, AUDIO_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _blocks(path: Path, samples: int) -> Iterator[tuple[Any, int]]:
    """Stereo float blocks (2, <= AAC_FRAME) at 48 kHz with the sample each begins at; `samples` in all."""

    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE, frame_size=AAC_FRAME)
    at = 0
    with open_media(path, "wav") as media:
        for source in (*media.decode(audio=0), None):
            for frame in resampler.resample(source):
                block = frame.to_ndarray()[:, : samples - at]
                if block.shape[1]:
                    yield block, at
                at += block.shape[1]
    while at < samples:
        block = np.zeros((2, min(AAC_FRAME, samples - at)), np.float32)
        yield block, at
        at += block.shape[1]


def _subtitle_packets(cues: Sequence[Cue], stream: Any, film_s: float) -> Iterator[Any]:
    """mov_text samples: a 16-bit length and the text in UTF-8 (3GPP TS 26.245, 5.17).

    Written as bytes and not through the encoder, which reads ASS: braces and backslashes in a line stay as they are.
    """

    last = round(film_s * SUBTITLE_TICKS)
    for number, (start_s, end_s, text) in enumerate(cues):
        start = round(start_s * SUBTITLE_TICKS)
        # A track shows one sample at a time: a cue ends where the next begins, and none outlives the film.
        following = round(cues[number + 1][0] * SUBTITLE_TICKS) if number + 1 < len(cues) else last
        end = min(round(end_s * SUBTITLE_TICKS), following, last)
        data = text.encode("utf-8")[:65_000]
        if end <= start or not data:
            continue
        packet = av.Packet(len(data).to_bytes(2, "big") + data)
        packet.stream, packet.time_base = stream, Fraction(1, SUBTITLE_TICKS)
        packet.pts = packet.dts = start
        packet.duration = end - start
        yield packet
