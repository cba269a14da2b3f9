"""What a figure depends on besides the code: the machine, how busy it is, and which commit was measured."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from evals.benchmarks.record import Commit, Machine

__all__ = ["commit_of", "find_machine", "load_averages", "yardstick_ms"]

LIBRARIES = (
    "langgraph", "langchain-core", "langchain-openai", "pydantic", "typer", "skia-python", "av", "numpy", "chromadb",
    "onnxruntime", "trafilatura", "torch", "diffusers",
)  # fmt: skip
ROUNDS = 9
STEPS = 60_000


def find_machine() -> Machine:
    """The machine, without its name."""
    from tools.runtime.device.hardware import detect
    from tools.runtime.storage.manifest import library_versions

    found = detect()
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=found.cpus,
        memory_gb=round(found.memory_gb, 1),
        gpu=", ".join(gpu.name for gpu in found.gpus),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        libraries=library_versions(LIBRARIES),
    )


def _processor() -> str:
    """Its name as the system tells it, else the kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.machine()


def load_averages() -> list[float]:
    """How many programs wanted a core, over 1, 5 and 15 minutes; empty where the system does not tell."""
    try:
        return [round(one, 2) for one in os.getloadavg()]
    except (OSError, AttributeError):
        return []


def yardstick_ms() -> float:
    """Milliseconds of a fixed piece of Python, the median of nine: how fast this machine is just now.

    A core that is shared, slowed or of another kind takes longer for it, and about as much longer for what is measured
    beside it. Figures of different days are compared in this measure.
    """
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        total, kept = 0, {}
        for step in range(STEPS):
            total = (total * 31 + step) & 0xFFFF
            kept[total & 255] = str(total)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def commit_of(folder: Path) -> Commit | None:
    """The commit that a folder is checked out at; None where it is no git checkout, or git is not there."""

    def git(*args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *args], capture_output=True, text=True, check=True, timeout=20.0
        )
        return done.stdout.strip()

    try:
        # A folder inside somebody else's checkout (an environment within a project) is not ours.
        if Path(git("rev-parse", "--show-toplevel")).resolve() != folder.resolve():
            return None
        number, date, title = git("log", "-1", "--format=%H%n%cI%n%s").split("\n", 2)
        changed = bool(git("status", "--porcelain", "--untracked-files=no"))
        return Commit.model_validate({"id": number, "date": date, "title": title[:200], "changed": changed})
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        print(f"bench: the commit is not known: {type(problem).__name__}", file=sys.stderr)
        return None
