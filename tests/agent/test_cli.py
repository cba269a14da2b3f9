"""The command line: honest exit codes, one-line errors, JSON alone on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.boards import beach
from tools.storyboard import save_storyboard


def studio(folder: Path, *args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "STUDIO_PRODUCTIONS": str(folder / "productions"), **env}
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *args],
        env=settings,
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = studio(tmp_path, "--help")
    assert done.returncode == 0
    for name in ("make", "plan", "render", "chat", "show", "doctor", "tools", "bench"):
        assert name in done.stdout


def test_a_plan_as_json_is_alone_on_standard_output(tmp_path: Path) -> None:
    done = studio(tmp_path, "plan", "make a beach scene with Luca and Alberto", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert set(plan) == {"intent", "storyboard"}
    assert plan["intent"]["kind"] == "scene"
    assert plan["intent"]["characters"] == ["luca", "alberto"]
    assert {p["character"] for s in plan["storyboard"]["shots"] for p in s["placements"]} == {"luca", "alberto"}
    assert {s["location"] for s in plan["storyboard"]["shots"]} == {"beach"}


def test_the_same_thread_goes_on(tmp_path: Path) -> None:
    studio(tmp_path, "plan", "make a beach scene with Luca and Alberto", "--thread", "t")
    done = studio(tmp_path, "plan", "make it night", "--thread", "t", "--json")
    plan = json.loads(done.stdout)
    assert plan["intent"]["kind"] == "edit"
    assert {s["time_of_day"] for s in plan["storyboard"]["shots"]} == {"night"}
    undone = json.loads(studio(tmp_path, "plan", "undo", "--thread", "t", "--json").stdout)
    assert {s["time_of_day"] for s in undone["storyboard"]["shots"]} != {"night"}


BAD = {
    "empty": (["make", ""], "empty"),
    "only control characters": (["make", "\x01\x02"], "empty"),
    "no such storyboard": (["render", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
    "no such production": (["show", "nothing"], "there is no production"),
    "a name that climbs": (["show", "../../etc"], "production"),
    "no such planner": (["plan", "a beach"], "planner"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_not_zero(name: str, tmp_path: Path) -> None:
    args, told = BAD[name]
    done = studio(tmp_path, *args, **({"STUDIO_PLANNER": "gpt-9"} if name == "no such planner" else {}))
    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert not list(tmp_path.glob("productions/[a-z]*"))


def test_a_megabyte_on_standard_input_is_refused_at_once(tmp_path: Path) -> None:
    done = studio(tmp_path, "make", "-", stdin="a " * 500_000)
    assert done.returncode == 1
    assert "1,000,000 characters" in done.stderr


def test_a_malformed_storyboard_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "board.yaml"
    save_storyboard(beach(), path)
    text = path.read_text(encoding="utf-8").replace("framing: wide", "framing: enormous")
    path.write_text(text, encoding="utf-8")
    number = next(i for i, row in enumerate(text.splitlines(), 1) if "enormous" in row)
    done = studio(tmp_path, "render", "board.yaml")
    assert done.returncode == 1
    assert f"board.yaml:{number}: " in done.stderr


def test_another_productions_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("mine", encoding="utf-8")
    save_storyboard(beach(), tmp_path / "board.yaml")
    done = studio(tmp_path, "render", "board.yaml", "--out", str(other))
    assert done.returncode == 1
    assert "holds other files" in done.stderr
    assert [path.name for path in other.iterdir()] == ["precious.txt"]


def test_tools_as_openai_schemas(tmp_path: Path) -> None:
    schemas = json.loads(studio(tmp_path, "tools", "--json").stdout)
    names = {schema["function"]["name"] for schema in schemas}
    assert {"generate_image", "synthesize_speech", "edit_video", "review_artifact"} <= names
    assert all(schema["function"]["description"] for schema in schemas)


def test_doctor_finds_the_embedded_engines_ready(tmp_path: Path) -> None:
    done = studio(tmp_path, "doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert report["engines"]["generate_image/draft"] == "ready"
    assert report["machine"]["profile"] == "cpu" or report["machine"]["gpu"] != "none"
