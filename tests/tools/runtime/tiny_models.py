"""Models of the tests: they take no memory, and write down on a shared card what they would take and when."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.tools.runtime.tiny import Scribe, Tiny
from tools.base import EngineContext
from tools.model import Placing, Weights


class Card:
    """What happens on a device, as lines in a file; written by any process."""

    def __init__(self, path: str) -> None:
        self.path = path

    def note(self, what: str, model: str, **more: Any) -> None:
        line = json.dumps({"at": time.monotonic(), "pid": os.getpid(), "what": what, "model": model, **more}) + "\n"
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(fd, line.encode())
        os.close(fd)

    def lines(self) -> list[dict[str, Any]]:
        path = Path(self.path)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def order(self, *kinds: str) -> list[str]:
        """`what model` of every line of these kinds."""
        return [f"{line['what']} {line['model']}" for line in self.lines() if not kinds or line["what"] in kinds]


class TinyWeights(Weights):
    """`source` is JSON: `name`, `card`, `bytes`, and what goes wrong: `crash_on_load`, `load_s`, `room` (bytes of the
    card), `full_once` (the first time), `left` (bytes that stay when it sleeps), `stays` (also when it is unloaded)."""

    name = "tiny"
    asleep = False

    def load(self, source: str, placing: Placing) -> dict[str, Any]:
        self.data = json.loads(source)
        self.card = Card(self.data["card"])
        self.placing = placing
        self.card.note("read", self.data["name"], placing=asdict(placing))
        if self.data.get("crash_on_load"):
            os._exit(5)
        return {"name": self.data["name"], "card": self.card, "data": self.data, "placing": placing}

    def wakes_to(self) -> int:
        return self._size() if self.data.get("tells_size") else 0

    def _size(self) -> int:
        return int(self.data["bytes"] >> (1 if self.placing.quantise != "none" else 0))

    def wake(self, device: str) -> int:
        time.sleep(self.data.get("load_s", 0.0))
        size = self._size()
        if size > self.data.get("room", size):
            raise MemoryError("the card is full")
        if self.data.get("full_once") and f"refused {self.data['name']}" not in self.card.order("refused"):
            self.card.note("refused", self.data["name"])
            raise MemoryError("the card is full just now")
        self.asleep = False
        self.card.note("load", self.data["name"], bytes=size)
        return int(size)

    def sleep(self) -> None:
        self.asleep = True
        self.card.note("evict", self.data["name"])

    def left(self) -> int:
        return int(self.data.get("left", 0)) if self.asleep else 0

    def unload(self) -> None:
        self.asleep = bool(self.data.get("stays"))
        self.card.note("unload", self.data["name"])


class Painter(Scribe):
    """Writes like the scribe, with a model."""

    name, version, models = "painter", "1", ("paint",)

    def run(self, args: Tiny.Input, ctx: EngineContext) -> Tiny.Output:
        model = ctx.model(self.models[0])
        card: Card = model["card"]
        card.note("begin", model["name"], text=args.text)
        if args.deed == "memory" and not self._is_sparing(ctx, model):
            card.note("full", model["name"])
            raise MemoryError("the card is full")
        try:
            return super().run(args.model_copy(update={"deed": "work"}) if args.deed == "memory" else args, ctx)
        finally:
            card.note("end", model["name"], text=args.text)

    def _is_sparing(self, ctx: EngineContext, model: dict[str, Any]) -> bool:
        """Whether enough was done for the call to fit: `needs_step` says what, as `field=value` of the placing."""
        name, _, value = model["data"].get("needs_step", "sliced=True").partition("=")
        if name == "alone":
            time.sleep(0.2)
            there = {line["model"]: line["what"] for line in model["card"].lines() if line["what"] != "end"}
            return not any(what in ("read", "load") for other, what in there.items() if other != model["name"])
        return str(getattr(ctx.placing, name)) == value


class Judge(Painter):
    """Another model."""

    name, models = "judge", ("eye",)


class Writer(Painter):
    """A third one."""

    name, models = "writer", ("mind",)


def wants(asked: Tiny.Input, here: frozenset[str]) -> list[str]:
    """The companions that a call names in its scratch."""
    return [name for name in asked.scratch.split() if name in here or name == "nonsense"]


class Illustrator(Painter):
    """Notes which models it was given."""

    name = "illustrator"

    def run(self, args: Tiny.Input, ctx: EngineContext) -> Tiny.Output:
        ctx.model("paint")["card"].note("given", " ".join(sorted(ctx.models)))
        return super().run(args.model_copy(update={"scratch": ""}), ctx)


class Ensemble(Painter):
    """Two models at once."""

    name, models = "ensemble", ("paint", "eye")
