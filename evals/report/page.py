"""The page of a result: head, what changed, metrics, scenarios. One file, no network, readable without scripts."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from evals.report.markup import Html, Inside, el, fold, joined
from evals.report.pictures import Album
from evals.report.scenarios import STATES, scenario_part, state_of
from evals.result import EvalResult, Metric
from evals.run.comparing import Comparison

__all__ = ["draw_report"]

_HERE = Path(__file__).parent
_ORDER = list(STATES)


def draw_report(result: EvalResult, album: Album, compared: Comparison | None = None) -> str:
    """The page.

    Args:
        result: of the run.
        album: its pictures.
        compared: with an earlier one, where one was.
    """
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    # Failed ones first: they have their pictures before the page is full.
    ordered = sorted(result.scenarios, key=lambda one: (_ORDER.index(state_of(one)), one.name))
    changes = {one.name: one for one in (*compared.worse, *compared.better)} if compared else {}
    cards = [scenario_part(one, album, changes.get(one.name)) for one in ordered]
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src {_hash(style)}; "
    head = [
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=f"{policy}script-src {_hash(script)}"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"Scenarios: {_rate(result)}"),
        el("style", Html(style)),
    ]
    body = [
        _header(result, album),
        _changed(compared) if compared else None,
        _metrics(result.metrics),
        el("main", _filters(result), el("div", *cards, id="list"), el("p", "Nothing fits.", id="none", hidden=True)),
        _footer(result),
        el("script", Html(script)),
    ]
    page = el("html", el("head", *head), el("body", *body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _rate(result: EvalResult) -> str:
    rate = result.summary.get("pass@1")
    return "none was run" if rate is None else f"{rate:.1%} passed"


def _header(result: EvalResult, album: Album) -> Html:
    counts = Counter(state_of(one) for one in result.scenarios)
    shown = [(name, told) for name, told in STATES.items() if counts[name]]
    totals = [el("span", el("b", counts[name]), f" {told}", class_=name) for name, told in shown]
    verdict = "enough" if result.passed else "not enough"
    rates = [name for name in result.summary if name.startswith(("pass@", "pass^"))]
    figures = [f"{name} {value:.1%}" for name in rates if isinstance(value := result.summary[name], float)]
    machine = " · ".join(f"{name} {value}" for name, value in result.machine.items())
    often = "once each" if result.repeat == 1 else f"{result.repeat} times each"
    asked = f"planner {result.planner} · {often} · {result.jobs} at a time"
    chosen = f" · {' '.join(result.patterns)}" if result.patterns else ""
    notes: list[Inside] = []
    if album.left_out:
        notes.append(el("p", f"{album.left_out} pictures are left out, the page is full.", class_="note"))
    return el(
        "header",
        el("h1", "Scenarios"),
        el("p", el("b", _rate(result)), f", {result.threshold:.0%} are asked for: ", el("b", verdict),
           class_="verdict good" if result.passed else "verdict bad"),
        el("div", *totals, class_="totals"),
        el("p", " · ".join([*figures, f"{result.seconds:.0f} s", f"{result.summary.get('checks', 0)} checks"])),
        el("p", f"{result.started} · {asked}{chosen}", class_="soft"),
        el("p", machine, class_="soft"),
        *notes,
    )  # fmt: skip


def _changed(compared: Comparison) -> Html:
    parts: list[Inside] = [el("p", note, class_="note") for note in compared.notes]
    for title, changes in (("worse", compared.worse), ("better", compared.better)):
        for one in changes:
            checks = f": {', '.join(one.differed[:6])}" if one.differed else ""
            link = el("a", one.name, href=f"#s-{one.name}")
            mark = el("span", title, class_=f"turned {title}")
            parts.append(el("p", mark, " ", link, f" {one.before:.0%} → {one.after:.0%}{checks}"))
    if compared.new:
        parts.append(el("p", "New: ", _links(compared.new)))
    if compared.gone:
        parts.append(el("p", f"Gone: {', '.join(compared.gone)}"))
    if compared.metrics:
        rows = [
            el("tr", el("td", one.name), el("td", f"{one.before:.4g}", class_="number"),
               el("td", f"{one.after:.4g}", class_="number"), el("td", one.unit))
            for one in compared.metrics
        ]  # fmt: skip
        head = el("tr", [el("th", name) for name in ("metric", "before", "now", "")])
        parts.append(fold("Metrics that changed", el("table", el("thead", head), el("tbody", rows))))
    return el("section", el("h2", "What changed"), el("p", compared.lines()[-1]), *parts, class_="panel")


def _links(names: Sequence[str]) -> Html:
    return joined([joined(", " if at else "", el("a", name, href=f"#s-{name}")) for at, name in enumerate(names)])


def _metrics(metrics: Sequence[Metric]) -> Html:
    shown = [one for one in metrics if one.measured or "." not in one.name]
    if not shown:
        return joined()
    rows = []
    for one in shown:
        value = "not measured" if one.value is None else f"{one.value:.3g}"
        row = [el("td", one.name.replace("_", " ")), el("td", value, class_="number"),
               el("td", one.unit if one.measured else ""), el("td", one.why)]  # fmt: skip
        rows.append(el("tr", *row, class_=None if one.measured else "absent"))
    measured = sum(one.measured for one in shown)
    title = joined("Metrics ", el("span", f"{measured} measured, {len(shown) - measured} not", class_="soft"))
    table = el("div", el("table", el("tbody", rows)), class_="wide")
    return el("section", fold(title, table), class_="panel metrics")


def _filters(result: EvalResult) -> Html:
    """For readers with scripts; without them everything is shown."""
    states = Counter(state_of(one) for one in result.scenarios)
    tags = Counter(tag for one in result.scenarios for tag in one.tags)
    buttons = [el("button", f"all {len(result.scenarios)}", type="button", data_state="", aria_pressed="true")]
    buttons += [
        el("button", f"{told} {states[name]}", type="button", data_state=name, aria_pressed="false")
        for name, told in STATES.items()
        if states[name]
    ]
    options = [el("option", "every tag", value="")]
    options += [el("option", f"{tag} ({count})", value=tag) for tag, count in sorted(tags.items())]
    return el(
        "div",
        el("div", *buttons, class_="buttons"),
        el("select", *options, id="tag", aria_label="tag"),
        el("input", id="words", type="search", placeholder="name or words", aria_label="name or words"),
        id="filters",
        hidden=True,
    )


def _footer(result: EvalResult) -> Html:
    return el("footer", el("p", ", ".join(f"{name} {version}" for name, version in result.studio.items())))
