"""A folder of one's own: its characters, places, tools and engines beside the studio's, in the agent and in workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.own_folder import check_own, tell_own
from agent.wiring import create_context
from configs.characters import load_characters, sheet_file
from configs.engines import load_engines
from configs.loras import load_loras
from configs.own import OWN_VARIABLE, allowed_modules, open_own_package, own_folder, with_own_engines
from configs.settings import Settings
from configs.voices import load_voices
from configs.yaml_file import YamlProblem
from tools.base import Call
from tools.errors import InvalidInput
from tools.layout.casting import known_looks
from tools.layout.digest import pack_digest
from tools.layout.places import load_place, own_place_words, place_ids
from tools.layout.places.place import PACK
from tools.registry import Registry
from tools.runtime.workers.pool import WorkerPool
from tools.runtime.workers.spawn import worker_environment
from tools.storyboard import Look
from tools.voice.casting import cast_voice

SHEET = """
characters:
  - id: rosa
    name: Rosa Bellini
    aliases: [nonna]
    description: grandmother with glasses
    look: {age: elder, gender: girl, hair: bun}
"""
TOOL = '''
from tools.base import Engine, Tool, ToolInput, ToolOutput

class Shout(Tool):
    """Say a text loudly."""
    name = "shout"
    class Input(ToolInput):
        text: str
    class Output(ToolOutput):
        file: str

class Capitals(Engine[Shout.Input, Shout.Output]):
    tool, name, version = Shout, "capitals", "1"
    def run(self, args, ctx):
        (ctx.out / "shout.txt").write_text(args.text.upper())
        return Shout.Output(file="shout.txt")
'''
ENGINES = """
tools:
  shout:
    tool: own_tools.loud:Shout
    engines:
      capitals: {engine: "own_tools.loud:Capitals", about: capital letters, device: cpu, licence: MIT}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mine"
    (folder / "places").mkdir(parents=True)
    (folder / "own_tools").mkdir()
    monkeypatch.setenv(OWN_VARIABLE, str(folder))
    monkeypatch.delitem(sys.modules, "own_tools", raising=False)
    return folder


def test_without_the_variable_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OWN_VARIABLE, raising=False)
    assert own_folder() is None
    assert allowed_modules() == ("tools.",)
    assert own_place_words() == {}
    assert with_own_engines(load_engines()) == load_engines()
    assert "rosa" not in load_characters()


def test_loras_of_the_folder_stand_for_those_of_the_studio(own: Path) -> None:
    before = load_loras()
    assert before.loras["luca"].file == ""
    entry = "{about: mine, kind: character, file: weights/luca.safetensors, weight: 0.5}"
    (own / "loras.yaml").write_text(f"loras:\n  luca: {entry}\n  rosa: {{about: hers, kind: character}}\n")
    found = load_loras().loras
    assert found["luca"].file == str(own / "weights" / "luca.safetensors")
    assert found["luca"].weight == 0.5
    assert found["rosa"].file == ""
    assert found["alberto"] == before.loras["alberto"]
    (own / "loras.yaml").write_text("loras:\n  luca: {kind: character}\n")
    with pytest.raises(YamlProblem, match=r"loras\.yaml.*about"):
        load_loras()


def test_a_folder_that_is_not_there_is_an_error_and_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN_VARIABLE, "/nowhere/at/all")
    with pytest.raises(YamlProblem, match="STUDIO_OWN: there is no folder"):
        load_characters()
    with pytest.raises(InvalidInput, match="there is no folder"):
        Registry.load()


def test_a_character_joins_the_cast(own: Path) -> None:
    plain = pack_digest()
    (own / "characters.yaml").write_text(SHEET)
    assert load_characters()["rosa"].name == "Rosa Bellini"
    assert next(iter(load_characters())) == "luca", "the studio's cast stays first"
    assert known_looks()["rosa"].hair == "bun"
    assert sheet_file("rosa") == own / "characters.yaml"
    assert sheet_file("luca").name == "characters.yaml"
    assert sheet_file("luca") != sheet_file("rosa")
    assert pack_digest() != plain, "pictures are made again when the folder changes"


def test_a_sheet_with_a_known_id_takes_its_place(own: Path) -> None:
    (own / "characters.yaml").write_text(SHEET.replace("id: rosa", "id: luca").replace("nonna", "luca"))
    assert load_characters()["luca"].name == "Rosa Bellini"


