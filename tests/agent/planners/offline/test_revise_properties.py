"""What holds for every revision: valid, minimal, and the storyboard that came in is left alone."""

from __future__ import annotations

import itertools
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.intent import Beat, Brief, Edit, Intent, Performance
from agent.planners.base import PlanRequest
from agent.planners.offline.blocking import apart
from agent.planners.offline.compose import compose
from agent.planners.offline.direction import load_direction
from agent.planners.offline.pacing import speech_need
from agent.planners.offline.revise import revise
from tests.agent.planners.offline.briefs import GIULIA, LUCA, PLACES, POSES, briefs, intent, maybe, one_of
from tools.storyboard import ASPECT_SIZES, Camera, Emotion, Facing, Framing, Line, Mood, Storyboard, TimeOfDay, Weather

WHO = st.sampled_from(["luca", "alberto", "giulia", "bruno", "child_5"])
OPS = get_args(Edit.model_fields["op"].annotation)


@st.composite
def edits(draw: Any) -> Edit:
    """Any edit that a reader might write, and some that none would."""
    who = draw(WHO)
    performance = Performance(
        character=who,
        pose=draw(maybe(st.sampled_from(POSES))),
        expression=draw(maybe(one_of(Emotion))),
        facing=draw(maybe(one_of(Facing))),
    )
    return Edit(
        op=draw(st.sampled_from(OPS)),
        shot=draw(st.sampled_from([None, None, 1, 2, 3, 9, -1, 0])),
        to=draw(maybe(st.integers(-1, 5))),
        character=draw(maybe(st.just(who))),
        member=draw(maybe(st.sampled_from([LUCA, GIULIA]))),
        performance=draw(maybe(st.just(performance))),
        line=draw(maybe(st.builds(Line, character=st.just(who), text=st.just("Andiamo al mare, dai!")))),
        old_text=draw(st.sampled_from([None, None, "we can do this", "xyzzy"])),
        location=draw(maybe(st.sampled_from(PLACES))),
        time_of_day=draw(maybe(one_of(TimeOfDay))),
        weather=draw(maybe(one_of(Weather))),
        framing=draw(maybe(one_of(Framing))),
        camera=draw(maybe(one_of(Camera))),
        mood=draw(maybe(one_of(Mood))),
        aspect=draw(maybe(st.sampled_from(list(ASPECT_SIZES)))),
        fps=draw(maybe(st.integers(1, 100))),
        duration_s=draw(maybe(st.integers(1, 4000).map(lambda tenths: tenths / 10))),
        factor=draw(maybe(st.sampled_from([0.3, 0.7, 1.5, 40.0]))),
        text=draw(st.sampled_from([None, "", "A new title"])),
        beat=draw(
            maybe(
                st.builds(
                    Beat,
                    text=st.just("a shot"),
                    framing=maybe(one_of(Framing)),
                    performances=st.sampled_from([[], [performance]]),
                )
            )
        ),
    )


def boards() -> Any:
    """Storyboards as the composer writes them."""
    return briefs().map(lambda brief: compose(intent(brief), PlanRequest(text="a scene")).storyboard)


def revised(board: Storyboard, *changes: Edit) -> Storyboard:
    made = revise(board, Intent(kind="edit", edits=list(changes)), PlanRequest(text="", storyboard=board))
    return made.storyboard


@settings(max_examples=160, deadline=None)
@given(boards(), st.lists(edits(), max_size=3))
def test_a_revision_is_sound_and_the_original_untouched(board: Storyboard, changes: list[Edit]) -> None:
    before = board.model_copy(deep=True)
    made = revise(board, Intent(kind="edit", edits=changes), PlanRequest(text="", storyboard=board))
    after = made.storyboard
    assert board == before
    assert Storyboard.model_validate(after.model_dump()) == after
    assert abs(sum(shot.duration_s for shot in after.shots) - after.duration_s) < 0.011
    for shot in after.shots:
        assert shot.duration_s >= min(120.0, speech_need(shot.dialogue)) - 1e-6
    assert all(isinstance(told, str) and "{" not in told for told in [*made.assumptions, *made.problems])


