"""GPT-SoVITS against a server that answers, and fails, as `api_v2.py` does."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from configs.voice_engines import VOICE_ENGINES_YAML, load_voice_engines
from configs.voices import DELIVERIES, EMOTIONS
from tests.tools.listening import median_f0
from tests.tools.voice.people import Household
from tests.tools.voice.servers.sovits import Server, serving
from tools.base import EngineContext
from tools.errors import (
    BadOutput,
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineHung,
    InvalidInput,
    MissingPrerequisite,
    OutOfMemory,
)
from tools.runtime.services.gpt_sovits import GptSovitsServer, gpt_sovits_launch
from tools.runtime.services.sovits_answer import SovitsTimes, read_wav_bytes
from tools.runtime.services.sovits_speech import SovitsSpeech
from tools.sound import loudness, read_wav
from tools.voice import shelf as shelf_module
from tools.voice.gpt_sovits import GptSovitsSpeech, plan_line
from tools.voice.tool import SynthesizeSpeech

LINE = "We can do this, Alberto! Nobody is faster than us."
SETTINGS = load_voice_engines().gpt_sovits


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


class Studio:
    """An engine with its server, as the runtime hands it over."""

    def __init__(self, household: Household, server: Server) -> None:
        self.household, self.server = household, server
        self.engine = GptSovitsSpeech(household.shelf.home)
        self.resident = GptSovitsServer("gpt_sovits", server.url)
        self.count = 0

    def say(self, text: str = LINE, *, seed: int = 1, **args: Any) -> tuple[SynthesizeSpeech.Output, EngineContext]:
        self.count += 1
        ctx = self.household.context(f"line{self.count}", seed, models={"gpt_sovits": self.resident})
        output = self.engine.run(SynthesizeSpeech.Input(**{"text": text, "character": "luca", **args}), ctx)
        return output, ctx

    def configured(self, **changes: Any) -> None:
        data = yaml.safe_load(VOICE_ENGINES_YAML.read_text())
        data["gpt_sovits"].update(changes)
        path = self.household.root / "voice_engines.yaml"
        path.write_text(yaml.safe_dump(data))
        self.engine = GptSovitsSpeech(self.household.shelf.home, path)


@pytest.fixture
def studio(household: Household, server: Server) -> Studio:
    household.sovits_voice()
    return Studio(household, server)


# -- what is made


def test_a_line_is_spoken_finished_and_timed(studio: Studio) -> None:
    output, ctx = studio.say(emotion="excited")
    samples, rate = read_wav(ctx.out / output.file)
    assert rate == 48_000
    assert len(samples) / rate == pytest.approx(output.duration_s, abs=1e-3)
    assert loudness(samples) == pytest.approx(-16, abs=0.3)
    assert output.speech_start == 0.5
    assert output.duration_s - output.speech_end == pytest.approx(1.0, abs=0.01)
    assert [word.text for word in output.words] == LINE.split()
    assert output.words[0].start == pytest.approx(0.5, abs=0.12)
    assert all(0.5 <= word.start <= word.end <= output.speech_end for word in output.words)
    assert output.mouth[-1].shape == "rest"
    assert output.voice == "gpt_sovits:luca"


def test_the_consent_is_in_the_artifact(studio: Studio) -> None:
    _, ctx = studio.say()
    record = json.loads((ctx.out / "voice.json").read_text())
    assert record["use"]["allowed_for"] == "this film and its trailer"
    assert record["use"]["whose"] == "Jacopo T."
    assert str(studio.household.root) not in json.dumps(record), "no paths of this machine"


def test_the_server_is_sent_what_the_spec_says(studio: Studio) -> None:
    studio.say(emotion="happy")
    sent = studio.server.spoken[-1]
    assert (sent["temperature"], sent["top_k"], sent["top_p"], sent["speed_factor"]) == (1.2, 15, 1.0, 1.0)
    assert sent["text_lang"] == "en"
    assert sent["seed"] == 1
    assert sent["gpt"].endswith("luca.ckpt")
    assert sent["sovits"].endswith("luca.pth")


@pytest.mark.parametrize(("emotion", "temperature"), [("neutral", 1.0), ("happy", 1.2), ("sad", 0.8), ("excited", 1.3)])
def test_emotions_are_temperatures(studio: Studio, emotion: Any, temperature: float) -> None:
    voice = studio.engine._voice("luca")
    line = plan_line(SynthesizeSpeech.Input(text=LINE, character="luca", emotion=emotion), voice, SETTINGS, 3)
    assert line.request["temperature"] == pytest.approx(temperature)
    assert line.request["speed_factor"] == 1.0


def test_what_is_sent_is_always_within_bounds_and_told_where_it_was_held(studio: Studio) -> None:
    voice = studio.engine._voice("luca")
    for emotion, delivery, rate in itertools.product(EMOTIONS, DELIVERIES, (0.6, 1.0, 1.6)):
        args = SynthesizeSpeech.Input.model_validate(
            {"text": LINE, "character": "luca", "emotion": emotion, "delivery": delivery, "rate": rate}
        )
        line = plan_line(args, voice, SETTINGS, 2**40 - 1)
        asked = rate * SETTINGS.emotions[emotion].speed * SETTINGS.deliveries[delivery].speed
        assert 0.6 <= line.request["speed_factor"] <= 1.65
        assert 0.1 <= line.request["temperature"] <= 1.6
        assert line.request["batch_size"] >= 1
        assert 0 <= line.request["seed"] < 2**32
        assert bool(line.held) == (not 0.6 <= asked <= 1.65)


def test_an_emotion_takes_its_own_recording_or_one_that_is_like_it(household: Household) -> None:
    voice = household.sovits_voice(emotions=("neutral", "happy", "sad"))

    def taken(emotion: Any) -> str:
        args = SynthesizeSpeech.Input(text=LINE, character="luca", emotion=emotion)
        return plan_line(args, voice, SETTINGS, 1).reference.emotion

    assert taken("happy") == "happy"
    assert taken("excited") == "happy", "the nearest that there is"
    assert taken("sleepy") == "sad"
    assert taken("neutral") == "neutral"
    assert household.sovits_voice(emotions=("neutral",)).references[0].emotion == "neutral"


def test_each_lever_changes_the_sound_and_the_same_gives_the_same(studio: Studio) -> None:
    def heard(**args: Any) -> tuple[bytes, float]:
        output, ctx = studio.say(**args)
        return (ctx.out / "speech.wav").read_bytes(), output.speech_end - output.speech_start

    plain, length = heard()
    assert heard()[0] == plain
    assert heard(seed=2)[0] != plain
    assert heard(emotion="sad")[0] != plain
    assert heard(delivery="whisper")[0] != plain
    assert heard(rate=1.4)[1] < 0.85 * length
    assert heard(rate=0.7)[1] > 1.2 * length


def test_two_characters_have_two_voices_and_each_line_its_own(studio: Studio) -> None:
    studio.household.sovits_voice("alberto", pitch=120.0)

    def pitch(character: str) -> float:
        _, ctx = studio.say(character=character)
        return median_f0(read_wav(ctx.out / "speech.wav")[0])

    first, other, again = pitch("luca"), pitch("alberto"), pitch("luca")
    assert other < 0.6 * first
    assert again == pytest.approx(first, rel=0.01), "weights and the tokens of the recording are set anew"


@pytest.mark.parametrize("streaming", [0, 1, 2, 3])
def test_whole_or_streamed_it_says_the_same_words(studio: Studio, streaming: int) -> None:
    studio.configured(streaming=streaming)
    output, _ = studio.say()
    assert studio.server.seen[-1][2]["streaming_mode"] == streaming
    assert [word.text for word in output.words] == LINE.split()


@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
def test_every_version_has_its_own_rate(household: Household, version: str) -> None:
    household.sovits_voice()
    with serving(version) as server:
        output, _ = Studio(household, server).say()
    assert output.sample_rate == 48_000
    assert 2.0 < output.speech_end - output.speech_start < 6.0, "at a wrong rate it would be far too long or short"


# -- what is refused


def test_italian_is_refused_and_xtts_named(studio: Studio) -> None:
    with pytest.raises(InvalidInput, match="xtts"):
        studio.say("Silenzio, Bruno!", language="it")
    with pytest.raises(InvalidInput, match="xtts"):
        studio.engine.fingerprint(SynthesizeSpeech.Input(text="Silenzio!", character="luca", language="it"))
    assert not studio.server.spoken


def test_a_character_without_a_voice_is_told_how_to_get_one(studio: Studio) -> None:
    with pytest.raises(MissingPrerequisite, match="studio voice add giulia --kind gpt_sovits"):
        studio.say(character="giulia")


def test_without_consent_nothing_is_asked_of_the_server(studio: Studio) -> None:
    studio.household.sovits_voice(consent=False)
    with pytest.raises(MissingPrerequisite, match="nothing says that they agreed"):
        studio.say()
    with pytest.raises(MissingPrerequisite, match="--whose"):
        studio.engine.fingerprint(SynthesizeSpeech.Input(text=LINE, character="luca"))
    assert not studio.server.seen


def test_the_twin_that_does_not_look_at_consent_speaks(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: only the check stands between the line and the server."""
    studio.household.sovits_voice(consent=False)
    monkeypatch.setattr("tools.voice.gpt_sovits.permitted", lambda _voice: shelf_module.VoiceUse())
    studio.say()
    assert studio.server.spoken


