"""The card that is measured: capped at 16 GB, with clocks that wait for it, and what figures about it depend on."""

from __future__ import annotations

import gc
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.runtime.residency.host_memory import available_bytes

__all__ = ["CAP", "GB", "Card", "lacks", "machine", "print_result"]

GB = 10**9
CAP = 16 * GB
"""A larger card is used as if it had so much."""
HOST = 45 * GB
"""Host memory that three models take, packed and pinned, while the last of them is built."""


class Card:
    """The device under test: clocks that wait for it, and what it says of its memory."""

    def __init__(self, name: str) -> None:
        import torch

        self.torch = torch
        self.device = torch.device(name)
        self.is_cuda = self.device.type == "cuda"
        if self.is_cuda:
            self.total = torch.cuda.get_device_properties(self.device).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, CAP / self.total), self.device)
            torch.zeros(1, device=self.device)
            self.before = self.used()

    def wait(self) -> None:
        """Until everything that was asked of the device is done."""
        if self.is_cuda:
            self.torch.cuda.synchronize(self.device)

    def seconds(self, do: Callable[[], object]) -> float:
        """Wall seconds of `do`, the device idle before and after."""
        self.wait()
        start = time.perf_counter()
        do()
        self.wait()
        return time.perf_counter() - start

    def used(self) -> int:
        """Bytes of the card in use by everybody, contexts included; on the CPU, this process's memory."""
        if self.is_cuda:
            free, total = self.torch.cuda.mem_get_info(self.device)
            return int(total - free)
        pages = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
        return pages * 4096

    def empty(self) -> None:
        """Give back what nobody holds any more."""
        gc.collect()
        if self.is_cuda:
            self.torch.cuda.empty_cache()

    def forget_peak(self) -> None:
        """`peak` counts from now on."""
        self.empty()
        if self.is_cuda:
            self.torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """The most that torch held of the device, bytes."""
        return int(self.torch.cuda.max_memory_reserved(self.device)) if self.is_cuda else 0


def machine(card: Card) -> dict[str, str]:
    """What the figures depend on."""
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": str(card.torch.__version__),
        "device": str(card.device),
    }
    if card.is_cuda:
        asked = "driver_version,pcie.link.gen.current,pcie.link.gen.max,pcie.link.width.current"
        done = subprocess.run(
            ["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader", f"--id={card.device.index or 0}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        found |= {
            "card": card.torch.cuda.get_device_name(card.device),
            "card_memory": f"{card.total / GB:.1f} GB, capped at {CAP / GB:g} GB",
            "cuda": str(card.torch.version.cuda),
            "driver, link generation now, at most, lanes": done.stdout.strip() or done.stderr.strip()[:200],
        }
    return found


def lacks() -> str:
    """What this machine lacks for it; empty where nothing."""
    try:
        import torch
    except ImportError:
        return "this interpreter has no torch"
    if not torch.cuda.is_available():
        return "torch sees no card"
    total = torch.cuda.get_device_properties(0).total_memory
    if total < CAP:
        return f"the card has {total / GB:.1f} GB, {CAP / GB:g} are needed"
    host = available_bytes()
    if host is not None and host < HOST:
        return f"{host / GB:.0f} GB of host memory are free, {HOST / GB:g} are needed"
    return ""


def print_result(result: dict[str, Any], folder: Path | None, name: str) -> None:
    """Print a result as JSON, and keep it under its name, its day and the card.

    Args:
        result: with `date` and `machine`.
        folder: where it is kept; None prints only.
        name: of the benchmark.
    """
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if folder is not None:
        card = result["machine"].get("card", "cpu").replace(" ", "-").lower()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-{result['date'][:10]}-{card}.json").write_text(text, encoding="utf-8")
