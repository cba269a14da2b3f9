"""A digest of the data that drawings depend on, so that an artist's change makes stored results be made again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from configs.characters import CHARACTERS_FILE
from configs.own import own_file, own_places

__all__ = ["PACKS", "pack_digest"]

PACKS = Path(__file__).with_name("packs")


def pack_digest(packs: Path = PACKS, characters: Path = CHARACTERS_FILE) -> str:
    """Digest of every data file: places, rig, light, titles and the cast, one's own too (24 hex digits)."""
    digest = hashlib.sha256()
    found = sorted((path.relative_to(packs).as_posix(), path) for path in packs.rglob("*") if path.is_file())
    # Names that no file of the pack has; without a folder of one's own the digest is what it always was.
    own = [(f"own/places/{path.name}", path) for path in own_places().values()]
    sheets = own_file(CHARACTERS_FILE.name)
    own += [(f"own/{sheets.name}", sheets)] if sheets else []
    for name, path in [*found, (characters.name, characters), *own]:
        if path.suffix != ".md":
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]
