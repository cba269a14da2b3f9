"""What a page tells: what failed first, what differed, what was not measured, what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.commands import compare_results, draw_again, run_scenarios
from evals.report.checks import differing
from evals.report.page import draw_report
from evals.report.pictures import Album
from evals.report.writing import write_report
from evals.result import EvalResult, Picture, ScenarioResult, ScenarioRun
from evals.run.comparing import compare
from tests.evals.report.results import JPEG, Page, read, result, run, turn
from tools.errors import InvalidInput, StorageFailed


def scenario(name: str, *runs: ScenarioRun) -> ScenarioResult:
    return ScenarioResult(name=name, about=f"about {name}", tags=["fast", name], runs=list(runs))


def page(one: EvalResult, folder: Path) -> Page:
    return read(draw_report(one, Album(folder)))


def picture(folder: Path, name: str, data: bytes = JPEG) -> Picture:
    path = folder / "one/1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Picture(of=name, file=name)


def test_what_failed_stands_first_and_open(tmp_path: Path) -> None:
    told = page(
        result(
            scenario("good", run(outcome="passed")),
            scenario("absent", run(outcome="not_run", turns=[], checks=[])),
            scenario("bad", run(outcome="crashed")),
            scenario("at_times", run(outcome="passed"), run(repeat=2)),
        ),
        tmp_path,
    )
    cards = told.all("details")
    states = [(one["id"], one["data-state"], "open" in one) for one in cards if "data-state" in one]
    assert states == [
        ("s-bad", "failed", True),
        ("s-at_times", "unsteady", True),
        ("s-good", "passed", False),
        ("s-absent", "not_run", False),
    ]
    assert "1 of 2" in told.text


def test_without_scripts_all_is_there_and_the_filters_are_not(tmp_path: Path) -> None:
    told = page(result(), tmp_path)
    assert "hidden" in told.all("div", id="filters")[0]
    assert not [one for one in told.all("details") if "hidden" in one]


def test_what_was_not_measured_has_its_reason_and_no_figure(tmp_path: Path) -> None:
    told = page(result(text="no face was compared"), tmp_path).text
    assert "not measured" in told
    assert "no face was compared" in told
    assert "1 measured, 1 not" in told


def test_of_many_good_runs_one_is_shown_whole(tmp_path: Path) -> None:
    runs = [run(outcome="passed", repeat=number, turns=[turn(message=f"answer {number}")]) for number in range(1, 6)]
    told = page(result(scenario("one", *runs)), tmp_path).text
    assert "answer 1" in told
    assert "answer 2" not in told
    assert "5: passed" in told


def test_the_scenario_is_shown_as_it_was_run(tmp_path: Path) -> None:
    (tmp_path / "one/1").mkdir(parents=True)
    (tmp_path / "one/1/job.json").write_text('{"scenario": {"name": "one", "turns": [{"say": "Luca waves"}]}}')
    assert "- say: Luca waves" in page(result(), tmp_path).text
    (tmp_path / "one/1/job.json").write_text("{")
    assert "Scenario file" not in page(result(), tmp_path).text


@pytest.mark.parametrize(
    ("expected", "found", "missing", "more"),
    [
        (["moon"], ["beach"], ["moon"], ["beach"]),
        (["luca", "giulia"], ["luca", "alberto"], ["giulia"], ["alberto"]),
        ({"same_items": ["luca", "giulia"]}, ["giulia", "alberto"], ["luca"], ["alberto"]),
        ({"contains": ["Ciao", "Addio"]}, "ciao a tutti", ["Addio"], []),
        ({"contains_none": ["error"]}, "an error", ["error"], []),
        ({"at_least": 2}, 1, ['{"at_least": 2}'], ["1"]),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ["2"], ["3"]),
        ("make it night", "make it day", ["night"], ["day"]),
        (None, "", ["null"], ["(empty)"]),
    ],
)
def test_what_differs_is_marked(expected: object, found: object, missing: list[str], more: list[str]) -> None:
    marked = [html.split('">') for html in map(str, differing(expected, found))]
    for parts, kind, items in ((marked[0], "missing", missing), (marked[1], "more", more)):
        told = [part.split("</mark>")[0].replace("&quot;", '"') for part in parts[1:]]
        assert told == items
        assert all(part.endswith(f'<mark class="{kind}') for part in parts[:-1])


def test_pictures_are_taken_in_once_and_up_to_what_the_page_may_hold(tmp_path: Path) -> None:
    shown = [picture(tmp_path, "a.jpg"), picture(tmp_path, "b.jpg"), picture(tmp_path, "c.jpg", JPEG + b"other")]
    one = result(scenario("one", run(turns=[turn(shown=shown)])))
    html = draw_report(one, Album(tmp_path))
    assert len(read(html).all("img")) == 2
    assert "the same as a.jpg of turn 1" in read(html).text
    album = Album(tmp_path, most=len(JPEG))
    told = read(draw_report(one, album))
    assert len(told.all("img")) == 1
    assert "1 pictures are left out" in told.text
    assert "one/1/c.jpg" in told.text


def test_nothing_outside_the_folder_of_the_results_is_taken_in(tmp_path: Path) -> None:
    place = tmp_path / "results"
    picture(place, "good.jpg")
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(JPEG)
    (place / "one/1/link.jpg").symlink_to(secret)
    picture(place, "text.jpg", b"no picture")
    picture(place, "huge.jpg", JPEG + bytes(400_000))
    names = ["../../../secret.jpg", str(secret), "link.jpg", "text.jpg", "huge.jpg", "absent.jpg", "\x00", "x" * 5000]
    shown = [Picture(of="it", file=name) for name in names]
    bad = page(result(scenario("one", run(turns=[turn(shown=shown)]))), place)
    assert not bad.all("img")
    assert bad.text.count("is not there, or no picture of a report") == len(names)
    control = page(result(scenario("one", run(turns=[turn(shown=[Picture(of="it", file="good.jpg")])]))), place)
    assert len(control.all("img")) == 1


def test_a_page_of_many_long_scenarios_stays_small(tmp_path: Path) -> None:
    text = "word " * 4_000
    many = [scenario(f"s{number}", run(turns=[turn(message=text, trace=[text] * 3)])) for number in range(75)]
    assert len(draw_report(result(*many), Album(tmp_path))) < 10_000_000


def test_two_results_are_compared_on_a_page_of_their_own(tmp_path: Path) -> None:
    before = result(scenario("one", run(outcome="passed")), scenario("gone", run()))
    after = result(scenario("one", run()), scenario("new", run(outcome="passed")))
    html = draw_report(after, Album(tmp_path), compare(before, after))
    told = read(html)
    assert "1 worse, 0 better" in told.text
    assert {one["href"] for one in told.all("a")} == {"#s-one", "#s-new"}
    assert "Before 100%, now 0%." in told.text
    assert "Gone: gone" in told.text


def test_the_commands_draw_it_and_the_same_result_gives_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result().save(tmp_path / "results.json")
    draw_again(tmp_path)
    first = (tmp_path / "report.html").read_bytes()
    draw_again(tmp_path / "results.json")
    assert (tmp_path / "report.html").read_bytes() == first
    assert compare_results(tmp_path, tmp_path / "results.json", as_json=False) == 0
    assert b"What changed" in (tmp_path / "compare.html").read_bytes()
    assert "compare.html" in capsys.readouterr().out
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(StorageFailed, match=r"cannot write .*report\.html"):
        write_report(tmp_path / "results.json", result())
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]
    with pytest.raises(InvalidInput, match="cannot be read"):
        write_report(tmp_path / "none.json")


def test_a_folder_for_results_that_cannot_be_made_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot make the folder"):
        run_scenarios(["strategy_by_flag"], out=tmp_path / "file")


def test_two_results_can_be_compared_where_no_page_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result().save(tmp_path / "results.json")
    (tmp_path / "compare.html").mkdir()
    assert compare_results(tmp_path, tmp_path, as_json=False) == 0
    assert "No report was written" in capsys.readouterr().out


def test_a_command_is_shown_as_it_was_typed_with_what_it_printed(tmp_path: Path) -> None:
    beside = [{"command": "studio jobs cancel 1", "exit": 0, "output": "asked", "stderr": ""}]
    typed = turn(
        "", command="studio jobs run", output="Job 1", stderr="studio: no luck", exit=3, meanwhile=beside, message="",
        error=None, failures={},
    )  # fmt: skip
    asked = turn(
        "", asked_mcp={"call": "why", "arguments": {"scene": "beach"}}, message="By draft.", contents=["text", "image"],
        data={"text": "By draft."}, progress=[{"fraction": 0.2, "text": "drawing"}],
    )  # fmt: skip
    told = page(result(scenario("one", run(turns=[typed, asked]))), tmp_path).text
    for text in ("$ studio jobs run", "Job 1", "studio: no luck", "[exit code 3]", "$ studio jobs cancel 1", "asked",
                 '"scene": "beach"', "By draft.", "text, image", "0.2: drawing", "told 1 times"):  # fmt: skip
        assert text in told, text
    hung = typed.model_copy(update={"exit": None})
    assert "ended: it took too long" in page(result(scenario("one", run(turns=[hung]))), tmp_path).text
