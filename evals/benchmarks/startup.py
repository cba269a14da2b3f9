"""How soon the studio answers, from outside: each beside what it cannot do without; and what pip brings for it."""

from __future__ import annotations

import re
import tempfile
from importlib import metadata
from pathlib import Path

from evals.benchmarks.row import Row, timed_process

__all__ = ["installed_mb", "measure"]

RUNS = 7
PROJECT = "animation-studio"


def measure() -> list[Row]:
    """Seven runs each, taken in turn so that a busy machine slows all alike; one before them warms the disk."""
    made = "import agent; agent.create_agent(); import sys; assert 'torch' not in sys.modules"
    commands = {
        "bare": ["-c", "pass"],
        "langgraph": ["-c", "import langgraph.graph"],
        "help": ["-m", "agent", "--help"],
        "agent": ["-c", made],
        "doctor": ["-m", "agent", "doctor"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        env = {"STUDIO_PRODUCTIONS": folder}
        for _ in range(RUNS + 1):
            for name, args in commands.items():
                taken[name].append(timed_process(args, cwd=Path(folder), env=env).wall_s)
    bare, langgraph, help_s, agent, doctor = (taken[name][1:] for name in commands)
    return [
        Row.of("studio --help", help_s, "s", goal=0.5, against=bare, compared_with="python -c pass"),
        Row.of(
            "import agent, create_agent()", agent, "s", goal=1.0, against=langgraph,
            compared_with="import langgraph.graph alone, which it needs",
        ),
        Row.of("studio doctor", doctor, "s", against=help_s, compared_with="studio --help"),
        Row("light install", installed_mb(PROJECT), "MB", goal=700.0, exact=True),
    ]  # fmt: skip


def installed_mb(project: str) -> float:
    """MB (10^6 bytes) of the files of a project's requirements and of theirs, as this environment has them.

    Extras of the project are not counted, nor is Python.
    """
    from packaging.requirements import Requirement

    seen: set[str] = set()
    waiting, total = [project], 0
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).casefold()
        if key in seen:
            continue
        seen.add(key)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            # For another system, or its marker says so below.
            continue
        if name != project:
            total += sum(_size(Path(str(file.locate()))) for file in found.files or [])
        for line in found.requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return total / 1e6


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
