"""Pictures of a run in the terminal: the storyboard as a table, a progress line per tool, the files made."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from agent.device_lines import DeviceLines
from agent.printing import plain, tell
from agent.thought_lines import ThoughtLines

__all__ = ["ProgressView", "near", "show_files", "show_storyboard"]

NARROW = 60
"""Columns of a terminal below which words would be cut within a table."""
TOOL_NAMES = {
    "generate_image": "pictures",
    "synthesize_speech": "voices",
    "compose_music": "music",
    "make_ambience": "ambience",
    "animate_shot": "animation",
    "write_subtitles": "subtitles",
    "mix_sound": "sound",
    "edit_video": "film",
    "review_artifact": "review",
}


class ProgressView:
    """A line per tool: how many calls are done, and the time left. Without a terminal, a line when a tool is done."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._devices = DeviceLines(console)
        self._thoughts = ThoughtLines(console)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._calls: dict[str, dict[str, float]] = {}
        self._lost: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._shown = False
        self._seen = False

    def __enter__(self) -> ProgressView:
        if self.console.is_terminal:
            columns = (
                TextColumn("{task.description:>10}"),
                BarColumn(bar_width=28),
                TextColumn("{task.fields[done]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
            )
            self._progress = Progress(*columns, console=self.console)
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def update(self, event: dict[str, Any]) -> None:
        """Take in one event of the agent's stream."""
        if event.get("node") == "reason" and "storyboard" in event and not self._shown:
            self._shown = True
            show_storyboard(self.console, event["storyboard"])
            for line in event.get("engines", []):
                tell(self.console, f"  {line}", "dim")
        elif event.get("node") == "judge":
            for verdict in event["verdicts"]:
                tell(self.console, f"  made again: {verdict}", "yellow")
        elif event.get("node") == "device":
            self._devices.update(event)
        elif event.get("node") == "note":
            tell(self.console, f"  {event['text']}", "yellow")
        elif event.get("node") == "thought":
            self._thoughts.update(event)
        elif event.get("node") == "act":
            self._call(event)

    def _call(self, event: dict[str, Any]) -> None:
        tool, name = event["tool"], TOOL_NAMES.get(event["tool"], event["tool"])
        calls = self._calls.setdefault(tool, {})
        over = event["status"] in ("done", "cached", "failed", "cancelled")
        calls[event["call_id"]] = 1.0 if over else min(0.99, event["fraction"])
        if event["status"] in ("failed", "cancelled"):
            self._lost[tool] = self._lost.get(tool, 0) + 1
        finished = sum(fraction == 1.0 for fraction in calls.values())
        made = finished - self._lost.get(tool, 0)
        if self._progress is not None:
            if tool not in self._tasks:
                self._tasks[tool] = self._progress.add_task(name, total=1.0, done="")
            share = sum(calls.values()) / len(calls)
            done = f"{made}/{len(calls)}"
            self._progress.update(self._tasks[tool], completed=share, total=1.0, done=done)
        else:
            began = self._began.setdefault(tool, time.monotonic())
            if over and finished == len(calls):
                count = f"{made}" if made == len(calls) else f"{made} of {len(calls)}"
                self.console.print(f"  {name}: {count} done, {time.monotonic() - began:.1f} s")
        if tool == "generate_image" and event["path"] and not self._seen:
            self._seen = True
            tell(self.console, f"  first picture: {near(event['path'])}", whole=True)
        if event["status"] == "failed":
            # What needed it is lost with it: the cause has been told.
            text = event["text"]
            why = text.partition(": ")[0] if text.startswith("needs ") else text
            tell(self.console, f"  {event['call_id']} failed: {why}", "red")


def show_storyboard(console: Console, board: dict[str, Any]) -> None:
    """The storyboard as a table."""
    title = plain(f"{board['title']}  ·  {board['duration_s']:g} s  ·  {board['aspect']}")
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", expand=False)
    for column in ("shot", "picture", "where", "who", "said"):
        table.add_column(column, overflow="fold")
    names = {member["id"]: member["name"] for member in board["cast"]}
    rows: list[tuple[str, ...]] = []
    for shot in board["shots"]:
        who = [
            f"{names[p['character']]} ({p['pose'].replace('_', ' ')}, {p['expression']})" for p in shot["placements"]
        ]
        said = [f"{names[line['character']].partition(' ')[0]}: {line['text']}" for line in shot["dialogue"]]
        where = f"{shot['location'].replace('_', ' ')}, {shot['time_of_day']}"
        where += "" if shot["weather"] == "clear" else f", {shot['weather']}"
        picture = f"{shot['framing']}, {shot['camera']}\n{shot['duration_s']:g} s"
        overlay = [f"“{shot['text_overlay']}”"] if shot["text_overlay"] else []
        cells = (shot["id"], picture, where, "\n".join(who), "\n".join(said + overlay))
        rows.append(cells)
        table.add_row(*(plain(cell) for cell in cells))
    if console.width < NARROW:
        _show_narrow(console, title, rows)
    else:
        console.print(table)


def _show_narrow(console: Console, title: Text, rows: list[tuple[str, ...]]) -> None:
    """The same where a table has no room: a line of each shot, below it who is there and what is said."""
    console.print(title, style="bold")
    for name, picture, where, who, said in rows:
        tell(console, f"{name}  {', '.join(picture.splitlines())}; {where}")
        for line in [*who.splitlines(), *said.splitlines()]:
            console.print(Padding(plain(line), (0, 0, 0, 4)))


def near(path: str) -> str:
    """A path as a user would type it: below the present folder without the way there."""
    try:
        here = Path.cwd()
    except OSError:
        # The folder we stand in has been removed.
        return path
    return os.path.relpath(path) if Path(path).is_relative_to(here) else path


def show_files(console: Console, state: dict[str, Any]) -> None:
    """What was made, each with its score: a line a file, its path last and whole."""
    files = state.get("files") or {}
    if not files:
        return
    from agent.publishing import call_of

    scores = state.get("scores") or {}
    console.print("score  file", style="dim")
    for name, path in files.items():
        score = scores.get(call_of(name))
        tell(console, f"{'' if score is None else f'{score:.2f}':>5}  {near(path)}", whole=True)
