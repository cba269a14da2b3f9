from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from configs.voices import DELIVERIES, EMOTIONS, Character, load_voices
from tests.tools.listening import Shelf, centroid, formant_profile, median_f0
from tools.errors import BadOutput, EngineCrashed, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite
from tools.sound import SILENCE_DB, loudness, peak_db, true_peak_db
from tools.storyboard import Delivery, Emotion, Look
from tools.voice import espeak
from tools.voice.casting import cast_voice
from tools.voice.espeak import EspeakSpeech
from tools.voice.speakable import clean_line, words_of

ROOT = Path(__file__).parents[3]
PLAIN = "The old boat was lying in the harbour when the boys came running."


@pytest.fixture(scope="module")
def engine() -> EspeakSpeech:
    made = EspeakSpeech()
    made.check()
    made.load()
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def words_per_second(clip: espeak.SynthesizeSpeech.Output) -> float:
    return len(clip.words) / (clip.speech_end - clip.speech_start)


# --- the clip


@pytest.mark.parametrize(
    ("text", "language", "character", "emotion"),
    [
        ("Silenzio, Bruno!", "it", "luca", "excited"),
        ("Silenzio, Bruno!", "en", "luca", "excited"),
        ("We can do this!", "en", "luca", "excited"),
        ("Piacere, Girolamo Trombetta!", "it", "alberto", "happy"),
        ("Wo ist das Boot, Giulia?", "de", "giulia", "scared"),
        ("¡Hola! ¿Qué tal, amigo?", "es", "giulia", "happy"),
        ("Ça va? Où est l'été?", "fr", "alberto", "thoughtful"),
        ("In 1954 there were 25 boats, and 3.5 of them in the sea.", "en", "giulia", "smug"),
        ("wait — what?! NOOOO... (really) <b>no</b> 😀", "en", "luca", "angry"),
    ],
)
def test_a_clip_is_what_the_contract_says(
    engine: EspeakSpeech, shelf: Shelf, text: str, language: str, character: str, emotion: str
) -> None:
    clip, _ = shelf.make(engine, "a", text=text, language=language, character=character, emotion=emotion)
    sound = shelf.sound("a", clip.file)
    assert sound.ndim == 1
    assert clip.sample_rate == 48_000
    assert clip.duration_s == pytest.approx(len(sound) / 48_000, abs=1e-6)
    assert clip.speech_start == pytest.approx(0.5)
    assert clip.duration_s - clip.speech_end == pytest.approx(1.0, abs=1e-4)
    assert loudness(sound) == pytest.approx(-16.0, abs=0.3)
    assert clip.lufs == pytest.approx(loudness(sound), abs=0.05)
    assert true_peak_db(sound) <= -1.0 + 0.1
    assert clip.peak_db == pytest.approx(peak_db(sound), abs=0.05)
    assert not np.any(sound[: int(0.499 * 48_000)]), "0.5 s of silence before"
    assert peak_db(sound[int((clip.speech_end + 0.4) * 48_000) :]) <= SILENCE_DB, "the room is gone 0.4 s later"
    assert [word.text for word in clip.words] == words_of(clean_line(text))
    edge = clip.speech_start
    for word in clip.words:
        assert edge - 1e-6 <= word.start < word.end <= clip.speech_end + 1e-6
        edge = word.end
    assert clip.words[-1].end == pytest.approx(clip.speech_end, abs=0.12)
    for earlier, later in itertools.pairwise(clip.mouth):
        assert earlier.start < later.start
        assert earlier.shape != later.shape
    assert clip.mouth[0].start >= clip.speech_start
    assert clip.mouth[-1].shape == "rest"
    assert clip.mouth[-1].start <= clip.speech_end
    assert len({cue.shape for cue in clip.mouth}) >= 4


def test_words_lie_where_they_sound(engine: EspeakSpeech, shelf: Shelf) -> None:
    clip, _ = shelf.make(engine, "a", text="Stop, stop, stop, stop.", character="luca")
    sound = np.abs(shelf.sound("a", clip.file))
    assert len(clip.words) == 4
    for before, after in itertools.pairwise(clip.words):
        said = sound[int(before.start * 48_000) : int(before.end * 48_000)].mean()
        pause = sound[int((before.end + 0.06) * 48_000) : int((after.start - 0.02) * 48_000)].mean()
        assert after.start - before.end > 0.1
        assert said > 8 * pause


def test_lips_meet_for_b_m_p(engine: EspeakSpeech, shelf: Shelf) -> None:
    clip, _ = shelf.make(engine, "a", text="Mamma, pappa, Bimbo!", language="it", character="giulia")
    assert sum(cue.shape == "mbp" for cue in clip.mouth) >= 6
    clip, _ = shelf.make(engine, "b", text="Few of five, love.", character="giulia")
    assert sum(cue.shape == "fv" for cue in clip.mouth) >= 4


