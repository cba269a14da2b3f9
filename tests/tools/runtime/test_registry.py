from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.choosing import OPTIONAL
from configs.engines import load_engines
from configs.profiles import Profile
from tests.tools.runtime.conftest import ALLOW, ENGINES, tiny
from tools.base import Call
from tools.errors import InvalidInput, MissingPrerequisite
from tools.registry import Registry, values_at

MINIMAL = """
stacks: {{core: {{about: x}}}}
tools:
  {tool}:
    tool: {path}
    engines:
      scribe: {{engine: "{engine}", about: x, device: cpu, licence: MIT{more}}}
"""


def write(folder: Path, tool: str = "tiny", path: str = "tests.tools.runtime.tiny:Tiny",
          engine: str = "tests.tools.runtime.tiny:Scribe", more: str = "") -> Path:  # fmt: skip
    file = folder / "engines.yaml"
    file.write_text(MINIMAL.format(tool=tool, path=path, engine=engine, more=more))
    return file


def test_the_product_lists_its_tools_with_schemas_a_model_can_call() -> None:
    registry = Registry.load()
    specs = {spec.name: spec for spec in registry.tools()}
    assert set(specs) == {
        "generate_image", "compare_faces", "see_picture", "animate_shot", "lip_sync", "edit_video", "synthesize_speech",
        "compose_music", "make_ambience", "mix_sound", "transcribe", "write_subtitles", "review_artifact",
    }  # fmt: skip
    function = specs["synthesize_speech"].function
    assert function["type"] == "function"
    assert function["function"]["name"] == "synthesize_speech"
    assert function["function"]["description"].startswith("Say one line in a character's voice.")
    assert set(function["function"]["parameters"]["required"]) == {"text", "character"}
    assert function["function"]["parameters"]["additionalProperties"] is False
    json.dumps([spec.function for spec in specs.values()])


def test_loading_the_registry_and_its_schemas_imports_no_engine() -> None:
    code = (
        "import sys; from tools.registry import Registry; r = Registry.load(); r.tools(); r.pick('generate_image')\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'skia', 'av', 'scipy', 'torch', 'numpy'}))\n"
        "print('tools.image.draft' in sys.modules, 'tools.image.tool' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ENGINES.parents[3]
    )
    assert done.stdout.split("\n")[:2] == ["[]", "False True"]


def test_every_engine_of_the_product_is_there_and_fits_its_entry() -> None:
    """In a process of its own, as a worker would."""
    code = (
        "from tools.registry import Registry\nfrom tools.runtime.workers.construct import construct\n"
        "r = Registry.load()\n"
        "for t in r.tools():\n"
        "    for e in r.engines(t.name):\n"
        "        x = construct(e.path, ('tools.',))\n"
        "        assert (x.name, x.tool) == (e.name, t.tool), (e, x.name, x.tool)\n"
        "        assert x.version, e\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ENGINES.parents[3])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"engine": "os:system"}, "modules under tools., tests. only"),
        ({"engine": "toolsmith.evil:X"}, "modules under tools., tests. only"),
        ({"engine": "tools.nowhere:X"}, "there is no module tools.nowhere"),
        ({"engine": "tools.nowhere.deeper:X"}, "there is no module"),
        ({"engine": "tools.image.draft"}, ":7: tools.tiny.engines.scribe.engine"),
        ({"engine": "tools..x:Y"}, "String should match pattern"),
        ({"engine": "tools.x:Y.z"}, "String should match pattern"),
        ({"more": ", stack: moon"}, "names the stack 'moon'; there are core"),
        ({"more": ", device: tpu"}, "device"),
        ({"more": ", silence_s: 0"}, "silence_s"),
        ({"more": ", colour: red"}, "colour"),
        ({"tool": "Bad Name"}, "tools.Bad Name"),
    ],
)  # fmt: skip
def test_what_is_invalid_fails_when_it_is_loaded(tmp_path: Path, change: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Registry.load(write(tmp_path, **change), allow=ALLOW)
    assert says in str(caught.value)
    assert "engines.yaml" in str(caught.value)


def test_test_modules_are_accepted_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"modules under tools\. only"):
        Registry.load(write(tmp_path))
    assert Registry.load(write(tmp_path), allow=ALLOW).tool("tiny").name == "tiny"


