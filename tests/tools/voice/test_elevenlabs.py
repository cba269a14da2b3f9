"""ElevenLabs against a server that answers as it does."""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.voice_engines import VOICE_ENGINES_YAML, load_voice_engines
from configs.voices import DELIVERIES, EMOTIONS
from configs.yaml_file import YamlProblem
from tests.tools.listening import median_f0
from tests.tools.voice.people import Household
from tests.tools.voice.servers.eleven import KEY, Server, serving
from tools.base import EngineContext
from tools.errors import BadOutput, Cancelled, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite, ToolError
from tools.sound import loudness, read_wav
from tools.voice.elevenlabs import LEDGER_NAME, ElevenlabsSpeech, plan_request
from tools.voice.elevenlabs_api import _retry_after
from tools.voice.shelf import VoiceUse
from tools.voice.tool import SynthesizeSpeech

LINE = "We can do this, Alberto! Nobody is faster than us."
SETTINGS = load_voice_engines().elevenlabs


class Studio:
    def __init__(self, household: Household, server: Server) -> None:
        self.household, self.server = household, server
        self.environment = {"ELEVENLABS_API_KEY": KEY}
        self.count = 0
        self.configured()

    def configured(self, **changes: Any) -> None:
        data = yaml.safe_load(VOICE_ENGINES_YAML.read_text())
        data["elevenlabs"].update({"url": self.server.url, "timeout": 5, **changes})
        path = self.household.root / "voice_engines.yaml"
        path.write_text(yaml.safe_dump(data))
        self.engine = ElevenlabsSpeech(self.household.shelf.home, path, self.environment)

    def context(self) -> EngineContext:
        self.count += 1
        work = self.household.root / "work"
        work.mkdir(exist_ok=True)
        return self.household.context(f"work/line{self.count}")

    def say(self, text: str = LINE, *, seed: int = 1, **args: Any) -> tuple[SynthesizeSpeech.Output, EngineContext]:
        ctx = self.context()
        ctx.seed = seed
        args = {"text": text, "character": "luca", **args}
        return self.engine.run(SynthesizeSpeech.Input.model_validate(args), ctx), ctx

    def sent(self, at: int = -1) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.server.seen[at]["body"])
        return data

    @property
    def ledger(self) -> Path:
        return self.household.shelf.home / LEDGER_NAME


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def studio(household: Household, server: Server) -> Studio:
    household.eleven_voice()
    return Studio(household, server)


# -- what is made


def test_a_line_is_spoken_and_timed_by_the_service(studio: Studio) -> None:
    output, ctx = studio.say()
    samples, _ = read_wav(ctx.out / "speech.wav")
    assert loudness(samples) == pytest.approx(-16, abs=0.3)
    assert [word.text for word in output.words] == LINE.split()
    record = json.loads((ctx.out / "voice.json").read_text())
    assert record["timed"] == "by the service"
    assert record["use"]["allowed_for"] == "this film and its trailer"
    # Every character has the same share there: the word of seven letters lasts as long as the service says.
    share = (output.speech_end - output.speech_start) / len(LINE)
    longest = next(word for word in output.words if word.text.startswith("Alberto"))
    assert longest.end - longest.start == pytest.approx(7 * share, rel=0.12)
    assert output.mouth[-1].shape == "rest"


def test_the_service_is_asked_what_the_spec_says(studio: Studio) -> None:
    studio.say()
    assert studio.server.seen[-1]["voice"] == "v0iceOfLuca"
    assert studio.server.seen[-1]["query"] == {"output_format": "pcm_24000"}
    sent = studio.sent()
    assert sent["model_id"] == "eleven_multilingual_v2"
    assert (sent["voice_settings"]["stability"], sent["voice_settings"]["similarity_boost"]) == (0.5, 0.75)
    assert "language_code" not in sent, "that model does not take it"
    assert sent["text"] == LINE


def test_every_emotion_delivery_and_rate_is_within_what_the_service_takes(household: Household) -> None:
    voice = household.eleven_voice()
    for emotion, delivery, rate in itertools.product(EMOTIONS, DELIVERIES, (0.6, 1.0, 1.6)):
        args = SynthesizeSpeech.Input.model_validate(
            {"text": LINE, "character": "luca", "emotion": emotion, "delivery": delivery, "rate": rate}
        )
        plan = plan_request(args, voice, SETTINGS, 2**60)
        assert 0.7 <= plan.request.speed <= 1.2
        assert 0.0 <= plan.request.stability <= 1.0
        assert 0.0 <= plan.request.style <= 1.0
        assert 0 <= plan.request.seed < 2**32
        asked = rate * SETTINGS.emotions[emotion].speed * SETTINGS.deliveries[delivery].speed
        assert bool(plan.held) == (not 0.7 <= asked <= 1.2)


