"""How fast pictures, films and the judge are on a card of 16 GB, beside stock libraries in the same run:

    python -m evals.benchmarks.gpu --out evals/benchmarks/results

SDXL with a ControlNet, LTX-Video with T5, and Qwen2.5-VL-7B are built at full size from their configurations, with
random weights: what pictures show depends on the weights, the time they take does not. Nothing is downloaded. torch may
take 16 GB of the card, whatever it has. It needs the `models` extra and some 15 GB of host memory. Two ways of SDXL
compile first, which takes minutes; `--only`, `--ways` and `--times` make it shorter. `--small --device cpu` tries
everything out on any machine, in small: its figures say nothing about a card.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.benchmarks.gpu_card import CAP, GB, Card, machine, print_result
from evals.benchmarks.gpu_full import NETWORKS, make, parameters
from evals.benchmarks.gpu_sdxl import WAYS, measure_sdxl
from evals.benchmarks.gpu_video import measure_ltx
from evals.benchmarks.gpu_vision import measure_vision
from evals.benchmarks.row import Row

__all__ = ["PARTS", "Options", "main", "measure", "run"]

PARTS = ("sdxl", "ltx", "vision")
_LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "compel", "torchao")


@dataclass(frozen=True)
class Options:
    """What may be asked of a run; see the command line's help."""

    device: str = "cuda"
    small: bool = False
    only: tuple[str, ...] = PARTS
    ways: tuple[str, ...] = WAYS
    times: int = 5


def run(options: Options | None = None) -> dict[str, Any]:
    """Measure what is asked for; returns what is written to the file. A part that fails is told, the others go on."""
    options = options or Options()
    started = time.perf_counter()
    card = Card(options.device)
    compiled = "blocks" in options.ways
    parts: dict[str, Callable[[], tuple[list[Row], dict[str, Any]]]] = {
        "sdxl": lambda: measure_sdxl(card, small=options.small, times=options.times, ways=options.ways),
        "ltx": lambda: measure_ltx(card, small=options.small, times=options.times, compiled=compiled),
        "vision": lambda: measure_vision(card, small=options.small, times=options.times),
    }
    rows: list[Row] = []
    found: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for name in (one for one in PARTS if one in options.only):
        card.forget_peak()
        begun = time.perf_counter()
        try:
            more, figures = parts[name]()
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {str(error).strip()[:400]}"
            continue
        rows += more
        found[name] = {**figures, "took_s": round(time.perf_counter() - begun, 1)}
    counts = card.is_cuda and not options.small
    return {
        "what": "SDXL, LTX-Video and Qwen2.5-VL at full size with random weights, torch capped at 16 GB",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(card), **_versions()},
        "options": asdict(options),
        "counts_for_a_card": counts,
        "parameters": {name: parameters(make(name, small=options.small)) for name in NETWORKS},
        "rows": [row.as_json() for row in rows],
        "missed": [row.name for row in rows if counts and row.met is False],
        "failed": failed,
        "figures": found,
        "took_s": round(time.perf_counter() - started, 1),
    }


def _versions() -> dict[str, str]:
    from tools.runtime.storage.manifest import library_versions

    return library_versions(_LIBRARIES)


def lacking() -> str:
    """What this machine lacks for it; empty where nothing."""
    from importlib.util import find_spec

    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    import torch

    if not torch.cuda.is_available():
        return "torch sees no card"
    total = torch.cuda.get_device_properties(0).total_memory
    return "" if total >= CAP else f"the card has {total / GB:.1f} GB, {CAP / GB:g} are needed"


def measure() -> list[Row]:
    """For `studio bench`: the rows where there is a card for it, nothing compiled; else none, and the reason."""
    reason = lacking()
    if reason:
        print(f"gpu: not measured, {reason}", file=sys.stderr)
        return []
    result = run(Options(ways=("plain", "graphs", "kept")))
    for name, why in result["failed"].items():
        print(f"gpu: {name} failed, {why}", file=sys.stderr)
    fields = Row.__dataclass_fields__
    return [Row(**{name: value for name, value in row.items() if name in fields}) for row in result["rows"]]


def _some_of(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(part for part in text.split(",") if part)
        unknown = [part for part in chosen if part not in known]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"of {', '.join(known)}, joined by commas")
        return chosen

    return read


def main() -> None:
    """Measure, write the file, print it; the exit code is 1 where a part failed or a figure missed its goal."""
    parser = argparse.ArgumentParser(prog="evals.benchmarks.gpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for gpu-DATE-CARD.json; none prints only")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="narrow networks and small pictures")
    parser.add_argument("--only", type=_some_of(PARTS), default=PARTS, help=f"of {','.join(PARTS)}")
    parser.add_argument("--ways", type=_some_of(WAYS), default=WAYS, help=f"of SDXL: {','.join(WAYS)}")
    parser.add_argument("--times", type=int, default=5, help="how often each is measured, after the first")
    asked = vars(parser.parse_args())
    folder = asked.pop("out")
    result = run(Options(**asked))
    print_result(result, folder, "gpu")
    sys.exit(1 if result["missed"] or result["failed"] else 0)


if __name__ == "__main__":
    main()
