"""Takes down what is seen of a turn, event by event, in a file: a killed turn is known up to its last event."""

from __future__ import annotations

import json
import os
import threading
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from evals.deeds import Moment
from evals.result import CallSeen
from tools.base import Call

__all__ = ["Recorder"]

_ENDS = ("done", "cached", "failed", "cancelled")


class Recorder:
    """The events of one turn.

    Args:
        path: of the file; what it holds already (of a killed process) is taken in.
        kill_at, cancel_at: moments to kill this process, and to cancel the turn.
    """

    def __init__(self, path: Path, kill_at: Moment | None = None, cancel_at: Moment | None = None) -> None:
        self.calls: list[CallSeen] = []
        self.nodes: list[str] = []
        self.devices: list[dict[str, Any]] = []
        self.asked_person: list[dict[str, Any]] = []
        self.kills = 0
        self.cancel = threading.Event()
        self.was_cancelled = False
        self._path = path
        self._kill_at: Moment | None = None
        self._cancel_at: Moment | None = None
        self._times = {"kill": 0, "cancel": 0}
        self._lock = threading.Lock()
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            self._take(json.loads(line))
        if not self.kills:
            self._kill_at = kill_at
        self._cancel_at = cancel_at

    def batch(self, calls: list[Call]) -> None:
        """Calls that are about to be run."""
        for call in calls:
            self._note({"what": "begun", "id": call.id, "tool": call.tool, "engine": call.engine, "args": call.args})

    def hear(self, event: dict[str, Any]) -> None:
        """An event of the agent's stream."""
        node = event.get("node")
        if node == "act" and event["status"] in ("queued", "running", *_ENDS):
            names = ("call_id", "tool", "engine", "status", "text", "seconds", "key", "device")
            if event["status"] != "running" or self._is_new(event["call_id"]):
                self._note({"what": "call", **{name: event.get(name, "") for name in names}})
        elif node == "device":
            told = {name: event.get(name, "") for name in ("device", "action", "model", "seconds", "text")}
            self._note({"what": "device", **told, "plan": event.get("plan")})

    def node(self, name: str) -> None:
        """A node of the graph has ended."""
        self._note({"what": "node", "node": name})

    def person(self, asked: dict[str, Any]) -> None:
        """The person was asked for approval."""
        self._note({"what": "person", "asked": {n: asked.get(n) for n in ("question", "stills", "seconds")}})

    @property
    def again(self) -> int:
        """Attempts that rules of retries.yaml added."""
        return sum(event["action"] == "again" for event in self.devices)

    def _is_new(self, call_id: str) -> bool:
        found = self._latest(call_id)
        return found is not None and found.status != "running"

    def _latest(self, call_id: str) -> CallSeen | None:
        return next((one for one in reversed(self.calls) if one.id == call_id), None)

    def _note(self, event: dict[str, Any]) -> None:
        with self._lock:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")
            self._take(event)
            kill = self._is_moment(self._kill_at, event, "kill")
            cancel = self._is_moment(self._cancel_at, event, "cancel")
            if kill:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"what": "killed"}) + "\n")
                os.kill(os.getpid(), 9)
            if cancel:
                self.was_cancelled = True
                self.cancel.set()

    def _take(self, event: dict[str, Any]) -> None:
        match event["what"]:
            case "begun":
                attempt = 1 + sum(one.id == event["id"] for one in self.calls)
                args = {name: event[name] for name in ("id", "tool", "engine", "args")}
                self.calls.append(CallSeen(**args, attempt=attempt))
            case "call":
                call = self._latest(event["call_id"])
                if call is not None:
                    for name in ("engine", "status", "text", "key", "device"):
                        setattr(call, name, event[name] or getattr(call, name))
                    call.seconds = float(event["seconds"] or 0.0) if event["status"] in _ENDS else call.seconds
            case "device":
                self.devices.append({name: value for name, value in event.items() if name != "what"})
            case "node":
                self.nodes.append(event["node"])
            case "person":
                self.asked_person.append(event["asked"])
            case "killed":
                self.kills += 1

    def _is_moment(self, moment: Moment | None, event: dict[str, Any], which: str) -> bool:
        if moment is None:
            return False
        at_node = event["what"] == "node" and event["node"] == moment.node
        at_call = (
            event["what"] == "call"
            and moment.call is not None
            and event["status"] == moment.status
            and fnmatchcase(event["call_id"], moment.call)
        )
        if at_node or at_call:
            self._times[which] += 1
            return self._times[which] == moment.nth
        return False
