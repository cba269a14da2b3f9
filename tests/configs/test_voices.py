"""configs/voices.yaml: complete, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.voices import VOICES_PATH, load_voices
from configs.yaml_file import YamlProblem
from tests.tools.listening import Shelf
from tools.errors import InvalidInput
from tools.storyboard import Look
from tools.voice import timbre
from tools.voice.espeak import EspeakSpeech
from tools.voice.timbre import TIMBRES_PATH
from tools.voice.tool import SynthesizeSpeech


def test_every_voice_has_a_timbre_and_every_timbre_a_voice() -> None:
    used = {voice.timbre for voice in load_voices().voices.values()}
    assert used == {path.stem for path in TIMBRES_PATH.glob("*.voice")}


def test_the_cast_is_three_different_people() -> None:
    book = load_voices()
    cast = [book.voices[book.characters[name].espeak] for name in ("luca", "alberto", "giulia")]
    assert len({voice.timbre for voice in cast}) == 3
    assert all(voice.suits is None for voice in cast), "nobody else is given the voice of one of the cast"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("pitch: 248", "pitch: 9000", "less than or equal"),
        ("luca: {espeak: luca}", "luca: {espeak: nobody}", "there is no voice 'nobody'"),
        ("fallback: boy", "fallback: ghost", "there is no voice 'ghost'"),
        ("  neutral: {}\n", "", "emotions must be exactly"),
        ("    psst:", "    PSST:", "lower case"),
        ("effect: metal", "effect: dalek", "effect"),
        ("timbre: supple", "timber: supple", "timb"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    written = VOICES_PATH.read_text(encoding="utf-8")
    assert old in written
    broken = tmp_path / "voices.yaml"
    broken.write_text(written.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(YamlProblem) as caught:
        load_voices(broken)
    assert problem in caught.value.message
    assert caught.value.where.startswith(f"{broken}:")


@pytest.mark.parametrize("line", ["dictionary en", "formant one 2", "replace a b", "pitch 80 120", "mbrola x y"])
def test_a_timbre_may_shape_a_voice_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "modal.voice").write_text(f"// a comment\nflutter 3\n{line}\n")
    monkeypatch.setattr(timbre, "TIMBRES_PATH", tmp_path)
    fox = SynthesizeSpeech.Input(text="Hi", character="renard", look=Look(species="fox"))
    with pytest.raises(InvalidInput, match=r"modal\.voice:3"):
        EspeakSpeech().run(fox, Shelf(tmp_path).context("a"))