def test_another_recording_under_the_same_name_is_refused(studio: Studio) -> None:
    voice = studio.engine._voice("luca")
    studio.household.recording(voice.references[0].file.name, pitch=90.0)
    with pytest.raises(InvalidInput, match=r"luca-neutral\.wav.*not the recording that was added"):
        studio.say()
    voice.references[0].file.unlink()
    with pytest.raises(InvalidInput, match=r"luca-neutral\.wav: there is no such file"):
        studio.say()
    assert not studio.server.seen


def test_other_weights_under_the_same_name_are_refused(studio: Studio) -> None:
    Path(studio.engine._voice("luca").gpt.file).write_text('{"weights": "gpt", "pitch": 90}')
    with pytest.raises(InvalidInput, match=r"luca\.ckpt.*not what was added"):
        studio.say()


def test_nothing_to_say_is_refused(studio: Studio) -> None:
    with pytest.raises(InvalidInput, match="nothing to say"):
        studio.say("?!...")


# -- how it fails


@pytest.mark.parametrize("streaming", [0, 1])
@pytest.mark.parametrize(
    ("fault", "words"), [("infer", "zeros|broke off"), ("cut", "broke off"), ("noise", "overdriven")]
)
def test_what_looks_like_success_is_not_taken_for_it(studio: Studio, streaming: int, fault: str, words: str) -> None:
    studio.configured(streaming=streaming)
    studio.server.faults = {fault}
    with pytest.raises(BadOutput, match=words):
        studio.say()
    assert not list((studio.household.root / "line1").iterdir()), "nothing half-written"
    studio.server.faults = set()
    studio.say()


