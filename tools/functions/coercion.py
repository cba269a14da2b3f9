"""What a model sent as arguments, made right where there is no doubt, refused in plain words where there is.

The rules, applied by the schema of each argument:

| sent | wanted | becomes |
|---|---|---|
| text holding an object, None, "" | the arguments | the object; none |
| `"3"`, `3.0`, `" 3 "` | integer | `3`; `3.5` and anything longer than 15 digits are refused |
| `"2.5"`, `"1e3"` | number | the number; NaN and infinities are refused, as text and as numbers |
| `"true"`, `"False"`, `"yes"`, `"no"`, `1`, `0` | boolean | true, false |
| `3`, `2.5` | text | `"3"`, `"2.5"`; true and false are refused |
| one value | a list | a list of that value |
| a list of one value | one value | that value |
| text holding a list or object | a list, an object | that list or object |
| `"Sunset "`, `"ODD-name"` | one of some words | the word that is equal but for case, spaces, `-` and `_` |
| `"sunet"` | one of some words | the one word 1 edit away (2 from 8 letters on; none below 4 letters) |
| null, `"null"`, `"none"` | what may be left out, and is no text | left out |
| a field that does not exist | - | refused, with the nearest name |
| deeper than 16 levels, text over 20,000 characters, over 1,000 values in a list or 5,000 in all | - | refused |

Bounds (least, most, pattern) are not coerced: the function's own model checks them after this.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tools.errors import InvalidInput

__all__ = ["BadArguments", "coerce", "read_arguments"]

MAX_DEPTH = 16
MAX_TEXT = 20_000
MAX_ITEMS = 1_000
MAX_NODES = 5_000
MAX_RAW = 200_000
"""Characters of arguments that came as text."""
_MOST_PROBLEMS = 4
_MOST_NOTED = 20
_SHOWN = 60
_TRUE, _FALSE = ("true", "yes"), ("false", "no")
_INTEGER = re.compile(r"[+-]?\d{1,15}(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_LEFT_OUT = object()


class BadArguments(InvalidInput):
    """Arguments that cannot be used; `problems` is one line each, with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        more = len(problems) - _MOST_PROBLEMS
        super().__init__("; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else ""))


def read_arguments(raw: Any) -> dict[str, Any]:
    """The arguments of a call as an object, from whatever was sent: an object, text that holds one, nothing.

    Raises:
        BadArguments: it is something else, or too large.
    """
    if raw is None or (isinstance(raw, str) and raw.strip() in ("", "null", "None")):
        return {}
    # Some models encode what is encoded already.
    for _ in range(2):
        if isinstance(raw, str):
            raw = _parsed(raw)
    if not isinstance(raw, Mapping):
        raise BadArguments([f"the arguments must be one JSON object, not {_kind(raw)}"])
    return {str(key): value for key, value in raw.items()}


def _parsed(text: str) -> Any:
    if len(text) > MAX_RAW:
        raise BadArguments([f"the arguments are {len(text):,} characters long; {MAX_RAW:,} are allowed"])
    try:
        return json.loads(text.strip(), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        told = f"the arguments are not JSON ({error.msg} at character {error.pos + 1} of {len(text)})"
        raise BadArguments([f"{told}; send one JSON object, complete and closed"]) from None
    except (ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, ValueError) and "number" in str(error) else "they nest too deeply"
        raise BadArguments([f"the arguments cannot be read: {what}"]) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def coerce(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with the types that the schema wants.

    Args:
        arguments: as `read_arguments` gives them.
        schema: of an object, simplified (`tools.functions.schema.simplify`).

    Raises:
        BadArguments: with every problem, each naming its field and what is wanted there.
    """
    reader = _Reader(schema.get("$defs") or {})
    found = reader.value(dict(arguments), schema, "", 0)
    if reader.problems:
        raise BadArguments(reader.problems)
    assert isinstance(found, dict)
    return found


class _Reader:
    """Walks arguments and schema side by side; what is wrong is collected, so that it is told all at once."""

    def __init__(self, defs: Mapping[str, Any]) -> None:
        self.defs = defs
        self.problems: list[str] = []
        self._nodes = 0

    def wrong(self, where: str, what: str) -> Any:
        # Names of fields are the model's, too: one line holds whatever they are.
        self.problems.append(" ".join(f"{where[:_SHOWN]}: {what}".split()) if where else what)
        return None

    def value(self, value: Any, schema: Mapping[str, Any], where: str, depth: int) -> Any:
        """One value; where it is wrong, the problem is noted and None returned."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            if len(self.problems) < _MOST_NOTED:
                self.wrong(where[:_SHOWN], "nests too deeply" if depth > MAX_DEPTH else "holds too many values")
            return None
        if "$ref" in schema:
            schema = self.defs.get(str(schema["$ref"]).removeprefix("#/$defs/"), {})
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._any(value, schema[key], where, depth)
        if "const" in schema:
            return self._word(value, [schema["const"]], where)
        if "enum" in schema:
            return self._word(value, list(schema["enum"]), where)
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._any(value, [{**schema, "type": one} for one in kind], where, depth)
        if isinstance(value, list) and len(value) == 1 and kind in ("integer", "number", "boolean", "string"):
            value = value[0]
        reading = {
            "integer": self._integer,
            "number": self._number,
            "boolean": self._boolean,
            "string": self._text,
            "null": self._null,
        }.get(str(kind))
        if reading is not None:
            return reading(value, where)
        if kind == "array":
            return self._list(value, schema, where, depth)
        if kind == "object":
            return self._object(value, schema, where, depth)
        return self._anything(value, where, depth)

    # -- single values ----------------------------------------------------------------------------------------------

    def _integer(self, value: Any, where: str) -> Any:
        if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
            return int(value.strip().partition(".")[0])
        if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e15:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
            return value
        return self.wrong(where, f"must be a whole number, not {_shown(value)}")

    def _number(self, value: Any, where: str) -> Any:
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        if usable and math.isfinite(value):
            return value
        return self.wrong(where, f"must be a number, not {_shown(value)}")

    def _boolean(self, value: Any, where: str) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float) and value in (0, 1):
            return bool(value)
        word = value.strip().casefold() if isinstance(value, str) else ""
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        return self.wrong(where, f"must be true or false, not {_shown(value)}")

    def _text(self, value: Any, where: str) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return self.wrong(where, f"must be text, not {_shown(value)}")
        if len(value) > MAX_TEXT:
            return self.wrong(where, f"is {len(value):,} characters long; {MAX_TEXT:,} are allowed")
        # Halves of characters cannot be written to any file.
        return value.encode("utf-8", "ignore").decode()

    def _null(self, value: Any, where: str) -> Any:
        if value is None or (isinstance(value, str) and value.strip().casefold() in ("", "null", "none")):
            return None
        return self.wrong(where, f"must be null, not {_shown(value)}")

    def _word(self, value: Any, words: list[Any], where: str) -> Any:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        for word in words:
            if value == word and type(value) is type(word):
                return word
        texts = [word for word in words if isinstance(word, str)]
        if isinstance(value, str) and texts and len(value) <= MAX_TEXT:
            found = nearest_word(value, texts)
            if found is not None:
                return found
        elif isinstance(value, int | float) and not isinstance(value, bool) and str(value) in texts:
            return str(value)
        numbers = [word for word in words if not isinstance(word, str) and str(word) == str(value).strip()]
        if isinstance(value, str) and len(numbers) == 1:
            return numbers[0]
        listed = ", ".join(str(word) for word in words[:40])
        return self.wrong(where, f"must be one of {listed}; not {_shown(value)}")

    # -- compounds --------------------------------------------------------------------------------------------------

    def _any(self, value: Any, kinds: list[Mapping[str, Any]], where: str, depth: int) -> Any:
        """The first kind that fits as it stands, else the first that can be made to fit."""
        plain = [kind for kind in kinds if _fits(value, kind, self.defs)]
        for kind in [*plain, *(kind for kind in kinds if kind not in plain)]:
            tried = _Reader(self.defs)
            tried._nodes = self._nodes
            found = tried.value(value, kind, where, depth + 1)
            self._nodes = tried._nodes
            if not tried.problems:
                return found
            if kind in plain and len(plain) == 1:
                self.problems += tried.problems
                return None
        wanted = " or ".join(dict.fromkeys(str(kind.get("type", "one of its kinds")) for kind in kinds))
        return self.wrong(where, f"must be {wanted}, not {_shown(value)}")

    def _list(self, value: Any, schema: Mapping[str, Any], where: str, depth: int) -> Any:
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = self._inner(value, where)
        if isinstance(value, Mapping | str | int | float) and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list | tuple):
            return self.wrong(where, f"must be a list, not {_shown(value)}") if value is not _LEFT_OUT else None
        if len(value) > MAX_ITEMS:
            return self.wrong(where, f"holds {len(value):,} values; {MAX_ITEMS:,} are allowed")
        fixed = schema.get("prefixItems") or []
        items = schema.get("items")
        items = items if isinstance(items, Mapping) else {}
        return [
            self.value(one, fixed[number] if number < len(fixed) else items, f"{where}[{number}]", depth + 1)
            for number, one in enumerate(value)
        ]

    def _object(self, value: Any, schema: Mapping[str, Any], where: str, depth: int) -> Any:
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = self._inner(value, where)
        if value is _LEFT_OUT:
            return None
        if not isinstance(value, Mapping):
            return self.wrong(where, f"must be an object, not {_shown(value)}")
        known: Mapping[str, Any] = schema.get("properties") or {}
        free = schema.get("additionalProperties")
        needed = schema.get("required") or ()
        if len(value) > MAX_ITEMS:
            return self.wrong(where, f"has {len(value):,} fields")
        found: dict[str, Any] = {}
        for name, one in value.items():
            path = f"{where}.{name}" if where else str(name)
            if name in known:
                if name not in needed and _is_nothing(one, known[name]):
                    continue
                found[name] = self.value(one, known[name], path, depth + 1)
            elif isinstance(free, Mapping) or free is True or (not known and "properties" not in schema):
                inner = free if isinstance(free, Mapping) else {}
                found[str(name)] = self.value(one, inner, path, depth + 1)
            else:
                self.wrong(path[:_SHOWN], _unknown_field(str(name), list(known)))
        for name in needed:
            if name not in value:
                about = str(known.get(name, {}).get("description", ""))[:80]
                self.wrong(f"{where}.{name}" if where else name, f"is missing{f' ({about})' if about else ''}")
        return found

    def _inner(self, text: str, where: str) -> Any:
        """JSON that was sent as text inside the arguments."""
        try:
            if len(text) > MAX_RAW:
                raise BadArguments([f"is {len(text):,} characters long"])
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError, InvalidInput):
            self.wrong(where, f"must be a list or an object, not text that is no JSON: {_shown(text)}")
            return _LEFT_OUT

    def _anything(self, value: Any, where: str, depth: int) -> Any:
        """A value of no stated kind: kept as it is, within the bounds."""
        if isinstance(value, Mapping):
            return {
                str(key)[:200]: self.value(one, {}, f"{where}.{str(key)[:_SHOWN]}", depth + 1)
                for key, one in list(value.items())[:MAX_ITEMS]
            }
        if isinstance(value, list | tuple):
            return [self.value(one, {}, f"{where}[{n}]", depth + 1) for n, one in enumerate(value[:MAX_ITEMS])]
        if isinstance(value, str):
            return self._text(value, where)
        if value is None or isinstance(value, bool):
            return value
        return self._number(value, where)


