"""Who makes what: the preferred engine that is ready; what is passed over is told; what a person names stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.choosing import check_preset, draw_up, read_wishes
from agent.compiler import compile_calls
from agent.lineup import Lineup
from agent.replies import Replies
from agent.telling_engines import tell_lineup
from configs.engines import EnginesFile
from configs.models import ModelsFile
from configs.profiles import Profile
from tests.agent.boards import beach, line, shot
from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.shelf import KnownFile, ModelRecord, Shelf
from tools.readiness import Readiness
from tools.registry import Registry
from tools.storyboard import Storyboard

FULL = ["image", "voice", "music", "subtitles", "video"]
OWN = {"about": "tries", "device": "cpu", "licence": "MIT", "engine": "tools.image.draft:DraftImage", "embedded": True}
REAL = {**OWN, "device": "gpu", "embedded": False, "stack": "models"}
ORDER = {
    "generate_image": ["sdxl", "draft"],
    "synthesize_speech": ["gpt_sovits", "xtts", "espeak"],
    "compose_music": ["musicgen", "score"],
    "animate_shot": ["ltx", "parallax", "animatic"],
}


class HasVoices:
    """The voices of a person who has made some."""

    def __init__(self, *known: tuple[str, str]) -> None:
        self.known = known

    def get(self, character: str, kind: str) -> object | None:
        return (character, kind) if (character, kind) in self.known else None


def machine(tmp_path: Path, *models: str, gpu: bool = True, order: dict[str, list[str]] | None = None) -> Readiness:
    """A machine with these models."""
    tools = {
        "generate_image": ("tools.image.tool:GenerateImage", {"draft": OWN, "sdxl": {**REAL, "models": ["sdxl_base"]}}),
        "synthesize_speech": (
            "tools.voice.tool:SynthesizeSpeech",
            {
                "espeak": OWN,
                "gpt_sovits": {**REAL, "models": ["sovits"], "languages": ["en"], "voices": "gpt_sovits"},
                "xtts": {**REAL, "models": ["xtts"], "languages": ["it", "en"], "voices": "xtts"},
                "elevenlabs": {**OWN, "embedded": False, "paid": True},
            },
        ),
        "compose_music": ("tools.music.tool:ComposeMusic", {"score": OWN, "musicgen": {**REAL, "models": ["music"]}}),
        "animate_shot": (
            "tools.video.tool:AnimateShot",
            {
                "animatic": OWN,
                "parallax": {**OWN, "from_still": True},
                "ltx": {**REAL, "models": ["ltx"], "from_still": True},
            },
        ),
    }  # fmt: skip
    entry = {"about": "m", "weights": "tools.image.sdxl.weights:SdxlCheckpoint", "weights_gb": {"fp16": 1.0}}
    known = {name: {**entry, "stack": "models"} for name in ("sdxl_base", "sovits", "xtts", "ltx")}
    known["music"] = {**entry, "stack": "models", "licence": "CC-BY-NC-4.0", "commercial": False}
    profile = Profile(about="card", budget_gb=15.5, engines=ORDER if order is None else order)
    registry = Registry(
        EnginesFile.model_validate(
            {
                "stacks": {"core": {"about": "own"}, "models": {"about": "torch", "workers": 1}},
                "tools": {name: {"tool": path, "engines": engines} for name, (path, engines) in tools.items()},
            }
        ),
        profile if gpu else Profile(about="none", budget_gb=0),
        models=ModelsFile.model_validate({"models": known}),
    )
    shelf = Shelf(tmp_path / "-".join(["home", *models]), registry.models)
    for name in models:
        record = ModelRecord(kind="path", path=str(tmp_path), files={".": KnownFile(bytes=1, sha256="0" * 64)})
        shelf.keep(name, record)
    return Readiness(registry, shelf, gpu=gpu)


def made_by(lineup: Lineup) -> dict[str, str]:
    parts = lineup.parts
    return {f"{p.tool}{':' + p.character + p.language if p.character else ''}": p.engine for p in parts}


ITALIAN = beach(
    shot("s1", "luca", "alberto", dialogue=[line("luca", "Hello."), line("alberto", "Ciao.", language="it")]),
    shot("s2", "luca", dialogue=[line("luca", "Ciao!", language="it")]),
)


def test_without_a_gpu_all_is_made_by_what_comes_along_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    lineup = draw_up(beach(), FULL, machine(tmp_path, gpu=False))
    assert made_by(lineup) == {
        "generate_image": "draft",
        "compose_music": "score",
        "animate_shot": "animatic",
        "synthesize_speech:lucaen": "espeak",
    }
    assert tell_lineup(lineup, beach(), Replies("en")) == []


def test_with_all_models_the_same_board_goes_to_the_real_engines(tmp_path: Path) -> None:
    ready = machine(tmp_path, "sdxl_base", "sovits", "music", "ltx")
    lineup = draw_up(beach(), FULL, ready, HasVoices(("luca", "gpt_sovits")))
    assert made_by(lineup) == {
        "generate_image": "sdxl",
        "compose_music": "musicgen",
        "animate_shot": "ltx",
        "synthesize_speech:lucaen": "gpt_sovits",
    }
    told = tell_lineup(lineup, beach(), Replies("en"))
    assert told == [
        "Engines: pictures by sdxl; voices by gpt_sovits; music by musicgen; motion by ltx.",
        "Not for commercial use: music: CC-BY-NC-4.0.",
    ]


def test_a_mix_is_said_with_what_would_change_it(tmp_path: Path) -> None:
    ready = machine(tmp_path, "sdxl_base", "sovits", "xtts")
    voices = HasVoices(("luca", "gpt_sovits"), ("luca", "xtts"))
    lineup = draw_up(ITALIAN, FULL, ready, voices)
    assert made_by(lineup) == {
        "generate_image": "sdxl",
        "compose_music": "score",
        "animate_shot": "parallax",
        "synthesize_speech:lucaen": "gpt_sovits",
        "synthesize_speech:albertoit": "espeak",
        "synthesize_speech:lucait": "xtts",
    }
    told = tell_lineup(lineup, ITALIAN, Replies("en"))
    assert told[0] == (
        "Engines: pictures by sdxl; voices by gpt_sovits (Luca [en]), espeak (Alberto), xtts (Luca [it]); "
        "music by score; motion by parallax."
    )
    assert "Not musicgen for music: the model music is not here. To have it: studio models path music PATH" in told
    assert "Not gpt_sovits for voices (Alberto, Luca [it]): it does not speak Italian." in told
    wanted = "Not xtts for voices (Alberto): has no voice for it. To have it: studio voice add NAME --kind xtts"
    assert wanted in told


def test_pictures_of_an_image_model_are_shown_in_the_film_and_the_drafts_move_by_themselves(tmp_path: Path) -> None:
    assert draw_up(beach(), FULL, machine(tmp_path, "sdxl_base")).engine("animate_shot") == "parallax"
    assert draw_up(beach(), FULL, machine(tmp_path)).engine("animate_shot") == "animatic"
    assert draw_up(beach(), FULL, machine(tmp_path, "ltx")).engine("animate_shot") == "ltx"


def test_a_named_engine_is_taken_or_its_lack_is_an_error(tmp_path: Path) -> None:
    ready = machine(tmp_path, "sdxl_base", "ltx")
    lineup = draw_up(beach(), FULL, ready, wishes=read_wishes(["draft", "animate_shot=parallax"], ready.registry))
    assert lineup.engine("generate_image") == "draft"
    assert lineup.engine("animate_shot") == "parallax"
    with pytest.raises(MissingPrerequisite, match="musicgen cannot make this: the model music is not here"):
        draw_up(beach(), FULL, ready, wishes={"compose_music": "musicgen"})
    voices = HasVoices(("alberto", "gpt_sovits"), ("luca", "gpt_sovits"))
    sovits = machine(tmp_path, "sovits")
    with pytest.raises(InvalidInput, match="gpt_sovits cannot make this: it does not speak Italian"):
        draw_up(ITALIAN, FULL, sovits, voices, wishes={"synthesize_speech": "gpt_sovits"})


def test_what_costs_money_is_used_only_where_it_is_named(tmp_path: Path) -> None:
    order = {"synthesize_speech": ["elevenlabs", "espeak"]}
    ready = machine(tmp_path, order=order)
    assert draw_up(beach(), ["voice"], ready).engine("synthesize_speech", "luca", "en") == "espeak"
    wished = draw_up(beach(), ["voice"], ready, wishes=read_wishes(["elevenlabs"], ready.registry))
    assert wished.engine("synthesize_speech", "luca", "en") == "elevenlabs"


@pytest.mark.parametrize("word", ["nonsense", "generate_image=espeak", "=", "", "compose_music=sdxl", "films=sdxl"])
def test_a_name_that_is_no_engine_is_refused_with_those_there_are(tmp_path: Path, word: str) -> None:
    known = r"compose_music=score\|musicgen" if word.startswith("compose_music") else r"generate_image=draft\|sdxl"
    with pytest.raises(InvalidInput, match=known):
        read_wishes([word], machine(tmp_path).registry)


def calls_of(board: Storyboard, lineup: Lineup, **more: Any) -> dict[str, Any]:
    return {call.id: call for call in compile_calls(board, FULL, lineup=lineup, **more)}


def test_calls_bear_their_engines_and_motion_gets_the_still_where_it_begins_from_it(tmp_path: Path) -> None:
    ready = machine(tmp_path, "sdxl_base", "sovits")
    calls = calls_of(beach(), draw_up(beach(), FULL, ready, HasVoices(("luca", "gpt_sovits"))), preset="high")
    assert calls["s1.still"].engine == "sdxl"
    assert calls["s1.still"].args["rendering"] == {"preset": "high"}
    assert calls["s1.line1"].engine == "gpt_sovits"
    assert calls["s1.motion"].engine == "parallax"
    assert "s1.still" in calls["s1.motion"].needs


def test_the_drafts_calls_are_what_they_were_without_a_lineup(tmp_path: Path) -> None:
    lineup = draw_up(beach(), FULL, machine(tmp_path, gpu=False))
    with_it = calls_of(beach(), lineup, preset="high")
    without = calls_of(beach(), Lineup())
    assert {name: call.args for name, call in with_it.items()} == {name: call.args for name, call in without.items()}


def test_on_a_machine_without_a_gpu_a_named_model_works_on_the_cpu_and_that_is_said(tmp_path: Path) -> None:
    ready = machine(tmp_path, "sdxl_base", gpu=False)
    assert draw_up(beach(), FULL, ready).engine("generate_image") == "draft"
    lineup = draw_up(beach(), FULL, ready, wishes={"generate_image": "sdxl"})
    assert lineup.engine("generate_image") == "sdxl"
    assert lineup.engine("animate_shot") == "parallax"
    told = tell_lineup(lineup, beach(), Replies("en"))
    assert "No GPU was found: sdxl will work on the CPU, which takes minutes a piece." in told


def test_a_slip_of_the_pen_is_told_what_was_meant_and_only_what_concerns_its_tool(tmp_path: Path) -> None:
    ready = machine(tmp_path)
    with pytest.raises(InvalidInput, match=r"Did you mean sdxl\?"):
        read_wishes(["sdlx"], ready.registry)
    with pytest.raises(InvalidInput) as told:
        read_wishes(["generate_image=musicgen"], ready.registry, "STUDIO_ENGINES")
    assert "compose_music" not in str(told.value)
    assert "STUDIO_ENGINES" in str(told.value)


def test_two_engines_for_one_tool_are_refused_and_one_said_twice_is_one(tmp_path: Path) -> None:
    ready = machine(tmp_path)
    assert read_wishes(["draft", "generate_image=draft"], ready.registry) == {"generate_image": "draft"}
    with pytest.raises(InvalidInput, match="generate_image is to be made by sdxl and by draft"):
        read_wishes(["generate_image=sdxl", "draft"], ready.registry)


def test_a_preset_that_there_is_not_is_refused_and_one_that_does_nothing_is_said(tmp_path: Path) -> None:
    check_preset("")
    check_preset("master")
    with pytest.raises(InvalidInput, match=r"there is no preset 'standart'.*Did you mean standard\?"):
        check_preset("standart")
    drawn = draw_up(beach(), FULL, machine(tmp_path))
    assert "The preset high does nothing here" in tell_lineup(drawn, beach(), Replies("en"), "high")[-1]
    painted = draw_up(beach(), FULL, machine(tmp_path, "sdxl_base"))
    for lineup, preset in ((drawn, ""), (painted, "high")):
        assert "preset" not in " ".join(tell_lineup(lineup, beach(), Replies("en"), preset))


def test_how_slow_it_will_be_is_told_before_it_is_made_alone(tmp_path: Path) -> None:
    ready = machine(tmp_path, "sdxl_base", gpu=False)
    lineup = draw_up(beach(), ["image"], ready, wishes={"generate_image": "sdxl"})
    told = [" ".join(tell_lineup(lineup, beach(), Replies("en"), made=made)) for made in (False, True)]
    assert ["will work on the CPU" in one for one in told] == [True, False]
    assert "pictures by sdxl" in told[1]


def test_a_model_that_was_moved_away_is_missed_before_anything_is_made(tmp_path: Path) -> None:
    lay = tmp_path / "downloads"
    lay.mkdir()
    ready = machine(tmp_path, "sdxl_base")
    record = ModelRecord(kind="path", path=str(lay), files={"a": KnownFile(bytes=1, sha256="0" * 64)} | {
        "b": KnownFile(bytes=1, sha256="0" * 64)
    })  # fmt: skip
    ready._shelf.keep("sdxl_base", record)
    lay.rmdir()
    with pytest.raises(MissingPrerequisite, match="is gone from") as told:
        draw_up(beach(), ["image"], ready, wishes={"generate_image": "sdxl"})
    assert told.value.command == "studio models path sdxl_base PATH"
