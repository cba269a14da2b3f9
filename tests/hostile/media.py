"""Media files as strangers make them: whole ones, the same cut and flipped by seed, and ones made to hurt."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

__all__ = [
    "BOMBS", "SUFFIXES", "bomb", "crashing", "damaged", "flooding", "hoarding", "seeing", "spinning", "waiting",
    "whole", "writing",
]  # fmt: skip

SUFFIXES = ("png", "jpg", "webp", "wav", "mp3", "mp4", "svg")
SVG = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><image href="file:///etc/passwd"/><text>&b;&x;</text></svg>
"""


def whole(kind: str, folder: Path) -> Path:
    """A file of that kind with nothing wrong with it, but for SVG, which is never read."""
    path = folder / f"whole.{kind}"
    if kind in ("png", "jpg", "webp"):
        path.write_bytes(_picture(kind))
    elif kind == "svg":
        path.write_bytes(SVG)
    else:
        _sounding(path, kind)
    return path


def _picture(kind: str) -> bytes:
    from PIL import Image

    pixels = np.random.default_rng(2).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[kind])
    return out.getvalue()


def _sounding(path: Path, kind: str, seconds: float = 4.0, rate: int = 32_000) -> None:
    import av

    at = np.arange(round(seconds * rate)) / rate
    speech = (0.4 * np.sin(2 * np.pi * 180 * at) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at)) * 32_767).astype(np.int16)
    codec = {"wav": "pcm_s16le", "mp3": "libmp3lame", "mp4": "aac"}[kind]
    with av.open(str(path), "w", format=kind) as made:
        # Both tracks before the first packet: a film's header names them all.
        picture = made.add_stream("libx264", rate=8) if kind == "mp4" else None
        sound = made.add_stream(codec, rate=rate, layout="mono")
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
            for number in range(32):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 8 * number, np.uint8), format="rgb24")
                made.mux(picture.encode(frame))
            made.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(speech[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        made.mux(sound.encode(frame))
        made.mux(sound.encode(None))


def damaged(source: Path, seed: int, count: int) -> Iterator[Path]:
    """Copies of a file, each cut short, flipped, or with lying numbers near its beginning; the same for a seed."""
    data = source.read_bytes()
    rng = random.Random(f"{source.name} {seed}")
    for number in range(count):
        hurt = bytearray(data)
        for _ in range(rng.randint(1, 12)):
            # Half of them where headers are.
            hurt[rng.randrange(min(len(hurt), 200 if rng.random() < 0.5 else len(hurt)))] = rng.choice(
                (0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))
            )
        if number % 3 == 0:
            del hurt[rng.randrange(1, len(hurt)) :]
        path = source.with_name(f"damaged{seed}-{number}{source.suffix}")
        path.write_bytes(hurt)
        yield path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zeros(count: int) -> bytes:
    """A zlib stream of so many zeros, made without holding them."""
    packer = zlib.compressobj(9)
    step = bytes(1 << 20)
    body = b"".join(packer.compress(step) for _ in range(count >> 20))
    return body + packer.compress(bytes(count & ((1 << 20) - 1))) + packer.flush()


def _png(side: int, depth: int, colour: int, *extra: bytes, body: bytes | None = None) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    channels = {0: 1, 2: 3, 6: 4}[colour]
    data = _zeros(side * ((side * depth * channels + 7) // 8 + 1)) if body is None else body
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def large_png() -> bytes:
    """400 million pixels in 50 kB; as colours 1.2 GB."""
    return _png(20_000, 1, 0)


def largest_png() -> bytes:
    """The largest that is read: 268 MB of colours with transparency, sixteen bits each, in half a megabyte."""
    return _png(8192, 16, 6)


def texts_png() -> bytes:
    """A small picture with twenty texts of 64 MB each."""
    text = _zeros(64 << 20)
    return _png(8, 8, 2, *[_chunk(b"zTXt", b"k%d\0\0" % n + text) for n in range(20)])


def lying_png() -> bytes:
    return _png(2**31 - 1, 16, 6, body=_zeros(1 << 20))


def scans_jpeg() -> bytes:
    """A progressive JPEG whose scans are told a hundred times over: each goes through all of a large picture."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4000, 4000)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * 2000 + data[-2:]


def lying_jpeg() -> bytes:
    data = bytearray(_picture("jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xdc" * 2
    return bytes(data)


def largest_webp() -> bytes:
    """16,383 pixels a side, black: 34 bytes that open to 800 MB of colours."""
    return bytes.fromhex("524946461a000000574542505650384c0e0000002ffebfff0f071011fd0f4444ff03")


def _wav(rate: int, channels: int, bits: int, data: bytes, told: int | None = None) -> bytes:
    step = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels & 0xFFFF, rate, (rate * step) & 0xFFFFFFFF, step & 0xFFFF, bits)
    size = len(data) if told is None else told
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size & 0xFFFFFFFF) + data
    return b"RIFF" + struct.pack("<I", (len(body)) & 0xFFFFFFFF) + body


def slow_wav() -> bytes:
    """Seven kilobytes that claim to be an hour."""
    return _wav(1, 1, 16, b"\x01\x10" * 3600)


def crowd_wav() -> bytes:
    return _wav(48_000, 65_535, 16, bytes(1 << 20))


def endless_wav() -> bytes:
    return _wav(48_000, 2, 16, b"\x01\x10" * 4800, told=0xFFFF_FFFF)


def tag_mp3() -> bytes:
    """A tag that says it is 256 MB long, and a compressed one within."""
    return b"ID3\x04\x00\x80\x7f\x7f\x7f\x7f" + b"APIC\x7f\x7f\x7f\x7f\x00\x08" + _zeros(64 << 20)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def nested_mp4() -> bytes:
    body = b""
    for _ in range(20_000):
        body = _box(b"moov", body)
    return _box(b"ftyp", b"isom\0\0\0\0isom") + body


def lying_mp4() -> bytes:
    """A table of samples that says it has four billion of them, in a film without pictures."""
    stsz = _box(b"stsz", struct.pack(">III", 0, 0, 0xFFFF_FFF0))
    stts = _box(b"stts", struct.pack(">III", 0, 0x0FFF_FFFF, 1))
    hdlr = _box(b"hdlr", bytes(8) + b"vide" + bytes(13))
    mdhd = _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1, 0xFFFF_FFFF, 0, 0))
    entry = _box(b"avc1", bytes(24) + struct.pack(">HH", 32_767, 32_767) + bytes(50))
    stsd = _box(b"stsd", struct.pack(">II", 0, 1) + entry)
    trak = _box(b"trak", _box(b"mdia", mdhd + hdlr + _box(b"minf", _box(b"stbl", stsd + stts + stsz))))
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1, 0xFFFF_FFFF) + bytes(80))
    return _box(b"ftyp", b"isom\0\0\0\0isom") + _box(b"moov", mvhd + trak)


def laughing_svg() -> bytes:
    lines = ['<!ENTITY l0 "ha">'] + [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)]
    return f"<!DOCTYPE svg [{''.join(lines)}]><svg>&l11;</svg>".encode()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "400 million pixels": ("png", large_png),
    "the largest that is read, 16 bit": ("png", largest_png),
    "compressed texts": ("png", texts_png),
    "a lying header": ("png", lying_png),
    "thousands of scans": ("jpg", scans_jpeg),
    "a lying frame": ("jpg", lying_jpeg),
    "the largest canvas": ("webp", largest_webp),
    "one sample a second": ("wav", slow_wav),
    "65,535 channels": ("wav", crowd_wav),
    "longer than it is": ("wav", endless_wav),
    "a tag of 256 MB": ("mp3", tag_mp3),
    "20,000 boxes in one another": ("mp4", nested_mp4),
    "four billion samples": ("mp4", lying_mp4),
    "entities": ("svg", laughing_svg),
}


def bomb(name: str, folder: Path) -> Path:
    """One of `BOMBS` as a file."""
    kind, make = BOMBS[name]
    path = folder / f"{name.replace(' ', '-').replace(',', '')}.{kind}"
    path.write_bytes(make())
    return path


def crashing(_file: object) -> Iterator[object]:
    """A decoder with a hole: it reads where nothing is."""
    import ctypes

    yield ctypes.string_at(1)


def spinning(_file: object) -> Iterator[object]:
    """A decoder that comes to no end."""
    while True:
        pass
    yield


def waiting(_file: object) -> Iterator[object]:
    """A decoder that does nothing, for ever."""
    time.sleep(3600)
    yield


def flooding(_file: object) -> Iterator[np.ndarray]:
    """A decoder that a file has taken over: it gives more than anybody asked for."""
    while True:
        yield np.zeros((64, 1 << 20), np.uint8)


def hoarding(_file: object) -> Iterator[object]:
    """A decoder that takes all memory there is."""
    held = []
    while True:
        held.append(np.ones(1 << 25, np.uint8))
    yield held


def seeing(_file: object) -> Iterator[np.ndarray]:
    """A decoder that tells what its environment holds."""
    import os

    yield np.frombuffer(os.environb.get(b"HF_TOKEN", b"") + repr(dict(os.environ)).encode(), np.uint8)


def writing(_file: object, path: str) -> Iterator[object]:
    """A decoder that writes where it should not."""
    Path(path).write_bytes(b"x" * 10)
    yield np.zeros(1, np.uint8)
