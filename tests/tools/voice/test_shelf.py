"""Voices of one's own: records, consent, recordings that are listened to, and what is not accepted."""

from __future__ import annotations

import os
import struct
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.voice.people import SAID, Household, agreement
from tests.tools.voice.servers.rendition import rendition
from tools.errors import InvalidInput, MissingPrerequisite, ToolError
from tools.sound import write_wav
from tools.voice.enrolling import Agreement, enrol, read_reference
from tools.voice.records import GptSovitsVoice, ParlerVoice, XttsVoice
from tools.voice.references import hear, unfit
from tools.voice.shelf import VoiceShelf, digest_of, permitted

YES = Agreement("Jacopo T.", "read for us", "this film", "his mother", date(2026, 5, 3))


# -- the shelf


def test_what_is_put_is_got_back(household: Household) -> None:
    shelf = household.shelf
    assert shelf.all() == []
    assert shelf.get("luca", "gpt_sovits") is None
    with pytest.raises(MissingPrerequisite, match="studio voice add luca --kind gpt_sovits"):
        shelf.needed("luca", "gpt_sovits")
    voice = household.sovits_voice(emotions=("neutral", "happy"))
    eleven = household.eleven_voice("alberto")
    parler = household.placed(ParlerVoice(character="alberto", description="a boy, clear and fast"))
    assert shelf.needed("luca", "gpt_sovits") == voice
    assert shelf.all() == [eleven, parler, voice]
    shelf.remove("luca", "gpt_sovits")
    assert shelf.get("luca", "gpt_sovits") is None
    assert voice.references[0].file.exists(), "recordings are the person's own"
    with pytest.raises(InvalidInput):
        shelf.remove("luca", "gpt_sovits")


@pytest.mark.parametrize(
    "name", ["../luca", "/etc/passwd", "luca/../x", "", ".", "..", "Luca", "a" * 65, "luca\n", "lu ca", "luca\x00"]
)
def test_a_character_is_no_path(household: Household, name: str) -> None:
    for ask in (household.shelf.path_of, household.shelf.get, household.shelf.remove):
        with pytest.raises(InvalidInput, match="no character's id"):
            ask(name, "xtts")
    with pytest.raises(InvalidInput, match="no kind of voice"):
        household.shelf.get("luca", "../xtts")


@given(character=st.text(max_size=80), kind=st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_nothing_leads_out_of_the_shelf(character: str, kind: str) -> None:
    shelf = VoiceShelf(Path("/voices"))
    for one in (kind, "xtts"):
        try:
            path = shelf.path_of(character, one)
        except InvalidInput:
            continue
        assert path.parent == shelf.home
        assert ".." not in path.name


NO_RECORDS = [
    "", "[1, 2]", "kind: xtts", "character: luca\nkind: parler\n", "a: &a [*a]", "\x00",
    "character: luca\nkind: parler\ndescription: x\nmore: 1", "character: alberto\nkind: parler\ndescription: x",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_RECORDS)
def test_a_file_that_is_no_record_is_named_with_its_line(household: Household, text: str) -> None:
    path = household.shelf.path_of("luca", "parler")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"luca\.parler\.yaml"):
        household.shelf.get("luca", "parler")
    with pytest.raises(InvalidInput, match=r"luca\.parler\.yaml"):
        household.shelf.all()
    household.sovits_voice("alberto")
    good, bad = household.shelf.look()
    assert good.record is not None
    assert not good.problem
    assert bad.record is None
    assert bad.problem


def test_a_digest_follows_the_voice_and_not_where_it_lies(household: Household) -> None:
    voice = household.sovits_voice()
    moved = household.root / "elsewhere.wav"
    moved.write_bytes(voice.references[0].file.read_bytes())
    elsewhere = voice.model_copy(
        update={
            "references": (voice.references[0].model_copy(update={"file": moved, "on_server": "/srv/a.wav"}),),
            "note": "hm",
        }
    )
    assert digest_of(elsewhere) == digest_of(voice)
    for changes in (
        {"gpt": voice.gpt.model_copy(update={"sha256": "0" * 64})},
        {"references": (voice.references[0].model_copy(update={"said": "other words"}),)},
        {"references": (voice.references[0].model_copy(update={"sha256": "1" * 64}),)},
        {"consent": agreement(voice).model_copy(update={"allowed_for": "advertisements"})},
    ):
        assert digest_of(voice.model_copy(update=changes)) != digest_of(voice)


# -- consent


def test_with_consent_it_is_told_what_for(household: Household) -> None:
    use = permitted(household.sovits_voice())
    assert use.cloned
    assert (use.whose, use.allowed_for, use.given_on) == ("Jacopo T.", "this film and its trailer", "2026-05-03")


