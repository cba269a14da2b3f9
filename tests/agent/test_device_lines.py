"""What a terminal shows of a device: the plan first, moves in short lines, trouble in yellow."""

from __future__ import annotations

from dataclasses import asdict
from io import StringIO

import pytest
from rich.console import Console

from agent.progress import ProgressView
from tools.runtime.events import CallEvent, DeviceEvent

GIB = 2**30
PLAN = "3 calls, 2 switches of 1.3 s in all (no order takes less; exact), peak 12.0 of 15.5 GiB\n  + sdxl  0.80 s"


def shown(*events: DeviceEvent | CallEvent | dict[str, str], colour: bool = False) -> str:
    console = Console(file=StringIO(), width=200, force_terminal=colour, color_system="standard" if colour else None)
    view = ProgressView(console)
    for event in events:
        if isinstance(event, dict):
            view.update(event)
        else:
            node = {"node": "device"} if isinstance(event, DeviceEvent) else {"node": "act", "path": ""}
            view.update({**node, **asdict(event)})
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def device(
    action: str, model: str = "", seconds: float = 0.0, size: int = 0, text: str = "", moved: float = 0.0
) -> DeviceEvent:
    return DeviceEvent("cuda:0", action, model, seconds, size, text, moved)  # type: ignore[arg-type]


def test_the_plan_is_shown_whole_and_before_anything_moves() -> None:
    told = shown(device("plan", text=PLAN, seconds=9.0), device("load", "sdxl", 0.8, 7 * GIB, moved=0.8))
    lines = told.splitlines()
    assert lines[0] == f"  plan for cuda:0: {PLAN.splitlines()[0]}"
    assert lines[1].split() == ["+", "sdxl", "0.80", "s"]
    assert lines[2] == "  loaded sdxl: 0.80 s; 7.0 GiB on cuda:0"


def test_a_plan_made_anew_is_one_line() -> None:
    told = shown(device("plan", text=PLAN), device("plan", text="2 calls, 1 switches\n  + eye"))
    assert told.splitlines()[-1] == "  planned anew: 2 calls, 1 switches"


def test_moves_are_short_lines() -> None:
    told = shown(
        device("prefetch", "eye"), device("run", "s1.still", text="sdxl"), device("evict", "sdxl", 0.02),
        device("evict", "mind", 0.0001),
        device("load", "eye", 0.3, 5 * GIB, moved=1.5), device("lease", seconds=0.001), device("lease", seconds=12.0),
    )  # fmt: skip
    assert told.splitlines() == [
        "  evicted sdxl: 0.02 s",
        "  evicted mind",
        "  loaded eye: 0.30 s, and 1.2 s beside a call; 5.0 GiB on cuda:0",
        "  cuda:0 is free, after 12.0 s",
    ]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (device("wait", text="process 7 has it"), "waiting for cuda:0: process 7 has it"),
        (device("lost", "eye"), "lost eye: the process that held it ended"),
        (device("step_down", text="sdxl: in slices"), "sdxl: in slices"),
        (device("again", "s1", text="s1: attempt 2 of 3. it crashed"), "s1: attempt 2 of 3. it crashed"),
        (device("prefetch", "eye", text="no such file"), "loading eye beside a call failed: no such file"),
        ({"node": "note", "text": "This run is recorded no further: disk full"}, "recorded no further: disk full"),
    ],
)
def test_trouble_is_yellow(event: DeviceEvent | dict[str, str], text: str) -> None:
    told = shown(event, colour=True)
    assert text in told
    assert "\x1b[33m" in told


def test_waiting_is_told_once() -> None:
    assert len(shown(*[device("wait", text="process 7 has it")] * 5).splitlines()) == 1


def test_names_command_no_terminal() -> None:
    assert "\x1b" not in shown(device("load", "\x1b[2Jevil", 0.1), device("again", text="\x1b]0;title\x07"))


def test_a_run_without_models_shows_nothing_of_devices() -> None:
    told = shown(
        CallEvent("s1.still", "generate_image", "draft", "running"),
        CallEvent("s1.still", "generate_image", "draft", "done", 1.0),
    )
    assert told.splitlines() == ["  pictures: 1 done, 0.0 s"]


def test_a_thought_is_one_line_that_says_nothing_twice() -> None:
    def thought(kind: str, text: str, source: str = "server/m", label: str = "") -> dict[str, str]:
        return {"node": "thought", "kind": kind, "text": text, "source": source, "label": label}

    told = shown(
        thought("request", "a forest", source="user"),
        thought("piece", "intent by server/m", label="intent"),
        thought("thought", "a\nb", label="considered"),
        thought("piece", "by rules: no", source="offline", label="cast"),
    )
    first, second = told.splitlines()
    assert first == "  · intent by server/m"
    assert second.endswith("a b")
