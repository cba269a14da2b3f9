"""`studio voice`: voices added, listed, checked, tried and removed, with honest exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.saying import choose_engine
from configs.settings import Settings
from tests.tools.voice.people import SAID, Household
from tools.errors import InvalidInput, MissingPrerequisite
from tools.registry import EngineSpec, Registry
from tools.sound import read_wav


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household(tmp_path)


def voice(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "STUDIO_PRODUCTIONS": str(folder / "p"), "STUDIO_MODELS_FOLDER": str(folder / "models"),
        "STUDIO_WORKERS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "agent", "voice", *args]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)


def rows(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_a_voice_from_its_recording_to_its_end(household: Household) -> None:
    folder = household.root
    path = household.recording()
    household.weights("X.ckpt", "gpt", 1.0)
    household.weights("Y.pth", "sovits", 1.0)
    assert "no voices of your own" in voice(folder).stdout
    given = ["add", "luca", "--kind", "gpt_sovits", "--gpt", "X.ckpt", "--sovits", "Y.pth",
             "--reference", f'neutral={path.name}:"{SAID}":en']  # fmt: skip
    refused = voice(folder, *given)
    assert refused.returncode == 1
    assert "--whose" in refused.stderr
    assert rows(voice(folder, "list", "--json")) == [], "nothing is written without consent"
    added = voice(folder, *given, "--whose", "Jacopo", "--source", "read for us", "--allows", "this film")
    assert added.returncode == 0, added.stderr
    assert [(row["character"], row["whose"], row["recordings"]) for row in rows(voice(folder, "list", "--json"))] == [
        ("luca", "Jacopo", ["neutral"])
    ]
    again = voice(folder, *given, "--whose", "J", "--source", "s", "--allows", "a")
    assert again.returncode == 1
    assert "--replace" in again.stderr
    assert voice(folder, "check").returncode == 0
    household.recording(pitch=120.0)
    checked = voice(folder, "check", "luca", "--json")
    assert checked.returncode == 3
    assert "not the recording that was added" in rows(checked)[0]["problem"]
    assert voice(folder, "remove", "luca", "--kind", "gpt_sovits").returncode == 0
    assert voice(folder, "remove", "luca", "--kind", "gpt_sovits").returncode == 1
    assert path.exists()


def test_a_line_is_said_by_the_embedded_voice(tmp_path: Path) -> None:
    done = voice(tmp_path, "say", "luca", "Silenzio, Bruno!", "-l", "it", "-o", "line.wav", "--json")
    assert done.returncode == 0, done.stderr
    assert rows(done)["engine"] == "espeak"
    samples, rate = read_wav(tmp_path / "line.wav")
    assert 1.5 < len(samples) / rate < 6.0


def test_an_engine_that_is_named_is_not_replaced(tmp_path: Path) -> None:
    for engine, words in (("elevenlabs", "network"), ("gpt_sovits", "gpt_sovits"), ("nobody", "nobody")):
        done = voice(tmp_path, "say", "luca", "Hello there.", "-e", engine)
        assert done.returncode == 1
        assert words in done.stderr
        assert not (tmp_path / "luca.wav").exists()


class _Ready:
    """Stands for a machine on which everything but what is named is there."""

    def __init__(self, *missing: str) -> None:
        self.registry, self.missing = Registry.load(), missing

    def lack(self, engine: EngineSpec, *, named: bool = False) -> Any:
        from tools.readiness import NO_GPU, Lack

        if engine.name == "xtts" and not named:
            return NO_GPU
        return Lack("it is not there", "get it") if engine.name in self.missing else None


def test_the_voice_follows_character_and_language(household: Household) -> None:
    household.sovits_voice()
    chosen = Settings(models_folder=household.root / "models")

    def engine(character: str, language: str, wish: str = "", *missing: str) -> str:
        ready: Any = _Ready(*missing)
        return choose_engine(ready, chosen, {"character": character, "language": language}, wish).name

    assert engine("luca", "en") == "gpt_sovits"
    assert engine("luca", "it") == "espeak", "it does not speak Italian"
    assert engine("alberto", "en") == "espeak", "he has no voice of his own"
    assert engine("luca", "en", "", "gpt_sovits") == "espeak"
    household.eleven_voice("giulia")
    assert engine("giulia", "en") == "espeak", "what costs money is used where it is named"
    assert engine("giulia", "en", "elevenlabs") == "elevenlabs"
    assert engine("luca", "it", "xtts") == "xtts", "one that is named may be slow on the CPU"
    with pytest.raises(InvalidInput, match="does not speak 'it'"):
        engine("luca", "it", "gpt_sovits")
    with pytest.raises(MissingPrerequisite, match="get it"):
        engine("luca", "en", "gpt_sovits", "gpt_sovits")