def test_nobodys_voice_needs_none() -> None:
    assert not permitted(ParlerVoice(character="luca", description="a boy")).cloned


@pytest.mark.parametrize("make", ["sovits_voice", "eleven_voice"])
def test_without_consent_a_cloned_voice_is_refused(household: Household, make: str) -> None:
    with pytest.raises(MissingPrerequisite, match="nothing says that they agreed"):
        permitted(getattr(household, make)(consent=False))


def test_consent_for_one_recording_is_none_for_another(household: Household) -> None:
    voice = household.sovits_voice()
    other = household.reference(household.recording("other.wav", pitch=120.0), "happy")
    more = voice.model_copy(update={"references": (*voice.references, other)})
    with pytest.raises(MissingPrerequisite, match=r"does not cover .*other\.wav"):
        permitted(more)
    permitted(household.agreed(more))


def test_a_record_that_was_edited_by_hand_does_not_get_around_it(household: Household) -> None:
    voice = household.sovits_voice()
    recording = household.recording("stranger.wav", pitch=100.0)
    path = household.shelf.path_of("luca", "gpt_sovits")
    digest = household.reference(recording).sha256
    text = path.read_text()
    references = text.index("references:")
    path.write_text(text[:references] + text[references:].replace(voice.references[0].sha256, digest))
    voice.references[0].file.write_bytes(recording.read_bytes())
    with pytest.raises(MissingPrerequisite, match="does not cover"):
        permitted(household.shelf.needed("luca", "gpt_sovits"))


def test_weights_that_were_only_touched_are_the_same(household: Household) -> None:
    voice = household.sovits_voice()
    os.utime(voice.gpt.file, (1, 1))
    permitted(voice)


def test_weights_that_became_a_pipe_are_not_waited_for(household: Household) -> None:
    voice = household.sovits_voice()
    path = Path(voice.gpt.file)
    path.unlink()
    os.mkfifo(path)
    piped = voice.model_copy(update={"gpt": voice.gpt.model_copy(update={"size": 0})})
    with pytest.raises(InvalidInput, match="is not a file"):
        permitted(piped)


# -- recordings


def test_a_recording_of_hours_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    long = wav(tmp_path / "long.wav", bytes(130_000_000), rate=8_000, bits=16)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match=r"long\.wav: is too long: 8125 s"):
            hear(long)
        # The file itself twice; as numbers of 64 bit it was more than a gigabyte.
        assert tracemalloc.get_traced_memory()[1] < 300e6
    finally:
        tracemalloc.stop()


def wav(path: Path, body: bytes, coding: int = 1, channels: int = 1, rate: int = 32_000, bits: int = 16) -> Path:
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", coding, channels, rate, rate * block, block, bits)
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(body)) + body
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


@pytest.mark.parametrize(("coding", "bits"), [(1, 16), (1, 24), (1, 32), (3, 32), (3, 64)])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_common_wav_is_heard_alike(tmp_path: Path, coding: int, bits: int, channels: int) -> None:
    sound = np.repeat(rendition(SAID, 32_000), channels).astype(np.float64)
    if coding == 3:
        body = sound.astype("<f4" if bits == 32 else "<f8").tobytes()
    elif bits == 24:
        body = b"".join(int(value * 8_388_607).to_bytes(3, "little", signed=True) for value in sound)
    else:
        body = (sound * (2 ** (bits - 1) - 1)).astype(f"<i{bits // 8}").tobytes()
    heard = hear(wav(tmp_path / "a.wav", body, coding, channels, bits=bits))
    assert heard.seconds == pytest.approx(len(sound) / channels / 32_000)
    assert heard.peak_db == pytest.approx(-4.4, abs=0.1)
    assert unfit(heard, "gpt_sovits") == ""


def test_recordings_that_will_not_do_are_named(tmp_path: Path) -> None:
    speech = rendition(SAID, 32_000)

    def made(name: str, samples: Any, rate: int = 32_000) -> Path:
        write_wav(tmp_path / name, np.asarray(samples, dtype=np.float32), rate)
        return tmp_path / name

    for path, words in (
        (made("short.wav", speech[:64_000]), "lasts 2.0 s, and must last 3 to 10 s"),
        (made("long.wav", np.tile(speech, 3)), "must last 3 to 10 s"),
        (made("silent.wav", np.zeros(160_000)), "is silent"),
        (made("quiet.wav", speech * 0.001), "is silent"),
        (made("lost.wav", np.concatenate([speech[:40_000], np.zeros(240_000)])), "mostly silence"),
        (made("loud.wav", np.clip(speech * 8, -1, 1)), "overdriven"),
        (made("low.wav", speech[:40_000], 8_000), "has 8000 Hz"),
    ):
        with pytest.raises(InvalidInput, match=words) as told:
            read_reference(f"neutral={path}:{SAID}:en", "gpt_sovits")
        assert path.name in str(told.value)


