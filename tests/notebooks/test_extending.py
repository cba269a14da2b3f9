"""docs/extending.md names files, modules and names that are there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from tests.notebooks.test_notebooks import PUBLIC

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def test_every_place_to_add_something_is_there() -> None:
    rows = [line for line in PAGE.partition("## A folder")[0].splitlines() if line.startswith("| a ")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row.rsplit("|", 2)[-2])]
    assert len(named) > 12
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert targets
    assert [one for one in targets if not (ROOT / "docs" / one).exists()] == []


def test_the_public_modules_are_those_of_the_notebooks_with_every_name() -> None:
    rows = re.findall(r"^\| (`(?:agent|tools|evals)[^|]*) \| (.*) \|$", PAGE, re.MULTILINE)
    modules = {module: names for row, names in rows for module in re.findall(r"`([^`]+)`", row)}
    assert set(modules) == PUBLIC
    for row, told in rows:
        found = [importlib.import_module(one) for one in re.findall(r"`([^`]+)`", row)]
        for name in re.findall(r"`([^`]+)`", told):
            assert any(hasattr(module, name) for module in found), name
    workbench = importlib.import_module("agent.workbench")
    assert set(workbench.__all__) == set(re.findall(r"`([^`]+)`", modules["agent.workbench"]))