def test_a_failed_inference_is_named(studio: Studio) -> None:
    studio.configured(streaming=0)
    studio.server.faults = {"infer"}
    with pytest.raises(BadOutput, match=r"1\.00 s of zeros"):
        studio.say()


def test_one_fragment_that_fails_is_not_a_shorter_line(studio: Studio) -> None:
    studio.server.faults = {"infer2"}
    with pytest.raises(BadOutput, match="broke off"):
        studio.say()


def test_a_full_device_is_out_of_memory(studio: Studio) -> None:
    studio.configured(streaming=0)
    studio.server.faults = {"oom"}
    with pytest.raises(OutOfMemory):
        studio.say()


@pytest.mark.parametrize(("seconds", "refused"), [(2.5, True), (3.2, False), (9.5, False), (11.0, True)])
def test_the_server_refuses_recordings_of_other_lengths(studio: Studio, seconds: float, refused: bool) -> None:
    voice = studio.engine._voice("luca")
    path = studio.household.recording("long.wav", seconds=seconds)
    studio.household.agreed(voice.model_copy(update={"references": (studio.household.reference(path),)}))
    if refused:
        with pytest.raises(InvalidInput, match=r"long\.wav.*3 to 10 s"):
            studio.say()
    else:
        studio.say()


def test_a_path_that_the_server_does_not_have_is_named(studio: Studio) -> None:
    voice = studio.engine._voice("luca")
    reference = voice.references[0].model_copy(update={"on_server": "/srv/voices/luca.wav"})
    studio.household.agreed(voice.model_copy(update={"references": (reference,)}))
    with pytest.raises(InvalidInput, match=r"/srv/voices/luca\.wav: gpt_sovits cannot read the recording"):
        studio.say()


