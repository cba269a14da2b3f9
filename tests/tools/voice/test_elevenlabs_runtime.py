"""ElevenLabs as the runtime runs it: the key reaches its worker, no other, and nothing that is written or told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.engines import ENGINES_YAML
from configs.settings import Settings
from configs.voice_engines import VOICE_ENGINES_YAML
from tests.tools.voice.people import Household
from tests.tools.voice.servers.eleven import KEY, Server, serving
from tools.artifact import Artifact
from tools.base import Call, EngineContext
from tools.errors import InvalidInput, MissingPrerequisite
from tools.registry import Registry
from tools.runtime.executor import Executor
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool
from tools.voice.elevenlabs import ElevenlabsSpeech
from tools.voice.espeak import EspeakSpeech
from tools.voice.tool import SynthesizeSpeech

ALLOW = ("tools.", "tests.")


class LocalEleven(ElevenlabsSpeech):
    """Asks the server of the tests: where it is stands beside the voices."""

    def __init__(self) -> None:
        super().__init__(config=Settings().voices_home.parent / "voice_engines.yaml")


class Snoop(EspeakSpeech):
    """Another engine, which looks for the key."""

    def run(self, args: SynthesizeSpeech.Input, ctx: EngineContext) -> SynthesizeSpeech.Output:
        raise InvalidInput(f"sees {'the key' if any(KEY in value for value in os.environ.values()) else 'no key'}")


class Studio:
    def __init__(self, household: Household, server: Server) -> None:
        self.household = household
        data = yaml.safe_load(VOICE_ENGINES_YAML.read_text())
        data["elevenlabs"].update(url=server.url, most_per_run=0.012)
        models = household.root / "models"
        models.mkdir(exist_ok=True)
        (models / "voice_engines.yaml").write_text(yaml.safe_dump(data))
        engines = yaml.safe_load(ENGINES_YAML.read_text())
        speech = engines["tools"]["synthesize_speech"]
        # Without those that need models.yaml beside it.
        voices = speech["engines"] = {name: speech["engines"][name] for name in ("espeak", "elevenlabs")}
        engines["tools"] = {"synthesize_speech": speech}
        voices["elevenlabs"]["engine"] = f"{__name__}:LocalEleven"
        voices["espeak"]["engine"] = f"{__name__}:Snoop"
        path = household.root / "engines.yaml"
        path.write_text(yaml.safe_dump(engines, sort_keys=False))
        self.registry = Registry.load(path, allow=ALLOW)
        self.pool = WorkerPool(1, self.registry.stacks, ALLOW, models_home=models)
        self.told: list[str] = []

    def say(self, engine: str = "elevenlabs", production: str = "store", **args: Any) -> Any:
        store = ArtifactStore(self.household.root / production)
        args = {"text": "We can do this, Alberto! Nobody is faster.", "character": "luca", **args}
        call = Call(id="line", tool="synthesize_speech", engine=engine, seed=1, args=args)
        executor = Executor(self.registry, store, self.pool, lambda event: self.told.append(repr(event)))
        result = executor.run([call])["line"]
        self.told.append(repr(result) + str(result))
        return result


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def test_the_key_reaches_its_worker_and_nothing_else(
    household: Household, server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    household.eleven_voice()
    studio = Studio(household, server)
    try:
        made = studio.say()
        assert isinstance(made, Artifact), made
        assert server.seen[-1]["headers"]["xi-api-key"] == KEY, "the control: it was really sent"
        assert studio.say().key == made.key
        assert len(server.seen) == 1, "what was paid for is not paid for again"
        assert "sees no key" in str(studio.say("espeak"))
        server.plan = ["echo"]
        studio.say(emotion="happy")
        too_dear = studio.say(text="A very long line it is. " * 8)
        assert isinstance(too_dear, InvalidInput)
        assert "would cost" in str(too_dear)
    finally:
        studio.pool.close()
    written = [path for path in household.root.rglob("*") if path.is_file()]
    assert any(path.name == "artifact.json" for path in written)
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    assert not [text for text in (*studio.told, *capfd.readouterr()) if KEY in text]


def test_without_the_key_it_says_what_is_missing(
    household: Household, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ELEVENLABS_API_KEY", raising=False)
    household.eleven_voice()
    studio = Studio(household, server)
    try:
        refused = studio.say()
    finally:
        studio.pool.close()
    assert isinstance(refused, MissingPrerequisite)
    assert "export ELEVENLABS_API_KEY" in str(refused)
    assert not server.seen


def test_settings_are_found_where_the_worker_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_MODELS_FOLDER", str(tmp_path))
    assert Settings().voices_home == tmp_path / ".voices"
