"""Records of past generations: kept whole, bounded, and recalled only under the same conditions."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.generations import Change, Generation, Generations, MadePart, generation_id
from knowledge.lessons import Facts, conditions_of, recall_change, similar

START = datetime(2026, 11, 1, tzinfo=UTC)
ZOOM = Change(args={"adjust": {"dx": {}, "zoom": 0.88, "dy": 0.0, "exposure": 1.0}})
LIGHT = Change(args={"adjust": {"dx": {}, "zoom": 1.0, "dy": 0.0, "exposure": 1.4}})
SEED = Change(seed_step=1)


def still(**changes: Any) -> dict[str, Any]:
    shot = {"framing": "wide", "camera": "static", "location": "beach", "time_of_day": "day", "weather": "clear"}
    shot |= {"placements": [{"character": "luca", "x": 0.5}], "action": ""}
    return {"shot": shot | changes, "cast": [], "style": "pixar_3d", "width": 1280, "height": 720}


def part(change: Change, args: dict[str, Any], **more: Any) -> MadePart:
    conditions = conditions_of("generate_image", "draft", args, 0, change)
    fields = {"before": 0.4, "score": 0.9, "passed": True, "attempts": 2} | more
    return MadePart(
        call="s1.still", tool="generate_image", engine="draft", change=change, conditions=conditions, **fields
    )


def generation(number: int = 0, *parts: MadePart, **more: Any) -> Generation:
    fields: dict[str, Any] = {"characters": ("luca",), "places": ("beach",), "score": 0.9, "passed": True} | more
    return Generation(
        id=generation_id("film", str(number)), made=START + timedelta(hours=number), production="film",
        storyboard=str(number), title=f"Film {number}", parts=parts, **fields,
    )  # fmt: skip


def recalled(past: list[Generation], args: dict[str, Any], seed: int = 0, engine: str = "draft") -> Change | None:
    lesson = recall_change(past, "generate_image", engine, args, seed)
    return lesson.change if lesson else None


def test_a_change_is_recalled_only_where_what_it_depends_on_is_the_same() -> None:
    past = [generation(0, part(ZOOM, still()))]
    assert recalled(past, still()) == ZOOM
    assert recalled(past, still(time_of_day="night")) == ZOOM, "the view does not depend on the hour"
    assert recalled(past, still(location="forest")) is None
    assert recalled(past, still(placements=[{"character": "giulia", "x": 0.5}])) is None
    assert recalled(past, still(), engine="sdxl") is None
    light = [generation(0, part(LIGHT, still()))]
    assert recalled(light, still()) == LIGHT
    assert recalled(light, still(time_of_day="night")) is None
    seed = [generation(0, part(SEED, still()))]
    assert recalled(seed, still()) == SEED
    assert recalled(seed, still(), seed=5) is None
    assert recalled(seed, still(action="he waves")) is None


def test_only_what_was_measured_to_help_is_recalled() -> None:
    assert recalled([generation(0, part(ZOOM, still(), passed=False))], still()) is None
    assert recalled([generation(0, part(ZOOM, still(), before=0.9))], still()) is None
    two = [generation(0, part(ZOOM, still(), score=0.75)), generation(1, part(LIGHT, still(), score=0.95))]
    assert recalled(two, still()) == LIGHT
    assert recalled(two[::-1], still()) == LIGHT


def test_what_has_misled_is_not_recalled_until_it_helped_more_often() -> None:
    helped = part(ZOOM, still())
    wrong = generation(1, misled=((helped.conditions, ZOOM),))
    assert recalled([generation(0, helped), wrong], still()) is None
    more = [generation(number, helped) for number in (2, 3)]
    assert recalled([generation(0, helped), wrong, *more], still()) == ZOOM


def test_results_of_other_calls_are_no_conditions() -> None:
    refers = {**still(), "speech": [{"call": "s1.line1", "key": ""}]}
    assert conditions_of("animate_shot", "animatic", refers, 0, ZOOM) == ""
    repaint = Change(args={"picture": {"call": "s1.still.try1", "key": ""}})
    assert conditions_of("generate_image", "sdxl", still(), 0, repaint) == ""


def test_a_record_is_kept_once_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    assert kept.all() == []
    assert not kept.folder.exists()
    kept.keep(generation(0, part(ZOOM, still())))
    path = next(kept.folder.iterdir())
    before = path.read_bytes()
    kept.keep(generation(0, part(ZOOM, still())).model_copy(update={"made": START + timedelta(days=3)}))
    assert path.read_bytes() == before
    assert kept.mark("film", "approved") is not None
    kept.keep(generation(0, score=0.5))
    assert [(one.verdict, one.score) for one in kept.all()] == [("approved", 0.5)]
    assert kept.mark("another", "undone") is None


def test_the_poorest_go_first(tmp_path: Path) -> None:
    kept = Generations(tmp_path, most=3)
    kept.keep(generation(0, part(ZOOM, still()), score=0.8))
    kept.keep(generation(1, score=0.3, passed=False))
    kept.keep(generation(2, verdict="undone"))
    kept.keep(generation(3))
    assert [one.storyboard for one in kept.all()] == ["0", "1", "3"]
    kept.keep(generation(4))
    assert [one.storyboard for one in kept.all()] == ["0", "3", "4"]


def test_a_damaged_record_is_told_and_harms_nothing(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    kept.keep(generation(0, part(ZOOM, still())))
    kept.keep(generation(1))
    path = kept.folder / f"{generation(0).id}.json"
    whole = path.read_bytes()
    for broken in (b"", whole[: len(whole) // 2], b"[]", b"\xff\x00", whole.replace(b'"film"', b'"film", "x": 1')):
        path.write_bytes(broken)
        assert [one.storyboard for one in kept.all()] == ["1"]
        assert kept.damaged() == [path]
    assert kept.remove(path.stem)
    assert kept.damaged() == []
    assert not kept.remove("../film")


def test_similar_ones_are_notes_and_what_was_taken_back_is_not() -> None:
    past = [
        generation(0, part(ZOOM, still())),
        generation(1, characters=("giulia",), places=("forest",)),
        generation(2, verdict="undone"),
        generation(3, verdict="approved"),
    ]
    notes = similar(past, Facts(characters=("luca",), places=("beach",)), limit=5)
    assert [note.title for note in notes] == ["Film 3", "Film 0"]
    assert all(note.kind == "generation" for note in notes)
    assert "zoom 0.88 took it from 0.40 to 0.90" in notes[1].text
    assert similar(past, Facts()) == []


@given(
    st.lists(st.tuples(st.sampled_from([ZOOM, LIGHT, SEED]), st.floats(0, 1), st.booleans()), max_size=6), st.randoms()
)
def test_recall_depends_on_nothing_but_what_was_made(made: list[tuple[Change, float, bool]], random: Any) -> None:
    past = [
        generation(at, part(change, still(), score=round(score, 3), passed=passed))
        for at, (change, score, passed) in enumerate(made)
    ]
    found = recalled(past, still())
    random.shuffle(past)
    assert recalled(past, still()) == found
    assert found is None or any(change == found and passed and score > 0.39 for change, score, passed in made)


KEEP_WHILE_MARKING = """
import contextlib
import sys
import time
from pathlib import Path
import knowledge.generations as module
from knowledge.generations import Generations
module.WAIT_S = 120.0
home, how, locked = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "locked"
kept = Generations(home)
[before] = kept.all()
if not locked:
    Generations._owned = lambda self: contextlib.nullcontext()
