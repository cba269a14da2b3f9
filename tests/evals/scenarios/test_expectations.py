"""Each kind of expectation holds where it should, and fails where it should: a check that cannot fail says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.expect.checking import check, scorers
from evals.expect.model import FACTS, Expect
from evals.expect.seen import Seen
from evals.expect.storyboards import facts_of
from evals.result import Check, TurnRecord

LOAD = {"device": "cuda:0", "action": "load", "model": "sdxl_base", "seconds": 2.0, "text": "", "plan": None}
TRIES = [
    {"call": "s1.still", "number": 1, "score": 0.3, "best": False},
    {"call": "s1.still", "number": 2, "score": 0.9, "best": True},
    {"call": "film", "number": 1, "score": 0.9, "best": True},
]
ERROR = {"kind": "InvalidInput", "says": "there is no place 'moon'"}

CASES: list[tuple[str, Any, Any]] = [
    # key, what holds of the film, what does not
    ("intent", {"kind": "scene", "characters": ["luca", "alberto"]}, {"kind": "edit"}),
    ("intent", {"ops": []}, {"ops": ["set_time"]}),
    ("storyboard", {"places": ["beach"], "shots": 1}, {"places": ["harbour"]}),
    ("no_storyboard", False, True),
    ("shots", {"s1": {"on_stage": {"same_items": ["luca", "alberto"]}}}, {"s1": {"on_stage": ["luca"]}}),
    ("shots", {"s1": {"places": ["beach"]}}, {"s9": {"places": ["beach"]}}),
    ("lines", [{"who": "luca", "says": "Ciao!"}], [{"who": "alberto", "says": "Ciao!"}]),
    ("silent", False, True),
    ("trajectory", {"must": ["generate_image/draft"]}, {"must": ["generate_image/sdxl"]}),
    ("trajectory", {"must_not": ["lip_sync"]}, {"must_not": ["s1.*"]}),
    ("trajectory", {"order": ["generate_image", "edit_video"]}, {"order": ["edit_video", "generate_image"]}),
    ("trajectory", {"count": {"generate_image": 1}}, {"count": {"generate_image": 2}}),
    ("trajectory", {"made": ["film"]}, {"cached": ["film"]}),
    ("trajectory", {"failed": ["music1"]}, {"failed": ["film"]}),
    ("trajectory", {"arguments": [{"call": "s1.still", "args": {"width": 960}}]},
     {"arguments": [{"call": "s1.still", "args": {"width": 1280}}]}),
    ("trajectory", {"arguments": [{"tool": "generate_image", "args": {"shot.location": "beach"}}]},
     {"arguments": [{"tool": "lip_sync", "args": {"shot.location": "beach"}}]}),
    ("trajectory", {"nodes": ["think", "act", "judge"]}, {"nodes": ["judge", "think"]}),
    ("trajectory", {"nodes_not": ["search"]}, {"nodes_not": ["act"]}),
    ("trajectory", {"exact": ["generate_image", "synthesize_speech", "compose_music", "make_ambience", "animate_shot",
                              "mix_sound", "write_subtitles", "edit_video", "review_artifact"]},
     {"exact": ["generate_image"]}),
    ("artifacts", [{"file": "film.mp4", "kind": "video", "pixels": [960, 960], "decodes": True, "fps": 8,
                    "seconds": {"at_least": 1.5, "at_most": 4}, "streams": ["video", "audio", "subtitle"],
                    "loudness": {"near": [-16, 2]}, "bytes": {"at_least": 1000}}],
     [{"file": "film.mp4", "pixels": [1280, 720]}]),
    ("artifacts", [{"file": "stills/s1.png", "kind": "image", "luma": {"at_least": 60},
                    "on_stage": ["alberto", "luca"]}],
     [{"file": "stills/s1.png", "on_stage": ["luca"]}]),
    ("artifacts", [{"file": "film.srt", "kind": "text", "text": {"contains": "Ciao!"}}],
     [{"file": "film.srt", "text": {"contains": "Addio!"}}]),
    ("artifacts", [{"file": "voices/s1.line1.wav", "kind": "audio"}],
     [{"file": "voices/s1.line1.wav", "kind": "video"}]),
    ("artifacts", [{"file": "film.gif", "exists": False}], [{"file": "film.gif"}]),
    ("artifacts", [{"file": "film.mp4", "exists": True}], [{"file": "film.mp4", "seconds": {"at_most": 1}}]),
    ("files", {"contains": ["film", "stills/s1"]}, {"contains": ["transcript"]}),
    ("made", True, False),
    ("scores", {"film": {"at_least": 0.7}}, {"film": {"at_most": 0.1}}),
    ("scores", {"*": {"at_least": 0.1}}, {"s7.still": {"at_least": 0.1}}),
    ("attempts", {"s1.still": 2}, {"s1.still": 1}),
    ("retries", 1, 0),
    ("improved", ["s1.still"], ["film"]),
    ("failures", {"music1": {"contains": "memory"}}, {}),
    ("failures", {"film": {"absent": True}}, {"film": {"contains": "memory"}}),
    ("engines", {"generate_image": "draft"}, {"generate_image": "sdxl"}),
    ("passed_over", {"contains": "arcface"}, {"contains": "sdxl"}),
    ("switches", 1, 0),
    ("again", 2, {"at_most": 1}),
    ("tool_calls", {"at_least": 8}, 0),
    ("model", {"steps": 3, "tokens": 70, "requests": 2, "refused": 1, "asked": ["Outline"]},
     {"tokens": {"at_most": 10}}),
    ("strategy", "plain", "react"),
    ("seconds", {"at_least": 0.1}, {"at_most": 0.1}),
    ("message", {"contains": "I made"}, {"contains": "I could not"}),
    ("assumptions", {"contains": "guess"}, {"absent": True}),
    ("problems", {"contains": "do not fit"}, {"contains": "disk"}),
    ("thoughts", {"contains": "strategy"}, {"contains": "unheard of"}),
    ("notes", {"contains": "luca.md"}, {"contains": "zanzu.md"}),
    ("search", "found", "offline"),
    ("web_asked", ["harbours"], []),
    ("pages_fetched", {"length": 1}, {"length": 2}),
    ("asked", 1, 0),
    ("error", {"kind": "InvalidInput", "says": {"contains": "moon"}}, {"kind": "Cancelled"}),
    ("error", {"kind": "InvalidInput"}, {"kind": "InvalidInput", "says": {"contains": "sun"}}),
    ("exit", 0, 1),
    ("stored", {"productions/*/film.mp4": True}, {"productions/*/film.mp4": False}),
    ("stored", {"productions/*/script.md": {"contains": "Luca"}}, {"productions/*/script.md": {"contains": "Zanzu"}}),
    ("intact", True, False),
    ("secrets_absent", ["canary-123"], ["Luca"]),
    ("secrets_absent", ["canary-456"], ["was printed"]),
    ("output", {"contains": "was printed"}, {"contains": "a traceback"}),
    ("stderr", {"contains": "a warning"}, {"absent": True}),
    ("data", {"jobs.0.state": "done", "jobs.state": ["done", "failed"], "jobs.1.calls.id": ["film"]},
     {"jobs.1.state": "done"}),
    ("data", {"jobs": {"length": 2}, ".": {"length": 1}}, {"jobs.7.state": {"absent": True}, "nothing": 1}),
    ("progress", {"length": 2}, {"contains": "never told"}),
    ("contents", {"contains": "image"}, ["text"]),
    ("metrics", {"film_validity": 1, "on_stage_count": 1, "subtitle_offset": {"at_most": 0.3}}, {"film_validity": 0}),
]  # fmt: skip


@pytest.fixture(scope="module")
def seen(film: Seen) -> Seen:
    """The film, and beside it what one film alone does not show."""
    more = {
        "attempts": TRIES, "failures": {"music1": "ran out of memory"}, "devices": [LOAD], "again": 2, "steps": 3,
        "tokens": 70, "asked_model": [{"piece": "Outline", "status": 200}, {"piece": None, "status": 400}],
        "search": "found", "web_asked": ["harbours"], "pages_fetched": ["harbours.example/"], "error": ERROR,
        "output": "was printed", "stderr": "a warning", "contents": ["text", "image"],
        "data": {"jobs": [{"state": "done"}, {"state": "failed", "calls": [{"id": "film"}]}]},
        "progress": [{"fraction": 0.1, "text": "drawing"}, {"fraction": 0.4, "text": "drawn"}],
        "asked_person": [{"question": "approve"}], "assumptions": ["I guess that it is day."],
    }  # fmt: skip
    record = film.last.model_copy(update=more, deep=True)
    next(call for call in record.calls if call.id == "music1").status = "failed"
    return Seen((record,), film.folder)


def held(key: str, value: Any, seen: Seen) -> list[Check]:
    return check(Expect.model_validate({key: value}), seen)


@pytest.mark.parametrize(("key", "right", "wrong"), CASES, ids=[f"{one[0]} {str(one[1])[:40]}" for one in CASES])
def test_it_holds_and_it_fails(key: str, right: Any, wrong: Any, seen: Seen) -> None:
    good = held(key, right, seen)
    assert good
    assert [one for one in good if not one.passed] == []
    bad = [one for one in held(key, wrong, seen) if not one.passed]
    assert bad
    assert all("could not be looked at" not in one.note for one in bad), bad
    assert all(one.expected is not None or one.found is not None for one in bad), "what differed is told"


def test_every_key_has_a_case_that_fails_and_a_scorer() -> None:
    assert {key for key, _, _ in CASES} == set(Expect.model_fields) == set(scorers())


@pytest.mark.parametrize("told", [[0.1, 0.1], [0.4, 0.2]])
def test_progress_that_does_not_grow_is_found_out(told: list[float], film: Seen) -> None:
    progress = [{"fraction": one, "text": "drawing"} for one in told]
    seen = Seen((film.last.model_copy(update={"progress": progress}),), film.folder)
    assert [one.name for one in held("progress", {"length": 2}, seen) if not one.passed] == ["progress.grows"]


def test_where_there_is_no_json_no_data_is_found(film: Seen) -> None:
    assert [one.passed for one in held("data", {"jobs": {"absent": True}}, film)] == [False]


def test_every_fact_is_one(film: Seen) -> None:
    assert film.board is not None
    assert set(facts_of(film.board)) == set(FACTS)


def test_a_scorer_that_breaks_is_a_check_that_failed(film: Seen) -> None:
    broken = Seen((film.last.model_copy(update={"storyboard": {"shots": 3}}),), film.folder)
    found = held("storyboard", {"places": ["beach"]}, broken)
    assert [one.passed for one in found] == [False]
    assert "could not be looked at" in found[0].note


@pytest.mark.parametrize("file", ["stills/s1.png", "film.mp4"])
def test_a_file_that_was_cut_off_does_not_decode(file: str, film: Seen, tmp_path: Path) -> None:
    whole = (film.production / file).read_bytes()
    (tmp_path / "productions" / "p" / Path(file).parent).mkdir(parents=True)
    cut = tmp_path / "productions" / "p" / file
    cut.write_bytes(whole[: len(whole) // 2])
    record = film.last.model_copy(update={"production": "productions/p"})
    found = held("artifacts", [{"file": file, "decodes": True}], Seen((record,), tmp_path))
    assert not all(one.passed for one in found)


def test_a_torn_store_is_not_intact(film: Seen, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(film.folder, tmp_path / "copy")
    copied = Seen((film.last,), tmp_path / "copy")
    assert all(one.passed for one in held("intact", True, copied))
    stored = next((tmp_path / "copy" / "productions").glob("*/artifacts/*/*/*.wav"))
    stored.write_bytes(stored.read_bytes()[:-4] + b"abcd")
    assert not all(one.passed for one in held("intact", True, copied))


def test_nothing_stored_is_not_intact(tmp_path: Path) -> None:
    record = TurnRecord(number=1, said="")
    assert not all(one.passed for one in held("intact", True, Seen((record,), tmp_path)))
    assert not all(one.passed for one in held("secrets_absent", ["x"], Seen((record,), tmp_path)))
