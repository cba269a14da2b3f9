"""What the agent may do with its hands: open a production, run calls in it, publish what came of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.machinery import Machinery
from agent.options import RunOptions
from agent.state import AgentState
from configs.settings import Settings
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import StorageFailed, ToolError
from tools.storyboard import Shot, Storyboard, slugify

if TYPE_CHECKING:
    from agent.lineup import Lineup
    from tools.runtime.storage.production import Production
    from tools.runtime.telemetry.recordings import Recording, Recordings
    from tools.runtime.workers.pool import WorkerPool

__all__ = ["Toolbox"]


class Toolbox(Machinery):
    """The tools on one machine, for the productions below one folder.

    Args:
        settings: where productions lie, how many workers.
        pool: workers that are already starting; None starts them at the first call.
    """

    def __init__(self, settings: Settings, *, pool: WorkerPool | None = None) -> None:
        super().__init__(settings, pool=pool)
        self._recordings: Recordings | None = None

    def check_preset(self, name: str) -> None:
        """Refuse a preset for pictures that images.yaml does not have.

        Raises:
            InvalidInput: there is none of that name.
        """
        if name:
            from agent.choosing import check_preset

            check_preset(name)

    def draw_up(self, board: Storyboard, outputs: list[str], wishes: tuple[str, ...] = ()) -> Lineup:
        """Which engine makes which part of a storyboard on this machine, as it is now.

        Raises:
            MissingPrerequisite, InvalidInput: an engine that a person named cannot make it.
        """
        from agent.choosing import draw_up, read_wishes
        from tools.voice.shelf import PermittedVoices, VoiceShelf

        readiness = self.readiness()
        # What is said for one run goes before what is set for all.
        said = read_wishes(self.settings.engines, readiness.registry, "engines (or STUDIO_ENGINES)")
        said |= read_wishes(wishes, readiness.registry)
        voices = PermittedVoices(VoiceShelf(self.settings.voices_home))
        return draw_up(board, outputs, readiness, voices, said)

    def run_alone(self, call: Call, folder: str, title: str, cancel: threading.Event) -> Artifact:
        """One call that belongs to no production of a person's; its result is kept all the same.

        Args:
            folder: beside the conversations, where such results are kept.
            title: what they are.

        Raises:
            ToolError: what became of the call.
        """
        from tools.runtime.executor import Executor
        from tools.runtime.storage.production import Production

        production = Production.at(self.settings.state_dir / folder, title)
        lane = self.lane if self.registry.pick(call.tool, call.engine).models else None
        with production.lock():
            executor = Executor(self.registry, production.store, self.pool, cancel=cancel, lane=lane)
            result = executor.run([call])[call.id]
        if isinstance(result, ToolError):
            raise result
        return result

    # -- productions ------------------------------------------------------------------------------------------------

    def check(self, calls: list[Call]) -> None:
        """See whether the calls can be made at all, before anything is written.

        Raises:
            InvalidInput: a profile, a tool, an argument or a file that they name is not there, or a reference picture
                is no picture.
        """
        from tools.image.references import check_pictures
        from tools.runtime.graph import CallGraph

        graph = CallGraph.build(calls, (), self.registry)
        shots = {node.args["shot"]["id"]: node.args["shot"] for node in graph.nodes.values() if node.files}
        for shot in shots.values():
            check_pictures(Shot.model_validate(shot))

    def open_production(self, state: AgentState, options: RunOptions) -> str:
        """The folder for this storyboard, as text; made if needed, with storyboard.yaml in it.

        Args:
            state: with the storyboard.
            options: of the run: a folder named by the user, the file a storyboard came from.

        Raises:
            InvalidInput: the folder belongs to another production.
            ProductionBusy: another process is writing it.
            StorageFailed: it cannot be written.
        """
        from agent.publishing import keep_storyboard
        from tools.runtime.storage.production import Production

        board = state.get("storyboard")
        assert board is not None
        request = _request_id(state, options, board)
        if state.get("production"):
            production = self._production(state)
        elif options.out is not None:
            production = Production.at(Path(options.out), request)
        elif (folder := _folder_of_given(options)) is not None:
            production = Production.found(folder)
        else:
            production = Production.claim(self.settings.productions, slugify(board.title), request)
        with production.lock():
            keep_storyboard(production, board)
        return str(production.path)

    def _production(self, state: AgentState) -> Production:
        from tools.runtime.storage.production import Production

        return Production.found(Path(state["production"]))

    # -- calls ------------------------------------------------------------------------------------------------------

    def run(
        self, state: AgentState, calls: list[Call], tell: Callable[[Any], None], cancel: threading.Event
    ) -> Mapping[str, Artifact | ToolError]:
        """Carry out calls in the state's production; results of earlier batches may be referred to.

        Args:
            state: names the production and the results so far.
            calls: the batch.
            tell: is handed each event as a dict: the fields of a `CallEvent` with `node: "act"` and `path`, where a
                person finds the result once there is one; those of a `DeviceEvent` with `node: "device"`; and, where
                the run cannot be recorded, why: `node: "note"` with `text`.
            cancel: stops the batch when set.
        """
        if not calls:
            return {}
        from tools.runtime.events import CallEvent, DeviceEvent
        from tools.runtime.executor import Executor
        from tools.runtime.jobs.journaled import open_work_journal, run_journaled

        production = self._production(state)
        recording = self._recording(production, state, tell)

        def on_event(event: CallEvent) -> None:
            recording.on_call(event)
            path = str(_place_still(production, event.call_id, event.key)) if event.key else ""
            tell({"node": "act", "path": path, **asdict(event)})

        def on_device(event: DeviceEvent) -> None:
            recording.on_device(event)
            tell({"node": "device", **asdict(event)})

        with (
            production.lock(),
            recording.batch(len(calls), self.lane),
            open_work_journal(production.path) as journal,
        ):
            executor = Executor(
                self.registry, production.store, self.pool, on_event, cancel, self.lane, on_device, self.pace
            )
            results = run_journaled(executor, journal, calls, self._known(production, state))
        with suppress(StorageFailed):
            # Only times shown depend on it; a full disk has been told by what mattered.
            self.pace.save()
            if self.lane is not None:
                self.lane.save()
        return results

    def _recording(self, production: Production, state: AgentState, tell: Callable[[Any], None]) -> Recording:
        """Of the run that this batch is part of: one turn of the conversation."""
        with self._starting:
            if self._recordings is None:
                from tools.runtime.telemetry.recordings import Recordings

                self._recordings = Recordings()
        board, messages = state.get("storyboard"), state.get("messages") or []
        turn = next((str(one.id) for one in reversed(messages) if one.type == "human"), "")
        title = board.title if board else production.slug
        return self._recordings.of(production.path, turn, title, lambda why: tell({"node": "note", "text": why}))

    def _known(self, production: Production, state: AgentState) -> dict[str, Artifact]:
        found = {name: self._artifact(production, state, name) for name in state["work"].results}
        # A picture of which a part is drawn anew is an earlier attempt's, and not the result of any call any more.
        tries = [one for one in state["work"].attempts if one.call.endswith(".still")]
        found |= {one.id: production.store.get(one.key) for one in tries}
        return {name: artifact for name, artifact in found.items() if artifact}

    def _artifact(self, production: Production, state: AgentState, call_id: str) -> Artifact | None:
        return production.store.get(state["work"].results[call_id])

    def durations(self, state: AgentState) -> dict[str, float]:
        """Lengths in seconds of the moving shots that are finished, by call id."""
        production = self._production(state)
        found = {
            name: self._artifact(production, state, name)
            for name in state["work"].results
            if name.endswith((".motion", ".lips"))
        }
        return {name: float(artifact.output["duration_s"]) for name, artifact in found.items() if artifact}

    def predict_seconds(self, state: AgentState, calls: list[Call]) -> float:
        """Predicted wall seconds of a batch on this machine's workers."""
        from tools.runtime.graph import CallGraph

        graph = CallGraph.build(calls, self._known(self._production(state), state), self.registry, self.pace)
        return graph.predicted_s(self.pool.size)

    def still_paths(self, state: AgentState) -> list[str]:
        """The pictures of the shots so far, put where a person looks for them."""
        production = self._production(state)
        with production.lock():
            return [
                str(_place_still(production, name, key))
                for name, key in state["work"].results.items()
                if name.endswith(".still")
            ]

    # -- what the user gets -----------------------------------------------------------------------------------------

    def publish(self, state: AgentState) -> dict[str, Any]:
        """Put the files of the production in place and write its manifest; the state's delta."""
        from agent.publishing import publish

        production = self._production(state)
        with production.lock():
            files, notes = publish(production, state, self.registry)
        return {"files": files, "made": bool(files), "problems": [*state["problems"], *notes]}

    def shown_folder(self, state: AgentState) -> str:
        """The production's folder as a user would type it."""
        folder = Path(state["production"])
        return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)

    def is_file(self, name: str) -> bool:
        """Whether a file the user named is there."""
        try:
            return Path(name).is_file()
        except (OSError, ValueError):
            return False


def _place_still(production: Production, call_id: str, key: str) -> Path:
    """Publish a picture as soon as it is there; returns where it lies, for other results the artifact's folder."""
    from agent.publishing import exports

    folder = production.store.path(key)
    artifact = production.store.get(key) if call_id.endswith(".still") else None
    if artifact is None:
        return folder
    try:
        return next(production.export(artifact, file, name) for _, file, name in exports(call_id, artifact))
    except ToolError:
        # It is shown from the store then; the end of the run tells of the disk.
        return folder / str(artifact.output["image"])


def _request_id(state: AgentState, options: RunOptions, board: Storyboard) -> str:
    """Who owns a folder: the request, or the storyboard that was given."""
    text = board.model_dump_json() if options.given is not None else state.get("request", "")
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:24]


def _folder_of_given(options: RunOptions) -> Path | None:
    """A storyboard.yaml that lies in a production is made in that production."""
    path = options.given_path
    if path is not None and path.name == "storyboard.yaml" and (path.parent / "manifest.json").is_file():
        return path.parent
    return None
