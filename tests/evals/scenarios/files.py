"""Scenario files of the tests, and runs of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from evals.result import ScenarioRun
from evals.run.runner import Plan, run_one
from evals.scenario import Scenario, load_scenario

__all__ = ["PLAIN", "play", "scenario", "write"]

PLAIN: dict[str, Any] = {
    "name": "plain_plan",
    "about": "A storyboard alone",
    "tags": ["test"],
    "turns": [{"say": "Luca on the beach", "options": {"plan_only": True}, "expect": {"intent": {"kind": "scene"}}}],
}


def write(folder: Path, **changed: Any) -> Path:
    """A scenario file: the plain one with other fields."""
    data = {**PLAIN, **changed}
    path = folder / f"{data['name']}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def scenario(folder: Path, **changed: Any) -> Scenario:
    """The same, loaded."""
    return load_scenario(write(folder, **changed))


def play(folder: Path, stage: str = "evals.run.stage", **changed: Any) -> ScenarioRun:
    """The same, run in a process of its own."""
    return run_one(scenario(folder, **changed), Plan(folder=folder / "results", keep=True, stage=stage))
