"""A second, real peer: `transformers serve` on loopback, in a process of its own, offline.

with serving(built(make_qwen_vl), tmp_path) as served:
    served.url, served.model      # base_url, and the name of the model in requests
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

__all__ = ["Served", "lacking", "serving"]

NEEDED = ("torch", "transformers", "accelerate", "PIL", "fastapi", "uvicorn", "openai")
READY_S = 180.0
"""Seconds until it must be up: ten on a free core."""


@dataclass(frozen=True)
class Served:
    """Where it listens, and what its model is called."""

    url: str
    model: str
    log: Path


def lacking() -> list[str]:
    """Packages that are not installed and without which there is no `transformers serve`."""
    return [name for name in NEEDED if find_spec(name) is None]


@contextmanager
def serving(checkpoint: Path, home: Path) -> Iterator[Served]:
    """Up with this checkpoint while the block runs.

    Args:
        checkpoint: a folder made by `make_qwen_vl`.
        home: an empty folder: its cache of models (it must exist) and its log.

    Raises:
        RuntimeError: it ended or did not come up; with the end of its log.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cache = home / "hub"
    cache.mkdir(parents=True)
    log = home / "serve.log"
    told = {"HF_HOME": str(home), "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.evals.peer.serve_tiny", str(checkpoint), "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=Path(__file__).parents[3], env={**os.environ, **told}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, port, log)
        yield Served(f"http://127.0.0.1:{port}/v1", str(checkpoint), log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("transformers serve did not come up:\n" + log.read_text(errors="replace")[-2000:])
