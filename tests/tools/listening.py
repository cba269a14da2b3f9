"""Ears for the tests: run an engine in a folder, measure pitch, rate and colour of what it wrote."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from tools.artifact import Artifact, ArtifactRecord, FileRecord
from tools.base import ArtifactRef, Engine, EngineContext
from tools.sound import FloatArray, read_wav


class Shelf:
    """A stand-in for the store: results of engines by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._artifacts: dict[str, Artifact] = {}

    def context(self, name: str, seed: int = 1) -> EngineContext:
        out = self.root / name
        out.mkdir(parents=True, exist_ok=True)
        return EngineContext(out=out, seed=seed, open_artifact=lambda key: self._artifacts[key])

    def make(self, engine: Engine[Any, Any], name: str, *, seed: int = 1, **args: Any) -> tuple[Any, ArtifactRef]:
        """Run an engine; its output and a reference to it."""
        output = engine.run(engine.tool.Input(**args), self.context(name, seed))
        return output, self.put(name, output.model_dump(mode="json"))

    def put(self, name: str, output: dict[str, Any]) -> ArtifactRef:
        folder = self.root / name
        files = {
            path.name: FileRecord(size=path.stat().st_size, sha256="0" * 64)
            for path in folder.iterdir()
            if path.is_file()
        }
        record = ArtifactRecord(
            key=name, tool="t", engine="e", version="1", args={}, seed=0, files=files, output=output, digest=name,
            seconds=0.0,
        )  # fmt: skip
        self._artifacts[name] = Artifact(folder, record)
        return ArtifactRef(call=name, key=name)

    def sound(self, name: str, file: str) -> FloatArray:
        return read_wav(self.root / name / file)[0]


def median_f0(samples: FloatArray, rate: int = 48_000) -> float:
    """Median pitch in Hz by autocorrelation; 0 where nothing is voiced."""
    from scipy.signal import resample_poly

    sound, rate = resample_poly(samples, 1, 4), rate // 4
    window, hop = int(0.04 * rate), int(0.01 * rate)
    low, high = rate // 600, rate // 55
    loud = 0.08 * float(np.abs(sound).max())
    found = []
    for start in range(0, len(sound) - 2 * window, hop):
        piece = sound[start : start + 2 * window]
        if np.sqrt(np.mean(piece**2)) < loud:
            continue
        piece = piece - piece.mean()
        same = np.correlate(piece, piece, "full")[len(piece) - 1 :]
        same = same / same[0] * (1 + 0.8 * np.arange(len(same)) / len(same))
        lag = low + int(np.argmax(same[low:high]))
        if same[lag] < 0.45:
            continue
        # The shortest of the good periods: longer ones are octaves below.
        for other in range(low, lag):
            if same[other] > 0.88 * same[lag] and same[other - 1] <= same[other] >= same[other + 1]:
                lag = other
                break
        found.append(rate / lag)
    return float(np.median(found)) if len(found) >= 5 else 0.0


def centroid(samples: FloatArray, rate: int = 48_000, low: float = 80, high: float = 12_000) -> float:
    """Centre of the power spectrum in Hz."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    power = np.abs(np.fft.rfft(mono)) ** 2
    hz = np.fft.rfftfreq(len(mono), 1 / rate)
    inside = (hz > low) & (hz < high)
    return float((power * hz)[inside].sum() / power[inside].sum())


def formant_profile(samples: FloatArray, rate: int = 48_000) -> np.ndarray[Any, Any]:
    """Level in dB of twelve bands from 300 Hz to 8 kHz, its mean taken out: the colour of a voice without its pitch."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / rate)
    edges = np.geomspace(300, 8000, 13)
    levels = np.array([10 * np.log10(power[(hz >= a) & (hz < b)].sum() + 1e-12) for a, b in itertools.pairwise(edges)])
    return levels - levels.mean()
