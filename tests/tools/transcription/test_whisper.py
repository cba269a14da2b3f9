"""Whisper hears what it knows: a tiny one of large-v3's layout, which has learnt four lines by heart."""

from __future__ import annotations

import json
import pickle
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from evals.checkpoints.whisper import LINES, RATE, make_listener, said
from tools.base import EngineContext
from tools.errors import Cancelled, EngineFailed, InvalidInput, MissingPrerequisite, ToolError
from tools.model import Placing
from tools.sound import FloatArray, write_wav
from tools.transcription import recordings
from tools.transcription.captions import captions_of, written_as
from tools.transcription.recordings import read_recording
from tools.transcription.tool import HeardSegment, HeardWord, Transcribe
from tools.transcription.whisper import FasterWhisperSmall
from tools.transcription.whisper_weights import WhisperSmall, check_model_bin
from tools.transcription.word_errors import word_errors


@pytest.fixture(scope="module")
def folder() -> Path:
    return built(make_listener, seed=1)


@pytest.fixture(scope="module")
def weights(folder: Path) -> WhisperSmall:
    made = WhisperSmall()
    made.load(str(folder), Placing())
    made.wake("cpu")
    return made


def heard(weights: WhisperSmall, path: Path, out: Path, *, cancelled: bool = False, **args: Any) -> Transcribe.Output:
    out.mkdir(exist_ok=True)
    context = EngineContext(
        out=out, seed=1, open_artifact=lambda _key: None, models={"whisper_small": weights},  # type: ignore[arg-type,return-value]
        is_cancelled=lambda: cancelled,
    )  # fmt: skip
    return FasterWhisperSmall().run(Transcribe.Input(file=str(path), **args), context)


def recorded(path: Path, sound: FloatArray, rate: int = RATE) -> Path:
    write_wav(path, sound, rate)
    return path


def test_lines_it_knows_are_written_down_with_the_times_of_their_words(weights: WhisperSmall, tmp_path: Path) -> None:
    late = []
    for text, language in LINES:
        sound, words = said(text, language)
        found = heard(weights, recorded(tmp_path / "line.wav", sound), tmp_path / "out", language=language)
        assert found.text == text
        assert word_errors(text, found.text, language).rate == 0.0
        assert (found.language, found.note) == (language, "")
        assert found.duration_s == pytest.approx(len(sound) / RATE, abs=0.01)
        assert (tmp_path / "out" / found.file).read_text() == f"{text}\n"
        assert [word.text for word in found.words] == [word for word, _, _ in words]
        late += [abs(a.end - end) for a, (_, _, end) in zip(found.words, words, strict=True)]
        edge = 0.0
        for word in found.words:
            assert edge <= word.start <= word.end <= found.duration_s
            edge = word.end
    assert float(np.median(late)) < 0.1
    assert max(late) < 0.45


def test_the_language_is_found_out_where_it_is_not_given(weights: WhisperSmall, tmp_path: Path) -> None:
    """So small a model cannot tell which of its two languages it hears; that it is none of the other 98, it can."""
    found = heard(weights, recorded(tmp_path / "line.wav", said(*LINES[0])[0]), tmp_path / "out")
    assert found.language in ("en", "it")
    assert 0.3 < found.language_probability <= 1.0


def test_other_words_are_not_taken_for_them(weights: WhisperSmall, tmp_path: Path) -> None:
    texts = set()
    for text, language in LINES:
        texts.add(
            heard(
                weights, recorded(tmp_path / "a.wav", said(text, language)[0]), tmp_path / "out", language=language
            ).text
        )
    assert len(texts) == len(LINES), "what is heard decides, not the model alone"
    assert word_errors(LINES[0][0], LINES[2][0], "en").rate > 0.5


