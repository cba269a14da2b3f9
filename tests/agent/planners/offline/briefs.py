"""Briefs for the tests of the composer: a few people to write them with, and hypothesis strategies for any of them."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from agent.intent import Beat, Brief, Intent, Performance
from agent.planners.base import Composition, PlanRequest
from agent.planners.offline.compose import compose
from tools.storyboard import (
    ASPECT_SIZES,
    Camera,
    CastMember,
    Emotion,
    Facing,
    Framing,
    Line,
    Look,
    Mood,
    TimeOfDay,
    Weather,
)

LUCA = CastMember(id="luca", name="Luca Paguro", known=True)
ALBERTO = CastMember(id="alberto", name="Alberto Scorfano", known=True)
GIULIA = CastMember(id="giulia", name="Giulia Marcovaldo", known=True)
FISHERMAN = CastMember(
    id="old_fisherman",
    name="old fisherman",
    known=False,
    look=Look(description="old fisherman with a beard", age="elder", accessories=["beard"]),
)
BOTH = [LUCA, ALBERTO]
PLACES = ["beach", "harbour", "town_square", "kitchen", "forest", "underwater", "rooftop", "castle"]
POSES = ["stand", "wave", "run", "sit", "swim", "cheer", "point", "dance"]


def intent(brief: Brief, **more: Any) -> Intent:
    """A scene intent of a brief."""
    outputs = more.pop("outputs", ["image", "voice", "music", "subtitles", "video"])
    return Intent(kind="scene", outputs=outputs, brief=brief, characters=[m.id for m in brief.cast], **more)


def composed(brief: Brief, text: str = "a scene", **more: Any) -> Composition:
    """The composition of a brief."""
    return compose(intent(brief, **more), PlanRequest(text=text))


def say(who: str, text: str, emotion: Emotion = "neutral", **more: Any) -> Line:
    """A line."""
    return Line(character=who, text=text, emotion=emotion, **more)


def one_of(kind: Any) -> Any:
    """Any value of a Literal."""
    return st.sampled_from(get_args(kind))


def maybe(strategy: Any) -> Any:
    """A value or nothing."""
    return st.none() | strategy


def cast_of(size: int) -> list[CastMember]:
    """That many people, the known ones first."""
    known = [LUCA, ALBERTO, GIULIA]
    more = [CastMember(id=f"child_{i}", name=f"Child {i}", known=False, look=Look()) for i in range(size)]
    return (known + more)[:size]


_WORDS = st.sampled_from(
    ["Look", "we", "can", "do", "this", "Silenzio", "Bruno", "mare", "perché", "sunset", "1234", "no", "oh"]
)
_TEXT = st.lists(_WORDS, min_size=1, max_size=25).map(lambda words: " ".join(words) + "!")


@st.composite
def lines(draw: Any, cast: list[CastMember], most: int = 6) -> list[Line]:
    """Lines of people of the cast."""
    if not cast:
        return []
    count = draw(st.integers(0, most))
    return [
        Line(character=draw(st.sampled_from(cast)).id, text=draw(_TEXT), emotion=draw(one_of(Emotion)))
        for _ in range(count)
    ]


@st.composite
def beats(draw: Any, cast: list[CastMember]) -> Beat:
    """A beat about people of the cast."""
    acting = draw(st.lists(st.sampled_from(cast), unique_by=lambda m: m.id, max_size=3)) if cast else []
    return Beat(
        text=draw(st.sampled_from(["", "they laugh", "the empty beach", "close up"])),
        location=draw(maybe(st.sampled_from(PLACES))),
        time_of_day=draw(maybe(one_of(TimeOfDay))),
        weather=draw(maybe(one_of(Weather))),
        framing=draw(maybe(one_of(Framing))),
        camera=draw(maybe(one_of(Camera))),
        duration_s=draw(maybe(st.integers(5, 200).map(lambda tenths: tenths / 10))),
        action=draw(st.sampled_from(["", "they run to the water"])),
        text_overlay=draw(st.sampled_from(["", "", "", "THE END"])),
        mood=draw(maybe(one_of(Mood))),
        performances=[
            Performance(
                character=member.id,
                pose=draw(maybe(st.sampled_from(POSES))),
                expression=draw(maybe(one_of(Emotion))),
                facing=draw(maybe(one_of(Facing))),
            )
            for member in acting
        ],
        dialogue=draw(lines(cast)),
    )


@st.composite
def briefs(draw: Any) -> Brief:
    """Any brief that a reader might write."""
    cast = cast_of(draw(st.sampled_from([0, 1, 1, 2, 2, 2, 3, 4, 6, 8, 10])))
    return Brief(
        title=draw(st.sampled_from([None, None, "A day out"])),
        aspect=draw(maybe(st.sampled_from(list(ASPECT_SIZES)))),
        duration_s=draw(maybe(st.integers(5, 1200).map(lambda tenths: tenths / 10))),
        cast=cast,
        beats=draw(st.lists(beats(cast), max_size=4)),
        explicit_shots=draw(st.booleans()),
    )
