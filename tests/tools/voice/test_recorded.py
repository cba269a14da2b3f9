"""The last stretch of every voice that is not the embedded one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.tools.voice.people import SAID, Household
from tests.tools.voice.servers.rendition import rendition
from tools.errors import BadOutput, Cancelled
from tools.sound import loudness, read_wav
from tools.timeline import SpokenWord
from tools.voice import recorded
from tools.voice.recorded import check_samples, finish_recorded
from tools.voice.shelf import VoiceUse
from tools.voice.tool import SynthesizeSpeech

ARGS = SynthesizeSpeech.Input(text=SAID, character="luca")


def finish(household: Household, samples: Any, rate: int = 32_000, name: str = "out", **more: Any) -> Any:
    ctx = household.context(name)
    return finish_recorded(samples, rate, more.pop("args", ARGS), ctx, voice="xtts:luca", **more), ctx


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
def test_a_recording_becomes_a_clip(household: Household, rate: int) -> None:
    output, ctx = finish(household, rendition(SAID, rate), rate)
    samples, _ = read_wav(ctx.out / "speech.wav")
    assert loudness(samples) == pytest.approx(-16, abs=0.3)
    assert [word.text for word in output.words] == SAID.split()
    assert output.speech_start == 0.5
    assert len(samples) / 48_000 == pytest.approx(output.duration_s)
    assert output.duration_s - output.speech_end == pytest.approx(1.0, abs=0.01)


def test_integers_and_two_channels_are_taken_as_well(household: Household) -> None:
    sound = rendition(SAID, 32_000)
    plain, _ = finish(household, sound, name="a")
    pcm = np.round(np.stack([sound, sound], axis=1) * 32_768).astype(np.int16)
    other, _ = finish(household, pcm, name="b")
    assert other.speech_end == pytest.approx(plain.speech_end, abs=0.01)


def test_silence_around_it_is_cut(household: Household) -> None:
    sound = rendition(SAID, 32_000)
    plain, _ = finish(household, sound, name="a")
    padded, _ = finish(household, np.pad(sound, (32_000, 48_000)), name="b")
    assert padded.duration_s == pytest.approx(plain.duration_s, abs=0.01)
    for one, other in zip(plain.words, padded.words, strict=True):
        assert other.start == pytest.approx(one.start, abs=0.05)


def test_it_is_padded_to_an_exact_length(household: Household) -> None:
    output, ctx = finish(household, rendition(SAID, 32_000), exact_s=9.25)
    assert output.duration_s == 9.25
    assert len(read_wav(ctx.out / "speech.wav")[0]) == 9.25 * 48_000
    assert output.speech_end < 8.0
    with pytest.raises(BadOutput, match=r"is to last 3\.00 s"):
        finish(household, rendition(SAID, 32_000), exact_s=3.0, name="short")


def test_the_use_and_more_are_written_beside_it(household: Household) -> None:
    use = VoiceUse(cloned=True, whose="J", allowed_for="this film")
    _, ctx = finish(household, rendition(SAID, 32_000), use=use, record={"cost": "0.01 USD"})
    record = json.loads((ctx.out / "voice.json").read_text())
    assert (record["use"]["allowed_for"], record["cost"], record["voice"]) == ("this film", "0.01 USD", "xtts:luca")


def test_word_times_that_are_known_are_kept_and_the_mouth_follows(household: Household) -> None:
    sound = rendition(SAID, 32_000)
    found, _ = finish(household, sound, name="a")
    words = [SpokenWord(text=w.text, start=w.start - 0.5 + 0.2, end=w.end - 0.5 + 0.2) for w in found.words]
    known, _ = finish(household, sound, name="b", words=words)
    moved = known.words[0].start - found.words[0].start
    assert moved > 0.1
    for one, other in zip(found.words[:-3], known.words[:-3], strict=True):
        assert other.start - one.start == pytest.approx(moved, abs=0.01)
    middle = len(found.mouth) // 3
    at = found.mouth[middle]
    assert any(cue.shape == at.shape and abs(cue.start - at.start - moved) < 0.03 for cue in known.mouth)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(0), "no sound"),
        (np.zeros((3, 3, 3)), "no sound"),
        (np.zeros(32_000), "silence"),
        (np.zeros(16_000, dtype=np.int16), "silence"),
        (np.full(32_000, np.nan), "no numbers"),
        (np.array([0.1, np.inf] * 16_000), "no numbers"),
        (np.full(32_000, 0.4), "silence"),
        (np.sign(np.sin(np.arange(64_000) / 20)), "flat tops"),
        (np.clip(np.random.default_rng(0).standard_normal(64_000) * 20, -1, 1), "flat tops"),
    ],
)
def test_what_is_no_speech_is_refused(household: Household, samples: Any, words: str) -> None:
    with pytest.raises(BadOutput, match=words):
        finish(household, samples)
    assert not list((household.root / "out").iterdir()), "nothing half-written"


@pytest.mark.parametrize("rate", [0, -1, 100, 10**6])
def test_a_rate_that_no_sound_has_is_refused(rate: int) -> None:
    with pytest.raises(BadOutput, match="no rate of speech"):
        check_samples(np.ones(100), rate, "it")


def test_far_too_short_and_far_too_long_are_refused(household: Household) -> None:
    sound = rendition(SAID, 32_000)
    with pytest.raises(BadOutput, match="said the line in"):
        finish(household, sound[:20_000])
    with pytest.raises(BadOutput, match=r"took .* for a line of about"):
        finish(household, np.tile(sound, 6), name="long")
    drawn, _ = finish(household, np.tile(sound, 4), name="drawn", slowest=2.0)
    assert drawn.speech_end > 20, "where it was to be slow, it may be"


def test_hours_of_sound_are_refused_before_they_are_finished(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "finish_clip", lambda *_: pytest.fail("it was brought to another rate"))
    with pytest.raises(BadOutput, match=r"took 200\.0 s for a line that lasts"):
        finish(household, np.random.default_rng(0).normal(0, 0.1, 200 * 8_000), 8_000)


def test_a_stop_leaves_nothing(household: Household) -> None:
    ctx = household.context("stopped")
    ctx.is_cancelled = lambda: True
    with pytest.raises(Cancelled):
        finish_recorded(rendition(SAID, 32_000), 32_000, ARGS, ctx, voice="xtts:luca")
    assert not list(ctx.out.iterdir())
