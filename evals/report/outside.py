"""A turn that was looked at from outside: a command with what it printed, an MCP request with its answer."""

from __future__ import annotations

import json
from typing import Any

from evals.report.markup import Html, Inside, el, fold, joined, shortened
from evals.result import TurnRecord

__all__ = ["command_part", "mcp_part"]

_PRINTED, _DATA, _PROGRESS = 12_000, 6_000, 60


def command_part(turn: TurnRecord) -> Html:
    """A terminal: the line that was typed, what came on either stream, the exit code; then the second terminal."""
    parts = [_terminal(turn.command, turn.output, turn.stderr, turn.exit)]
    for one in turn.meanwhile:
        parts.append(el("p", "Meanwhile, in a second terminal:", class_="soft"))
        parts.append(_terminal(*(one.get(name) for name in ("command", "output", "stderr", "exit"))))
    return joined(*parts)


def _terminal(command: Any, output: Any, stderr: Any, code: Any) -> Html:
    lines: list[Inside] = [el("span", f"$ {command}", class_="typed")]
    for text, kind in ((output, "printed"), (stderr, "complained")):
        if text:
            lines.append(el("span", "\n" + shortened(str(text).rstrip("\n"), _PRINTED), class_=kind))
    told = "ended: it took too long" if code is None else f"exit code {code}"
    lines.append(el("span", f"\n[{told}]", class_="exit good" if code == 0 else "exit bad"))
    return el("pre", *lines, class_="terminal")


def mcp_part(turn: TurnRecord) -> Html:
    """What an MCP client asked, what it was told meanwhile, and the answer: text, kinds of parts, data."""
    asked = dict(turn.asked_mcp or {})
    client = asked.pop("client", "first")
    parts: list[Inside] = [
        el("p", f"MCP client {client} asks:", class_="soft"),
        el("pre", shortened(_json(asked), _DATA), class_="terminal"),
    ]
    if turn.progress:
        told = [f"{one.get('fraction')}: {one.get('text')}" for one in turn.progress]
        shown = [el("li", shortened(line, 300)) for line in told[:_PROGRESS]]
        if len(told) > _PROGRESS:
            shown.append(el("li", f"{len(told) - _PROGRESS} more"))
        parts.append(fold(f"Progress: told {len(told)} times", el("ul", shown, class_="lines")))
    if turn.contents:
        parts.append(el("p", "Parts of the answer: " + ", ".join(turn.contents), class_="soft"))
    if turn.data is not None:
        parts.append(fold("Data of the answer", el("pre", shortened(_json(turn.data), _DATA))))
    return joined(*parts)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1, default=str)
