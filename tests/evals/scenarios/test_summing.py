"""pass@1 and pass^k against all draws counted one by one; what two results differ by."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from evals.result import Check, EvalResult, Metric, Outcome, ScenarioResult, ScenarioRun
from evals.run.comparing import compare
from evals.run.summing import average_metrics, pass_at, pass_hat, summarise
from tools.errors import InvalidInput


@pytest.mark.parametrize("runs", range(1, 8))
def test_the_estimates_are_the_means_over_all_draws(runs: int) -> None:
    for passed in range(runs + 1):
        for k in range(1, runs + 1):
            draws = list(combinations([True] * passed + [False] * (runs - passed), k))
            assert pass_at(runs, passed, k) == pytest.approx(sum(map(any, draws)) / len(draws))
            assert pass_hat(runs, passed, k) == pytest.approx(sum(map(all, draws)) / len(draws))


@pytest.mark.parametrize(("runs", "passed", "k"), [(3, 4, 1), (3, 1, 4), (3, 1, 0), (0, 0, 1), (2, -1, 1)])
def test_no_estimate_from_too_few_runs(runs: int, passed: int, k: int) -> None:
    with pytest.raises(ValueError, match="no estimate"):
        pass_at(runs, passed, k)
    with pytest.raises(ValueError, match="no estimate"):
        pass_hat(runs, passed, k)


def result(name: str, *outcomes: Outcome, differed: str = "message") -> ScenarioResult:
    runs = [
        ScenarioRun(
            repeat=number,
            folder=f"{name}/{number}",
            outcome=outcome,
            checks=[Check(name=differed, turn=1, passed=outcome == "passed")],
            metrics=[
                Metric(name="film_validity", value=1.0 if outcome == "passed" else 0.0),
                Metric(name="speech_wer", why="nobody listened"),
            ],
        )
        for number, outcome in enumerate(outcomes, start=1)
    ]
    return ScenarioResult(name=name, about="Something", tags=["test"], runs=runs)


def whole(*results: ScenarioResult, threshold: float = 0.95) -> EvalResult:
    return EvalResult(
        started="2026-01-01T00:00:00", planner="scripted", threshold=threshold, scenarios=list(results),
        summary=summarise(results), metrics=average_metrics(results),
    )  # fmt: skip


def test_a_summary_counts_what_was_run() -> None:
    found = summarise(
        [result("a", "passed", "failed"), result("b", "passed", "passed"), result("c", "not_run", "not_run")]
    )
    assert (found["scenarios"], found["ran"], found["not_run"], found["passed"]) == (3, 2, 2, 3)
    assert found["pass@1"] == pytest.approx(0.75)
    assert found["pass^2"] == pytest.approx(0.5)
    assert found["pass@2"] == pytest.approx(1.0)


def test_every_reason_why_nothing_was_measured_is_told() -> None:
    spoken, silent = result("spoken", "passed"), result("silent", "passed", "passed")
    for run in silent.runs:
        run.metrics[1].why = "nothing was said"
    found = {one.name: one for one in average_metrics([silent, spoken])}
    assert found["speech_wer"].why == "nobody listened (1 of 3 runs); nothing was said (2 of 3 runs)"
    assert found["film_validity"].why == "over 3 of 3 runs"
    assert {one.name: one.why for one in average_metrics([spoken])}["speech_wer"] == "nobody listened"


@pytest.mark.parametrize(
    ("results", "passed"),
    [
        ([result("a", "passed"), result("b", "failed")], False),
        ([result("a", "passed"), result("b", "crashed")], False),
        ([result("a", "passed"), result("b", "not_run")], True),
        ([result("a", "not_run")], False),
        ([], False),
    ],
)
def test_the_threshold(results: list[ScenarioResult], passed: bool) -> None:
    assert whole(*results).passed is passed
    assert whole(*results, threshold=0.0).passed is any(one.counted for one in results)


def test_what_was_not_measured_is_no_number() -> None:
    found = {one.name: one for one in average_metrics([result("a", "passed", "failed")])}
    assert found["film_validity"].value == 0.5
    assert (found["speech_wer"].value, found["speech_wer"].measured) == (None, False)
    assert found["speech_wer"].why == "nobody listened"


def test_two_results_are_compared() -> None:
    before = whole(result("a", "passed"), result("b", "failed"), result("c", "passed"), result("gone", "passed"))
    after = whole(
        result("a", "failed", differed="storyboard.places"), result("b", "passed"), result("c", "passed"),
        result("new", "failed"),
    )  # fmt: skip
    found = compare(before, after)
    assert [(one.name, one.before, one.after, one.differed) for one in found.worse] == [
        ("a", 1.0, 0.0, ["storyboard.places"])
    ]
    assert [one.name for one in found.better] == ["b"]
    assert (found.same, found.new, found.gone, found.rate) == (1, ["new"], ["gone"], (2 / 3, 2 / 3))
    assert [(one.name, one.before, one.after) for one in found.metrics] == [("film_validity", 0.75, 0.5)]
    assert any("worse   a" in line for line in found.lines())


def test_not_run_is_no_change_for_the_worse() -> None:
    found = compare(whole(result("a", "passed")), whole(result("a", "not_run")))
    assert (found.worse, found.gone) == ([], ["a"])


def test_a_result_is_kept_and_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    made = whole(result("a", "passed", "failed"))
    made.save(path)
    assert EvalResult.load(path) == made


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 9}', "[1]"])
def test_what_is_no_result_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="no result"):
        EvalResult.load(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        EvalResult.load(tmp_path / "absent.json")
