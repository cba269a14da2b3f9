"""The process that one scenario plays in: `python -m evals.run.stage JOB.json LIFELINE`. `evals.run.runner` starts it.

Each turn leaves `turnN.json`; a process that was killed amid one is started again and goes on there. The checks are
held when all turns are over, here, beside the files that they look at: the last file is `run.json`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from evals.report.shown import show_turn
from evals.result import Check, ScenarioRun, TurnRecord
from evals.run.folder import checks_file, turn_file, turn_files
from evals.run.inside import Inside
from evals.run.outside import Outside
from evals.scenario import Scenario
from evals.turn import Turn
from evals.world.model import World

if TYPE_CHECKING:
    from evals.world.opened import OpenedWorld

__all__ = ["Job", "main", "play"]


class Job(BaseModel):
    """What the process is told.

    Attributes:
        scenario: to play. folder: to play in. repeat: number of the run.
        live: roles of the person's own settings; None: the world's own model.
    """

    model_config = ConfigDict(extra="forbid")

    scenario: Scenario
    folder: Path
    repeat: int = 1
    live: dict[str, Any] | None = None

    @property
    def world(self) -> World:
        """The world of the scenario; a random chat model has the seed of the file at first, another in each repeat."""
        world = self.scenario.world
        if world.model is None:
            return world
        mind = world.model.model_copy(update={"seed": world.model.seed + self.repeat - 1})
        return world.model_copy(update={"model": mind})


def main() -> None:
    """Play the scenario of the job file; the second argument is the reading end of a lifeline (see `lifeline`)."""
    from tools.runtime.workers.lifeline import die_with_parent

    die_with_parent(int(sys.argv[2]))
    # Ctrl-C is ignored in what is run in the background, and in all that it starts; the person of a scenario sits at a
    # terminal. Nobody else can send it here: this process leads a session of its own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job = Job.model_validate_json(Path(sys.argv[1]).read_bytes())
    run = play(job)
    path = job.folder / "run.json"
    path.with_suffix(".tmp").write_text(run.model_dump_json(), encoding="utf-8")
    path.with_suffix(".tmp").replace(path)
    sys.stdout.flush()
    # Threads of libraries must not keep a process whose work is done.
    os._exit(0)


def play(job: Job) -> ScenarioRun:
    """All turns that are not over yet, then the checks and the metrics."""
    from evals.expect.checking import check_whole
    from evals.expect.promised import promised
    from evals.expect.seen import Seen
    from evals.metrics.all import measure_run
    from evals.world.opened import opened
    from tools.errors import MissingPrerequisite

    start = time.perf_counter()
    stage = _Stage(job)
    run = ScenarioRun(repeat=job.repeat, folder=job.folder.name, outcome="failed")
    try:
        with opened(job.world, job.folder, live=job.live, seen=stage.inside.batch) as world, closing(stage.outside):
            for number, turn in enumerate(job.scenario.turns, start=1):
                run.turns.append(stage.turn(number, turn, world))
                run.checks += stage.held(run.turns[-1])
    except MissingPrerequisite as error:
        return run.model_copy(update={"outcome": "not_run", "why": str(error)})
    run.checks += check_whole(job.scenario, run.turns, job.folder, run.checks)
    run.checks += promised(job.scenario, run.turns, job.folder, live=job.live is not None)
    run.metrics = measure_run(Seen(tuple(run.turns), job.folder, whole=True, checks=tuple(run.checks)))
    run.pictures = _pictures(run.turns, job.folder)
    run.seconds = time.perf_counter() - start
    run.cpu_seconds = _cpu()
    run.outcome = "failed" if run.differed or not run.checks else "passed"
    run.why = "; ".join(f"{one.name}: {one.note or 'differs'}" for one in run.differed[:3])
    return run


class _Stage:
    """Plays turns, one after another, in one world."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.inside = Inside(job.folder)
        self.outside = Outside(job.folder, job.world, live=job.live is not None)

    def turn(self, number: int, turn: Turn, world: OpenedWorld) -> TurnRecord:
        """Play a turn, or read what it left."""
        kept = turn_file(self.job.folder, number)
        if kept.exists():
            return TurnRecord.model_validate_json(kept.read_bytes())
        record = TurnRecord(number=number, said=turn.deed, thread=turn.thread)
        asked = len(world.peer.requests) if world.peer else 0
        searched, fetched = (len(world.sites.asked), len(world.sites.fetched)) if world.sites else (0, 0)
        start, cpu = time.perf_counter(), _cpu()
        if turn.is_outside:
            self._outside(turn, record, world)
        else:
            self.inside.play(turn, record, world)
        record.seconds, record.cpu_seconds = time.perf_counter() - start, _cpu() - cpu
        if world.peer:
            record.asked_model = [
                {"model": one.model, "piece": one.schema_name, "tools": sorted(one.tools), "status": one.status}
                for one in world.peer.requests[asked:]
            ]
        elif self.job.live is None:
            record.asked_model = []
        if world.sites:
            record.web_asked, record.pages_fetched = world.sites.asked[searched:], world.sites.fetched[fetched:]
        record.shown = show_turn(record, self.job.folder)
        temp = kept.with_suffix(".tmp")
        temp.write_text(record.model_dump_json(), encoding="utf-8")
        temp.replace(kept)
        return record

    def _outside(self, turn: Turn, record: TurnRecord, world: OpenedWorld) -> None:
        from tools.errors import ToolError

        before = [TurnRecord.model_validate_json(path.read_bytes()) for path in turn_files(self.job.folder)[-1:]]
        try:
            self.outside.play(turn, record, world, before[0].data if before else None)
        except ToolError as error:
            record.error = {"kind": type(error).__name__, "says": str(error)}

    def held(self, record: TurnRecord) -> list[Check]:
        """The checks of a turn that is just over, or that were held before the process was killed."""
        from evals.expect.checking import check_turn

        path = checks_file(self.job.folder, record.number)
        if path.exists():
            return [Check.model_validate(one) for one in json.loads(path.read_text(encoding="utf-8"))]
        checks = check_turn(self.job.scenario, record, self.job.folder)
        path.write_text(json.dumps([one.model_dump(mode="json") for one in checks]), encoding="utf-8")
        return checks


def _cpu() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    return sum(
        one.ru_utime + one.ru_stime for one in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _pictures(turns: list[TurnRecord], folder: Path) -> list[str]:
    """Stills and films that were published, each once."""
    found = [path for turn in turns for label, path in turn.files.items() if path.endswith((".png", ".mp4"))]
    return [path for path in dict.fromkeys(found) if (folder / path).is_file()]


if __name__ == "__main__":
    main()
