"""What failed is tried again as the rules say: bounded, told, and never where it cannot help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.retries import ErrorKind, RetryRule, load_retries
from configs.yaml_file import YamlProblem
from tools import errors
from tools.errors import (
    BadOutput,
    Cancelled,
    EngineCrashed,
    EngineHung,
    OutOfMemory,
    StorageFailed,
    ToolError,
)
from tools.runtime.retry import Retries, Retry, run_again

KINDS = {name for name in errors.__all__ if getattr(errors, name).retryable}


def failing(*ends: ToolError | str) -> Callable[[], str]:
    """Ends as told, one call after another."""
    left = list(ends)

    def attempt() -> str:
        end = left.pop(0)
        if isinstance(end, ToolError):
            raise end
        return end

    return attempt


def no_sleep(_seconds: float) -> None:
    pass


def test_the_rules_that_are_shipped_name_every_error_that_may_be_mended() -> None:
    assert set(get_args(ErrorKind)) == KINDS
    rules = load_retries()
    for kind in KINDS - {"ProductionBusy"}:
        assert Retries(rules.calls, ladder=lambda _error: "freed").after(getattr(errors, kind)("x")), kind
    for kind in KINDS:
        assert Retries(rules.jobs).after(getattr(errors, kind)("x")), kind


@pytest.mark.parametrize("kind", sorted(set(errors.__all__) - KINDS))
def test_what_cannot_be_mended_is_not_tried_again(kind: str) -> None:
    wrong = getattr(errors, kind)
    error = wrong("x", command="y") if kind == "MissingPrerequisite" else wrong("x")
    told: list[Retry] = []
    with pytest.raises(ToolError):
        run_again(failing(error, "never"), Retries(load_retries().calls), on_retry=told.append)
    assert told == []


def test_it_is_tried_again_and_told() -> None:
    told: list[Retry] = []
    rules = {"EngineFailed": RetryRule(attempts=3, pause_s=1, factor=3)}
    ends = failing(EngineCrashed("one"), EngineHung("two"), "made")
    assert run_again(ends, Retries(rules, key="s1"), on_retry=told.append, sleep=no_sleep) == "made"
    assert [(retry.attempt, retry.of, str(retry.error)) for retry in told] == [(2, 3, "one"), (3, 3, "two")]
    assert 0.75 <= told[0].pause_s <= 1.25
    assert 2.25 <= told[1].pause_s <= 3.75


def test_at_its_bound_it_ends_with_the_last_error() -> None:
    rules = {"EngineFailed": RetryRule(attempts=2), "EngineHung": RetryRule(attempts=3)}
    with pytest.raises(EngineCrashed, match="second"):
        run_again(failing(EngineCrashed("first"), EngineCrashed("second"), "never"), Retries(rules))
    mixed = failing(EngineHung("1"), EngineCrashed("2"), EngineHung("3"), "made")
    assert run_again(mixed, Retries(rules)) == "made", "kinds are counted apart"


def test_counting_goes_on_where_another_process_stopped() -> None:
    rules = {"BadOutput": RetryRule(attempts=3)}
    assert Retries(rules, failures=Counter(BadOutput=1)).after(BadOutput("x")) is not None
    assert Retries(rules, failures=Counter(BadOutput=2)).after(BadOutput("x")) is None


def test_out_of_memory_goes_down_a_ladder_and_says_each_step() -> None:
    steps = ["freed the judge", "tiles"]
    told: list[Retry] = []
    retries = Retries(load_retries().calls, ladder=lambda _error: steps.pop(0) if steps else "")
    ends = failing(*[OutOfMemory("full")] * 3, "never")
    with pytest.raises(OutOfMemory):
        run_again(ends, retries, on_retry=told.append, sleep=no_sleep)
    assert [retry.step for retry in told] == ["freed the judge", "tiles"]


def test_without_a_ladder_memory_is_not_tried_again() -> None:
    with pytest.raises(OutOfMemory):
        run_again(failing(OutOfMemory("full"), "never"), Retries(load_retries().calls))


def test_a_pause_can_be_stopped() -> None:
    slept: list[float] = []
    rules = {"BadOutput": RetryRule(attempts=5, pause_s=60)}
    with pytest.raises(Cancelled) as caught:
        run_again(
            failing(BadOutput("blank"), "never"),
            Retries(rules),
            is_cancelled=lambda: len(slept) == 3,
            sleep=slept.append,
        )
    assert len(slept) == 3
    assert isinstance(caught.value.__cause__, BadOutput)


def test_what_was_stopped_is_not_tried_again() -> None:
    rules = {"BadOutput": RetryRule(attempts=5)}
    with pytest.raises(BadOutput):
        run_again(failing(BadOutput("blank"), "never"), Retries(rules), is_cancelled=lambda: True)


def test_a_bug_is_not_swallowed() -> None:
    def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_again(bug, Retries(load_retries().calls))


@given(
    st.integers(1, 100), st.floats(0, 3600), st.floats(1, 10), st.floats(0, 86400), st.text(max_size=20)
)  # fmt: skip
def test_every_series_of_attempts_ends(attempts: int, pause: float, factor: float, longest: float, key: str) -> None:
    rule = RetryRule(attempts=attempts, pause_s=pause, factor=factor, longest_s=longest)

    def pauses_of(retries: Retries) -> list[float]:
        found = []
        while (retry := retries.after(BadOutput("x"))) is not None:
            found.append(retry.pause_s)
        return found

    pauses = pauses_of(Retries({"BadOutput": rule}, key=key))
    assert len(pauses) == attempts - 1
    assert pauses == pauses_of(Retries({"BadOutput": rule}, key=key))
    assert all(0 <= one <= longest * 1.25 for one in pauses)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("calls:\n  InvalidInput: {attempts: 2}\n", "retries.yaml:2: calls.InvalidInput"),
        ("calls:\n  BadOutput:\n    attempts: 0\n", "retries.yaml:3"),
        ("jobs:\n  BadOutput: {attempts: 2, often: 3}\n", "retries.yaml:2"),
        ("calls:\n  BadOutput: {attempts: 2, ladder: true}\n", "a ladder is climbed by a call"),
    ],
)
def test_a_wrong_rule_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "retries.yaml"
    path.write_text(text)
    with pytest.raises(YamlProblem, match=told.replace("(", r"\(")):
        load_retries(path)


def test_a_full_disk_is_not_hammered() -> None:
    assert Retries(load_retries().jobs).after(StorageFailed("full")) is None
