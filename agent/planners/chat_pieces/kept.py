"""Pieces that were accepted are kept on disk, so that the same question is not asked twice.

A chat model promises no determinism. What makes the same request give the same storyboard, and a turn that was killed
go on without asking again, is this: a piece is found by the hash of everything that was asked (model, messages, schema,
seed). It is read through its own schema and checked again like an answer of the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from langchain_core.messages import BaseMessage
from pydantic import ValidationError

from agent.chat_models.base import Piece
from tools.artifact import write_atomic
from tools.errors import StorageFailed

__all__ = ["KeptPieces"]

PieceT = TypeVar("PieceT", bound=Piece)


class KeptPieces:
    """Pieces in a folder, one file each.

    Args:
        folder: made when the first piece is kept.
        seed: of the settings; another seed asks anew.
        most: files that are kept; the oldest go.
    """

    def __init__(self, folder: Path, seed: int, most: int = 1_000) -> None:
        self.folder, self.seed, self.most = folder, seed, most

    def key(self, model: str, wanted: type[Piece], messages: Sequence[BaseMessage]) -> str:
        """What names a piece: everything that decides what is asked."""
        asked = [model, self.seed, wanted.model_json_schema(), [[one.type, str(one.text)] for one in messages]]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:40]

    def get(self, key: str, wanted: type[PieceT]) -> PieceT | None:
        """The piece of a key, or None; a file that is damaged counts as none."""
        try:
            return wanted.model_validate_json((self.folder / f"{key}.json").read_bytes())
        except (OSError, ValidationError, ValueError):
            return None

    def put(self, key: str, piece: Piece) -> None:
        """Keep a piece. A disk that takes nothing costs a question next time, never the turn."""
        try:
            write_atomic(self.folder / f"{key}.json", piece.model_dump_json().encode())
            self._thin()
        except (OSError, StorageFailed):
            return

    def _thin(self) -> None:
        files = list(self.folder.glob("*.json"))
        if len(files) > self.most:
            by_age = sorted(files, key=lambda file: file.stat().st_mtime)
            for file in by_age[: len(files) - self.most * 9 // 10]:
                file.unlink(missing_ok=True)
