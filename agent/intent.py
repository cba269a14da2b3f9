"""What a request was understood to mean. Planners write it; every node reads it.

Kept apart from `agent/state.py` so that a planner can be used and tested without importing LangGraph.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.storyboard import (
    Aspect,
    Camera,
    CastMember,
    Emotion,
    Facing,
    Framing,
    Language,
    Line,
    Mood,
    TimeOfDay,
    Weather,
)

__all__ = ["Beat", "Brief", "Edit", "Intent", "IntentKind", "OutputKind", "Performance", "Side"]

IntentKind = Literal["scene", "edit", "question", "transcription", "analysis", "smalltalk"]
Side = Literal["left", "right", "centre", "front", "back"]
OutputKind = Literal["image", "voice", "music", "subtitles", "video", "script", "transcript", "analysis", "text"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Performance(_Model):
    """What one character does in a beat; None where the request does not say."""

    character: str
    pose: str | None = None
    expression: Emotion | None = None
    facing: Facing | None = None


class Beat(_Model):
    """One shot or numbered scene that was asked for; a request in one piece is one beat. None: not said."""

    text: str = Field("", description="the words of the request it was read from")
    location: str | None = Field(None, description="id of a place the draft engine draws")
    location_words: str | None = Field(None, description="the place as it was written, when no place we know")
    time_of_day: TimeOfDay | None = None
    weather: Weather | None = None
    framing: Framing | None = None
    camera: Camera | None = None
    duration_s: float | None = None
    action: str = ""
    text_overlay: str = ""
    mood: Mood | None = None
    performances: list[Performance] = Field(default_factory=list)
    dialogue: list[Line] = Field(default_factory=list)
    offstage: list[str] = Field(default_factory=list, description="ids of speakers who are heard and not seen")


class Brief(_Model):
    """A request for something new, taken apart. The composer turns it into a storyboard."""

    title: str | None = None
    style: str | None = None
    aspect: Aspect | None = None
    fps: int | None = None
    duration_s: float | None = Field(None, description="of the whole film, when it was given")
    cast: list[CastMember] = Field(default_factory=list)
    beats: list[Beat] = Field(default_factory=list)
    explicit_shots: bool = Field(False, description="the request lists its shots: one shot a beat, none added")
    script_words: int | None = Field(None, ge=1, description="how many words are to be spoken, when it was given")
    shot_count: int | None = Field(None, ge=1, le=60, description="how many shots, when it was given without a list")


class Edit(_Model):
    """One change to the present storyboard.

    `op` says which of the other fields count:
    set_time time_of_day · set_weather weather · set_place location · add_character member, performance ·
    remove_character character · rename_character character, text (the new name) · move_character character, side ·
    swap (the two characters change places) · swap_lines (they say each other's lines) · give_line character, old_text
    (says it from now on) · set_performance performance · set_look character, member (with the new look) ·
    set_framing framing · set_camera camera · add_line line (`to` 1: before all others) · set_line line (its
    `character` may be empty in `old_text` cases) with old_text · remove_line character/old_text ·
    set_duration duration_s or factor · set_aspect aspect · set_mood mood · mute_music · set_overlay text ·
    set_title text · set_style text · set_outputs outputs · add_shot beat · remove_shot · split_shot · copy_shot (the
    copy stands behind it) · reorder_shot to · set_fps fps · redo · undo (with `to` 1 back to the scene as it was
    first made)
    """

    op: Literal[
        "set_time", "set_weather", "set_place", "add_character", "remove_character", "rename_character",
        "move_character", "swap", "swap_lines", "give_line", "set_performance", "set_framing", "set_camera", "add_line",
        "set_line", "remove_line", "set_duration", "set_aspect", "set_mood", "mute_music", "set_overlay", "set_title",
        "set_style", "set_outputs", "add_shot", "remove_shot", "split_shot", "copy_shot", "reorder_shot",
        "set_fps", "set_look", "undo", "redo",
    ]  # fmt: skip
    shot: int | None = Field(None, description="1-based number of the shot; None is every shot; -1 the last")
    to: int | None = None
    character: str | None = None
    side: Side | None = Field(None, description="of the picture; front is nearer the camera, back further away")
    member: CastMember | None = None
    performance: Performance | None = None
    line: Line | None = None
    old_text: str | None = None
    location: str | None = None
    time_of_day: TimeOfDay | None = None
    weather: Weather | None = None
    framing: Framing | None = None
    camera: Camera | None = None
    mood: Mood | None = None
    aspect: Aspect | None = None
    fps: int | None = None
    duration_s: float | None = None
    factor: Annotated[float, Field(gt=0)] | None = Field(None, description="length times this: `shorter` is 0.7")
    text: str | None = None
    outputs: list[OutputKind] | None = None
    beat: Beat | None = None


class Intent(_Model):
    """A request, understood.

    Attributes:
        kind: what is wanted: a new scene, a change to the present one, an answer, ...
        goal: the request in one short sentence.
        characters: ids of every character that takes part, known or not, in order of appearance.
        unknown_names: the ones among them that have no sheet, as they were written.
        outputs: what to make; a full scene is image, voice, music, subtitles, video (voice and subtitles only
            where something is said).
        language: of the request.
        files: files named in the text, as written.
        variations: how many versions are wanted.
        assumptions: what was taken for granted, each one plain sentence to the user.
        remarks: what else the user should know of how it was read: a model that gave nothing, a wish that is kept.
        questions: what is unclear enough to ask; work goes on under the assumptions.
        confidence: 0..1; below the setting `confidence_threshold` the agent says that it guesses.
        brief: for a scene. edits: for an edit. topic: for a question, what it is about.
    """

    kind: IntentKind
    goal: str = ""
    characters: list[str] = Field(default_factory=list)
    unknown_names: list[str] = Field(default_factory=list)
    outputs: list[OutputKind] = Field(default_factory=list)
    language: Language = "en"
    files: list[str] = Field(default_factory=list)
    variations: int = Field(1, ge=1, le=16)
    assumptions: list[str] = Field(default_factory=list)
    remarks: list[str] = Field(default_factory=list)
    questions: list[str] = Field(default_factory=list)
    confidence: float = Field(1.0, ge=0.0, le=1.0)
    burn_subtitles: bool = False
    needs_search: bool = Field(False, description="the request needs facts that only the web may hold")
    search_words: str = Field("", description="what to ask the web, where the person asked for that in so many words")
    topic: str = ""
    brief: Brief | None = None
    edits: list[Edit] = Field(default_factory=list)
