"""Follow-ups from the words to the changed scene, in English and Italian: just what was asked, and nothing made up."""

from __future__ import annotations

from functools import cache

import pytest

from agent.intent import Intent
from agent.planners.base import PlanRequest
from agent.planners.offline.planner import OfflinePlanner
from tools.storyboard import Line, Storyboard

BEACH = (
    'make a beach scene with Luca and Alberto. Luca: "We can do this!" Alberto: "Wait for me!" Luca: "Come on then!"'
)
KITCHEN = "Giulia and a robot in the kitchen, the robot waves and a cat sleeps on the floor"
BOSCO = 'Giulia e un gatto nero nel bosco di notte, Giulia dice "Che buio!"'
SQUARE = "Luca scared and Giulia happy in the town square, 3 shots"


@cache
def planner() -> OfflinePlanner:
    return OfflinePlanner()


def told(*messages: str) -> tuple[Storyboard, Storyboard, Intent]:
    """(the scene before the last message, the scene after it, how that message was understood)."""
    board: Storyboard | None = None
    before, said = board, list[tuple[str, str]]()
    intent = Intent(kind="smalltalk")
    for text in messages:
        request = PlanRequest(text, tuple(said), board)
        intent, before = planner().understand(request), board
        if intent.kind == "scene":
            board = planner().compose(intent, request).storyboard
        elif board is not None and intent.kind == "edit" and intent.edits:
            board = planner().revise(board, intent, request).storyboard
        said += [("user", text), ("assistant", "Done.")]
    assert before is not None
    assert board is not None
    return before, board, intent


def lines(board: Storyboard) -> list[tuple[str, str]]:
    return [(line.character, line.text) for shot in board.shots for line in shot.dialogue]


def faces(board: Storyboard, who: str) -> set[str]:
    return {p.expression for shot in board.shots for p in shot.placements if p.character == who}


def poses(board: Storyboard, who: str) -> set[str]:
    return {p.pose for shot in board.shots for p in shot.placements if p.character == who}


def order(board: Storyboard, shot: int) -> list[str]:
    return [p.character for p in sorted(board.shots[shot].placements, key=lambda p: p.x)]


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "ask", "who", "name"),
    [
        (KITCHEN, "rename the robot to Bolt", "robot", "Bolt"),
        (KITCHEN, "the first is called Nina", "giulia", "Nina"),
        (KITCHEN, "call the cat Micio", "cat", "Micio"),
        (KITCHEN, "call the cat micio", "cat", "Micio"),
        (KITCHEN, "the robot's name should be Zip", "robot", "Zip"),
        (KITCHEN, "please rename Giulia to Marta", "giulia", "Marta"),
        (BOSCO, "chiama il gatto Micio", "gatto_nero", "Micio"),
        (BOSCO, "il gatto si chiama Nerone", "gatto_nero", "Nerone"),
        (BOSCO, "cambia il nome di Giulia in Marta", "giulia", "Marta"),
    ],
)
def test_a_new_name_changes_the_name_and_what_tells_of_it(scene: str, ask: str, who: str, name: str) -> None:
    before, after, intent = told(scene, ask)
    old = next(m for m in before.cast if m.id == who)
    assert [edit.op for edit in intent.edits] == ["rename_character"]
    assert [m.id for m in after.cast] == [m.id for m in before.cast]
    assert next(m for m in after.cast if m.id == who) == old.model_copy(update={"name": name})
    noun = old.name.split()[0].lower()
    assert name in after.title
    assert not any(noun in shot.action.lower() for shot in after.shots)
    assert [shot.placements for shot in after.shots] == [shot.placements for shot in before.shots]
    assert lines(after) == lines(before)


def test_it_is_the_film_unless_an_animal_has_just_come() -> None:
    assert told(KITCHEN, "call it Home")[1].title == "Home"
    after = told(KITCHEN, "add a dog", "call it Rex")[1]
    assert [m.name for m in after.cast if m.id == "dog"] == ["Rex"]


def test_a_new_name_is_known_from_then_on() -> None:
    _, after, intent = told(KITCHEN, "rename the robot to Bolt", "remove Bolt")
    assert [edit.character for edit in intent.edits] == ["robot"]
    assert "robot" not in [m.id for m in after.cast]
    assert not any("bolt" in shot.action.lower() for shot in after.shots)


def test_nobody_is_invented_for_a_name() -> None:
    before, after, intent = told(BEACH, "rename the dragon to Smaug")
    assert after == before
    assert not intent.unknown_names


