"""What a file is by its bytes, whatever its name says. Nothing in it is executed, unpacked or imported."""

from __future__ import annotations

import io
import pickletools
from pathlib import Path
from typing import BinaryIO, Literal

__all__ = ["Content", "content_at", "content_of", "is_pickle"]

Content = Literal[
    "safetensors", "gguf", "onnx", "ctranslate2", "json", "text", "pickle", "archive", "picture", "web page",
    "git lfs pointer", "empty", "unknown",
]  # fmt: skip

_PROBE = 65_536
_TAIL = 1_000_000
_MOST_OPCODES = 20_000
_NAMING = {"GLOBAL", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"}
_CALLING = {"REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD"}
_MARKED = {"INST", "OBJ"}
_TORCH_LEGACY = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The number that torch wrote in front before it wrote archives, as pickle protocol 2 spells it."""
_ARCHIVES = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x04\x22\x4d\x18",
)
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


def content_of(stream: BinaryIO, size: int) -> Content:
    """What a file holds.

    Args:
        stream: of the whole file, at its beginning; it stands anywhere afterwards.
        size: bytes of the file.
    """
    head = stream.read(min(size, _PROBE))
    if not head:
        return "empty"
    if head[:4] == b"GGUF":
        return "gguf"
    archive = _archive(stream, head)
    if archive:
        return archive
    if head.startswith(b"version https://git-lfs"):
        return "git lfs pointer"
    if _looks_safetensors(head):
        return "safetensors"
    if is_pickle(head):
        return "pickle"
    if head.startswith(_PICTURES):
        return "picture"
    if _is_ctranslate2(head):
        return "ctranslate2"
    return _text(head) or ("onnx" if size > 64 and head[0] == 8 and 3 <= head[1] <= 20 else "unknown")


def _looks_safetensors(head: bytes) -> bool:
    # A pickle may begin with eight bytes that read as a length; the brace that must follow is what it cannot
    # have there by chance and still be a header: the reader refuses it then.
    return len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**40


def _archive(stream: BinaryIO, head: bytes) -> Content | None:
    if head[257:262] == b"ustar":
        # torch's oldest format is a tar of pickles.
        return "pickle" if any(name in head for name in (b"pickle", b"storages", b"tensors")) else "archive"
    if head.startswith(_ARCHIVES):
        return "archive"
    if head[:4] not in (b"PK\x03\x04", b"PK\x05\x06"):
        return None
    # What torch would look for; names stand before each entry and once more in the directory at the end. Both ends are
    # enough to tell a person what it is: an archive is refused either way.
    stream.seek(0, io.SEEK_END)
    stream.seek(max(0, stream.tell() - _TAIL))
    ends = head + stream.read(_TAIL)
    return "pickle" if any(name in ends for name in (b".pkl", b".pickle", b".npy", b"/version")) else "archive"


def is_pickle(head: bytes) -> bool:
    """Whether the first bytes of a file are the beginning of a pickle, of any protocol.

    The opcodes are only listed (`pickletools.genops`), never carried out.
    """
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return True
    if _TORCH_LEGACY in head[:32]:
        return True
    seen = 0
    names: set[str] = set()
    try:
        for opcode, _, _ in pickletools.genops(io.BytesIO(head)):
            seen += 1
            names.add(opcode.name)
            # One letter of plain text is an opcode, too: what counts is that something is named and then called.
            if (names & _NAMING and names & _CALLING) or (names & _MARKED and "MARK" in names):
                return True
            if opcode.name == "STOP" or seen > _MOST_OPCODES:
                return seen > 1
    except Exception:  # genops tells of bad bytes by whatever its readers raise; none of them runs anything
        return False
    return False


def _is_ctranslate2(head: bytes) -> bool:
    """`uint32` version, then a text with its length as `uint16`: the name of a model's kind, as `WhisperSpec`."""
    length = int.from_bytes(head[4:6], "little")
    name = head[6 : 6 + length].rstrip(b"\x00")
    return (
        1 <= int.from_bytes(head[:4], "little") <= 50 and 4 < length < 64 and name.isalnum() and name.endswith(b"Spec")
    )


def _text(head: bytes) -> Content | None:
    start = head[:2048].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "web page"
    if start.startswith((b"{", b"[")):
        return "json"
    printable = sum(byte >= 32 or byte in (9, 10, 13) for byte in head)
    return "text" if printable == len(head) else None


def content_at(path: Path) -> Content:
    """`content_of` for a file by its path."""
    with path.open("rb") as stream:
        return content_of(stream, path.stat().st_size)
