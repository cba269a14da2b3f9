"""A device of paper: a lane whose models only write down what they would do, and what reads that afterwards.

As a program (`python -m tests.tools.runtime.paper FOLDER SHOTS`) it is a studio that makes a scene on it.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from configs.models import ModelEntry
from tests.tools.runtime.conftest import ALLOW, ENGINES, tiny
from tests.tools.runtime.tiny_models import Card
from tools.artifact import Artifact
from tools.base import Call
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.device.lease import GpuLease
from tools.runtime.events import DeviceEvent
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

SIZES = {"paint": 70, "eye": 60, "mind": 80}


class Device:
    """A lane over a card of paper, an executor on it, and what was told."""

    def __init__(self, folder: Path, registry: Registry, budget: int = 100, lease: bool = False, **wrong: Any) -> None:
        self.card = Card(str(folder / "card"))
        self.budget, self.folder, self.registry = budget, folder, registry
        self.events: list[DeviceEvent] = []
        self.pool = WorkerPool(2, registry.stacks, allow=ALLOW)
        models = {}
        for name, size in SIZES.items():
            source = json.dumps({"name": name, "card": self.card.path, "bytes": size, **wrong.get(name, {})})
            entry = ModelEntry(
                about=name, weights="tests.tools.runtime.tiny_models:TinyWeights", stack="card", source=source,
                weights_gb={"fp32": 1.0},
            )  # fmt: skip
            models[name] = (entry, Model(name, size, 10, load_s=1.0))
        right = GpuLease("test-card", root=folder) if lease else None
        self.lane = Lane("cuda:0", budget, models, dict.fromkeys(models, Placing()), right)

    def executor(self, store: str = "store", cancel: threading.Event | None = None) -> Executor:
        return Executor(
            self.registry, ArtifactStore(self.folder / store), self.pool, cancel=cancel, lane=self.lane,
            on_device=self.events.append,
        )  # fmt: skip

    def actions(self, *kinds: str) -> list[str]:
        return [f"{event.action} {event.model}".strip() for event in self.events if event.action in kinds]

    def close(self) -> None:
        self.pool.close()
        self.lane.close()


def painted(name: str, *needs: str, **args: Any) -> Call:
    return tiny(name, *needs, engine="painter", **args)


def judged(name: str, *needs: str, **args: Any) -> Call:
    return tiny(name, *needs, engine="judge", **args)


def scene(shots: int, log: str = "") -> list[Call]:
    """Shots that are written, painted and judged, in the order in which a careless studio would make them."""
    calls: list[Call] = []
    for number in range(shots):
        calls += [
            tiny(f"w{number}", engine="writer", log=log),
            painted(f"p{number}", f"w{number}", log=log),
            judged(f"j{number}", f"p{number}", log=log),
        ]
    return calls


def check_card(card: Card, budget: int, working: int = 10) -> None:
    """0 overlaps, never over budget, nothing runs on what is not there: read from what the workers wrote."""
    on: dict[str, int] = {}
    running = ""
    for line in card.lines():
        model, what = line["model"], line["what"]
        if what == "load":
            assert model not in on
            on[model] = line["bytes"]
        elif what == "evict":
            assert running != model
            del on[model]
        elif what == "begin":
            assert not running, f"{line['text']} began beside {running}"
            assert model in on
            running = model
        elif what in ("end", "full"):
            running = ""
        assert sum(on.values()) + (working if running else 0) <= budget


def keys(results: dict[str, Any]) -> dict[str, str]:
    return {name: result.key for name, result in results.items() if isinstance(result, Artifact)}


def main() -> None:
    folder, shots = Path(sys.argv[1]), int(sys.argv[2])
    device = Device(folder, Registry.load(ENGINES, allow=ALLOW), lease=True)
    try:
        print(json.dumps(keys(device.executor().run(scene(shots, str(folder / "log"))))), flush=True)
    finally:
        device.close()


if __name__ == "__main__":
    main()
