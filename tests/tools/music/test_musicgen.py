"""MusicGen on a tiny checkpoint: lengths, windows, loops, what each input does, and what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml

from tools.errors import BadOutput, Cancelled, InvalidInput
from tools.music.moods import load_moods
from tools.music.musicgen import MusicgenMusic, _closed
from tools.music.musicgen_words import MUSICGEN_PATH, describe, load_book
from tools.music.score import Score
from tools.music.tool import ComposeMusic
from tools.sound import loudness, peak_db, true_peak_db
from tools.storyboard import Mood

Draw = Callable[..., np.ndarray]


@pytest.mark.parametrize("seconds", [0.5, 0.7312, 1.2, 2.9])
def test_any_length_is_met_to_the_sample_over_several_windows(draw: Draw, seconds: float) -> None:
    sound = draw(duration_s=seconds)
    assert sound.shape == (round(seconds * 48_000), 2)
    assert np.array_equal(sound[:, 0], sound[:, 1]), "one channel, heard on both sides"
    assert true_peak_db(sound) <= -0.9
    assert peak_db(sound[-48:]) < -45, "died away at the end"
    assert loudness(sound) == pytest.approx(-20.0, abs=0.6)


def test_each_input_changes_the_sound_and_the_same_seed_does_not(draw: Draw) -> None:
    plain = draw()
    assert np.array_equal(plain, draw())
    for change in ({"seed": 2}, {"mood": "tense"}, {"prompt": "harp and drums"}, {"place": "forest"}):
        other = draw(**change)[: len(plain) // 2]
        assert np.abs(other - plain[: len(other)]).mean() > 1e-3, change
    assert np.array_equal(plain, draw(place="nowhere")), "a place without words adds none"


def test_guidance_is_how_closely_it_keeps_to_the_words(draw: Draw, short_book: Path, tmp_path: Path) -> None:
    path = tmp_path / "loose.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(short_book.read_text()), "guidance": 1.0}))
    assert np.abs(draw(words=path) - draw()).mean() > 1e-3


def test_the_process_keeps_its_own_random_numbers(draw: Draw) -> None:
    import torch

    torch.manual_seed(5)
    draw()
    after = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3))


# --- windows --------------------------------------------------------------------------------------------------------


class Sine:
    """Stands for the model: goes on with a sine, its rendering of what it was given at another level."""

    def __init__(self, net: Any, level: float = 0.8) -> None:
        self.config, self.audio_encoder = net.model.config, net.model.audio_encoder
        self.heard: list[int] = []
        self._level, self._at = level, 0

    def generate(self, max_new_tokens: int, logits_processor: Any, **inputs: Any) -> Any:
        import torch

        given = inputs["input_values"].shape[-1] if "input_values" in inputs else 0
        self.heard.append(given)
        new = (max_new_tokens - 3) * 640
        at = torch.arange(self._at - given, self._at + new) / 32_000
        self._at += new
        level = self._level if given else 1.0
        return (0.5 * level * torch.sin(2 * torch.pi * 110 * at))[None, None]


def _drawn(net: Any, short_book: Path, seconds: float) -> tuple[np.ndarray, Sine]:
    from dataclasses import replace

    from tools.music.musicgen_draw import draw_music

    sine = Sine(net)
    fake = replace(net, model=sine)
    return draw_music(fake, load_book(short_book), "calm", seconds, 1, "cpu", lambda _f, _t: None)[:, 0], sine


def test_a_window_hears_the_end_of_the_one_before_and_goes_on_without_a_step(
    net: Any, short_book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, sine = _drawn(net, short_book, 2.8)
    assert sine.heard == [0, 12_800, 12_800], "0.4 s of 32 kHz"
    limit = 1.2 * 0.5 * 2 * np.pi * 110 / 32_000
    assert np.abs(np.diff(sound)).max() < limit
    monkeypatch.setattr("tools.music.musicgen_draw._join", lambda *_: None)
    broken, _ = _drawn(net, short_book, 2.8)
    assert np.abs(np.diff(broken)).max() >= np.abs(np.diff(sound)).max()
    seam = round(1.2 * 32_000)
    ends = [np.abs(one[seam - 300 : seam]).max() for one in (sound, broken)]
    assert ends[0] == pytest.approx(0.4, abs=0.02), "already at the next window's level"
    assert ends[1] == pytest.approx(0.5, abs=0.02)


# --- loops ----------------------------------------------------------------------------------------------------------


def _step_at_seam(sound: np.ndarray) -> float:
    """The step from the last sample to the first, against the largest within."""
    inside = np.abs(np.diff(sound[:, 0])).max()
    return float(abs(sound[0, 0] - sound[-1, 0]) / inside)


def _hum(count: int) -> np.ndarray:
    """Slow sound whose end does not meet its start."""
    at = np.arange(count) / 48_000
    return (0.4 * np.sin(2 * np.pi * 3.3 * at + 1) + 0.1 * np.sin(2 * np.pi * 41 * at))[:, None].astype(np.float32)


def test_a_loop_has_no_seam() -> None:
    whole = _hum(60_000)
    closed = _closed(whole, 48_000)
    assert len(closed) == 48_000
    assert closed[0, 0] == pytest.approx(whole[48_000, 0], abs=1e-6), "the last sample is followed by its own next"
    assert _step_at_seam(closed) < 1.0
    assert _step_at_seam(whole[:48_000]) > 20, "cut and not closed, it clicks"


def test_a_loop_of_the_engine_is_closed_after_the_limiter_as_well(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def loud(*args: Any) -> np.ndarray:
        sound = _hum(round(args[3] * 48_000))[:: 3 // 2]
        sound[:400] *= 9.0
        return sound

    monkeypatch.setattr("tools.music.musicgen_draw.draw_music", loud)
    loop, piece = draw(loop=True, duration_s=2.0), draw(duration_s=2.0)
    assert len(loop) == len(piece) == 96_000
    assert _step_at_seam(loop) < 1.0
    assert peak_db(loop[-480:]) > -30, "a loop does not fade"
    assert peak_db(piece[-480:]) < -45


def test_a_loop_of_the_model_does_not_fade(draw: Draw) -> None:
    loop = draw(loop=True, duration_s=1.0)
    assert loop.shape == (48_000, 2)
    assert peak_db(loop[-2400:]) > -30
    assert peak_db(loop[:2400]) > -30


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_stop_is_heard_within_one_step(draw: Draw) -> None:
    steps: list[str] = []
    context = {
        "report": lambda _f, text: steps.append(text),
        "is_cancelled": lambda: any("step 9 " in s for s in steps),
    }
    started = time.monotonic()
    with pytest.raises(Cancelled):
        draw(duration_s=60.0, context=context)
    assert time.monotonic() - started < 5
    assert "step 10 of 3000" not in steps
    draw()


@contextmanager
def _spoiled(tensor: Any, value: float) -> Iterator[None]:
    import torch

    kept = tensor.clone()
    with torch.no_grad():
        tensor.fill_(value)
    yield
    with torch.no_grad():
        tensor.copy_(kept)


def test_what_is_no_number_or_no_sound_is_refused(draw: Draw, net: Any, tmp_path: Path) -> None:
    whole = draw()
    with _spoiled(net.model.decoder.lm_heads[0].weight, float("nan")), pytest.raises(BadOutput, match="no numbers"):
        draw()
    last = net.model.audio_encoder.decoder.layers[-1].conv
    with _spoiled(last.bias, float("nan")), pytest.raises(BadOutput, match="no numbers"):
        draw()
    weight = last.parametrizations.weight.original0
    with _spoiled(weight, 0.0), _spoiled(last.bias, 0.0), pytest.raises(BadOutput, match="silence"):
        draw()
    assert not list(tmp_path.glob("out[123]/*")), "nothing half-written"
    assert np.array_equal(draw(), whole)


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_mood_has_words_of_its_own_and_every_place_is_a_bed() -> None:
    from tools.music.ambiences import load_ambiences

    book = load_book()
    told = {mood: describe(book, mood, "", "") for mood in get_args(Mood)}
    assert len(set(told.values())) == len(get_args(Mood))
    assert set(load_ambiences().places) == set(book.places)
    assert describe(book, "calm", "beach", " a lone harp ").startswith("a lone harp, calm and gentle")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  tense:", "  gloomy:", "moods"),
        ("guidance: 3.0", "guidance: .nan", "guidance"),
        ("prompt_s: 10.0", "prompt_s: 24.0\nwindow_s: 20.0", "window_s"),
        ("crossfade_s: 0.5", "crossfade_s: 0.5\nspeed: 2", "speed"),
    ],
)
def test_a_wrong_book_names_file_and_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "musicgen.yaml"
    path.write_text(MUSICGEN_PATH.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match=told) as caught:
        load_book(path)
    assert str(path) in str(caught.value)


def test_the_fingerprint_follows_the_words_and_settings_that_count(short_book: Path) -> None:
    calm = ComposeMusic.Input(mood="calm", duration_s=4.0)
    assert MusicgenMusic().fingerprint(calm) == MusicgenMusic().fingerprint(calm)
    assert MusicgenMusic().fingerprint(calm) != MusicgenMusic(short_book).fingerprint(calm)
    other = calm.model_copy(update={"prompt": "harp"})
    assert MusicgenMusic().fingerprint(calm) != MusicgenMusic().fingerprint(other)


def test_the_embedded_composer_takes_the_same_calls(tmp_path: Path) -> None:
    from tests.tools.listening import Shelf

    shelf = Shelf(tmp_path)
    shelf.make(Score(), "a", mood="calm", duration_s=1.0)
    shelf.make(Score(), "b", mood="calm", duration_s=1.0, prompt="harp", place="beach", loop=True)
    assert np.array_equal(shelf.sound("a", "music.wav"), shelf.sound("b", "music.wav"))
    assert set(load_moods().moods) == set(load_book().moods)
