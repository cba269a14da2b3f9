"""What a run tells while it goes: of its calls, and of the devices that serve them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["CallEvent", "CallStatus", "DeviceAction", "DeviceEvent", "PlanFigures", "RunEvent"]

CallStatus = Literal["queued", "cached", "running", "done", "failed", "cancelled"]
DeviceAction = Literal[
    "plan", "wait", "lease", "load", "prefetch", "evict", "unload", "lost", "step_down", "run", "again"
]


@dataclass(frozen=True)
class CallEvent:
    """Something happened to a call.

    Attributes:
        call_id, tool, engine: which call.
        status: `queued` once at first, `cached`, `done`, `failed` or `cancelled` once at last.
        fraction: 0..1 while it runs.
        text: what the engine says it does, or why it failed.
        seconds: wall seconds so far; in `done`, what the call took; predicted in `queued`.
        key: of the artifact, in `cached` and `done`.
        device: that it runs on, as `cuda:0`; empty for a call without a model.
    """

    call_id: str
    tool: str
    engine: str
    status: CallStatus
    fraction: float = 0.0
    text: str = ""
    seconds: float = 0.0
    key: str = ""
    device: str = ""


@dataclass(frozen=True)
class PlanFigures:
    """What a plan promises.

    Attributes:
        calls: that it orders, those of the CPU as well.
        switches: loads.
        switch_s: seconds of loading; no order loads for less than `bound_s`.
        wall_s: from start to end.
        peak_bytes: at once on the device, of `budget_bytes`.
        proven: no order loads for less.
    """

    calls: int
    switches: int
    switch_s: float
    bound_s: float
    wall_s: float
    peak_bytes: int
    budget_bytes: int
    proven: bool


@dataclass(frozen=True)
class DeviceEvent:
    """Something happened on a device, always after it did.

    Attributes:
        device: as `cuda:0`.
        action: `plan`: an order was chosen, `text` shows it; `wait`: somebody else holds the device; `lease`: it is
            ours; `load`, `prefetch`, `evict`, `unload`: of `model`; `lost`: the process that held `model` ended;
            `step_down`: memory ran out and less was asked of it, `text` says what; `run`: a call begins to compute,
            its models are there; `again`: a call failed in a way that another attempt may mend.
        model: by name; the id of the call in `run` and `again`.
        seconds: that it took.
        bytes: on the device afterwards; in `run` with the working memory that the call is reckoned to need.
        text: for people; in `run` the names of the models that the call uses, joined by ", ".
        moved_s: of `load`: seconds that the move itself took; more than `seconds` where it began beside a call.
        plan: of `plan`: its figures.
        at: when it happened, as `time.perf_counter` counts; it is told later.
    """

    device: str
    action: DeviceAction
    model: str = ""
    seconds: float = 0.0
    bytes: int = 0
    text: str = ""
    moved_s: float = 0.0
    plan: PlanFigures | None = None
    at: float = field(default_factory=time.perf_counter, compare=False)


RunEvent = CallEvent | DeviceEvent
