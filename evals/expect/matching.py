"""Expected values: plain ones are equal, mappings of operators say how much is asked.

3                                equal
[luca, alberto]                  the same items in the same order
{at_least: 0.7, at_most: 1}      a number between
{near: [2.0, 0.1]}               a number, give or take
{one_of: [dusk, sunset]}
{contains: Sources}              in a text (in any case), or among items; a list: all of these
{contains_any: [...]}, {contains_none: [...]}
{matches: '^I made'}             a regular expression is found in a text
{same_items: [a, b]}             these items, in any order
{length: {at_least: 2}}          of a list or text
{every: {at_least: 0.5}}, {some: ...}   items of a list (at least one), or values of a mapping
{absent: true}                   nothing there: null, an empty text or list
{not: ...}
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

__all__ = ["OPERATORS", "Matcher", "check_matcher", "matches"]


def _text(value: Any) -> str:
    return " ".join(str(value).split()).casefold()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _holds(found: Any, wanted: Any) -> bool:
    """Whether a text holds another, or a collection an item."""
    if isinstance(found, str):
        return _text(wanted) in _text(found)
    if isinstance(found, list | tuple | Mapping):
        return wanted in found or any(isinstance(one, str) and _text(wanted) in _text(one) for one in found)
    return False


def _number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _finite(value: Any) -> bool:
    return _number(value) and math.isfinite(value)


def _items(found: Any) -> list[Any]:
    if isinstance(found, Mapping):
        return list(found.values())
    return list(found) if isinstance(found, list | tuple) else []


def _nothing(found: Any) -> bool:
    return found is None or (isinstance(found, str | list | tuple | Mapping) and not found)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda found, wanted: bool(found == wanted),
    "one_of": lambda found, wanted: found in wanted,
    "at_least": lambda found, wanted: _number(found) and found >= wanted,
    "at_most": lambda found, wanted: _number(found) and found <= wanted,
    "near": lambda found, wanted: _number(found) and abs(found - wanted[0]) <= wanted[1],
    "contains": lambda found, wanted: all(_holds(found, one) for one in _listed(wanted)),
    "contains_any": lambda found, wanted: any(_holds(found, one) for one in wanted),
    "contains_none": lambda found, wanted: found is not None and not any(_holds(found, one) for one in _listed(wanted)),
    "matches": lambda found, wanted: isinstance(found, str) and re.search(wanted, found, re.MULTILINE) is not None,
    "same_items": lambda found, wanted: (
        isinstance(found, list | tuple | Mapping) and sorted(map(str, _items(found))) == sorted(map(str, wanted))
    ),
    "length": lambda found, wanted: hasattr(found, "__len__") and matches(len(found), wanted),
    "every": lambda found, wanted: bool(_items(found)) and all(matches(one, wanted) for one in _items(found)),
    "some": lambda found, wanted: any(matches(one, wanted) for one in _items(found)),
    "absent": lambda found, wanted: _nothing(found) is wanted,
    "not": lambda found, wanted: not matches(found, wanted),
}
_NESTED = {"length", "every", "some", "not"}
_LISTS = {"one_of", "contains_any", "same_items"}
_HELD = {"contains", "contains_any", "contains_none"}


def matches(found: Any, wanted: Any) -> bool:
    """Whether what was found is as wanted."""
    if isinstance(wanted, Mapping):
        return all(OPERATORS[name](found, value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, tuple):
        return list(found) == wanted
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    return bool(found == wanted)


def check_matcher(wanted: Any) -> Any:
    """The expected value itself, where it can be matched.

    Raises:
        ValueError: an operator is not known or takes no such value.
    """
    if not isinstance(wanted, Mapping):
        return wanted
    if not wanted:
        raise ValueError("says nothing; give a value, or an operator as {at_least: 1}")
    for name, value in wanted.items():
        if name not in OPERATORS:
            raise ValueError(f"there is no operator {name!r}; there are: {', '.join(OPERATORS)}")
        if name in _NESTED:
            check_matcher(value)
        if name in _LISTS and not isinstance(value, list):
            raise ValueError(f"{name}: takes a list")
        if name in ("at_least", "at_most") and not _finite(value):
            raise ValueError(f"{name}: takes a number")
        if name == "at_least" and value == 0:
            raise ValueError("at_least: 0 is so of every count and score; say what must be there")
        if name == "near" and not (isinstance(value, list) and len(value) == 2 and all(map(_finite, value))):
            raise ValueError("near: takes [value, tolerance]")
        if name in _HELD and (not _listed(value) or any(_nothing(one) for one in _listed(value))):
            raise ValueError(f"{name}: nothing is in everything; say what to look for")
        if name == "absent" and not isinstance(value, bool):
            raise ValueError("absent: takes true or false")
        if name == "matches":
            _check_pattern(value)
    return wanted


def _check_pattern(value: Any) -> None:
    try:
        empty = re.compile(value).search("")
    except (re.error, TypeError) as error:
        raise ValueError(f"matches: is no regular expression: {error}") from None
    if empty is not None:
        raise ValueError("matches: it is found in every text; say what must stand there (something: '\\S')")


Matcher = Annotated[Any, AfterValidator(check_matcher)]
"""An expected value of a scenario file."""
