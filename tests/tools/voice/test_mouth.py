from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.voice.mouth import mouth_cues, shapes_of


@pytest.mark.parametrize(
    ("ipa", "shapes"),
    [
        ("m", ["mbp"]), ("ˈaɪ", ["ai", "e"]), ("əʊ", ["e", "u"]), ("tʃ", ["etc"]), ("v", ["fv"]), ("w", ["wq"]),
        ("l", ["l"]), ("uː", ["u"]), ("ɔː", ["o"]), ("", []), ("ˈ", []), ("ð", ["etc"]), ("iə", ["e"]),
    ],
)  # fmt: skip
def test_phonemes_have_preston_blairs_shapes(ipa: str, shapes: list[str]) -> None:
    assert shapes_of(ipa) == shapes


def test_a_mouth_closes_for_m_rests_in_a_pause_and_at_the_end() -> None:
    phonemes = [(0.0, 0.1, "m"), (0.1, 0.3, "aː"), (0.3, 0.6, ""), (0.6, 0.7, "b"), (0.7, 0.9, "uː"), (0.9, 1.0, "")]
    cues = mouth_cues(phonemes)
    assert [cue.shape for cue in cues] == ["mbp", "ai", "rest", "mbp", "u", "rest"]
    assert cues[-1].start == pytest.approx(0.9)


def test_a_short_closure_is_still_seen() -> None:
    cues = mouth_cues([(0.0, 0.2, "a"), (0.2, 0.215, "b"), (0.215, 0.5, "o")])
    closed = next(cue for cue in cues if cue.shape == "mbp")
    opened = next(cue for cue in cues if cue.shape == "o")
    assert opened.start - closed.start >= 0.059


@given(st.lists(st.tuples(st.floats(0.0, 0.3), st.sampled_from(["m", "aɪ", "", "t", "w", "f", "əʊ", "l", "?"]))))
def test_cues_rise_and_change(parts: list[tuple[float, str]]) -> None:
    at, phonemes = 0.0, []
    for length, ipa in parts:
        phonemes.append((at, at + length, ipa))
        at += length
    cues = mouth_cues(phonemes)
    for earlier, later in itertools.pairwise(cues):
        assert later.start > earlier.start
    if cues:
        assert cues[-1].shape == "rest"
        assert cues[0].start >= 0
