"""What a request tells becomes clean sentences; lists, headings and limits are read as they are meant."""

from __future__ import annotations

from functools import cache

import pytest

from agent.intent import Intent
from agent.planners.base import Composition, PlanRequest
from agent.planners.offline.planner import OfflinePlanner
from agent.planners.offline.verbs import present, verb_forms


@cache
def planner() -> OfflinePlanner:
    return OfflinePlanner()


def made(text: str) -> tuple[Intent, Composition]:
    request = PlanRequest(text)
    intent = planner().understand(request)
    return intent, planner().compose(intent, request)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("make me a film of Giulia cycling through the town", "Giulia cycles through the town"),
        ("Luca running in the forest, 60 fps, 8k", "Luca runs in the forest"),
        ("can u do a vid of luca n alberto eating pasta as a gif", "Luca and Alberto eat pasta"),
        ("Luca and Alberto on a Vespa, funny music", "Luca and Alberto are on a Vespa"),
        ("my dog Biscuit chasing a red ball in the park", "My dog Biscuit chases a red ball in the park"),
        ("a dance battle between Alberto and a robot", "Alberto and a robot have a dance battle"),
        ("Alberto standing on a cliff at sunset, camera pulls back slowly", "Alberto stands on a cliff at sunset"),
        ("the three friends build a sandcastle, golden light, medium shot", "The three friends build a sandcastle"),
        ("a snowman melting in the town square, sad piano music, 10s", "A snowman melts in the town square"),
        ("Giulia painting on the balcony", "Giulia paints on the balcony"),
        ("a scene in the piazza at noon with Luca and Giulia eating gelato", "Luca and Giulia eat gelato"),
        ("Fammi un video di 20 secondi con Luca che corre nel bosco, musica misteriosa", "Luca corre nel bosco"),
        ("Giulia corriendo por el bosque, primer plano", "Giulia está corriendo por el bosque"),
        ("Luca eats pasta, handheld look, warm colours, for my channel", "Luca eats pasta"),
    ],
)  # fmt: skip
def test_the_action_is_a_clean_sentence(asked: str, told: str) -> None:
    assert made(asked)[1].storyboard.shots[0].action == told


def test_each_shot_names_who_does_it() -> None:
    board = made("Scene 1: Luca wakes up in his bedroom. Scene 2: He runs through the street.")[1].storyboard
    assert [shot.action for shot in board.shots] == ["Luca wakes up in his bedroom", "Luca runs through the street"]
    italian = made("Luca corre sulla spiaggia, poi si tuffa")[1].storyboard
    assert [shot.action for shot in italian.shots] == ["Luca corre sulla spiaggia", "Luca si tuffa"]


def test_screenplay_headings_open_scenes_and_stay_out_of_the_action() -> None:
    board = made("EXT. BEACH - DAY\nLuca runs.\n\nINT. BEDROOM - NIGHT\nLuca lies in bed.")[1].storyboard
    assert [(s.location, s.time_of_day) for s in board.shots] == [("beach", "day"), ("bedroom", "night")]
    assert [s.action for s in board.shots] == ["Luca runs", "Luca lies in bed"]


def test_framings_that_share_a_noun_are_shots_of_the_same() -> None:
    intent, composition = made("a wide, a medium and a close shot of Luca on the harbour at dawn")
    shots = composition.storyboard.shots
    assert [s.framing for s in shots] == ["wide", "medium", "close"]
    assert {(s.location, s.time_of_day) for s in shots} == {("harbour", "dawn")}
    assert all([p.character for p in s.placements] == ["luca"] for s in shots)
    assert intent.variations == 1


def test_a_counted_list_is_one_shot_an_item() -> None:
    intent, composition = made("three images: Luca happy, Luca sad, Luca angry")
    assert intent.outputs == ["image"]
    assert intent.variations == 1  # Three pictures, each made once.
    faces = [s.placements[0].expression for s in composition.storyboard.shots]
    assert faces == ["happy", "sad", "angry"]


def test_lengths_of_each_shot() -> None:
    asked = "3 shots, 4 seconds each: Luca wakes up in bed, Luca eats in the kitchen, Luca runs down the street"
    board = made(asked)[1].storyboard
    assert [(s.location, s.duration_s) for s in board.shots] == [("bedroom", 4.0), ("kitchen", 4.0), ("street", 4.0)]


def test_a_number_of_shots_is_kept() -> None:
    assert len(made("a race between Luca and Giulia through the town, 6 shots")[1].storyboard.shots) == 6


def test_those_named_later_are_there_from_the_beginning() -> None:
    board = made("first at the beach, then at night in the town, Luca and Giulia look for a ball")[1].storyboard
    assert [(s.location, s.time_of_day) for s in board.shots] == [("beach", "day"), ("town_square", "night")]
    assert all({p.character for p in s.placements} == {"luca", "giulia"} for s in board.shots)


def test_times_that_open_clauses_are_scenes() -> None:
    asked = (
        "in the morning Luca leaves home, at noon he meets Alberto at the harbour, in the evening they sit on the roof"
    )
    board = made(asked)[1].storyboard
    assert list(dict.fromkeys(s.time_of_day for s in board.shots)) == ["day", "sunset"]
    assert "harbour" in {s.location for s in board.shots}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Luca on the beach at night with blazing sun", "night and for the sun"),
        ("Luca on the beach in the rain and snow", "rain and snow at once"),
        ("Luca on the beach, 8k", "1280 x 720"),
        ("200 characters dancing on the beach", "at most 8 characters"),
        ("a gif of Luca on the beach", "no GIF"),
        ("Luca on the beach, 120 fps", "8 to 60 frames"),
        ("a 3 hour film of Luca on the beach", "30 minutes"),
        ("Luca in a cave", "no place of mine is really like it"),
        ("Luca in a castle", "stands in for it"),
    ],
)
def test_what_cannot_be_is_said(asked: str, said: str) -> None:
    assert any(said in sentence for sentence in made(asked)[0].assumptions)


def test_a_still_camera_is_still_throughout() -> None:
    board = made("an empty beach at dawn, 12 seconds, static camera")[1].storyboard
    assert len(board.shots) > 1
    assert {shot.camera for shot in board.shots} == {"static"}


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("Two pirates in a desert looking for treasure", "Two pirates in the desert"),
        ("An astronaut walks on the moon", "An astronaut on the moon"),
        ("luca and alberto at the north pole", "Luca and Alberto at the north pole"),
        ("Giulia at home", "Giulia at home"),
    ],
)
def test_a_title_names_the_place_that_was_asked_for(asked: str, title: str) -> None:
    assert made(asked)[1].storyboard.title == title


@pytest.mark.parametrize(
    ("gerund", "one", "many"),
    [
        ("running", "runs", "run"),
        ("making", "makes", "make"),
        ("lying", "lies", "lie"),
        ("doodling", "doodles", "doodle"),
        ("carrying", "carries", "carry"),
        ("exploring", "explores", "explore"),
        ("jumping", "jumps", "jump"),
    ],
)
def test_verbs_come_into_the_present(gerund: str, one: str, many: str) -> None:
    assert (present(gerund, many=False), present(gerund, many=True)) == (one, many)


def test_forms_of_known_verbs_are_no_misspellings() -> None:
    assert {"confesses", "running", "ties", "is"} - verb_forms() == {"is"}
    assert not any(
        "confesses" in sentence for sentence in made("Alberto confesses to Giulia on the beach")[0].assumptions
    )
