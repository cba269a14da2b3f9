"""A figure: median, pairs, goal; what is stated has a figure; what cannot be measured here is told, never a number."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.benchmarks import running
from evals.benchmarks.cli import BENCHMARKS
from evals.benchmarks.record import BenchRow, BenchRun
from evals.benchmarks.row import Row, timed_process
from evals.benchmarks.stated import load_stated
from tools.errors import MissingPrerequisite

times = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=9)


def test_a_ratio_is_the_median_of_pairs_so_that_a_slow_moment_slows_both() -> None:
    row = Row.of("work", [1.0, 1.0, 9.0], "s", goal=2.0, against=[2.0, 2.0, 18.0], compared_with="theirs")
    assert (row.value, row.against, row.ratio, row.met) == (1.0, 2.0, 0.5, True)
    assert row.as_json()["ratio_repeats"] == {"count": 3, "min": 0.5, "median": 0.5, "max": 0.5}
    drifting = Row.of("work", [1.0, 3.0], "s", against=[1.0, 1.5])
    assert drifting.ratio == 1.5, "of the medians it would be 1.6"


@given(times, times)
def test_every_row_makes_a_valid_record(ours: list[float], theirs: list[float]) -> None:
    row = Row.of("work", ours, "ms", goal=1.0, against=theirs)
    found = BenchRow(**row.as_json(), benchmark="any")
    assert found.value is not None
    assert found.repeats is not None
    assert found.repeats.min <= found.value <= found.repeats.max
    assert json.loads(found.model_dump_json())["met"] is row.met
    assert (found.ratio_repeats is None) == (len(ours) != len(theirs))


def test_what_has_no_end_is_no_figure() -> None:
    data = Row("planned and proven", float("inf"), "ms", 250.0).as_json()
    assert data["value"] is None
    assert data["met"] is False, "but its goal is missed"


def test_what_was_not_run_has_no_value_and_no_verdict() -> None:
    row = Row("cycle", None, "s", 0.8, against=1.0, not_run="torch sees no card")
    assert (row.ratio, row.met, row.as_json()["value"]) == (None, None, None)


def test_every_benchmark_is_stated_and_can_be_imported_without_its_libraries() -> None:
    stated = load_stated().benchmarks
    assert list(stated) == BENCHMARKS
    for name in BENCHMARKS:
        assert callable(importlib.import_module(f"evals.benchmarks.{name}").measure)
    code = "import sys\n" + "".join(f"import evals.benchmarks.{name}\n" for name in BENCHMARKS)
    code += "print(*{n.partition('.')[0] for n in sys.modules})"
    folder = Path(__file__).parent.parent.parent.parent
    loaded = set(timed_process(["-c", code], cwd=folder).output.split())
    assert not loaded & {"torch", "openai", "chromadb", "trafilatura", "skia", "langgraph"}


def test_the_figures_of_the_source_are_those_that_are_stated() -> None:
    """A row that is renamed must be renamed in stated.yaml: its beginning stands in its module, or one it reads."""
    folder = Path(running.__file__).parent
    source = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    for name, claims in load_stated().benchmarks.items():
        for claim in claims:
            begin = claim.figure.split(",")[0].split(" / ")[0].split(" 10")[0].split(" 200 ")[0]
            found = begin in source or begin.replace("10 nearest", "{NEAREST} nearest") in source
            assert found or begin.startswith(("10 nearest", "missed of", "SDXL")), f"{name}: {claim.figure}"


class Fake:
    """A module of a benchmark."""

    def __init__(self, rows: list[Row] | Exception, lacking: str = "") -> None:
        self.rows, self.lack = rows, lacking

    def measure(self) -> list[Row]:
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows

    def lacking(self) -> str:
        return self.lack


def run_with(monkeypatch: pytest.MonkeyPatch, **modules: Fake) -> BenchRun:
    monkeypatch.setattr(running, "import_module", lambda path: modules[path.rpartition(".")[2]])
    return running.run_benchmarks(list(modules))


def test_one_record_holds_everything_and_is_what_its_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import jsonschema

    rows = [Row.of("draft frame, 720p, CPU", [50.0, 52.0], "ms", goal=80.0, against=[240.0, 250.0])]
    run = run_with(monkeypatch, frame=Fake(rows), gpu=Fake([], "torch sees no card"))
    data = run.as_json()
    jsonschema.Draft202012Validator(BenchRun.model_json_schema()).validate(data)
    assert BenchRun.model_validate_json(json.dumps(data)) == run
    assert run.rows[0].yardstick_ms
    assert run.rows[0].met
    gpu = [row for row in run.rows if row.benchmark == "gpu"]
    assert len(gpu) == len(load_stated().benchmarks["gpu"])
    assert all(row.value is None and row.not_run == "torch sees no card" for row in gpu), "never a number"
    assert run.machine.cores >= 1
    assert run.machine.libraries


def test_a_benchmark_that_breaks_or_lacks_something_does_not_take_the_others_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacks = MissingPrerequisite("the peer needs llguidance", command="pip install llguidance")
    run = run_with(
        monkeypatch,
        film=Fake(RuntimeError("studio render failed: no room")),
        chat=Fake(lacks),
        frame=Fake([Row("draft frame, 720p, CPU", 50.0, "ms", 80.0)]),
    )
    assert run.failed == {"film": "RuntimeError: studio render failed: no room"}
    assert next(row for row in run.rows if row.benchmark == "frame").value == 50.0
    told = {row.benchmark: row.not_run for row in run.rows if row.value is None}
    assert "llguidance" in told["chat"]
    assert told["film"].startswith("failed: RuntimeError")


def test_a_busy_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = iter([[5.0, 4.0, 3.0], [5.0], [6.0, 4.0, 3.0]])
    monkeypatch.setattr(running, "load_averages", lambda: next(loads))
    monkeypatch.setattr(running, "find_machine", lambda: _machine(2))
    run = run_with(monkeypatch, frame=Fake([Row("draft frame, 720p, CPU", 50.0, "ms", 80.0)]))
    assert not run.quiet
    assert "load 5 on 2 cores" in run.warnings[0]
    quiet = iter([[0.1, 0.1, 0.1], [0.1], [1.1, 0.3, 0.1]])
    monkeypatch.setattr(running, "load_averages", lambda: next(quiet))
    run = run_with(monkeypatch, frame=Fake([Row("draft frame, 720p, CPU", 50.0, "ms", 80.0)]))
    assert run.quiet
    assert not [one for one in run.warnings if "load" in one]


def _machine(cores: int) -> Any:
    from tests.evals.benchmarks.invented import machine

    return machine(cores=cores)


def test_memory_of_a_process_and_its_failure_are_seen(tmp_path: Path) -> None:
    import subprocess

    assert timed_process(["-c", "print('said')"], cwd=tmp_path).output == "said\n"
    with pytest.raises(subprocess.CalledProcessError):
        timed_process(["-c", "raise SystemExit(3)"], cwd=tmp_path)
    assert sys.executable
