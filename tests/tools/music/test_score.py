from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from tests.tools.listening import Shelf, centroid
from tools.errors import InvalidInput
from tools.music.composition import compose
from tools.music.instruments import DRUMS, PITCHED, Orchestra
from tools.music.moods import MODES, MOODS_PATH, load_moods
from tools.music.score import Score
from tools.sound import loudness, peak_db, true_peak_db
from tools.storyboard import Mood

ROOT = Path(__file__).parents[3]
MOODS: tuple[str, ...] = get_args(Mood)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Twelve seconds of every mood."""
    shelf = Shelf(tmp_path_factory.mktemp("moods"))
    sounds = {}
    for mood in MOODS:
        output, _ = shelf.make(Score(), mood, mood=mood, duration_s=12.0)
        assert output.sample_rate == 48_000
        sounds[mood] = shelf.sound(mood, output.file)
    return sounds


@pytest.mark.parametrize("mood", MOODS)
def test_a_score_fills_its_time_and_dies_away(played: dict[str, np.ndarray], mood: str) -> None:
    sound = played[mood]
    assert sound.shape == (12 * 48_000, 2)
    assert loudness(sound) == pytest.approx(-20.0, abs=0.5)
    assert true_peak_db(sound) <= -0.9
    assert peak_db(sound[:480]) < -6
    assert peak_db(sound[-480:]) < -55, "faded to nothing at the end"
    quiet = [peak_db(sound[start : start + 24_000]) for start in range(0, 10 * 48_000, 24_000)]
    assert min(quiet) > -50, "no hole in the middle"


@pytest.mark.parametrize("seconds", [0.5, 0.73, 1.0, 2.0, 3.3, 5.0, 16.4, 33.0])
def test_any_length_is_met_to_the_sample(tmp_path: Path, seconds: float) -> None:
    output, _ = Shelf(tmp_path).make(Score(), "a", mood="cheerful", duration_s=seconds)
    assert output.duration_s == pytest.approx(round(seconds * 48_000) / 48_000, abs=1e-9)
    assert len(Shelf(tmp_path).sound("a", "music.wav")) == round(seconds * 48_000)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"music.wav"}


def test_the_same_seed_is_the_same_in_any_process_and_another_is_not(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.make(Score(), "a", mood="playful", duration_s=9.0, seed=5)
    code = (
        "import sys; from pathlib import Path; from tests.tools.listening import Shelf\n"
        "from tools.music.score import Score\n"
        "Shelf(Path(sys.argv[1])).make(Score(), 'b', mood='playful', duration_s=9.0, seed=5)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    shelf.make(Score(), "c", mood="playful", duration_s=9.0, seed=6)
    first, same, other = ((tmp_path / name / "music.wav").read_bytes() for name in "abc")
    assert first == same
    assert first != other


def test_seeds_write_different_melodies() -> None:
    mood = load_moods().moods["calm"]
    tunes = set()
    for seed in range(12):
        score = compose(mood, 30.0, seed)
        tunes.add(tuple(n.pitch - score.tonic for n in score.notes if n.part in (mood.melody, mood.answer))[:12])
    assert len(tunes) >= 11


def test_moods_differ_in_tempo_mode_and_colour(played: dict[str, np.ndarray]) -> None:
    book = load_moods().moods
    described = {
        mood: (
            np.mean(book[mood].tempo),
            MODES[book[mood].mode],
            centroid(played[mood]),
            (book[mood].accompaniment, book[mood].beats, book[mood].melody.instrument),
        )
        for mood in MOODS
    }
    for one, other in itertools.combinations(MOODS, 2):
        (tempo, mode, colour, pattern), (tempo_b, mode_b, colour_b, pattern_b) = described[one], described[other]
        differences = [
            max(tempo, tempo_b) / min(tempo, tempo_b) > 1.15,
            mode != mode_b,
            max(colour, colour_b) / min(colour, colour_b) > 1.2,
            *(a != b for a, b in zip(pattern, pattern_b, strict=True)),
        ]
        assert sum(differences) >= 2, (one, other, described[one], described[other])
    assert described["adventurous"][0] > 1.6 * described["melancholy"][0]
    assert min(described[m][2] for m in ("cheerful", "triumphant", "adventurous")) > 1.3 * max(
        described[m][2] for m in ("melancholy", "tender", "tense")
    )


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("seconds", [4.0, 17.0, 30.0, 61.0])
def test_what_is_written_obeys_its_own_rules(mood: str, seconds: float) -> None:
    rules = load_moods().moods[mood]  # type: ignore[index]
    for seed in range(4):
        score = compose(rules, seconds, seed)
        scale = {(score.tonic + step) % 12 for step in MODES[rules.mode]}
        tuned = [note for note in score.notes if note.part != rules.bass]
        assert {note.pitch % 12 for note in tuned} <= scale, "nothing outside the mode but a walking bass"
        assert all(0 <= note.start < seconds for note in score.notes)
        assert all(note.start + note.length <= seconds + 1e-6 for note in score.notes)
        assert all(24 <= note.pitch <= 103 for note in score.notes)
        ending = max(note.start for note in tuned if note.part == rules.melody)
        last = next(note for note in tuned if note.part == rules.melody and note.start == ending)
        assert last.pitch % 12 == score.tonic % 12, "home at the end"
        if seconds >= 17:
            assert rules.tempo[0] * 0.9 <= score.tempo <= rules.tempo[1] * 1.1


def test_a_motif_comes_back() -> None:
    """The rhythm of the melody's first bar is heard again at least three times in half a minute."""
    rules = load_moods().moods["cheerful"]
    for seed in range(5):
        score = compose(rules, 30.0, seed)
        bar = rules.beats * 60 / score.tempo
        bars: dict[int, list[int]] = {}
        for note in score.notes:
            if note.part in (rules.melody, rules.answer):
                place = note.start / bar + 0.02
                bars.setdefault(int(place), []).append(round((place % 1) * 8))
        rhythms = [tuple(bars[key]) for key in sorted(bars)]
        assert max(rhythms.count(rhythm) for rhythm in rhythms) >= 3


