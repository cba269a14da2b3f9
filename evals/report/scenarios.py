"""One scenario of the report: a line that folds open to its runs."""

from __future__ import annotations

import json

from configs.yaml_file import dump_yaml
from evals.report.checks import checks_part
from evals.report.markup import Html, Inside, el, fold, joined, shortened
from evals.report.pictures import Album
from evals.report.turns import turn_part
from evals.result import Metric, Picture, ScenarioResult, ScenarioRun, TurnRecord
from evals.run.comparing import ScenarioChange

__all__ = ["STATES", "scenario_part", "state_of"]

STATES = {"failed": "failed", "unsteady": "passes at times", "passed": "passed", "not_run": "not run"}
"""Of a scenario with all its runs."""
_WORDS = {"passed": "passed", "failed": "failed", "crashed": "crashed", "timed_out": "timed out", "not_run": "not run"}


def state_of(result: ScenarioResult) -> str:
    """One of `STATES`."""
    counted = result.counted
    if not counted:
        return "not_run"
    return "passed" if result.passes == len(counted) else "unsteady" if result.passes else "failed"


def scenario_part(result: ScenarioResult, album: Album, change: ScenarioChange | None = None) -> Html:
    """A scenario; where it failed it is open already. Of many runs that passed only the first is shown whole."""
    state = state_of(result)
    shown = [run for run in result.runs if run.outcome not in ("passed", "not_run")]
    good = next((run for run in result.runs if run.outcome == "passed"), None)
    shown = sorted([*shown, *([good] if good else [])], key=lambda run: run.repeat)
    parts: list[Inside] = [el("p", result.about, class_="about")]
    if change is not None:
        parts.append(el("p", f"Before {change.before:.0%}, now {change.after:.0%}.", class_="change"))
    if len(result.runs) > 1:
        told = [f"{run.repeat}: {_WORDS[run.outcome]}, {run.seconds:.1f} s" for run in result.runs]
        parts.append(el("p", "Runs " + " · ".join(told), class_="soft"))
    for run in result.runs if not result.counted else shown:
        parts.append(_run(run, album, alone=len(result.runs) == 1))
    source = _source(result, album)
    if source:
        parts.append(fold("Scenario file", el("pre", source)))
    return el(
        "details",
        el("summary", _line(result, state, change)),
        el("div", *parts, class_="inside"),
        open=state in ("failed", "unsteady"),
        id=f"s-{result.name}",
        class_=f"scenario {state}",
        data_state=state,
        data_tags=" ".join(result.tags),
        data_words=f"{result.name} {result.about}".casefold(),
    )


def _line(result: ScenarioResult, state: str, change: ScenarioChange | None) -> Html:
    runs = result.counted
    held = sum(one.passed for run in runs for one in run.checks)
    checks = sum(len(run.checks) for run in runs)
    seconds = sum(run.seconds for run in runs) / len(runs) if runs else 0.0
    told = f"{result.passes} of {len(runs)}" if len(runs) > 1 else STATES[state]
    if len(runs) == 1 and runs[0].outcome != "passed":
        told = _WORDS[runs[0].outcome]
    turned = None
    if change is not None:
        worse = change.after < change.before
        turned = el("span", "worse" if worse else "better", class_="turned " + ("worse" if worse else "better"))
    return joined(
        el("span", told, class_="state"),
        el("span", result.name, turned, class_="name"),
        el("span", [el("span", tag, class_="tag") for tag in result.tags], class_="tags"),
        el("span", f"{held}/{checks} checks" if checks else "", class_="number"),
        el("span", f"{seconds:.1f} s" if runs else "", class_="number"),
    )


def _run(run: ScenarioRun, album: Album, *, alone: bool) -> Html:
    album.turn_page()
    parts: list[Inside] = []
    if not alone:
        parts.append(el("h4", f"Run {run.repeat}: {_WORDS[run.outcome]}"))
    if run.outcome in ("crashed", "timed_out", "not_run"):
        parts.append(el("p", run.why, class_="why"))
    parts.append(checks_part([one for one in run.checks if not one.passed]))
    for turn in run.turns:
        parts.append(_turn(turn, run, album))
    parts.append(checks_part([one for one in run.checks if one.passed]))
    if run.metrics:
        parts.append(_metrics(run.metrics))
    if run.log:
        parts.append(fold("End of its log", el("pre", run.log), opened=run.outcome == "crashed"))
    return joined(*parts)


def _turn(turn: TurnRecord, run: ScenarioRun, album: Album) -> Html:
    def figure(picture: Picture) -> Html:
        return album.figure(run.folder, picture, turn.number)

    return turn_part(turn, figure, alone=len(run.turns) == 1)


def _metrics(metrics: list[Metric]) -> Html:
    measured = [one for one in metrics if one.measured]
    rows = [
        el(
            "tr",
            el("td", one.name),
            el("td", f"{one.value:.3g}", class_="number"),
            el("td", one.unit),
            el("td", one.why, class_="soft"),
        )
        for one in measured
    ]
    absent = [f"{one.name}: {one.why}" for one in metrics if not one.measured and "." not in one.name]
    return fold(
        joined("Metrics ", el("span", f"{len(measured)} measured", class_="soft")),
        el("div", el("table", el("tbody", rows)), class_="wide") if rows else None,
        el("h5", "Not measured") if absent else None,
        el("ul", [el("li", one) for one in absent], class_="lines") if absent else None,
    )


def _source(result: ScenarioResult, album: Album) -> str:
    """The scenario as it was run: the job that its process was given."""
    for run in result.counted:
        text = album.text(run.folder, "job.json")
        try:
            data = json.loads(text)["scenario"] if text else None
        except (ValueError, KeyError, TypeError, RecursionError):
            data = None
        if data is not None:
            return shortened(dump_yaml(data), 30_000)
    return ""
