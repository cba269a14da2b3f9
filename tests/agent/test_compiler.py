"""The compiler: which calls a storyboard needs, and what a change of one line touches."""

from __future__ import annotations

import pytest

from agent.compiler import compile_calls, unspoken_lines
from agent.reviews import review_call
from agent.state import Override
from tests.agent.boards import beach, line, shot
from tools.base import Call
from tools.storyboard import Storyboard

FULL = ["image", "voice", "music", "subtitles", "video"]


def by_id(board: Storyboard, outputs: list[str] = FULL, **more: object) -> dict[str, Call]:
    return {call.id: call for call in compile_calls(board, outputs, **more)}  # type: ignore[arg-type]


def test_a_film_is_made_of_these_calls_and_needs_them_in_this_order() -> None:
    calls = by_id(beach())
    expected = ["s1.still", "s1.line1", "music1", "ambience1", "s1.motion", "subtitles", "sound", "film"]
    assert list(calls) == expected
    assert calls["s1.motion"].needs == ["s1.line1"]
    assert calls["film"].needs == ["s1.motion", "sound", "subtitles"]
    assert set(calls["sound"].needs) == {"s1.line1", "music1", "ambience1"}
    seen: set[str] = set()
    for call in calls.values():
        assert set(call.needs) <= seen
        seen.add(call.id)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (["image"], {"s1.still"}),
        (["voice"], {"s1.line1"}),
        (["music"], {"music1"}),
        (["subtitles"], {"s1.line1", "subtitles"}),
        (["script"], set()),
        (["video"], {"s1.still", "ambience1", "s1.motion", "sound", "film"}),
        (
            ["image", "video", "subtitles"],
            {"s1.still", "ambience1", "s1.line1", "s1.motion", "subtitles", "sound", "film"},
        ),
    ],
)
def test_only_what_was_asked_for_is_made(outputs: list[str], expected: set[str]) -> None:
    assert set(by_id(beach(), outputs)) == expected


def test_lines_that_are_only_written_keep_their_time_but_are_not_heard() -> None:
    sound = by_id(beach(), ["video", "subtitles"])["sound"]
    assert sound.args["voices"] is False
    assert sound.args["shots"][0]["speech"] == [{"call": "s1.line1", "key": ""}]


def test_a_changed_line_of_dialogue_touches_neither_the_still_nor_another_shot() -> None:
    said = [shot("s1", "luca", dialogue=[line("luca", "One.")]), shot("s2", "alberto")]
    changed = [shot("s1", "luca", dialogue=[line("luca", "Two.")]), shot("s2", "alberto")]
    before, after = by_id(beach(*said)), by_id(beach(*changed))
    differ = {name for name in before if before[name].args != after[name].args}
    assert differ == {"s1.line1", "s1.motion"}


def test_the_same_picture_under_another_id_has_the_same_arguments() -> None:
    calls = by_id(beach(shot("s1", "luca"), shot("s2", "luca")))
    assert calls["s1.still"].args == calls["s2.still"].args


def test_a_line_with_nothing_to_say_is_a_silence_not_a_failure() -> None:
    board = beach(shot("s1", "luca", dialogue=[line("luca", "..."), line("luca", "Ciao!"), line("luca", "🐙🐙")]))
    calls = by_id(board)
    assert [name for name in calls if ".line" in name] == ["s1.line1"]
    assert calls["s1.line1"].args["text"] == "Ciao!"
    assert [said["text"] for said in calls["s1.motion"].args["shot"]["dialogue"]] == ["Ciao!"]
    assert unspoken_lines(board) == ["...", "🐙🐙"]


def test_music_and_ambience_run_on_while_they_stay_the_same() -> None:
    shots = [
        shot("a", "luca", music="calm"),
        shot("b", "luca", music="calm", time_of_day="night"),
        shot("c", "luca", music=None, ambience=None),
        shot("d", "luca", music="tense"),
    ]
    calls = by_id(beach(*shots))
    music = calls["sound"].args["music"]
    assert [(bed["first"], bed["last"]) for bed in music] == [(0, 1), (3, 3)]
    assert [(bed["first"], bed["last"]) for bed in calls["sound"].args["ambience"]] == [(0, 0), (1, 1), (3, 3)]
    assert calls["music1"].args["mood"] == "calm"
    assert calls["music2"].args["mood"] == "tense"


def test_what_the_judge_changed_about_a_still_holds_for_its_motion() -> None:
    adjust = {"dx": {"luca": -0.1}, "zoom": 1.0, "dy": 0.0, "exposure": 1.0}
    calls = by_id(beach(), overrides={"s1.still": Override(args={"adjust": adjust}, seed_step=2)})
    assert calls["s1.still"].args["adjust"] == adjust
    assert calls["s1.motion"].args["adjust"] == adjust
    assert calls["s1.still"].seed == 2


def test_variations_have_calls_and_seeds_of_their_own() -> None:
    first, second = by_id(beach()), by_id(beach(), variation=2)
    assert set(second) == {f"v2.{name}" for name in first}
    assert second["v2.film"].needs == ["v2.s1.motion", "v2.sound", "v2.subtitles"]
    assert first["s1.still"].seed != second["v2.s1.still"].seed


def test_every_call_of_a_film_has_a_review_with_what_to_expect() -> None:
    board = beach()
    calls = compile_calls(board, FULL)
    reviews = {call.id: review_call(call, board, {"s1.motion": 2.5}) for call in calls}
    assert all(reviews.values())
    film = reviews["film"]
    assert film is not None
    assert film.args["expect_duration_s"] == 2.5
    assert film.args["expect_streams"] == ["video", "audio", "subtitles"]
    assert film.needs == ["film", "sound"]
