"""Functions that plan and make: scenes, pictures, spoken lines, music, transcripts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.functions.desk import Desk, Scene
from agent.functions.knowing import SceneName
from agent.functions.telling import board_data, scene_text
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import InvalidInput
from tools.functions import Answer, MadeFile, function
from tools.storyboard import (
    CastMember,
    Delivery,
    Emotion,
    Framing,
    Language,
    Look,
    Mood,
    Shot,
    Storyboard,
    TimeOfDay,
    Weather,
)

__all__ = [
    "MAKING",
    "change_scene",
    "draw_picture",
    "make_music",
    "make_scene",
    "plan_scene",
    "speak_line",
    "transcribe_recording",
]

Words = Annotated[str, Field(min_length=1, max_length=20_000)]
Output = Literal["image", "voice", "music", "subtitles", "video"]
LINES, MUSIC = "lines", "music"
"""Productions of their own, beside the conversations: what was made once is found there again."""


@function(effect="plans", scene=True)
def plan_scene(
    desk: Desk,
    request: Annotated[Words, Field(description="who, where, what happens, mood, length, lines in quotes")],
) -> Answer:
    """Write the storyboard of a new scene; nothing is drawn yet. It becomes the present scene."""
    scene = desk.put(desk.plan(request))
    return Answer(scene_text(scene), board_data(scene), changed=True)


@function(effect="plans", scene=True)
def change_scene(
    desk: Desk,
    request: Annotated[Words, Field(description="the change in words: make it night, add Giulia waving, cut shot 2")],
    scene: SceneName = "",
) -> Answer:
    """Change the storyboard of a scene; only what depends on the change is made again by make_scene."""
    before = desk.scene(scene)
    after = desk.put(desk.change(before, request))
    same = after.board == before.board and after.outputs == before.outputs
    told = "The scene is as it was before.\n" if same else ""
    return Answer(told + scene_text(after), board_data(after), changed=not same)


@function(effect="makes", scene=True)
def make_scene(
    desk: Desk,
    request: Annotated[
        str, Field(max_length=20_000, description="a new scene in words; empty makes a planned one")
    ] = "",
    scene: SceneName = "",
    only: Annotated[list[Output], Field(max_length=5, description="make only these; empty makes the whole film")] = [],  # noqa: B006
) -> Answer:
    """Make a scene: pictures, voices, music, subtitles and the film. It takes from seconds to minutes."""
    if request.strip() and scene:
        raise InvalidInput("give a request for a new scene, or the name of a planned one, not both")
    found = desk.plan(request) if request.strip() else desk.scene(scene)
    if only:
        found = Scene(**{**vars(found), "outputs": tuple(dict.fromkeys(only))})
    if request.strip():
        desk.put(found)
    return _made(desk, found, changed=bool(request.strip()))


@function(effect="makes")
def draw_picture(
    desk: Desk,
    description: Annotated[Words, Field(description="who is where, doing what, with which expression")],
    time_of_day: Annotated[TimeOfDay | None, Field(description="light; left out: as the words say")] = None,
    weather: Annotated[Weather | None, Field(description="left out: as the words say")] = None,
    framing: Annotated[Framing | None, Field(description="how much is in the picture; left out: as fits")] = None,
) -> Answer:
    """Draw one picture of characters in a place."""
    planned = desk.plan(description, ask="Generate an image of ")
    given: dict[str, Any] = {"time_of_day": time_of_day, "weather": weather, "framing": framing, "dialogue": []}
    shot = planned.board.shots[0].model_copy(update={name: one for name, one in given.items() if one is not None})
    board = planned.board.model_copy(update={"shots": [shot], "duration_s": shot.duration_s})
    scene = Scene(**{**vars(planned), "board": board, "outputs": ("image",)})
    return _made(desk, scene, present=desk.present is None)


def _made(desk: Desk, scene: Scene, *, present: bool = True, changed: bool = False) -> Answer:
    """Make a scene on the desk, and tell what came of it."""
    made, state = desk.make(scene)
    desk.put(made, present=present)
    files = state.get("files") or {}
    failures = state["work"].failures
    if not files:
        raise InvalidInput(f"nothing was made: {'; '.join(failures.values()) or state['messages'][-1].text}"[:600])
    scores = state.get("scores") or {}
    data = {
        "scene": made.name,
        "production": Path(made.production).name,
        "files": {label: str(Path(path).relative_to(made.production)) for label, path in files.items()},
        "scores": scores,
        "assumptions": state.get("assumptions", []),
        "remarks": state.get("remarks", []),
        "problems": state.get("problems", []),
        "failures": failures,
    }
    listed = tuple(MadeFile(label, path) for label, path in files.items())
    return Answer(str(state["messages"][-1].text), data, listed, changed=changed)


@function(effect="makes")
def speak_line(
    desk: Desk,
    character: Annotated[
        str, Field(min_length=1, max_length=80, description="id or name of who speaks; see list_cast")
    ],
    text: Annotated[str, Field(min_length=1, max_length=600, description="the words, without quotes or directions")],
    emotion: Annotated[Emotion, Field(description="how it is said")] = "neutral",
    language: Annotated[Language, Field(description="of the words")] = "en",
    delivery: Annotated[Delivery, Field(description="how loud")] = "normal",
) -> Answer:
    """Say one line in a character's voice."""
    from agent.saying import choose_engine

    who, look = _speaker(desk, character)
    args = {
        "text": text,
        "character": who,
        "look": look.model_dump(mode="json") if look else None,
        "emotion": emotion,
        "language": language,
        "delivery": delivery,
    }
    toolbox = desk.context.toolbox
    engine = choose_engine(toolbox.readiness(), desk.context.settings, args)
    call = Call(id="line", tool="synthesize_speech", args=args, engine=engine.name, seed=desk.context.settings.seed)
    with desk.working():
        artifact = toolbox.run_alone(call, LINES, "lines that were tried", desk.cancel)
    return _sound(artifact, f"{who} says it", "line")


