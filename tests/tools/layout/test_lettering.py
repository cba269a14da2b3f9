"""Words over the picture: they fit, wrap evenly, keep to the safe area and say what they cannot show."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.layout.lettering import caption_overlay, group_captions, title_overlay
from tools.layout.lettering import fonts as fonts_module
from tools.layout.lettering.overlay import SAFE, caption_chars
from tools.layout.lettering.setting import break_lines
from tools.layout.lettering.styles import style_for
from tools.timeline import SpokenWord

SIZES = [(1280, 720), (720, 1280), (960, 960), (320, 180)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", ["CHIMP BANANA TRAIN", "A", "Supercalifragilisticexpialidocious again", "x " * 90])
def test_titles_keep_to_the_safe_area(size: tuple[int, int], text: str) -> None:
    x0, y0, x1, y1 = title_overlay(text.strip(), "", size).box
    assert x0 >= size[0] * SAFE * 0.99
    assert x1 <= size[0] * (1 - SAFE * 0.99)
    assert y0 >= size[1] * 0.03
    assert y1 <= size[1] * 0.97


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=120))
def test_any_text_makes_a_caption(text: str) -> None:
    overlay = caption_overlay(text, (640, 360))
    assert overlay.x + overlay.picture.shape[1] <= 640
    assert overlay.y + overlay.picture.shape[0] <= 360


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_any_text_makes_a_title(text: str) -> None:
    title_overlay(text, "neon", (320, 180))


def test_style_words_choose_the_style() -> None:
    assert style_for("embossed gold on dark wood").id == "gold_on_wood"
    assert style_for("golden letters").id == "gold"
    assert style_for("pixar_3d").id == "storybook"
    assert style_for("a marigold field").id == "storybook", "whole words only"


def test_gold_on_wood_is_gold_on_dark_brown_and_fills_the_frame() -> None:
    picture = title_overlay("CHIMP BANANA TRAIN", "embossed gold on dark wood", (640, 360)).picture
    assert picture.shape == (360, 640, 4)
    assert (picture[..., 3] == 255).all()
    b, g, r = (picture[..., i].astype(int) for i in range(3))
    gold = (r > 180) & (g > 120) & (b < 150)
    assert 0.03 < gold.mean() < 0.4
    edge = np.concatenate([r[:20].ravel(), r[-20:].ravel()])
    assert edge.mean() < 70
    assert (r[~gold] >= b[~gold]).mean() > 0.9


def test_a_title_over_a_scene_keeps_off_the_faces() -> None:
    face = (500.0, 60.0, 700.0, 260.0)
    _, y0, _, y1 = title_overlay("Hello", "", (1280, 720), [face]).box
    assert y0 >= 260 or y1 <= 60


def test_what_no_font_has_is_named_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts_module, "_system_face", lambda _char: None)
    overlay = title_overlay("Ciao \u65e5\u672c", "", (640, 360))
    assert "\u65e5" in overlay.notes[0]
    same = title_overlay("Ciao", "", (640, 360))
    assert overlay.box[2] - overlay.box[0] == pytest.approx(same.box[2] - same.box[0], rel=0.3)
    assert not title_overlay("Perch\u00e9 no? \u00a1S\u00ed! Stra\u00dfe \u0153uvre", "", (640, 360)).notes


@given(st.lists(st.integers(1, 12), min_size=1, max_size=14), st.integers(1, 4))
def test_lines_lose_no_word_and_no_break_is_better(lengths: list[int], count: int) -> None:
    words = ["w" * n for n in lengths]
    lines, longest = break_lines(words, [float(n) for n in lengths], 1.0, count)
    assert " ".join(lines).split() == words
    assert len(lines) <= count
    assert max(len(line) for line in lines) == longest
    greedy_limit = longest - 1
    # With one less of width, a greedy fill would need more lines.
    used, at = 1, 0.0
    for n in lengths:
        if n > greedy_limit:
            return
        if at and at + 1 + n > greedy_limit:
            used, at = used + 1, float(n)
        else:
            at = at + 1 + n if at else float(n)
    assert used > count


def words(text: str, start: float, each: float = 0.3) -> list[SpokenWord]:
    return [SpokenWord(text=w, start=start + i * each, end=start + (i + 1) * each) for i, w in enumerate(text.split())]


def test_captions_follow_the_words_in_time() -> None:
    lines = [
        (0.5, words("We can do this! Come on, everybody, to the sea and beyond it", 0.5)),
        (6.0, words("Yes", 0.5)),
    ]
    captions = group_captions(lines, 40)
    assert " ".join(c.text for c in captions).split() == [w.text for _, line in lines for w in line]
    assert captions[0].text == "We can do this!"
    assert captions[0].start == pytest.approx(1.0)
    assert all(len(c.text) <= 40 for c in captions)
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(captions))
    assert captions[-1].start == pytest.approx(6.5)


@pytest.mark.parametrize("size", SIZES)
def test_captions_are_legible_in_every_frame(size: tuple[int, int]) -> None:
    text = ("word " * 40)[: caption_chars(size)].strip()
    overlay = caption_overlay(text, size)
    x0, _, x1, y1 = overlay.box
    assert x0 >= size[0] * SAFE * 0.98
    assert x1 <= size[0] * (1 - SAFE * 0.98)
    assert y1 <= size[1] * 0.97
    assert overlay.picture[..., :3].max() == 255


def test_a_title_leaves_the_foot_to_the_captions() -> None:
    face = (500.0, 60.0, 700.0, 300.0)
    captioned = title_overlay("Hello", "", (1280, 720), [face], captioned=True)
    assert (
        captioned.box[3] <= caption_overlay("Two lines of a caption that is long enough for both", (1280, 720)).box[1]
    )