def test_the_same_in_the_same_out(weights: WhisperSmall, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    assert heard(weights, path, tmp_path / "1") == heard(weights, path, tmp_path / "2")


def test_a_long_recording_is_heard_in_pieces_at_once(weights: WhisperSmall, tmp_path: Path) -> None:
    pause = np.zeros(2 * RATE, dtype=np.float32)
    pieces = [part for _ in range(5) for line in LINES for part in (said(*line)[0], pause)]
    found = heard(weights, recorded(tmp_path / "a.wav", np.concatenate(pieces)), tmp_path / "out", language="en")
    assert found.segments
    ends = [segment.end for segment in found.segments]
    assert ends == sorted(ends)
    assert ends[-1] <= found.duration_s


def test_words_can_be_left_out(weights: WhisperSmall, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    found = heard(weights, path, tmp_path / "out", words=False, language="en")
    assert found.text == LINES[0][0]
    assert found.words == []


@pytest.mark.parametrize(("kind", "note"), [("zeros", "the recording is silent"), ("hiss", "nobody speaks in it")])
def test_silence_and_noise_have_no_words(weights: WhisperSmall, tmp_path: Path, kind: str, note: str) -> None:
    hiss = 0.02 * np.random.default_rng(1).standard_normal(3 * RATE)
    sound = (hiss if kind == "hiss" else np.zeros(3 * RATE)).astype(np.float32)
    found = heard(weights, recorded(tmp_path / "a.wav", sound), tmp_path / "out")
    assert (found.text, found.segments, found.note, found.language) == ("", [], note, "")


def test_it_sleeps_wakes_and_goes(folder: Path, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    weights = WhisperSmall()
    weights.load(str(folder), Placing())
    with pytest.raises(EngineFailed, match="not on the device"):
        heard(weights, path, tmp_path / "0")
    assert weights.wake("cpu") > 0
    first = heard(weights, path, tmp_path / "1")
    weights.sleep()
    with pytest.raises(EngineFailed, match="not on the device"):
        heard(weights, path, tmp_path / "2")
    weights.wake("cpu")
    assert heard(weights, path, tmp_path / "3") == first
    weights.unload()
    narrow = WhisperSmall()
    narrow.load(str(folder), Placing(quantise="int8"))
    assert narrow.wake("cpu") < weights._bytes()
    assert heard(narrow, path, tmp_path / "4").text == first.text
    narrow.unload()


def test_a_cancel_stops_it(weights: WhisperSmall, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        heard(weights, recorded(tmp_path / "a.wav", said(*LINES[0])[0]), tmp_path / "out", cancelled=True)


def test_a_language_nobody_taught_it_is_refused(weights: WhisperSmall, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.wav", said(*LINES[0])[0])
    with pytest.raises(InvalidInput, match="does not know the language 'xx'"):
        heard(weights, path, tmp_path / "out", language="xx")


# --- bad input


def nan_wav(path: Path) -> None:
    import av

    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_f32le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.full((1, RATE), np.nan, dtype=np.float32), format="flt", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_what_is_no_recording_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = recorded(tmp_path / "good.wav", said(*LINES[0])[0])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.mp3").write_text("no sound " * 100)
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    (tmp_path / "head.wav").write_bytes(good.read_bytes()[:30])
    (tmp_path / "notes.exe").write_bytes(good.read_bytes())
    nan_wav(tmp_path / "nan.wav")
    with wave.open(str(tmp_path / "none.wav"), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(RATE)
    with wave.open(str(tmp_path / "slow.wav"), "wb") as stream:
        # A second of it would be sixteen thousand samples: an hour out of 7 kB.
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(1)
        stream.writeframes(b"\x01\x10" * 3600)
    with pytest.raises(InvalidInput, match="has 1 Hz"):
        read_recording(tmp_path / "slow.wav")
    for name in ("empty.wav", "text.mp3", "list.mp4", "head.wav", "notes.exe", "nan.wav", "none.wav", "gone.wav"):
        with pytest.raises(InvalidInput, match=name):
            read_recording(tmp_path / name)
    monkeypatch.setattr(recordings, "LONGEST_S", 1.0)
    with pytest.raises(InvalidInput, match="longer than"):
        read_recording(good)
    with pytest.raises(ValueError, match="either"):
        Transcribe.Input()


def test_half_a_file_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    good = recorded(tmp_path / "good.wav", said(*LINES[0])[0])
    half = tmp_path / "half.wav"
    half.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    assert 0.4 < len(read_recording(half)) / len(read_recording(good)) < 0.6


def copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


def test_weights_that_are_not_right_are_refused_before_they_are_read(folder: Path, tmp_path: Path) -> None:
    assert check_model_bin(folder / "model.bin") > 50
    whole = (folder / "model.bin").read_bytes()
    cases: list[tuple[str, bytes | None, type[ToolError], str]] = [
        ("truncated", whole[: len(whole) // 2], InvalidInput, "cut off"),
        ("another", whole.replace(b"WhisperSpec", b"WhizperSpec", 1), InvalidInput, "WhizperSpec"),
        ("pickle", pickle.dumps(Path.cwd), ToolError, "pickle"),
        ("page", b"<!doctype html><html>not found</html>", ToolError, "page"),
        ("nothing", b"", ToolError, "page"),
        ("gone", None, MissingPrerequisite, "has no model.bin"),
    ]  # fmt: skip
    for name, data, error, told in cases:
        bad = copy(folder, tmp_path / name)
        (bad / "model.bin").unlink()
        if data is not None:
            (bad / "model.bin").write_bytes(data)
        with pytest.raises(error) as caught:
            WhisperSmall().load(str(bad), Placing())
        assert str(bad) in str(caught.value), name
        if name not in ("page", "nothing"):
            assert told in str(caught.value), name
    bare = copy(folder, tmp_path / "bare")
    (bare / "tokenizer.json").unlink()
    with pytest.raises(MissingPrerequisite, match=r"tokenizer\.json"):
        WhisperSmall().check(str(bare))
    with pytest.raises(MissingPrerequisite, match="studio models pull whisper_small"):
        WhisperSmall().check("")
    with pytest.raises(InvalidInput, match="no folder"):
        WhisperSmall().check(str(folder / "model.bin"))
    config = copy(folder, tmp_path / "config")
    (config / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(ToolError):
        WhisperSmall().check(str(config))


# --- subtitles of what was heard


def test_a_transcript_becomes_subtitles() -> None:
    words = [
        HeardWord(text=f"word{index}", start=index * 0.4, end=index * 0.4 + 0.3, probability=1) for index in range(40)
    ]
    segments = [HeardSegment(text=" ".join(w.text for w in words), start=0.0, end=16.0, words=words),
                HeardSegment(text="Without times, --> here <b>too</b>.", start=17.0, end=19.0, words=[])]  # fmt: skip
    found = Transcribe.Output(
        file="t.txt", text="", language="en", language_probability=1, duration_s=20.0, segments=segments
    )
    cues = captions_of(found)
    shown = " ".join(cue.text.replace("\n", " ") for cue in cues).split()
    assert [word for word in shown if word.startswith("word")] == [word.text for word in words]
    for cue in cues:
        assert all(len(line) <= 42 for line in cue.text.split("\n"))
        assert cue.start < cue.end <= 20.0
        said_then = [word for word in words if word.text in cue.text.split()]
        if said_then:
            assert cue.start == pytest.approx(said_then[0].start, abs=0.01)
    srt, vtt = written_as(".srt", found), written_as(".vtt", found)
    assert srt.count(" --> ") == vtt.count(" --> ") == len(cues)
    assert vtt.startswith("WEBVTT")
    assert written_as(".txt", found).splitlines()[1].startswith("Without")
    with pytest.raises(InvalidInput):
        written_as(".pdf", found)
