"""Words are found where they are: recordings of voices whose word times are known, made worse in known ways.

The recordings are the embedded engine's other voices, with their pitch, speed, size of head, emotions and effects: the
same synthesiser, so that what is right to the frame here is right to some 30 ms for people (measured once against
pocketsphinx on eleven recordings of readers and of commands: median 30 ms, 96 % within 100 ms).
"""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from configs.voices import load_voices
from tools.errors import BadOutput, InvalidInput, MissingPrerequisite
from tools.sound import FloatArray, resample
from tools.timeline import SpokenWord
from tools.voice import alignment
from tools.voice.alignment import TRUSTED, Alignment, align_line
from tools.voice.colour import Colour, colour
from tools.voice.espeak import _prosody, record_line
from tools.voice.proportional import share_out
from tools.voice.speakable import clean_line, spoken_form, time_words, words_of

RATE = 24_000
LINES = [
    ("The old boat was lying near that harbour when both boys came running.", "en", "girl", "excited", 1.15),
    ("What if we never come back? I mean it, Luca, never ever.", "en", "man_deep", "sad", 0.85),
    ("I found it under that bridge, next to some old fountain.", "en", "cat", "smug", 1.0),
    ("Non ho mai visto il mare così blu, e tu?", "it", "woman", "happy", 1.2),
    ("Piacere, Girolamo Trombetta!", "it", "old_man", "surprised", 1.0),
    ("Ich habe den ganzen Tag auf dich gewartet.", "de", "lass", "angry", 1.1),
    ("Los barcos viejos estaban cerca cuando llegaron ellos.", "es", "luca", "scared", 0.9),
    ("Je ne veux pas rentrer ce soir, mon ami.", "fr", "old_woman", "tender", 1.0),
]
Take = tuple[str, str, FloatArray, list[SpokenWord]]


def take(text: str, language: str, voice: str, emotion: str, rate: float) -> Take:
    """A line in another voice, and when its words are said."""
    book = load_voices()
    prosody = _prosody(book, SimpleNamespace(emotion=emotion, delivery="normal"))  # type: ignore[arg-type]
    words = words_of(clean_line(text))
    form = spoken_form(words, next((said for code, said in book.said_as.items() if code == language), {}))
    sheet = book.voices[voice]
    spoken = record_line(form.text, sheet, prosody, language, rate)
    starts = [(form.word_of[position - 1], at) for position, at in spoken.words if 0 < position <= len(form.word_of)]
    timed = time_words(words, starts, [(start, end) for start, end, ipa in spoken.sounds if ipa])
    look = Colour(sheet.warmth, sheet.presence, sheet.air, prosody.effort, prosody.breath, sheet.effect)
    sound = colour(resample(spoken.samples, spoken.rate, 48_000), 48_000, look, 3)
    return text, language, resample(sound, 48_000, RATE), timed


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    return [take(*line) for line in LINES]


def with_pauses(sound: FloatArray, words: list[SpokenWord], rng: Any) -> tuple[FloatArray, list[SpokenWord]]:
    """Silence before every third word."""
    pieces, moved, last, gone = [], [], 0, 0.0
    for index, word in enumerate(words):
        if index % 3 == 2:
            at = round(word.start * RATE)
            pause = np.zeros(round(float(rng.uniform(0.2, 0.8)) * RATE), dtype=np.float32)
            pieces += [sound[last:at], pause]
            last, gone = at, gone + len(pause) / RATE
        moved.append(SpokenWord(text=word.text, start=word.start + gone, end=word.end + gone))
    return np.concatenate([*pieces, sound[last:]]), moved


def with_silence(sound: FloatArray, words: list[SpokenWord], rng: Any) -> tuple[FloatArray, list[SpokenWord]]:
    before, after = (round(float(rng.uniform(0.2, 1.5)) * RATE) for _ in range(2))
    moved = [SpokenWord(text=w.text, start=w.start + before / RATE, end=w.end + before / RATE) for w in words]
    return np.concatenate([np.zeros(before), sound, np.zeros(after)]).astype(np.float32), moved


def with_noise(sound: FloatArray, words: list[SpokenWord], rng: Any) -> tuple[FloatArray, list[SpokenWord]]:
    """20 dB below the speech, before and after it, too."""
    sound, words = with_silence(sound, words, rng)
    level = float(np.sqrt(np.mean(np.square(sound[np.abs(sound) > 1e-3]))))
    return (sound + 0.1 * level * rng.standard_normal(len(sound))).astype(np.float32), words


def as_it_is(sound: FloatArray, words: list[SpokenWord], _rng: Any) -> tuple[FloatArray, list[SpokenWord]]:
    return sound, words


def start_errors(found: list[list[SpokenWord]], wanted: list[list[SpokenWord]]) -> np.ndarray[Any, Any]:
    """Seconds; the start of the line itself is left out, for it is easy."""
    return np.array([
        abs(a.start - b.start)
        for one, other in zip(found, wanted, strict=True)
        for a, b in list(zip(one, other, strict=True))[1:]
    ])  # fmt: skip


def is_exact(errors: np.ndarray[Any, Any]) -> bool:
    return bool(np.median(errors) < 0.03 and np.quantile(errors, 0.95) < 0.1)


