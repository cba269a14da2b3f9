"""Sound as Wav2Lip hears it: 80 mel bands, 80 times a second.

Its published settings (hparams.py of github.com/Rudrabha/Wav2Lip): 16 kHz, frames of 800 samples every 200,
pre-emphasis 0.97, mel bands of Slaney's scale and area from 55 to 7,600 Hz, decibels from -100 to 0 above a reference
of 20, spread over -4 .. 4.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

__all__ = ["MEL_RATE", "RATE", "WINDOW", "mel_spectrogram", "mel_window"]

RATE = 16_000
FRAME, HOP = 800, 200
MEL_RATE = RATE // HOP
BANDS = 80
LOWEST_HZ, HIGHEST_HZ = 55.0, 7600.0
PRE_EMPHASIS = 0.97
LEAST_DB, REFERENCE_DB, SPREAD = -100.0, 20.0, 4.0
WINDOW = 16
"""Steps of the spectrogram that the network hears for one picture: a fifth of a second."""


def _to_mel(hertz: np.ndarray) -> np.ndarray:
    """Slaney's scale (Auditory Toolbox, 1998): even below 1 kHz, logarithmic above."""
    linear = hertz / (200 / 3)
    return np.where(hertz < 1000, linear, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) * 27 / np.log(6.4))


def _to_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def mel_bands() -> np.ndarray:
    """Triangles of equal area: bands x (frame / 2 + 1)."""
    ends = _to_mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges = _to_hertz(np.linspace(ends[0], ends[1], BANDS + 2))
    bins = np.linspace(0, RATE / 2, FRAME // 2 + 1)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    bands: np.ndarray = triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
    return bands


def mel_spectrogram(samples: np.ndarray) -> np.ndarray:
    """Mono samples at 16 kHz, -1..1 -> 80 x steps float32, -4..4; a step every 12.5 ms, the first around sample 0."""
    emphasised = signal.lfilter([1, -PRE_EMPHASIS], [1], samples.astype(np.float64))
    if len(emphasised) <= FRAME // 2:
        emphasised = np.pad(emphasised, (0, FRAME // 2 + 1 - len(emphasised)))
    padded = np.pad(emphasised, FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * signal.get_window("hann", FRAME), axis=1)).T
    level = 20 * np.log10(np.maximum(10 ** (LEAST_DB / 20), mel_bands() @ power)) - REFERENCE_DB
    spread = np.clip(2 * SPREAD * (level - LEAST_DB) / -LEAST_DB - SPREAD, -SPREAD, SPREAD)
    return np.asarray(spread, dtype=np.float32)


def mel_window(mel: np.ndarray, second: float) -> np.ndarray:
    """What is heard with the picture at that second: 80 x 16; past the end, the last there is."""
    first = min(max(0, int(second * MEL_RATE)), max(0, mel.shape[1] - WINDOW))
    window = mel[:, first : first + WINDOW]
    return np.pad(window, ((0, 0), (0, WINDOW - window.shape[1])), constant_values=-SPREAD)
