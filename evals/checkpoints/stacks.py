"""Checkpoints of models whose library lives in an environment of its own: made by that environment's interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["run_in_stack"]

ROOT = Path(__file__).parents[2]


def run_in_stack(python: str, code: str, what: str) -> None:
    """Run code that writes a checkpoint.

    Args:
        python: interpreter of the stack. code: of Python. what: it makes, for the error.

    Raises:
        RuntimeError: it failed; what it said stands on standard error.
    """
    done = subprocess.run(
        [python, "-c", code], env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
        raise RuntimeError(f"{what} could not be made")
