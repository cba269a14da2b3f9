"""What was expected beside what was found, with what differs marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from evals.report.markup import Html, Inside, el, fold, joined, shortened
from evals.result import Check

__all__ = ["checks_part", "differing"]

_MOST = 1_500
_OPERATORS = frozenset(
    {"at_least", "at_most", "near", "one_of", "contains", "contains_any", "contains_none", "matches", "same_items",
     "length", "every", "some", "absent", "not"}
)  # fmt: skip


def checks_part(checks: Sequence[Check]) -> Html:
    """All checks of a run: those that differ as they are, the others behind a fold."""
    differed = [one for one in checks if not one.passed]
    held = [one for one in checks if one.passed]
    parts: list[Inside] = []
    if differed:
        parts.append(el("h4", "What differed"))
        parts.append(el("div", [_differed(one) for one in differed], class_="differed"))
    if held:
        title = f"{len(held)} {'check that holds' if len(held) == 1 else 'checks that hold'}"
        parts.append(fold(title, _table(held)))
    return joined(*parts)


def differing(expected: Any, found: Any) -> tuple[Html, Html]:
    """Both as text, with what differs marked: items of lists, fields, words of texts, else the whole value."""
    wanted = _operand(expected, found)
    if wanted is not None:
        return wanted
    if isinstance(expected, list) and isinstance(found, list):
        return _items(expected, found, "missing"), _items(found, expected, "more")
    if isinstance(expected, dict) and isinstance(found, dict) and not expected.keys() & _OPERATORS:
        return _fields(expected, found, "missing"), _fields(found, expected, "more")
    if isinstance(expected, str) and isinstance(found, str):
        return _words(expected, found)
    return _mark(expected, "missing"), _mark(found, "more")


def _operand(expected: Any, found: Any) -> tuple[Html, Html] | None:
    """`contains` and `same_items`, with those items marked that are missing."""
    if not (isinstance(expected, dict) and len(expected) == 1):
        return None
    (name, value) = next(iter(expected.items()))
    if name == "same_items" and isinstance(value, list) and isinstance(found, list):
        return joined(f"{name}: ", _items(value, found, "missing")), _items(found, value, "more")
    if name in ("contains", "contains_none") and isinstance(found, str | list):
        items = value if isinstance(value, list) else [value]
        held = [one for one in items if _holds(found, one)]
        beside = held if name == "contains" else [one for one in items if one not in held]
        return joined(f"{name}: ", _items(items, beside, "missing")), _plain(found)
    return None


def _holds(found: str | list[Any], one: Any) -> bool:
    return str(one).casefold() in found.casefold() if isinstance(found, str) else one in found


def _items(items: Sequence[Any], others: Sequence[Any], kind: str) -> Html:
    shown = [_plain(one) if one in others else _mark(one, kind) for one in items[:60]]
    more = f" and {len(items) - 60} more" if len(items) > 60 else ""
    return joined("[", [joined(", " if at else "", one) for at, one in enumerate(shown)], more, "]")


def _fields(fields: dict[str, Any], others: dict[str, Any], kind: str) -> Html:
    rows = []
    for name, value in list(fields.items())[:60]:
        same = name in others and others[name] == value
        rows.append(joined(f"{name}: ", _plain(value) if same else _mark(value, kind)))
    return joined("{", [joined(", " if at else "", one) for at, one in enumerate(rows)], "}")


def _words(expected: str, found: str) -> tuple[Html, Html]:
    left, right = expected[:_MOST].split(" "), found[:_MOST].split(" ")
    before: list[Inside] = []
    after: list[Inside] = []
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for words, into, mark in ((left[a:b], before, "missing"), (right[c:d], after, "more")):
            if words:
                text = " ".join(words)
                into += [text if kind == "equal" else _mark_text(text, mark), " "]
    return joined(*before), joined(*after)


def _plain(value: Any) -> Html:
    return joined(_text(value))


def _mark(value: Any, kind: str) -> Html:
    return _mark_text(_text(value), kind)


def _mark_text(text: str, kind: str) -> Html:
    return el("mark", text, class_=kind)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(text if text else "(empty)", _MOST)


def _differed(check: Check) -> Html:
    expected, found = differing(check.expected, check.found)
    return el(
        "section",
        el("h5", check.name, el("span", f"turn {check.turn}" if check.turn else "over all", class_="soft")),
        el("p", check.note) if check.note else None,
        el("dl", el("dt", "expected"), el("dd", expected), el("dt", "found"), el("dd", found)),
    )


def _table(checks: Sequence[Check]) -> Html:
    rows = []
    for one in checks:
        expected, found = (shortened(_text(value), 200) for value in (one.expected, one.found))
        turn = str(one.turn) if one.turn else "all"
        rows.append(el("tr", el("td", turn), el("td", one.name), el("td", expected), el("td", found)))
    head = el("tr", [el("th", name) for name in ("turn", "check", "expected", "found")])
    return el("div", el("table", el("thead", head), el("tbody", rows)), class_="wide")
