"""How long the whole suite of scenarios takes, offline: the programs, folders and checks of `studio eval`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path

from evals.benchmarks.row import Row
from tools.errors import MissingPrerequisite

__all__ = ["measure"]

LONGEST_S = 1_800.0
FOLDER = Path(__file__).parent.parent / "scenarios"


def measure() -> list[Row]:
    """One run of every scenario, two at once. A scenario that fails is the suite's own affair: here its time counts.

    Raises:
        MissingPrerequisite: this installation has no `studio eval`, or no scenarios.
    """
    files = sorted(FOLDER.rglob("*.yaml"))
    if not files or not entry_points(group="studio.commands", name="eval"):
        raise MissingPrerequisite("this installation has no studio eval", command='pip install -e ".[test]"')
    with tempfile.TemporaryDirectory() as folder:
        args = [sys.executable, "-m", "agent", "eval", "--jobs", "2"]
        env = {**os.environ, "STUDIO_PRODUCTIONS": folder}
        start = time.perf_counter()
        done = subprocess.run(args, cwd=folder, env=env, capture_output=True, text=True, timeout=LONGEST_S)
        spent = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise RuntimeError(f"studio eval ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return [
        Row("studio eval, every scenario", spent, "s", goal=600.0),
        Row("of this a scenario", spent / len(files), "s"),
    ]