def test_a_name_that_would_mean_two_is_told_with_the_folders_file(own: Path) -> None:
    (own / "characters.yaml").write_text(SHEET.replace("nonna", "giulia"))
    with pytest.raises(YamlProblem, match=r"mine/characters\.yaml: 'giulia' names both"):
        load_characters()


def test_a_look_that_is_none_is_told_with_its_line(own: Path) -> None:
    (own / "characters.yaml").write_text(SHEET.replace("look: {age: elder", "look: {age: ancient"))
    with pytest.raises(InvalidInput, match=r"mine/characters\.yaml:7"):
        known_looks()


def test_a_look_that_cannot_be_drawn_is_told_before_anything_is_with_file_line_and_field(own: Path) -> None:
    sheets = own / "characters.yaml"
    for wrong, field in (("hair: bun, skin: purplish", "skin"), ("hair: buns", "hair"), ("hair: 3", "hair")):
        sheets.write_text(SHEET.replace("id: rosa", 'id: "rosa"  # hers').replace("hair: bun", wrong))
        with pytest.raises(InvalidInput, match=rf"^{sheets}:7: look of rosa: {field}: ") as caught:
            create_context(Settings())
        assert tell_own() == ({OWN_VARIABLE: f"broken: {caught.value}"}, False)
    sheets.write_text(SHEET)
    create_context(Settings())
    assert check_own() == {"characters": "rosa"}


def test_a_place_that_is_wrong_is_told_before_anything_is_drawn(own: Path) -> None:
    (own / "places" / "tower.yaml").write_text("name: tower\n")
    with pytest.raises(InvalidInput, match=r"tower\.yaml"):
        check_own()


def test_a_sheet_names_the_voice_of_its_character(own: Path) -> None:
    (own / "characters.yaml").write_text(f"{SHEET}    voice: grandmother\n")
    with pytest.raises(InvalidInput, match=r"characters\.yaml:8: voice of rosa: there is no voice 'grandmother';"):
        check_own()
    (own / "voices.yaml").write_text(
        "voices:\n  grandmother: {description: old and warm, timbre: modal, pitch: 170, rate: 120}\n"
    )
    assert check_own() == {"characters": "rosa", "voices": "grandmother"}
    book = load_voices()
    assert cast_voice(book, "rosa", Look()).label == "grandmother"
    assert cast_voice(book, "luca", Look()).label == "luca", "the studio's own keep theirs"
    (own / "characters.yaml").write_text(f"{SHEET}    voice: giulia\n")
    assert cast_voice(load_voices(), "rosa", Look()).voice == book.voices["giulia"], "one of the studio's does, too"
    (own / "characters.yaml").write_text(SHEET)
    assert cast_voice(load_voices(), "rosa", Look(age="elder", gender="girl")).label.split("-")[0] in book.voices
    (own / "voices.yaml").write_text("voices:\n  grandmother: {description: old, timbre: velvet, pitch: 170}\n")
    with pytest.raises(InvalidInput, match=r"voices\.yaml:2: grandmother: there is no timbre 'velvet'; there are "):
        check_own()


def test_a_place_is_drawn_and_its_words_are_understood(own: Path) -> None:
    from agent.planners.base import PlanRequest
    from agent.planners.offline.planner import OfflinePlanner

    text = (PACK / "beach.yaml").read_text().replace("name: the beach", "name: the old tower")
    head, _, rest = text.partition("aliases:")
    (own / "places" / "tower.yaml").write_text(f"{head}aliases: [watchtower]\n{rest.partition(chr(10))[2]}")
    assert "tower" in place_ids()
    assert load_place("tower").name == "the old tower"
    assert own_place_words() == {"tower": ["old tower", "tower", "watchtower"]}
    planner = OfflinePlanner()
    for words in ("Luca at the watchtower", "Luca at the old tower", "Luca alla watchtower"):
        request = PlanRequest(text=words)
        board = planner.compose(planner.understand(request), request).storyboard
        assert {shot.location for shot in board.shots} == {"tower"}, words


def test_a_place_is_read_again_when_its_file_changed(own: Path) -> None:
    import os

    path = own / "places" / "tower.yaml"
    path.write_text((PACK / "beach.yaml").read_text())
    before = load_place("tower").name
    path.write_text(path.read_text().replace(f"name: {before}", "name: the dunes"))
    os.utime(path, ns=(1, 1))
    assert load_place("tower").name == "the dunes"


