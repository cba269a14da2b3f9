"""XTTS v2: its settings and consent, its converter, and the engine in its own environment on a small checkpoint."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.models import load_models
from evals.checkpoints.build import built
from tests.tools.voice.stack_studio import StackStudio, differ, stack_home, stack_python
from tools.artifact import Artifact
from tools.base import EngineContext
from tools.errors import BadOutput, Cancelled, InvalidInput, MissingPrerequisite
from tools.models.shelf import Shelf
from tools.sound import loudness, true_peak_db, write_wav
from tools.storyboard import Emotion
from tools.timeline import SpokenClip
from tools.voice.records import Consent, Reference, XttsVoice
from tools.voice.shelf import VoiceShelf, hash_reference
from tools.voice.tool import SynthesizeSpeech
from tools.voice.xtts import XttsSpeech
from tools.voice.xtts_settings import XTTS_PATH, levers_of, load_book, references_of

ROOT = Path(__file__).parents[3]


def line(**args: Any) -> SynthesizeSpeech.Input:
    asked = {"text": "Silenzio, Bruno!", "character": "luca", "language": "it", **args}
    return SynthesizeSpeech.Input.model_validate(asked)


def hum(path: Path, pitch: float = 180.0, seconds: float = 3.2) -> Path:
    """A recording: a voice-like tone that moves, and breath."""
    at = np.arange(round(seconds * 48_000)) / 48_000
    tone = np.sin(2 * np.pi * pitch * at + 2 * np.sin(2 * np.pi * 3 * at)) + 0.5 * np.sin(2 * np.pi * 2.9 * pitch * at)
    noise = np.random.default_rng(round(pitch)).standard_normal(len(at))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, (0.25 * tone + 0.04 * noise).astype(np.float32))
    return path


def voice(folder: Path, *, consent: bool = True, **pitches: float) -> XttsVoice:
    """A voice by emotion: `voice(folder, neutral=180, happy=260)`."""
    emotions: dict[Any, float] = dict(pitches or {"neutral": 180.0})
    files = {emotion: hum(folder / f"{emotion}-{pitch:g}.wav", pitch) for emotion, pitch in emotions.items()}
    references = tuple(
        Reference(emotion=emotion, file=file, sha256=hash_reference(file), seconds=3.2)
        for emotion, file in files.items()
    )
    given = Consent(
        whose="Anna Rossi", source="read for us", allowed_for="this film", given_on=date(2026, 11, 1),
        covers=tuple(one.sha256 for one in references),
    )  # fmt: skip
    return XttsVoice(character="luca", references=references, consent=given if consent else None)


# --- settings -------------------------------------------------------------------------------------------------------


def test_emotion_delivery_and_rate_work_together_within_bounds() -> None:
    book = load_book()
    plain = levers_of(book, line())
    assert (plain.temperature, plain.speed) == (0.75, 1.0)
    assert levers_of(book, line(emotion="excited")).temperature > plain.temperature
    assert levers_of(book, line(emotion="sleepy", delivery="whisper")).speed < 0.8
    assert levers_of(book, line(rate=1.6, emotion="excited")).speed == book.speed.high
    assert levers_of(book, line(rate=0.6)).speed == book.speed.low


@pytest.mark.parametrize(
    ("emotion", "taken"), [("neutral", "neutral"), ("happy", "happy"), ("excited", "happy"), ("sad", "neutral")]
)
def test_an_emotion_takes_its_own_recordings_or_those_of_one_like_it(
    tmp_path: Path, emotion: Emotion, taken: str
) -> None:
    found = references_of(load_book(), voice(tmp_path, neutral=180, happy=260), emotion)
    assert [one.emotion for one in found] == [taken]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  smug:", "  proud:", "emotions"),
        ("speed: {low: 0.7, high: 1.4}", "speed: {low: 1.7, high: 1.4}", "low must lie below high"),
        ("top_p: 0.85", "top_p: 2", "top_p"),
    ],
)
def test_wrong_settings_name_the_file(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "xtts.yaml"
    path.write_text(XTTS_PATH.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match=problem) as caught:
        load_book(path)
    assert str(path) in str(caught.value)


def test_the_fingerprint_follows_voice_and_levers(tmp_path: Path) -> None:
    engine, shelf = XttsSpeech(voices=tmp_path), VoiceShelf(tmp_path)
    prints = [engine.fingerprint(line())]
    shelf.put(voice(tmp_path / "a"))
    prints += [engine.fingerprint(line()), engine.fingerprint(line(emotion="sad"))]
    shelf.put(voice(tmp_path / "b", neutral=240))
    prints.append(engine.fingerprint(line()))
    assert len(set(prints)) == 4


def test_no_voice_and_no_consent_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    ctx = EngineContext(out=tmp_path, seed=1, open_artifact=lambda key: pytest.fail(key))
    engine, shelf = XttsSpeech(voices=tmp_path), VoiceShelf(tmp_path)
    with pytest.raises(MissingPrerequisite, match="studio voice add luca --kind xtts"):
        engine.run(line(), ctx)
    shelf.put(voice(tmp_path, consent=False))
    with pytest.raises(MissingPrerequisite, match="nothing says that they agreed"):
        engine.run(line(), ctx)
    agreed = voice(tmp_path)
    shelf.put(agreed)
    hum(agreed.references[0].file, 300.0)
    with pytest.raises(InvalidInput, match="not the recording that was added"):
        engine.run(line(), ctx)
    with pytest.raises(InvalidInput, match="nothing to say"):
        engine.run(line(text="..."), ctx)
    # The control: with consent and the recording as it was, it gets as far as its model.
    shelf.put(voice(tmp_path / "again"))
    with pytest.raises(InvalidInput, match="the model 'xtts_v2'"):
        engine.run(line(), ctx)


# --- the converter ----------------------------------------------------------------------------------------------------


def _convert(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.voice.xtts_convert", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def _published(folder: Path, data: Any) -> Path:
    torch = pytest.importorskip("torch")
    folder.mkdir()
    torch.save(data, folder / "model.pth")
    for name in ("config.json", "vocab.json"):
        (folder / name).write_text("{}")
    return folder


def test_a_pickle_is_converted_and_a_program_in_it_never_runs(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    shared = torch.arange(6.0)
    model = {"xtts.gpt.a": shared, "gpt.b": shared[2:], "dvae.c": shared, "hifigan_decoder.d": torch.ones(2)}
    good = _published(tmp_path / "good", {"model": model, "step": 3})
    done = _convert(str(good), str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert "studio models path xtts_v2" in done.stdout
    found = load_file(tmp_path / "new" / "model.safetensors")
    assert set(found) == {"gpt.a", "gpt.b", "hifigan_decoder.d"}
    assert torch.equal(found["gpt.b"], shared[2:])
    assert {file.name for file in (tmp_path / "new").iterdir()} == {"model.safetensors", "config.json", "vocab.json"}

    evil = _published(tmp_path / "evil", {"model": model, "config": Evil(tmp_path / "canary")})
    refused = _convert(str(evil), str(tmp_path / "never"))
    assert refused.returncode == 1
    assert "asks for more than weights" in refused.stderr
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "never").exists()
    # The control: read as pickles usually are, it would have run.
    torch.load(evil / "model.pth", weights_only=False)
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["nothing", "cut off", "no weights", "another model", "not a pickle", "full"])
def test_what_cannot_be_converted_is_one_line_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    torch = pytest.importorskip("torch")
    data: Any = {"another model": {"model": {"unet.a": torch.ones(2)}}, "no weights": [1, 2]}.get(name)
    source = _published(tmp_path / "source", data or {"model": {"gpt.a": torch.ones(4000)}})
    file, target = source / "model.pth", tmp_path / "new"
    if name == "nothing":
        file.unlink()
    elif name == "cut off":
        file.write_bytes(file.read_bytes()[:-3000])
    elif name == "not a pickle":
        file.write_bytes(b"<html>")
    elif name == "full":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    done = _convert(str(source), str(target))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert str(tmp_path) in done.stderr
    assert [file.name for file in target.glob("*")] == (["mine.txt"] if name == "full" else [])


# --- in its environment ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pickled() -> Path:
    from evals.checkpoints.xtts import make_xtts_pickle

    return built(make_xtts_pickle, python=stack_python("xtts"))


@pytest.fixture(scope="module")
def folder(pickled: Path) -> Path:
    from evals.checkpoints.xtts import make_xtts

    return built(make_xtts, python=stack_python("xtts"), pickled=pickled)


@pytest.fixture(scope="module")
def studio(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackStudio]:
    made = StackStudio(tmp_path_factory.mktemp("xtts"), "xtts", "xtts_v2", folder)
    VoiceShelf(made.voices).put(voice(made.folder / "recordings", neutral=180, happy=260))
    yield made
    made.close()


def test_a_line_is_said_and_each_input_changes_it(studio: StackStudio) -> None:
    made = studio.say(language="it", text="Silenzio, Bruno!")
    assert isinstance(made, Artifact), made
    clip = SpokenClip.model_validate(made.output)
    assert clip.voice == "xtts:luca"
    assert [word.text for word in clip.words] == ["Silenzio,", "Bruno!"]
    known = json.loads(made.file("voice.json").read_text())
    assert known["use"]["whose"] == "Anna Rossi"
    plain = studio.sound()
    # Random weights click: the limiter keeps it below the -16 LUFS of speech.
    assert -30 < loudness(plain) < -15.7
    assert true_peak_db(plain) <= -0.9
    assert np.array_equal(plain, studio.sound()), "the same seed, the same bytes"
    for change in (
        {"seed": 2}, {"text": "We must go home!"}, {"language": "it"}, {"emotion": "sad"}, {"emotion": "happy"},
        {"rate": 0.75},
    ):  # fmt: skip
        assert differ(plain, studio.sound(**change)), change
    assert len(studio.sound(rate=0.75)) > 1.15 * len(studio.sound(rate=1.3)), "its speed is the rate asked for"


def test_another_voice_sounds_another_way_and_the_first_comes_back(studio: StackStudio) -> None:
    before, shelf = studio.sound(), VoiceShelf(studio.voices)
    shelf.put(voice(studio.folder / "other", neutral=330))
    assert differ(before, studio.sound())
    shelf.put(voice(studio.folder / "recordings", neutral=180, happy=260))
    assert np.array_equal(before, studio.sound())


def test_a_length_is_met_exactly_and_a_long_line_is_said_in_parts(studio: StackStudio) -> None:
    assert len(studio.sound(exact_s=9.0)) == 9 * 48_000
    assert isinstance(studio.say(exact_s=1.6), BadOutput)
    text = "Il mare oggi è calmo, e le barche sono lontane da qui, molto lontane. " * 3
    assert 213 >= len(text) > 200, "its limit for Italian"
    long = studio.say(text=text + "Vieni!", language="it")
    assert isinstance(long, Artifact), long
    assert json.loads(long.file("voice.json").read_text())["parts"] == 2


def test_a_stop_is_heard_and_the_next_line_is_said(studio: StackStudio) -> None:
    assert isinstance(studio.say(stop_at="step", text="We can do this, and more than this. " * 12), Cancelled)
    assert isinstance(studio.say(), Artifact)


def test_a_recording_that_cannot_be_heard_is_named(studio: StackStudio) -> None:
    shelf, kept = VoiceShelf(studio.voices), voice(studio.folder / "recordings", neutral=180, happy=260)
    short, quiet, broken = (studio.folder / f"{name}.wav" for name in ("short", "quiet", "broken"))
    write_wav(short, np.ones(4000, dtype=np.float32) * 0.1)
    write_wav(quiet, np.zeros(96_000, dtype=np.float32))
    broken.write_bytes(b"RIFF, and then nothing of the kind")
    assert kept.consent is not None
    for file, problem in ((short, "shorter than"), (quiet, "silent"), (broken, "is no WAV")):
        digest = hash_reference(file)
        consent = kept.consent.model_copy(update={"covers": (digest,)})
        reference = Reference(file=file, sha256=digest, seconds=1.0)
        shelf.put(kept.model_copy(update={"references": (reference,), "consent": consent}))
        found = studio.say()
        assert isinstance(found, InvalidInput), found
        assert problem in str(found)
        assert str(file) in str(found)
    shelf.put(kept)


def test_the_shelf_takes_what_was_converted_and_refuses_the_pickle(folder: Path, pickled: Path, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, load_models())
    with pytest.raises(InvalidInput, match="pickle"):
        shelf.register("xtts_v2", pickled)
    shelf.register("xtts_v2", folder)
    assert shelf.source_of("xtts_v2")


def _tensors(folder: Path, change: Any) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    tensors = change(safetensors.load_file(folder / "model.safetensors"))
    safetensors.save_file(tensors, folder / "model.safetensors", {"format": "pt"})


BROKEN: dict[str, tuple[Any, type[Exception], str]] = {
    "not there": (lambda f: shutil.rmtree(f), MissingPrerequisite, "xtts_convert"),
    "cut off": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-999]), InvalidInput,
        "model.safetensors",
    ),
    "a pickle": (lambda f: (f / "model.safetensors").write_bytes(pickle.dumps({"a": 1})), InvalidInput, "pickle"),
    "not converted": (
        lambda f: ((f / "model.safetensors").rename(f / "model.pth")), InvalidInput, "xtts_convert",
    ),
    "settings of another": (
        lambda f: (f / "config.json").write_text((f / "config.json").read_text().replace("66", "70")), InvalidInput,
        "cannot be read as XTTS",
    ),
    "weights missing": (
        lambda f: _tensors(f, lambda t: {n: v for n, v in t.items() if n != "gpt.mel_head.weight"}), InvalidInput,
        "gpt.mel_head.weight",
    ),
    "no numbers": (
        lambda f: _tensors(f, lambda t: {**t, "gpt.mel_head.weight": t["gpt.mel_head.weight"] * float("nan")}),
        BadOutput, "no numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(studio: StackStudio, folder: Path, tmp_path: Path, name: str) -> None:
    spoil, kind, problem = BROKEN[name]
    copy = tmp_path / "small-xtts"
    shutil.copytree(folder, copy)
    spoil(copy)
    studio.use(copy)
    found = studio.say()
    studio.use(folder)
    assert isinstance(found, kind), found
    assert problem in str(found)


def test_the_command_converts_in_the_stack_where_torch_is_not(pickled: Path, tmp_path: Path) -> None:
    """As a studio without its `models` extra has it: torch cannot be imported."""
    stack_python("xtts")
    blocker = tmp_path / "no-torch"
    blocker.mkdir()
    code = (
        "import importlib.util as u, sys\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'torch' else found(name, *more)\n"
        "from tools.voice.xtts_convert import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    environment = {**os.environ, "STUDIO_MODELS_FOLDER": str(stack_home()), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(pickled), str(tmp_path / "new")],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "model.safetensors").is_file()
