"""The workbench: what a person does from Python beside asking the agent; the notebooks show each of these.

result = agent.invoke(...)
run_calls(context, result, [Call(...)])     tool calls of one's own on what the agent has made
open_production(result["production"])       its manifest, and every artifact by its key
thoughts_of(settings, result["production"]) what was thought in the turn that made it
tell_why(result, thoughts)                  why things are as they are
read_run(result["production"])              the trace of its newest run; `summarise(run)`, `draw_run(run)`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.why import tell_why
from agent.wiring import create_context
from tools.contact_sheet import contact_sheet
from tools.errors import ToolError

if TYPE_CHECKING:
    from agent.context import AgentContext
    from agent.turns import Thought
    from configs.settings import Settings
    from tools.artifact import Artifact
    from tools.base import Call
    from tools.runtime.storage.production import Production
    from tools.runtime.telemetry.record import Record
    from tools.runtime.telemetry.summary import Summary

__all__ = [
    "contact_sheet",
    "create_context",
    "draw_run",
    "open_production",
    "read_run",
    "run_calls",
    "summarise",
    "tell_why",
    "thoughts_of",
]


def run_calls(context: AgentContext, result: Mapping[str, Any], calls: Sequence[Call]) -> dict[str, Artifact]:
    """Carry out tool calls in the production of a turn, and put their files into its folder `extra/<call>/`.

    Their arguments may refer to what the turn made by its call: `{"call": "s1.still", "key": ""}`. They run as the
    agent's own do: validated first, in workers, recorded in trace and manifest; nothing is made twice.

    Args:
        context: of the agent that made the turn: `create_context(settings)`.
        result: what `invoke` returned, or `get_state(config).values`.
        calls: theirs, with ids that are not the turn's.

    Raises:
        ToolError: what became of the first that failed; those that did not are kept and need not be made again.
        ValueError: the turn made nothing, or an id is the turn's.
    """
    from tools.runtime.storage.manifest import AttemptRecord, library_versions

    if not result.get("production"):
        raise ValueError("the turn has no production; ask for a scene first")
    taken = sorted({call.id for call in calls} & set(result["work"].results))
    if taken:
        raise ValueError(f"the turn has made {taken[0]}; choose another id")
    toolbox = context.toolbox
    made: dict[str, Any] = dict(toolbox.run(dict(result), list(calls), lambda _event: None, context.cancel))  # type: ignore[arg-type]
    production = open_production(result["production"])
    with production.lock():
        manifest = production.manifest()
        for call in calls:
            artifact = made.get(call.id)
            if artifact is None or isinstance(artifact, ToolError):
                continue
            engine = toolbox.registry.pick(call.tool, call.engine)
            record = AttemptRecord.of(call.id, artifact, 1, library_versions(engine.libraries))
            record.best = True
            manifest.record(record)
            for name in artifact.record.files:
                path = f"extra/{call.id}/{name}"
                production.export(artifact, name, path)
                manifest.exports[path] = (artifact.key, name)
        production.save_manifest(manifest)
    for call in calls:
        if isinstance(made.get(call.id), ToolError):
            raise made[call.id]
    return {call.id: made[call.id] for call in calls}


def open_production(folder: Path | str) -> Production:
    """A production by its folder: `manifest()` tells how each piece was made, `store.get(key)` opens one.

    Raises:
        InvalidInput: there is none.
    """
    from tools.runtime.storage.production import Production

    return Production.found(Path(folder))


def thoughts_of(settings: Settings, production: Path | str = "") -> list[Thought]:
    """What was thought in the last turn that worked on a production; without one, in the last turn of all.

    Raises:
        InvalidInput: no thoughts of that are kept.
    """
    from agent.thoughts_cli import find_turn
    from agent.turns import read_thoughts

    name = Path(production).name if production else ""
    return list(read_thoughts(find_turn(name, settings.productions, settings.state_dir / "thoughts")))


def read_run(production: Path | str) -> Record:
    """The trace of the newest run of a production, or of a trace file: what ran when, where, and for how long.

    Raises:
        InvalidInput: there is none, or it is damaged.
    """
    from tools.runtime.telemetry.files import find_trace, read_trace

    path = Path(production)
    return read_trace(find_trace(str(path), [path.parent]))


def summarise(run: Record) -> Summary:
    """Where the time of a run went, in figures."""
    from tools.runtime.telemetry.summary import summarise as sum_up

    return sum_up(run)


def draw_run(run: Record) -> str:
    """A run as an SVG picture: what each device and the CPU did when."""
    from tools.runtime.telemetry.picture import draw

    return draw(run)
