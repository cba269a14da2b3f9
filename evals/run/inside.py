"""Turns of the agent, in this process: what is said to it, made as it stands, changed by hand, taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.deeds import Damaged, Edited
from evals.result import TurnRecord
from evals.run.folder import events_file, turn_files
from evals.run.recorder import Recorder
from evals.turn import Turn

if TYPE_CHECKING:
    from evals.world.opened import OpenedWorld

__all__ = ["Inside"]

SCRIBBLE = b"\x00\xff no file of the studio's \xfe"


class Inside:
    """Plays such turns, one after another, in one world.

    Args:
        folder: of the scenario.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._recorder: Recorder | None = None
        self._agent: Any = None

    def batch(self, calls: Any) -> None:
        """Calls that are about to be made."""
        if self._recorder is not None:
            self._recorder.batch(calls)

    def play(self, turn: Turn, record: TurnRecord, world: OpenedWorld) -> None:
        """Do it, and take down what was seen of it event by event."""
        recorder = self._recorder = Recorder(events_file(self.folder, record.number), turn.kill_at, turn.cancel_at)
        self._act(turn, record, recorder, world)
        record.calls, record.nodes, record.devices = recorder.calls, recorder.nodes, recorder.devices
        record.asked_person, record.kills, record.again = recorder.asked_person, recorder.kills, recorder.again
        record.cancelled = recorder.was_cancelled

    def _act(self, turn: Turn, record: TurnRecord, recorder: Recorder, world: OpenedWorld) -> None:
        from agent.threads import branch, go_back
        from tools.errors import Cancelled, ToolError

        try:
            if turn.damage is not None:
                _damage(turn.damage, self.folder)
                return
            agent = self._opened(world)
            if turn.back is not None:
                go_back(agent, turn.thread, turn.back)
                record.exit = 0
            elif turn.branch is not None:
                branch(agent, turn.thread, turn.branch)
                record.exit = 0
            else:
                self._ask(turn, record, recorder, world, agent)
        except Cancelled as error:
            record.error, record.exit = {"kind": "Cancelled", "says": str(error)}, 130
        except ToolError as error:
            record.error, record.exit = {"kind": type(error).__name__, "says": str(error)}, 1

    def _opened(self, world: OpenedWorld) -> Any:
        if self._agent is None:
            from agent.wiring import create_agent

            self._agent = create_agent(context=world.context)
        return self._agent

    def _ask(self, turn: Turn, record: TurnRecord, recorder: Recorder, world: OpenedWorld, agent: Any) -> None:
        """Say it, answer what is asked, and take down the state that came of it."""
        from agent.context import RunOptions
        from agent.requests import clean_request
        from evals.run.reading import read_state

        options = RunOptions(**{**turn.options.model_dump(), **self._given(turn)})
        context = replace(world.context, options=options, cancel=recorder.cancel)
        config: Any = {"configurable": {"thread_id": turn.thread}}
        payload: Any = {"messages": clean_request(turn.say or "Render storyboard.yaml")}
        if recorder.kills and turn.after_kill == "continue":
            payload = None
        answers = list(turn.answers)
        state: dict[str, Any] = {}
        while True:
            modes = ["custom", "updates", "values"]
            for mode, chunk in agent.stream(payload, config, stream_mode=modes, context=context):
                if mode == "custom":
                    recorder.hear(chunk)
                elif mode == "updates":
                    for node in chunk:
                        if node != "__interrupt__":
                            recorder.node(node)
                else:
                    state = chunk
            asked = state.get("__interrupt__")
            if not asked:
                break
            recorder.person(asked[0].value)
            payload = _answer(answers.pop(0) if answers else "no", asked[0].value)
        read_state(state, record, self.folder, context)

    def _given(self, turn: Turn) -> dict[str, Any]:
        """The storyboard that is rendered as it stands, where one is."""
        from tools.storyboard import load_storyboard

        if turn.render is not None:
            return {"given": turn.render}
        if not turn.edit:
            return {}
        before = map(_read, reversed(turn_files(self.folder)))
        folder = next((one["production"] for one in before if one["production"]), "")
        path = self.folder / folder / "storyboard.yaml"
        path.write_text(_edited(path.read_text(encoding="utf-8"), turn.edit), encoding="utf-8")
        return {"given": load_storyboard(path), "given_path": path}


def _answer(said: str | Edited, asked: dict[str, Any]) -> Any:
    """What the person says when asked for approval."""
    from langgraph.types import Command

    from configs.yaml_file import dump_yaml, parse_yaml

    if isinstance(said, Edited):
        board, _ = parse_yaml(_edited(dump_yaml(asked["storyboard"]), (said,)), "storyboard.yaml")
        return Command(resume={"storyboard": board})
    if said in ("yes", "no"):
        return Command(resume={"approve": said == "yes"})
    return Command(resume={"change": said})


def _edited(text: str, edits: tuple[Edited, ...]) -> str:
    from tools.errors import InvalidInput

    for edit in edits:
        if edit.replace not in text:
            raise InvalidInput(f"the storyboard does not hold {edit.replace!r}", where="edit.replace")
        text = text.replace(edit.replace, edit.by)
    return text


def _damage(wanted: Damaged, folder: Path) -> None:
    """What a disk, or a hand, does to files.

    Raises:
        InvalidInput: there is no such file.
    """
    from tools.errors import InvalidInput

    found = sorted(path for path in folder.glob(wanted.file) if path.is_file())
    if not found:
        raise InvalidInput(f"there is no file {wanted.file!r} to be damaged", where="damage.file")
    for path in found:
        if wanted.how == "remove":
            path.unlink()
        else:
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2] if wanted.how == "cut" else SCRIBBLE)


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