# -- who is meant -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "gone"),
    [
        ((KITCHEN, "add a dog", "remove it"), "dog"),
        ((BOSCO, "aggiungi un cane", "toglilo"), "cane"),
        ((BOSCO, "toglilo"), "gatto_nero"),
        ((SQUARE, "remove her"), "giulia"),
        ((SQUARE, "toglila"), "giulia"),
        ((SQUARE, "take him out"), "luca"),
        ((BEACH, "without Alberto"), "alberto"),
        ((BEACH, "senza Alberto"), "alberto"),
    ],
)
def test_only_the_one_who_is_meant_goes(messages: tuple[str, ...], gone: str) -> None:
    before, after, _ = told(*messages)
    assert [m.id for m in after.cast] == [m.id for m in before.cast if m.id != gone]
    assert not any(who == gone for who, _ in lines(after))


def test_what_it_is_is_asked_when_nobody_can_tell() -> None:
    before, after, intent = told(KITCHEN, "remove it")
    assert after == before
    assert intent.questions
    assert not intent.edits


def test_what_came_last_and_is_nobody_is_taken_back() -> None:
    intent = told(KITCHEN, "make it rain", "remove it")[2]
    assert [edit.op for edit in intent.edits] == ["undo"]


def test_one_woman_named_last_is_made_sad_alone() -> None:
    after = told(SQUARE, "rendila triste")[1]
    assert faces(after, "giulia") == {"sad"}
    assert faces(after, "luca") == {"scared"}
    assert not any("beams" in shot.action for shot in after.shots)


# -- acting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["make Luca less scared", "rendi Luca meno spaventato"])
def test_less_of_a_feeling_calms_face_and_body(ask: str) -> None:
    after = told(SQUARE, ask)[1]
    assert faces(after, "luca") == {"neutral"}
    assert "shiver" not in poses(after, "luca")
    assert faces(after, "giulia") == {"happy"}


@pytest.mark.parametrize(
    ("ask", "row"),
    [
        ("move her to the left", ["giulia", "luca"]),
        ("metti Giulia a sinistra", ["giulia", "luca"]),
        ("put Luca on the right", ["giulia", "luca"]),
        ("Luca on the right and Giulia on the left", ["giulia", "luca"]),
    ],
)
def test_sides(ask: str, row: list[str]) -> None:
    before, after, _ = told(SQUARE, ask)
    assert order(before, 0) == ["luca", "giulia"]
    assert order(after, 0) == row
    assert {p.x for p in after.shots[0].placements} == {p.x for p in before.shots[0].placements}
    assert {p.character: p.facing for p in after.shots[0].placements} == {"giulia": "right", "luca": "left"}


def test_nearer_to_the_camera() -> None:
    before, after, _ = told(SQUARE, "move Luca closer to the camera")
    depth = [next(p.depth for p in board.shots[0].placements if p.character == "luca") for board in (before, after)]
    assert depth[1] < depth[0]


# -- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["swap their lines", "scambia le battute", "swap Luca and Alberto's lines"])
def test_lines_are_swapped_and_places_are_not(ask: str) -> None:
    before, after, _ = told(BEACH, ask)
    other = {"luca": "alberto", "alberto": "luca"}
    assert lines(after) == [(other[who], text) for who, text in lines(before)]
    assert order(after, 0) == order(before, 0)
    for shot in after.shots:  # Who speaks is seen.
        assert {line.character for line in shot.dialogue} <= {p.character for p in shot.placements}


@pytest.mark.parametrize("ask", ["swap them", "swap places", "scambiali di posto"])
def test_places_are_swapped_and_lines_are_not(ask: str) -> None:
    before, after, _ = told(BEACH, ask)
    assert lines(after) == lines(before)
    assert order(after, 0) == order(before, 0)[::-1]


def test_a_line_is_given_to_another() -> None:
    before, after, _ = told(BEACH, "give Luca's first line to Alberto")
    assert lines(after) == [("alberto", "We can do this!"), *lines(before)[1:]]
    after = told(BEACH, 'Luca\'s first line should be "Look!"', "let Alberto say that instead")[1]
    assert ("alberto", "Look!") in lines(after)
    assert len(lines(after)) == 3


def test_which_line_is_asked_when_nobody_can_tell() -> None:
    before, after, intent = told(BEACH, "let Alberto say that instead")
    assert after == before
    assert [question for question in intent.questions if "Alberto" in question]


def test_the_second_line_of_somebody() -> None:
    after = told(BEACH, 'change Luca\'s second line to "Hurry up!"')[1]
    assert [text for who, text in lines(after) if who == "luca"] == ["We can do this!", "Hurry up!"]


# -- shots and the whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["split the second shot", "dividi la seconda inquadratura"])
def test_one_shot_becomes_two(ask: str) -> None:
    before, after, _ = told(BEACH, ask)
    assert len(after.shots) == len(before.shots) + 1
    assert lines(after) == lines(before)
    first, second = after.shots[1:3]
    assert len(first.dialogue) == len(second.dialogue) == 1
    assert first.placements == second.placements == before.shots[1].placements
    assert len({shot.id for shot in after.shots}) == len(after.shots)


