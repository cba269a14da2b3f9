"""The shape of the house: imports stay light and point one way, public names are what `__all__` says."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["agent", "tools", "knowledge", "configs", "evals"]
HEAVY = {"torch", "diffusers", "transformers", "skia", "av", "scipy", "langgraph", "langchain_core"}


def modules() -> list[str]:
    return [
        info.name
        for package in PACKAGES
        for info in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        if not info.name.endswith("__main__")
    ]


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(m for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import agent", "import agent.__main__", "import agent.cli", "import tools.registry"])
def test_importing_it_stays_light(code: str) -> None:
    assert not loaded_after(code) & HEAVY


def test_the_whole_agent_never_imports_a_model_stack() -> None:
    loaded = loaded_after("import agent; agent.create_agent(checkpointer=False)")
    assert "langgraph" in loaded, "the control: the agent was really made"
    assert not loaded & {"torch", "diffusers", "transformers", "skia", "av", "scipy"}


def test_every_tool_and_engine_is_imported_without_torch() -> None:
    code = (
        "from tools.registry import Registry\n"
        "import importlib\n"
        "r = Registry.load()\n"
        "for t in r.tools():\n"
        "    for e in r.engines(t.name):\n"
        "        importlib.import_module(e.path.partition(':')[0])\n"
    )
    loaded = loaded_after(code)
    assert "tools.image.draft" in loaded, "the control: engines were really imported"
    assert not loaded & {"torch", "diffusers", "transformers"}


def test_every_public_name_exists_and_has_a_docstring_in_its_module() -> None:
    for name in modules():
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", []):
            assert hasattr(module, public), f"{name}.__all__ names {public}, which is not there"
        if not name.endswith("__init__"):
            assert module.__doc__ or not (module.__file__ or "").endswith(".py"), f"{name} says nothing of itself"


def test_no_file_has_grown_out_of_hand() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


def test_imports_point_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
