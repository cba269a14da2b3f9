"""`studio trace --thoughts`: what was thought in a turn, step by step, and which piece came from where."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.printing import open_console, tell
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from agent.turns import Thought

__all__ = ["find_turn", "show_thoughts"]

LOOKED_AT = 200
"""Turns that are searched for a production, the newest first."""
SHOWN = 400
"""Characters of a thought in the list; --json has it whole."""
FIELD, FIELDS = 160, 8
"""Characters of a field of a piece, and how many of its fields."""


def show_thoughts(run: str, productions: Path, folder: Path, *, as_json: bool) -> None:
    """Print the thoughts of the last turn that worked on a production, or of the last turn.

    Args:
        run: name or folder of a production, or a file of thoughts; empty for the last turn.
        productions: where productions lie.
        folder: where thoughts lie.
        as_json: print JSON alone.

    Raises:
        InvalidInput: there are no thoughts of that.
    """
    from agent.turns import read_thoughts

    path = find_turn(run, productions, folder)
    thoughts = list(read_thoughts(path))
    if as_json:
        rows = [{"step": n, **one.model_dump(mode="json")} for n, one in enumerate(thoughts, 1)]
        print(json.dumps({"turn": path.stem, "thoughts": rows, **_sums(thoughts)}, ensure_ascii=False, indent=2))
        return
    console = open_console()
    asked = next((one.text for one in thoughts if one.kind == "request"), "")
    tell(console, f"“{_short(asked)}”" if asked else "A turn", "bold")
    tell(console, f"turn {path.stem}, {len(thoughts)} steps", "dim")
    for number, one in enumerate(thoughts, 1):
        if one.kind == "request":
            continue
        took = [f"{one.seconds:.1f} s"] * bool(one.seconds) + [f"{one.tokens} tokens"] * bool(one.tokens)
        head = [one.kind, *([one.label] if one.label else []), *([f"by {one.source}"] if one.source else []), *took]
        tell(console, f"{number:>3}  {' · '.join(head)}", "cyan" if one.kind in ("thought", "action") else "dim")
        for line in _said(one):
            tell(console, f"     {line}")
    sums = _sums(thoughts)
    pieces = ", ".join(f"{count} by {source}" for source, count in sums["pieces"].items())
    tell(console, f"Pieces: {pieces or 'none'}. Tokens: {sums['tokens']}.", "dim")


def find_turn(run: str, productions: Path, folder: Path) -> Path:
    """The file of thoughts that is meant.

    Raises:
        InvalidInput: there is none.
    """
    files = sorted(folder.glob("*.jsonl"), key=lambda one: one.stat().st_mtime, reverse=True)
    if not files:
        raise InvalidInput(f"nothing was thought in {productions} yet.", hint="Thoughts are kept as turns are made.")
    if not run:
        return files[0]
    given = Path(run)
    if given.suffix == ".jsonl" and given.is_file():
        return given
    name = given.name or given.resolve().name
    for path in files[:LOOKED_AT]:
        if path.stem == name or _works_in(path, name):
            return path
    raise InvalidInput(f"no thoughts are kept of {run!r}.", hint="`studio trace --thoughts` shows the last turn.")


def _works_in(path: Path, name: str) -> bool:
    from agent.turns import read_thoughts

    return any(one.label == "production" and one.data.get("production") == name for one in read_thoughts(path))


def _sums(thoughts: list[Thought]) -> dict[str, Any]:
    pieces = Counter(one.source or "offline" for one in thoughts if one.kind == "piece")
    return {"pieces": dict(pieces), "tokens": sum(one.tokens for one in thoughts)}


def _said(thought: Thought) -> list[str]:
    """What is said below the head of a thought, and not said in the head."""
    piece = thought.data.get("piece")
    if thought.kind == "piece" and isinstance(piece, dict):
        lines = [f"{name}: {' '.join(_in_words(value).split())[:FIELD]}" for name, value in piece.items() if value]
        return [*([thought.text] if not thought.text.endswith(f"by {thought.source}") else []), *lines[:FIELDS]]
    return _short(thought.text.removeprefix(f"{thought.label} ")).splitlines()


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(one)}" for name, one in value.items() if one)
    return "; ".join(_in_words(one) for one in value) if isinstance(value, list) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} […{len(text) - SHOWN} more]"