@pytest.mark.parametrize("ask", ["zoom in on him", "avvicina la camera a Luca", "a close-up of Luca"])
def test_one_of_them_close(ask: str) -> None:
    before, after, _ = told(SQUARE, ask)
    changed = [(old, new) for old, new in zip(before.shots, after.shots, strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0][1].framing == "close"
    assert [p.character for p in changed[0][1].placements] == ["luca"]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [("as a gif", "GIF"), ("in 4k please", "1280"), ("fammelo in 4k", "1280"), ("export as mov", "MP4")],
)
def test_what_is_not_offered_is_said(ask: str, sentence: str) -> None:
    before, after, intent = told(BEACH, ask)
    assert after == before
    assert any(sentence in text for text in intent.assumptions)


@pytest.mark.parametrize("ask", ["make it funnier", "fallo più divertente"])
def test_another_tone_changes_the_music_and_makes_nothing_up(ask: str) -> None:
    before, after, _ = told(BEACH, ask)
    assert {shot.music for shot in after.shots} == {"playful"}
    assert lines(after) == lines(before)
    assert after.cast == before.cast


@pytest.mark.parametrize("ask", ["start over", "go back to the first version", "ricominciamo da capo"])
def test_back_to_the_beginning(ask: str) -> None:
    intent = told(BEACH, "make it night", ask)[2]
    assert [(edit.op, edit.to) for edit in intent.edits] == [("undo", 1)]


def test_several_steps_back() -> None:
    assert len(told(BEACH, "make it night", "longer", "undo the last two changes")[2].edits) == 2


@pytest.mark.parametrize(
    "ask", ["never mind", "lascia stare", "keep it as it is", "blorf the quux", "make it winterish"]
)
def test_nothing_is_changed(ask: str) -> None:
    before, after, intent = told(BEACH, ask)
    assert after == before
    assert not intent.edits


@pytest.mark.parametrize(
    ("less", "more"), [("a bit longer", "longer"), ("a little shorter", "shorter"), ("un po' più corto", "più corto")]
)
def test_a_bit_is_less(less: str, more: str) -> None:
    before, little, _ = told(BEACH, less)
    much = told(BEACH, more)[1]
    assert 0 < abs(little.duration_s - before.duration_s) < abs(much.duration_s - before.duration_s)


def test_of_two_places_the_one_that_is_to_come() -> None:
    assert {shot.location for shot in told(BEACH, "replace the beach with the forest")[1].shots} == {"forest"}
    assert {shot.location for shot in told(BEACH, "what if they were at the harbour?")[1].shots} == {"harbour"}


def test_lines_keep_their_form_when_speakers_change() -> None:
    after = told(BEACH, "swap their lines")[1]
    assert all(isinstance(line, Line) for shot in after.shots for line in shot.dialogue)


@pytest.mark.parametrize(
    ("ask", "new", "old"),
    [
        ("the same with Giulia instead of Luca", "giulia", "luca"),
        ("put Giulia in Luca's place", "giulia", "luca"),
        ("instead of Luca I want Giulia", "giulia", "luca"),
        ("Giulia al posto di Luca", "giulia", "luca"),
        ("al posto di Luca metti Giulia", "giulia", "luca"),
    ],
)
def test_one_in_another_ones_place(ask: str, new: str, old: str) -> None:
    before, after, _ = told(BEACH, ask)
    assert lines(after) == [(new if who == old else who, text) for who, text in lines(before)]
    assert [order(after, 0)] == [[new if who == old else who for who in order(before, 0)]]
    assert old not in [m.id for m in after.cast]
    assert not any("luca" in shot.action.lower() for shot in after.shots)


@pytest.mark.parametrize(
    "ask", ["get Alberto out of there", "take Alberto out", "nobody should talk", "cambia posto a Luca e Alberto"]
)
def test_what_sounds_like_something_else(ask: str) -> None:
    before, after, intent = told(BEACH, ask)
    ops = {edit.op for edit in intent.edits}
    assert ops == {"nobody": {"remove_line"}, "cambia": {"swap"}}.get(ask.split()[0], {"remove_character"})
    assert after != before


def test_a_named_ones_feeling_is_no_mood_of_the_music() -> None:
    before, after, _ = told(BEACH, "vorrei Luca più triste")
    assert faces(after, "luca") == {"sad"}
    assert [shot.music for shot in after.shots] == [shot.music for shot in before.shots]


def test_two_who_do_the_same() -> None:
    after = told(KITCHEN, "make Giulia and the cat dance")[1]
    assert poses(after, "giulia") == poses(after, "cat") == {"dance"}
    assert poses(after, "robot") == {"wave"}
