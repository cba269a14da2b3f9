"""Tiny weights of a world lie on the shelf as a person's own; where they cannot be made the scenario is not run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import evals.world.weights
from configs.models import load_models
from evals.world.model import World
from evals.world.weights import FILES, TINY, check_libraries, place_weights, tiny_checkpoint
from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.libraries import is_installed
from tools.models.shelf import Shelf
from tools.registry import Registry

pytest.importorskip("onnx")


def without(monkeypatch: pytest.MonkeyPatch, *gone: str) -> None:
    monkeypatch.setattr(evals.world.weights, "is_installed", lambda name: name not in gone and is_installed(name))


def test_every_tiny_checkpoint_is_of_a_model_that_an_engine_uses_and_has_a_maker() -> None:
    registry = Registry.load()
    used = {
        name
        for tool in registry.tools() for engine in registry.engines(tool.name)
        for name in (*engine.models, *engine.companions, *engine.reads)
    }  # fmt: skip
    assert set(TINY) <= used & set(load_models().models)
    assert all(callable(tiny.make) for tiny in (*TINY.values(), *FILES.values()))


def test_they_are_registered_by_path_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, load_models())
    place_weights(["arcface"], shelf)
    record = shelf.record("arcface")
    assert record is not None
    assert record.kind == "path"
    assert Path(record.path) == tiny_checkpoint("arcface")
    before = (tmp_path / "arcface.yaml").stat().st_mtime_ns
    place_weights(["arcface"], shelf)
    assert (tmp_path / "arcface.yaml").stat().st_mtime_ns == before


def test_one_that_is_not_there_yet_is_made_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_TEST_CHECKPOINTS", str(tmp_path))
    made = tiny_checkpoint("arcface")
    assert made.is_relative_to(tmp_path)
    assert sorted(path.name for path in made.glob("*.onnx"))[0] == "1k3d68.onnx"
    monkeypatch.setattr(subprocess, "run", lambda *_given, **_named: pytest.fail("it was made before"))
    assert tiny_checkpoint("arcface") == made


def test_one_that_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_TEST_CHECKPOINTS", str(tmp_path / "file"))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InvalidInput, match=r"the tiny checkpoint arcface could not be made: .*Error"):
        tiny_checkpoint("arcface")


def test_without_its_libraries_it_is_a_prerequisite_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "diffusers")
    with pytest.raises(MissingPrerequisite, match="sdxl_base needs diffusers") as error:
        tiny_checkpoint("sdxl_base")
    assert "animation-studio[models]" in error.value.command


def test_weights_whose_engines_lack_their_libraries_are_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry.load()
    check_libraries(TINY, registry)
    without(monkeypatch, "onnxruntime")
    with pytest.raises(MissingPrerequisite, match="what uses arcface needs onnxruntime"):
        check_libraries(["arcface"], registry)


def test_knowing_what_there_is_imports_no_torch() -> None:
    code = "import evals.world.weights, evals.world.opened, sys; [t.make for t in evals.world.weights.TINY.values()]"
    script = f"{code}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "evals.checkpoints.sdxl" in done.stdout, "the control: the makers were really imported"
    assert not {"torch", "diffusers", "transformers", "skia", "av"} & set(done.stdout.split())


def test_a_name_without_a_tiny_checkpoint_is_told_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match="no tiny checkpoint of 'xtts_v2'; there are: sdxl_base"):
        World(weights=("xtts_v2",))
