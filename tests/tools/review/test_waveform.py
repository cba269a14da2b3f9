"""The judge's own measurements of sound, against known signals and an independent meter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from tests.tools.review.fabricate import babble, tone, write_wav
from tools.errors import BadOutput
from tools.review.waveform import SoundMeter, measure_wav


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_agrees_with_another_meter(tmp_path: Path, rate: int, channels: int) -> None:
    rng = np.random.default_rng(rate + channels)
    seconds = np.arange(rate * 4) / rate
    sound = rng.normal(0, 0.1, (seconds.size, channels)) * (0.2 + np.sin(seconds * 3) ** 2)[:, None]
    sound[rate : rate * 2] = 0
    write_wav(tmp_path / "a.wav", sound, rate)
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    assert measure_wav(tmp_path / "a.wav").lufs == pytest.approx(meter.integrated_loudness(sound), abs=0.05)


def test_a_full_scale_sine_in_one_channel_is_3_lufs_below_full_scale(tmp_path: Path) -> None:
    """BS.1770-4: a 0 dBFS sine of 997 Hz in one front channel reads -3.01 LKFS."""
    write_wav(tmp_path / "a.wav", tone(5, hertz=997, level=1.0))
    found = measure_wav(tmp_path / "a.wav")
    assert found.lufs == pytest.approx(-3.01, abs=0.02)
    assert found.peak_db == pytest.approx(0.0, abs=0.01)


def test_blocks_of_any_length_give_the_same_measure() -> None:
    sound = babble(8).astype(np.float32)[None, :]
    whole, pieces = SoundMeter(22_050, 1), SoundMeter(22_050, 1)
    whole.add(sound)
    at, rng = 0, np.random.default_rng(3)
    while at < sound.shape[1]:
        step = int(rng.integers(1, 3000))
        pieces.add(sound[:, at : at + step])
        at += step
    one, other = whole.result(), pieces.result()
    assert one.lufs == pytest.approx(other.lufs, abs=1e-6)
    assert one.duration_s == other.duration_s
    assert np.allclose(one.levels, other.levels)


def test_silence_is_measured_without_a_warning(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.zeros(48_000))
    found = measure_wav(tmp_path / "a.wav")
    assert (found.lufs, found.peak_db, found.clipped_run) == (-np.inf, -120.0, 0)
    assert found.sounding_from_to(-60) is None
    assert found.longest_silence_s(-60) == pytest.approx(1.0)


def test_where_sound_begins_ends_and_pauses(tmp_path: Path) -> None:
    parts = [np.zeros(24_000), tone(1.0), np.zeros(36_000), tone(0.5), np.zeros(12_000)]
    write_wav(tmp_path / "a.wav", np.concatenate(parts))
    found = measure_wav(tmp_path / "a.wav")
    assert found.sounding_from_to(-50) == pytest.approx((0.5, 2.75), abs=0.011)
    assert found.longest_silence_s(-50) == pytest.approx(0.75, abs=0.011)
    assert found.level_db(0.6, 1.4) == pytest.approx(20 * np.log10(0.2 / np.sqrt(2)), abs=0.1)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3 no wav at all, really not" * 40])
def test_what_is_no_wav_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(BadOutput, match=r"a\.wav cannot be read as WAV"):
        measure_wav(tmp_path / "a.wav")


def test_a_torn_wav_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(2))
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadOutput, match=r"breaks off 1\.00 s before its end"):
        measure_wav(tmp_path / "a.wav")