def test_the_same_line_gives_the_same_bytes_in_any_process(engine: EspeakSpeech, shelf: Shelf) -> None:
    args = {"text": PLAIN, "character": "somebody_new", "emotion": "excited"}
    shelf.make(engine, "noise", text="Another line, said before it.", character="luca")
    shelf.make(engine, "a", **args)
    code = (
        "import sys; from pathlib import Path; from tests.tools.listening import Shelf\n"
        "from tools.voice.espeak import EspeakSpeech\n"
        f"Shelf(Path(sys.argv[1])).make(EspeakSpeech(), 'b', **{args!r})"
    )
    subprocess.run([sys.executable, "-c", code, str(shelf.root)], cwd=ROOT, check=True)
    first, second = ((shelf.root / name / "speech.wav").read_bytes() for name in "ab")
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    other, _ = shelf.make(engine, "c", seed=2, **args)
    assert (shelf.root / "c" / other.file).read_bytes() != first, "another seed breathes otherwise"


def test_a_line_is_quick(engine: EspeakSpeech, shelf: Shelf) -> None:
    shelf.make(engine, "warm", text="One.", character="luca")
    times = []
    for number in range(3):
        began = time.perf_counter()
        shelf.make(engine, f"t{number}", text=PLAIN, character="luca")
        times.append(time.perf_counter() - began)
    assert min(times) < 2.0, "0.1 s on an idle machine; the limit leaves room for a busy one"


# --- what is hard to say


@pytest.mark.parametrize(
    "text", ["...", "!?!", "😀👍", "\x00\x01 \u202e", "— … —", "<b></b>", "<speak/>", "   \n ", "***"]
)
def test_nothing_to_say_is_said(engine: EspeakSpeech, shelf: Shelf, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        shelf.make(engine, "a", text=text, character="luca")
    assert caught.value.where == "text"
    assert not list((shelf.root / "a").iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "<speak><prosody rate='1000%'>run</prosody><audio src='/etc/passwd'/></speak> away & <unclosed",
        "[[f00b@r]] [[ and ]] {x} \\n %s $(rm) `id`",
        "a" * 600,
        "no " * 200,
        "\x1b[31mred\x07 alert\x00 now",
        "שלום עולם and hello",
        "Привет, Лука",
        "日本語 ok",
        "2,000,000,000,000 + 3/4 = ?",
        "!!!" * 60 + " hey " + "???" * 60,
        "é" * 30 + " ñandú",
        "x",
    ],
)
def test_hostile_lines_are_said_or_refused_in_words(engine: EspeakSpeech, shelf: Shelf, text: str) -> None:
    try:
        clip, _ = shelf.make(engine, "a", text=text, character="alberto")
    except (InvalidInput, BadOutput):
        return
    assert [word.text for word in clip.words] == words_of(clean_line(text))
    assert all(a.end <= b.start + 1e-6 for a, b in itertools.pairwise(clip.words))
    assert clip.duration_s < 130
    assert peak_db(shelf.sound("a", clip.file)) <= -0.9


def test_markup_changes_nothing_in_how_a_line_is_said(engine: EspeakSpeech, shelf: Shelf) -> None:
    plain, _ = shelf.make(engine, "a", text="run away now", character="luca")
    marked, _ = shelf.make(
        engine, "b", text="<prosody rate='500%'>run</prosody> away <break time='9s'/>now", character="luca"
    )
    assert marked.duration_s == plain.duration_s


# --- who speaks


def every_voice() -> list[str]:
    return list(load_voices().voices)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, float, np.ndarray]]:
    """Each voice saying the same line: its pitch, its words a second and its colour."""
    shelf = Shelf(tmp_path_factory.mktemp("voices"))
    engine = EspeakSpeech()
    engine.load()
    book = load_voices()
    found = {}
    for name in book.voices:
        engine._book = book.model_copy(update={"characters": {"x": Character(espeak=name)}})
        clip, _ = shelf.make(engine, name, text=PLAIN, character="x")
        sound = shelf.sound(name, clip.file)
        found[name] = (median_f0(sound), words_per_second(clip), formant_profile(sound))
    return found


def test_each_voice_lies_where_its_sheet_says(said: dict[str, tuple[float, float, np.ndarray]]) -> None:
    for name, voice in load_voices().voices.items():
        if voice.effect in ("metal", "growl", "gurgle"):
            continue
        assert said[name][0] == pytest.approx(voice.pitch, rel=0.09), name


