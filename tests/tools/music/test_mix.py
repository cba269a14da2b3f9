from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.listening import Shelf
from tools.base import ArtifactRef
from tools.errors import BadOutput, InvalidInput
from tools.music.mix import Mixer
from tools.sound import SILENCE_DB, loudness, peak_db, true_peak_db, write_wav
from tools.timeline import shot_timeline

ROOT = Path(__file__).parents[3]


class Desk(Shelf):
    """Clips and beds made of plain tones, so that each can be found again in the mix."""

    def clip(self, name: str, seconds: float, *, hz: float = 1000.0, rate: int = 48_000) -> ArtifactRef:
        folder = self.root / name
        folder.mkdir()
        at = np.arange(int((seconds + 1.5) * rate)) / rate
        sound = (0.25 * np.sin(2 * np.pi * hz * at) * ((at >= 0.5) & (at < 0.5 + seconds))).astype(np.float32)
        write_wav(folder / "speech.wav", sound, rate)
        return self.put(name, {
            "file": "speech.wav", "character": "luca", "text": "la", "sample_rate": rate, "duration_s": seconds + 1.5,
            "speech_start": 0.5, "speech_end": 0.5 + seconds, "words": [], "mouth": [], "lufs": -16.0, "peak_db": -12.0,
            "voice": "tone",
        })  # fmt: skip

    def bed(
        self, name: str, seconds: float, *, hz: float = 220.0, rate: int = 48_000, channels: int = 2
    ) -> ArtifactRef:
        folder = self.root / name
        folder.mkdir()
        at = np.arange(int(seconds * rate)) / rate
        sound = (0.1 * np.sin(2 * np.pi * hz * at)).astype(np.float32)
        write_wav(folder / "bed.wav", np.stack([sound] * channels, axis=1) if channels > 1 else sound, rate)
        return self.put(name, {"file": "bed.wav"})

    def mix(self, **args: Any) -> tuple[Any, np.ndarray]:
        output, _ = self.make(Mixer(), "mix", fps=args.pop("fps", 24), **args)
        return output, self.sound("mix", output.file)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def level(sound: np.ndarray, start: float, end: float, hz: float) -> float:
    """Level in dB of one tone between two moments."""
    piece = sound[int(start * 48_000) : int(end * 48_000), 0]
    at = np.arange(len(piece)) / 48_000
    amount = abs(np.sum(piece * np.hanning(len(piece)) * np.exp(-2j * np.pi * hz * at))) / (0.25 * len(piece))
    return float(20 * np.log10(amount + 1e-9))


@pytest.mark.parametrize(("fps", "lengths"), [(24, [3.0, 4.1, 2.033]), (30, [1.0, 0.51]), (25, [2.0]), (60, [0.5] * 7)])
def test_a_film_is_as_long_as_its_frames(desk: Desk, fps: int, lengths: list[float]) -> None:
    line = desk.clip("line", 2.2)
    shots = [{"duration_s": length, "speech": [line] if number == 0 else []} for number, length in enumerate(lengths)]
    output, sound = desk.mix(fps=fps, shots=shots)
    frames = sum(
        shot_timeline(length, fps, [(0.5, 2.7)] if number == 0 else []).frames for number, length in enumerate(lengths)
    )
    assert len(sound) == round(frames / fps * 48_000)
    assert output.duration_s == pytest.approx(frames / fps, abs=1 / 48_000)


def test_speech_lies_where_the_timeline_says(desk: Desk) -> None:
    lines = [desk.clip("one", 1.0), desk.clip("two", 0.8, hz=1500.0)]
    output, sound = desk.mix(shots=[{"duration_s": 2.0}, {"duration_s": 6.0, "speech": lines}])
    timeline = shot_timeline(6.0, 24, [(0.5, 1.5), (0.5, 1.3)])
    expected = [(2.0 + line.start, 2.0 + line.end) for line in timeline.lines]
    assert np.allclose(output.speech, expected, atol=1e-4)
    (start, end), (start_two, end_two) = output.speech
    assert level(sound, start + 0.05, end - 0.05, 1000) > -20
    assert level(sound, start_two + 0.05, end_two - 0.05, 1500) > -20
    assert level(sound, 0.0, start - 0.02, 1000) < -60
    assert level(sound, end + 0.02, start_two - 0.02, 1000) < -60
    first = np.flatnonzero(np.abs(sound[:, 0]) > 0.01)[0] / 48_000
    assert first == pytest.approx(start, abs=0.003)


