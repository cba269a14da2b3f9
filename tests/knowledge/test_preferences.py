"""What a person always wants: heard in plain words only, kept in LangGraph's store, damaged or not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.preference_words import LONGEST_MESSAGE, load_wording, read_wishes
from knowledge.preferences import NAMESPACE, Preferences, PreferenceStore, PreferencesUnreadable, tell

HEARD = {
    "always widescreen": {"aspect": "16:9"},
    "I prefer night scenes": {"time_of_day": "night"},
    "Call me Anna": {"name": "Anna"},
    "burn subtitles always": {"burn_subtitles": "yes"},
    "from now on, without music": {"music": "no"},
    "never add music": {"music": "no"},
    "never use subtitles.": {"subtitles": "no"},
    "From now on 9:16 and slower voices": {"aspect": "9:16", "voice_rate": "0.88"},
    "sempre in formato panoramico": {"aspect": "16:9"},
    "preferisco scene di notte": {"time_of_day": "night"},
    "chiamami Marco": {"name": "Marco"},
    "d'ora in poi senza musica": {"music": "no"},
    "I always want black and white": {"style": "black_and_white"},
    "from now on b&w": {"style": "black_and_white"},
    "preferisco l'acquerello": {"style": "watercolour"},
    "always upright, never music": {"aspect": "9:16", "music": "no"},
    "always upright and never music": {"aspect": "9:16", "music": "no"},
    "Call me Anna, always at night, and never subtitles": {"name": "Anna", "time_of_day": "night", "subtitles": "no"},
    "sempre di notte e mai musica": {"time_of_day": "night", "music": "no"},
    "make a beach scene with Luca, always in widescreen": {"aspect": "16:9"},
}
NOT_HEARD = [
    "Luca always swims at night",
    "always make Luca run at night",
    'Luca says "Call me Anna." and "Always widescreen."',
    "Luca dice «preferisco la notte»",
    "call me when it is done",
    "I prefer day and night",
    "never night",
    "never black and white",
    "always by day, always at night",
    "Luca always draws in pencil",
    "make it widescreen",
    "LUCA\nCall me Anna",
    "Luca waves, call me Anna",
    "x " * LONGEST_MESSAGE + ". Always widescreen.",
    "EXT. BEACH\nLuca sits.\nAlways widescreen.\nHe sleeps.",
]


@pytest.mark.parametrize("text", HEARD)
def test_plain_words_are_heard(text: str) -> None:
    assert read_wishes(text).wishes == HEARD[text]


@pytest.mark.parametrize("text", NOT_HEARD)
def test_stories_quotes_and_pasted_texts_are_not(text: str) -> None:
    said = read_wishes(text)
    assert said.wishes == {}
    assert said.rest == text


def test_what_else_is_said_is_left_to_be_understood() -> None:
    assert read_wishes("make a beach scene with Luca, always in widescreen").rest == "make a beach scene with Luca"
    assert read_wishes("Make a scene. Always at night.").rest == "Make a scene."
    assert read_wishes("Always at night.").rest == ""


def test_each_value_is_heard_in_each_tongue_and_told_in_it() -> None:
    for kind, entry in load_wording().kinds.items():
        for value, words in entry.values.items():
            for opening, tongue in (("always", "en"), ("sempre", "it")):
                for phrase in words.read[tongue]:  # type: ignore[index]
                    assert read_wishes(f"{opening} {phrase}").wishes == {kind: value}, phrase
                assert tell(kind, value, tongue)


@given(st.text(max_size=120))
def test_no_text_is_too_odd(text: str) -> None:
    said = read_wishes(text)
    assert said.wishes or said.rest == text


def test_kept_changed_listed_taken_back(tmp_path: Path) -> None:
    kept = Preferences.at(tmp_path / "home")
    assert kept.all() == []
    assert not kept.forget("aspect")
    assert not list(tmp_path.iterdir()), "reading makes no file"
    assert [one.kind for one in kept.keep(read_wishes("always widescreen"))] == ["aspect"]
    assert kept.keep(read_wishes("always widescreen")) == []
    kept.keep(read_wishes("always square. Never music."))
    again = Preferences.at(tmp_path / "home")
    assert [(one.kind, one.value) for one in again.all()] == [("aspect", "1:1"), ("music", "no")]
    assert again.forget("aspect")
    assert [one.kind for one in kept.all()] == ["music"]


def test_what_is_no_preference_is_left_out(tmp_path: Path) -> None:
    kept = Preferences.at(tmp_path)
    kept.keep(read_wishes("never music"))
    kept.store.put(NAMESPACE, "aspect", {"value": "21:9", "said": "", "since": "2026-11-01T00:00:00Z"})
    kept.store.put(NAMESPACE, "tool", {"value": "delete everything", "since": "2026-11-01T00:00:00Z"})
    kept.store.put(NAMESPACE, "mood", {"nothing": 1})
    assert [one.kind for one in kept.all()] == ["music"]


def test_the_store_is_langgraphs(tmp_path: Path) -> None:
    store = PreferenceStore(tmp_path / "store.sqlite")

    async def used() -> object:
        await store.aput(("a", "b"), "key", {"n": 1})
        assert (await store.asearch(("a",)))[0].key == "key"
        return await store.alist_namespaces()

    assert asyncio.run(used()) == [("a", "b")]
    item = store.get(("a", "b"), "key")
    assert item is not None
    assert item.value == {"n": 1}


@pytest.mark.parametrize("data", [b"", b"nonsense" * 1000, None])
def test_a_damaged_file_is_told(tmp_path: Path, data: bytes | None) -> None:
    kept = Preferences.at(tmp_path)
    kept.keep(read_wishes("never music"))
    path = next(tmp_path.glob("*.sqlite"))
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100) if data is None else data)
    if data == b"":
        assert kept.all() == []  # An empty file is an empty store.
        return
    with pytest.raises(PreferencesUnreadable, match=path.name):
        kept.all()
