"""docs/reliability.md says which test holds which promise: each of them is there, and each row has its twin."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [f"R{number}" for number in (*range(1, 10), 11)] + [f"S{number}" for number in range(1, 11)]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> dict[str, list[str]]:
    """The cells of each row of the table, by its promise."""
    lines = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row for row in cells if re.fullmatch(r"[RS]\d+", row[0])}


def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_promise_has_a_row_with_a_test_and_a_twin() -> None:
    found = rows()
    assert list(found) == ROWS
    for name, row in found.items():
        assert len(row) == 7, f"{name}: the row has {len(row)} cells"
        assert all(row), f"{name}: a cell is empty"
        assert NAMED.search(row[3]), f"{name} names no test"
        assert NAMED.search(row[4]) or re.match(r"none: \w+", row[4]), f"{name} has no twin, and does not say why"


def test_every_test_that_is_named_is_there() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = NAMED.findall(text)
    assert len(named) > 50, "the control: they were found"
    for path, test in named:
        assert (ROOT / path).is_file(), path
        assert not test or test in named_in(path), f"{path} has no {test}"


def test_every_file_of_the_hostile_suite_is_named() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    for path in (ROOT / "tests" / "hostile").glob("test_*.py"):
        assert path.name in text, f"{path.name} proves nothing that is promised"
