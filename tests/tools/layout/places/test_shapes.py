"""Paths: SVG data in, and the outlines that brushes are made of."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.layout.places.shapes import below, cloud_outline, lens, poly, ribbon, smooth, svg_path, wavy


def test_svg_commands_give_the_outline_they_spell() -> None:
    box = svg_path("M10 20 h30 v40 H10 Z").getBounds()
    assert (box.left(), box.top(), box.right(), box.bottom()) == (10, 20, 40, 60)
    relative = svg_path("m10,20 l30,0 l0,40 l-30,0z")
    assert relative.getBounds() == box
    curve = svg_path("M0 0 C0 10 10 10 10 0 S20 -10 20 0 Q25 5 30 0 T40 0")
    last = curve.getPoint(curve.countPoints() - 1)
    assert (last.x(), last.y()) == (40, 0)


def test_a_smooth_curve_mirrors_the_handle_before_it() -> None:
    short, long = svg_path("M0 0 C0 10 10 10 10 0 S20 -10 20 0"), svg_path("M0 0 C0 10 10 10 10 0 C10 -10 20 -10 20 0")
    assert [(p.x(), p.y()) for p in short.getPoints(20)] == [(p.x(), p.y()) for p in long.getPoints(20)]


@pytest.mark.parametrize("data", ["L0 0", "M0", "M0 0 L1", "M0 0 A1 1 0 0 0 2 2", "M0 0 Z 3", "M 0 0 x"])
def test_malformed_data_says_where(data: str) -> None:
    with pytest.raises(ValueError, match="SVG path"):
        svg_path(data)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="MLHVCSQTZmlz0123456789 ,.-e", max_size=60))
def test_any_text_is_a_path_or_a_value_error(data: str) -> None:
    try:
        assert svg_path(data).isFinite() or "e" in data
    except ValueError as error:
        assert "SVG path" in str(error)  # noqa: PT017
    except OverflowError:
        assert "e" in data


@settings(max_examples=60, deadline=None)
@given(st.floats(30, 900), st.floats(12, 300), st.integers(2, 12), st.integers(0, 999))
def test_a_cloud_keeps_near_its_box_and_its_foot_is_nearly_flat(
    width: float, height: float, billows: int, seed: int
) -> None:
    outline, big = cloud_outline(width, height, billows, Random(seed))
    assert len(outline) > 20
    assert len(big) == billows
    assert min(y for _, y in outline) >= -height * 1.6
    assert max(y for _, y in outline) <= max(8.0, height * 0.2)
    assert max(abs(x) for x, _ in outline) <= width + height


def test_lines_and_bands() -> None:
    line = wavy(-100, 100, 50, 8, 300, 0.4)
    assert line[0][0] == -100
    assert line[-1][0] == 100
    assert all(abs(y - 50) <= 8 for _, y in line)
    assert below(line, 90).getBounds().bottom() == 90
    band = ribbon([(0, 0), (0, 100)], [10, 4]).getBounds()
    assert (band.width(), band.height()) == (10, 100)
    ring = smooth([(0, 0), (10, 0), (10, 10), (0, 10)])
    assert ring.contains(5, 5)
    stroke = poly([(0, 0), (1, 1)], close=False)
    lens(stroke, 0, 0, 20, 2, 3)
    assert stroke.getBounds().right() == 20
