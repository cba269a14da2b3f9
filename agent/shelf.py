"""The shelf of earlier storyboards, so that `undo` has something to go back to. State keeps only their names."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.artifact import read_record, write_atomic
from tools.errors import InvalidInput
from tools.storyboard import Storyboard

__all__ = ["Shelf", "Version"]


_NAME = re.compile(r"[0-9a-f]{24}")


class Version(BaseModel):
    """A storyboard as it was, with the production it belongs to and the outputs it was made for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    storyboard: Storyboard
    production: str
    outputs: list[str]
    request: str = ""


class Shelf:
    """Versions by the hash of their content, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, version: Version) -> str:
        """Keep a version and return its name."""
        data = version.model_dump_json().encode()
        name = _name_of(data)
        path = self.folder / f"{name}.json"
        if not path.exists():
            write_atomic(path, data)
        return name

    def get(self, name: str) -> Version:
        """The version of that name.

        Raises:
            InvalidInput: it is not on the shelf, or cannot be read.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"{name[:40]!r} is not the name of an earlier storyboard")
        path = self.folder / f"{name}.json"
        try:
            data = read_record(path)
            if _name_of(data) != name:
                raise ValueError("it is not as it was")
            return Version.model_validate_json(data)
        except (OSError, ValueError) as error:
            raise InvalidInput(f"the earlier storyboard {name} cannot be read ({type(error).__name__})") from error


def _name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]