def test_weights_that_it_cannot_load_are_named_and_the_next_line_sets_its_own(studio: Studio) -> None:
    other = studio.household.sovits_voice("alberto", pitch=120.0)
    swapped = other.model_copy(update={"gpt": other.sovits})
    studio.household.agreed(swapped)
    with pytest.raises(InvalidInput, match=r"alberto\.pth.*cannot load these weights"):
        studio.say(character="alberto")
    studio.say()
    assert studio.server.spoken[-1]["gpt"].endswith("luca.ckpt")


def test_a_server_that_hangs_is_given_up_in_time(studio: Studio) -> None:
    timeouts = {"weights": 5, "first": 0.5, "next": 0.5, "line": 5}
    studio.configured(timeouts=timeouts)
    studio.server.faults = {"hang"}
    with pytest.raises(EngineHung, match=r"said nothing for 0\.5 s"):
        studio.say()


def test_a_batch_of_none_hangs_it_and_cannot_be_asked_for(studio: Studio) -> None:
    studio.configured(batch_size=0)
    with pytest.raises(InvalidInput, match="batch_size"):
        studio.engine.check()
    # The control: the server really hangs at it.
    voice = GptSovitsSpeech(studio.household.shelf.home)._voice("luca")
    request = plan_line(SynthesizeSpeech.Input(text=LINE, character="luca"), voice, SETTINGS, 1).request
    with pytest.raises(EngineHung):
        studio.resident.speak(
            voice.gpt.file, voice.sovits.file, {**request, "batch_size": 0}, times=SovitsTimes(5, 0.5, 0.5, 2)
        )


def test_nobody_there_is_a_missing_server(studio: Studio) -> None:
    studio.server.shutdown()
    studio.server.server_close()
    with pytest.raises(MissingPrerequisite, match="does not run"):
        studio.say()


def test_another_program_on_its_port_is_told(studio: Studio) -> None:
    request = {"text": 5, "text_lang": "en"}
    with pytest.raises(EngineFailed, match="422"):
        studio.resident.speak(*_weights(studio), {**request, "ref_audio_path": _reference(studio)})


def _weights(studio: Studio) -> tuple[str, str]:
    voice = studio.engine._voice("luca")
    return voice.gpt.file, voice.sovits.file


def _reference(studio: Studio) -> str:
    return str(studio.engine._voice("luca").references[0].file)


def test_a_stop_is_heard_and_leaves_the_server_idle(studio: Studio) -> None:
    studio.server.faults = {"slow"}
    text = "One boat, two boats, three boats, four boats."
    ctx = studio.household.context("stopped", models={"gpt_sovits": studio.resident})
    seen: list[float] = []

    def report(fraction: float, _text: str) -> None:
        seen.append(fraction)

    ctx.report = report
    ctx.is_cancelled = lambda: bool(seen) and seen[-1] > 0.06
    with pytest.raises(Cancelled):
        studio.engine.run(SynthesizeSpeech.Input(text=text, character="luca"), ctx)
    assert not list(ctx.out.iterdir())
    studio.server.faults = set()
    studio.say()
    assert studio.server.overlaps == 0


