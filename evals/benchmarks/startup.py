"""How soon the studio answers: `studio --help` and `import agent`, beside a bare interpreter in the same run."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from evals.benchmarks.row import Row, timed_process

__all__ = ["measure"]

RUNS = 5


def measure() -> list[Row]:
    """Medians of 5 runs each, taken in turn so that a busy machine slows both alike."""
    commands = {
        "bare": ["-c", "pass"],
        "help": ["-m", "agent", "--help"],
        "import": ["-c", "import agent; agent.create_agent; import sys; assert 'torch' not in sys.modules"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS + 1):
            for name, args in commands.items():
                taken[name].append(timed_process(args, cwd=Path(folder)).wall_s)
    bare, help_s, import_s = (statistics.median(taken[name][1:]) for name in commands)
    return [
        Row("studio --help", help_s, "s", goal=0.5, against=bare, compared_with="python -c pass"),
        Row("import agent, create_agent", import_s, "s", goal=1.0, against=bare, compared_with="python -c pass"),
    ]
