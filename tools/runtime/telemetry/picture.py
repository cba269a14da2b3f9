"""A run as a picture: what each device and the CPU did when, the device's memory, and where the time went."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from tools.runtime.telemetry.chrome import rows_of
from tools.runtime.telemetry.figures import bytes_text, parts_text, seconds_text, summary_text
from tools.runtime.telemetry.record import Record, Span
from tools.runtime.telemetry.summary import Summary, summarise
from tools.runtime.telemetry.svg import Canvas, fitting

__all__ = ["draw"]

_WIDTH, _LEFT, _RIGHT = 1400.0, 148.0, 28.0
_MARGIN = 28.0
_LANE, _BESIDE, _ROW, _MEMORY = 34.0, 12.0, 24.0, 92.0
_MODELS = ("#2f6fb3", "#d9722b", "#3f8f4f", "#a04f9e", "#b8962e", "#2a9d9a", "#c2455b", "#6a5acd", "#7a6a4f", "#4d5b6a")
_TOOLS = ("#8fb3d9", "#a9cf9b", "#f0c089", "#d3aed6", "#e6d28a", "#9bd3d0", "#eaa5ae", "#b9b4e6", "#c9bda6", "#b4bfca")
_PARTS = {
    "computing on a device": "#2f6fb3",
    "loading models": "#d9722b",
    "evicting models": "#b8962e",
    "waiting for a device": "#c2455b",
    "computing on the CPU": "#8fb3d9",
    "finding what is there": "#cfd6dd",
    "planning and judging": "#e7e4dc",
}
_MARKS = {
    "plan": ("M0,-6 L5,0 L0,6 L-5,0 Z", "#2f6fb3"),
    "again": ("M0,-6 L6,5 L-6,5 Z", "#d99a2b"),
    "step_down": ("M0,6 L6,-5 L-6,-5 Z", "#d99a2b"),
    "lost": ("M-5,-5 L5,5 M5,-5 L-5,5", "#c2213b"),
    "note": ("M0,-3 L3,0 L0,3 L-3,0 Z", "#8a939c"),
}
_WAIT, _EVICT, _FAILED = "#c2455b", "#39424e", "#c2213b"
_STYLE = """
text{font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px;fill:#22303c}
.paper{fill:#fdfcf9}.title{font-size:22px;font-weight:650}.dim{fill:#6d7883}.small{font-size:11px}
.head{font-weight:650;font-size:13px}.on{fill:#fff;pointer-events:none}.ink{fill:#22303c;pointer-events:none}
.grid{stroke:#d9dde0;stroke-width:1}.end{text-anchor:end}.mid{text-anchor:middle}.batch{fill:#f1f3f1}
rect.box:hover,path.mark:hover{stroke:#111;stroke-width:2}.base{fill:#e9ecec}
"""


def draw(record: Record) -> str:
    """The picture as SVG text, complete in itself; shapes have tooltips."""
    return _Picture(record).svg()


class _Picture:
    def __init__(self, record: Record) -> None:
        self.record = record
        self.summary: Summary = summarise(record)
        self.canvas = Canvas(_WIDTH, _STYLE)
        begins = [batch.begin for batch in record.batches] + [span.begin for span in record.spans]
        self.begin = min(begins, default=0.0)
        self.scale = (_WIDTH - _LEFT - _RIGHT) / max(1e-3, record.end - self.begin)
        names = [model for span in record.spans for model in (*span.models, *_moved(span))]
        self.models = {name: _MODELS[n % len(_MODELS)] for n, name in enumerate(dict.fromkeys(names))}
        tools = sorted({span.tool for span in record.spans if span.kind == "call" and not span.models})
        self.tools = {name: _TOOLS[n % len(_TOOLS)] for n, name in enumerate(tools)}
        self.y = 0.0

    def svg(self) -> str:
        self._heading()
        top = self.y
        heights = self._height()
        self._bands(top, heights)
        self._grid(top, top + heights + 4)
        self._marks()
        for device in self.record.devices:
            self._device(device)
        self._cpu()
        self._axis()
        self._legend()
        return self.canvas.document(self.y, f"{self.record.title}: {summary_text(self.summary)}")

    def _x(self, seconds: float) -> float:
        return _LEFT + (seconds - self.begin) * self.scale

    # -- head -------------------------------------------------------------------------------------------------------

    def _heading(self) -> None:
        canvas, width = self.canvas, _WIDTH - 2 * _MARGIN
        canvas.text(_MARGIN, 40, fitting(self.record.title or self.record.production, width - 240, 22), class_="title")
        began = datetime.fromtimestamp(self.record.wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        canvas.text(_WIDTH - _RIGHT, 40, began, class_="dim end")
        canvas.text(_MARGIN, 63, fitting(summary_text(self.summary), width, 12), class_="dim")
        parts, colours = self._parts()
        x, total = _MARGIN, max(1e-9, sum(parts.values()))
        for name, seconds in parts.items():
            share = width * seconds / total
            told = parts_text(name, seconds, total)
            canvas.rect(x, 78, max(0.5, share - 1), 20, title=told, fill=colours[name], class_="box")
            x += share
        x, self.y = _MARGIN, 116.0
        for name, seconds in parts.items():
            told = parts_text(name, seconds, total)
            if x + 15 + len(told) * 6.1 > _WIDTH - _RIGHT:
                x, self.y = _MARGIN, self.y + 18
            canvas.rect(x, self.y - 9, 10, 10, fill=colours[name], rx="2")
            canvas.text(x + 15, self.y, told, class_="small")
            x += 32 + len(told) * 6.1
        self.y += 22

    def _parts(self) -> tuple[dict[str, float], dict[str, str]]:
        """What the bar is divided into, and its colours: the wall time; without a device the seconds of each tool."""
        parts, colours = dict(self.summary.parts), dict(_PARTS)
        if not self.record.devices:
            parts = {}
            for one in self.summary.engines:
                name = one.tool.replace("_", " ")
                parts[name] = parts.get(name, 0.0) + one.seconds
                colours[name] = self.tools[one.tool]
        whole = max(1e-9, sum(parts.values()))
        return {name: seconds for name, seconds in parts.items() if seconds / whole > 0.004}, colours

    def _height(self) -> float:
        """Of all lanes together."""
        devices = sum(self._device_height(name) for name in self.record.devices)
        rows = len(self._cpu_rows())
        return 22 + devices + (rows * (_ROW + 3) + 14 if rows else 0)

    def _device_height(self, name: str) -> float:
        beside = _BESIDE + 4 if self._spans(name, "prefetch") else 0.0
        memory = _MEMORY + 10 if self._has_memory(name) else 0.0
        return _LANE + 4 + beside + memory + 20

    def _bands(self, top: float, height: float) -> None:
        for number, batch in enumerate(self.record.batches, 1):
            told = f"batch {number}: {batch.calls} calls, {seconds_text(batch.end - batch.begin)}"
            x, width = self._x(batch.begin), (batch.end - batch.begin) * self.scale
            self.canvas.rect(x, top, max(1.0, width - 1), height, title=told, class_="batch")

    def _marks(self) -> None:
        y, reached = self.y + 10, 0.0
        for mark in self.record.marks:
            shape, colour = _MARKS[mark.kind]
            drawn = (
                {"fill": "none", "stroke": colour, "stroke_width": "2.5"} if mark.kind == "lost" else {"fill": colour}
            )
            told = f"{seconds_text(mark.at - self.begin)}: {mark.text}"
            # What comes at once stands side by side.
            reached = max(self._x(mark.at), reached + 13) if self._x(mark.at) > reached - 26 else self._x(mark.at)
            place = f"translate({reached:.1f},{y:.1f})"
            self.canvas.path(shape, title=told, transform=place, class_="mark", **drawn)
        self.y += 22

    # -- lanes ------------------------------------------------------------------------------------------------------

    def _spans(self, device: str, *kinds: str) -> list[Span]:
        return [span for span in self.record.spans if span.device == device and (not kinds or span.kind in kinds)]

    def _has_memory(self, device: str) -> bool:
        return any(one.device == device and one.bytes for one in self.record.readings)

    def _device(self, name: str) -> None:
        summary, canvas = self.summary.devices[name], self.canvas
        canvas.text(_MARGIN, self.y + 14, name, class_="head")
        told = f"{summary.switches} loads, {seconds_text(summary.loading_s)}"
        canvas.text(_MARGIN, self.y + 29, told, class_="small dim")
        canvas.rect(_LEFT, self.y + _LANE - 2, _WIDTH - _LEFT - _RIGHT, 2, class_="base")
        self._boxes(self._spans(name, "call", "load", "evict", "wait"), self.y, _LANE, self._device_box)
        self.y += _LANE + 4
        beside = self._spans(name, "prefetch")
        if beside:
            canvas.text(_LEFT - 8, self.y + 10, "loaded beside", class_="small dim end")
            self._boxes(beside, self.y, _BESIDE, self._device_box)
            self.y += _BESIDE + 4
        if self._has_memory(name):
            self._memory(name)
        self.y += 20

    def _boxes(self, spans: list[Span], y: float, height: float, box: Callable[[Span, float, float], None]) -> None:
        """Each span, but those too thin to be seen only once in a pixel."""
        reached = -math.inf
        for span in sorted(spans, key=lambda span: span.begin):
            right = self._x(span.end)
            if right - reached < 0.35 and span.outcome == "done":
                continue
            box(span, y, height)
            reached = right

    def _device_box(self, span: Span, y: float, height: float) -> None:
        x, width = self._x(span.begin), max(0.8, span.seconds * self.scale - 0.6)
        told = _told(span, self.begin)
        if span.kind == "call":
            models = span.models or ("",)
            part = height / len(models)
            for place, model in enumerate(models):
                fill = self.models.get(model, "#8a939c")
                self.canvas.rect(x, y + place * part, width, part, title=told, fill=fill, class_="box", rx="2")
            self._outcome(span, x, y, width, height)
            self._label(span.name, x, y, width, height, "on")
        elif span.kind == "wait":
            fill = self.canvas.hatched(_WAIT)
            self.canvas.rect(x, y + 6, width, height - 12, title=told, fill=fill, class_="box")
        elif span.kind == "evict":
            self.canvas.rect(x, y + height / 2, width, height / 2, title=told, fill=_EVICT, class_="box")
            self.canvas.rect(x, y + height / 2 - 4, width, 4, fill=self.models.get(span.name, _EVICT))
        else:
            colour = self.models.get(span.name, "#8a939c")
            fill = self.canvas.hatched(colour, dense=height < 20)
            drawn = {"fill": fill, "stroke": colour, "stroke_width": "1", "class_": "box", "rx": "2"}
            self.canvas.rect(x, y + 0.5, width, height - 1, title=told, **drawn)
            if height >= 20:
                self._label(span.name, x, y, width, height, "ink")

    def _outcome(self, span: Span, x: float, y: float, width: float, height: float) -> None:
        if span.outcome != "done":
            colour = "#d99a2b" if span.outcome == "again" else _FAILED
            drawn = {"fill": "none", "stroke": colour, "stroke_width": "2.5", "pointer_events": "none"}
            self.canvas.rect(x + 1, y + 1, max(1.0, width - 2), height - 2, **drawn)

    def _label(self, text: str, x: float, y: float, width: float, height: float, style: str) -> None:
        shown = fitting(text, width - 8, 11)
        if shown:
            self.canvas.text(x + 4, y + height / 2 + 4, shown, class_=f"small {style}")

    def _memory(self, device: str) -> None:
        canvas, budget = self.canvas, self.record.budgets.get(device, 0)
        readings = [one for one in self.record.readings if one.device == device]
        peak = max(one.bytes for one in readings)
        most = max(budget, peak) * 1.08
        top, bottom = self.y + 6, self.y + _MEMORY

        def at(size: float) -> float:
            return bottom - (bottom - top) * size / most

        for share in (0.0, 0.5, 1.0):
            size = share * (budget or peak)
            canvas.line(_LEFT, at(size), _WIDTH - _RIGHT, at(size), class_="grid")
            canvas.text(_LEFT - 8, at(size) + 4, bytes_text(size), class_="small dim end")
        points, last = [f"M{self._x(self.begin):.1f},{bottom:.1f}"], 0.0
        for one in readings:
            points.append(f"H{self._x(one.at):.1f} V{at(one.bytes):.1f}")
            last = one.bytes
        points.append(f"H{self._x(self.record.end):.1f}")
        told = f"memory of {device}: at most {bytes_text(peak)}, at the end {bytes_text(last)}"
        line = " ".join(points)
        canvas.path(f"{line} V{bottom:.1f} Z", title=told, fill="#2f6fb3", fill_opacity="0.16")
        canvas.path(line, fill="none", stroke="#2f6fb3", stroke_width="1.5", pointer_events="none")
        if budget:
            drawn = {"stroke": _FAILED, "stroke_width": "1.5", "stroke_dasharray": "6 4"}
            told, red = f"budget {bytes_text(budget)}", f"fill:{_FAILED}"
            canvas.line(_LEFT, at(budget), _WIDTH - _RIGHT, at(budget), title=told, **drawn)
            canvas.text(_WIDTH - _RIGHT - 4, at(budget) - 4, told, class_="small end", style=red)
        canvas.text(_MARGIN, top + 10, "memory", class_="small dim")
        canvas.text(_MARGIN, top + 25, f"peak {bytes_text(peak)}", class_="small dim")
        self.y += _MEMORY + 10

    def _cpu_rows(self) -> list[list[Span]]:
        return rows_of([span for span in self.record.spans if not span.device])

    def _cpu(self) -> None:
        rows = self._cpu_rows()
        if rows:
            self.canvas.text(_MARGIN, self.y + 14, "CPU", class_="head")
            told = f"{seconds_text(self.summary.cpu_s)} in {len(rows)} row{'s' * (len(rows) > 1)}"
            self.canvas.text(_MARGIN, self.y + 29, told, class_="small dim")
        for row in rows:
            self._boxes(row, self.y, _ROW, self._cpu_box)
            self.y += _ROW + 3
        self.y += 14 if rows else 0

    def _cpu_box(self, span: Span, y: float, height: float) -> None:
        x, width = self._x(span.begin), max(0.8, span.seconds * self.scale - 0.6)
        told, fill = _told(span, self.begin), self.tools.get(span.tool, "#b4bfca")
        self.canvas.rect(x, y, width, height, title=told, fill=fill, class_="box", rx="2")
        self._outcome(span, x, y, width, height)
        self._label(span.name, x, y, width, height, "ink")

    # -- foot -------------------------------------------------------------------------------------------------------

    def _ticks(self) -> list[float]:
        """Seconds since the beginning."""
        length = self.record.end - self.begin
        step = _step(length)
        return [number * step for number in range(int(length / step + 1e-9) + 1)]

    def _grid(self, top: float, bottom: float) -> None:
        for seconds in self._ticks():
            x = self._x(self.begin + seconds)
            self.canvas.line(x, top, x, bottom, class_="grid", pointer_events="none")

    def _axis(self) -> None:
        for seconds in self._ticks():
            self.canvas.text(self._x(self.begin + seconds), self.y + 18, seconds_text(seconds), class_="small dim mid")
        self.y += 40

    def _legend(self) -> None:
        entries: list[tuple[str, str, str]] = []
        for name, colour in self.models.items():
            entries.append((name, colour, "#fff"))
        if self.record.devices:
            # Else the bar at the top has named them.
            entries += [(name.replace("_", " "), colour, "#fff") for name, colour in self.tools.items()]
        kinds = {span.kind for span in self.record.spans}
        if kinds & {"load", "prefetch"}:
            entries.append(("hatched: a model is loaded", self.canvas.hatched("#6d7883", dense=True), "#6d7883"))
        if "evict" in kinds:
            entries.append(("a model leaves", _EVICT, "#fff"))
        if "wait" in kinds:
            entries.append(("a call waits for the device", self.canvas.hatched(_WAIT), "#fff"))
        outcomes = {span.outcome for span in self.record.spans}
        if "again" in outcomes:
            entries.append(("another attempt follows", "none", "#d99a2b"))
        if outcomes & {"failed", "cancelled", "unfinished"}:
            entries.append(("failed or stopped", "none", _FAILED))
        x = _MARGIN
        for text, fill, stroke in entries:
            if x + 24 + len(text) * 6.5 > _WIDTH - _RIGHT:
                x, self.y = _MARGIN, self.y + 22
            self.canvas.rect(x, self.y - 10, 14, 12, fill=fill, stroke=stroke, rx="2")
            self.canvas.text(x + 20, self.y, text, class_="small")
            x += 40 + len(text) * 6.4
        self.y += 24 if entries else 0


def _moved(span: Span) -> tuple[str, ...]:
    return (span.name,) if span.kind in ("load", "prefetch", "evict") else ()


def _told(span: Span, begin: float) -> str:
    """For the tooltip."""
    verbs = {
        "load": "loading",
        "prefetch": "loading beside a call:",
        "evict": "evicting",
        "wait": "waiting:",
        "call": "",
    }
    lines = [
        f"{verbs[span.kind]} {span.name}".strip(),
        f"{seconds_text(span.seconds)}, from {seconds_text(span.begin - begin)}",
    ]
    if span.tool:
        lines.append(f"{span.tool}/{span.engine}" + (f" on {', '.join(span.models)}" if span.models else ""))
    if span.predicted and span.kind == "call":
        lines.append(f"predicted {seconds_text(span.predicted)}")
    if span.outcome != "done":
        lines.append({"again": "another attempt follows"}.get(span.outcome, span.outcome))
    return "\n".join([*lines, *([span.text] if span.text else [])])


def _step(length: float) -> float:
    """Seconds between two ticks: 1, 2, 5 and so on, or whole minutes, about ten in all."""
    fine = [base * 10.0**power for power in (-3, -2, -1, 0) for base in (1, 2, 5)]
    for step in [*fine, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0]:
        if length / step <= 14:
            return step
    return 3600.0 * math.ceil(length / 3600 / 14)
