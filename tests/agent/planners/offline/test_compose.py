"""Briefs and what a storyboard artist would make of them."""

from __future__ import annotations

import itertools

import pytest

from agent.intent import Beat, Brief, Performance
from agent.planners.offline.direction import load_direction
from agent.planners.offline.happenings import happening
from tests.agent.planners.offline.briefs import ALBERTO, BOTH, FISHERMAN, GIULIA, LUCA, cast_of, composed, say
from tools.storyboard import CastMember, Storyboard


def framings(board: Storyboard) -> list[str]:
    return [shot.framing for shot in board.shots]


# -- silent scenes ----------------------------------------------------------------------------------------------------


def test_the_first_request_of_all() -> None:
    made = composed(Brief(cast=BOTH, beats=[Beat(location="beach")]), "make a beach scene with Luca and Alberto")
    board = made.storyboard
    assert board.title == "Luca and Alberto at the beach"
    assert framings(board) == ["wide", "medium", "close"]
    assert 8 <= board.duration_s <= 10
    assert board.shots[0].camera == "push"
    assert all(not shot.dialogue for shot in board.shots)
    assert all(shot.ambience == "beach" and shot.music == "cheerful" for shot in board.shots)
    left, right = board.shots[0].placements
    assert (left.character, left.facing, right.character, right.facing) == ("luca", "right", "alberto", "left")
    assert 0.3 < left.x < 0.4 < 0.6 < right.x < 0.7
    # Something happens, and it is told.
    assert all(shot.action for shot in board.shots)
    assert len({p.pose for shot in board.shots for p in shot.placements}) > 1
    assert len(made.assumptions) == 1
    assert made.problems == []


def test_in_italian_it_speaks_italian() -> None:
    made = composed(Brief(cast=BOTH, beats=[Beat(location="beach", time_of_day="night")]), language="it")
    assert made.storyboard.title == "Luca e Alberto in spiaggia di notte"
    assert "secondi" in made.assumptions[0]
    assert any(" e Alberto" in shot.action for shot in made.storyboard.shots)


@pytest.mark.parametrize(
    ("seconds", "shots"), [(2, 1), (3, 1), (5, 2), (8, 3), (10, 3), (15, 4), (30, 7), (60, 13), (240, 53), (900, 60)]
)
def test_a_length_that_is_given_is_kept_in_as_many_shots_as_it_takes(seconds: float, shots: int) -> None:
    board = composed(Brief(cast=BOTH, duration_s=seconds, beats=[Beat(location="forest")])).storyboard
    assert board.duration_s == seconds
    assert abs(len(board.shots) - shots) <= 1
    if seconds <= 240:
        assert max(shot.duration_s for shot in board.shots) <= 8


@pytest.mark.parametrize("seconds", [7.25, 8.33, 12.01, 0.5, 59.99])
def test_even_an_odd_length_is_kept_exactly(seconds: float) -> None:
    board = composed(Brief(cast=BOTH, duration_s=seconds, beats=[Beat()])).storyboard
    assert board.duration_s == seconds
    assert round(sum(shot.duration_s for shot in board.shots), 6) == seconds


def test_a_length_no_film_has_is_told() -> None:
    made = composed(Brief(cast=BOTH, duration_s=9000, beats=[Beat()]))
    assert made.storyboard.duration_s == 1800
    assert "1800" in made.problems[0]


def test_one_alone_is_in_the_middle() -> None:
    board = composed(Brief(cast=[LUCA], beats=[Beat(location="harbour")])).storyboard
    assert board.title == "Luca at the harbour"
    assert all(0.4 <= shot.placements[0].x <= 0.6 for shot in board.shots)
    assert board.shots[-1].framing == "close"


def test_who_runs_looks_where_they_go_and_has_room_there() -> None:
    acts = [Performance(character="luca", pose="run", expression="excited")]
    board = composed(Brief(cast=[LUCA], beats=[Beat(location="beach", performances=acts)])).storyboard
    for shot in board.shots:
        (luca,) = shot.placements
        assert (luca.pose, luca.expression, luca.facing) == ("run", "excited", "right")
        assert luca.x < 0.5
        assert "runs" in shot.action


