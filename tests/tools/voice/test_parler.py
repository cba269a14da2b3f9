"""Parler-TTS: the words it is told, and the engine in its own environment on a tiny checkpoint."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.voice.stack_studio import StackStudio, differ, stack_python
from tools.artifact import Artifact
from tools.base import EngineContext
from tools.errors import BadOutput, Cancelled, InvalidInput, MissingPrerequisite
from tools.sound import loudness
from tools.storyboard import Delivery, Emotion
from tools.timeline import SpokenClip
from tools.voice.parler import ParlerSpeech
from tools.voice.parler_words import PARLER_PATH, load_book, manner_of, speaker_of
from tools.voice.records import ParlerVoice
from tools.voice.shelf import VoiceShelf
from tools.voice.tool import SynthesizeSpeech

HIM = "A boy with a clear, bright voice"


def line(**args: Any) -> SynthesizeSpeech.Input:
    return SynthesizeSpeech.Input.model_validate({"text": "We can do this!", "character": "luca", **args})


def told(**args: Any) -> str:
    return manner_of(load_book(), HIM, line(**args)).description


# --- words ----------------------------------------------------------------------------------------------------------


def test_pace_emotion_and_delivery_are_words_of_the_description() -> None:
    plain = told()
    assert plain.startswith("A boy with a clear, bright voice. The speaker speaks at a moderate speed, in a natural")
    assert plain.endswith("no background noise.")
    assert "speaks very slowly, with long pauses" in told(rate=0.7)
    assert "speaks very slowly, with long pauses" in told(emotion="sleepy", rate=0.9), "what is sleepy is slow"
    assert "fast" in told(rate=1.6)
    assert len({told(emotion=emotion) for emotion in get_args(Emotion)}) == len(get_args(Emotion))
    assert len({told(delivery=delivery) for delivery in get_args(Delivery)}) == len(get_args(Delivery))
    slow, fast = (manner_of(load_book(), HIM, line(rate=rate)).pace for rate in (0.6, 1.6))
    assert slow.pause_s > fast.pause_s
    assert slow.slower > fast.slower == 1.0


def test_who_speaks_is_the_record_or_what_the_embedded_voice_is_like(tmp_path: Path) -> None:
    shelf = VoiceShelf(tmp_path)
    assert "boy" in speaker_of(line(), shelf)
    assert speaker_of(line(character="giulia"), shelf) != speaker_of(line(), shelf)
    shelf.put(ParlerVoice(character="luca", description=HIM))
    assert speaker_of(line(), shelf) == HIM


def test_the_fingerprint_follows_what_is_told(tmp_path: Path) -> None:
    engine = ParlerSpeech(voices=tmp_path)
    before = engine.fingerprint(line())
    assert before == engine.fingerprint(line(text="Another line."))
    assert before != engine.fingerprint(line(emotion="sad"))
    VoiceShelf(tmp_path).put(ParlerVoice(character="luca", description=HIM))
    assert before != engine.fingerprint(line())


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  smug:", "  proud:", "emotions"),
        ("{rate: 0.9,", "{rate: 0.5,", "must rise"),
        ("temperature: 1.0", "temperature: .inf", "temperature"),
        ("  normal: {}", "", "deliveries"),
    ],
)
def test_a_wrong_book_names_the_file(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "parler.yaml"
    path.write_text(PARLER_PATH.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match=problem) as caught:
        load_book(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("args", "problem"), [({"language": "it"}, "speaks English"), ({"text": "?!"}, "nothing to say")]
)
def test_what_it_cannot_say_is_refused(tmp_path: Path, args: dict[str, Any], problem: str) -> None:
    ctx = EngineContext(out=tmp_path, seed=1, open_artifact=lambda key: pytest.fail(key))
    with pytest.raises(InvalidInput, match=problem):
        ParlerSpeech(voices=tmp_path).run(line(**args), ctx)


def test_without_its_stack_the_command_is_named() -> None:
    from importlib.util import find_spec

    if find_spec("parler_tts") is None:
        with pytest.raises(MissingPrerequisite, match="studio stacks install parler"):
            ParlerSpeech().check()


# --- in its environment ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder() -> Path:
    from evals.checkpoints.parler import make_parler

    return built(make_parler, python=stack_python("parler"))


@pytest.fixture(scope="module")
def studio(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackStudio]:
    made = StackStudio(tmp_path_factory.mktemp("parler"), "parler", "parler_mini", folder)
    yield made
    made.close()


def test_a_line_is_said_and_each_input_changes_it(studio: StackStudio) -> None:
    made = studio.say()
    assert isinstance(made, Artifact), made
    clip = SpokenClip.model_validate(made.output)
    plain = studio.sound()
    assert clip.voice == "parler:luca"
    assert [word.text for word in clip.words] == ["We", "can", "do", "this!"]
    assert loudness(plain) == pytest.approx(-16.0, abs=0.3)
    assert clip.speech_start == pytest.approx(0.5)
    known = json.loads(made.file("voice.json").read_text())
    assert "moderate speed" in known["description"]
    assert known["use"]["cloned"] is False
    for change in ({"seed": 2}, {"text": "We must go!"}, {"emotion": "sad"}, {"rate": 0.7}, {"character": "giulia"}):
        assert differ(plain, studio.sound(**change)), change
    assert np.array_equal(plain, studio.sound()), "the same seed, the same bytes"
    shelf = VoiceShelf(studio.voices)
    shelf.put(ParlerVoice(character="luca", description="An old man with a deep, hoarse voice"))
    assert differ(plain, studio.sound()), "his own record describes him"
    shelf.remove("luca", "parler")
    assert np.array_equal(plain, studio.sound())


def test_a_length_is_met_exactly_with_silence(studio: StackStudio) -> None:
    sound = studio.sound(exact_s=35.0)
    assert len(sound) == 35 * 48_000
    assert np.abs(sound[-48_000:]).max() == 0.0
    too_short = studio.say(exact_s=1.6)
    assert isinstance(too_short, BadOutput)
    assert "is to last 1.60 s" in str(too_short)


def test_a_long_line_is_said_in_parts(studio: StackStudio) -> None:
    text = "The sea is calm today, and the boats are far away from here. " * 5
    made = studio.say(text=text.strip())
    assert isinstance(made, Artifact), made
    assert made.output["duration_s"] > 5


def test_a_stop_is_heard_and_the_next_line_is_said(studio: StackStudio) -> None:
    assert isinstance(studio.say(stop_at="step", text="We can do this, and more. " * 20), Cancelled)
    studio.sound()


def _tensors(folder: Path, change: Any) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    tensors = change(safetensors.load_file(folder / "model.safetensors"))
    safetensors.save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def _without(part: str) -> Any:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name}


def _filled(part: str, value: float, *ends: str) -> Any:
    """Tensors of a part, those whose names have one of these ends, filled."""
    return lambda tensors: {
        n: t.clone().fill_(value) if part in n and n.endswith(ends or ("",)) else t for n, t in tensors.items()
    }


BROKEN: dict[str, tuple[Any, type[Exception], str]] = {
    "not there": (lambda f: shutil.rmtree(f), MissingPrerequisite, "studio models pull parler_mini"),
    "cut off": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-999]), InvalidInput,
        "model.safetensors",
    ),
    "a pickle": (
        lambda f: (f / "model.safetensors").write_bytes(pickle.dumps({"a": 1})), InvalidInput, "pickle",
    ),
    "empty": (lambda f: (f / "model.safetensors").write_bytes(b""), InvalidInput, "empty"),
    "no settings": (lambda f: (f / "config.json").unlink(), InvalidInput, "config.json"),
    "weights missing": (lambda f: _tensors(f, _without("decoder.lm_heads.1")), InvalidInput, "lm_heads.1"),
    "no numbers": (lambda f: _tensors(f, _filled("decoder.lm_heads.0", float("nan"))), BadOutput, "no numbers"),
    "silence": (
        lambda f: _tensors(f, _filled("audio_encoder.decoder", 0.0, "original0", "weight_g", "bias")), BadOutput,
        "silence",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_and_the_next_line_is_said(
    studio: StackStudio, folder: Path, tmp_path: Path, name: str
) -> None:
    spoil, kind, problem = BROKEN[name]
    copy = tmp_path / "tiny-parler"
    shutil.copytree(folder, copy)
    spoil(copy)
    studio.use(copy)
    found = studio.say()
    studio.use(folder)
    assert isinstance(found, kind), found
    assert problem in str(found)
    assert isinstance(studio.say(), Artifact)
