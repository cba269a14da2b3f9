from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tools.listening import Shelf, centroid
from tools.errors import InvalidInput
from tools.music.ambience import Nature
from tools.music.ambiences import AMBIENCES_PATH, load_ambiences
from tools.music.calls import CALLS, call
from tools.music.textures import TEXTURES, texture
from tools.sound import loudness, peak_db

ROOT = Path(__file__).parents[3]
PLACES = sorted(load_ambiences().places)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_every_place_that_the_studio_draws_has_a_bed() -> None:
    needed = {"beach", "harbour", "town_square", "kitchen", "forest", "underwater", "street", "bedroom", "meadow"}
    assert needed | {"boat_deck", "rooftop"} <= set(PLACES)


@pytest.mark.parametrize("place", [*PLACES, "the_moon"])
def test_every_place_sounds_without_clicks(shelf: Shelf, place: str) -> None:
    output, _ = shelf.make(Nature(), "a", place=place, duration_s=6.0)
    sound = shelf.sound("a", output.file)
    assert sound.shape == (6 * 48_000, 2)
    assert loudness(sound) == pytest.approx(-26.0, abs=0.7)
    assert peak_db(sound) <= -0.9
    assert abs(sound[0]).max() < 0.002
    assert abs(sound[-1]).max() < 0.002
    levels = [peak_db(sound[start : start + 24_000]) for start in range(2400, len(sound) - 26_400, 24_000)]
    assert min(levels) > -60


def test_every_place_hour_and_weather_has_something_to_hear() -> None:
    book = load_ambiences()
    for place in [*book.places, "nowhere"]:
        for time in ("dawn", "day", "sunset", "night"):
            for weather in ("clear", "rain", "fog", "snow"):
                assert book.elements(place, time, weather), (place, time, weather)


def test_rain_hisses_silences_birds_and_is_dull_indoors(shelf: Shelf) -> None:
    book = load_ambiences()
    assert "gull" in {element.sound for element in book.elements("beach", "day", "clear")}
    assert "gull" not in {element.sound for element in book.elements("beach", "day", "rain")}
    sounds = {}
    for name, place, weather in (("dry", "beach", "clear"), ("wet", "beach", "rain"), ("in", "kitchen", "rain")):
        output, _ = shelf.make(Nature(), name, place=place, weather=weather, duration_s=6.0)
        sounds[name] = centroid(shelf.sound(name, output.file))
    assert sounds["wet"] > 2.5 * sounds["dry"]
    assert sounds["in"] < sounds["wet"] / 2
    assert [e.sound for e in book.elements("underwater", "day", "rain")] == [
        e.sound for e in book.elements("underwater", "day", "clear")
    ]


def test_night_has_crickets_snow_is_muffled(shelf: Shelf) -> None:
    book = load_ambiences()
    assert "crickets" in {element.sound for element in book.elements("meadow", "night", "clear")}
    output, _ = shelf.make(Nature(), "a", place="forest", duration_s=5.0)
    clear = centroid(shelf.sound("a", output.file))
    output, _ = shelf.make(Nature(), "b", place="forest", weather="snow", duration_s=5.0)
    assert centroid(shelf.sound("b", output.file)) < 0.6 * clear


def test_the_same_seed_is_the_same_in_any_process(shelf: Shelf) -> None:
    shelf.make(Nature(), "a", place="harbour", duration_s=4.0, seed=3)
    code = (
        "import sys; from pathlib import Path; from tests.tools.listening import Shelf\n"
        "from tools.music.ambience import Nature\n"
        "Shelf(Path(sys.argv[1])).make(Nature(), 'b', place='harbour', duration_s=4.0, seed=3)"
    )
    subprocess.run([sys.executable, "-c", code, str(shelf.root)], cwd=ROOT, check=True)
    shelf.make(Nature(), "c", place="harbour", duration_s=4.0, seed=4)
    first, same, other = ((shelf.root / name / "ambience.wav").read_bytes() for name in "abc")
    assert first == same
    assert first != other


@pytest.mark.parametrize("seconds", [0.5, 1.3, 91.0, 200.0])
def test_any_length_without_a_seam(shelf: Shelf, seconds: float) -> None:
    output, _ = shelf.make(Nature(), "a", place="mountain", duration_s=seconds)
    sound = shelf.sound("a", output.file)
    assert len(sound) == round(seconds * 48_000)
    step = np.abs(np.diff(sound, axis=0)).max(axis=1)
    # A seam would be one step far above all others.
    assert step.max() < 12 * np.percentile(step, 99)


@pytest.mark.parametrize("name", TEXTURES)
def test_every_texture_is_level_and_wide(name: str) -> None:
    sound = texture(name, 4 * 48_000, np.random.default_rng(2))
    assert sound.shape == (4 * 48_000, 2)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.1, rel=0.01)
    assert np.all(np.isfinite(sound))
    assert not np.array_equal(sound[:, 0], sound[:, 1])


@pytest.mark.parametrize("name", CALLS)
def test_every_call_begins_and_ends_softly(name: str) -> None:
    for seed in range(5):
        sound = call(name, np.random.default_rng(seed))
        assert np.abs(sound).max() == pytest.approx(1.0, abs=1e-3)
        assert abs(sound[0]) < 0.01
        assert abs(sound[-1]) < 0.01


def test_a_wrong_file_names_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "ambiences.yaml"
    broken.write_text(AMBIENCES_PATH.read_text(encoding="utf-8").replace("sound: gull", "sound: dragon", 1))
    with pytest.raises(InvalidInput, match=r"ambiences\.yaml:\d+"):
        Shelf(tmp_path).make(Nature(broken), "a", place="beach", duration_s=2.0)