@pytest.mark.parametrize("worse", [as_it_is, with_pauses, with_silence, with_noise])
def test_words_are_found_in_other_voices(takes: list[Take], worse: Any) -> None:
    rng = np.random.default_rng(4)
    made = [worse(sound, words, rng) for _, _, sound, words in takes]
    found = [
        align_line(text, language, sound, RATE) for (text, language, _, _), (sound, _) in zip(takes, made, strict=True)
    ]
    assert is_exact(start_errors([one.words for one in found], [words for _, words in made]))
    for one, (text, language, _, _), (sound, words) in zip(found, takes, made, strict=True):
        assert one.method == "matched"
        assert one.confidence >= TRUSTED, (text, language)
        well_formed(one, text, len(sound) / RATE)
        assert one.speech_start == pytest.approx(words[0].start, abs=0.06)
        assert one.speech_end == pytest.approx(words[-1].end, abs=0.12)


def well_formed(one: Alignment, text: str, length: float) -> None:
    assert [word.text for word in one.words] == words_of(clean_line(text))
    edge = 0.0
    for word in one.words:
        assert edge - 1e-6 <= word.start <= word.end <= length + 1e-6
        edge = word.end
    for earlier, later in itertools.pairwise(one.mouth):
        assert earlier.start < later.start
        assert earlier.shape != later.shape
    assert one.mouth[-1].shape == "rest"
    assert 0.0 <= one.speech_start < one.speech_end <= length + 0.01


def test_by_syllables_alone_the_bound_is_missed(takes: list[Take]) -> None:
    """The broken twin: what the bound of the test above would let through if it were loose."""
    rng = np.random.default_rng(4)
    made = [with_pauses(sound, words, rng) for _, _, sound, words in takes]
    shared = [
        share_out(words_of(clean_line(text)), [(words[0].start, words[-1].end)])[0]
        for (text, _, _, _), (_, words) in zip(takes, made, strict=True)
    ]
    assert not is_exact(start_errors(shared, [words for _, words in made]))


def test_another_line_is_not_trusted(takes: list[Take]) -> None:
    for index, (_, language, sound, _) in enumerate(takes):
        text = next(line[0] for line in [*LINES[index + 1 :], *LINES[:index]])
        assert align_line(text, language, sound, RATE).confidence < TRUSTED, (text, takes[index][0])


def test_noise_and_music_are_not_trusted() -> None:
    at = np.arange(3 * RATE) / RATE
    hum = (0.3 * np.sin(2 * np.pi * 220 * at) * (1 + np.sin(2 * np.pi * 2 * at))).astype(np.float32)
    hiss = (0.1 * np.random.default_rng(1).standard_normal(3 * RATE)).astype(np.float32)
    for sound in (hum, hiss):
        one = align_line("Where is the boat, my friend?", "en", sound, RATE)
        assert one.confidence < TRUSTED
        well_formed(one, "Where is the boat, my friend?", 3.0)


def test_lips_meet_when_they_should() -> None:
    text, language, sound, words = take("My mother bought a map.", "en", "girl", "happy", 1.0)
    one = align_line(text, language, sound, RATE)
    closed = [cue.start for cue in one.mouth if cue.shape == "mbp"]
    for word in (words[0], words[1], words[2], words[4]):
        assert any(abs(at - word.start) < 0.07 for at in closed), (word, closed)


def test_a_language_the_reference_lacks_is_shared_out_over_the_speech(takes: list[Take]) -> None:
    _, _, sound, _ = takes[0]
    silent = np.zeros(RATE, dtype=np.float32)
    one = align_line("Onde está o barco? Não sei onde ele está hoje.", "pt", np.concatenate([silent, sound]), RATE)
    assert (one.method, one.confidence < TRUSTED) == ("proportional", True)
    assert one.words[0].start == pytest.approx(1.0, abs=0.06)
    well_formed(one, "Onde está o barco? Não sei onde ele está hoje.", 1.0 + len(sound) / RATE)
    assert align_line("船はどこですか", "ja", sound, RATE).mouth, "letters that are not Latin move the mouth, too"


def test_without_the_synthesiser_times_are_shared_out(takes: list[Take], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> Any:
        raise MissingPrerequisite("gone", command="pip")

    monkeypatch.setattr(alignment, "record_line", gone)
    text, language, sound, _ = takes[0]
    one = align_line(text, language, sound, RATE)
    assert (one.method, one.confidence < TRUSTED) == ("proportional", True)
    well_formed(one, text, len(sound) / RATE)


def test_the_same_in_the_same_out_at_any_rate_and_level(takes: list[Take]) -> None:
    text, language, sound, _ = takes[0]
    first, again = (align_line(text, language, sound, RATE) for _ in range(2))
    assert first == again
    other = align_line(text, language, np.stack([resample(sound, RATE, 44_100) * 0.2] * 2, axis=1), 44_100)
    assert float(np.median(start_errors([other.words], [first.words]))) < 0.01


def test_what_is_no_speech_is_refused(takes: list[Take]) -> None:
    text, language, sound, _ = takes[0]
    broken = sound.copy()
    broken[100] = np.nan
    for bad in (np.zeros(0, np.float32), np.zeros(RATE, np.float32), broken):
        with pytest.raises(BadOutput):
            align_line(text, language, bad, RATE)
    with pytest.raises(BadOutput):
        align_line(text, language, sound, 0)
    with pytest.raises(InvalidInput):
        align_line("... !", language, sound, RATE)
    tiny = align_line(text, language, sound[2000:2100], RATE)
    assert len(tiny.words) == len(words_of(text))


def test_ten_seconds_take_well_below_one() -> None:
    line = "We found a boat near that bridge, and nobody knew whose boat it was. " * 3
    text, language, sound, _ = take(line, "en", "lad", "neutral", 1.0)
    assert len(sound) / RATE > 8
    begin = time.process_time()
    one = align_line(text, language, sound, RATE)
    assert time.process_time() - begin < 5.0, "0.5 s on an idle core"
    assert one.confidence >= TRUSTED
