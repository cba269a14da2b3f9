"""Down the ladder: each step once and in order, what cannot be done is said, and the end is an error that tells all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.ladder import load_ladders
from configs.yaml_file import YamlProblem
from tools.errors import OutOfMemory
from tools.model import Placing
from tools.runtime.residency.ladder import Ladder, NoStepLeft, StepDown

ALL = {"slice", "tile", "offload", "int8", "int4", "smaller"}
START = Placing("cuda:0", "fp16")
LADDER = Ladder.of(load_ladders(), "generate_image")


def descend(supports: set[str], placing: Placing = START, may_change: bool = True) -> list[StepDown]:
    """Memory never suffices: every step until the end."""
    others: tuple[str, ...] = ("llm",)
    taken: list[StepDown] = []
    for _ in range(50):
        try:
            names = [one.step.name for one in taken]
            down = LADDER.next(names, placing, supports, others, may_change_result=may_change)
        except NoStepLeft:
            return taken
        others = () if down.frees else others
        placing = down.placing
        taken.append(down)
    raise AssertionError("there is no end to it")


def test_the_whole_way_down() -> None:
    taken = descend(ALL)
    assert [one.step.step for one in taken] == [
        "free", "slice", "tile", "offload", "offload", "quantise", "quantise", "smaller", "smaller", "smaller",
    ]  # fmt: skip
    assert taken[-1].placing == Placing("cuda:0", "fp16", "int4", "sequential", True, True, 3)
    assert [one.step.step for one in taken if one.reloads] == ["offload", "offload", "quantise", "quantise"]


def test_fewer_bits_and_smaller_pictures_are_marked_as_another_result() -> None:
    for down in descend(ALL):
        assert down.changes_result == (down.step.step in ("tile", "quantise", "smaller")), down.step.name
    assert {down.step.step for down in descend(ALL, may_change=False)} == {"free", "slice", "offload"}


def test_a_step_says_what_it_does_and_why_others_were_passed_over() -> None:
    error = OutOfMemory("the device has no room for 6.62 GiB of weights.")
    down = LADDER.next(["free the device"], Placing("cuda:0", "fp16", sliced=True), {"slice", "int8"})
    assert down.step.name == "8-bit weights"
    assert down.text == "8-bit weights: weights are kept in 8 bits (the result is not the one asked for)"
    assert down.record(error) == {
        "step": "quantise",
        "name": "8-bit weights",
        "about": "weights are kept in 8 bits",
        "changes_result": True,
        "because": "the device has no room for 6.62 GiB of weights.",
        "skipped": [
            {"name": "sliced attention", "reason": "it is so already"},
            {"name": "tiled decoder", "reason": "the engine cannot do tile"},
            {"name": "group offload", "reason": "the engine cannot do offload"},
            {"name": "sequential offload", "reason": "the engine cannot do offload"},
        ],
    }


def test_at_the_end_the_error_tells_what_was_tried_and_what_was_not_possible() -> None:
    error = OutOfMemory("SDXL ran out of memory.")
    with pytest.raises(
        NoStepLeft, match=r"SDXL ran out of memory\. Tried: free the device, sliced attention\. Not"
    ) as said:
        LADDER.next(["free the device", "sliced attention"], Placing(sliced=True), {"slice"}, error=error)
    assert not said.value.retryable
    assert ("8-bit weights", "the engine cannot do int8") in said.value.skipped
    assert all(name not in said.value.tried for name, _ in said.value.skipped)


def test_where_the_weights_do_not_fit_no_step_is_lost_on_the_calls() -> None:
    """A tiled picture is another one: not for a model that could not be brought at all."""
    of_call, of_weights = OutOfMemory("full"), OutOfMemory("full")
    of_weights.of_weights = True
    assert LADDER.next([], START, ALL, error=of_call).step.step == "slice"
    down = LADDER.next([], START, ALL, error=of_weights)
    assert down.step.name == "group offload"
    assert ("tiled decoder", "it spares the calls, and the weights do not fit") in down.skipped
    with pytest.raises(NoStepLeft):
        LADDER.next([], START, {"slice", "tile", "smaller"}, error=of_weights)


def test_models_that_came_back_are_freed_again() -> None:
    down = LADDER.next(["free the device", "sliced attention"], Placing(sliced=True), ALL, others=["llm"])
    assert down.frees


def test_it_never_goes_up() -> None:
    down = LADDER.next([], Placing(quantise="int4", offload="sequential", sliced=True, tiled=True), ALL)
    assert down.step.step == "smaller"
    assert down.placing.quantise == "int4"
    assert down.placing.offload == "sequential"


@given(
    st.sets(st.sampled_from(sorted(ALL))),
    st.builds(
        Placing,
        quantise=st.sampled_from(["none", "int8", "int4"]),
        offload=st.sampled_from(["none", "group", "sequential"]),
        sliced=st.booleans(),
        tiled=st.booleans(),
    ),
)
def test_whatever_an_engine_can_do_it_ends_and_no_step_is_without_effect(supports: set[str], placing: Placing) -> None:
    taken = descend(supports, placing)
    names = [one.step.name for one in taken]
    assert all(names.count(one.step.name) <= one.step.times for one in taken)
    assert all(one.placing != one.before for one in taken if not one.frees)
    order = [LADDER.steps.index(one.step) for one in taken]
    assert order == sorted(order)


def test_a_tool_may_have_a_ladder_of_its_own() -> None:
    file = load_ladders()
    assert Ladder.of(file, "synthesize_speech") != Ladder.of(file, "generate_image") == Ladder.of(file, "default")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["name: a, step: free", "name: a, step: tile"], "two steps are named 'a'"),
        (["name: a, step: offload"], "it needs it"),
        (["name: a, step: free, set: {quantise: int8}"], "belongs to the step"),
        (["name: a, step: tile, times: 2"], "only the step smaller"),
        (["name: a, step: quantise, set: {quantise: int8}"], "changes_result: true"),
        (["name: a, step: pray"], "step"),
    ],
)
def test_a_wrong_ladder_is_refused_with_its_line(tmp_path: Path, steps: list[str], said: str) -> None:
    path = tmp_path / "ladder.yaml"
    path.write_text("ladders:\n  default:\n" + "".join(f"    - {{{step}, about: x}}\n" for step in steps))
    with pytest.raises(YamlProblem, match=said) as error:
        load_ladders(path)
    assert error.value.where.startswith(f"{path}:")
