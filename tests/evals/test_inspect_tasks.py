"""The scenarios through inspect_ai, in a process of its own: its log holds what `studio eval` would tell."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.evals.scenarios.files import write

pytest.importorskip("inspect_ai")
ROOT = Path(__file__).parents[2]
FORBIDDEN = """
import socket
real = socket.socket.connect
def connect(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"asks for {address}")
    return real(self, address)
socket.socket.connect = connect
"""
CODE = """
import sys
from inspect_ai import eval
where = {"log_dir": sys.argv[2], "log_format": "json", "display": "none"}
logs = eval("evals/inspect_tasks.py", task_args={"folder": sys.argv[1]}, **where)
print("STATUS", [one.status for one in logs])
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The log of three scenarios: two pass, one must fail."""
    folder = tmp_path_factory.mktemp("inspect")
    say = "Luca on the beach, square"
    write(folder / "files", name="good_plan", tags=["fast"])
    still = {"say": say, "options": {"outputs": ["image"]}, "expect": {"storyboard": {"places": ["moon"]}}}
    write(folder / "files", name="wrong_place", tags=["fast"], turns=[still])
    typed = {"command": "studio mcp list", "expect": {"output": {"contains": "mcp-server-time"}}}
    write(folder / "files", name="typed_command", tags=["fast"], turns=[typed])
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN + CODE, str(folder / "files"), str(folder / "logs")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "STATUS ['success']" in done.stdout, (done.stdout, done.stderr[-3000:])
    (path,) = (folder / "logs").glob("*.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {"results": found["results"], **{one["id"]: one for one in found["samples"]}}


def test_what_holds_and_what_does_not_is_scored_and_explained(log: dict[str, Any]) -> None:
    good, wrong = (log[name]["scores"]["checks"] for name in ("good_plan", "wrong_place"))
    assert (good["value"], good["answer"]) == ("C", "passed")
    assert (wrong["value"], wrong["answer"]) == ("I", "failed")
    assert 'storyboard.places: expected ["moon"], found ["beach"]' in wrong["explanation"]
    accuracy = next(one for one in log["results"]["scores"] if one["name"] == "checks")["metrics"]["accuracy"]
    assert accuracy["value"] == pytest.approx(2 / 3)


def test_metrics_are_scores_and_what_was_not_measured_is_none(log: dict[str, Any]) -> None:
    found = log["wrong_place"]["scores"]["measures"]
    assert found["value"]["checks_held"] == 0.0
    assert found["value"]["on_stage_count"] == 1.0
    assert math.isnan(float(found["value"]["film_validity"]))
    assert "film_validity: not measured" in found["explanation"]
    held = next(one for one in log["results"]["scores"] if one["name"] == "checks_held")
    assert held["metrics"]["mean"]["value"] == pytest.approx(2 / 3)


def test_the_log_shows_the_conversation_the_pictures_and_the_trace(log: dict[str, Any]) -> None:
    sample = log["wrong_place"]
    said, answered = sample["messages"]
    assert said["content"] == "Luca on the beach, square"
    kinds = [one["type"] for one in answered["content"]]
    assert kinds == ["text", "text", "image"]
    (picture,) = [one for one in sample["attachments"].values() if one.startswith("data:image/jpeg")]
    assert len(picture) < 100_000
    (trace,) = [one["data"] for one in sample["events"] if one["event"] == "info" and one.get("source") == "turn 1"]
    assert any(one.startswith("s1.still generate_image/draft done") for one in trace["calls"])
    assert not [one for one in sample["events"] if one["event"] == "model"], "inspect_ai's own model is never asked"


def test_a_command_stands_in_the_log_with_what_it_printed(log: dict[str, Any]) -> None:
    said, answered = log["typed_command"]["messages"]
    assert said["content"] == "$ studio mcp list"
    text = answered["content"][0]["text"]
    assert "mcp-server-time" in text
    assert text.endswith("exit code 0")


def test_what_cannot_be_chosen_is_told() -> None:
    from evals.inspect_tasks import scenarios
    from tools.errors import InvalidInput

    for asked in ({"pattern": "no_such_scenario"}, {"planner": "nobody"}):
        with pytest.raises(InvalidInput):
            scenarios(**asked)
    chosen = scenarios(pattern="fast,strategy_by_flag").dataset
    assert chosen is not None
    assert "strategy_by_flag" in {one.id for one in chosen}
    assert all("fast" in one.metadata["tags"] or one.id == "strategy_by_flag" for one in chosen)


def test_nothing_else_imports_it() -> None:
    code = "import sys, evals.commands, evals.run.stage, evals.report.page; print('inspect_ai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_strangers_words_are_not_drawn_by_the_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    from evals.inspect_tasks import scenarios

    monkeypatch.setenv("STUDIO_PRIMARY", "ollama/any")
    live = scenarios(pattern="strategy_by_flag", planner="live").viewer
    assert live is not None
    assert live.trust_content is False
    assert scenarios(pattern="strategy_by_flag").viewer is None


def test_what_could_not_be_run_has_no_score() -> None:
    from inspect_ai.model import ModelName
    from inspect_ai.scorer import Target
    from inspect_ai.solver import TaskState

    from evals.inspect_tasks import checks, measures
    from evals.result import ScenarioRun

    run = ScenarioRun(repeat=1, folder="one/1", outcome="not_run", why="the peer is not installed")
    state = TaskState(
        model=ModelName("mockllm/model"), sample_id="one", epoch=1, input="", messages=[],
        store={"scenario_run": run.model_dump(mode="json")},
    )  # fmt: skip
    for scorer in (checks(), measures()):
        score = asyncio.run(scorer(state, Target("")))
        assert math.isnan(score.value)
        assert score.explanation == "the peer is not installed"