def test_two_who_run_run_the_same_way() -> None:
    acts = [Performance(character="luca", pose="run"), Performance(character="alberto", pose="run")]
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach", performances=acts)])).storyboard
    assert {p.facing for shot in board.shots[:2] for p in shot.placements} == {"right"}
    assert board.shots[0].action == "Luca and Alberto run"


def test_nobody_gives_the_place_alone() -> None:
    board = composed(Brief(beats=[Beat(location="forest", weather="fog", time_of_day="dawn")])).storyboard
    assert board.title == "The forest at dawn"
    assert all(not shot.placements for shot in board.shots)
    assert len(board.shots) >= 2
    assert board.shots[0].music == "mysterious"


def test_under_water_people_swim() -> None:
    board = composed(Brief(cast=BOTH, beats=[Beat(location="underwater")])).storyboard
    land = {"stand", "walk", "run", "jump", "sit", "crouch", "hands_on_hips"}
    assert not land & {p.pose for shot in board.shots for p in shot.placements}
    assert any(p.pose == "swim" for p in board.shots[0].placements)


def test_what_was_asked_for_is_played_under_water_too() -> None:
    acts = [Performance(character="luca", pose="dance")]
    board = composed(Brief(cast=[LUCA], beats=[Beat(location="underwater", performances=acts)])).storyboard
    assert {p.pose for shot in board.shots for p in shot.placements} == {"dance"}


def test_three_are_all_seen_and_look_inwards() -> None:
    board = composed(Brief(cast=[LUCA, ALBERTO, GIULIA], beats=[Beat(location="town_square")])).storyboard
    row = board.shots[0].placements
    assert [p.character for p in row] == ["luca", "alberto", "giulia"]
    assert [p.facing for p in row] == ["right", "front", "left"]
    assert len(board.shots[1].placements) == 2


@pytest.mark.parametrize("count", [4, 5, 6, 7, 8])
def test_many_stand_in_rows(count: int) -> None:
    board = composed(Brief(cast=cast_of(count), beats=[Beat(location="beach")])).storyboard
    row = board.shots[0].placements
    assert len(row) == count
    xs = [p.x for p in row]
    assert xs == sorted(xs)
    assert xs[0] > 0.05
    assert xs[-1] < 0.95
    assert min(b - a for a, b in itertools.pairwise(xs)) > 0.1


def test_more_than_eight_is_told() -> None:
    made = composed(Brief(cast=cast_of(10), beats=[Beat(location="beach")]))
    assert len(made.storyboard.shots[0].placements) == 8
    assert "8 people" in made.problems[0]
    assert "Child 5 and Child 6" in made.problems[0]


def test_the_weather_keeps_people_from_building_sandcastles() -> None:
    for text in map(str, range(30)):
        brief = Brief(cast=BOTH, duration_s=40, beats=[Beat(location="beach", weather="rain")])
        board = composed(brief, text).storyboard
        assert not any("sandcastle" in shot.action for shot in board.shots)


def test_no_cheerful_business_for_sad_people() -> None:
    acts = [Performance(character="luca", expression="sad")]
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach", performances=acts)])).storyboard
    poses = {p.pose for shot in board.shots for p in shot.placements}
    assert not poses & {"dance", "cheer", "jump", "wave"}
    assert board.shots[0].music == "melancholy"


def test_the_camera_and_framing_that_were_asked_for() -> None:
    board = composed(Brief(cast=[LUCA], beats=[Beat(location="beach", framing="close", camera="pull")])).storyboard
    (shot,) = board.shots
    assert (shot.framing, shot.camera) == ("close", "pull")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("beach with Luca and Alberto", "nothing"),
        ("a scene at the harbour at night, Luca and Alberto, happy", "nothing"),
        ("una scena in spiaggia con Luca e Alberto al tramonto", "nothing"),
        ("Luca and Alberto play on the beach", "leisure"),
        ("Luca e Alberto giocano in spiaggia", "leisure"),
        ("Luca paints a fence", "something"),
        ("Alberto shows Luca how to whistle", "something"),
        ("", "nothing"),
    ],
)
def test_words_tell_an_action_or_they_do_not(words: str, told: str) -> None:
    assert happening(words, ["Luca Paguro", "Alberto Scorfano"], speaks=False) == told


