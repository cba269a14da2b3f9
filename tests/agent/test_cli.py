"""The command line: honest exit codes, one-line errors, JSON alone on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agent.progress import show_storyboard
from tests.agent.boards import beach, line, shot
from tools.storyboard import ControlImage, load_storyboard, save_storyboard


def studio(folder: Path, *args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "STUDIO_PRODUCTIONS": str(folder / "productions"), **env}
    return subprocess.run(
        [sys.executable, "-m", "agent", *args],
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
    "a mistyped command": (["plna", "a beach"], "Did you mean `studio plan`"),
    "a name too long for the disk": (["show", "o" * 300], "there is no production"),
    "a thread too long": (["plan", "a beach", "--thread", "t" * 1000], "--thread"),
    "a thread of control characters": (["plan", "a beach", "--thread", "\x1b[31m"], "--thread"),
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


def test_a_folder_that_was_removed_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    command = ["sh", "-c", 'rmdir "$0"; exec "$@"', str(folder), sys.executable, "-m", "agent", "plan", "a beach"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "studio: the folder you are in has been removed; go to another one with cd.\n"


def test_a_missing_control_picture_is_told_before_a_folder_is_made(tmp_path: Path) -> None:
    picture = ControlImage(kind="depth", image="nowhere.png")
    board = beach(shot("s1", "luca").model_copy(update={"control": [picture]}))
    save_storyboard(board, tmp_path / "board.yaml")
    done = studio(tmp_path, "render", "board.yaml")
    assert done.returncode == 1
    assert "no file 'nowhere.png'" in done.stderr
    assert not (tmp_path / "productions").exists()


def test_a_wrong_profile_is_told_before_a_folder_is_made(tmp_path: Path) -> None:
    save_storyboard(beach(), tmp_path / "board.yaml")
    done = studio(tmp_path, "render", "board.yaml", STUDIO_PROFILE="quantum")
    assert done.returncode == 1
    assert "no profile 'quantum'" in done.stderr
    assert not (tmp_path / "productions").exists()


def test_standard_input_may_be_closed_or_no_text(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent", "plan", "-", "--json"]
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command], cwd=tmp_path, capture_output=True, check=False
    )
    assert closed.returncode == 1
    assert b"the request is empty" in closed.stderr
    odd = subprocess.run(command, cwd=tmp_path, input=b"a beach \xff with Luca", capture_output=True, check=False)
    assert odd.returncode == 0, odd.stderr
    assert json.loads(odd.stdout)["intent"]["characters"] == ["luca"]


def test_text_is_shown_as_it_stands_and_commands_no_terminal(tmp_path: Path) -> None:
    board = beach(shot("s1", "luca", dialogue=[line("luca", "[/b] :smile: \x1b[31mred")]))
    save_storyboard(board.model_copy(update={"title": "[/x] \x1b[2J"}), tmp_path / "board.yaml")
    done = studio(tmp_path, "render", "board.yaml", "--out", str(tmp_path / "board.yaml"))
    assert done.returncode == 1
    done = studio(tmp_path, "plan", "on the beach. Luca: [/b] this is :smile: fine")
    assert done.returncode == 0, done.stderr
    assert "[/b]" in done.stdout
    assert ":smile:" in done.stdout
    console = Console(file=StringIO(), width=200, emoji=False)
    show_storyboard(console, load_storyboard(tmp_path / "board.yaml").model_dump(mode="json"))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[/x]" in shown
    assert "[/b] :smile: red" in shown
    assert "\x1b" not in shown


def test_a_terminal_without_the_letters_gets_their_numbers(tmp_path: Path) -> None:
    done = studio(tmp_path, "plan", "on the beach. Luca: perché no?", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "perch\\xe9" in done.stdout


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