def test_progress_follows_the_sound(studio: Studio) -> None:
    seen: list[float] = []
    ctx = studio.household.context("told", models={"gpt_sovits": studio.resident})
    ctx.report = lambda fraction, _text: seen.append(fraction)
    studio.engine.run(SynthesizeSpeech.Input(text=LINE, character="luca"), ctx)
    assert seen == sorted(seen)
    assert any(0.06 < fraction < 0.75 for fraction in seen)
    assert seen[-1] == 1.0


# -- one server, many who speak


def _speak(url: str, weights: tuple[str, str], request: dict[str, Any], leases: str) -> None:
    import os

    os.environ["STUDIO_LEASES"] = leases
    for _ in range(2):
        GptSovitsServer("gpt_sovits", url).speak(*weights, request)


def _all_at_once(studio: Studio, leases: list[str]) -> None:
    studio.household.sovits_voice("alberto", pitch=120.0)
    context = multiprocessing.get_context("spawn")
    processes = []
    for character, lease in zip(("luca", "alberto"), leases, strict=True):
        voice = studio.engine._voice(character)
        args = SynthesizeSpeech.Input(text="Come here, now! Come on.", character=character)
        request = plan_line(args, voice, SETTINGS, 1).request
        weights = (voice.gpt.file, voice.sovits.file)
        processes.append(context.Process(target=_speak, args=(studio.server.url, weights, request, lease)))
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def _mixed(server: Server) -> int:
    """Lines that were said with weights of two characters, or with another's recording."""
    return sum(len({Path(line[key]).stem.split("-")[0] for key in ("gpt", "sovits", "ref_audio_path")}) > 1
               for line in server.spoken)  # fmt: skip


def test_two_processes_never_mix_their_voices(studio: Studio, tmp_path: Path) -> None:
    studio.server.faults = {"slow"}
    lease = tmp_path / "one"
    lease.mkdir()
    _all_at_once(studio, [str(lease)] * 2)
    assert len(studio.server.spoken) == 4
    assert studio.server.overlaps == 0
    assert _mixed(studio.server) == 0


def test_the_twin_with_a_lock_for_each_mixes_them(studio: Studio, tmp_path: Path) -> None:
    """The control: without a common lock the same two processes meet in the server."""
    studio.server.faults = {"slow"}
    leases = [tmp_path / "one", tmp_path / "two"]
    for lease in leases:
        lease.mkdir()
    _all_at_once(studio, [str(lease) for lease in leases])
    assert studio.server.overlaps > 0 or _mixed(studio.server) > 0


def test_a_stop_is_heard_while_another_speaks(studio: Studio) -> None:
    studio.server.faults = {"slow"}
    other = threading.Thread(target=studio.say, kwargs={"text": "One, two, three, four, five, six, seven."})
    other.start()
    while not studio.server.spoken:
        pass
    calls: list[float] = []

    def beat(seconds: float) -> None:
        calls.append(seconds)
        if len(calls) > 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        studio.resident.speak(*_weights(studio), {}, beat)
    other.join()
    assert len(studio.server.spoken) == 1