def test_says_is_no_action_where_a_line_is_said() -> None:
    assert happening("Luca whispers in the forest", ["Luca"], speaks=True) == "nothing"
    assert happening("Luca whispers in the forest", ["Luca"], speaks=False) == "something"


def test_what_was_asked_for_is_not_drowned_in_business() -> None:
    board = composed(Brief(cast=[LUCA], beats=[Beat(location="beach", action="Luca paints a fence")])).storyboard
    assert {shot.action for shot in board.shots} == {"Luca paints a fence"}


def test_play_is_filled_with_something_to_do_and_its_words_stay() -> None:
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach", action="they play on the beach")])).storyboard
    assert board.shots[1].action.startswith("They play on the beach. Luca and Alberto ")


def test_who_builds_a_sandcastle_crouches() -> None:
    beat = Beat(location="beach", action="Luca builds a sandcastle while Alberto cheers",
                performances=[Performance(character="alberto", pose="cheer")])  # fmt: skip
    poses = {p.character: p.pose for p in composed(Brief(cast=BOTH, beats=[beat])).storyboard.shots[0].placements}
    assert poses == {"luca": "crouch", "alberto": "cheer"}


def test_who_argues_is_angry_and_the_music_hears_it() -> None:
    beat = Beat(location="kitchen", action="Luca and Alberto argue about pizza")
    board = composed(Brief(cast=BOTH, beats=[beat])).storyboard
    assert {p.expression for shot in board.shots for p in shot.placements} == {"angry"}
    assert board.shots[0].music == "tense"


def test_next_to_one_who_is_angry_nobody_beams() -> None:
    acts = [Performance(character="luca", expression="angry")]
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach", performances=acts)])).storyboard
    faces = {p.expression for shot in board.shots for p in shot.placements if p.character == "alberto"}
    assert not faces & {"happy", "excited"}


def test_a_long_film_does_not_repeat_its_business_needlessly() -> None:
    board = composed(Brief(cast=BOTH, duration_s=60, beats=[Beat(location="forest")])).storyboard
    told = [shot.action for shot in board.shots if len(shot.placements) == 2 and shot.action]
    assert len(set(told)) >= 5
    assert all(a != b for a, b in itertools.pairwise(told))


# -- formats ----------------------------------------------------------------------------------------------------------


def test_a_tall_frame_is_blocked_for_its_width() -> None:
    board = composed(Brief(cast=BOTH, aspect="9:16", beats=[Beat(location="beach")])).storyboard
    assert board.size == (720, 1280)
    assert board.shots[1].framing in ("full", "wide")  # A medium two-shot would cut them both.
    left, right = board.shots[0].placements
    assert right.depth > left.depth


def test_a_framing_that_cannot_hold_them_is_widened_and_told() -> None:
    made = composed(Brief(cast=cast_of(5), beats=[Beat(location="beach", framing="close")], explicit_shots=True))
    assert made.storyboard.shots[0].framing == "full"
    assert any("close-up" in told for told in made.assumptions)


# -- speech -----------------------------------------------------------------------------------------------------------

TWO_LINES = [
    say("luca", "We can do this!", "excited"),
    say("alberto", "Piacere, Girolamo Trombetta!", "happy", language="it"),
]


def test_dialogue_opens_wide_then_shows_who_speaks_and_who_hears_it() -> None:
    board = composed(
        Brief(cast=BOTH, beats=[Beat(location="beach", time_of_day="sunset", dialogue=TWO_LINES)])
    ).storyboard
    assert framings(board) == ["wide", "medium", "close", "close"]
    assert [[line.character for line in shot.dialogue] for shot in board.shots] == [[], ["luca"], ["alberto"], []]
    two_shot, single, reaction = board.shots[1:]
    assert {p.character for p in two_shot.placements} == {"luca", "alberto"}
    faces = {p.character: p.expression for p in two_shot.placements}
    assert faces["luca"] == "excited"
    assert faces["alberto"] in ("happy", "excited")
    assert [p.character for p in single.placements] == ["alberto"]
    assert single.placements[0].facing == "left"
    assert [p.character for p in reaction.placements] == ["luca"]
    assert board.title == "Luca and Alberto at the beach at sunset"


