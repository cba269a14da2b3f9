"""What a start leaves for later: nothing is imported that the command at hand does not need."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from agent.collecting import CollectorAtRest


def loaded_after(code: str, folder: Path) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def of_studio(*args: str) -> str:
    return (
        f"sys.argv = {['studio', *args]!r}\n"
        "from agent.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as leave:\n    assert not leave.code, leave.code"
    )


def test_an_agent_is_made_without_numpy_and_the_store_of_preferences(tmp_path: Path) -> None:
    loaded = loaded_after("import agent; agent.create_agent()", tmp_path)
    assert "langgraph.graph.state" in loaded, "the control: the agent was really made"
    assert not loaded & {"numpy", "langgraph.store.sqlite.base", "langchain_openai", "openai", "chromadb", "mcp"}
    # What judges and paints comes when there is something to judge.
    assert not loaded & {"tools.image.tool", "tools.image.rendering", "tools.review.tool", "tools.seeing.rubric"}


def test_the_store_of_preferences_comes_when_it_is_used(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from knowledge.preferences import Preferences\n"
        "assert 'langgraph.store.sqlite.base' not in sys.modules\n"
        "from knowledge.preferences import PreferenceStore, NAMESPACE\n"
        "store = PreferenceStore(Path('home') / 'preferences.sqlite')\n"
        "store.put(NAMESPACE, 'aspect', {'value': '16:9', 'since': '2026-01-01T00:00:00Z'})\n"
        "assert [one.value for one in Preferences(store).all()] == ['16:9']"
    )
    assert "langgraph.store.sqlite.base" in loaded_after(code, tmp_path)


def test_help_reads_no_settings_and_no_yaml(tmp_path: Path) -> None:
    loaded = loaded_after(of_studio("--help"), tmp_path)
    assert "typer" in loaded
    assert not loaded & {"pydantic", "yaml", "configs.yaml_file", "langgraph", "langchain_core", "numpy"}


def test_the_doctor_asks_no_langchain_where_no_chat_model_is_set(tmp_path: Path) -> None:
    loaded = loaded_after(of_studio("doctor"), tmp_path)
    assert "agent.telling_models" in loaded
    assert not loaded & {"langchain_core", "langgraph", "langchain_openai", "openai", "torch"}


def test_settings_that_are_wrong_are_still_told_in_a_line(tmp_path: Path) -> None:
    script = of_studio("plan", "a beach").replace("assert not leave.code, leave.code", "assert leave.code == 1")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, os\nos.environ['STUDIO_MAX_STEPS'] = 'many'\n{script}"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.startswith("studio: setting max_steps (or STUDIO_MAX_STEPS): ")
    assert len(done.stderr.splitlines()) == 1


def test_the_collector_rests_and_wakes_and_what_was_made_is_still_collected() -> None:
    class Ring:
        """Reachable by nothing but itself."""

    gc.collect()
    with CollectorAtRest():
        assert not gc.isenabled()
        ring = Ring()
        ring.itself = ring  # type: ignore[attr-defined]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    del ring
    assert sum(type(one) is Ring for one in gc.get_objects()) == 1, "the control: it is there before"
    gc.collect()
    assert not any(type(one) is Ring for one in gc.get_objects())


def test_a_collector_that_is_off_stays_off_and_an_error_wakes_it() -> None:
    gc.disable()
    try:
        with CollectorAtRest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ZeroDivisionError), CollectorAtRest():
        _ = 1 / 0
    assert gc.isenabled()


def test_what_a_server_keeps_out_of_the_collector_is_left_there() -> None:
    code = (
        "import gc; gc.freeze(); before = gc.get_freeze_count()\n"
        "from agent.collecting import CollectorAtRest\n"
        "with CollectorAtRest(): pass\n"
        "assert before and gc.get_freeze_count() >= before - 50 and gc.isenabled()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