def _speaker(desk: Desk, name: str) -> tuple[str, Look | None]:
    """Id and look of a character, by id, name or another name it goes by.

    Raises:
        InvalidInput: nobody here is called that.
    """
    from configs.characters import load_characters

    plain = name.strip().casefold()
    sheets = load_characters()
    for one in sheets.values():
        if plain in {one.id, one.name.casefold(), *one.aliases}:
            return one.id, None
    scene = desk.present
    cast: list[CastMember] = scene.board.cast if scene else []
    for member in cast:
        if plain in {member.id, member.name.casefold()}:
            return member.id, member.look
    known = ", ".join([*sheets, *(member.id for member in cast if not member.known)])
    raise InvalidInput(f"nobody here is called {name[:80]!r}.", where="character", hint=f"There are: {known}.")


@function(effect="makes")
def make_music(
    desk: Desk,
    mood: Annotated[Mood, Field(description="of the music")],
    seconds: Annotated[float, Field(ge=1, le=300, description="its length")] = 20.0,
    prompt: Annotated[str, Field(max_length=400, description="what to hear, for engines that read words")] = "",
) -> Answer:
    """Compose a piece of music."""
    toolbox = desk.context.toolbox
    board = Storyboard(title="music", duration_s=seconds, shots=[Shot(id="s1", music=mood, ambience=None)])
    engine = toolbox.draw_up(board, ["music"], desk.context.options.engines).engine("compose_music")
    args = {"mood": mood, "duration_s": seconds, "prompt": prompt}
    call = Call(id="music", tool="compose_music", args=args, engine=engine, seed=desk.context.settings.seed)
    with desk.working():
        artifact = toolbox.run_alone(call, MUSIC, "music that was tried", desk.cancel)
    return _sound(artifact, f"{mood} music", "music")


def _sound(artifact: Artifact, what: str, label: str) -> Answer:
    seconds = float(artifact.output["duration_s"])
    path = str(artifact.file(str(artifact.output["file"])))
    data = {"seconds": seconds, "engine": artifact.record.engine, "key": artifact.key}
    told = f"{what}, {seconds:.1f} s, by {artifact.record.engine}."
    notes = [str(one) for one in artifact.output.get("notes", [])]
    return Answer(" ".join([told, *notes]), data, (MadeFile(label, path, artifact.key),))


@function(effect="makes")
def transcribe_recording(
    desk: Desk,
    file: Annotated[str, Field(min_length=1, max_length=500, description="path of a sound or film, as it was listed")],
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$", description="its code, as it; empty finds it out")] = "",
) -> Answer:
    """Write down what is said in a recording or a film."""
    from agent.transcribing import hear

    path = desk.file(file)
    with desk.working():
        artifact = hear(desk.context.toolbox, path, desk.cancel, language=language)
    output: dict[str, Any] = dict(artifact.output)
    text = str(output.get("text", ""))
    data = {"language": output.get("language", ""), "seconds": output.get("duration_s"), "text": text}
    return Answer(text or "Nobody speaks in it.", data, foreign=bool(text))


MAKING = (plan_scene, change_scene, make_scene, draw_picture, speak_line, make_music, transcribe_recording)
"""Every function of this module."""
