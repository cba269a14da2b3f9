"""WhisperX: what Whisper hears, at the times that wav2vec2 finds; tiny ones of both that have learnt four lines."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from evals.checkpoints.common import safetensors_bytes
from evals.checkpoints.wav2vec2 import make_speller, make_wav2vec2
from evals.checkpoints.whisper import LINES, RATE, make_listener, said
from tests.tools.image.sdxl.test_through_worker import Floor
from tools.artifact import Artifact
from tools.base import Call, EngineContext
from tools.errors import BadOutput, Cancelled, InvalidInput, MissingPrerequisite, ToolError
from tools.model import Placing
from tools.sound import FloatArray, write_wav
from tools.transcription.aligner_weights import AlignEnglish, Aligner, AlignItalian
from tools.transcription.aligners import wants
from tools.transcription.ctc_alignment import align_words
from tools.transcription.tool import Transcribe
from tools.transcription.whisper_weights import WhisperLargeV2
from tools.transcription.whisperx import WhisperX


@pytest.fixture(scope="module")
def speller() -> Path:
    return built(make_speller, seed=1)


@pytest.fixture(scope="module")
def aligner(speller: Path) -> Aligner:
    return AlignEnglish().load(str(speller), Placing())


@pytest.fixture(scope="module")
def whisper() -> WhisperLargeV2:
    made = WhisperLargeV2()
    made.load(str(built(make_listener, seed=1)), Placing())
    made.wake("cpu")
    return made


def heard(path: Path, out: Path, *, stopped_at: str = "", models: dict[str, Any], **args: Any) -> Transcribe.Output:
    out.mkdir(exist_ok=True)
    told: list[str] = []
    context = EngineContext(
        out=out, seed=1, open_artifact=lambda _key: None, models=models,  # type: ignore[arg-type,return-value]
        report=lambda _share, text: told.append(text),
        is_cancelled=lambda: bool(stopped_at) and any(text.startswith(stopped_at) for text in told),
    )  # fmt: skip
    return WhisperX().run(Transcribe.Input(file=str(path), **args), context)


def recorded(path: Path, sound: FloatArray) -> Path:
    write_wav(path, sound, RATE)
    return path


def misses(found: Transcribe.Output, words: list[tuple[str, float, float]]) -> list[float]:
    assert [word.text for word in found.words] == [word for word, _, _ in words]
    return [
        abs(a - b)
        for word, (_, start, end) in zip(found.words, words, strict=True)
        for a, b in ((word.start, start), (word.end, end))
    ]


def test_words_are_where_they_are_said_and_nearer_than_whisper_has_them(
    whisper: WhisperLargeV2, aligner: Aligner, tmp_path: Path
) -> None:
    whispers, aligned = [], []
    for text, language in LINES:
        sound, words = said(text, language)
        path = recorded(tmp_path / "line.wav", sound)
        models = {"whisper_large_v2": whisper, "align_english": aligner, "align_italian": aligner}
        found = heard(path, tmp_path / "out", models=models, language=language)
        assert (found.text, found.note, found.notes) == (text, "", [])
        assert (found.segments[0].start, found.segments[-1].end) == (found.words[0].start, found.words[-1].end)
        aligned += misses(found, words)
        plain = heard(path, tmp_path / "plain", models={"whisper_large_v2": whisper}, language=language)
        assert [word.probability for word in plain.words] == [word.probability for word in found.words]
        whispers += misses(plain, words)
    assert float(np.median(aligned)) < 0.02
    assert max(aligned) < 0.1
    # The broken twin: Whisper's own times would not pass.
    assert max(whispers) > 0.1
    assert sum(aligned) < sum(whispers) / 2


def test_a_line_said_later_is_found_later(aligner: Aligner) -> None:
    sound, words = said(*LINES[0])
    for late in (0, RATE, 25 * RATE):
        later = np.concatenate([np.zeros(late, dtype=np.float32), sound])
        spans = align_words(aligner.emissions(later), [word for word, _, _ in words], aligner.alphabet)
        assert spans is not None
        for span, (_, start, _) in zip(spans, words, strict=True):
            assert aligner.second(span.first) == pytest.approx(start + late / RATE, abs=0.1)


def test_a_long_sound_is_heard_in_pieces_that_fit_together(aligner: Aligner) -> None:
    sound = np.concatenate([said(*LINES[0])[0]] * 20)
    told: list[float] = []
    whole = aligner.emissions(sound, told.append)
    assert len(told) > 1
    assert whole.shape == ((len(sound) - 400) // 320 + 1, 32)
    assert np.exp(whole).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert aligner.emissions(sound[:399]).shape == (0, 32)


def test_without_an_aligner_of_the_language_whispers_times_stay_and_a_note_says_so(
    whisper: WhisperLargeV2, aligner: Aligner, tmp_path: Path
) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[1])[0])
    found = heard(path, tmp_path / "1", models={"whisper_large_v2": whisper, "align_english": aligner}, language="it")
    assert found.words
    assert len(found.notes) == 1
    assert "studio models pull align_italian" in found.notes[0]
    other = heard(path, tmp_path / "2", models={"whisper_large_v2": whisper}, language="fr")
    assert not other.words or "'fr'" in other.notes[0]
    bare = heard(path, tmp_path / "3", models={"whisper_large_v2": whisper}, language="it", words=False)
    assert (bare.words, bare.notes, bare.text) == ([], [], LINES[1][0])


def test_a_segment_that_cannot_be_aligned_keeps_its_times(
    whisper: WhisperLargeV2, aligner: Aligner, tmp_path: Path
) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    greek = Aligner(aligner.model, type(aligner.alphabet)({"λ": 7}, 0, 4), True, aligner.hop, aligner.field)
    models = {"whisper_large_v2": whisper}
    plain = heard(path, tmp_path / "1", models=models, language="en")
    found = heard(path, tmp_path / "2", models={**models, "align_english": greek}, language="en")
    assert found.words == plain.words
    assert found.notes == ["1 of 1 segments could not be aligned and keep Whisper's times"]


def test_the_same_in_the_same_out_and_silence_has_no_words(
    whisper: WhisperLargeV2, aligner: Aligner, tmp_path: Path
) -> None:
    models = {"whisper_large_v2": whisper, "align_english": aligner}
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    first = heard(path, tmp_path / "1", models=models, language="en")
    assert heard(path, tmp_path / "2", models=models, language="en") == first
    silent = recorded(tmp_path / "s.wav", np.zeros(2 * RATE, dtype=np.float32))
    found = heard(silent, tmp_path / "3", models=models)
    assert (found.text, found.note, found.notes) == ("", "the recording is silent", [])


def test_a_cancel_stops_it_before_it_aligns(whisper: WhisperLargeV2, aligner: Aligner, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    with pytest.raises(Cancelled):
        heard(
            path, tmp_path / "out", stopped_at="aligning", language="en",
            models={"whisper_large_v2": whisper, "align_english": aligner},
        )  # fmt: skip
    assert not list((tmp_path / "out").iterdir())


def test_values_that_are_no_numbers_are_told(whisper: WhisperLargeV2, speller: Path, tmp_path: Path) -> None:
    import torch

    broken = AlignEnglish().load(str(speller), Placing())
    with torch.no_grad():
        broken.model.lm_head.bias.fill_(float("nan"))
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    with pytest.raises(BadOutput, match="no numbers"):
        heard(path, tmp_path / "out", models={"whisper_large_v2": whisper, "align_english": broken}, language="en")
    assert not list((tmp_path / "out").iterdir())


def test_a_call_has_the_aligner_of_its_language_on_the_device() -> None:
    both = {"align_english", "align_italian"}
    for args, here, names in (
        ({"language": "it"}, both, ["align_italian"]), ({"language": "en"}, {"align_italian"}, []),
        ({}, both, ["align_english", "align_italian"]), ({"language": "fr"}, both, []), ({"words": False}, both, []),
    ):  # fmt: skip
        assert wants(Transcribe.Input(file="a.wav", **args), here) == names


# --- weights


def test_published_layouts_are_read_alike() -> None:
    """The base models (group norm, names of before torch 2, nothing to mask with) and the large ones (layer norm)."""
    for stable in (False, True):
        weights = AlignItalian()
        loaded = weights.load(str(built(make_wav2vec2, seed=1, stable=stable)), Placing())
        assert (loaded.hop, loaded.field, loaded.alphabet.delimiter, loaded.alphabet.blank) == (320, 400, 4, 0)
        assert set(loaded.alphabet.letters) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ'")
        sound = 0.1 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
        one = loaded.emissions(sound)
        assert one.shape == (49, 32)
        assert one.std() > 0.01
        assert np.allclose(loaded.emissions(3 * sound), one, atol=1e-3), "it is heard as loud as it was trained on"
        again = AlignItalian().load(str(built(make_wav2vec2, seed=1, stable=stable)), Placing(dtype="bf16"))
        assert np.allclose(again.emissions(sound), one, atol=0.3)
        assert list(weights.modules()) == ["wav2vec2"]
        weights.unload()
        assert weights.modules() == {}


def test_old_names_are_not_left_at_random() -> None:
    path = str(built(make_wav2vec2, seed=1))
    one, two = (AlignEnglish().load(path, Placing()) for _ in range(2))
    sound = 0.1 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    assert np.array_equal(one.emissions(sound), two.emissions(sound))


def changed(folder: Path, to: Path, name: str, data: bytes | None) -> Path:
    shutil.copytree(folder, to)
    (to / name).unlink()
    if data is not None:
        (to / name).write_bytes(data)
    return to


def test_weights_that_are_not_right_are_refused(tmp_path: Path) -> None:
    good = built(make_wav2vec2, seed=1)
    whole = (good / "model.safetensors").read_bytes()
    config = json.loads((good / "config.json").read_text())
    vocabulary = json.loads((good / "vocab.json").read_text())
    clip = safetensors_bytes({"text_model.embeddings.token_embedding.weight": (8, 8)})
    model, settings, words = "model.safetensors", "config.json", "vocab.json"
    cases: list[tuple[str, str, bytes | None, type[ToolError]]] = [
        ("truncated", model, whole[: len(whole) // 2], ToolError),
        ("nothing", model, b"", ToolError),
        ("family", model, clip, ToolError),
        ("pickle", model, pickle.dumps(Path.cwd), ToolError),
        ("zip", model, b"PK\x03\x04" + bytes(200), ToolError),
        ("page", model, b"<!doctype html><html>not found</html>", ToolError),
        ("headless", model, without_head(whole), InvalidInput),
        ("weightless", model, None, InvalidInput),
        ("gone", words, None, InvalidInput),
        ("torn", words, b'{"A": 5', InvalidInput),
        ("list", words, b"[1, 2]", InvalidInput),
        ("letterless", words, json.dumps({"<pad>": 0, "|": 4}).encode(), InvalidInput),
        ("wide", words, json.dumps({**vocabulary, "Ж": 99}).encode(), InvalidInput),
        ("nested", words, json.dumps({"eng": vocabulary}).encode(), InvalidInput),
        ("blankless", settings, json.dumps({**config, "pad_token_id": 5}).encode(), InvalidInput),
        ("model", settings, json.dumps({**config, "model_type": "hubert"}).encode(), InvalidInput),
        ("dims", settings, json.dumps({**config, "hidden_size": 96}).encode(), InvalidInput),
        ("code", settings, json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}).encode(), ToolError),
        ("rate", "preprocessor_config.json", b'{"sampling_rate": 8000}', InvalidInput),
    ]  # fmt: skip
    for name, file, data, error in cases:
        bad = changed(good, tmp_path / name, file, data)
        weights = AlignEnglish()
        with pytest.raises(error) as caught:
            weights.load(str(bad), Placing())
        assert str(bad) in str(caught.value), name
        assert weights.modules() == {}, name
    with pytest.raises(MissingPrerequisite, match="studio models pull align_english"):
        AlignEnglish().check("")
    with pytest.raises(MissingPrerequisite, match="studio models pull align_italian"):
        AlignItalian().check(str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="no folder"):
        AlignEnglish().check(str(good / model))


def without_head(data: bytes) -> bytes:
    from safetensors.torch import load, save

    kept = {name: one for name, one in load(data).items() if not name.startswith("lm_head")}
    return bytes(save(kept, {"format": "pt"}))


# --- the whole way


def test_a_recording_is_aligned_in_the_worker(tmp_path: Path, speller: Path) -> None:
    text, language = LINES[0]
    sound, words = said(text, language)
    path = recorded(tmp_path / "line.wav", sound)
    floor = Floor(tmp_path, whisper_large_v2=built(make_listener, seed=1), align_english=speller)
    try:
        calls = [
            Call(id=name, tool="transcribe", engine="whisperx", args={"file": str(path), "language": code})
            for name, code in (("aligned", "en"), ("plain", "it"))
        ]
        results = floor.run(*calls)
        aligned, plain = results["aligned"], results["plain"]
        assert isinstance(aligned, Artifact), aligned
        assert isinstance(plain, Artifact), plain
        found = Transcribe.Output.model_validate(aligned.output)
        assert (found.text, found.notes) == (text, [])
        assert max(misses(found, words)) < 0.1
        assert sorted(floor.moved("load")) == ["align_english", "whisper_large_v2"]
        assert Transcribe.Output.model_validate(plain.output).notes or not plain.output["segments"]
    finally:
        floor.close()
