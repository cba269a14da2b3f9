"""Sizes are learned, kept by an atomic write, shared between processes, and a broken file costs nothing but itself."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from tools.errors import StorageFailed
from tools.runtime.residency.sizes import MeasuredSizes, machine_name
from tools.runtime.scheduling.problem import Model

PRIOR = Model("sdxl", weights=7000, working=4000, load_s=1.0, cold_s=8.0)


def test_measured_sizes_take_the_place_of_expected_ones(tmp_path: Path) -> None:
    sizes = MeasuredSizes(tmp_path, "here")
    assert sizes.predict(PRIOR) == PRIOR
    sizes.record("sdxl", weights=7100, load_s=0.5, working=1000)
    assert sizes.predict(PRIOR) == Model("sdxl", 7100, 4000, 0.5, 8.0), "one call proves no small working memory"
    for working in (2000, 1500):
        sizes.record("sdxl", working=working)
    assert sizes.predict(PRIOR).working == 2200
    sizes.record("sdxl", working=9000)
    assert sizes.predict(PRIOR).working == 9900


def test_a_large_working_memory_is_believed_at_once(tmp_path: Path) -> None:
    sizes = MeasuredSizes(tmp_path, "here")
    sizes.record("sdxl", working=5000)
    assert sizes.predict(PRIOR).working == 5500


def test_times_are_means_that_forget(tmp_path: Path) -> None:
    sizes = MeasuredSizes(tmp_path, "here")
    for seconds in [10.0] + [1.0] * 20:
        sizes.record("sdxl", load_s=seconds)
    assert sizes.predict(PRIOR).load_s == pytest.approx(1.0, abs=0.02)


def test_they_outlive_the_process_and_belong_to_one_machine(tmp_path: Path) -> None:
    sizes = MeasuredSizes(tmp_path, "here")
    sizes.record("sdxl", weights=7100)
    sizes.save()
    assert MeasuredSizes(tmp_path, "here").predict(PRIOR).weights == 7100
    assert MeasuredSizes(tmp_path, "there").predict(PRIOR).weights == 7000
    assert machine_name("RTX 5080", "580.1") != machine_name("RTX 4090", "580.1")


def test_two_that_learn_at_once_keep_what_both_measured(tmp_path: Path) -> None:
    def learn(index: int) -> None:
        sizes = MeasuredSizes(tmp_path, "here")
        for step in range(5):
            sizes.record(f"model{index}", weights=step)
            sizes.record("shared", working=10 * index + step)
            sizes.save()

    threads = [threading.Thread(target=learn, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = MeasuredSizes(tmp_path, "here")
    assert all(known.predict(Model(f"model{index}", 99)).weights == 4 for index in range(4))
    shared = known.get("shared")
    assert shared is not None
    assert (shared.working, shared.calls) == (34, 20)
    assert [path.name for path in tmp_path.iterdir()] == [known.path.name], "no drafts, no locks left"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2, "machine": "here"}', '{"machine": "here", "models": {"a": {"weights": -1}}}'],
)
def test_a_broken_file_is_said_and_measured_anew(tmp_path: Path, text: str) -> None:
    path = MeasuredSizes(tmp_path, "here").path
    path.write_text(text)
    sizes = MeasuredSizes(tmp_path, "here")
    assert path.name in sizes.note
    assert sizes.predict(PRIOR) == PRIOR
    sizes.record("sdxl", weights=1)
    sizes.save()
    assert json.loads(path.read_text())["models"]["sdxl"]["weights"] == 1


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses_keeps_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    sizes = MeasuredSizes(tmp_path, "here")
    sizes.record("sdxl", weights=1)
    sizes.save()
    before = sizes.path.read_bytes()

    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os if call == "fsync" else Path, call, refuse)
        sizes.record("sdxl", weights=2)
        with pytest.raises(StorageFailed, match="No space left"):
            sizes.save()
    assert sizes.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [sizes.path.name]
    sizes.save()
    assert MeasuredSizes(tmp_path, "here").predict(PRIOR).weights == 2, "nothing learned was lost"