def test_levers_change_the_sound_and_the_same_gives_the_same(studio: Studio) -> None:
    def heard(**args: Any) -> bytes:
        return (studio.say(**args)[1].out / "speech.wav").read_bytes()

    plain = heard()
    assert heard() == plain
    assert heard(seed=2) != plain
    assert heard(emotion="excited") != plain
    assert heard(delivery="soft") != plain
    assert heard(rate=1.2) != plain


def test_each_character_has_its_own_voice(studio: Studio) -> None:
    studio.household.eleven_voice("alberto", "v0iceOfAlberto")
    high, low = (median_f0(read_wav(studio.say(character=who)[1].out / "speech.wav")[0]) for who in ("luca", "alberto"))
    assert low < 0.6 * high


def test_where_it_tells_no_times_they_are_found_by_listening(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.voice.elevenlabs_api.characters_of", lambda _alignment, _seconds: ())
    output, ctx = studio.say()
    assert json.loads((ctx.out / "voice.json").read_text())["timed"] == "by listening"
    assert [word.text for word in output.words] == LINE.split()


# -- money


def test_what_a_line_costs_is_written_down(studio: Studio) -> None:
    _, ctx = studio.say()
    record = json.loads((ctx.out / "voice.json").read_text())
    assert (record["characters"], record["cost"]) == (len(LINE), "0.0050 USD")
    book = json.loads(studio.ledger.read_text())
    assert [entry["characters"] for entry in book["months"].values()] == [len(LINE)]
    studio.server.told_characters = 7
    studio.say()
    book = json.loads(studio.ledger.read_text())
    assert [entry["characters"] for entry in book["months"].values()] == [len(LINE) + 7], "as the service counts"


@pytest.mark.parametrize("lever", ["most_per_run", "most_per_month"])
def test_too_dear_is_refused_before_anything_is_sent(studio: Studio, lever: str) -> None:
    studio.configured(**{lever: 0.012})
    studio.say()
    studio.say()
    with pytest.raises(InvalidInput, match=r"would cost 0\.0050 USD.*0\.002.* left.*Nothing was sent") as told:
        studio.say()
    assert lever in str(told.value)
    assert len(studio.server.seen) == 2


def test_another_production_is_another_run_in_the_same_month(studio: Studio) -> None:
    studio.configured(most_per_run=0.006)
    studio.say()
    with pytest.raises(InvalidInput, match="this run"):
        studio.say()
    (studio.household.root / "other").mkdir()
    ctx = studio.household.context("other/line")
    studio.engine.run(SynthesizeSpeech.Input(text=LINE, character="luca"), ctx)
    assert len(studio.server.seen) == 2


def test_what_is_refused_costs_nothing(studio: Studio) -> None:
    studio.environment["ELEVENLABS_API_KEY"] = "wrong"
    with pytest.raises(MissingPrerequisite):
        studio.say()
    assert [entry["characters"] for entry in json.loads(studio.ledger.read_text())["months"].values()] == [0]


def test_what_may_have_been_charged_counts(studio: Studio) -> None:
    studio.configured(timeout=0.5)
    studio.server.plan = ["hang"]
    with pytest.raises(EngineHung):
        studio.say()
    assert [entry["characters"] for entry in json.loads(studio.ledger.read_text())["months"].values()] == [len(LINE)]


# -- what is refused


def test_without_consent_nothing_is_sent_and_nothing_spent(studio: Studio) -> None:
    studio.household.eleven_voice(consent=False)
    with pytest.raises(MissingPrerequisite, match="nothing says that they agreed"):
        studio.say()
    assert not studio.server.seen
    assert not studio.ledger.exists()


def test_the_twin_that_does_not_look_at_consent_speaks(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    studio.household.eleven_voice(consent=False)
    monkeypatch.setattr("tools.voice.elevenlabs.permitted", lambda _voice: VoiceUse())
    studio.say()
    assert studio.server.seen


def test_consent_is_for_one_voice_there_not_for_another(studio: Studio) -> None:
    voice = studio.engine._voice("luca")
    studio.household.shelf.put(voice.model_copy(update={"voice_id": "v0iceOfAlberto"}))
    with pytest.raises(MissingPrerequisite, match="does not cover"):
        studio.say()
    assert not studio.server.seen


def test_a_voice_of_the_service_needs_nobodys_consent(studio: Studio) -> None:
    voice = studio.engine._voice("luca")
    studio.household.shelf.put(voice.model_copy(update={"consent": None, "stock": True, "references": ()}))
    _, ctx = studio.say()
    assert json.loads((ctx.out / "voice.json").read_text())["use"]["cloned"] is False


def test_no_key_is_told(studio: Studio) -> None:
    del studio.environment["ELEVENLABS_API_KEY"]
    with pytest.raises(MissingPrerequisite, match="export ELEVENLABS_API_KEY"):
        studio.engine.check()
    with pytest.raises(MissingPrerequisite, match="export ELEVENLABS_API_KEY"):
        studio.say()
    assert not studio.server.seen


def test_each_refusal_says_what_to_do(studio: Studio) -> None:
    studio.household.agreed(studio.engine._voice("luca").model_copy(update={"voice_id": "nobody"}))
    with pytest.raises(InvalidInput, match=r"no such voice.*studio voice add"):
        studio.say()
    studio.household.eleven_voice()
    studio.server.quota = 10
    with pytest.raises(InvalidInput, match="quota at ElevenLabs is used up"):
        studio.say()
    studio.server.quota = 10_000
    studio.configured(model="eleven_nothing")
    with pytest.raises(InvalidInput, match="model_not_found"):
        studio.say()
    studio.configured(output="pcm_44100")
    with pytest.raises(InvalidInput, match="output_format_not_allowed"):
        studio.say()
    assert not list((studio.household.root / "work").glob("*/*")), "nothing half-written"


def test_a_key_goes_over_no_open_line() -> None:
    data = yaml.safe_load(VOICE_ENGINES_YAML.read_text())
    data["elevenlabs"]["url"] = "http://example.com"
    path = Path("voice_engines.yaml")
    with pytest.raises(YamlProblem, match="url"):
        _load(data, path)


def _load(data: Any, _path: Path) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(data, file)
        file.flush()
        load_voice_engines(Path(file.name))


# -- how it fails


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("silent", BadOutput), ("empty", BadOutput), ("odd", BadOutput), ("base64", BadOutput), ("nothing", BadOutput),
        ("list", BadOutput), ("html", BadOutput), ("die", EngineFailed), ("flood", BadOutput),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_not_taken_for_one(studio: Studio, fault: str, expected: type[ToolError]) -> None:
    studio.server.plan = [fault]
    with pytest.raises(expected):
        studio.say()
    assert not list((studio.household.root / "work").glob("*/*"))
    studio.say()


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_it_is_not_waited_for_without_end(studio: Studio, fault: str) -> None:
    studio.configured(timeout=0.6)
    studio.server.plan = [fault]
    begun = time.monotonic()
    with pytest.raises(EngineHung):
        studio.say()
    assert time.monotonic() - begun < 2.5


@pytest.mark.parametrize("told", ["\u00b2", "\u0663", "-1", "1e999", "nan", "9" * 400, "Wed, 99 Foo 0000", "\x1b[2J"])
def test_a_header_that_is_no_number_is_none(told: str) -> None:
    pause = _retry_after({"Retry-After": told})
    assert pause is None or 0 <= pause < 1e9


def test_a_busy_service_is_asked_again_when_it_says(studio: Studio) -> None:
    studio.server.plan = ["busy:1", "500", "ok"]
    begun = time.monotonic()
    studio.say()
    assert len(studio.server.seen) == 3
    assert time.monotonic() - begun > 2.9, "one second as it said, two of our own"
    assert [entry["characters"] for entry in json.loads(studio.ledger.read_text())["months"].values()] == [len(LINE)]


def test_it_is_not_asked_for_ever_nor_waited_for_too_long(studio: Studio) -> None:
    studio.configured(tries=2)
    studio.server.plan = ["busy:0"] * 5
    with pytest.raises(EngineFailed, match="2 times in a row"):
        studio.say()
    assert len(studio.server.seen) == 2
    studio.server.plan = ["busy:3600"]
    with pytest.raises(EngineFailed, match="come again in 3600 s"):
        studio.say()


def test_a_stop_is_heard_while_it_waits(studio: Studio) -> None:
    studio.server.plan = ["busy:20"]
    ctx = studio.context()
    begun = time.monotonic()
    ctx.is_cancelled = lambda: time.monotonic() - begun > 0.5
    with pytest.raises(Cancelled):
        studio.engine.run(SynthesizeSpeech.Input(text=LINE, character="luca"), ctx)
    assert time.monotonic() - begun < 2.0


def test_the_key_is_told_to_nobody(
    studio: Studio, server: Server, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    with serving() as other:
        for fault in (
            "echo",
            "die",
            "html",
            "500",
            f"elsewhere:{other.url}/v1/text-to-speech/x/with-timestamps",
            "silent",
        ):
            studio.configured(tries=1)
            server.plan = [fault]
            with pytest.raises(ToolError) as error:
                studio.say()
            told += [str(error.value), repr(error.value), error.value.hint]
        assert not other.seen, "no redirect is followed"
    _, ctx = studio.say()
    told += [(ctx.out / name).read_text(errors="replace") for name in ("voice.json",)]
    told += [studio.ledger.read_text(), caplog.text, *capfd.readouterr()]
    assert server.seen[-1]["headers"]["xi-api-key"] == KEY, "the control: it was really sent"
    assert not [text for text in told if KEY in text or KEY[3:20] in text]
    assert "***" in told[0], "the control: the service really told it back"
