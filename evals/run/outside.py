"""Turns that are looked at from outside: a command that is typed, a request of an MCP client."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.own import OWN_VARIABLE
from evals.deeds import Asked
from evals.expect.telling import at_path
from evals.result import CallSeen, TurnRecord
from evals.run.child import NO_LIFELINE, Edges
from evals.run.mcp_client import SERVER_FAILED, StudioClient
from evals.run.process import Ended, Watch, interrupt, kill, run_watched, studio_command
from evals.turn import Turn
from evals.world.model import World

if TYPE_CHECKING:
    import subprocess

    from configs.settings import Settings
    from evals.world.opened import OpenedWorld

__all__ = ["Outside", "environment_of"]

_MACHINE = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT", "CUDA_VISIBLE_DEVICES")
"""Variables of the machine, not of the person."""
_OURS = ("PYTHONPATH", "PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_TERMINAL = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "dumb", "COLUMNS": "120", "NO_COLOR": "1", "TZ": "UTC"}
_TIMED_OUT = "TimedOut"
TOLD = re.compile(r"\{told:([^{}]+)\}")


def environment_of(settings: Settings, world: World, home: Path, *, live: bool) -> dict[str, str]:
    """All variables of a process in the world: none of the person's own, but those of a live chat model.

    Args:
        settings: of the world; each is a variable of its own.
        world: whose variables are added.
        home: in the place of the person's.
    """
    found = {name: os.environ[name] for name in (*_MACHINE, *_OURS) if name in os.environ}
    found |= {**_TERMINAL, "HOME": str(home)}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is not None:
            found[f"STUDIO_{name.upper()}"] = _as_variable(value)
    kept = {"STUDIO_LLM_BASE_URL", OWN_VARIABLE, "STUDIO_LEASES"}
    if live:
        from configs.chat_models import variables_of_chat_models

        kept |= {*variables_of_chat_models(), *(one for one in os.environ if one.startswith("STUDIO_LLM_"))}
    return {**found, **{name: os.environ[name] for name in kept if name in os.environ}, **world.environment}


def _as_variable(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


@dataclass
class Outside:
    """Plays such turns, one after another, in one world.

    Attributes:
        folder: of the scenario. world: as its file says it. live: a person's own chat model plays.
    """

    folder: Path
    world: World
    live: bool = False

    def __post_init__(self) -> None:
        self._clients: dict[tuple[str, bool], StudioClient] = {}
        self._told: Any = None

    def play(self, turn: Turn, record: TurnRecord, opened: OpenedWorld, told: Any = None) -> None:
        """Do it, and take down what came of it.

        Args:
            turn: what is done. record: is filled in. opened: the world.
            told: JSON that the turn before was told, of which `{told:PATH}` takes a value.
        """
        before = _productions(self.folder)
        self._told = told
        if turn.command is not None:
            self._type(turn, record, opened)
        else:
            self._ask(turn, record, opened)
        _made(record, before, self.folder)

    def close(self) -> None:
        """End every connection, and the servers with it."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # -- commands ---------------------------------------------------------------------------------------------------

    def _type(self, turn: Turn, record: TurnRecord, opened: OpenedWorld) -> None:
        assert turn.command is not None
        command = tuple(as_told(word, self._told) for word in turn.command)
        record.command = shlex.join(command)
        watches: list[Watch] = []
        if turn.cancel_at is not None:
            watches.append(Watch(turn.cancel_at, interrupt))
        if turn.kill_at is not None:
            watches.append(Watch(turn.kill_at, kill))
        if turn.meanwhile is not None:
            watches.append(Watch(turn.meanwhile.at, self._beside(turn, record, opened)))
        ended = self._run(command, opened, turn.within_s, turn.stdin, watches)
        record.output, record.stderr, record.exit = ended.output, ended.stderr, ended.exit
        record.data = _json(ended.output)
        acts = [one.act for one in ended.came]
        record.cancelled, record.kills = interrupt in acts, int(kill in acts)
        if ended.exit is None:
            told = f"the command took longer than {turn.within_s:g} s, and was ended"
            record.error = {"kind": _TIMED_OUT, "says": told}

    def _beside(self, turn: Turn, record: TurnRecord, opened: OpenedWorld) -> Callable[[subprocess.Popen[bytes]], None]:
        def act(_process: subprocess.Popen[bytes]) -> None:
            assert turn.meanwhile is not None
            ended = self._run(turn.meanwhile.command, opened, turn.within_s)
            told = {"exit": ended.exit, "output": ended.output, "stderr": ended.stderr}
            record.meanwhile.append({"command": shlex.join(turn.meanwhile.command), **told})

        return act

    def _run(
        self, command: tuple[str, ...], opened: OpenedWorld, within_s: float, stdin: str = "",
        watches: list[Watch] | None = None,
    ) -> Ended:  # fmt: skip
        return run_watched(
            self._edges(opened), command[1:], environment=self._environment(opened), cwd=self.folder / "desk",
            folder=self.folder, stdin=stdin, within_s=within_s, watches=watches or (),
        )  # fmt: skip

    # -- MCP --------------------------------------------------------------------------------------------------------

    def _ask(self, turn: Turn, record: TurnRecord, opened: OpenedWorld) -> None:
        assert turn.mcp is not None
        asked = Asked.model_validate(_with_told(turn.mcp.model_dump(exclude_unset=True), self._told))
        record.asked_mcp = asked.model_dump(mode="json", exclude_defaults=True)
        try:
            client = self._client(asked, opened)
        except Exception as error:
            # Whatever keeps a server from beginning: the turn has failed, and its log tells the rest.
            record.error = {"kind": SERVER_FAILED, "says": f"studio mcp did not begin: {type(error).__name__}: {error}"}
            return
        found = client.ask(asked, turn.within_s, turn.cancel_at)
        record.message, record.data, record.contents = found.text, found.data, found.contents
        record.progress, record.cancelled = found.progress, found.cancelled
        if found.timed_out:
            told = f"nobody answered within {turn.within_s:g} s"
            record.error = {"kind": _TIMED_OUT, "says": told}
        elif found.error:
            record.error = {"kind": found.error, "says": found.text}

    def _client(self, asked: Asked, opened: OpenedWorld) -> StudioClient:
        key = asked.client, asked.low_level
        if key not in self._clients:
            words = ["mcp", *(["--tools"] if asked.low_level else [])]
            command = studio_command(self._edges(opened), NO_LIFELINE, words)
            self._clients[key] = StudioClient(command, self._environment(opened), self.folder / "desk")
        return self._clients[key]

    # -- their world ------------------------------------------------------------------------------------------------

    def _environment(self, opened: OpenedWorld) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return environment_of(opened.context.settings, self.world, home, live=self.live)

    def _edges(self, opened: OpenedWorld) -> Path:
        world, sites = self.world, opened.sites
        differ = world.absent or world.stand_ins or world.faults or world.weights or world.ears or world.machine
        edges = Edges(
            engines=world.model_dump(mode="json", exclude_unset=True) if differ else None,
            faults=self.folder / "world",
            sites=sites.port if sites else 0,
            search_url=sites.search_url if sites else "",
            searches=opened.context.settings.network,
            servers=opened.servers,
            alone=not self.live,
        )
        path = self.folder / "world" / "edges.json"
        path.write_text(edges.model_dump_json(), encoding="utf-8")
        return path


