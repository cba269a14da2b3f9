"""The history of the benchmarks as one page: a small picture a figure over the runs, with goals and what stood beside.

The page is one file: no network, no library, light and dark by the reader's own setting. What is written in it comes
from files (titles of commits, names of processors) and is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from evals.benchmarks.charts import Point, Series, draw_chart, in_words
from evals.benchmarks.compare import compare
from evals.benchmarks.record import BenchRow, BenchRun

__all__ = ["draw_page"]

_HERE = Path(__file__).parent
SHOWN = 120
"""Runs that are drawn; of more the newest."""
Key = tuple[str, str, str]


def draw_page(runs: Sequence[BenchRun], *, unread: int = 0) -> str:
    """The page of these runs, the newest last.

    Args:
        runs: at least one.
        unread: lines of the history that were no runs; told.

    Raises:
        ValueError: there is no run.
    """
    if not runs:
        raise ValueError("a page of no runs")
    shown = list(runs[-SHOWN:])
    keys = list(dict.fromkeys(_key(row) for run in reversed(shown) for row in run.rows))
    series = [_series(shown, key) for key in keys]
    drawn = "".join(_card(one) for one in series if one.points)
    absent = "".join(_card(one) for one in series if not one.points)
    sections = f'<div class="cards">{drawn}</div>'
    if absent:
        sections += f'<h2>Not run in any of these runs: no figure is claimed</h2><div class="cards">{absent}</div>'
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>Benchmarks</title><style>{style}</style></head><body>"
        f"{_header(shown, len(runs), unread)}<main>{sections}</main>{_footer(shown[-1])}"
        f'<div id="tip" role="status" hidden></div><script>{script}</script></body></html>\n'
    )


def _key(row: BenchRow) -> Key:
    """Some figures stand there twice, beside two comparisons."""
    return row.benchmark, row.name, row.compared_with


def _series(runs: Sequence[BenchRun], key: Key) -> Series:
    """One figure over the runs; where a run does not have it, there is a gap."""
    points: list[Point] = []
    last: BenchRow | None = None
    for at, run in enumerate(runs):
        row = next((row for row in run.rows if _key(row) == key), None)
        last = row or last
        if row is None or row.value is None:
            continue
        low, high = (row.repeats.min, row.repeats.max) if row.repeats else (row.value, row.value)
        commit = f"{run.commit.id[:9]}{' with changes' if run.commit.changed else ''}" if run.commit else "no commit"
        told = [f"{run.date:%Y-%m-%d %H:%M} UTC", commit]
        if run.commit:
            told.append(run.commit.title)
        if row.load is not None:
            told.append(f"load {row.load:g} on {run.machine.cores} cores" + ("" if run.quiet else ": busy"))
        points.append(Point(at, row.value, low, high, row.against, row.ratio, row.met, run.quiet or row.exact, told))
    assert last is not None
    return Series(
        key[0], last.name, last.unit, last.goal, last.compared_with, points, len(runs),
        last.not_run if last.value is None else "", f"{runs[0].date:%Y-%m-%d}", f"{runs[-1].date:%Y-%m-%d}",
    )  # fmt: skip


def _header(runs: Sequence[BenchRun], total: int, unread: int) -> str:
    newest = runs[-1]
    goals = [row for row in newest.rows if row.met is not None]
    met = sum(row.met is True for row in goals)
    absent = sum(row.value is None for row in newest.rows)
    machine = newest.machine
    facts = [
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gb:g} GiB",
        f"GPU: {machine.gpu or 'none'}",
        machine.python,
        f"load before {_loads(newest.load_before)}, after {_loads(newest.load_after)}",
    ]
    commit = newest.commit
    title = f"{commit.id[:9]}{' with changes' if commit.changed else ''}: {commit.title}" if commit else "no commit"
    notes = [f"The newest run: {warning}" for warning in newest.warnings]
    notes += _changed(runs)
    notes += [f"{name} failed: {why}" for name, why in newest.failed.items()]
    if unread:
        notes.append(f"Lines of the history that are no runs of this version, and are left out: {unread}.")
    if total > len(runs):
        notes.append(f"Of {total} runs the newest {len(runs)} are drawn.")
    told = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return (
        f'<header><h1>Benchmarks</h1><p class="commit">{escape(title)}</p>'
        f'<p class="facts">{newest.date:%Y-%m-%d %H:%M} UTC &middot; {" &middot; ".join(map(escape, facts))}</p>'
        f'<div class="totals"><span><b>{met}</b> of {len(goals)} goals met</span>'
        f"<span><b>{len(goals) - met}</b> missed</span><span><b>{absent}</b> not run here</span>"
        f"<span><b>{total}</b> {'run' if total == 1 else 'runs'}</span></div>{told}{_legend()}</header>"
    )


def _changed(runs: Sequence[BenchRun]) -> list[str]:
    """What the newest run has slower and faster than the one before, by more than the noise."""
    if len(runs) < 2:
        return []
    changes = compare(runs[-2], runs[-1])
    notes = []
    for verdict in ("slower", "faster"):
        named = [
            f"{one.name} ({one.change:.2f} x)" if one.change is not None else one.name
            for one in changes
            if one.verdict == verdict
        ]
        if named:
            notes.append(f"By more than the noise {verdict} than in the run before: {', '.join(named)}.")
    return notes


def _legend() -> str:
    marks = [
        ("line", "measured, from the least to the most of its repeats"),
        ("beside", "what it is compared with, in the same run"),
        ("goal", "goal: at most"),
        ("missed", "beyond its goal"),
        ("busy", "hollow: the machine was busy"),
    ]
    return '<p class="legend">' + "".join(f'<span><i class="{kind}"></i>{text}</span>' for kind, text in marks) + "</p>"


def _loads(load: Sequence[float]) -> str:
    return f"{load[0]:g}" if load else "unknown"


def _card(one: Series) -> str:
    newest = one.points[-1] if one.points and one.points[-1].at == one.runs - 1 else None
    state = "absent" if newest is None else "missed" if newest.met is False else "met" if newest.met else "plain"
    value = in_words(newest.value, one.unit) if newest else "not run"
    parts = []
    if one.goal is not None:
        parts.append(f"goal {escape(in_words(one.goal, one.unit))}")
    if newest and newest.ratio is not None:
        parts.append(f"<b>{newest.ratio:.2f}</b> &times; {escape(one.compared_with)}")
    if newest is None:
        parts.append(escape(one.not_run or "not in the newest run"))
    return (
        f'<article class="{state}"><p class="kind">{escape(one.benchmark)}</p><h3>{escape(one.name)}</h3>'
        f'<p class="value">{escape(value)}</p><p class="beside">{" &middot; ".join(parts) or "&nbsp;"}</p>'
        f"{draw_chart(one) if one.points else ''}</article>"
    )


def _footer(run: BenchRun) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in run.machine.libraries.items())
    return f"<footer><p>{escape(libraries)}</p></footer>"