write = module.replace_file
def slowly(path, data):
    print("read", flush=True)  # What was there has been read; the other process is let in.
    sys.stdin.read(1)
    write(path, data)
if how == "keep":
    module.replace_file = slowly
    kept.keep(before.model_copy(update={"seconds": 9.0}))
else:
    kept.mark("film", "approved")
"""


def _both_at_once(home: Path, locked: str) -> Generation:
    """One process keeps a generation anew; between its reading and its writing another marks it."""
    Generations(home).keep(generation(0))
    command = [sys.executable, "-c", KEEP_WHILE_MARKING, str(home)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, "keep", locked], **pipes) as keeping:
        assert keeping.stdout is not None
        assert keeping.stdout.readline() == b"read\n"
        with subprocess.Popen([*command, "mark", locked], **pipes) as marking:
            try:
                marking.communicate(timeout=1.0 if locked == "locked" else 60.0)
            except subprocess.TimeoutExpired:
                assert locked == "locked"
            _, told = keeping.communicate(b"g", timeout=60)
            assert keeping.returncode == 0, told.decode()
            assert marking.wait(60) == 0
    [found] = Generations(home).all()
    assert found.seconds == 9.0
    return found


def test_what_a_person_thinks_is_not_lost_where_another_process_keeps_at_that_moment(tmp_path: Path) -> None:
    assert _both_at_once(tmp_path, "locked").verdict == "approved"


def test_without_the_lock_it_is_lost(tmp_path: Path) -> None:
    """The broken twin of the test above."""
    assert _both_at_once(tmp_path, "unlocked").verdict == ""


def test_who_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.generations.WAIT_S", 0.05)
    kept = Generations(tmp_path)
    kept.keep(generation(0))
    with kept._owned(), pytest.raises(TimeoutError, match="another process"):
        kept.mark("film", "approved")


def test_where_nothing_is_kept_nothing_is_made_to_mark_it(tmp_path: Path) -> None:
    assert Generations(tmp_path).mark("film", "approved") is None
    assert list(tmp_path.iterdir()) == []
