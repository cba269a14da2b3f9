"""What is told of weak parts: what, where, what was tried; in words, for every check there is."""

from __future__ import annotations

import pytest

from agent.replies import Replies
from agent.state import Attempt, Override
from agent.weaknesses import tell_failures, tell_retry, tell_weaknesses
from tests.agent.boards import beach
from tools.image.tool import StageAdjustment
from tools.review.limits import default_limits


def attempt(call: str, score: float, *failed: str, number: int = 1, best: bool = True, **override: object) -> Attempt:
    change = Override.model_validate(override)
    return Attempt(
        call=call, number=number, key="k", score=score, passed=score >= 0.7, failed=list(failed),
        reason="numbers", best=best, override=change,
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "it"])
def test_every_check_part_and_lever_has_a_name(language: str) -> None:
    words = Replies(language)._words
    assert words["checks"].keys() >= default_limits().weights.keys()
    painted = {"prompt", "negative", "repair", "control_scale", "likeness_scale"}
    assert words["levers"].keys() == {*StageAdjustment.model_fields, "rate", "target_lufs", "seed", *painted}
    assert words["parts"].keys() == {"still", "line", "motion", "music", "ambience", "subtitles", "sound", "film"}


def test_what_is_good_enough_is_not_spoken_of() -> None:
    assert tell_weaknesses([attempt("s1.still", 0.8)], 0.7, beach(), Replies("en")) == []


def test_a_weak_part_is_told_in_words() -> None:
    wider = {"args": {"adjust": StageAdjustment(zoom=0.8).model_dump(), "rate": 0.9}, "seed_step": 1}
    tries = [
        attempt("v2.s3.line1", 0.5, "words", "loudness", best=False),
        attempt("v2.s3.line1", 0.6, "face_in_frame.luca", "a", "b", "c", number=2, **wider),
    ]
    told = tell_weaknesses(tries, 0.7, beach(), Replies("en"))[1]
    assert told == (
        "  line 1 of s3 (v2): Luca: face cut off, a, b, +1 "
        "(2 attempts: a wider or closer view, another speaking rate, another take)"
    )


def test_the_weakest_come_first_and_a_long_list_is_cut() -> None:
    tries = [attempt(f"s{n}.still", 0.6 - n / 100, "exposure") for n in range(9)]
    told = tell_weaknesses(tries, 0.7, beach(), Replies("it"))
    assert "s8" in told[1]
    assert told[-1] == "  e altri 5"
    assert max(map(len, told)) < 120


def test_one_cause_is_told_once() -> None:
    failures = {
        "s1.still": "cannot write /a/still.png: No space left on device.",
        "music1": "score could not work with its files: No space left on device. Free some space.",
        "s2.line1": "espeak: hung: no sign of life",
        "film": "espeak: hung: no sign of life",
    }
    assert tell_failures(failures, Replies("en")) == [
        "picture of s1, music 1: No space left on device. Free some space.",
        "line 1 of s2, film: espeak: hung: no sign of life",
    ]


def test_the_next_attempt_is_told_in_words() -> None:
    moved = Override(args={"adjust": StageAdjustment(dx={"luca": 0.1}).model_dump()})
    told = tell_retry(attempt("s1.still", 0.1, "face_clear.alberto"), moved, beach(), Replies("en"))
    assert told == "picture of s1: Alberto: face covered; trying other places"
