"""The picture is complete in itself, shows what there is, and is not led astray by names."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from tests.tools.runtime.telemetry.samples import records, told
from tools.runtime.telemetry.picture import draw
from tools.runtime.telemetry.record import Batch, Record, Span

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_everything_that_took_time_has_a_shape_with_a_tooltip() -> None:
    svg = draw(told().record)
    shown = titles(svg)
    for start in ("loading sdxl", "loading beside a call: eye", "evicting sdxl", "waiting: b", "a\n2.0 s", "v\n2.8 s"):
        assert any(title.startswith(start) for title in shown), start
    assert any("another attempt follows" in title for title in shown)
    assert any(title.startswith("budget 15.0 GiB") for title in shown)
    assert any("3 calls, 2 switches" in title for title in shown)
    assert {"The beach", "cuda:0", "CPU", "sdxl", "eye", "budget 15.0 GiB", "0 s"} <= set(texts(svg))


def test_nothing_runs_in_it_and_nothing_is_loaded() -> None:
    svg = draw(told().record)
    assert not re.search(r"<script|on\w+=|href|@import|<foreignObject|<image", svg)
    assert set(re.findall(r"url\(([^)]*)\)", svg)) <= {f"#{name}" for name in re.findall(r'<pattern id="([^"]*)"', svg)}
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]


def test_a_model_has_one_colour() -> None:
    root = ElementTree.fromstring(draw(told().record))
    fills = {
        one.get("fill")
        for one in root.iter(f"{SVG}rect")
        for title in one.iter(f"{SVG}title")
        if (title.text or "").startswith("a\n")
    }
    assert len(fills) == 1


def test_names_are_text() -> None:
    bad = "</title><script>alert(1)</script>\x00\x1b]0;x\ud800\uffff&"
    record = Record(bad, bad, 1.0, [Span(bad, "call", 0, 5, "", bad, bad, "failed", bad)], batches=[Batch(0, 6, 1)])
    svg = draw(record)
    assert "<script" not in svg
    assert "<script>alert(1)" in "".join(titles(svg))


@settings(max_examples=60, deadline=None)
@given(records())
def test_any_record_can_be_drawn(record: Record) -> None:
    root = ElementTree.fromstring(draw(record))
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for rect in root.iter(f"{SVG}rect"):
        if "%" not in (rect.get("width") or "") and rect.get("x") is not None:
            assert float(rect.get("x") or 0) + float(rect.get("width") or 0) <= width + 8
            assert 0 <= float(rect.get("y") or 0) <= height


def test_ten_thousand_calls_stay_a_picture() -> None:
    spans = [Span(f"c{n}", "call", n * 0.01, n * 0.01 + 0.009, "", "speak", "espeak") for n in range(10_000)]
    svg = draw(Record("many", "many", 0.0, spans))
    assert len(svg) < 2_000_000
    assert svg.count("<rect") < 5_000


@pytest.mark.parametrize("length", [0.004, 0.3, 45.0, 900.0, 90_000.0])
def test_the_axis_has_few_ticks(length: float) -> None:
    shown = texts(draw(Record("x", "x", 0.0, [Span("a", "call", 0.0, length)])))
    assert 2 <= sum(bool(re.fullmatch(r"[\d.:]+ (s|min|h)", text)) for text in shown) <= 16