def test_nobody_speaks_who_was_not_given_a_line() -> None:
    for cast in (BOTH, [LUCA], cast_of(6)):
        board = composed(Brief(cast=cast, duration_s=60, beats=[Beat()])).storyboard
        assert not any(shot.dialogue for shot in board.shots)


def test_who_talks_is_still_while_another_one_speaks() -> None:
    acts = [Performance(character=who, pose="talk") for who in ("luca", "alberto")]
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach", performances=acts, dialogue=TWO_LINES)])).storyboard
    shot = next(shot for shot in board.shots if shot.dialogue)
    assert {p.character: p.pose for p in shot.placements} == {"luca": "talk", "alberto": "stand"}


def test_a_frightening_line_frightens_the_listener() -> None:
    lines = [say("luca", "There is something in the water!", "scared")]
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach", dialogue=lines)])).storyboard
    shot = next(shot for shot in board.shots if shot.dialogue)
    faces = {p.character: p.expression for p in shot.placements}
    assert faces["luca"] == "scared"
    assert faces["alberto"] in ("surprised", "scared")
    assert board.shots[0].music == "tense"


def test_lines_that_fit_are_fitted_into_the_length() -> None:
    made = composed(Brief(cast=BOTH, duration_s=8, beats=[Beat(location="beach", dialogue=TWO_LINES)]))
    assert made.problems == []
    assert made.storyboard.duration_s == 8


def test_lines_that_cannot_fit_are_told_with_the_seconds_they_need() -> None:
    made = composed(Brief(cast=BOTH, duration_s=3, beats=[Beat(location="beach", dialogue=TWO_LINES)]))
    board = made.storyboard
    assert board.duration_s > 3
    assert [line.text for shot in board.shots for line in shot.dialogue] == [line.text for line in TWO_LINES]
    assert f"{board.duration_s:g} seconds" in made.problems[0]


def test_a_long_talk_stays_in_order_and_changes_its_shots() -> None:
    lines = [say(("luca", "alberto")[i % 2], f"This is line number {i}, my friend, listen to it.") for i in range(20)]
    board = composed(Brief(cast=BOTH, beats=[Beat(location="kitchen", dialogue=lines)])).storyboard
    assert [line for shot in board.shots for line in shot.dialogue] == lines
    assert {"medium", "close"} <= set(framings(board))
    assert max(len(shot.dialogue) for shot in board.shots) <= 2


def test_a_film_of_many_lines_holds_them_all() -> None:
    lines = [say(("luca", "alberto")[i % 2], f"Line {i}.") for i in range(200)]
    board = composed(Brief(cast=BOTH, beats=[Beat(dialogue=lines)])).storyboard
    assert [line for shot in board.shots for line in shot.dialogue] == lines
    assert len(board.shots) <= 60


def test_silent_shots_fill_a_long_film_with_few_words() -> None:
    board = composed(Brief(cast=BOTH, duration_s=40, beats=[Beat(location="beach", dialogue=TWO_LINES)])).storyboard
    assert board.duration_s == 40
    assert max(shot.duration_s for shot in board.shots) <= 8
    assert len(board.shots) >= 7


def test_whispers_and_tired_words_get_more_time() -> None:
    text = "I think we should go home now, it is late."
    quick = composed(Brief(cast=[LUCA], beats=[Beat(dialogue=[say("luca", text)])], explicit_shots=True)).storyboard
    slow = composed(
        Brief(
            cast=[LUCA], beats=[Beat(dialogue=[say("luca", text, "sleepy", delivery="whisper")])], explicit_shots=True
        )
    ).storyboard
    assert slow.duration_s > quick.duration_s


# -- lists of shots ---------------------------------------------------------------------------------------------------