@settings(max_examples=160, deadline=None)
@given(boards(), edits())
def test_nobody_is_put_in_front_of_anybody(board: Storyboard, edit: Edit) -> None:
    after = revised(board, edit)
    blocking = load_direction().coverage.blocking
    for shot in after.shots:
        for a, b in itertools.combinations(shot.placements, 2):
            assert apart(a, b, shot.framing, after.aspect, blocking), (edit.op, shot.framing, after.aspect, a, b)


@settings(max_examples=40, deadline=None)
@given(boards())
def test_no_edit_changes_nothing(board: Storyboard) -> None:
    assert revised(board) == board
    assert revised(board, Edit(op="undo"), Edit(op="set_outputs", outputs=["image"])) == board


@settings(max_examples=80, deadline=None)
@given(boards(), edits(), st.integers(1, 6))
def test_an_edit_of_one_shot_leaves_the_others_equal(board: Storyboard, edit: Edit, number: int) -> None:
    whole = {"set_aspect", "set_title", "set_style", "set_fps", "reorder_shot", "add_shot", "remove_shot"}
    whole |= {"split_shot", "copy_shot", "set_look", "rename_character"}
    if edit.op in whole:
        return
    after = revised(board, edit.model_copy(update={"shot": number}))
    assert [shot.id for shot in after.shots] == [shot.id for shot in board.shots]
    for at, (old, new) in enumerate(zip(board.shots, after.shots, strict=True), start=1):
        if at != number:
            assert new == old


@settings(max_examples=60, deadline=None)
@given(boards(), st.sampled_from([0.4, 0.7, 1.3, 2.0]))
def test_another_length_keeps_every_line(board: Storyboard, factor: float) -> None:
    after = revised(board, Edit(op="set_duration", factor=factor))
    assert [shot.dialogue for shot in after.shots] == [shot.dialogue for shot in board.shots]
    wanted = round(board.duration_s * factor, 1)
    least = sum(max(0.5, speech_need(shot.dialogue) + 0.1) for shot in board.shots)
    if wanted >= least and wanted <= 120.0 * len(board.shots):
        assert abs(after.duration_s - wanted) < 1e-6


@settings(max_examples=40, deadline=None)
@given(boards())
def test_adding_then_removing_leaves_nobody_behind(board: Storyboard) -> None:
    if any(member.id == "newcomer" for member in board.cast) or len(board.cast) >= 16:
        return
    newcomer = GIULIA.model_copy(update={"id": "newcomer", "name": "Newcomer"})
    added = revised(board, Edit(op="add_character", member=newcomer, character="newcomer"))
    removed = revised(added, Edit(op="remove_character", character="newcomer"))
    assert all(member.id != "newcomer" for member in removed.cast)
    assert [m.id for m in removed.cast] == [m.id for m in board.cast]


def test_edits_of_one_request_use_the_numbers_the_user_saw() -> None:
    brief = Brief(cast=[LUCA], beats=[Beat(location=p) for p in ("beach", "forest", "kitchen")], explicit_shots=True)
    board = compose(intent(brief), PlanRequest(text="")).storyboard
    after = revised(board, Edit(op="remove_shot", shot=2), Edit(op="set_framing", shot=3, framing="close"))
    assert [shot.location for shot in after.shots] == ["beach", "kitchen"]
    assert [shot.framing for shot in after.shots] == [board.shots[0].framing, "close"]


def test_two_moves_exchange_two_shots() -> None:
    places = ("beach", "forest", "kitchen", "harbour")
    brief = Brief(cast=[LUCA], beats=[Beat(location=p) for p in places], explicit_shots=True)
    board = compose(intent(brief), PlanRequest(text="")).storyboard
    after = revised(board, Edit(op="reorder_shot", shot=1, to=4), Edit(op="reorder_shot", shot=3, to=1))
    assert [shot.location for shot in after.shots] == ["harbour", "forest", "kitchen", "beach"]
