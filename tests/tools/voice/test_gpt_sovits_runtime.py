"""GPT-SoVITS as the runtime runs it: executor, lane, worker, and a server that it starts, counts and ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from configs.models import load_models
from configs.services import ServiceEntry
from tests.tools.voice.people import Household
from tests.tools.voice.test_gpt_sovits import checkout, free_port
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import InvalidInput, MissingPrerequisite
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.events import DeviceEvent
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.services.weights import ServiceWeights
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

__all__ = ["ServicesElsewhere", "checkout"]

SIZE = 5 << 29


class ServicesElsewhere(ServiceWeights):
    """`source` is `services.yaml#NAME`: the studio's own file is left alone."""

    def _entry(self, source: str) -> ServiceEntry:
        path, _, name = source.partition("#")
        self.services_yaml = Path(path)
        return super()._entry(name)


class Runtime:
    def __init__(self, household: Household, root: Path) -> None:
        self.household, self.port = household, free_port()
        services = household.root / "services.yaml"
        services.write_text(
            f"services:\n  voices:\n    about: x\n    kind: gpt_sovits\n    url: http://127.0.0.1:{self.port}\n"
            f"    root: {root}\n    python: {sys.executable}\n    size_gb: 2.5\n"
        )
        entry = (
            load_models()
            .models["gpt_sovits"]
            .model_copy(update={"source": f"{services}#voices", "weights": f"{__name__}:ServicesElsewhere"})
        )
        self.registry = Registry.load(allow=("tools.", "tests."))
        self.pool = WorkerPool(1, self.registry.stacks, ("tools.", "tests."), models_home=household.root / "models")
        models = {"gpt_sovits": (entry, Model("gpt_sovits", SIZE, SIZE, load_s=1.0))}
        self.lane = Lane("cpu", 4 * SIZE, models, {"gpt_sovits": Placing()}, None)
        self.events: list[DeviceEvent] = []

    def say(self, **lines: dict[str, Any]) -> dict[str, Any]:
        store = ArtifactStore(self.household.root / "store")
        calls = [
            Call(id=name, tool="synthesize_speech", engine="gpt_sovits", seed=1, args={"character": "luca", **line})
            for name, line in lines.items()
        ]
        return dict(Executor(self.registry, store, self.pool, lane=self.lane, on_device=self.events.append).run(calls))

    def servers(self) -> list[int]:
        """Processes of the server."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "api_v2.py" in words and str(self.port) in words and "--lifeline" not in words:
                found.append(process.pid)
        return found

    def close(self) -> None:
        self.pool.close()
        self.lane.close()


@pytest.fixture
def runtime(household: Household, checkout: Path) -> Iterator[Runtime]:
    made = Runtime(household, checkout)
    yield made
    made.close()


def test_the_runtime_starts_it_for_a_batch_of_lines_and_ends_it(runtime: Runtime) -> None:
    runtime.household.sovits_voice()
    runtime.household.sovits_voice("alberto", pitch=120.0)
    lines = {"a": "We can do this!", "b": "Follow me, Luca!", "c": "Nobody is faster than us."}
    speakers = {"a": "luca", "b": "alberto", "c": "luca"}
    made = runtime.say(**{name: {"text": text, "character": speakers[name]} for name, text in lines.items()})
    for name, text in lines.items():
        assert isinstance(made[name], Artifact), made[name]
        assert made[name].output["text"] == text
        record = json.loads(made[name].file("voice.json").read_text())
        assert record["use"]["allowed_for"] == "this film and its trailer"
        assert made[name].output["voice"] == f"gpt_sovits:{speakers[name]}"
    assert len(runtime.servers()) == 1
    assert [event.action for event in runtime.events].count("load") == 1, "accounted for as a model, loaded once"
    runtime.close()
    assert not runtime.servers(), "it ends with the studio"


def test_a_line_that_is_there_needs_no_server_and_still_needs_consent(runtime: Runtime) -> None:
    voice = runtime.household.sovits_voice()
    line = {"text": "We can do this!"}
    first = runtime.say(a=line)["a"]
    assert isinstance(first, Artifact), first
    runtime.pool.close()
    runtime.pool = WorkerPool(
        1, runtime.registry.stacks, ("tools.", "tests."), models_home=runtime.household.root / "models"
    )
    assert runtime.say(a=line)["a"].key == first.key
    assert not runtime.servers()
    runtime.household.shelf.put(voice.model_copy(update={"consent": None}))
    refused = runtime.say(a=line)["a"]
    assert isinstance(refused, MissingPrerequisite)
    assert "nothing says that they agreed" in str(refused)
    assert not runtime.servers()


def test_what_it_cannot_say_is_an_error_of_that_line_alone(runtime: Runtime) -> None:
    runtime.household.sovits_voice()
    made = runtime.say(a={"text": "Silenzio, Bruno!", "language": "it"}, b={"text": "We can do this!"})
    assert isinstance(made["a"], InvalidInput)
    assert "xtts" in str(made["a"])
    assert isinstance(made["b"], Artifact), made["b"]
