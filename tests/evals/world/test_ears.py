"""The recogniser of a world really listens: it hears what was said, and not what was spoilt, silent, or other words."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.voices import Prosody, load_voices
from evals.world.ears import Ears, check_ears, ears_entry, words_of_ears, write_ears
from evals.world.engines import WORLD_VARIABLE, world_engines
from evals.world.model import World
from tools.base import EngineContext
from tools.errors import InvalidInput, MissingPrerequisite
from tools.registry import Registry
from tools.sound import FloatArray
from tools.transcription.tool import Transcribe
from tools.transcription.word_errors import word_errors

pytest.importorskip("pocketsphinx")
LINE = "Where is my friend?"
KNOWN = [LINE, "We found the old boat."]


@pytest.fixture(scope="module")
def spoken() -> tuple[FloatArray, int]:
    from tools.voice.espeak import record_line

    voice: Any = load_voices().voices["luca"]
    line = record_line(LINE, voice, Prosody(), "en")
    return line.samples / np.abs(line.samples).max() * 0.5, line.rate


def hear(folder: Path, samples: FloatArray, rate: int, monkeypatch: pytest.MonkeyPatch, **args: Any) -> Any:
    path, out = folder / "line.wav", folder / "out"
    out.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    monkeypatch.setenv(WORLD_VARIABLE, str(folder))
    ctx = EngineContext(out=out, seed=1, open_artifact=lambda _key: pytest.fail("no result is asked for"))
    return Ears().run(Transcribe.Input(file=str(path), **args), ctx)


def test_it_hears_what_was_said_and_says_how(
    tmp_path: Path, spoken: tuple[FloatArray, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ears(tmp_path, [*KNOWN, "Zzyzxian"])
    found = hear(tmp_path, *spoken, monkeypatch)
    assert word_errors(LINE, found.text, "en").rate <= 0.25
    assert found.notes[0] == "heard among 9 words of the scenario, by PocketSphinx"
    assert found.notes[1] == "its dictionary lacks zzyzxian"
    assert all(0 <= one.start <= one.end <= found.duration_s for one in found.words)
    assert (tmp_path / "out" / "transcript.txt").read_text() == f"{found.text}\n"
    again = hear(tmp_path, *spoken, monkeypatch)
    assert again == found, "the same sound, the same words"


@pytest.mark.parametrize("how", ["clipped", "silent", "noise"])
def test_what_is_spoilt_is_not_understood(
    tmp_path: Path, spoken: tuple[FloatArray, int], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    write_ears(tmp_path, KNOWN)
    samples, rate = spoken
    noise = np.random.default_rng(1).normal(0, 0.3, len(samples))
    spoilt: Any = {"clipped": samples * 60, "silent": samples * 0, "noise": noise}[how]
    found = hear(tmp_path, spoilt, rate, monkeypatch)
    assert word_errors(LINE, found.text, "en").rate > 0.25
    assert bool(found.note) == (found.text == "")


def test_other_words_are_not_made_of_the_line(
    tmp_path: Path, spoken: tuple[FloatArray, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ears(tmp_path, ["marzipan elephants"])
    found = hear(tmp_path, *spoken, monkeypatch)
    assert set(found.text.split()) <= {"marzipan", "elephants"}


def test_it_says_what_it_cannot_hear(
    tmp_path: Path, spoken: tuple[FloatArray, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ears(tmp_path, ["Zzyzxian"])
    with pytest.raises(InvalidInput, match="none of the words"):
        hear(tmp_path, *spoken, monkeypatch)
    with pytest.raises(InvalidInput, match="it hears English, not 'it'"):
        hear(tmp_path, *spoken, monkeypatch, language="it")


def test_a_world_has_ears_where_it_says_so() -> None:
    entries = world_engines(Registry.load(), World(ears=("a boat",))).entries.tools["transcribe"].engines
    assert entries["ears"] == ears_entry()
    assert "ears" not in world_engines(Registry.load(), World()).entries.tools["transcribe"].engines
    assert words_of_ears(["It's a boat, a BOAT!", "à"]) == ["a", "boat", "it's"]
    with pytest.raises(ValueError, match="no word"):
        World(ears=("123",))


def test_where_it_is_not_installed_the_scenario_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError

    check_ears()

    def gone(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("evals.world.ears.version", gone)
    with pytest.raises(MissingPrerequisite, match="pocketsphinx"):
        check_ears()
