"""Results that were never run, and what a page really holds, read by the parser of a browser's rules."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from evals.result import CallSeen, Check, EvalResult, Metric, Picture, ScenarioResult, ScenarioRun, TurnRecord
from evals.run.summing import average_metrics, summarise

__all__ = ["Page", "outside", "read", "result", "run", "turn"]

JPEG = b"\xff\xd8\xff\xe0 a picture"


def turn(text: str = "hello", **changed: Any) -> TurnRecord:
    """A turn whose every text is this one."""
    fields: dict[str, Any] = {
        "number": 1,
        "said": text,
        "thread": text,
        "message": text,
        "error": {"kind": text, "says": text},
        "failures": {text: text},
        "storyboard": {
            "title": text,
            "style": text,
            "duration_s": 2.0,
            "aspect": text,
            "fps": 8,
            "shots": [
                {
                    "id": text,
                    "framing": text,
                    "camera": text,
                    "location": text,
                    "duration_s": 2.0,
                    "action": text,
                    "placements": [{"character": text, "pose": text, "expression": text}],
                    "dialogue": [{"character": text, "text": text, "language": text, "delivery": text}],
                }
            ],
        },
        "trace": [text],
        "nodes": ["think", text],
        "notes": [{"source": text, "kind": text, "title": text}],
        "calls": [CallSeen(id=text, tool=text, engine=text, status="failed", text=text, seconds=1.0, device=text)],
        "devices": [{"action": text, "model": text, "device": text, "text": text, "seconds": 1.0}],
        "thoughts": [{"kind": text, "text": text, "source": text, "tokens": 3, "seconds": 1.0, "data": {text: text}}],
        "asked_model": [{"model": text, "piece": text, "tools": [text], "status": 200}],
        "asked_person": [{"question": text}],
        "web_asked": [text],
        "pages_fetched": [text],
        "shown": [Picture(of=text, note=text), Picture(of=text, file=text, note=text)],
    }
    return TurnRecord(**{**fields, **changed})


def outside(text: str = "hello") -> TurnRecord:
    """A turn of a command and of an MCP client, whose every text is this one."""
    fields: dict[str, Any] = {
        "command": text,
        "output": text,
        "stderr": text,
        "exit": 1,
        "meanwhile": [{"command": text, "output": text, "stderr": text, "exit": 0}],
        "asked_mcp": {"call": text, "arguments": {text: text}, "client": text},
        "data": {text: [text]},
        "contents": [text],
        "progress": [{"fraction": 0.5, "text": text}],
    }
    return turn(text, number=2, **fields)


def run(text: str = "hello", outcome: Any = "failed", repeat: int = 1, **changed: Any) -> ScenarioRun:
    """A run of one such turn, with checks that hold and that do not."""
    pairs = [(text, "other"), ([text], ["other", text]), ({"contains": [text]}, "other"), ({text: text}, {text: 1})]
    checks = [
        Check(name=text, turn=at % 2, passed=outcome == "passed", expected=expected, found=found, note=text)
        for at, (expected, found) in enumerate(pairs)
    ]
    fields: dict[str, Any] = {
        "repeat": repeat,
        "folder": f"one/{repeat}",
        "outcome": outcome,
        "why": text,
        "seconds": 2.0,
        "checks": [*checks, Check(name=text, turn=0, passed=True, expected=text, found=text)],
        "metrics": [Metric(name="measured", value=0.5, unit=text), Metric(name="absent", why=text)],
        "turns": [turn(text), outside(text)],
        "log": text,
    }
    return ScenarioRun(**{**fields, **changed})


def result(*scenarios: ScenarioResult, text: str = "hello", **changed: Any) -> EvalResult:
    """A result of these scenarios; without any, of one that failed."""
    held = list(scenarios) or [ScenarioResult(name="one", about=text, tags=["fast"], runs=[run(text)])]
    fields: dict[str, Any] = {
        "started": "2026-01-01T00:00:00+00:00",
        "planner": text,
        "patterns": [text],
        "studio": {text: text},
        "machine": {"system": text},
        "threshold": 0.95,
        "summary": summarise(held),
        "metrics": average_metrics(held),
        "scenarios": held,
    }
    return EvalResult(**{**fields, **changed})


class Page(HTMLParser):
    """What a page holds: elements with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, str] = {}
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.inside[self._open[-1]] = data
        else:
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    @property
    def text(self) -> str:
        """All that a person reads."""
        return "".join(self.texts)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of these elements."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [held for name, held in self.elements if name == tag and wanted.items() <= held.items()]


def read(html: str) -> Page:
    """The page, read."""
    page = Page()
    page.feed(html)
    page.close()
    return page