def test_a_tool_and_its_engine_run_in_a_worker(own: Path, tmp_path: Path) -> None:
    from tools.runtime.executor import Executor
    from tools.runtime.storage.production import Production

    (own / "engines.yaml").write_text(ENGINES)
    (own / "own_tools" / "loud.py").write_text(TOOL)
    before = list(sys.path)
    registry = Registry.load()
    assert sys.path == before
    assert registry.tool("shout").description == "Say a text loudly."
    production = Production.at(tmp_path / "made", "r")
    with WorkerPool(1, registry.stacks) as pool, production.lock():
        call = Call(id="one", tool="shout", args={"text": "basta"})
        artifact = Executor(registry, production.store, pool).run([call])["one"]
    assert not isinstance(artifact, Exception), artifact
    assert artifact.file("shout.txt").read_text() == "BASTA"


def test_without_the_variable_a_worker_makes_nothing_of_it(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the same class, where nobody named the folder."""
    from tools.runtime.workers.construct import construct

    (own / "own_tools" / "loud.py").write_text(TOOL)
    assert type(construct("own_tools.loud:Capitals", allowed_modules())).__name__ == "Capitals"
    monkeypatch.delenv(OWN_VARIABLE)
    with pytest.raises(InvalidInput, match=r"modules under tools\. only"):
        construct("own_tools.loud:Capitals", allowed_modules())
    with pytest.raises(InvalidInput):
        construct("own_tools.loud:Capitals", ("own_tools.",))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("own_tools.loud:Shout", "os.path:Shout"), "is not in own_tools/"),
        (("own_tools.loud:Capitals", "subprocess:Popen"), "is not in own_tools/"),
        (("device: cpu", "device: cpu, stack: nothing"), "no stack 'nothing'"),
        (("  shout:", "  generate_image:"), "is the studio's tool"),
        (("  shout:", "  Shout!:"), "Shout!"),
    ],
)
def test_what_may_not_be_named_is_refused(own: Path, change: tuple[str, str], problem: str) -> None:
    (own / "own_tools" / "loud.py").write_text(TOOL)
    (own / "engines.yaml").write_text(ENGINES.replace(*change))
    with pytest.raises(YamlProblem, match=problem):
        with_own_engines(load_engines())
    with pytest.raises(InvalidInput):
        Registry.load()


def test_an_engine_joins_a_tool_of_the_studio_last(own: Path) -> None:
    entry = ENGINES.replace("shout:", "generate_image:").replace(
        "own_tools.loud:Shout", "tools.image.tool:GenerateImage"
    )
    (own / "engines.yaml").write_text(entry)
    (own / "own_tools" / "loud.py").write_text(TOOL)
    registry = Registry.load()
    assert [one.name for one in registry.engines("generate_image")][-1] == "capitals"
    assert registry.pick("generate_image").name == "draft", "one's own engine is used where it is named"
    (own / "engines.yaml").write_text(entry.replace("capitals:", "draft:"))
    with pytest.raises(InvalidInput, match="has an engine draft already"):
        Registry.load()


def test_the_folder_stands_for_no_other_module(own: Path) -> None:
    """A `json.py` in it would be found first, were the folder on a worker's path."""
    (own / "json.py").write_text("raise SystemExit(3)")
    (own / "own_tools" / "loud.py").write_text(TOOL)
    kept = worker_environment({OWN_VARIABLE: str(own), "PATH": "/bin"})
    assert str(own) not in kept["PYTHONPATH"]
    code = "from configs.own import open_own_package; open_own_package(); import json, own_tools.loud; print('fine')"
    done = subprocess.run([sys.executable, "-P", "-c", code], env=kept, capture_output=True, text=True, timeout=60)
    assert done.stdout == "fine\n", done.stderr


def test_another_folder_in_the_same_process(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    (own / "own_tools" / "loud.py").write_text("WHO = 1")
    open_own_package()
    assert importlib.import_module("own_tools.loud").WHO == 1
    other = tmp_path / "other" / "own_tools"
    other.mkdir(parents=True)
    (other / "loud.py").write_text("WHO = 2")
    monkeypatch.setenv(OWN_VARIABLE, str(other.parent))
    open_own_package()
    assert importlib.import_module("own_tools.loud").WHO == 2


def test_a_class_that_is_not_there_is_told_with_the_file_that_names_it(own: Path) -> None:
    (own / "engines.yaml").write_text(ENGINES.replace("own_tools.loud", "own_tools.gone"), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"there is no module own_tools\.gone") as problem:
        Registry.load()
    assert str(own / "engines.yaml") in str(problem.value)
