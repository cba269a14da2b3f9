"""The one place that says how the studio encodes pictures: what is encoded apart can be joined without encoding again.

Every segment has the same stream parameters for a given size and rate (x264 settings, time base, colour tags), starts
with a key frame, refers to nothing outside itself, and holds no B-frames, so that presentation and decoding order are
the same and a segment's first timestamp is 0. The file carries no date and no library version: equal frames give equal
bytes.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from tools.errors import InvalidInput, StorageFailed

__all__ = ["CODEC", "TICKS_PER_FRAME", "FilmEncoder", "encoder_options", "open_encoder", "time_scale"]

CODEC = "libx264"
TICKS_PER_FRAME = 512
"""Units of the stream's time base in one frame; the time base is 1 / (fps * 512)."""

PRESET = "veryfast"
CRF = "18"
"""Measured on the beach scene, 1280x720: 18 is free of banding in the sky that 23 shows, at twice its size."""
_BT709 = 1
_TV_RANGE = 1


def time_scale(fps: int) -> int:
    """Ticks a second of every video stream of the studio."""
    return fps * TICKS_PER_FRAME


def encoder_options(fps: int) -> dict[str, str]:
    """Options of the x264 encoder; one closed group of pictures lasts two seconds."""
    params = f"keyint={fps * 2}:min-keyint={fps}:scenecut=40:open-gop=0:bframes=0:threads=1:lookahead-threads=1"
    return {"preset": PRESET, "crf": CRF, "tune": "animation", "x264-params": params}


def container_options(fps: int) -> dict[str, str]:
    """Options of the MP4 container: no dates, a fixed time scale, the index in front."""
    return {
        "fflags": "+bitexact",
        "video_track_timescale": str(time_scale(fps)),
        "movflags": "+faststart",
        "use_editlist": "0",
    }


class FilmEncoder:
    """Writes BGRA pictures into an H.264 MP4. Use it as a context manager; an exception inside leaves a torn file.

    Args:
        path: of the MP4.
        width, height: in pixels, even.
        fps: frames a second.

    Raises:
        InvalidInput: width or height is odd.
        StorageFailed: the file cannot be written.
    """

    def __init__(self, path: Path, width: int, height: int, fps: int) -> None:
        if width % 2 or height % 2:
            raise InvalidInput(f"video needs an even width and height, not {width}x{height}", where="width")
        self.width, self.height, self.fps = width, height, fps
        self.frames = 0
        self._path = path
        try:
            self._container = av.open(str(path), "w", format="mp4", options=container_options(fps))
        except OSError as error:
            raise StorageFailed(f"cannot write {path}: {error.strerror or error}.") from error
        self._stream = self._add_stream()

    def _add_stream(self) -> VideoStream:
        stream = self._container.add_stream(CODEC, rate=self.fps, options=encoder_options(self.fps))
        assert isinstance(stream, VideoStream), "libx264 encodes video"
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        context.thread_count = 1
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _TV_RANGE
        return stream

    def encode(self, picture: np.ndarray) -> None:
        """Add one frame.

        Args:
            picture: height x width x 4, uint8, blue green red alpha; it may be reused after the call.

        Raises:
            StorageFailed: the disk is full.
        """
        # The buffer is only read here: the conversion to yuv420p below is already a copy.
        frame = av.VideoFrame.from_numpy_buffer(picture, format="bgra")
        frame = frame.reformat(
            format="yuv420p",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts = self.frames
        frame.time_base = 1 / self._stream.codec_context.rate
        self.frames += 1
        self._mux(frame)

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        try:
            self._mux(None)
        finally:
            try:
                self._container.close()
            except OSError as error:
                raise StorageFailed(f"cannot write {self._path}: {error.strerror or error}.") from error

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except OSError as error:
            raise StorageFailed(f"cannot write {self._path}: {error.strerror or error}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            # Closing writes once more and may fail again; the first error is the one to tell.
            with suppress(OSError):
                self._container.close()


def open_encoder(path: Path, width: int, height: int, fps: int) -> FilmEncoder:
    """An encoder with the studio's settings; see `FilmEncoder`."""
    return FilmEncoder(path, width, height, fps)
