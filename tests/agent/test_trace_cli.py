"""`studio trace`: tables, picture, JSON, metrics, and honest exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from agent.cli import app
from tests.agent.test_cli import studio
from tests.tools.runtime.telemetry.samples import told
from tools.errors import InvalidInput
from tools.runtime.telemetry.files import trace_path, traces, write_trace


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path / "productions"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "productions" / "the_beach"
    record = told().record
    write_trace(trace_path(folder, record.wall), record)
    return folder


def run(*args: str) -> str:
    done = CliRunner().invoke(app, ["trace", *args], env={"COLUMNS": "160"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


def test_tables_and_a_picture_beside_the_trace(production: Path) -> None:
    told = run("the_beach")
    for text in ("The beach", "where the time went", "computing on a device", "loading models", "cuda:0", "15.0 GiB"):
        assert text in told
    assert "generate_image/sdxl" in told
    assert "No order loads for less than 1.2 s; this one for 1.25 x as much." in told
    picture = traces(production)[0].with_suffix(".svg")
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert "productions/the_beach/traces/2023-11-14T22-13-20Z.svg" in told


def test_a_file_is_taken_too_and_the_picture_goes_where_it_is_told(production: Path, tmp_path: Path) -> None:
    run(str(traces(production)[0]), "--out", str(tmp_path / "new" / "run.svg"))
    assert (tmp_path / "new" / "run.svg").read_text().startswith("<svg")
    assert not list(production.rglob("*.svg"))


def test_json_alone(production: Path) -> None:
    data = json.loads(run("the_beach", "--json"))
    assert data["summary"]["switches"] == 3
    assert data["picture"] == ""
    assert not list(production.rglob("*.svg"))
    listed = json.loads(run("--json"))
    assert [(row["production"], row["calls"], row["problem"]) for row in listed] == [("the_beach", 4, "")]


@pytest.mark.usefixtures("production")
def test_metrics_alone() -> None:
    told = run("the_beach", "--metrics")
    assert 'studio_model_loads_total{device="cuda:0",model="eye"} 2.0' in told
    assert all(line.startswith(("#", "studio_")) for line in told.splitlines())


def test_the_list_names_damage(production: Path) -> None:
    other = production.parent / "other" / "traces"
    other.mkdir(parents=True)
    (other / "2024-01-01T00-00-00Z.json").write_text("{")
    told = run()
    assert "the_beach" in told
    assert "2023-11-14 22:13:20 UTC  6.2 s, 4 calls" in told
    assert "is no trace of the studio" in told


def test_nothing_recorded_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path / "none"))
    assert "Nothing was recorded" in run()
    assert json.loads(run("--json")) == []


@pytest.mark.usefixtures("production")
def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="name a file"):
        run("the_beach", "--out", str(tmp_path))


def test_exit_codes_are_honest(tmp_path: Path) -> None:
    for args in (["trace", "nowhere"], ["trace", "../../etc/passwd"]):
        done = studio(tmp_path, *args)
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1
        assert done.stderr.startswith("studio: ")


def test_what_the_studio_makes_is_recorded(tmp_path: Path) -> None:
    made = studio(tmp_path, "make", "only a picture of Luca on the beach", "--json")
    assert made.returncode == 0, made.stderr
    name = Path(json.loads(made.stdout)["production"]).name
    told = studio(tmp_path, "trace", name, "--json")
    data = json.loads(told.stdout)
    engines = {one["tool"] for one in data["summary"]["engines"]}
    assert {"generate_image", "review_artifact"} <= engines
    assert set(data["summary"]["calls"]) == {"done"}
    assert sum(data["summary"]["parts"].values()) == pytest.approx(data["summary"]["wall_s"], abs=1e-3)
    assert (tmp_path / "productions" / name / "traces" / "studio.prom").is_file()
    again = studio(tmp_path, "make", "only a picture of Luca on the beach", "--json")
    assert again.returncode == 0
    assert len(traces(tmp_path / "productions" / name)) == 1
