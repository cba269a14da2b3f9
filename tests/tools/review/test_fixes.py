"""What is proposed mends what failed, differs from what was tried, and converges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.review.fabricate import Shelf
from tests.tools.review.paper_stage import CAST, SIZE, put_image, two_shot
from tools.image.tool import StageAdjustment
from tools.review.fixes import Fix, propose
from tools.review.measure import Measure
from tools.review.tool import Check, ReviewArtifact
from tools.review.verdict import holds, not_run
from tools.storyboard import Placement, Shot


def fail(name: str, score: float = 0.3, **levers: float) -> Check:
    return holds(name, False, "measured", score=score, fix={key.replace("__", "."): v for key, v in levers.items()})


def proposed(kind: str, args: dict[str, Any], *checks: Check, attempt: int = 1, **more: Any) -> Fix:
    fix = propose(kind, args, list(checks), attempt, **more)
    assert fix is not None
    return fix


def test_nothing_failed_nothing_changes() -> None:
    assert propose("image", {}, [holds("size", True, "")], 1) is None
    assert propose("image", {}, [not_run("meaning", "a model")], 1) is None


def test_what_has_no_lever_is_not_tried_again() -> None:
    assert propose("subtitles", {"fps": 24}, [fail("text")], 1) is None


@pytest.mark.parametrize(
    ("levers", "field", "value"),
    [
        ({"zoom": 0.8}, "zoom", 0.8),
        ({"dy": 0.1}, "dy", 0.1),
        ({"exposure": 1.5}, "exposure", 1.5),
        ({"dx__luca": -0.1}, "dx", {"luca": -0.1}),
    ],
)
def test_each_lever_of_the_stage(levers: dict[str, float], field: str, value: Any) -> None:
    fix = proposed("image", {"width": 640}, fail("face_in_frame.luca", **levers))
    assert fix.args["adjust"][field] == pytest.approx(value)
    assert fix.args["width"] == 640
    assert fix.seed_step == 0
    assert fix.reason.startswith("face_in_frame.luca: measured; trying")


def test_corrections_add_up_over_attempts_and_grow() -> None:
    first = proposed("image", {}, fail("in_frame.luca", dx__luca=0.1))
    second = proposed("image", first.args, fail("in_frame.luca", dx__luca=0.1), attempt=2)
    assert second.args["adjust"]["dx"]["luca"] == pytest.approx(0.1 + 0.135)


def test_opposite_wishes_widen_the_picture() -> None:
    checks = fail("face_in_frame.luca", 0.1, dx__luca=0.1), fail("not_hidden.luca", 0.9, dx__luca=-0.2)
    adjust = proposed("image", {}, *checks).args["adjust"]
    assert adjust["zoom"] < 1
    assert adjust["dx"]["luca"] == pytest.approx(0.1)


def test_to_show_all_comes_before_to_show_large() -> None:
    adjust = proposed("image", {}, fail("on_stage.luca", zoom=1.4), fail("in_frame.alberto", zoom=0.8)).args["adjust"]
    assert adjust["zoom"] == pytest.approx(0.8)


def test_a_blank_picture_gets_another_seed_and_the_same_arguments() -> None:
    fix = proposed("image", {"style": "x"}, fail("not_blank", seed=1))
    assert (fix.args, fix.seed_step) == ({"style": "x"}, 1)


def test_speech_is_hurried_to_the_limit_and_no_further() -> None:
    fix = proposed("speech", {"text": "hi", "rate": 1.0}, fail("fits", rate=1.1))
    assert fix.args == {"text": "hi", "rate": 1.1}
    fix = proposed("speech", fix.args, fail("fits", rate=1.25), attempt=2)
    assert fix.args["rate"] == 1.25
    assert propose("speech", fix.args, [fail("fits", rate=1.25)], 3) is None


def test_a_mix_is_aimed_elsewhere() -> None:
    fix = proposed("sound", {"fps": 24, "target_lufs": -16.0}, fail("loudness", target_lufs=-13.5))
    assert fix.args["target_lufs"] == -13.5


levers = st.dictionaries(
    st.sampled_from(["zoom", "dy", "dx.luca", "dx.alberto", "exposure", "seed", "rate", "target_lufs"]),
    st.floats(-3, 3).filter(lambda value: abs(value) > 0.01),
    max_size=4,
).map(lambda found: {k: abs(v) + 0.1 if k in ("zoom", "exposure", "rate") else v for k, v in found.items()})
failed_checks = st.lists(
    st.builds(
        lambda name, score, fix: holds(name, False, "measured", score=score, fix=fix),
        st.sampled_from(["exposure", "on_stage.luca", "face_in_frame.luca", "not_hidden.alberto", "fits", "loudness"]),
        st.floats(0, 1),
        levers,
    ),
    max_size=5,
)


@settings(deadline=None)
@given(st.sampled_from(["image", "shot", "speech", "sound", "music", "film"]), st.lists(failed_checks, max_size=4))
def test_no_attempt_is_ever_repeated(kind: str, rounds: list[list[Check]]) -> None:
    args: dict[str, Any] = {"rate": 1.0} if kind == "speech" else {}
    tried: list[tuple[dict[str, Any], int]] = [(args, 0)]
    seed = 0
    for attempt, checks in enumerate(rounds, 1):
        fix = propose(kind, args, checks, attempt, tried=[before for before, _ in tried])
        if fix is None:
            continue
        args, seed = fix.args, seed + fix.seed_step
        assert (args, seed) not in tried
        tried.append((args, seed))
        StageAdjustment.model_validate(args.get("adjust") or {})
        assert 0.6 <= args.get("rate", 1.0) <= 1.6


@settings(deadline=None)
@given(failed_checks, st.integers(1, 3))
def test_the_arguments_given_are_left_alone(checks: list[Check], attempt: int) -> None:
    args = {"adjust": {"dx": {"luca": 0.1}, "zoom": 0.9}}
    propose("image", args, checks, attempt)
    assert args == {"adjust": {"dx": {"luca": 0.1}, "zoom": 0.9}}


def attempts(shelf: Shelf, shot: Shot, most: int = 3) -> list[ReviewArtifact.Output]:
    """Draw, review and mend as the quality loop does."""
    args: dict[str, Any] = {"adjust": StageAdjustment().model_dump(mode="json")}
    reviews = []
    for attempt in range(1, most + 1):
        ref = put_image(shelf, f"try{attempt}", shot, StageAdjustment.model_validate(args["adjust"]))
        given_args = ReviewArtifact.Input(kind="image", subject=ref, shot=shot, cast=CAST, expect_size=SIZE)
        reviews.append(Measure().run(given_args, shelf.context(f"review{attempt}")))
        if reviews[-1].passed:
            break
        fix = propose("image", args, reviews[-1].checks, attempt)
        if fix is None:
            break
        args = fix.args
    return reviews


@pytest.mark.parametrize(
    "placements",
    [
        [Placement(character="luca", x=0.0)],
        [Placement(character="luca", x=1.0)],
        [Placement(character="luca", x=0.5), Placement(character="alberto", x=0.5, depth=0.3)],
        [Placement(character="luca", x=0.5), Placement(character="alberto", x=0.53, depth=0.05)],
        [Placement(character="luca", x=0.02), Placement(character="alberto", x=0.05, depth=0.2)],
        [Placement(character="luca", x=0.98), Placement(character="alberto", x=0.97, depth=0.2)],
    ],
)
@pytest.mark.parametrize("framing", ["full", "medium"])
def test_the_loop_converges_within_three_attempts(tmp_path: Path, placements: list[Placement], framing: Any) -> None:
    reviews = attempts(Shelf(tmp_path), two_shot(framing=framing, placements=placements))
    assert not reviews[0].passed
    assert reviews[-1].passed, [c for c in reviews[-1].checks if c.status == "failed"]
    assert reviews[-1].score > reviews[0].score


def test_another_seed_is_tried_only_where_a_check_asks_for_it_and_it_helps() -> None:
    assert propose("speech", {"rate": 1.25}, [fail("fits", rate=1.5)], 2, [{"rate": 1.25}]) is None
    mumbled = fail("present", seed=1)
    assert proposed("speech", {"rate": 1.0}, mumbled, tried=[{"rate": 1.0}]).seed_step == 1
    assert propose("speech", {"rate": 1.0}, [mumbled], 2, [{"rate": 1.0}], seed_helps=False) is None