def test_files_that_are_no_recordings_are_named(tmp_path: Path) -> None:
    good = wav(tmp_path / "good.wav", b"\x10\x20" * 150_000).read_bytes()
    bad: dict[str, bytes] = {
        "empty.wav": b"",
        "mp3.wav": b"ID3\x04" + bytes(2000),
        "pickle.wav": b"\x80\x04\x95" + bytes(100),
        "cut.wav": good[:5000],
        "header.wav": good[:44],
        "odd.wav": good[:20] + b"\x07\x00" + good[22:],
        "eight.wav": good[:22] + b"\x08\x00" + good[24:],
        "text.wav": b"RIFF\x00\x00\x00\x00WAVE" + b"what is this" * 20,
    }
    nan = np.full(150_000, np.nan, dtype="<f4")
    wav(tmp_path / "nan.wav", nan.tobytes(), coding=3, bits=32)
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.wav").mkdir()
    for name in (*bad, "nan.wav", "folder.wav", "missing.wav"):
        with pytest.raises(InvalidInput, match=name.replace(".", r"\.")):
            hear(tmp_path / name)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_from_anywhere_are_a_recording_or_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.wav"
    for content in (data, b"RIFF\x00\x00\x00\x00WAVE" + data, wav(path, b"").read_bytes()[:36] + data):
        path.write_bytes(content)
        try:
            hear(path)
        except ToolError:
            pass


# -- what a person says


def test_a_reference_is_read_as_it_is_written(household: Household) -> None:
    path = household.recording("a:b.wav")
    for text, emotion, said, language in (
        (f'happy={path}:"It is late: go home!":en', "happy", "It is late: go home!", "en"),
        (f"{path}:Vado a casa.:it", "neutral", "Vado a casa.", "it"),
        (f"sad={path}:so it is", "sad", "so it is", "en"),
    ):
        reference = read_reference(text, "xtts")
        assert (reference.emotion, reference.said, reference.language) == (emotion, said, language)
        assert reference.file == path
    with pytest.raises(InvalidInput, match="no emotion 'furious'"):
        read_reference(f"furious={path}:x", "xtts")
    with pytest.raises(InvalidInput, match="word for word"):
        read_reference(str(path), "gpt_sovits")


def test_a_voice_is_enrolled_with_consent_bound_to_its_recordings(household: Household) -> None:
    path = household.recording()
    gpt, sovits = household.weights("x.ckpt", "gpt", 1.0), household.weights("y.pth", "sovits", 1.0)
    voice = enrol(
        "luca", "gpt_sovits", references=[f"{path}:{SAID}:en"], gpt=gpt.file, sovits=sovits.file, agreement=YES
    )
    assert isinstance(voice, GptSovitsVoice)
    assert voice.consent is not None
    assert set(voice.consent.covers) == {household.reference(path).sha256, gpt.sha256, sovits.sha256}
    household.shelf.put(voice)
    assert permitted(household.shelf.needed("luca", "gpt_sovits")).given_by == "his mother"


def test_what_is_missing_is_named(household: Household) -> None:
    path = str(household.recording())
    weights = household.weights("x.ckpt", "gpt", 1.0).file

    def refused(words: str, kind: str, **more: Any) -> None:
        with pytest.raises(InvalidInput, match=words):
            enrol("luca", kind, **more)

    refused("--gpt", "gpt_sovits", references=[f"{path}:{SAID}"])
    refused("nosuch", "gpt_sovits", references=[f"{path}:{SAID}"], gpt="nosuch", sovits=weights)
    refused("references", "xtts")
    refused("neutral", "xtts", references=[f"happy={path}"])
    refused("description", "parler")
    refused("voice_id", "elevenlabs")
    refused("voice_id", "elevenlabs", voice_id="../x")
    refused("--allows", "xtts", references=[path], agreement=Agreement("J", "s", ""))
    refused("kind", "nokind")
    refused("an emotion has one", "gpt_sovits", references=[f"{path}:{SAID}"] * 2, gpt=weights, sovits=weights)


def test_several_recordings_of_an_emotion_are_for_xtts(household: Household) -> None:
    path = str(household.recording())
    voice = enrol("luca", "xtts", references=[path, path, f"sad={path}"], agreement=YES)
    assert isinstance(voice, XttsVoice)
    assert len(voice.references_for("neutral")) == 2
    assert len(voice.references_for("sad")) == 1
    assert len(voice.references_for("happy")) == 2