def test_beds_go_down_ten_decibels_under_speech(desk: Desk) -> None:
    beds = {
        "music": [{"sound": desk.bed("m", 30.0), "first": 0, "last": 0}],
        "ambience": [{"sound": desk.bed("a", 30.0, hz=330.0), "first": 0, "last": 0}],
    }
    shots = [{"duration_s": 12.0, "speech": [desk.clip("line", 3.0)]}]
    output, sound = desk.mix(shots=shots, **beds)
    start, end = output.speech[0]
    for hz in (220, 330):
        under = level(sound, start + 0.2, end - 0.2, hz)
        alone = level(sound, end + 1.5, end + 3.0, hz)
        assert alone - under == pytest.approx(10.0, abs=0.6)
    assert level(sound, start + 0.2, end - 0.2, 1000) > level(sound, start + 0.2, end - 0.2, 220) + 12
    # Down before the first word, without a step.
    assert level(sound, start - 0.1, start, 220) < level(sound, 0.2, start - 0.5, 220) - 5
    unvoiced, silent = desk.mix(shots=shots, voices=False, **beds)
    assert unvoiced.speech == output.speech
    assert level(silent, start + 0.2, end - 0.2, 1000) < -60
    ratio = level(silent, start + 0.2, end - 0.2, 220) - level(silent, end + 1.5, end + 3.0, 220)
    assert ratio == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize("with_music", [True, False])
def test_a_film_with_voices_or_music_is_at_sixteen(desk: Desk, with_music: bool) -> None:
    beds = {"music": [{"sound": desk.bed("m", 20.0), "first": 0, "last": 1}]} if with_music else {}
    shots = [{"duration_s": 5.0, "speech": [] if with_music else [desk.clip("line", 2.0)]}, {"duration_s": 4.0}]
    output, sound = desk.mix(shots=shots, **beds)
    assert loudness(sound) == pytest.approx(-16.0, abs=0.5)
    assert output.lufs == pytest.approx(loudness(sound), abs=0.05)
    assert true_peak_db(sound) <= -0.9
    assert output.peak_db == pytest.approx(peak_db(sound), abs=0.05)


def test_sea_alone_is_quieter_and_silence_is_silent(desk: Desk) -> None:
    output, sound = desk.mix(
        shots=[{"duration_s": 4.0}], ambience=[{"sound": desk.bed("a", 2.0), "first": 0, "last": 0}]
    )
    assert loudness(sound) == pytest.approx(-24.0, abs=0.5)
    output, sound = desk.mix(shots=[{"duration_s": 4.0}])
    assert not np.any(sound)
    assert output.lufs == SILENCE_DB


def test_a_peaky_mix_is_limited_and_still_loud(desk: Desk) -> None:
    folder = desk.root / "clicks"
    folder.mkdir()
    rng = np.random.default_rng(3)
    sound = (rng.standard_normal((10 * 48_000, 2)) * 0.01).astype(np.float32)
    sound[::9600] = 0.9
    write_wav(folder / "bed.wav", sound)
    bed = desk.put("clicks", {"file": "bed.wav"})
    output, mixed = desk.mix(shots=[{"duration_s": 10.0}], music=[{"sound": bed, "first": 0, "last": 0}])
    assert true_peak_db(mixed) <= -0.9
    assert output.lufs == pytest.approx(-16.0, abs=1.0)


def test_a_short_ambience_is_looped_without_a_hole_or_a_click(desk: Desk) -> None:
    bed = desk.bed("a", 3.0)
    _, sound = desk.mix(shots=[{"duration_s": 20.0}], ambience=[{"sound": bed, "first": 0, "last": 0}])
    levels = [peak_db(sound[start : start + 4800]) for start in range(48_000, 18 * 48_000, 4800)]
    assert max(levels) - min(levels) < 9
    assert np.abs(np.diff(sound[:, 0])).max() < 0.02


