"""The score falls with every failure, is blind to what was not run, and lies below the threshold for a hard one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import InvalidInput
from tools.review.limits import LIMITS_FILE, default_limits, load_limits
from tools.review.scoring import PASS_SCORE, review_of, score_checks
from tools.review.tool import Check
from tools.review.verdict import above, below, between, holds, not_run

NAMES = sorted(default_limits().weights)
HARD = {name for name, weight in default_limits().weights.items() if weight.hard}


def a_check(name: str, score: float, failed: bool) -> Check:
    return holds(name, not failed, "measured", score=score)


checks_of = st.lists(st.builds(a_check, st.sampled_from(NAMES), st.floats(0, 1), st.booleans()), max_size=30)
failures = st.builds(a_check, st.sampled_from(NAMES), st.floats(0, 1), st.just(True))


@settings(deadline=None)
@given(checks_of, failures, st.integers(0, 30))
def test_one_more_failure_never_raises_the_score(checks: list[Check], failure: Check, at: int) -> None:
    assert score_checks([*checks[:at], failure, *checks[at:]]) <= score_checks(checks)


@settings(deadline=None)
@given(checks_of.filter(bool), st.data())
def test_a_check_that_fails_instead_of_passing_never_raises_the_score(checks: list[Check], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(checks) - 1))
    worse = checks.copy()
    worse[at] = a_check(checks[at].name, (checks[at].score or 0.0) * data.draw(st.floats(0, 1)), True)
    assert score_checks(worse) <= score_checks(checks)


@settings(deadline=None)
@given(checks_of, st.sampled_from(NAMES))
def test_what_was_not_run_changes_nothing(checks: list[Check], name: str) -> None:
    missing = not_run(name, "a model")
    assert score_checks([*checks, missing]) == score_checks(checks)
    assert review_of([*checks, missing]).passed == review_of(checks).passed


@settings(deadline=None)
@given(checks_of)
def test_the_score_is_between_0_and_1_and_does_not_depend_on_order(checks: list[Check]) -> None:
    score = score_checks(checks)
    assert 0.0 <= score <= 1.0
    assert score_checks(checks[::-1]) == pytest.approx(score)


@settings(deadline=None)
@given(checks_of, failures.filter(lambda check: check.name in HARD))
def test_one_hard_failure_is_never_passed(checks: list[Check], failure: Check) -> None:
    found = review_of([*checks, failure])
    assert found.score < PASS_SCORE
    assert not found.passed


def test_of_two_failed_attempts_the_nearer_one_scores_more() -> None:
    near, far = (score_checks([above("visible.luca", value, 0.55, "")]) for value in (0.5, 0.1))
    assert far < near < PASS_SCORE


def test_all_passed_is_1_and_nothing_measured_is_no_pass() -> None:
    assert review_of([a_check("size", 1.0, False)]).score == 1.0
    assert review_of([not_run("meaning", "a model")]).passed is False
    assert review_of([]).passed is False


@pytest.mark.parametrize(
    ("check", "score"),
    [
        (above("visible", 0.5, 0.5, ""), 1.0),
        (above("visible", 0.25, 0.5, ""), 0.5),
        (above("visible", 0.4999999, 0.5, ""), 0.95),
        (below("fits", 2.0, 1.0, ""), 0.5),
        (below("fits", 0.0, 1.0, ""), 1.0),
        (between("exposure", 5.0, 10.0, 20.0, ""), 0.5),
        (between("exposure", 40.0, 10.0, 20.0, ""), 0.0),
    ],
)
def test_scores_of_measured_values(check: Check, score: float) -> None:
    assert check.score == pytest.approx(score)
    assert (check.status == "passed") == (score == 1.0)


def test_limits_with_an_error_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(LIMITS_FILE.read_text().replace("max_hidden: 0.4", "max_hidden: 4.0"))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "max_hidden" in text)
    with pytest.raises(InvalidInput, match=rf"limits\.yaml:{line}: stage\.max_hidden"):
        load_limits(path)


def test_every_limit_says_where_it_comes_from() -> None:
    """Each number of the first sections has a comment above it or shares the one of the number before."""
    lines = LIMITS_FILE.read_text().split("hard_factor:")[0].splitlines()
    for section in ("image", "stage", "speech", "sound", "subtitles", "film"):
        start = lines.index(f"{section}:")
        assert lines[start + 1].strip().startswith("#")
