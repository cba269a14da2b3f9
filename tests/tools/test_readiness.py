"""What an engine lacks on a machine: each kind of need, alone, and that nothing is said of one that is ready."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from configs.engines import EnginesFile
from configs.models import ModelsFile
from configs.profiles import Profile
from tools.models.shelf import KnownFile, ModelRecord, Shelf
from tools.readiness import Lack, Readiness, answers
from tools.registry import EngineSpec, Registry
from tools.runtime.workers.stacks import BASE, RECORD, StackRecord

GPU = Profile(about="a card", budget_gb=15.5)
CPU = Profile(about="none", budget_gb=0)


def readiness(tmp_path: Path, profile: Profile = GPU, **more: Any) -> Readiness:
    entry = {"about": "tries", "device": "cpu", "licence": "MIT", "engine": "tools.image.draft:DraftImage"}
    engines = {
        "ready": entry,
        "on_gpu": {**entry, "device": "gpu"},
        "small": {**entry, "device": "gpu", "serves_cpu": True},
        "asks": {**entry, "network": True},
        "keyed": {**entry, "stack": "keyed"},
        "apart": {**entry, "stack": "apart"},
        "elsewhere": {**entry, "stack": "elsewhere"},
        "bare": {**entry, "libraries": ["no-such-distribution"]},
        "heavy": {**entry, "device": "gpu", "models": ["weights"], "stack": "models"},
        "by_hand": {**entry, "models": ["pickle"], "stack": "models"},
        "reader": {**entry, "reads": ["weights"]},
        "served": {**entry, "models": ["server"], "stack": "models"},
        "looks": {**entry, "role": "vision"},
        "started": {**entry, "models": ["starts"], "stack": "models"},
    }
    stacks = {
        "core": {"about": "own"},
        "models": {"about": "torch", "workers": 1},
        "keyed": {"about": "a service", "keys": ["SOME_API_KEY"]},
        "apart": {"about": "clashes", "requires": ["numpy"]},
        "elsewhere": {"about": "another", "python": "/nowhere/python"},
    }
    tools = {"generate_image": {"tool": "tools.image.tool:GenerateImage", "engines": engines}}
    sdxl = {"about": "m", "weights": "tools.image.sdxl.weights:SdxlCheckpoint", "weights_gb": {"fp16": 1.0}}
    service = {**sdxl, "weights": "tools.runtime.services.weights:ServiceWeights", "stack": "models"}
    pulled = {"repo": "a/b", "files": ["x.safetensors"], "licence": "MIT", "download_gb": 6.9}
    models = {
        "weights": {**sdxl, **pulled, "stack": "models"},
        "pickle": {**sdxl, "stack": "models", "by_hand": "it is a pickle"},
        "server": {**service, "source": "waits"},
        "starts": {**service, "source": "starts"},
    }
    services = tmp_path / "services.yaml"
    services.write_text(
        "services:\n"
        "  waits: {about: w, kind: llama_server, url: 'http://127.0.0.1:9', size_gb: 1}\n"
        "  starts: {about: s, kind: command, url: 'http://127.0.0.1:9', size_gb: 1, command: [no-such-program]}\n"
    )
    registry = Registry(
        EnginesFile.model_validate({"stacks": stacks, "tools": tools}),
        profile,
        models=ModelsFile.model_validate({"models": models}),
    )
    more.setdefault("listens", lambda _url: False)
    shelf = Shelf(tmp_path / "home", registry.models)
    return Readiness(registry, shelf, gpu=profile.budget_gb > 0, services=services, **more)


def lack(ready: Readiness, name: str) -> Lack | None:
    return ready.lack(spec(ready, name))


def spec(ready: Readiness, name: str) -> EngineSpec:
    return ready.registry.pick("generate_image", name)


@pytest.mark.parametrize(
    ("engine", "what", "command"),
    [
        ("asks", "network is not allowed", "STUDIO_NETWORK"),
        ("keyed", "SOME_API_KEY is not set", "export SOME_API_KEY"),
        ("apart", "environment of apart is not there", "studio stacks install apart"),
        ("elsewhere", "no interpreter /nowhere/python", "studio doctor"),
        ("bare", "no-such-distribution not installed", "pip install no-such-distribution"),
        ("heavy", r"model weights is not here \(6.9 GB\)", "studio models pull weights"),
        ("reader", r"model weights is not here", "studio models pull weights"),
        ("by_hand", "model pickle is not here$", "studio models path pickle PATH"),
        ("served", "no server answers at http://127.0.0.1:9", ""),
        ("started", "no-such-program, which starts it, is not installed", ""),
    ],
)
def test_what_is_lacking_is_named_with_what_mends_it(tmp_path: Path, engine: str, what: str, command: str) -> None:
    found = lack(readiness(tmp_path, environment={}), engine)
    assert found is not None
    assert re.search(what, found.what), found
    assert command in found.command
    assert bool(command) == bool(found.command)


def test_nothing_is_lacking_where_all_is_there(tmp_path: Path) -> None:
    ready = readiness(tmp_path, network=True, environment={"SOME_API_KEY": "x"}, listens=lambda url: url.endswith(":9"))
    home = tmp_path / "home"
    python = home / ".stacks" / "apart" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    made = StackRecord(
        requires=ready.registry.stacks["apart"].requires,
        base=BASE,
        python="3.11.7",
        installed={"x": "1"},
        bytes=1,
        seconds=1.0,
    )
    (home / ".stacks" / "apart" / RECORD).write_text(made.model_dump_json())
    record = ModelRecord(kind="path", path=str(tmp_path), files={".": KnownFile(bytes=1, sha256="0" * 64)})
    shelf = Shelf(home, ready.registry.models)
    for name in ("weights", "pickle"):
        shelf.keep(name, record)
    for name in ("ready", "on_gpu", "asks", "keyed", "apart", "heavy", "by_hand", "reader", "served"):
        assert lack(ready, name) is None, name


def test_without_a_gpu_what_needs_one_is_not_ready_and_all_else_is(tmp_path: Path) -> None:
    ready = readiness(tmp_path, CPU)
    found = lack(ready, "on_gpu")
    assert found is not None
    assert "GPU" in found.what
    assert ready.lack(spec(ready, "on_gpu"), named=True) is None, "a person may want it all the same"
    assert lack(ready, "ready") is None
    assert lack(ready, "small") is None


def test_who_asks_a_chat_model_needs_one_that_is_named_allowed_and_there(tmp_path: Path) -> None:
    def found(vision: str, listens: bool = True, **environment: str) -> Lack | None:
        ready = readiness(
            tmp_path, roles={"vision": vision}, environment=environment, listens=lambda _url: listens,
            network=vision.startswith("openai"),
        )  # fmt: skip
        return lack(ready, "looks")

    local = {"STUDIO_LLM_BASE_URL": "http://127.0.0.1:1234/v1"}
    assert found("server/m", **local) is None
    assert found("ollama/qwen2.5vl:7b") is None
    assert found("openai/gpt-4o-mini", listens=False, OPENAI_API_KEY="k") is None, "another machine is not tried"
    nobody = found("")
    assert nobody is not None
    assert nobody.command == "export STUDIO_VISION=ollama/qwen2.5vl:7b"
    silent = found("ollama/qwen2.5vl:7b", listens=False)
    assert silent is not None
    assert "ollama pull qwen2.5vl:7b" in silent.command
    guarded = found("server/m", listens=False, STUDIO_LLM_BASE_URL="http://me:canary-123@127.0.0.1:1234/v1")
    assert guarded is not None
    assert "127.0.0.1:1234" in guarded.what
    assert "canary" not in guarded.what
    for vision, told in (
        ("nope", "provider/model"),
        ("server/m", "STUDIO_LLM_BASE_URL"),
        ("openai/x", "OPENAI_API_KEY"),
    ):
        wrong = found(vision)
        assert wrong is not None
        assert told in wrong.what
    abroad = found("server/m", STUDIO_LLM_BASE_URL="https://models.example.org/v1")
    assert abroad is not None
    assert abroad.command == "export STUDIO_NETWORK=true"


def test_a_question_is_answered_once(tmp_path: Path) -> None:
    asked: list[str] = []
    ready = readiness(tmp_path, listens=lambda url: bool(asked.append(url)))
    for _ in range(3):
        lack(ready, "served")
    assert len(asked) == 1


def test_a_server_answers_only_where_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert answers(f"http://127.0.0.1:{port}/path")
    assert not answers(f"http://127.0.0.1:{port}")
    assert not answers("not a url")