def test_a_list_of_shots_is_made_as_it_stands() -> None:
    beats = [
        Beat(text="wide shot of the harbour at dawn", location="harbour", time_of_day="dawn", framing="wide"),
        Beat(text="close-up of Luca", framing="close", performances=[Performance(character="luca", expression="sad")]),
        Beat(text="Alberto arrives", performances=[Performance(character="alberto", pose="walk")], duration_s=3),
        Beat(text="they laugh together"),
    ]
    board = composed(Brief(cast=BOTH, beats=beats, explicit_shots=True)).storyboard
    assert len(board.shots) == 4
    assert {(shot.location, shot.time_of_day) for shot in board.shots} == {("harbour", "dawn")}
    people = [[p.character for p in shot.placements] for shot in board.shots]
    assert people == [[], ["luca"], ["alberto"], ["luca", "alberto"]]
    assert board.shots[2].duration_s == 3


def test_a_new_place_stays_until_the_next() -> None:
    beats = [Beat(location="beach"), Beat(text="b"), Beat(location="kitchen", time_of_day="night"), Beat(text="d")]
    board = composed(Brief(cast=BOTH, beats=beats, explicit_shots=True)).storyboard
    assert [shot.location for shot in board.shots] == ["beach", "beach", "kitchen", "kitchen"]
    assert [shot.time_of_day for shot in board.shots] == ["day", "day", "night", "night"]
    assert [shot.ambience for shot in board.shots] == ["beach", "beach", "kitchen", "kitchen"]


def test_a_close_up_of_one_who_sits_shows_one_who_sits() -> None:
    acts = [Performance(character="luca", pose="sit", expression="thoughtful")]
    beats = [Beat(location="beach", performances=acts), Beat(text="close-up of Luca", framing="close")]
    board = composed(Brief(cast=[LUCA], beats=beats, explicit_shots=True)).storyboard
    assert board.shots[1].placements[0].pose == "sit"
    assert board.shots[1].placements[0].expression == "thoughtful"


def test_lengths_that_do_not_add_up_are_scaled_and_told() -> None:
    beats = [Beat(text="a", duration_s=4), Beat(text="b", duration_s=8)]
    made = composed(Brief(cast=[LUCA], beats=beats, explicit_shots=True, duration_s=6))
    assert [shot.duration_s for shot in made.storyboard.shots] == [2, 4]
    assert any("add up" in told for told in made.assumptions)


def test_a_shot_too_short_for_its_line_is_told() -> None:
    beats = [Beat(text="a", duration_s=1, dialogue=[say("luca", "This takes much longer than a second to say.")])]
    made = composed(Brief(cast=[LUCA], beats=beats, explicit_shots=True))
    assert made.storyboard.shots[0].duration_s > 3
    assert "shot 1" in made.problems[0]


def test_scenes_one_after_another_share_the_time() -> None:
    beats = [
        Beat(location="beach", text="one"),
        Beat(location="forest", text="two"),
        Beat(location="kitchen", text="3"),
    ]
    board = composed(Brief(cast=BOTH, beats=beats, duration_s=18)).storyboard
    assert [shot.location for shot in board.shots] == ["beach", "forest", "kitchen"]
    assert board.duration_s == 18


# -- stills, cards, sound ---------------------------------------------------------------------------------------------


def test_a_picture_is_one_shot() -> None:
    board = composed(Brief(cast=BOTH, beats=[Beat(location="beach")]), outputs=["image"]).storyboard
    assert len(board.shots) == 1
    assert len(board.shots[0].placements) == 2


def test_a_picture_says_nothing_about_its_length() -> None:
    made = composed(Brief(cast=BOTH, beats=[Beat(location="beach")]), outputs=["image"])
    assert made.assumptions == []


def test_a_title_card_is_its_text() -> None:
    beat = Beat(text_overlay="CHIMP BANANA TRAIN", framing="detail", action="embossed gold on dark wood")
    made = composed(Brief(beats=[beat]), outputs=["image"])
    (shot,) = made.storyboard.shots
    assert made.storyboard.title == "CHIMP BANANA TRAIN"
    assert (shot.text_overlay, shot.framing, shot.placements) == ("CHIMP BANANA TRAIN", "detail", [])
    assert shot.action == "Embossed gold on dark wood"
    assert made.assumptions == []


def test_no_music_when_it_was_refused() -> None:
    made = composed(Brief(cast=BOTH, beats=[Beat(location="beach")]), outputs=["image", "video"])
    assert {shot.music for shot in made.storyboard.shots} == {None}


