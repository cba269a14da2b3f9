"""`studio eval` as a person types it: exit codes, table, JSON, list, comparison, history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evals.result import EvalResult
from evals.results_folder import new_folder
from tests.evals.scenarios.files import write
from tools.runtime.storage.locks import FileLock


def studio(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # By its module: an environment that was set up before the command existed does not list it.
    code = (
        "import sys, typer; from evals.cli import eval_command; app = typer.Typer(); app.command()(eval_command); app()"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two scenarios: one that passes, and one that cannot."""
    folder = tmp_path / "scenarios"
    write(folder, name="good_plan", tags=["good"])
    wrong = [
        {"say": "Luca on the beach", "options": {"plan_only": True}, "expect": {"storyboard": {"places": ["moon"]}}}
    ]
    write(folder, name="wrong_plan", tags=["wrong"], turns=wrong)
    return folder


def test_enough_passed(files: Path, tmp_path: Path) -> None:
    done = studio(tmp_path, "good", "--scenarios", str(files), "--repeat", "2")
    assert done.returncode == 0, done.stderr
    assert "good_plan (2)" in done.stdout
    assert "100.0% passed, 95% are asked for: good" in " ".join(done.stdout.split())
    kept = next((tmp_path / "evals-results").glob("*/results.json"))
    result = EvalResult.load(kept)
    assert result.summary["pass^2"] == 1.0
    assert len(result.scenarios[0].runs) == 2
    assert (kept.parent / result.scenarios[0].runs[0].folder).is_dir()


def test_too_few_passed_what_differed_is_told_and_a_lower_threshold_accepts_it(files: Path, tmp_path: Path) -> None:
    done = studio(tmp_path, "--scenarios", str(files), "--json", "--out", "r1")
    assert done.returncode == 4
    result = EvalResult.model_validate_json(done.stdout)
    assert result.summary["pass@1"] == 0.5
    assert 'expected ["moon"], found ["beach"]' in " ".join(done.stderr.split())
    done = studio(tmp_path, "--scenarios", str(files), "--threshold", "0.5", "--out", "r2")
    assert done.returncode == 0
    for before, after, code in (("r1", "r2", 0), ("r2", "r1", 0)):
        done = studio(tmp_path, "--compare", f"{before}/results.json", f"{after}/results.json")
        assert (done.returncode, "0 worse, 0 better, 2 the same" in done.stdout) == (code, True)


def test_worse_is_an_exit_code(tmp_path: Path, files: Path) -> None:
    assert studio(tmp_path, "good", "--scenarios", str(files), "--out", "r1").returncode == 0
    worse = (tmp_path / "r1" / "results.json").read_text(encoding="utf-8").replace('"passed",', '"failed",')
    (tmp_path / "worse.json").write_text(worse, encoding="utf-8")
    done = studio(tmp_path, "--compare", "r1/results.json", "worse.json", "--json")
    assert done.returncode == 4
    assert [one["name"] for one in json.loads(done.stdout)["worse"]] == ["good_plan"]


def test_the_list(files: Path, tmp_path: Path) -> None:
    done = studio(tmp_path, "--scenarios", str(files), "--list", "--json")
    assert [one["name"] for one in json.loads(done.stdout)] == ["good_plan", "wrong_plan"]


def test_nothing_chosen_and_no_model_for_a_live_run_are_errors(files: Path, tmp_path: Path) -> None:
    for words, told in (
        (["nobody"], "no scenario"),
        (["--planner", "live"], "STUDIO_PRIMARY"),
        (["--planner", "x"], "no planner"),
    ):
        done = studio(tmp_path, *words, "--scenarios", str(files))
        assert done.returncode == 1
        assert told in done.stderr


def test_old_results_go(tmp_path: Path) -> None:

    for day in range(1, 6):
        folder = tmp_path / f"2026010{day}-000000"
        folder.mkdir()
        (folder / "results.json").write_text("{}", encoding="utf-8")
    (tmp_path / "2025-mine").mkdir()
    made = new_folder(tmp_path, datetime(2026, 2, 1, tzinfo=UTC), 3)
    assert made.name == "20260201-000000"
    earlier = sorted(path.name for path in tmp_path.glob("2026*") if path != made)
    assert earlier == ["20260104-000000", "20260105-000000"]
    assert (tmp_path / "2025-mine").is_dir()


def test_two_at_once_have_a_folder_each_and_one_folder_takes_one(files: Path, tmp_path: Path) -> None:
    started = datetime(2026, 1, 2, tzinfo=UTC)
    assert new_folder(tmp_path / "r", started, 20) != new_folder(tmp_path / "r", started, 20)
    (tmp_path / "out").mkdir()
    lock = FileLock(tmp_path / "out" / ".running")
    assert lock.try_acquire()
    try:
        done = studio(tmp_path, "good", "--scenarios", str(files), "--out", "out")
    finally:
        lock.release()
    assert done.returncode == 1
    assert "another studio eval is at work" in " ".join(done.stderr.split())


def test_a_folder_of_scenarios_that_is_none_is_told(tmp_path: Path) -> None:
    done = studio(tmp_path, "--scenarios", "nowhere")
    assert done.returncode == 1
    assert "there is no folder nowhere" in " ".join(done.stderr.split())
