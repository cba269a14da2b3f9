"""Read YAML into a pydantic model, with errors that name the file and the line."""

from __future__ import annotations

import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

__all__ = ["MAX_BYTES", "YamlProblem", "dump_yaml", "line_of", "load_yaml_model", "parse_yaml"]

MAX_BYTES = 2_000_000
"""A larger file is refused before it is parsed."""
MAX_NODES = 200_000
"""A file whose anchors expand to more nodes than this is refused (the "billion laughs" bomb)."""
MAX_DEPTH = 40
MAX_DIGITS = 400
"""A longer number is none: YAML 1.1 reads `1:1:1:...` to the base of 60, in the square of its length."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class YamlProblem(ValueError):
    """A YAML file is missing, unreadable, malformed or breaks its schema; `where` is `file:line`."""

    def __init__(self, message: str, *, where: str) -> None:
        super().__init__(f"{where}: {message}")
        self.message = message
        self.where = where


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """SafeLoader that refuses duplicate keys: in a hand-edited file the first one is lost silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be plain text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and len(node.value) > MAX_DIGITS and node.tag.endswith((":int", ":float")):
            raise yaml.MarkedYAMLError(problem=f"is no {node.tag.rpartition(':')[2]}", problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError, TypeError):
            # PyYAML trusts a tag that stands in the file: `!!int ""`, `!!bool maybe`, 31 February.
            kind = str(node.tag).rpartition(":")[2]
            raise yaml.MarkedYAMLError(problem=f"is no {kind}", problem_mark=node.start_mark) from None


def _check_depth(text: str) -> None:
    """Refuse what nests too deeply before it is composed: the composer recurses in C and would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nests too deeply", problem_mark=event.start_mark)  # type: ignore[arg-type]


def _measure(node: yaml.Node | None, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if budget[0] < 0 or depth > MAX_DEPTH:
        raise yaml.MarkedYAMLError(problem="nests or repeats too much", problem_mark=node.start_mark if node else None)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _measure(key, depth + 1, budget)
            _measure(value, depth + 1, budget)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _measure(value, depth + 1, budget)


def line_of(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """The line of the deepest part of `loc` that stands in the file, counted from 1."""
    line = node.start_mark.line if node else 0
    for part in loc:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, found = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
            line = found.start_mark.line
        if found is None:
            # A union adds steps of its own to `loc` (`dict`, `str`): look further with the next part.
            continue
        node = found
    return line + 1


def _read(path: Path) -> str:
    try:
        # A pipe or a device would be read for ever, or never answer.
        if not stat.S_ISREG(path.stat().st_mode):
            raise YamlProblem("is not a file" if not path.is_dir() else "is a folder, not a file", where=str(path))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise YamlProblem(f"is larger than {MAX_BYTES // 1_000_000} MB", where=str(path))
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise YamlProblem("there is no such file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise YamlProblem(f"is not text in UTF-8 ({error.reason} at byte {error.start})", where=str(path)) from None
    except OSError as error:
        raise YamlProblem(f"cannot be read: {error.strerror}", where=str(path)) from None


def parse_yaml(text: str, where: str) -> tuple[Any, yaml.Node | None]:
    """Return the data of a YAML text and its node tree; raises `YamlProblem` with the line."""
    loader: _Loader | None = None
    try:
        _check_depth(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        _measure(node, 0, [MAX_NODES])
        return (loader.construct_document(node) if node is not None else None), node
    except RecursionError:
        raise YamlProblem("nests too deeply", where=where) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(error.problem or "is not YAML", where=f"{where}:{mark.line + 1}" if mark else where) from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlProblem(str(error).splitlines()[0], where=where) from None
    finally:
        if loader is not None:
            loader.dispose()


def load_yaml_model(path: Path, model: type[ModelT]) -> ModelT:
    """Read `path` as YAML and validate it as `model`.

    Raises:
        YamlProblem: with `file:line` and what is wrong there.
    """
    data, node = parse_yaml(_read(path), str(path))
    if not isinstance(data, dict):
        raise YamlProblem("must be a mapping of keys to values", where=f"{path}:1")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        loc = first["loc"]
        field = ".".join(str(part) for part in loc)
        message = first["msg"].removeprefix("Value error, ")
        more = error.error_count() - 1
        text = f"{field}: {message}" if field else message
        if more:
            text += f" (and {more} more)"
        raise YamlProblem(text, where=f"{path}:{line_of(node, loc)}") from None


def dump_yaml(data: Any) -> str:
    """YAML in the order given, wrapped at 110 columns."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
