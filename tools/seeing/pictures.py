"""What a model is shown: a picture, or three frames of a film side by side, small, newly encoded, without metadata.

A person's file is opened in a process of its own (`tools.decoding`); the studio's own results are opened here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tools.artifact import Artifact
from tools.decoding.limited import Limits, decoded, decoded_one
from tools.errors import BadOutput, InvalidInput

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LONGEST", "MOST_BYTES", "encoded", "opened_film", "picture_of", "read_picture"]

LONGEST = 1024
"""Pixels of the longer side: what the models see in one piece; more costs tokens and shows them nothing more."""
LONGEST_ROW = 1536
MOST_BYTES = 1_500_000
"""Of the JPEG; as base64 a third more."""
MAX_SIDE = 8192
MAX_FILE_BYTES = 64 << 20
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_FILMS = (".mp4", ".mkv", ".webm", ".mov", ".m4v")
_CODECS = ("h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg4", "mjpeg", "prores")
_QUALITIES = (90, 80, 65, 45)


def picture_of(artifact: Artifact) -> np.ndarray:
    """The picture of a result, or the first, middle and last frame of a moving one, as height x width x 3 uint8.

    Raises:
        InvalidInput: the tool that made it makes neither.
        BadOutput: it cannot be read.
    """
    output = artifact.output
    name = output.get("plain") or output.get("image")
    film = output.get("file")
    try:
        if isinstance(name, str) and name:
            path = artifact.file(name)
            return _fitted(_decoded(path.read_bytes(), str(path)), LONGEST)
        if isinstance(film, str) and film.lower().endswith(_FILMS):
            path = artifact.file(film)
            with path.open("rb") as file:
                return _row(list(frames_in(file, path.suffix.lower())))
    except OSError as error:
        raise BadOutput(f"the result of {artifact.record.tool} cannot be read: {error.strerror or error}") from error
    except InvalidInput as error:
        raise BadOutput(f"the result of {artifact.record.tool} cannot be looked at: {error.message}") from error
    raise InvalidInput(f"{artifact.record.tool} makes no picture and no film", where="picture")


def read_picture(path: Path) -> np.ndarray:
    """A picture or a film from a file, brought to the size that is shown.

    Raises:
        InvalidInput: it is not there, too large, damaged, or of another kind.
    """
    try:
        if not path.is_file():
            raise InvalidInput("there is no such file", where=str(path))
        is_film = path.suffix.lower() in _FILMS
        if not is_film and path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput(f"is larger than {MAX_FILE_BYTES >> 20} MB", where=str(path))
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    if is_film:
        limits = Limits(libraries=("numpy", "av"))
        return _row(list(decoded(f"{__name__}:frames_in", path, str(path), limits, suffix=path.suffix.lower())))
    limits = Limits(libraries=("numpy", "skia"))
    return decoded_one(f"{__name__}:picture_in", path, str(path), limits, longest=LONGEST)


def picture_in(file: BinaryIO, longest: int) -> Iterator[np.ndarray]:
    """What decodes a picture in the process of its own."""
    yield _fitted(_decoded(file.read(MAX_FILE_BYTES + 1), ""), longest)


def encoded(picture: np.ndarray) -> bytes:
    """A picture as JPEG of at most `MOST_BYTES`, without any metadata.

    Raises:
        InvalidInput: not even at the lowest quality is it small enough.
    """
    import skia

    image = _as_image(picture)
    for quality in _QUALITIES:
        data = image.encodeToData(skia.EncodedImageFormat.kJPEG, quality)
        if data is not None and data.size() <= MOST_BYTES:
            return bytes(data)
    raise InvalidInput("the picture is too large to be sent")


def _decoded(data: bytes, where: str) -> Any:
    """A `skia.Image`, upright; its sizes are looked at before any memory is set aside for it."""
    import skia

    if not data:
        raise InvalidInput("is empty", where=where)
    held = skia.Data.MakeWithCopy(data)
    kinds = [getattr(skia.EncodedImageFormat, f"k{name}") for name in _FORMATS]
    told = f"is no picture that is read here ({', '.join(_FORMATS)})"
    try:
        codec = skia.Codec.MakeFromData(held)
    except RuntimeError:
        raise InvalidInput(told, where=where) from None
    if codec.getEncodedFormat() not in kinds:
        raise InvalidInput(told, where=where)
    size = codec.dimensions()
    if not (0 < size.width() <= MAX_SIDE and 0 < size.height() <= MAX_SIDE):
        told = f"is {size.width()}x{size.height()} pixels; at most {MAX_SIDE} a side are read"
        raise InvalidInput(told, where=where)
    info = skia.ImageInfo.Make(size.width(), size.height(), skia.kN32_ColorType, skia.kPremul_AlphaType)
    pixels = skia.Bitmap()
    if not pixels.tryAllocPixels(info):
        raise InvalidInput("is too large for this machine's memory", where=where)
    # Asked first: skia draws what is torn without a word.
    if codec.getPixels(pixels.pixmap()) != skia.Codec.kSuccess:
        raise InvalidInput("is damaged: it ends too early, or its data are wrong", where=where)
    # Not held twice: the largest takes 268 MB.
    del pixels
    image = skia.Image.MakeFromEncoded(held)
    if image is None:
        raise InvalidInput("cannot be decoded", where=where)
    return image


def _fitted(image: Any, longest: int) -> np.ndarray:
    import skia

    scale = min(1.0, longest / max(image.width(), image.height()))
    width, height = max(1, round(image.width() * scale)), max(1, round(image.height() * scale))
    surface = skia.Surface.MakeRasterN32Premul(width, height)
    canvas = surface.getCanvas()
    # What is transparent shows paper, not night.
    canvas.clear(skia.ColorWHITE)
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    canvas.drawImageRect(image, skia.Rect.MakeWH(width, height), sampling)
    pixels = surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType)
    shown: np.ndarray = pixels[:, :, :3].copy()
    return shown


def _as_image(picture: np.ndarray) -> Any:
    import numpy as np
    import skia

    height, width = picture.shape[:2]
    opaque = np.full((height, width, 4), 255, np.uint8)
    opaque[:, :, :3] = picture
    return skia.Image.fromarray(opaque, skia.kRGBA_8888_ColorType)


def _row(frames: list[np.ndarray]) -> np.ndarray:
    """Frames side by side, first to last, with a white line between."""
    import numpy as np

    each = max(64, LONGEST_ROW // len(frames))
    small = [_fitted(_as_image(frame), each) for frame in frames]
    height = max(frame.shape[0] for frame in small)
    parts: list[np.ndarray] = []
    for frame in small:
        tall = np.full((height, frame.shape[1], 3), 255, np.uint8)
        tall[: frame.shape[0]] = frame
        parts += [tall, np.full((height, 6, 3), 255, np.uint8)]
    return np.concatenate(parts[:-1], axis=1)


def opened_film(file: BinaryIO, suffix: str) -> Any:
    """A film, opened as what its suffix says and as nothing else: a playlist would read its neighbours.

    Raises:
        av.FFmpegError: it is none.
    """
    import av

    kind = "matroska" if suffix in (".mkv", ".webm") else "mov"
    return av.open(file, format=kind, options={"protocol_whitelist": "", "format_whitelist": _KINDS[kind]})


def frames_in(file: BinaryIO, suffix: str) -> Iterator[np.ndarray]:
    """The first, the middle and the last frame of a film, as height x width x 3 uint8."""
    import av

    try:
        with opened_film(file, suffix) as film:
            if not film.streams.video:
                raise InvalidInput("holds no picture")
            stream = film.streams.video[0]
            if stream.codec_context.codec.name not in _CODECS:
                raise InvalidInput(f"is coded as {stream.codec_context.codec.name}, which is not read")
            if not 0 < max(stream.width, stream.height) <= MAX_SIDE:
                raise InvalidInput(f"is {stream.width}x{stream.height} pixels")
            stream.codec_context.thread_count = 1
            yield from (frame.to_ndarray(format="rgb24") for frame in _three(film, stream))
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise InvalidInput(f"cannot be read as a film: {str(error)[:120]}") from error


def _three(film: Any, stream: Any) -> list[Any]:
    """A short film in one pass; in a long one, from the key frames before the middle and the end."""
    length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    if not length and film.duration:
        length = film.duration / 1_000_000
    first = middle = last = None
    for number, frame in enumerate(film.decode(stream)):
        if first is None:
            first = frame
            if length > _LONG_S:
                middle, last = _at(film, stream, length / 2), _at(film, stream, length)
                break
        if number > _MOST_FRAMES:
            raise InvalidInput("is too long to be looked at")
        if middle is None and (frame.time or 0.0) >= length / 2:
            middle = frame
        last = frame
    if first is None:
        raise InvalidInput("holds no frame")
    return [first, middle or first, last or middle or first]


def _at(film: Any, stream: Any, seconds: float) -> Any:
    """The frame at that moment, or the last one before; None where nothing can be decoded from there."""
    film.seek(int(seconds * 1_000_000))
    found = None
    for number, frame in enumerate(film.decode(stream)):
        found = frame
        if (frame.time or 0.0) >= seconds or number > _MOST_FRAMES:
            break
    return found


_KINDS = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
_LONG_S = 20.0
"""Seconds; a longer film is not decoded from end to end for three of its frames."""
_MOST_FRAMES = 60 * 60
