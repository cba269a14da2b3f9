"""The history, the comparison of two runs, and the page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent.cli import _run
from evals.benchmarks.charts import in_words
from evals.benchmarks.compare import compare
from evals.benchmarks.history import append, older, read
from evals.benchmarks.page import draw_page
from tests.evals.benchmarks.invented import run
from tools.errors import InvalidInput, StorageFailed


class Balanced(HTMLParser):
    """Whether every tag is closed where it should be; what shapes there are."""

    VOID = ("meta", "circle", "line", "polyline", "polygon", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_runs_are_appended_one_a_line_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "bench.jsonl"
    for seed in range(3):
        append(path, run(seed))
    assert len(path.read_text().splitlines()) == 3
    assert read(path) == ([run(0), run(1), run(2)], 0)


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    append(path, run(0))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    append(path, run(1))
    assert read(path) == ([run(0), run(1)], 1)
    path.write_text(path.read_text() + '{"format": "studio-bench/9"}\n[]\n')
    assert read(path) == ([run(0), run(1)], 3)


def test_the_older_half_moves_beside_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    for seed in range(23):
        append(path, run(seed), kept=5)
    here, _ = read(path)
    there, _ = read(older(path))
    assert there + here == [run(seed) for seed in range(23)]
    assert 5 <= len(here) < 10
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bench.jsonl", "bench.older.jsonl"]


def test_a_history_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no history can be read"):
        read(tmp_path / "none.jsonl")
    binary = tmp_path / "film.mp4"
    binary.write_bytes(b"\xff\xfe\x00\x80" * 100)
    with pytest.raises(InvalidInput, match="no text"):
        read(binary)
    with pytest.raises(StorageFailed):
        append(tmp_path, run(0))


@pytest.mark.parametrize("by", [1.4, 2.0, 10.0])
def test_an_invented_slowdown_is_found_and_nothing_else(by: float) -> None:
    for seed in range(20):
        changes = compare(run(seed), run(seed + 100, slower={"8 s film": by}))
        assert [one.name for one in changes if one.verdict == "slower"] == ["8 s film"]
        assert not [one for one in changes if one.verdict == "faster"]
        assert changes[0].change == pytest.approx(by, rel=0.2)


def test_noise_is_no_slowdown() -> None:
    found = [
        one
        for seed in range(200)
        for one in compare(run(seed), run(seed + 1000))
        if one.verdict in ("slower", "faster")
    ]
    assert found == []


def test_a_slow_hour_is_not_taken_for_slow_code() -> None:
    for seed in range(20):
        changes = compare(run(seed), run(seed + 100, speed=1.8, load=5.0))
        assert not [one for one in changes if one.verdict == "slower"]
        both = compare(run(seed), run(seed + 100, speed=1.8, load=5.0, slower={"studio --help": 1.6}))
        assert [one.name for one in both if one.verdict == "slower"] == ["studio --help"]


def test_without_the_yardstick_it_would_be() -> None:
    """The broken twin: the same two runs, and nothing that says how fast the machine was."""

    def blind(one: object) -> object:
        rows = [row.model_copy(update={"yardstick_ms": None}) for row in one.rows]  # type: ignore[attr-defined]
        return one.model_copy(update={"rows": rows})  # type: ignore[attr-defined]

    changes = compare(blind(run(0)), blind(run(1, speed=1.8)))  # type: ignore[arg-type]
    assert len([one for one in changes if one.verdict == "slower"]) >= 3


def test_faster_exact_gone_and_new_are_told_apart() -> None:
    before, after = run(0), run(1, slower={"studio --help": 0.5, "loading / bound": 1.02})
    found = {one.name: one.verdict for one in compare(before, after)}
    assert found["studio --help"] == "faster"
    assert found["loading / bound"] == "slower", "what is counted has no noise"
    assert found["cycle"] == "same", "not run in either"
    less = after.model_copy(update={"rows": after.rows[1:]})
    assert {one.name: one.verdict for one in compare(before, less)}["studio --help"] == "gone"
    assert {one.name: one.verdict for one in compare(less, before)}["studio --help"] == "new"


@pytest.mark.parametrize("count", [1, 2, 50])
def test_the_page_is_whole_by_itself(count: int) -> None:
    page = draw_page([run(seed, load=5.0 if seed == 3 else 0.2) for seed in range(count)], unread=1)
    found = Balanced(page)
    assert found.open == []
    assert found.tags.count("svg") == 6, "each figure that was measured has a chart"
    assert found.tags.count("circle") >= 6 * count
    assert page.count('class="goal" x1') == 6
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", page), "nothing is fetched"
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert "not run" in page
    assert "torch sees no card" in page
    assert (count == 50) == ("dot busy" in page or "missed busy" in page)
    assert "NaN" not in page
    assert "None" not in page


def test_what_is_written_in_a_page_is_only_text() -> None:
    page = draw_page([run(0, title='<script>alert("x")</script>'), run(1, title="</title><img src=x onerror=y>")])
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert Balanced(page).open == []


def test_the_page_says_what_got_slower_since_the_run_before() -> None:
    page = draw_page([run(0), run(1, slower={"8 s film": 1.7})])
    assert "By more than the noise slower than in the run before: 8 s film (1." in page
    assert "By more than the noise" not in draw_page([run(0), run(1)])


def test_values_are_said_as_people_read_them() -> None:
    said = [in_words(value, "s") for value in (0, 0.018, 1.15, 16.74, 545.2, 12_345.6)]
    assert said == ["0 s", "0.018 s", "1.15 s", "16.7 s", "545 s", "12,346 s"]


def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, slower in ((0, {}), (1, {}), (2, {"8 s film": 1.8})):
        append(Path("bench.jsonl"), run(seed, slower=slower))
    assert _run(["bench", "page"]) == 0
    assert Path("bench.html").read_text().startswith("<!doctype html>")
    assert _run(["bench", "compare", "1", "2"]) == 0
    assert "the same within the noise" in capsys.readouterr().out
    assert _run(["bench", "compare"]) == 1, "something got slower"
    assert "slower  film: 8 s film" in capsys.readouterr().out
    assert _run(["bench", "compare", "--json", "1", "3"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["name"] == "8 s film"
    assert _run(["bench", "compare", "1", "--", "-1"]) == 1
    capsys.readouterr()
    assert _run(["bench", "compare", "7", "8"]) == 1
    assert "holds 3 runs" in capsys.readouterr().err
    assert _run(["bench", "tomorrow"]) == 1
    assert "there is no benchmark 'tomorrow'" in capsys.readouterr().err
    assert _run(["bench", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "BenchRun"
    assert _run(["bench", "stated"]) == 0
    assert "studio --help answers within half a second" in capsys.readouterr().out
    assert _run(["bench", "page", "--history", "none.jsonl"]) == 1