def test_a_mood_that_was_asked_for() -> None:
    made = composed(Brief(cast=BOTH, beats=[Beat(location="beach", mood="tense")]))
    assert {shot.music for shot in made.storyboard.shots} == {"tense"}


def test_music_alone_is_as_long_as_asked() -> None:
    made = composed(Brief(duration_s=150, beats=[Beat(mood="calm")]), outputs=["music"])
    assert made.storyboard.duration_s == 150
    assert {shot.music for shot in made.storyboard.shots} == {"calm"}


# -- cast, place, title -----------------------------------------------------------------------------------------------


def test_one_without_a_sheet_keeps_the_look_that_was_described() -> None:
    board = composed(Brief(cast=[FISHERMAN], beats=[Beat(location="harbour")])).storyboard
    assert board.cast == [FISHERMAN]
    assert board.title == "Old fisherman at the harbour"


def test_who_speaks_is_in_the_cast_even_if_forgotten() -> None:
    board = composed(Brief(beats=[Beat(dialogue=[say("bruno", "Hello there.")])])).storyboard
    assert board.cast == [CastMember(id="bruno", name="Bruno", known=False)]


def test_a_place_nobody_draws_keeps_its_name() -> None:
    board = composed(Brief(cast=[LUCA], beats=[Beat(location_words="a volcano")])).storyboard
    assert {shot.location for shot in board.shots} == {"a_volcano"}
    assert {shot.ambience for shot in board.shots} == {None}


def test_a_place_that_was_not_named_is_told() -> None:
    made = composed(Brief(cast=[LUCA], beats=[Beat()]))
    assert {shot.location for shot in made.storyboard.shots} == {"beach"}
    assert any("beach" in told for told in made.assumptions)


@pytest.mark.parametrize(
    ("brief", "language", "title"),
    [
        (Brief(cast=[LUCA], beats=[Beat(location="kitchen")]), "en", "Luca in the kitchen"),
        (Brief(cast=[LUCA], beats=[Beat(location="kitchen")]), "it", "Luca in cucina"),
        (Brief(cast=[GIULIA], beats=[Beat(location="harbour", time_of_day="dawn")]), "it", "Giulia al porto all'alba"),
        (Brief(beats=[Beat(location="underwater")]), "it", "Il fondo del mare"),
        (Brief(cast=cast_of(5), beats=[Beat(location="forest")]), "en", "Luca, Alberto and friends in the forest"),
        (Brief(title="Summer", cast=[LUCA], beats=[Beat()]), "en", "Summer"),
        (Brief(cast=BOTH, beats=[Beat(location="town_square", time_of_day="sunset")]), "fr",
         "Luca and Alberto in the town square at sunset"),
    ],
)  # fmt: skip
def test_titles(brief: Brief, language: str, title: str) -> None:
    assert composed(brief, language=language).storyboard.title == title


def test_style_and_rate_are_carried() -> None:
    made = composed(Brief(cast=[LUCA], style="watercolour", fps=30, beats=[Beat()]))
    assert (made.storyboard.style, made.storyboard.fps) == ("watercolour", 30)
    made = composed(Brief(cast=[LUCA], fps=500, beats=[Beat()]))
    assert made.storyboard.fps == 60
    assert made.problems


def test_the_data_are_complete() -> None:
    direction = load_direction()
    assert {"beach", "harbour", "town_square", "kitchen", "forest", "underwater"} <= set(direction.places)
    poses = set(direction.acting.poses)
    for place in direction.places.values():
        for business in place.business:
            assert set(business.poses) <= poses
    for play in direction.acting.emotions.values():
        assert {*play.speaking, *play.silent} <= poses
    for place_id in direction.places:
        assert place_id in direction.mood.places


def test_pictures_in_so_many_shots_are_so_many() -> None:
    brief = Brief(cast=[LUCA], beats=[Beat(location="beach")], shot_count=3)
    assert len(composed(brief, outputs=["image"]).storyboard.shots) == 3
    alone = brief.model_copy(update={"shot_count": None})
    assert len(composed(alone, outputs=["image"]).storyboard.shots) == 1