# -- the runtime starts and stops it


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder such as GPT-SoVITS is checked out to, with the server of the tests as its api_v2.py."""
    root = tmp_path / "GPT-SoVITS"
    (root / "GPT_SoVITS" / "configs").mkdir(parents=True)
    (root / "GPT_SoVITS" / "configs" / "tts_infer.yaml").write_text("custom: {version: v2}\n")
    here = Path(__file__).parents[3]
    code = f"import sys\nsys.path.insert(0, {str(here)!r})\nfrom tests.tools.voice.servers.sovits import main\nmain()\n"
    (root / "api_v2.py").write_text(code)
    return root


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_studio_starts_it_sets_weights_once_and_ends_it(
    household: Household, checkout: Path, tmp_path: Path
) -> None:
    household.sovits_voice()
    household.sovits_voice("alberto", pitch=120.0)
    port = free_port()
    launch = gpt_sovits_launch(checkout, port, tmp_path / "private", python=sys.executable)
    server = GptSovitsServer("gpt_sovits", f"http://127.0.0.1:{port}", launch)
    engine = GptSovitsSpeech(household.shelf.home)

    def say(character: str, name: str) -> None:
        ctx = household.context(name, models={"gpt_sovits": server})
        engine.run(SynthesizeSpeech.Input(text=LINE, character=character), ctx)

    written = tmp_path / "private" / f"tts_infer-{port}.yaml"
    with server:
        say("luca", "a")
        assert "luca.ckpt" in written.read_text(), "its own copy of the configuration is written into"
        first = written.stat().st_mtime_ns
        say("luca", "b")
        assert written.stat().st_mtime_ns == first, "the same weights are not loaded again"
        say("alberto", "c")
        assert "alberto.ckpt" in written.read_text()
        server.give_up()
        assert server.state() == "stopped"
        say("luca", "d")
        assert "luca.ckpt" in written.read_text(), "a server that was started anew has its weights set anew"
    assert (checkout / "GPT_SoVITS" / "configs" / "tts_infer.yaml").read_text() == "custom: {version: v2}\n"
    assert server.state() == "stopped"


def test_weights_that_somebody_else_set_are_set_again(household: Household, checkout: Path, tmp_path: Path) -> None:
    household.sovits_voice()
    household.sovits_voice("alberto", pitch=120.0)
    port = free_port()
    launch = gpt_sovits_launch(checkout, port, tmp_path / "private", python=sys.executable)
    ours = GptSovitsServer("gpt_sovits", f"http://127.0.0.1:{port}", launch)
    guest = GptSovitsServer("gpt_sovits", f"http://localhost:{port}")
    engine = GptSovitsSpeech(household.shelf.home)
    pitches = []
    with ours:
        for name, server, character in (("a", ours, "luca"), ("b", guest, "alberto"), ("c", ours, "luca")):
            ctx = household.context(name, models={"gpt_sovits": server})
            engine.run(SynthesizeSpeech.Input(text=LINE, character=character), ctx)
            pitches.append(median_f0(read_wav(ctx.out / "speech.wav")[0]))
    assert pitches[1] < 0.6 * pitches[0]
    assert pitches[2] == pytest.approx(pitches[0], rel=0.01)


def test_a_server_that_dies_in_a_line_is_a_crash(household: Household, checkout: Path, tmp_path: Path) -> None:
    household.sovits_voice()
    port = free_port()
    launch = gpt_sovits_launch(checkout, port, tmp_path / "private", python=sys.executable)
    engine = GptSovitsSpeech(household.shelf.home)
    with GptSovitsServer("gpt_sovits", f"http://127.0.0.1:{port}", launch) as server:
        assert isinstance(server, GptSovitsServer)
        ctx = household.context("a", models={"gpt_sovits": server})
        ctx.report = lambda fraction, _text: server.give_up() if 0.05 < fraction < 0.7 else None
        with pytest.raises((EngineCrashed, BadOutput)):
            engine.run(SynthesizeSpeech.Input(text=LINE, character="luca"), ctx)


# -- its WAV


def test_a_wav_is_read_as_it_is_sent_and_not_otherwise() -> None:
    from tests.tools.voice.servers.sovits import _header, _wav

    sound = (np.sin(np.arange(3200) / 10) * 8000).astype(np.int16)
    whole = _wav(32_000, sound)
    assert np.array_equal(read_wav_bytes(whole, "it").samples, sound)
    assert np.array_equal(read_wav_bytes(_header(24_000) + sound.tobytes(), "it", streamed=True).samples, sound)
    for bad in (b"", b"RIFF", whole[:20], whole[:-2], whole[:-1], _header(32_000), b"<html>" + whole, whole[:44]):
        with pytest.raises(BadOutput):
            read_wav_bytes(bad, "it")
    stereo = bytearray(whole)
    stereo[22] = 2
    with pytest.raises(BadOutput, match="2 channels"):
        read_wav_bytes(bytes(stereo), "it")


def test_the_lock_has_one_name_however_the_server_is_called() -> None:
    times = SovitsTimes()
    names = {
        SovitsSpeech(GptSovitsServer("a", f"http://{host}:9880"), times)._name
        for host in ("127.0.0.1", "localhost", "[::1]")
    }
    assert len(names) == 1