@pytest.mark.parametrize("instrument", PITCHED)
def test_every_instrument_is_in_tune_and_does_not_click(instrument: str) -> None:
    orchestra = Orchestra(1.0, 1)
    for pitch in (45, 60, 76):
        sound = orchestra.note(instrument, pitch, 0.8)
        assert np.all(np.isfinite(sound))
        assert 0.15 < np.abs(sound).max() < 4.0
        assert abs(sound[0]) < 0.02
        assert abs(sound[-1]) < 0.02
        hz = 440 * 2 ** ((pitch - 69) / 12)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
        grid = np.fft.rfftfreq(1 << 17, 1 / 48_000)
        near = (grid > hz * 0.94) & (grid < hz * 1.06)
        found = grid[near][np.argmax(spectrum[near])]
        assert abs(1200 * np.log2(found / hz)) < 14


@pytest.mark.parametrize("drum", DRUMS)
def test_every_drum_strikes_and_ends(drum: str) -> None:
    sound = Orchestra(1.0, 1).drum(drum)
    assert np.abs(sound).max() == pytest.approx(1.0, abs=0.01)
    assert np.abs(sound[-200:]).max() < 0.15


def test_a_wrong_moods_file_names_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "moods.yaml"
    broken.write_text(
        MOODS_PATH.read_text(encoding="utf-8").replace("[2, 2], [1.5, 0.5, 2]", "[2, 1], [1.5, 0.5, 2]", 1)
    )
    with pytest.raises(InvalidInput, match=r"moods\.yaml:\d+.*fill a bar"):
        Shelf(tmp_path).make(Score(broken), "a", mood="calm", duration_s=3.0)


def test_memory_does_not_grow_with_the_length() -> None:
    """Pieces of sixteen seconds: minutes cost no more memory than one."""
    code = (
        "import sys; from pathlib import Path; from tests.memory import peak_kb\n"
        "from tests.tools.listening import Shelf\n"
        "from tools.music.score import Score\nimport tempfile\n"
        "Shelf(Path(tempfile.mkdtemp())).make(Score(), 'a', mood='melancholy', duration_s=float(sys.argv[1]))\n"
        "print(peak_kb())"
    )
    used = [
        int(subprocess.run([sys.executable, "-c", code, s], cwd=ROOT, check=True, capture_output=True).stdout)
        for s in ("40", "160")
    ]
    assert used[1] - used[0] < 25_000, "kilobytes; two minutes of stereo float32 alone would be 46,000"
