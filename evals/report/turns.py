"""One turn: the conversation as a chat, the pictures, the storyboard, and the trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from evals.report.markup import Html, Inside, el, fold, joined, shortened
from evals.report.outside import command_part, mcp_part
from evals.result import CallSeen, Picture, TurnRecord

__all__ = ["turn_part"]

_MESSAGE, _THOUGHT, _THOUGHTS, _CALLS = 6_000, 1_500, 80, 300
Figure = Callable[[Picture], Html]


def turn_part(turn: TurnRecord, figure: Figure, *, alone: bool) -> Html:
    """A turn.

    Args:
        turn: what was seen of it.
        figure: shows a picture.
        alone: it is the only turn: it needs no number.
    """
    facts = [f"{turn.seconds:.1f} s"]
    if turn.steps:
        facts.append(f"{turn.steps} model calls, {turn.tokens:,} tokens")
    if turn.kills:
        facts.append(f"killed {turn.kills}×, started again")
    if turn.cancelled:
        facts.append("stopped by the person")
    if turn.thread != "main":
        facts.append(f"conversation {turn.thread}")
    number = "" if alone else f"Turn {turn.number} · "
    return el(
        "section",
        el("p", number + " · ".join(facts), class_="turn-head"),
        command_part(turn) if turn.command else None,
        mcp_part(turn) if turn.asked_mcp else None,
        _chat(turn),
        el("div", [figure(one) for one in turn.shown], class_="pictures") if turn.shown else None,
        _storyboard(turn.storyboard) if turn.storyboard else None,
        _trace(turn),
        class_="turn",
    )


def _chat(turn: TurnRecord) -> Html:
    said: list[Inside] = [] if turn.command or turn.asked_mcp else [_bubble("person", turn.said)]
    for asked in turn.asked_person:
        said.append(_bubble("agent asks", str(asked.get("question") or "May I make it?")))
    if turn.message:
        said.append(_bubble("agent", turn.message))
    if turn.error:
        said.append(_bubble("error", f"{turn.error.get('kind', '')}: {turn.error.get('says', '')}"))
    for name, why in turn.failures.items():
        said.append(_bubble("error", f"{name}: {why}"))
    return el("div", *said, class_="chat") if said else joined()


def _bubble(who: str, text: str) -> Html:
    return el("p", shortened(text, _MESSAGE), class_=f"bubble {who}", data_who=who)


def _storyboard(board: dict[str, Any]) -> Html:
    """Facts of the storyboard and one line a shot."""
    shots = board.get("shots") or []
    count = f"{len(shots)} shot{'' if len(shots) == 1 else 's'}"
    facts = [board.get("title"), count, f"{board.get('duration_s')} s", board.get("aspect"), f"{board.get('fps')} fps"]
    title = " · ".join(str(one) for one in (*facts, board.get("style")) if one)
    return fold(joined("Storyboard ", el("span", title, class_="soft")), el("ol", [_shot(one) for one in shots]))


def _shot(shot: dict[str, Any]) -> Html:
    where = [shot.get(name) for name in ("framing", "camera", "location", "time_of_day", "weather")]
    people = [
        f"{one.get('character')} ({', '.join(str(one[n]) for n in ('pose', 'expression') if one.get(n))})"
        for one in shot.get("placements") or []
    ]
    lines = [
        el("q", one.get("text", ""), title=f"{one.get('character')}, {one.get('language')}, {one.get('delivery')}")
        for one in shot.get("dialogue") or []
    ]
    return el(
        "li",
        el("b", shot.get("id", "")),
        f" {shot.get('duration_s')} s · ",
        " · ".join(str(one).replace("_", " ") for one in where if one),
        el("br"),
        shot.get("action", ""),
        el("br") if people or lines else None,
        ", ".join(people),
        [joined(" ", line) for line in lines],
    )


def _trace(turn: TurnRecord) -> Html:
    said = f"{len(turn.calls)} tool call{'' if len(turn.calls) == 1 else 's'}, {len(turn.thoughts)} thoughts"
    parts: list[Inside] = []
    if turn.nodes:
        parts.append(el("p", " → ".join(turn.nodes), class_="nodes"))
    if turn.trace:
        parts.append(el("ul", [el("li", shortened(line, 600)) for line in turn.trace], class_="lines"))
    if turn.calls:
        parts.append(_calls(turn.calls))
    if turn.devices:
        parts.append(_lines("Devices", [_event(one) for one in turn.devices]))
    if turn.asked_model:
        parts.append(_lines("Asked of the chat model", [_asked(one) for one in turn.asked_model]))
    looked_up = [f"web: {one}" for one in turn.web_asked] + [f"page: {one}" for one in turn.pages_fetched]
    looked_up += [f"passage: {one.get('title')} ({one.get('source')})" for one in turn.notes]
    if looked_up:
        parts.append(_lines("Looked up", looked_up))
    if turn.thoughts:
        parts.append(_thoughts(turn.thoughts))
    return fold(joined("Trace ", el("span", said, class_="soft")), *parts) if parts else joined()


def _calls(calls: list[CallSeen]) -> Html:
    names = ("call", "tool", "engine", "state", "seconds", "")
    head = el("tr", [el("th", name, class_="number" if name == "seconds" else None) for name in names])
    shown = calls[:_CALLS]
    rows = [
        el(
            "tr",
            el("td", one.id + (f" ({one.attempt})" if one.attempt > 1 else "")),
            el("td", one.tool),
            el("td", one.engine + (f" on {one.device}" if one.device else "")),
            el("td", one.status),
            el("td", f"{one.seconds:.2f}" if one.seconds else "", class_="number"),
            el("td", shortened(one.text, 300)),
            class_="bad" if one.status == "failed" else None,
        )
        for one in shown
    ]
    more = el("p", f"{len(calls) - _CALLS} more calls are in results.json") if len(calls) > _CALLS else None
    return joined(el("div", el("table", el("thead", head), el("tbody", rows)), class_="wide"), more)


def _lines(title: str, lines: list[str]) -> Html:
    shown = [el("li", shortened(line, 400)) for line in lines[:60]]
    if len(lines) > 60:
        shown.append(el("li", f"{len(lines) - 60} more"))
    return joined(el("h5", title), el("ul", shown, class_="lines"))


def _event(event: dict[str, Any]) -> str:
    names = ("action", "model", "device", "text")
    seconds = f" {event['seconds']:.2f} s" if isinstance(event.get("seconds"), float) else ""
    return " ".join(str(event[name]) for name in names if event.get(name)) + seconds


def _asked(one: dict[str, Any]) -> str:
    what = one.get("piece") or (f"a call of {', '.join(one.get('tools') or [])}" if one.get("tools") else "text")
    return f"{one.get('model')}: {what} → {one.get('status')}"


def _thoughts(thoughts: list[dict[str, Any]]) -> Html:
    rows = []
    for one in thoughts[:_THOUGHTS]:
        spent = f"{one['seconds']:.2f} s, {one['tokens']} tokens" if one.get("tokens") else ""
        data = one.get("data") or {}
        rows.append(
            el(
                "li",
                el("b", one.get("kind", "")),
                el("span", " ".join(str(part) for part in (one.get("source"), spent) if part), class_="soft"),
                el("p", shortened(str(one.get("text", "")), _THOUGHT)),
                fold("data", el("pre", shortened(_json(data), 2 * _THOUGHT))) if data else None,
            )
        )
    if len(thoughts) > _THOUGHTS:
        rows.append(el("li", f"{len(thoughts) - _THOUGHTS} more thoughts are in results.json"))
    return joined(el("h5", "Thoughts"), el("ol", rows, class_="thoughts"))


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)