def nearest_word(said: str, words: list[str]) -> str | None:
    """The word that was meant, by the rules of this module; None where that is not certain."""
    plain = _plain(said)
    same = [word for word in words if _plain(word) == plain]
    if len(same) == 1:
        return same[0]
    if same or len(plain) < 4 or len(plain) > 200:
        return None
    from rapidfuzz.distance import OSA

    near = {word: OSA.distance(plain, _plain(word), score_cutoff=2) for word in words}
    closest = min(near.values(), default=9)
    found = [word for word, distance in near.items() if distance == closest]
    return found[0] if len(found) == 1 and closest <= (2 if len(plain) >= 8 else 1) else None


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word).casefold().strip(".\"'")


def _unknown_field(name: str, known: list[str]) -> str:
    close = get_close_matches(name[:100], known, n=1, cutoff=0.5)
    listed = f"there are: {', '.join(known) or 'none'}"
    return f"there is no such field; did you mean {close[0]!r}? ({listed})" if close else f"no such field; {listed}"


def _is_nothing(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether an optional value was left out in words."""
    if value is None:
        return not _fits(None, schema, {})
    is_text = schema.get("type") == "string" and "enum" not in schema
    nulls = any(kind.get("type") == "string" for kind in schema.get("anyOf") or ())
    word = value.strip().casefold() if isinstance(value, str) else None
    listed = {str(one).casefold() for one in schema.get("enum") or ()}
    return word in ("", "null", "none") and not is_text and not nulls and word not in listed


def _fits(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> bool:
    """Whether a value is of the schema's kind as it stands."""
    if "$ref" in schema:
        schema = defs.get(str(schema["$ref"]).removeprefix("#/$defs/"), {})
    if "enum" in schema or "const" in schema:
        return value in (schema.get("enum") or [schema.get("const")])
    if "anyOf" in schema:
        return any(_fits(value, one, defs) for one in schema["anyOf"])
    kinds = schema.get("type", ())
    kind = _kind(value)
    listed = kinds if isinstance(kinds, list) else [kinds]
    return kind in listed or (kind == "integer" and "number" in listed)


def _kind(value: Any) -> str:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (Mapping, "object")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "array" if isinstance(value, list | tuple) else type(value).__name__


def _shown(value: Any) -> str:
    """A value as it is quoted back: short, on one line."""
    if isinstance(value, Mapping | list | tuple):
        return f"an {_kind(value)}" if not isinstance(value, Mapping) else "an object"
    text = repr(value) if not isinstance(value, str) else repr(value[: _SHOWN * 2])
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
