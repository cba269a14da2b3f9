"""What came of a function call, as the model is told: typed, bounded, without power over a terminal or a prompt."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.fencing import fenced, nonce_of
from agent.requests import without_controls
from tools.functions.function import Answer, MadeFile

__all__ = ["LONGEST", "Observation", "clean_data", "clean_text", "observe"]

LONGEST = 4_000
"""Characters of an observation that a model is shown."""
_LONGEST_DATA_TEXT = 2_000
_MOST_DATA_ITEMS = 200
_DATA_DEPTH = 12


@dataclass(frozen=True)
class Observation:
    """What came of one call.

    Attributes:
        call_id: the call's, as it stands in the conversation.
        name: of the function, as it was asked for.
        ok: it did what it is for.
        text: what the model is shown.
        data: the same as JSON data, bounded.
        artifacts: files that were made, their paths as a person would type them.
        error: the kind of error (a class name of `tools.errors`, or `UnknownFunction`, `NotAllowed`, `LimitReached`,
            `DuplicateId`); empty where it is ok.
        retryable: whether the same call may succeed later.
        replayed: answered from the record of an identical call; nothing was run.
        ran: the function was carried out, whatever came of it.
    """

    call_id: str
    name: str
    ok: bool
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    artifacts: tuple[MadeFile, ...] = ()
    error: str = ""
    retryable: bool = False
    replayed: bool = False
    ran: bool = False


def observe(
    call_id: str, name: str, answer: Answer, *, root: Path | None = None, longest: int = LONGEST
) -> Observation:
    """An answer as an observation.

    Args:
        root: paths below it are shown from there; others from the folder we are in, or by their name alone.
        longest: characters of the text.
    """
    files = tuple(MadeFile(clean_text(f.label, 120), shown_path(f.path, root), f.key) for f in answer.files)
    text = clean_text(answer.text, longest)
    if answer.foreign:
        text = fenced(text, nonce=nonce_of(text), most=longest)
    return Observation(call_id, name, True, text, clean_data(answer.data), files, ran=True)


def clean_text(text: str, longest: int) -> str:
    """Text without control characters, cut to a length; a cut is said."""
    text = without_controls(text[: longest * 4])
    if len(text) <= longest:
        return text
    keep = max(1, longest - 40)
    return f"{text[:keep]} […{len(text) - keep:,} more characters]"


def clean_data(data: Any, depth: int = 0) -> Any:
    """JSON data with its texts cleaned and its lists and depth bounded."""
    if isinstance(data, str):
        return clean_text(data, _LONGEST_DATA_TEXT)
    if depth > _DATA_DEPTH:
        return "…"
    if isinstance(data, Mapping):
        return {
            clean_text(str(key), 200): clean_data(value, depth + 1)
            for key, value in list(data.items())[:_MOST_DATA_ITEMS]
        }
    if isinstance(data, Sequence):
        return [clean_data(value, depth + 1) for value in data[:_MOST_DATA_ITEMS]]
    return data


def shown_path(path: str, root: Path | None) -> str:
    """A path without the way there: models and other machines need not know where things lie here."""
    found = Path(path).absolute()
    for base in (root, Path.cwd()):
        if base is not None and found.is_relative_to(base):
            return os.path.relpath(found, base)
    return found.name
