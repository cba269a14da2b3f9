"""ComfyUI as a resident: it gives its models back when told to, and is never ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.image.comfyui.double import comfy
from tools.errors import EngineCrashed, InvalidInput, MissingPrerequisite
from tools.model import Placing
from tools.runtime.services.comfyui import ComfyServer
from tools.runtime.services.weights import ServiceWeights


def test_it_sleeps_by_freeing_its_models_and_wakes_by_being_let(tmp_path: Path) -> None:
    with comfy() as double:
        made = ServiceWeights()
        made.services_yaml = tmp_path / "services.yaml"
        made.services_yaml.write_text(
            f"services:\n  mine: {{about: x, kind: comfyui, size_gb: 3, url: '{double.url}'}}\n"
        )
        made.check("mine")
        server = made.load("mine", Placing())
        assert server.state() == "awake"
        assert made.wake("cuda:0") == 3 * 2**30, "as services.yaml says: what it will load nobody knows"
        made.sleep()
        assert server.state() == "asleep"
        assert double.kept == made.left() == 100 << 20
        assert made.wake("cuda:0") == 3 * 2**30
        assert server.state() == "awake"
        made.unload()
        assert double.freed == 2
        assert double.seen.count("POST /free") == 2
        assert made.left() == 100 << 20, "it is there still, and so are these"


def test_one_that_does_not_run_is_told_with_the_command() -> None:
    with comfy() as double:
        url = double.url
    server = ComfyServer("mine", url)
    assert server.state() == "stopped"
    with pytest.raises(MissingPrerequisite, match=r"main\.py"):
        server.start()
    with pytest.raises(EngineCrashed):
        server.wake()
    with pytest.raises(InvalidInput, match="not this machine"):
        ComfyServer("mine", "http://192.0.2.7:8188")