def test_music_that_is_too_short_keeps_its_ending(desk: Desk) -> None:
    folder = desk.root / "tune"
    folder.mkdir()
    at = np.arange(8 * 48_000) / 48_000
    tune = 0.1 * np.sin(2 * np.pi * 220 * at)
    tune[7 * 48_000 :] = 0.1 * np.sin(2 * np.pi * 880 * at[7 * 48_000 :])
    write_wav(folder / "bed.wav", np.stack([tune, tune], axis=1).astype(np.float32))
    bed = desk.put("tune", {"file": "bed.wav"})
    _, sound = desk.mix(shots=[{"duration_s": 14.0}], music=[{"sound": bed, "first": 0, "last": 0}])
    assert level(sound, 13.1, 13.5, 880) > level(sound, 13.1, 13.5, 220) + 20, "the last note is at the end"
    assert level(sound, 5.0, 12.0, 880) < -50, "and only there"
    levels = [peak_db(sound[start : start + 9600]) for start in range(9600, 12 * 48_000, 9600)]
    assert max(levels) - min(levels) < 8


def test_beds_change_by_a_crossfade_at_the_cut(desk: Desk) -> None:
    one, two = desk.bed("one", 10.0, hz=220.0), desk.bed("two", 10.0, hz=500.0)
    shots = [{"duration_s": 5.0}, {"duration_s": 5.0}]
    beds = [{"sound": one, "first": 0, "last": 0}, {"sound": two, "first": 1, "last": 1}]
    _, sound = desk.mix(shots=shots, music=beds)
    assert level(sound, 3.0, 4.0, 500) < -60
    assert level(sound, 6.0, 7.0, 220) < -60
    at_cut = level(sound, 4.9, 5.1, 220), level(sound, 4.9, 5.1, 500)
    assert at_cut[0] == pytest.approx(level(sound, 2.0, 3.0, 220) - 3.0, abs=1.5)
    assert at_cut[1] == pytest.approx(level(sound, 7.0, 8.0, 500) - 3.0, abs=1.5)
    assert peak_db(sound[:48]) < -30
    assert peak_db(sound[-48:]) < -45


def test_sounds_of_other_engines_are_brought_to_our_rate(desk: Desk) -> None:
    line = desk.clip("line", 1.0, rate=24_000)
    bed = desk.bed("m", 6.0, hz=300.0, rate=32_000, channels=1)
    output, sound = desk.mix(
        shots=[{"duration_s": 5.0, "speech": [line]}], music=[{"sound": bed, "first": 0, "last": 0}]
    )
    start, end = output.speech[0]
    assert level(sound, start + 0.1, end - 0.1, 1000) > -20
    assert level(sound, 3.6, 4.2, 300) > -40
    assert {path.name for path in (desk.root / "mix").iterdir()} == {"sound.wav"}


def test_wrong_beds_and_clips_are_named(desk: Desk) -> None:
    bed = desk.bed("m", 2.0)
    with pytest.raises(InvalidInput, match="shots 0 to 3"):
        desk.mix(shots=[{"duration_s": 2.0}], music=[{"sound": bed, "first": 0, "last": 3}])
    with pytest.raises(BadOutput):
        desk.mix(shots=[{"duration_s": 2.0, "speech": [bed]}])
    (desk.root / "m" / "bed.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(BadOutput):
        desk.mix(shots=[{"duration_s": 2.0}], music=[{"sound": bed, "first": 0, "last": 0}])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.memory import peak_kb\n"
        "from tests.tools.music.test_mix import Desk, Mixer\n"
        "desk = Desk(Path(sys.argv[1])); n = int(sys.argv[2])\n"
        "line, bed = desk.clip('line', 3.0), desk.bed('bed', 20.0)\n"
        "shots = [{'duration_s': 20.0, 'speech': [line]}] * n\n"
        "desk.make(Mixer(), 'mix', fps=24, shots=shots, ambience=[{'sound': bed, 'first': 0, 'last': n - 1}])\n"
        "print(peak_kb())"
    )
    used = []
    for count in ("2", "30"):
        folder = tmp_path / count
        folder.mkdir()
        command = [sys.executable, "-c", code, str(folder), count]
        used.append(int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout))
    assert used[1] - used[0] < 60_000, "kilobytes; ten minutes of stereo float32 would be 230,000"
