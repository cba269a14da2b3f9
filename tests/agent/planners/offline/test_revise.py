"""Edits and what they change, and leave alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from agent.intent import Beat, Brief, Edit, Intent, Performance
from agent.planners.base import Composition, PlanRequest
from agent.planners.offline.revise import revise
from tests.agent.planners.offline.briefs import ALBERTO, BOTH, FISHERMAN, GIULIA, LUCA, cast_of, composed, say
from tools.storyboard import CastMember, Shot, Storyboard

LINES = [say("luca", "We can do this!", "excited"), say("alberto", "Silenzio, Bruno!", "happy", language="it")]


@pytest.fixture
def board() -> Storyboard:
    """wide; medium two-shot, Luca speaks; close on Alberto, who answers; close on Luca, who hears it."""
    return composed(Brief(cast=BOTH, beats=[Beat(location="beach", time_of_day="sunset", dialogue=LINES)])).storyboard


@pytest.fixture
def silent() -> Storyboard:
    """wide, medium two-shot, close on Alberto."""
    return composed(Brief(cast=BOTH, beats=[Beat(location="beach")])).storyboard


def revised(board: Storyboard, *edits: Edit, language: Any = "en", brief: Brief | None = None) -> Composition:
    intent = Intent(kind="edit", edits=list(edits), language=language, brief=brief)
    return revise(board, intent, PlanRequest(text="", storyboard=board))


def edited(board: Storyboard, op: Any, **fields: Any) -> Storyboard:
    made = revised(board, Edit(op=op, **fields))
    assert made.problems == []
    return made.storyboard


def refused(board: Storyboard, op: Any, **fields: Any) -> str:
    made = revised(board, Edit(op=op, **fields))
    assert made.storyboard == board
    assert len(made.problems) == 1
    return made.problems[0]


def changed(before: Storyboard, after: Storyboard) -> set[str]:
    """Fields of shots that differ."""
    assert [s.id for s in before.shots] == [s.id for s in after.shots]
    return {
        name
        for old, new in zip(before.shots, after.shots, strict=True)
        for name in Shot.model_fields
        if getattr(old, name) != getattr(new, name)
    }


# -- look and sound ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "fields", "name"),
    [
        ("set_time", {"time_of_day": "night"}, "time_of_day"),
        ("set_weather", {"weather": "rain"}, "weather"),
        ("set_camera", {"camera": "pan"}, "camera"),
        ("set_mood", {"mood": "tense"}, "music"),
        ("mute_music", {}, "music"),
    ],
)
@pytest.mark.parametrize("shot", [None, 2, -1])
def test_one_field_changes_and_no_other(board: Storyboard, op: Any, fields: Any, name: str, shot: int | None) -> None:
    after = edited(board, op, shot=shot, **fields)
    assert changed(board, after) == {name}
    wanted = next(iter(fields.values()), None)
    targets = after.shots if shot is None else [after.shots[shot - 1 if shot > 0 else shot]]
    assert {getattr(shot, name) for shot in targets} == {wanted}
    assert after.duration_s == board.duration_s


def test_a_title_that_told_the_hour_tells_the_new_one(board: Storyboard) -> None:
    after = edited(board, "set_time", time_of_day="night")
    assert (board.title, after.title) == (
        "Luca and Alberto at the beach at sunset",
        "Luca and Alberto at the beach at night",
    )


def test_a_title_that_somebody_wrote_stays(board: Storyboard) -> None:
    named = edited(board, "set_title", text="Summer")
    assert edited(named, "set_time", time_of_day="night").title == "Summer"


def test_another_place_brings_its_sound_and_its_business(silent: Storyboard) -> None:
    after = edited(silent, "set_place", location="kitchen")
    assert {shot.location for shot in after.shots} == {shot.ambience for shot in after.shots} == {"kitchen"}
    assert not any("water" in shot.action or "sea" in shot.action for shot in after.shots)
    assert after.title == "Luca and Alberto in the kitchen"


def test_under_water_they_swim_and_on_land_they_stand_again(board: Storyboard) -> None:
    under = edited(board, "set_place", location="underwater")
    assert not {"stand", "walk"} & {p.pose for shot in under.shots for p in shot.placements}
    back = edited(under, "set_place", location="beach")
    assert "swim" not in {p.pose for shot in back.shots for p in shot.placements}


def test_a_sound_that_somebody_chose_stays(board: Storyboard) -> None:
    quiet = board.model_copy(update={"shots": [shot.model_copy(update={"ambience": None}) for shot in board.shots]})
    assert {shot.ambience for shot in edited(quiet, "set_place", location="forest").shots} == {None}


def test_overlay_goes_on_the_first_shot_and_off_everywhere(board: Storyboard) -> None:
    titled = edited(board, "set_overlay", text="Summer")
    assert [shot.text_overlay for shot in titled.shots] == ["Summer", "", "", ""]
    assert edited(titled, "set_overlay", text="") == board


# -- frame ------------------------------------------------------------------------------------------------------------


def test_the_second_shot_as_a_close_up(board: Storyboard) -> None:
    after = edited(board, "set_framing", shot=2, framing="close")
    assert after.shots[1].framing == "close"
    assert {p.character for p in after.shots[1].placements} == {"luca", "alberto"}
    assert after.shots[0] == board.shots[0]


def test_a_close_up_of_somebody_shows_only_them(board: Storyboard) -> None:
    made = revised(board, Edit(op="set_framing", shot=2, framing="close", character="luca"))
    assert [p.character for p in made.storyboard.shots[1].placements] == ["luca"]
    assert made.storyboard.shots[1].dialogue == board.shots[1].dialogue
    assert "Alberto" in made.assumptions[0]


def test_too_many_for_a_close_up_keeps_who_speaks() -> None:
    lines = [say("child_1", "Look over there, it is enormous!")]
    crowd = composed(Brief(cast=cast_of(5), beats=[Beat(location="beach", dialogue=lines)], explicit_shots=True))
    made = revised(crowd.storyboard, Edit(op="set_framing", shot=1, framing="close"))
    placed = [p.character for p in made.storyboard.shots[0].placements]
    assert "child_1" in placed
    assert len(placed) == 2


def test_vertical_places_everybody_anew(board: Storyboard) -> None:
    after = edited(board, "set_aspect", aspect="9:16")
    assert after.size == (720, 1280)
    assert [[p.character for p in s.placements] for s in after.shots] == [
        [p.character for p in s.placements] for s in board.shots
    ]
    assert after.shots[0].placements != board.shots[0].placements
    assert changed(board, after) <= {"placements", "framing"}


def test_the_same_aspect_changes_nothing(board: Storyboard) -> None:
    assert revised(board, Edit(op="set_aspect", aspect="16:9")).storyboard == board


# -- cast -------------------------------------------------------------------------------------------------------------


def test_giulia_joins_waving(board: Storyboard) -> None:
    wave = Performance(character="giulia", pose="wave")
    made = revised(board, Edit(op="add_character", character="giulia", member=GIULIA, performance=wave))
    after = made.storyboard
    assert [member.id for member in after.cast] == ["luca", "alberto", "giulia"]
    joined = [shot.id for shot in after.shots if any(p.character == "giulia" for p in shot.placements)]
    assert joined == ["s1", "s2"]
    assert all(p.pose == "wave" for shot in after.shots for p in shot.placements if p.character == "giulia")
    assert after.shots[2:] == board.shots[2:]
    assert any("close-up" in told for told in made.assumptions)
    assert after.title == "Luca, Alberto and Giulia at the beach at sunset"


def test_one_who_joins_finds_a_free_place(silent: Storyboard) -> None:
    after = edited(silent, "add_character", shot=1, member=GIULIA)
    before = {p.character: p for p in silent.shots[0].placements}
    for placement in after.shots[0].placements:
        if placement.character in before:
            assert placement == before[placement.character]
    xs = sorted(p.x for p in after.shots[0].placements)
    assert min(b - a for a, b in itertools.pairwise(xs)) > 0.14


def test_a_known_one_needs_no_introduction(silent: Storyboard) -> None:
    after = edited(silent, "add_character", character="giulia")
    assert after.cast[-1] == GIULIA


def test_a_stranger_keeps_the_look_and_is_announced(silent: Storyboard) -> None:
    made = revised(silent, Edit(op="add_character", member=FISHERMAN))
    assert made.storyboard.cast[-1] == FISHERMAN
    assert any("no character sheet" in told for told in made.assumptions)


def test_a_ninth_finds_no_room() -> None:
    crowd = composed(Brief(cast=cast_of(8), beats=[Beat(location="beach", framing="wide")])).storyboard
    ninth = CastMember(id="ninth", name="Ninth", known=False)
    told = refused(crowd, "add_character", member=ninth)
    assert "Ninth" in told


def test_who_is_there_cannot_join_again(silent: Storyboard) -> None:
    assert "already" in refused(silent, "add_character", character="luca", shot=1)


def test_removing_alberto_takes_his_lines_and_his_close_up(board: Storyboard) -> None:
    made = revised(board, Edit(op="remove_character", character="alberto"))
    after = made.storyboard
    assert [shot.id for shot in after.shots] == ["s1", "s2", "s4"]
    assert [member.id for member in after.cast] == ["luca"]
    assert all(line.character == "luca" for shot in after.shots for line in shot.dialogue)
    assert after.shots[0].placements == [p for p in board.shots[0].placements if p.character == "luca"]
    assert after.duration_s < board.duration_s
    assert any("lines" in told for told in made.assumptions)
    assert not any("Alberto" in shot.action for shot in after.shots)


def test_removing_the_last_one_leaves_the_place(silent: Storyboard) -> None:
    made = revised(
        silent, Edit(op="remove_character", character="alberto"), Edit(op="remove_character", character="luca")
    )
    assert made.storyboard.cast == []
    assert made.storyboard.shots
    assert not any(shot.placements for shot in made.storyboard.shots)
    assert any("Nobody is left" in told for told in made.assumptions)


def test_removing_from_one_shot_keeps_the_shot(board: Storyboard) -> None:
    after = edited(board, "remove_character", character="alberto", shot=3)
    assert [shot.id for shot in after.shots] == ["s1", "s2", "s3", "s4"]
    assert after.shots[2].placements == []
    assert after.cast == board.cast


@pytest.mark.parametrize("turned", [False, True])
def test_one_who_replaces_another_takes_over_place_and_lines(board: Storyboard, turned: bool) -> None:
    edits = [Edit(op="add_character", member=GIULIA), Edit(op="remove_character", character="luca")]
    intent = Intent(kind="edit", edits=edits[::-1] if turned else edits)
    after = revise(board, intent, PlanRequest(text="replace Luca with Giulia", storyboard=board)).storyboard
    assert [member.id for member in after.cast] == ["giulia", "alberto"]
    assert [shot.id for shot in after.shots] == [shot.id for shot in board.shots]
    for old, new in zip(board.shots, after.shots, strict=True):
        assert [p.x for p in new.placements] == [p.x for p in old.placements]
        assert [line.text for line in new.dialogue] == [line.text for line in old.dialogue]
        assert "luca" not in [p.character for p in new.placements] + [line.character for line in new.dialogue]
    assert after.title == "Giulia and Alberto at the beach at sunset"


def test_bruno_cannot_be_removed(board: Storyboard) -> None:
    assert refused(board, "remove_character", character="bruno") == (
        "Bruno is not in the scene, so I changed nothing for that."
    )


def test_they_change_places(silent: Storyboard) -> None:
    after = edited(silent, "swap")
    old = {p.character: p for p in silent.shots[0].placements}
    new = {p.character: p for p in after.shots[0].placements}
    assert (new["luca"].x, new["luca"].facing) == (old["alberto"].x, old["alberto"].facing)
    assert (new["alberto"].x, new["alberto"].facing) == (old["luca"].x, old["luca"].facing)
    assert new["luca"].pose == old["luca"].pose
    assert edited(after, "swap") == silent


def test_two_of_three_change_places() -> None:
    three = composed(Brief(cast=[LUCA, ALBERTO, GIULIA], beats=[Beat(location="beach")])).storyboard
    pair = Performance(character="giulia")
    after = edited(three, "swap", character="luca", performance=pair)
    assert [p.x for p in after.shots[0].placements] == [p.x for p in three.shots[0].placements][::-1]


def test_one_alone_cannot_change_places() -> None:
    alone = composed(Brief(cast=[LUCA], beats=[Beat(location="beach")])).storyboard
    assert "two characters" in refused(alone, "swap")


def test_a_pose_and_a_face_change_where_they_are_seen(silent: Storyboard) -> None:
    act = Performance(character="alberto", pose="dance", expression="surprised")
    after = edited(silent, "set_performance", performance=act)
    mine = [p for shot in after.shots for p in shot.placements if p.character == "alberto"]
    assert {(p.pose, p.expression) for p in mine} == {("dance", "surprised")}
    others = [p for shot in after.shots for p in shot.placements if p.character == "luca"]
    assert others == [p for shot in silent.shots for p in shot.placements if p.character == "luca"]


def test_a_sad_luca_says_his_line_sadly(board: Storyboard) -> None:
    act = Performance(character="luca", expression="sad")
    after = edited(board, "set_performance", performance=act)
    assert after.shots[1].dialogue[0].emotion == "sad"
    assert after.shots[2].dialogue == board.shots[2].dialogue


def test_everyone_waves(silent: Storyboard) -> None:
    after = edited(silent, "set_performance", performance=Performance(character="all", pose="wave"))
    assert {p.pose for shot in after.shots for p in shot.placements} == {"wave"}


def test_nobody_acts_who_is_not_there(silent: Storyboard) -> None:
    act = Performance(character="giulia", pose="wave")
    assert "Giulia is not in the scene" in refused(silent, "set_performance", performance=act)
    act = Performance(character="luca", pose="wave")
    assert "not in shot 3" in refused(silent, "set_performance", performance=act, shot=3)


# -- lines ------------------------------------------------------------------------------------------------------------


def test_a_line_is_added_after_the_others(board: Storyboard) -> None:
    after = edited(board, "add_line", line=say("alberto", "Andiamo al mare, dai, che aspettiamo ancora?"))
    texts = [line.text for shot in after.shots for line in shot.dialogue]
    assert texts == [LINES[0].text, LINES[1].text, "Andiamo al mare, dai, che aspettiamo ancora?"]
    assert after.shots[2].duration_s > board.shots[2].duration_s
    assert after.shots[:2] == board.shots[:2]
    assert after.duration_s > board.duration_s


def test_a_line_is_added_where_it_was_asked_for(silent: Storyboard) -> None:
    after = edited(silent, "add_line", shot=1, line=say("luca", "Ciao!", "happy"))
    assert [line.text for line in after.shots[0].dialogue] == ["Ciao!"]


def test_one_who_is_not_seen_comes_in_to_speak(silent: Storyboard) -> None:
    made = revised(silent, Edit(op="add_line", shot=1, line=say("giulia", "Wait for me!")))
    assert any(p.character == "giulia" for p in made.storyboard.shots[0].placements)
    assert made.storyboard.cast[-1].id == "giulia"
    assert any("Giulia" in told for told in made.assumptions)


@pytest.mark.parametrize("quoted", ["We can do this!", "we can do this", "we cn do thsi", "can do this"])
def test_a_quoted_line_is_found_in_spite_of_slips(board: Storyboard, quoted: str) -> None:
    after = edited(board, "set_line", old_text=quoted, line=say("luca", "We cannot do this."))
    assert after.shots[1].dialogue[0].text == "We cannot do this."
    assert after.shots[1].dialogue[0].emotion == "excited"
    assert after.shots[2:] == board.shots[2:]


def test_the_only_line_of_somebody_needs_no_quotation(board: Storyboard) -> None:
    after = edited(board, "set_line", character="alberto", line=say("alberto", "Zitto, Bruno!", language="it"))
    assert after.shots[2].dialogue[0].text == "Zitto, Bruno!"
    assert after.shots[2].duration_s == board.shots[2].duration_s


def test_a_longer_line_stretches_its_shot_alone(board: Storyboard) -> None:
    text = "We can do this, and when we have done it we shall go and have the largest ice cream in the whole town!"
    made = revised(board, Edit(op="set_line", old_text="We can do this!", line=say("luca", text)))
    assert made.storyboard.shots[1].duration_s > board.shots[1].duration_s
    assert [s.duration_s for s in made.storyboard.shots][2:] == [s.duration_s for s in board.shots][2:]
    assert "Shot 2" in made.assumptions[0]


def test_words_that_nobody_said_are_not_found(board: Storyboard) -> None:
    told = refused(board, "set_line", old_text="the cat sat on the mat", line=say("luca", "Hm."))
    assert "the cat sat on the mat" in told


def test_a_line_is_removed(board: Storyboard) -> None:
    after = edited(board, "remove_line", old_text="silenzio bruno")
    assert [line.text for shot in after.shots for line in shot.dialogue] == [LINES[0].text]
    assert changed(board, after) == {"dialogue"}


def test_all_lines_of_somebody_are_removed(board: Storyboard) -> None:
    after = edited(board, "remove_line", character="luca")
    assert [line.character for shot in after.shots for line in shot.dialogue] == ["alberto"]


def test_there_is_no_line_to_remove(silent: Storyboard) -> None:
    assert "Nobody says anything" in refused(silent, "remove_line", character="luca")


# -- length and shots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "wanted"), [({"factor": 0.7}, 6.3), ({"duration_s": 20}, 20), ({"factor": 2}, 18)])
def test_another_length(silent: Storyboard, fields: Any, wanted: float) -> None:
    after = edited(silent, "set_duration", **fields)
    assert after.duration_s == wanted
    assert changed(silent, after) == {"duration_s"}


def test_it_gets_no_shorter_than_its_lines(board: Storyboard) -> None:
    made = revised(board, Edit(op="set_duration", duration_s=2))
    assert 2 < made.storyboard.duration_s < board.duration_s
    assert [s.dialogue for s in made.storyboard.shots] == [s.dialogue for s in board.shots]
    assert "cannot be shorter" in made.problems[0]


def test_one_shot_is_made_longer(silent: Storyboard) -> None:
    after = edited(silent, "set_duration", shot=2, duration_s=6)
    assert after.shots[1].duration_s == 6
    assert after.duration_s == silent.duration_s + 3


def test_shot_nine_of_three(silent: Storyboard) -> None:
    assert refused(silent, "remove_shot", shot=9) == "There is no shot 9: the storyboard has 3."
    assert "9" in refused(silent, "set_time", shot=9, time_of_day="night")
    assert "9" in refused(silent, "add_line", shot=9, line=say("luca", "Ciao!"))


def test_a_shot_is_removed(silent: Storyboard) -> None:
    after = edited(silent, "remove_shot", shot=2)
    assert after.shots == [silent.shots[0], silent.shots[2]]
    assert after.duration_s == 6


def test_the_only_shot_stays() -> None:
    one = composed(Brief(cast=[LUCA], beats=[Beat(location="beach", framing="wide")])).storyboard
    assert "only shot" in refused(one, "remove_shot", shot=1)


def test_shots_change_their_order(silent: Storyboard) -> None:
    after = edited(silent, "reorder_shot", shot=3, to=1)
    assert [shot.id for shot in after.shots] == ["s3", "s1", "s2"]
    assert after.duration_s == silent.duration_s


def test_a_shot_is_added_that_goes_on_from_the_last(board: Storyboard) -> None:
    beat = Beat(text="a wide shot of both running", framing="wide", performances=[
        Performance(character="luca", pose="run"), Performance(character="alberto", pose="run")])  # fmt: skip
    after = edited(board, "add_shot", beat=beat)
    new = after.shots[-1]
    assert after.shots[:-1] == board.shots
    assert (new.id, new.location, new.time_of_day, new.music) == ("s5", "beach", "sunset", board.shots[-1].music)
    assert {p.pose for p in new.placements} == {"run"}


def test_a_shot_is_added_in_the_middle_under_a_new_id(silent: Storyboard) -> None:
    after = edited(silent, "add_shot", shot=1, beat=Beat(text="detail", framing="detail"))
    assert [shot.id for shot in after.shots] == ["s1", "s4", "s2", "s3"]
    assert after.shots[1].placements == []


def test_an_id_is_not_given_twice(silent: Storyboard) -> None:
    made = revised(silent, Edit(op="remove_shot", shot=3), Edit(op="add_shot", beat=Beat(text="x")))
    assert [shot.id for shot in made.storyboard.shots] == ["s1", "s2", "s4"]


def test_title_style_rate(silent: Storyboard) -> None:
    after = edited(silent, "set_title", text="  The   Beach ")
    after = edited(after, "set_style", text="watercolour")
    after = edited(after, "set_fps", fps=12)
    assert (after.title, after.style, after.fps) == ("The Beach", "watercolour", 12)
    assert after.shots == silent.shots
    assert "8 and 60" in refused(silent, "set_fps", fps=200)


@pytest.mark.parametrize(
    "op",
    [
        "set_time",
        "set_place",
        "set_framing",
        "set_aspect",
        "set_line",
        "set_duration",
        "set_title",
        "add_line",
        "reorder_shot",
        "set_performance",
        "add_character",
    ],
)
def test_an_edit_without_its_fields_is_not_understood(silent: Storyboard, op: Any) -> None:
    assert refused(silent, op)


def test_what_cannot_be_done_does_not_stop_the_rest(silent: Storyboard) -> None:
    made = revised(silent, Edit(op="remove_character", character="bruno"), Edit(op="set_weather", weather="snow"))
    assert {shot.weather for shot in made.storyboard.shots} == {"snow"}
    assert len(made.problems) == 1


def test_problems_are_told_in_italian(silent: Storyboard) -> None:
    made = revised(silent, Edit(op="remove_shot", shot=9), language="it")
    assert made.problems == ["L'inquadratura 9 non c'è: lo storyboard ne ha 3."]


def test_what_is_so_already_is_told(silent: Storyboard) -> None:
    made = revised(silent, Edit(op="set_time", time_of_day="day"))
    assert made.storyboard == silent
    assert made.remarks == ["That is how it was already."]
