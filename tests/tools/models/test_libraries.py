"""Libraries of models: those that are lacking are named as pip calls them, with the command that brings them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.errors import InvalidInput, MissingPrerequisite
from tools.models import libraries
from tools.models.libraries import lacking_libraries, require_libraries
from tools.models.reading import model_folder, reading, settings_of

TOOLS = Path(libraries.__file__).parents[1]
ANOTHER_WAY = {"voice/espeak.py", "registry.py", "voice/xtts_convert.py", "models/converting.py", "models/libraries.py"}
"""Those that look where a module lies, whether there is an engine's class, or which Python to take."""


def test_what_is_lacking_is_named_as_pip_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name in ("PIL", "torch") else object())
    assert lacking_libraries(("torch", "transformers", "PIL")) == ["torch", "pillow"]
    with pytest.raises(MissingPrerequisite, match=r"^MusicGen needs torch, pillow\..*-m pip install .*\[models\]"):
        require_libraries("MusicGen needs", ("torch", "transformers", "PIL"))
    with pytest.raises(MissingPrerequisite, match=r"To mend it: studio stacks install xtts$"):
        require_libraries("XTTS needs", ("torch",), "studio stacks install xtts")
    require_libraries("nobody needs", ("transformers",))


def test_no_engine_looks_for_its_libraries_in_a_way_of_its_own() -> None:
    looking = {
        str(path.relative_to(TOOLS))
        for path in TOOLS.rglob("*.py")
        if any(
            (isinstance(node, ast.Name) and node.id == "find_spec")
            or (isinstance(node, ast.Attribute) and node.attr == "find_spec")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert looking == ANOTHER_WAY


def test_a_loader_that_fails_is_told_with_the_file_and_memory_that_ran_out_stays_what_it_is(tmp_path: Path) -> None:
    told = rf"^{tmp_path}: cannot be read as Parler: two lines\. Fetch it again"
    with pytest.raises(InvalidInput, match=told), reading(tmp_path, "Parler"):
        raise ValueError("two\n  lines")
    with pytest.raises(InvalidInput, match="cannot be read as Parler: KeyError"), reading(tmp_path, "Parler"):
        raise KeyError
    with pytest.raises(RuntimeError, match="allocate"), reading(tmp_path, "Parler"):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
    with pytest.raises(InvalidInput, match=r"^w: lacks a tensor$"), reading(tmp_path, "Parler"):
        raise InvalidInput("lacks a tensor", where="w")


def test_a_folder_and_its_settings_are_looked_at_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match=r"^m is not on this machine\. To mend it: studio models pull m$"):
        model_folder("m", "", "config.json")
    with pytest.raises(MissingPrerequisite, match="m: there is no"):
        model_folder("m", str(tmp_path / "none"), "config.json")
    file = tmp_path / "config.json"
    file.write_text("[1]")
    with pytest.raises(InvalidInput, match=r"is no folder\. Register the folder that holds config\.json"):
        model_folder("m", str(file), "config.json")
    assert model_folder("m", str(tmp_path), "config.json") == tmp_path
    with pytest.raises(InvalidInput, match=r"config\.json: is no mapping"):
        settings_of(file)
    file.write_text("{")
    with pytest.raises(InvalidInput, match=r"config\.json: cannot be read"):
        settings_of(file)
    file.write_text('{"model_type": "musicgen"}')
    assert settings_of(file) == {"model_type": "musicgen"}