def test_any_two_voices_can_be_told_apart(said: dict[str, tuple[float, float, np.ndarray]]) -> None:
    """A semitone and a half, or 12 % in pace, or 2.5 dB RMS in colour: each is above what listeners notice."""
    for one, other in itertools.combinations(said, 2):
        (f0, rate, colour), (f0_other, rate_other, colour_other) = said[one], said[other]
        semitones = abs(12 * np.log2(max(f0, 1) / max(f0_other, 1)))
        pace = abs(np.log(rate / rate_other))
        timbre = float(np.sqrt(np.mean((colour - colour_other) ** 2)))
        assert semitones / 1.5 + pace / 0.12 + timbre / 2.5 >= 1.6, (one, other, semitones, pace, timbre)


def test_the_cast_is_told_apart_by_pitch_alone(said: dict[str, tuple[float, float, np.ndarray]]) -> None:
    for one, other in itertools.combinations(["luca", "alberto", "giulia"], 2):
        assert abs(12 * np.log2(said[one][0] / said[other][0])) > 3.0


def test_there_is_a_voice_for_everybody() -> None:
    book = load_voices()
    assert {"luca", "alberto", "giulia"} <= set(book.characters)
    assert len(set(book.voices) - {"luca", "alberto", "giulia"}) >= 10
    for species in Look.model_fields["species"].annotation.__args__:  # type: ignore[union-attr]
        for age in ("child", "teen", "adult", "elder"):
            for gender in ("boy", "girl", "neutral"):
                cast = cast_voice(book, "anybody", Look(species=species, age=age, gender=gender))
                suits = book.voices[cast.label.rpartition("-")[0]].suits
                assert suits is not None
                assert species in suits.species
                if species == "human":
                    assert age in suits.ages
                    assert gender in suits.genders


def test_strangers_differ_and_stay_who_they_are() -> None:
    book = load_voices()
    look = Look(age="child", gender="boy")
    cast = [cast_voice(book, f"boy_{number}", look) for number in range(40)]
    assert len({voice.label for voice in cast}) == 40
    assert cast == [cast_voice(book, f"boy_{number}", look) for number in range(40)]
    assert cast_voice(book, "luca", look).label == "luca"
    man = cast_voice(book, "boy_1", Look(age="adult", gender="boy")).voice
    assert man.pitch < 150 < cast[1].voice.pitch
    assert cast_voice(book, "nobody", None).voice.pitch > 150


def test_two_unknown_boys_are_heard_as_two(engine: EspeakSpeech, shelf: Shelf) -> None:
    measured = []
    for name in ("tommaso", "ercole"):
        clip, _ = shelf.make(engine, name, text=PLAIN, character=name, look=Look(gender="boy"))
        sound = shelf.sound(name, clip.file)
        measured.append((median_f0(sound), words_per_second(clip), centroid(sound)))
    (f0, rate, colour), (f0_other, rate_other, colour_other) = measured
    assert abs(f0 / f0_other - 1) > 0.03 or abs(rate / rate_other - 1) > 0.05 or abs(colour / colour_other - 1) > 0.1


# --- how it is said


@pytest.fixture(scope="module")
def felt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, float, float]]:
    """Luca in every emotion and delivery: pitch, words a second, centre of the spectrum."""
    shelf = Shelf(tmp_path_factory.mktemp("emotions"))
    engine = EspeakSpeech()
    engine.load()
    found = {}
    moments = [{"emotion": emotion} for emotion in EMOTIONS] + [
        {"delivery": how} for how in ("soft", "whisper", "shout")
    ]
    for moment in moments:
        name = next(iter(moment.values()))
        clip, _ = shelf.make(engine, name, text=PLAIN, character="luca", **moment)
        sound = shelf.sound(name, clip.file)
        found[name] = (median_f0(sound), words_per_second(clip), centroid(sound))
    return found


@pytest.mark.parametrize("feeling", ["happy", "excited", "angry", "scared", "surprised"])
def test_what_moves_us_up_is_higher(felt: dict[str, tuple[float, float, float]], feeling: str) -> None:
    assert felt[feeling][0] > felt["neutral"][0] * 1.04


@pytest.mark.parametrize("feeling", ["sad", "thoughtful", "sleepy", "tender"])
def test_what_moves_us_down_is_lower_slower_and_darker(
    felt: dict[str, tuple[float, float, float]], feeling: str
) -> None:
    f0, rate, colour = felt[feeling]
    assert f0 < felt["neutral"][0] * 0.99
    assert rate < felt["neutral"][1] * 0.93
    assert colour < felt["neutral"][2]


def test_haste_effort_and_whisper(felt: dict[str, tuple[float, float, float]]) -> None:
    neutral = felt["neutral"]
    assert felt["excited"][1] > neutral[1] * 1.08
    assert felt["scared"][1] > neutral[1] * 1.08
    assert felt["smug"][1] < neutral[1]
    assert felt["angry"][2] > neutral[2] * 1.15
    assert felt["shout"][2] > neutral[2] * 1.2
    assert felt["shout"][0] > neutral[0] * 1.15
    assert felt["soft"][2] < neutral[2]
    assert felt["whisper"][0] == 0, "no pitch is left"
    assert felt["whisper"][2] > 2 * neutral[2]


