"""The rules of the merge, field by field, for any reading of a model's; and the gate behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.intent import Beat, Brief, Intent, IntentKind, Performance
from agent.planners.base import Composition
from agent.planners.chat_pieces.casting import known_cast
from agent.planners.chat_pieces.facts import broken_fact
from agent.planners.chat_pieces.filling import filled, retold
from agent.planners.chat_pieces.merging import kind_of, merge
from agent.planners.chat_pieces.outline import Actor, Outline, OutlineBeat
from agent.planners.chat_pieces.understanding import Understanding
from agent.planners.offline.direction import load_direction
from agent.planners.offline.leeway import Leeway
from agent.planners.offline.scenes import settle
from tests.agent.planners.offline.briefs import BOTH, LUCA, PLACES, POSES, briefs, composed, intent, maybe, one_of, say
from tools.storyboard import Camera, Emotion, Facing, Framing, Mood, Shot, Storyboard, TimeOfDay, Weather

KINDS: list[Any] = ["scene", "edit", "question", "smalltalk"]
OPEN = Leeway((), people=True, speech=True, subtitles=True, inventing=False, readable=True, music_named=False)


@st.composite
def readings(draw: Any) -> Understanding:
    """Any reading that a schema allows."""
    return Understanding(
        kind=draw(st.sampled_from(KINDS)),
        goal=draw(st.sampled_from(["", "a goal"])),
        place=draw(maybe(st.sampled_from(PLACES))),
        time_of_day=draw(maybe(one_of(TimeOfDay))),
        weather=draw(maybe(one_of(Weather))),
        mood=draw(maybe(one_of(Mood))),
        characters=draw(st.lists(st.sampled_from(["luca", "alberto", "giulia"]), max_size=4)),
        dialogue=draw(st.booleans()),
        assumptions=draw(st.lists(st.just("I chose."), max_size=3)),
        unclear=draw(st.lists(st.just("Which?"), max_size=2)),
    )


leeways = st.builds(
    Leeway, st.just(()), st.booleans(), st.booleans(), st.booleans(), st.just(False), st.booleans(), st.booleans()
)


def merged(rules: Intent, model: Understanding, leeway: Leeway, board: bool = False) -> Intent:
    return merge(rules, model, leeway, text="a scene", has_board=board, cast=known_cast(), threshold=0.7)


@settings(deadline=None, max_examples=200)
@given(briefs(), readings(), leeways, st.floats(0.05, 1.0))
def test_what_the_rules_read_of_a_scene_stays(brief: Brief, model: Understanding, leeway: Leeway, sure: float) -> None:
    rules = intent(brief, confidence=sure)
    both = merged(rules, model, leeway)
    new = both.brief
    assert new is not None
    assert both.kind == "scene"
    assert (new.aspect, new.fps, new.duration_s, new.title, new.explicit_shots, new.shot_count) == (
        brief.aspect, brief.fps, brief.duration_s, brief.title, brief.explicit_shots, brief.shot_count,
    )  # fmt: skip
    assert new.cast == brief.cast or (not brief.cast and leeway.people)
    for before, after in zip(brief.beats, new.beats, strict=False):
        for field in ("location", "location_words", "time_of_day", "weather", "mood", "framing", "camera"):
            assert getattr(before, field) in (None, getattr(after, field)), field
        assert (after.dialogue, after.performances, after.text_overlay) == (
            before.dialogue, before.performances, before.text_overlay,
        )  # fmt: skip
        assert not before.location_words or after.location == before.location
    assert both.confidence >= rules.confidence
    assert set(rules.assumptions) <= set(both.assumptions)
    assert (both.language, both.files, both.variations) == (rules.language, rules.files, rules.variations)


@settings(deadline=None)
@given(readings(), leeways)
def test_outputs_that_the_user_chose_stay(model: Understanding, leeway: Leeway) -> None:
    for chosen in (["image"], ["music"], ["script"], ["image", "music"]):
        rules = intent(Brief(cast=BOTH, beats=[Beat()]), outputs=chosen)
        assert merged(rules, model, leeway).outputs == chosen
    film = intent(Brief(cast=BOTH, beats=[Beat()]), outputs=["image", "music", "video"])
    with_voices = merged(film, model, leeway).outputs
    assert ("voice" in with_voices) == (model.dialogue and leeway.speech)
    assert "subtitles" not in with_voices or leeway.subtitles


@settings(deadline=None)
@given(readings(), leeways, st.booleans(), st.sampled_from(["a scene", "why?"]))
def test_a_kind_that_rules_are_sure_of_stays(model: Understanding, leeway: Leeway, board: bool, text: str) -> None:
    sure: list[Intent] = [
        Intent(kind="scene", confidence=0.3),
        Intent(kind="smalltalk", topic="hello"),
        Intent(kind="transcription"),
        Intent(kind="analysis"),
        Intent(kind="question", topic="cast"),
        Intent(kind="edit", topic="again"),
    ]
    for rules in sure:
        assert kind_of(rules, model, leeway, text, board) == rules.kind


@pytest.mark.parametrize(
    ("rules", "said", "text", "board", "readable", "expected"),
    [
        (Intent(kind="smalltalk", topic="not_understood"), "scene", "a spooky story", False, True, "scene"),
        (Intent(kind="smalltalk", topic="not_understood"), "scene", "qwer", False, False, "smalltalk"),
        (Intent(kind="smalltalk", topic="not_understood"), "scene", "a story", True, True, "smalltalk"),
        (Intent(kind="smalltalk", topic="not_understood"), "question", "Bruno", False, False, "question"),
        (Intent(kind="question", topic="general"), "scene", "tell of a race", False, True, "scene"),
        (Intent(kind="question", topic="general"), "scene", "why is it so?", False, True, "question"),
        (Intent(kind="edit"), "scene", "rename it", True, True, "edit"),
        (Intent(kind="edit"), "question", "rename it", True, True, "question"),
    ],
)
def test_kinds_that_rules_are_not_sure_of(
    rules: Intent, said: Any, text: str, board: bool, readable: bool, expected: IntentKind
) -> None:
    empty: dict[str, Any] = dict.fromkeys(("place", "time_of_day", "weather", "mood"))
    model = Understanding(kind=said, goal="", characters=[], dialogue=False, assumptions=[], unclear=[], **empty)
    assert kind_of(rules, model, replace(OPEN, readable=readable), text, board) == expected


# -- outlines ----------------------------------------------------------------------------------------------------------


@st.composite
def outlines(draw: Any, cast: list[str], count: int) -> Outline:
    """Any outline that a schema allows."""
    beats = []
    for _ in range(count):
        people = draw(st.lists(st.sampled_from(cast), max_size=4)) if cast else []
        beats.append(
            OutlineBeat(
                place=draw(maybe(st.sampled_from(PLACES))),
                time_of_day=draw(maybe(one_of(TimeOfDay))),
                weather=draw(maybe(one_of(Weather))),
                framing=draw(maybe(one_of(Framing))),
                camera=draw(maybe(one_of(Camera))),
                mood=draw(maybe(one_of(Mood))),
                action=draw(st.sampled_from(["", "Luca dives into the sea.", "They argue, nobody wins."])),
                people=[
                    Actor(
                        who=who,
                        pose=draw(maybe(st.sampled_from(POSES))),
                        expression=draw(maybe(one_of(Emotion))),
                        facing=draw(maybe(one_of(Facing))),
                    )
                    for who in people
                ],
            )
        )
    return Outline(title=draw(st.sampled_from(["", "The Race"])), beats=beats)


@settings(deadline=None, max_examples=150)
@given(st.data(), briefs())
def test_an_outline_keeps_to_what_was_fixed_or_is_caught(data: Any, brief: Brief) -> None:
    cast = [member.id for member in brief.cast]
    sequence = brief.explicit_shots or len(brief.beats) > 1
    outline = data.draw(outlines(cast, max(1, len(brief.beats)) if sequence else data.draw(st.integers(1, 6))))
    told = filled(brief, outline, settle(brief, load_direction())) if sequence else retold(brief, outline, told=True)
    before = [line for beat in brief.beats for line in beat.dialogue]
    assert [line for beat in told.beats for line in beat.dialogue] == before
    ground, made = composed(brief), composed(told)
    Storyboard.model_validate(made.storyboard.model_dump())
    if not broken_fact(brief, ground, made, new_lines=False):
        board = made.storyboard
        assert [one.id for one in board.cast] == [one.id for one in ground.storyboard.cast]
        assert [line.text for shot in board.shots for line in shot.dialogue] == [
            line.text for shot in ground.storyboard.shots for line in shot.dialogue
        ]
        assert set(made.problems) <= set(ground.problems)
        assert brief.duration_s is None or board.duration_s == pytest.approx(ground.storyboard.duration_s, abs=0.011)


FIXED = Brief(
    title="Summer",
    duration_s=12.0,
    cast=BOTH,
    beats=[
        Beat(
            location="harbour",
            time_of_day="night",
            weather="rain",
            text_overlay="SUMMER",
            performances=[Performance(character="luca", pose="wave")],
            dialogue=[say("luca", "Hello there!")],
        )
    ],
)


def bent(**changes: Any) -> Composition:
    """The storyboard of `FIXED` with something changed in all of its shots, or in itself."""
    board = composed(FIXED).storyboard
    ours = {name: value for name, value in changes.items() if name in Shot.model_fields and name != "duration_s"}
    shots = [shot.model_copy(update=ours) for shot in board.shots]
    whole = {name: value for name, value in changes.items() if name not in ours}
    return Composition(board.model_copy(update={"shots": shots, **whole}))


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("where", {"location": "beach"}),
        ("when", {"time_of_day": "day"}),
        ("the weather", {"weather": "snow"}),
        ("the lines", {"dialogue": []}),
        ("the lines", {"dialogue": [say("alberto", "Hello there!")]}),
        ("the lines", {"dialogue": [say("luca", "Hello there")]}),
        ("who", {"cast": [LUCA]}),
        ("who is seen", {"placements": []}),
        ("the title", {"title": "Winter"}),
        ("the format", {"aspect": "1:1"}),
        ("the length", {"duration_s": 13.0}),
        ("the length", {"duration_s": 9.0}),
        ("what is written in the picture", {"text_overlay": ""}),
    ],
)
def test_the_gate_sees_each_fact_that_breaks(what: str, changes: dict[str, Any]) -> None:
    ground = composed(FIXED)
    assert broken_fact(FIXED, ground, ground, new_lines=True) == ""
    assert broken_fact(FIXED, ground, bent(**changes), new_lines=True) == what


def test_a_new_problem_is_no_improvement() -> None:
    ground = composed(FIXED)
    worse = Composition(ground.storyboard, problems=["It does not fit."])
    assert broken_fact(FIXED, ground, worse, new_lines=True) == "It does not fit."
