"""Pieces narrowed to what there is: ids of places, poses and characters become enumerations of the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import create_model
from pydantic.fields import FieldInfo

from agent.chat_models.base import Piece

__all__ = ["choice", "choices", "narrowed"]

PieceT = TypeVar("PieceT", bound=Piece)


def choice(values: Sequence[str]) -> Any:
    """The type of one of these words; where there are none, of no word at all."""
    return Literal[tuple(values)] if values else None


def choices(values: Sequence[str]) -> Any:
    """The type of a list of these words."""
    return list[Literal[tuple(values)]] if values else list[None]  # type: ignore[misc]


def narrowed(piece: type[PieceT], /, **types: Any) -> type[PieceT]:
    """The piece under the same name with these fields' types made narrower; what else holds of a field stays."""
    fields: dict[str, Any] = {}
    for name, kind in types.items():
        known = piece.model_fields[name]
        told = FieldInfo(annotation=kind, description=known.description)
        told.metadata = list(known.metadata)
        fields[name] = (kind, told)
    made: type[PieceT] = create_model(piece.__name__, __base__=piece, __doc__=piece.__doc__, **fields)
    return made