def test_rate_is_the_callers(engine: EspeakSpeech, shelf: Shelf) -> None:
    slow, _ = shelf.make(engine, "a", text=PLAIN, character="luca", rate=0.75)
    fast, _ = shelf.make(engine, "b", text=PLAIN, character="luca", rate=1.4)
    assert words_per_second(fast) / words_per_second(slow) == pytest.approx(1.4 / 0.75, rel=0.15)


def test_the_vocabularies_are_those_of_the_storyboard() -> None:
    assert Emotion.__args__ == EMOTIONS  # type: ignore[attr-defined]
    assert Delivery.__args__ == DELIVERIES  # type: ignore[attr-defined]


# --- what can go wrong


def test_a_line_is_made_again_only_when_its_own_voice_changes(tmp_path: Path) -> None:
    original = espeak.VOICES_PATH.read_text(encoding="utf-8")
    changed = tmp_path / "voices.yaml"
    changed.write_text(original.replace("pitch: 306", "pitch: 320"), encoding="utf-8")
    before, after = EspeakSpeech(), EspeakSpeech(changed)
    lines = {name: espeak.SynthesizeSpeech.Input(text="Hi", character=name) for name in ("luca", "giulia")}
    assert before.fingerprint(lines["luca"]) == after.fingerprint(lines["luca"])
    assert before.fingerprint(lines["giulia"]) != after.fingerprint(lines["giulia"])


def test_a_wrong_voices_file_names_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "voices.yaml"
    broken.write_text(
        espeak.VOICES_PATH.read_text(encoding="utf-8").replace("timbre: supple", "timbre: ../../x", 1), encoding="utf-8"
    )
    with pytest.raises(InvalidInput, match=r"voices\.yaml:\d+"):
        EspeakSpeech(broken).load()


def test_a_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingPrerequisite, match="pip install"):
        EspeakSpeech().check()


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import os; os.abort()", EngineCrashed),
        ("import time; time.sleep(60)", EngineHung),
        ("print('no json')", EngineFailed),
        ('print(\'{"error": "refused"}\')', EngineFailed),
        (
            'print(\'{"rate": 22050, "pcm": "", "words": [], "phonemes": []}\')',
            BadOutput,
        ),
    ],
)
def test_a_process_that_fails_is_a_typed_error(
    engine: EspeakSpeech,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: str,
    error: type[Exception],
) -> None:
    fake = tmp_path / "fake.py"
    fake.write_text(program)
    monkeypatch.setattr(espeak, "PROCESS", fake)
    monkeypatch.setattr(espeak, "TIMEOUT_S", 1.0)
    with pytest.raises(error):
        shelf.make(engine, "a", text="Hello", character="luca")


def test_the_studio_may_live_in_a_long_path_with_capitals(
    engine: EspeakSpeech, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library, data = espeak._library()
    deep = tmp_path / ("A Long Folder Name " * 5) / ("Another " * 8)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(data)
    monkeypatch.setattr(espeak, "_library", lambda: (library, deep / "espeak-ng-data"))
    clip, _ = shelf.make(engine, "a", text="Piacere!", language="it", character="luca")
    assert clip.words[0].text == "Piacere!"


@pytest.mark.parametrize("moment", [{"emotion": "angry", "delivery": "shout"}, {"emotion": "neutral"}])
@pytest.mark.parametrize("character", ["luca", "alberto", "giulia"])
def test_the_synthesiser_is_never_driven_into_clipping(character: str, moment: dict[str, str]) -> None:
    book = load_voices()
    args = espeak.SynthesizeSpeech.Input(
        text="Father bought all of the bread, ma mamma!", character=character, **moment
    )
    voice = cast_voice(book, character, None).voice
    raw = espeak.record_line(args.text, voice, espeak._prosody(book, args), args.language, args.rate)
    assert 0.2 < np.abs(raw.samples).max() < 0.95


def test_a_line_lasts_exactly_as_long_as_it_is_to(engine: EspeakSpeech, shelf: Shelf) -> None:
    plain, _ = shelf.make(engine, "plain", text=PLAIN, character="luca")
    exact, _ = shelf.make(engine, "exact", text=PLAIN, character="luca", exact_s=9.25)
    assert exact.duration_s == 9.25
    assert len(shelf.sound("exact", exact.file)) == 9.25 * 48_000
    assert (exact.speech_end, exact.words) == (plain.speech_end, plain.words)
    with pytest.raises(BadOutput, match=r"is to last 2\.00 s"):
        shelf.make(engine, "short", text=PLAIN, character="luca", exact_s=2.0)
