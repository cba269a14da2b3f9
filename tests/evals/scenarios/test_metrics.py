"""Metrics against what is known by hand; what cannot be measured is neither 0 nor 1 and says why."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evals.expect.seen import Seen
from evals.metrics.all import METRICS, measure_run
from evals.result import CallSeen, Check, Metric, TurnRecord

PLAN = {"switch_s": 6.0, "bound_s": 4.0, "switches": 2}


def seen(*checks: Check, **record: Any) -> Seen:
    return Seen((TurnRecord(number=1, said="", **record),), Path("nowhere"), whole=True, checks=checks)


def held(name: str, passed: bool, **more: Any) -> Check:
    return Check(name=name, turn=1, passed=passed, **more)


def measure(name: str, what: Seen) -> float | None:
    metric = METRICS[name](what)
    assert metric.name == name
    assert metric.measured or metric.why
    return metric.value


def test_nothing_seen_is_nothing_measured() -> None:
    found = measure_run(seen())
    assert [one.name for one in found] == list(METRICS)
    assert [one for one in found if one.value is not None] == []
    assert all(one.why and "could not be measured" not in one.why for one in found)


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        told = getattr(metric, "func", metric).__doc__ or ""
        assert len(told) > 30, name


def test_intent_accuracy_by_field() -> None:
    what = seen(
        held("intent.kind", True), held("storyboard.places", False), held("storyboard.characters", True),
        held("lines", True), held("storyboard.prompts", False), held("message", False),
    )  # fmt: skip
    assert measure("intent_accuracy", what) == 0.75
    assert measure("intent_accuracy.places", what) == 0.0
    assert measure("intent_accuracy.kind", what) == 1.0
    assert measure("intent_accuracy.times", what) is None


def test_trajectories_and_arguments() -> None:
    what = seen(
        held("trajectory.must", True), held("trajectory.must", False), held("trajectory.must_not", False),
        held("trajectory.exact", False, expected=["edit_video", "mix_sound"],
             found=["compose_music", "edit_video", "review_artifact"]),
        held("trajectory.arguments.s1.still.width", True), held("trajectory.arguments.s1.still.height", False),
    )  # fmt: skip
    assert measure("trajectory_recall", what) == 0.5, "one of two words, one of two tools"
    assert measure("trajectory_precision", what) == 0.5, "reviews are no tools that were asked for"
    assert measure("argument_accuracy", what) == 0.5


def test_quality_before_and_after() -> None:
    tries = [
        {"call": "s1.still", "number": 1, "score": 0.2, "best": False},
        {"call": "s1.still", "number": 2, "score": 0.8, "best": True},
        {"call": "film", "number": 1, "score": 1.0, "best": True},
    ]
    what = seen(attempts=tries)
    assert measure("quality_before", what) == pytest.approx(0.6)
    assert measure("quality_after", what) == pytest.approx(0.9)
    assert measure("judge_retries", what) == 0.5


def test_costs() -> None:
    board = {"shots": [{"duration_s": 1.5}, {"duration_s": 2.5}]}
    calls = [
        CallSeen(id="s1.still", tool="generate_image", device="cuda:0", seconds=6.0),
        CallSeen(id="music1", tool="compose_music", seconds=9.0),
    ]
    what = seen(
        storyboard=board, files={"film": "p/film.mp4"}, calls=calls, steps=2, tokens=70, cpu_seconds=2.0,
        devices=[{"action": "plan", "plan": PLAN}, {"action": "load", "plan": None}],
    )  # fmt: skip
    assert measure("gpu_per_second", what) == 1.5
    assert measure("device_per_second", what) == 1.5
    assert measure("cpu_per_second", what) == 0.5
    assert measure("switch_gap", what) == 1.5
    assert measure("model_tokens", what) == 70


def test_what_a_cpu_computes_in_the_place_of_a_card_is_no_gpu_time(tmp_path: Path) -> None:
    board = {"shots": [{"duration_s": 2.0}]}
    calls = [CallSeen(id="s1.still", tool="generate_image", device="cpu", seconds=6.0)]
    record = TurnRecord(number=1, said="", storyboard=board, files={"film": "p/film.mp4"}, calls=calls)
    what = Seen((record,), tmp_path, whole=True)
    assert measure("gpu_per_second", what) is None
    assert "the CPU computed what it would have" in METRICS["gpu_per_second"](what).why
    assert measure("device_per_second", what) == 3.0
    assert METRICS["device_per_second"](what).why == "on cpu"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sdxl_base.yaml").touch()
    assert METRICS["device_per_second"](what).why == "on cpu; tiny random weights"


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A function: what was said in two attempts and heard by an engine with such models, as seen afterwards."""

    def make(*models: str, engine: str = "faster_whisper_turbo", notes: list[str] | None = None) -> Seen:
        def line(key: str) -> Any:
            args = {"text": "We found the boat.", "language": "en"}
            return SimpleNamespace(key=key, record=SimpleNamespace(args=args))

        def heard(key: str, text: str) -> Any:
            record = SimpleNamespace(engine=engine, models=dict.fromkeys(models, "fp32"))
            return SimpleNamespace(record=record, output={"key": key, "text": text, "notes": notes or []})

        found = {
            "synthesize_speech": [line("first"), line("second")],
            "transcribe": [heard("first", "nothing of it"), heard("second", "we found a boat")],
        }
        monkeypatch.setattr("evals.metrics.making._artifacts", lambda _seen, tool: iter(found[tool]))
        (tmp_path / "models").mkdir(exist_ok=True)
        for name in models:
            (tmp_path / "models" / f"{name}.yaml").touch()
        tries = [{"key": "first", "best": False}, {"key": "second", "best": True}]
        return Seen((TurnRecord(number=1, said="", attempts=tries),), tmp_path, whole=True)

    return make


