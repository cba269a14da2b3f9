from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadOutput
from tools.sound import loudness, peak_db, true_peak_db
from tools.voice.postprocess import finish_clip


def recording(lead: float, speech: float, tail: float, *, rate: int = 24_000, level: float = 0.3) -> np.ndarray:
    """Silence, a tone that swells like syllables, silence."""
    at = np.arange(int(speech * rate)) / rate
    tone = level * np.sin(2 * np.pi * 300 * at) * (0.4 + 0.6 * np.abs(np.sin(2 * np.pi * 2 * at + 0.5)))
    pause = [np.zeros(int(seconds * rate)) for seconds in (lead, tail)]
    return np.concatenate([pause[0], tone, pause[1]]).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 32_000, 48_000])
def test_a_recording_of_any_engine_becomes_a_clip(rate: int) -> None:
    clip = finish_clip(recording(0.8, 1.6, 0.3, rate=rate), rate)
    assert clip.speech_start == 0.5
    assert clip.speech_end - clip.speech_start == pytest.approx(1.6, abs=0.02)
    assert clip.duration_s - clip.speech_end == pytest.approx(1.0, abs=1e-4)
    assert clip.shift == pytest.approx(0.5 - 0.8, abs=0.011)
    assert clip.lufs == pytest.approx(-16.0, abs=0.2)
    assert loudness(clip.samples) == pytest.approx(clip.lufs, abs=1e-6)
    assert not np.any(clip.samples[: int(0.499 * 48_000)])
    assert not np.any(clip.samples[-int(0.99 * 48_000) :])


def test_a_room_rings_after_the_speech_and_then_is_silent() -> None:
    dry, wet = (finish_clip(recording(0.1, 1.0, 0.1), 24_000, room=room) for room in (0.0, 1.0))
    end = int(dry.speech_end * 48_000)
    assert not np.any(dry.samples[end + 10 :])
    assert -60 < peak_db(wet.samples[end + 480 : end + 4800]) < -15
    assert peak_db(wet.samples[end + 20_000 :]) < -90


def test_a_click_does_not_leave_the_clip_quiet_or_clipped() -> None:
    sound = recording(0.1, 1.5, 0.1, level=0.02)
    sound[20_000:20_004] = 1.0
    clip = finish_clip(sound, 24_000)
    assert true_peak_db(clip.samples) <= -0.9
    assert clip.lufs > -18.5


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(48_000, dtype=np.float32),
        np.zeros(0, dtype=np.float32),
        np.full(48_000, 1e-5, dtype=np.float32),
        np.array([np.nan] * 1000, dtype=np.float32),
        np.array([np.inf, 0.1] * 1000, dtype=np.float32),
    ],
)
def test_silence_and_garbage_are_refused(sound: np.ndarray) -> None:
    with pytest.raises(BadOutput):
        finish_clip(sound, 48_000)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.05, 3.0), st.floats(0.0, 1.0), st.floats(0.01, 1.0))
def test_every_clip_keeps_its_promises(lead: float, speech: float, tail: float, level: float) -> None:
    clip = finish_clip(recording(lead, speech, tail, level=level), 24_000)
    assert len(clip.samples) == round(clip.duration_s * 48_000)
    assert clip.lufs == pytest.approx(-16.0, abs=0.6)
    assert true_peak_db(clip.samples) <= -0.9
    assert 0.5 < clip.speech_end <= clip.duration_s - 0.999
