"""What the commands that convert published pickles have in common: what is refused, and whose code runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.errors import InvalidInput, MissingPrerequisite
from tools.models import converting
from tools.models.converting import read_pickled, run_conversion
from tools.runtime.workers import stacks

torch = pytest.importorskip("torch")


def never(_source: Path, _target: Path) -> Path:
    raise AssertionError("torch is not here")


def test_tensors_are_read_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    shared = torch.ones(3)
    torch.save({"state": {"a": shared, "b": shared, "step": 7}}, path)
    found = read_pickled(path, "state")
    assert sorted(found) == ["a", "b"]
    assert found["a"].data_ptr() != found["b"].data_ptr()
    torch.save({"state": {}}, path)
    with pytest.raises(InvalidInput, match="holds no weights under `state`"):
        read_pickled(path, "state")


def test_a_torch_that_may_run_programs_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.ones(3)}, path)
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(MissingPrerequisite, match=r"torch 2\.5\.1"):
        read_pickled(path, "state")
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    assert read_pickled(path, "state")


def test_a_folder_tools_beside_what_was_downloaded_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "tools"
    package.mkdir()
    (package / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(converting, "find_spec", lambda _name: None)
    monkeypatch.setattr(stacks, "interpreter_of", lambda *_: sys.executable)
    words = [str(tmp_path / "gone.pth"), str(tmp_path / "new.safetensors")]
    code = run_conversion(words, "tools.video.lip.convert", "A B", "wav2lip", "wav2lip", never)
    assert code == 1
    assert "convert: " in capfd.readouterr().err
    assert not (tmp_path / "ran").exists()
