"""The process of a command stands in the scenario's world: its settings, its engines; it asks only this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from configs.settings import Settings
from evals.run.child import Edges
from evals.run.outside import as_told, environment_of
from evals.scenario import _REACHES_A_PROCESS
from evals.world.model import World
from evals.world.opened import settings_of
from tools.errors import InvalidInput

ROOT = Path(__file__).parents[3]
ASKS = """
import socket, sys
from pathlib import Path
from evals.run.child import Edges, enter
enter(Edges(faults=Path("."), alone=sys.argv[1] == "alone"))
def told(ask):
    try:
        ask()
    except OSError as error:
        return str(error)
    return "went through"
server = socket.create_server(("127.0.0.1", 0))
print("loopback:", told(lambda: socket.create_connection(server.getsockname(), 5).close()))
def outside():
    with socket.socket() as one:
        one.settimeout(0.05)
        one.connect(("192.0.2.1", 80))
print("outside:", told(outside))
print("name:", told(lambda: socket.getaddrinfo("localhost", 80)))
print("other name:", told(lambda: socket.getaddrinfo("surely.invalid", 80)))
"""


def asks(alone: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASKS, "alone" if alone else "free"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_command_reaches_this_machine_and_no_other() -> None:
    told = asks(alone=True)
    assert "loopback: went through" in told
    assert "outside: a scenario connects to nothing outside" in told
    assert "\nname: went through" in told
    assert "a scenario resolves no names" in told


def test_the_twin_without_the_guard_tries_it() -> None:
    told = asks(alone=False)
    assert "a scenario" not in told


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"seed": 3, "network": True, "quality_threshold": 0.93, "strategy": "react", "turn_tokens": 2000},
        {"engines": ["generate_image=draft", "compose_music=score"], "workers": 2, "max_attempts": 1},
    ],
)
def test_settings_arrive_as_they_are(said: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(settings=said, profile="8gb")
    meant = settings_of(world, tmp_path)
    found = environment_of(meant, world, tmp_path / "home", live=False)
    for name in [one for one in os.environ if one.startswith("STUDIO_")]:
        monkeypatch.delenv(name)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    assert Settings() == meant


def test_nothing_of_the_persons_own_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {"STUDIO_SEED": "77", "OPENAI_API_KEY": "sk-mine", "HF_TOKEN": "hf-mine", "XDG_CONFIG_HOME": "/mine",
            "STUDIO_LLM_API_KEY": "mine", "LANG": "it_IT.UTF-8", "HOME": "/home/mine"}  # fmt: skip
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    world = World(environment={"STUDIO_LLM_API_KEY": "of the scenario"})
    found = environment_of(settings_of(world, tmp_path).model_copy(update={"seed": 0}), world, tmp_path, live=False)
    assert not [name for name, value in found.items() if "mine" in value or value == "77"]
    assert (found["STUDIO_LLM_API_KEY"], found["HOME"], found["STUDIO_SEED"]) == ("of the scenario", str(tmp_path), "0")
    live = environment_of(settings_of(World(), tmp_path), World(), tmp_path, live=True)
    assert live["OPENAI_API_KEY"] == "sk-mine", "the person's own chat model needs its key"
    assert "HF_TOKEN" not in live


def test_every_field_of_a_world_is_known_to_reach_a_command_or_not() -> None:
    """A new field is refused beside a command until somebody has seen to it that it reaches one."""
    assert set(World.model_fields) >= _REACHES_A_PROCESS
    assert set(World.model_fields) - _REACHES_A_PROCESS == set()


def test_a_command_of_the_world_has_its_engines_and_machine(tmp_path: Path) -> None:
    world = {"machine": {"memory_gb": 48}, "ears": ["hello there"]}
    edges = tmp_path / "edges.json"
    edges.write_text(Edges(engines=world, faults=tmp_path / "world").model_dump_json(), encoding="utf-8")
    environment = {**os.environ, "STUDIO_PRODUCTIONS": str(tmp_path), "STUDIO_PROFILE": "16gb", "PYTHONPATH": str(ROOT)}

    def doctor(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", *command, "doctor", "--json"], cwd=tmp_path, env=environment,
            capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    told, plain = doctor("evals.run.child", str(edges), "-"), doctor("agent")
    assert '"memory": "48 GiB"' in told
    assert "transcribe/ears" in told
    for one in ('"memory": "48 GiB"', "transcribe/ears"):
        assert one not in plain, "the control: the command as it ships"


def test_what_was_told_is_copied_and_what_was_not_is_an_error() -> None:
    told = [{"id": "a1", "parts": [1, 2]}]
    assert as_told("remove {told:0.id} {told:0.parts.1}", told) == "remove a1 2"
    assert as_told("no {curly} {} words", None) == "no {curly} {} words"
    for wrong in ("{told:1.id}", "{told:0.parts}", "{told:id.x}"):
        with pytest.raises(InvalidInput, match="told no text"):
            as_told(wrong, told)
