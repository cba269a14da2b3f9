"""A shot as questions: who, where, what, feeling, light, style, faults, whatever stands in the storyboard."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.characters import load_characters
from evals.peer.strict_schema import complaint
from tests.agent.boards import beach, shot
from tests.tools.seeing.eyes import rubric
from tools.errors import InvalidInput
from tools.seeing.asking import order_of, pool, question, read_answer
from tools.seeing.cleaned import cleaned
from tools.seeing.rubric import load_words, rubric_about, rubric_of_shot
from tools.seeing.tool import Criterion, Rubric
from tools.storyboard import CastMember, Look, Placement, Shot


def of(placed: Shot, *, drawn: bool = False, cast: list[CastMember] | None = None) -> Rubric:
    return rubric_of_shot(placed, cast or beach().cast, load_characters(), "pixar_3d", drawn=drawn)


def test_every_character_place_action_light_style_and_fault_is_asked_about() -> None:
    people = [
        Placement(character="alberto", x=0.8, expression="happy"),
        Placement(character="luca", x=0.2, expression="scared", facing="back"),
    ]
    found = of(Shot(id="s1", placements=people, action="They wave.", time_of_day="night", weather="rain"))
    names = [one.name for one in found.criteria]
    assert names == [
        "who.luca", "who.alberto", "emotion.alberto", "where", "what", "light", "style", "artefacts",
    ], "a face that is turned away shows no feeling"  # fmt: skip
    asked = {one.name: one.question for one in found.criteria}
    assert "brown hair" in asked["who.luca"]
    assert "happy" in asked["emotion.alberto"]
    assert "night with rain" in asked["light"]
    assert "They wave." in asked["what"]
    assert list(found.people) == ["luca", "alberto"], "from left to right"
    assert all(one.none and one.partly and one.full for one in found.criteria)


def test_the_draft_is_held_against_no_style_and_searched_for_no_faults_of_painting() -> None:
    names = {one.kind for one in of(shot("s1", "luca", action="He waves."), drawn=True).criteria}
    assert names == {"who", "where", "what", "light"}
    assert {one.kind for one in of(shot("s1"), drawn=True).criteria} == {"where", "light"}, (
        "nobody, and nothing happens"
    )


def test_who_has_no_sheet_is_described_by_its_look() -> None:
    look = Look(species="fox", age="elder", hair="short", hair_color="red", freckles=True)
    told = Look(description="a lady with a green hat")
    cast = [
        CastMember(id="volpe", name="Volpe", known=False, look=look),
        CastMember(id="dame", name="Dame", known=False, look=told),
    ]
    found = of(shot("s1", "volpe", "dame"), cast=cast)
    asked = {one.name: one.question for one in found.criteria}
    assert "fox, red short hair, freckles" in asked["who.volpe"]
    assert "a lady with a green hat" in asked["who.dame"]


def test_the_second_asking_turns_the_order_round_and_every_order_comes_up() -> None:
    one = rubric()
    for seed in range(20):
        first, second = order_of(one, seed), order_of(one, seed, second=True)
        assert first == second[::-1]
        assert sorted(c.name for c in first) == sorted(c.name for c in one.criteria)
    places = {order_of(one, seed)[0].name for seed in range(60)}
    assert places == {c.name for c in one.criteria}, "each is asked first at some seed"


def test_a_judge_that_favours_what_comes_first_is_evened_out_by_asking_twice() -> None:
    """A biased judge: the first half of the questions gets 4, the second 0, whatever the picture shows."""
    one = rubric(*("luca", "alberto"))
    gaps = []
    for seed in range(20):
        answers = []
        for second in (False, True):
            asked = question(one, seed, second=second)
            keys = list(asked.keys)
            data = {key: {"reason": "x", "score": 4 if at < len(keys) / 2 else 0} for at, key in enumerate(keys)}
            answers.append(read_answer(json.dumps(data), asked, one))
        once, _, _, _ = pool(one, answers[:1])
        twice, _, apart, _ = pool(one, answers)
        spread = [max(s.score for s in scores) - min(s.score for s in scores) for scores in (once, twice)]
        gaps.append((spread[0], spread[1]))
        assert apart == 1.0, "that they disagree is seen"
    assert all(first == 1.0 for first, _ in gaps)
    assert all(second <= 0.5 for _, second in gaps)


def test_all_kinds_count_alike_however_many_people_there_are() -> None:
    crowd = rubric("luca", "alberto")
    asked = question(crowd, 1)
    data = {key: {"reason": "", "score": 0 if name.startswith("who") else 4} for key, name in asked.keys.items()}
    _, overall, _, _ = pool(crowd, [read_answer(json.dumps(data), asked, crowd)])
    kinds = len({one.kind for one in crowd.criteria})
    assert overall == pytest.approx((kinds - 1) / kinds, abs=1e-3)


def test_reasons_come_before_scores_and_the_schema_is_taken_by_the_strictest_server() -> None:
    for one in (rubric(), rubric("luca"), rubric_about("a boat"), rubric_about("")):
        schema = question(one, 1).schema
        assert complaint(schema) is None
        for key, part in schema["properties"].items():
            if key != "change":
                assert list(part["properties"]) == ["reason", "score"]
        assert list(schema["properties"])[-1] == "change"


def test_a_rubric_asks_nothing_twice_and_no_words_break_it() -> None:
    same = Criterion(name="where", question="?", none="a", partly="b", full="c")
    with pytest.raises(ValidationError, match="twice"):
        Rubric(wanted="x", criteria=[same, same])
    hostile = "{name} {0} %s \x1b[2J </system> \u202e" + "x" * 900
    found = of(shot("s1", "luca", action=hostile))
    text = question(found, 1).text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all(line.isprintable() for line in text.splitlines())
    assert rubric_about(hostile * 3).wanted.isprintable()


@profile(max_examples=80, deadline=None)
@given(st.text(max_size=300), st.integers(1, 80))
def test_cleaned_text_is_one_printable_line_of_its_length(text: str, most: int) -> None:
    found = cleaned(text, most)
    assert len(found) <= most
    assert all(char.isprintable() or char == " " for char in found)
    assert cleaned(found, most) == found


def test_a_file_of_words_that_lacks_one_is_refused_with_its_line(tmp_path: Path) -> None:
    from tools.seeing.rubric import RUBRIC_FILE

    text = RUBRIC_FILE.read_text()
    for broken in (text.replace("  redraw:", "  redrew:"), text.replace("about: [what", "about: [whom")):
        path = tmp_path / "rubric.yaml"
        path.write_text(broken)
        with pytest.raises(InvalidInput, match=r"rubric\.yaml"):
            load_words(path)


def test_every_pair_of_orders_asks_the_same() -> None:
    texts = {frozenset(question(rubric(), seed).keys.values()) for seed in range(5)}
    assert all(one == other for one, other in itertools.pairwise(texts))
