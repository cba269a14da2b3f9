from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from tools.errors import BadOutput
from tools.sound import (
    SILENCE_DB,
    LoudnessMeter,
    WavReader,
    gain,
    limit,
    limit_stream,
    loudness,
    peak_db,
    read_wav,
    resample,
    true_peak_db,
    write_wav,
)


def noise(seconds: float, channels: int = 2, seed: int = 1, level: float = 0.1) -> np.ndarray:
    sound = np.random.default_rng(seed).standard_normal((int(seconds * 48_000), channels)).astype(np.float32) * level
    return sound[:, 0] if channels == 1 else sound


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_loudness_agrees_with_pyloudnorm(channels: int, rate: int) -> None:
    sound = noise(6, channels)
    sound[: 2 * rate] *= 0.003
    expected = pyloudnorm.Meter(rate).integrated_loudness(sound.astype(np.float64))
    assert loudness(sound, rate) == pytest.approx(expected, abs=0.12)


def test_loudness_does_not_depend_on_the_pieces() -> None:
    sound = noise(3)
    meter = LoudnessMeter(48_000, 2)
    for start in range(0, len(sound), 7001):
        meter.feed(sound[start : start + 7001])
    assert meter.lufs() == pytest.approx(loudness(sound), abs=1e-9)


def test_loudness_of_silence_and_of_a_blink() -> None:
    assert loudness(np.zeros(48_000, dtype=np.float32)) == SILENCE_DB
    assert loudness(np.zeros(0, dtype=np.float32)) == SILENCE_DB
    assert -40 < loudness(noise(0.1)) < 0


def test_a_wav_comes_back_as_written(tmp_path: Path) -> None:
    for channels in (1, 2):
        sound = noise(0.2, channels, level=0.3)
        write_wav(tmp_path / "a.wav", sound, 32_000)
        back, rate = read_wav(tmp_path / "a.wav")
        assert rate == 32_000
        assert back.shape == sound.shape
        assert np.abs(back - np.clip(sound, -1, 1)).max() <= 1 / 32767
    with WavReader(tmp_path / "a.wav") as reader:
        beyond = reader.read(reader.frames - 10, reader.frames + 10)
        assert np.any(beyond[:10])
        assert not np.any(beyond[10:])


def test_a_wav_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOutput):
        read_wav(tmp_path / "missing.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(BadOutput):
        read_wav(tmp_path / "text.wav")
    write_wav(tmp_path / "cut.wav", noise(0.5))
    data = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadOutput):
        read_wav(tmp_path / "cut.wav")


def test_the_true_peak_lies_between_the_samples() -> None:
    at = np.arange(4800)
    tone = np.sin(2 * np.pi * at / 4 + np.pi / 4).astype(np.float32)
    assert peak_db(tone) == pytest.approx(-3.01, abs=0.02)
    assert true_peak_db(tone) == pytest.approx(0.0, abs=0.2)


def test_the_limiter_holds_the_ceiling_and_leaves_the_rest() -> None:
    sound = noise(2, level=0.2)
    sound[48_000:48_400] *= 12
    limited = limit(sound)
    assert true_peak_db(limited) <= -1.0 + 0.05
    assert np.array_equal(limited[:40_000], sound[:40_000])
    quiet = noise(1, level=0.01)
    assert np.array_equal(limit(quiet), quiet)


@pytest.mark.parametrize("size", [4801, 48_000, 500_000])
def test_limiting_in_pieces_is_limiting_at_once(size: int) -> None:
    sound = noise(3, level=0.5)
    pieces = [sound[start : start + size] for start in range(0, len(sound), size)]
    joined = np.concatenate(list(limit_stream(pieces)))
    assert np.abs(joined - limit(sound)).max() < 1e-5


def test_resampling_keeps_pitch_and_level() -> None:
    at = np.arange(22_050) / 22_050
    tone = (0.5 * np.sin(2 * np.pi * 1000 * at)).astype(np.float32)
    high = resample(tone, 22_050, 48_000)
    assert len(high) == 48_000
    spectrum = np.abs(np.fft.rfft(high))
    assert int(np.argmax(spectrum)) == 1000
    assert np.sqrt(np.mean(high**2)) == pytest.approx(np.sqrt(np.mean(tone**2)), rel=0.01)
    assert gain(-6.0206) == pytest.approx(0.5, rel=1e-4)