def test_words_are_counted_in_the_lines_that_were_kept_and_it_is_told_who_heard_them(spoken: Any) -> None:
    found = METRICS["speech_wer"](spoken("whisper_turbo", notes=["among 9 words"]))
    assert found.value == 0.25, "one of four words; the attempt that was not kept is not in it"
    assert found.why == "heard by faster_whisper_turbo; among 9 words"


def test_what_random_weights_write_down_is_not_counted(spoken: Any) -> None:
    found = METRICS["speech_wer"](spoken("whisper_small", engine="faster_whisper_small"))
    assert found.value is None
    assert found.why == "faster_whisper_small listened, with random weights: no word of it counts"


def test_loads_are_told_beside_the_switches_of_the_plans() -> None:
    plan = {**PLAN, "switches": 3}
    what = seen(devices=[{"action": "plan", "plan": plan}, {"action": "load", "plan": None}])
    assert METRICS["switch_gap"](what).why == "3 switches planned, 1 loads made"


def test_a_film_is_measured(film: Seen) -> None:
    found = {one.name: one for one in measure_run(film)}
    assert found["film_validity"].value == 1.0
    assert found["on_stage_count"].value == 1.0
    assert found["subtitle_offset"].value is not None
    assert found["subtitle_offset"].value < 0.3
    assert not found["speech_wer"].measured
    assert "recogniser" in found["speech_wer"].why
    assert not found["identity_similarity"].measured


def test_a_film_that_was_cut_off_is_not_valid(film: Seen, tmp_path: Path) -> None:
    cut = tmp_path / "film.mp4"
    whole = (film.production / "film.mp4").read_bytes()
    cut.write_bytes(whole[: len(whole) * 3 // 4])
    record = film.last.model_copy(update={"files": {"film": str(cut)}})
    metric = METRICS["film_validity"](Seen((record,), tmp_path, whole=True))
    assert metric.value in (0.0, None) or not metric.measured


def test_one_more_on_paper_than_in_the_picture_is_counted(film: Seen) -> None:
    board = {**(film.board or {})}
    shot = {**board["shots"][0], "placements": [*board["shots"][0]["placements"], {"character": "giulia"}]}
    record = film.last.model_copy(update={"storyboard": {**board, "shots": [shot]}})
    assert measure("on_stage_count", Seen((record,), film.folder, whole=True)) == 0.0


def test_subtitles_that_come_late_are_measured(film: Seen, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(film.folder, tmp_path / "copy")
    late = Seen(film.turns, tmp_path / "copy", whole=True)
    key = next(call.key for call in film.calls if call.tool == "write_subtitles")
    path = late.production / "artifacts" / key[:2] / key / "artifact.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for cue in record["output"]["cues"]:
        cue["start"] += 0.5
    before = METRICS["subtitle_offset"](film)
    path.write_text(json.dumps(record), encoding="utf-8")
    after = METRICS["subtitle_offset"](late)
    assert isinstance(before, Metric)
    # A record that was changed is no result any more: it is not measured, never taken as good.
    assert after.value is None or after.value > (before.value or 0.0) + 0.3
