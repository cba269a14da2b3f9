"""Words live in data: the planner's Python holds no lists of natural-language words, only ids of its own vocabulary."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.intent import Edit, Intent, IntentKind, OutputKind
from agent.planners.offline import lexicon
from agent.planners.offline.vocabulary import READING
from agent.planners.offline.wants import Wants
from tools.storyboard import (
    Aspect,
    Camera,
    ControlImage,
    Delivery,
    Emotion,
    Facing,
    Framing,
    Language,
    Look,
    Mood,
    TimeOfDay,
    Weather,
)

FOLDER = Path(lexicon.__file__).parent
MOST = 3
"""So many words in one literal are a list."""
EXTENSIONS = """
png jpg jpeg jpe webp gif bmp tif tiff svg mp mov mkv avi webm mp3 mp4 wav flac ogg opus m4a m4v aac srt vtt ass txt md
pdf yaml yml ya ml json csv doc docx safetensors zip py exe sh"""
TECHNICAL = frozenset([*EXTENSIONS.split(), "any", "forbid", "before", "after", "self", "frozen", "ing", "ed", "er"])
"""Extensions of file names, words of pydantic, and endings."""
_ALTERNATION = re.compile(r"[^\W\d_]{2,}(?:\\?[ '’][^\W\d_]+)*(?:\|[^\W\d_]{2,}(?:\\?[ '’][^\W\d_]+)*){2,}")


def _own_ids() -> frozenset[str]:
    """Ids that the storyboard, the intent and the lexicons give a meaning to: words of ours, not of the user."""
    closed = (
        Aspect,
        Camera,
        Delivery,
        Emotion,
        Facing,
        Framing,
        Language,
        Mood,
        TimeOfDay,
        Weather,
        OutputKind,
        IntentKind,
    )
    ids = {str(value) for kind in closed for value in get_args(kind)} | set(READING)
    fields = (field for model in (Edit, Look, ControlImage) for field in model.model_fields.values())
    ids |= {value for field in fields for value in _literals(field.annotation)}
    ids |= {name for model in (Edit, Look, Intent, Wants) for name in _fields(model)}
    for one in lexicon.load_lexicons().values():
        ids |= {one.subject, *one.entries}
    return frozenset(ids)


def _fields(model: type[Any]) -> list[str]:
    return list(getattr(model, "model_fields", None) or (field.name for field in dataclasses.fields(model)))


def _literals(kind: object) -> Iterator[str]:
    for value in get_args(kind):
        if isinstance(value, str):
            yield value
        else:
            yield from _literals(value)


def _strings(node: ast.expr) -> list[str]:
    """The words of a tuple, list, set or dict, those of starred and nested ones too."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Starred):
        return _strings(node.value)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [word for item in node.elts for word in _strings(item)]
    if isinstance(node, ast.Dict):
        return [word for item in node.keys if item is not None for word in _strings(item)]
    return []


def _is_word(text: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_]+(?:['’ -][^\W\d_]*)*", text)) and text == text.lower()


def word_lists(source: str, own: frozenset[str]) -> list[tuple[int, list[str]]]:
    """(line, words) of every literal of a module that lists words of people's language."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    names = {id(node) for owner in ast.walk(tree) if isinstance(owner, ast.Assign)
             for target in owner.targets if isinstance(target, ast.Name) and target.id == "__all__"
             for node in ast.walk(owner.value)}  # fmt: skip
    slices = {
        id(node) for owner in ast.walk(tree) if isinstance(owner, ast.Subscript) for node in ast.walk(owner.slice)
    }
    found: list[tuple[int, list[str]]] = []
    for node in ast.walk(tree):
        if id(node) in docs | names | slices:
            continue
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            words = [
                word for word in _strings(node) if _is_word(word) and word not in own | TECHNICAL and len(word) > 1
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            rows = [row.split("|") for row in _ALTERNATION.findall(node.value)]
            words = [word for row in rows for word in row if word.lower() not in own | TECHNICAL]
        else:
            continue
        if len(words) >= MOST:
            found.append((node.lineno, words))
    return found


MODULES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_word_lists_in_python(path: Path) -> None:
    found = word_lists(path.read_text(encoding="utf-8"), _own_ids())
    assert not found, "\n".join(f"{path.name}:{line}: {', '.join(words[:8])}" for line, words in found)


@pytest.mark.parametrize(
    "source",
    [
        'X = ("unless", "whether", "although")',
        'X = frozenset({"der", "die", "dass"})',
        'X = re.compile(r"\\b(?:boats|ships|rafts)\\b")',
        'if key in ("nella", "sulla", "dalla"): pass',
        'X = {"two": 2, "three": 3, "seven": 7}',
    ],
)
def test_the_scan_sees_word_lists(source: str) -> None:
    assert word_lists(source, _own_ids())


@pytest.mark.parametrize(
    "source",
    [
        'X = ("rain", "snow", "fog")',
        'X = ("place", "time", "weather")',
        '"""and with plus are|was|were"""',
        '__all__ = ["tell", "say", "ask"]',
    ],
)
def test_the_scan_lets_ids_and_prose_be(source: str) -> None:
    assert not word_lists(source, _own_ids())