@pytest.mark.parametrize(
    ("tool", "path", "says"),
    [
        ("tiny", "tests.tools.runtime.tiny:Nobody", "has no class Nobody"),
        ("tiny", "tests.tools.runtime.tiny:Impostor", "is not a tools.base.Tool"),
        ("other", "tests.tools.runtime.tiny:Tiny", "calls itself 'tiny'"),
    ],
)
def test_a_tool_that_breaks_the_contract_fails_when_it_is_registered(
    tmp_path: Path, tool: str, path: str, says: str
) -> None:
    registry = Registry.load(write(tmp_path, tool=tool, path=path), allow=ALLOW)
    with pytest.raises(InvalidInput, match=says):
        registry.tools()


def test_the_first_engine_the_machine_allows_is_the_default(registry: Registry) -> None:
    assert registry.pick("tiny").name == "scribe"
    assert registry.pick("tiny", "copyist").name == "copyist"
    preferring = Registry.load(ENGINES, Profile(about="x", budget_gb=0, engines={"tiny": ["copyist"]}), ALLOW)
    assert preferring.pick("tiny").name == "copyist"


def test_a_named_engine_is_never_replaced_in_silence(registry: Registry) -> None:
    with pytest.raises(InvalidInput, match=r"tiny has no engine 'scrib'. Did you mean 'scribe'\? There are: scribe,"):
        registry.pick("tiny", "scrib")


def test_a_tool_with_gpu_engines_alone_says_so_on_a_machine_without_one(tmp_path: Path) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text().replace("device: cpu", "device: gpu"))
    with pytest.raises(MissingPrerequisite, match="needs a GPU"):
        Registry.load(file, allow=ALLOW).pick("tiny")
    assert Registry.load(file, Profile(about="x", budget_gb=15.5), ALLOW).pick("tiny").name == "scribe"


def test_a_profile_cannot_name_an_engine_that_is_not_there() -> None:
    with pytest.raises(InvalidInput, match="the profile prefers tiny/sdxl"):
        Registry.load(ENGINES, Profile(about="x", budget_gb=1, engines={"tiny": ["sdxl"]}), ALLOW)


def test_errors_of_arguments_name_call_and_field(registry: Registry) -> None:
    def problem(call: Call) -> str:
        with pytest.raises(InvalidInput) as caught:
            registry.validate(call)
        return str(caught.value)

    assert problem(Call(id="c", tool="tyni", args={})).startswith("c: there is no tool 'tyni'. Did you mean 'tiny'?")
    assert problem(Call(id="c", tool="tiny", args={})).startswith("c.text: Field required")
    assert problem(tiny("c", colour=1)).startswith("c.colour: Extra inputs")
    assert problem(tiny("c", deed="fly")).startswith("c.deed: Input should be 'work'")
    assert problem(tiny("c", seconds="long", trim="x")).endswith("(and 1 more)")
    assert problem(tiny("c", engine="xx")).startswith("c: tiny has no engine 'xx'.")


def test_predicted_seconds_grow_with_the_arguments(registry: Registry) -> None:
    spec = registry.pick("tiny")
    assert spec.predicted_s({}) == pytest.approx(0.1)
    assert spec.predicted_s({"seconds": 2.0, "needs": [1, 2, 3]}) == pytest.approx(2.13)
    shot = Registry.load().pick("animate_shot")
    assert shot.predicted_s({"shot": {"duration_s": 8.0}}) > shot.predicted_s({"shot": {"duration_s": 2.0}})


def test_values_at_goes_through_lists() -> None:
    data = {"shots": [{"control": [{"image": "a"}, {"image": "b"}]}, {"control": []}, {"control": [{"image": "c"}]}]}
    assert list(values_at(data, "shots.control.image")) == ["a", "b", "c"]
    assert list(values_at(data, "shots.nothing")) == []


def test_the_products_file_is_read_without_complaint() -> None:
    entries = load_engines()
    first = {name: next(iter(tool.engines.values())) for name, tool in entries.tools.items()}
    # What a scene goes without has no embedded engine: all else is made on any machine.
    assert {name for name, engine in first.items() if not engine.embedded} == set(OPTIONAL)
