"""How far down the ladder a run has come, by engine: what ran out of memory once is not tried at full size again."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

from configs.ladder import LadderFile
from tools.errors import OutOfMemory
from tools.model import Placing
from tools.registry import EngineSpec
from tools.runtime.device.lane import Lane
from tools.runtime.residency.ladder import Ladder, StepDown
from tools.runtime.storage.store import Provenance

__all__ = ["Descent"]


class Descent:
    """The steps down of one run. The next run begins at full size again.

    Args:
        ladders: ladder.yaml, read.
        lane: the device.
    """

    def __init__(self, ladders: LadderFile, lane: Lane) -> None:
        self._ladders, self._lane = ladders, lane
        self._steps: dict[str, list[StepDown]] = {}
        self._free: set[str] = set()
        self._tight: set[str] = set()
        self._guard = threading.Lock()

    def down(self, engine: EngineSpec, error: OutOfMemory) -> StepDown:
        """Take the next step for an engine, for this call and those that follow in the run.

        Raises:
            NoStepLeft: nothing more can be done.
        """
        with self._guard:
            steps = self._steps.setdefault(engine.path, [])
            names = [step.step.name for step in steps]
            # What is being loaded beside the call takes room like what is there.
            others = sorted(self._lane.expected - set(engine.models))
            self._tight.add(engine.path)
            placing = self._placing(engine)
            # On the CPU weights lie in host memory already: there is nothing that they could go through.
            able = [what for what in engine.sparing if what != "offload" or self._lane.device != "cpu"]
            step = Ladder.of(self._ladders, engine.tool).next(names, placing, able, others, error=error)
            if step.frees:
                self._free.add(engine.path)
            else:
                steps.append(step)
            return step

    def _placing(self, engine: EngineSpec) -> Placing:
        steps = self._steps.get(engine.path)
        return steps[-1].placing if steps else self._lane.base(engine.models[0])

    def frees(self, engine: EngineSpec) -> bool:
        """Whether the other models are to leave the device before the next attempt; asked once."""
        with self._guard:
            asked = engine.path in self._free
            self._free.discard(engine.path)
            return asked

    def is_tight(self, engine: EngineSpec) -> bool:
        """Whether memory ran out for it in this run: nothing is loaded beside its calls any more."""
        with self._guard:
            return engine.path in self._tight

    def placings(self, engine: EngineSpec) -> dict[str, Placing]:
        """How its models are to be loaded now, by name."""
        with self._guard:
            steps = list(self._steps.get(engine.path, ()))
        placings = {name: self._lane.base(name) for name in engine.models}
        for step in steps:
            after = step.placing
            for name, placing in placings.items():
                placings[name] = replace(
                    placing, quantise=after.quantise, offload=after.offload, sliced=after.sliced, tiled=after.tiled,
                    smaller=after.smaller,
                )  # fmt: skip
        return placings

    def marked(self, engine: EngineSpec, made: Provenance) -> Provenance:
        """What makes the result now; one that is not what was asked for has a key and a record of its own."""
        with self._guard:
            texts = tuple(step.text for step in self._steps.get(engine.path, ()) if step.changes_result)
        if not texts:
            return made
        key = hashlib.sha256("\n".join((made.key, *texts)).encode()).hexdigest()[: len(made.key)]
        return replace(made, key=key, degraded=texts)