def as_told(text: str, told: Any) -> str:
    """A text in which `{told:PATH}` is what stands there in the JSON of the turn before, as a person copies it.

    Raises:
        InvalidInput: nothing stands there.
    """
    from tools.errors import InvalidInput

    def copied(found: re.Match[str]) -> str:
        value, there = at_path(told, found[1])
        if not there or not isinstance(value, str | int | float):
            raise InvalidInput(f"the turn before was told no text or number at {found[1]!r}", where="{told:...}")
        return str(value)

    return TOLD.sub(copied, text)


def _with_told(data: Any, told: Any) -> Any:
    if isinstance(data, dict):
        return {name: _with_told(value, told) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_told(one, told) for one in data]
    return as_told(data, told) if isinstance(data, str) else data


def _json(output: str) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(output)
    return None


def _productions(folder: Path) -> dict[Path, int]:
    """When each production was last told of in its manifest."""
    return {path: path.stat().st_mtime_ns for path in (folder / "productions").glob("*/manifest.json")}


def _made(record: TurnRecord, before: dict[Path, int], folder: Path) -> None:
    """What the turn has made: the production that was written last, as its own manifest and storyboard tell it."""
    from configs.yaml_file import YamlProblem
    from tools.errors import ToolError
    from tools.storyboard import load_storyboard

    written = {path: at for path, at in _productions(folder).items() if before.get(path) != at}
    if not written:
        return
    place = max(written, key=lambda path: written[path]).parent
    record.production, record.made = str(place.relative_to(folder)), True
    with suppress(OSError, ValueError, AttributeError, KeyError, TypeError):
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        there = [name for name in manifest["exports"] if (place / name).is_file()]
        record.files = {str(Path(name).with_suffix("")): str((place / name).relative_to(folder)) for name in there}
        record.calls = [_recorded(one) for one in manifest["attempts"]]
    with suppress(ToolError, YamlProblem, OSError):
        record.storyboard = load_storyboard(place / "storyboard.yaml").model_dump(mode="json")


def _recorded(attempt: dict[str, Any]) -> CallSeen:
    """A call as the production tells of it: whether this turn made it or found it there is not seen from outside."""
    names = ("tool", "engine", "args", "attempt", "key", "seconds")
    found = {name: attempt[name] for name in names if attempt.get(name) is not None}
    return CallSeen(id=attempt["call"], status="recorded", text=attempt.get("error") or "", **found)
