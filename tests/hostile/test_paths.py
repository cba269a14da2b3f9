"""Every string that could become a path, with strings that lead elsewhere: nothing outside changes, nothing is told.

The jail of `tests.hostile.paths` is compared with itself before and after. The twins join names naively, or follow a
link that was put in a folder's place meanwhile, and must be found out. `STUDIO_FULL=1` tries more of everything.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.publishing import exports, keep_storyboard
from configs.yaml_file import YamlProblem
from tests.agent.boards import beach, line, shot
from tests.hostile.paths import SECRET, Jail, hostile_names, jail_in
from tests.tools.runtime.storage.test_store import put
from tools.errors import InvalidInput, ToolError
from tools.runtime.storage.production import Production
from tools.storyboard import load_storyboard, save_storyboard

FULL = bool(os.environ.get("STUDIO_FULL"))
NAMES = 1500 if FULL else 25
COMMANDS: dict[str, tuple[str, ...]] = {
    "show": ("show", "{}"),
    "trace": ("trace", "{}"),
    "voice remove": ("voice", "remove", "{}", "xtts"),
    "voice remove kind": ("voice", "remove", "luca", "{}"),
    "voice check": ("voice", "check", "{}"),
    "voice add": ("voice", "add", "{}", "--kind", "parler", "--description", "a boy"),
    "models path": ("models", "path", "{}", "model.safetensors"),
    "models remove": ("models", "remove", "{}"),
    "models check": ("models", "check", "{}"),
    "models pull": ("models", "pull", "{}"),
    "stacks remove": ("stacks", "remove", "{}"),
    "stacks check": ("stacks", "check", "{}"),
    "knowledge remove": ("knowledge", "remove", "{}"),
    "jobs show": ("jobs", "show", "{}"),
    "jobs add": ("jobs", "add", "{}"),
    "jobs cancel": ("jobs", "cancel", "{}"),
    "jobs retry": ("jobs", "retry", "{}"),
    "thoughts": ("trace", "--thoughts", "{}"),
    "lessons": ("knowledge", "lessons", "--forget", "{}"),
    "voice say": ("voice", "say", "{}", "Ciao"),
    "mcp inspect": ("mcp", "inspect", "{}"),
    "engine": ("plan", "a beach with Luca", "--engine", "{}"),
    "thread": ("plan", "a beach with Luca", "--thread", "{}"),
    "request": ("plan", "make a scene called {} with Luca at {}"),
    "name": ("plan", "a beach with a boy named {}"),
}
"""Names that are no files of the person's own, by the command that takes them."""


def typed(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says; it may refuse, and must not break."""
    from agent.cli import main

    monkeypatch.setattr(sys, "argv", ["studio", *words])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return told.out + told.err


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_leads_elsewhere(
    command: str, jail: Jail, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "voice say":
        # What is said is put where the person stands, under the name of who says it.
        monkeypatch.chdir(jail.productions)
    # To plan a scene takes a second, to refuse a name some milliseconds.
    times = (60 if FULL else 1) if COMMANDS[command][0] == "plan" else (300 if FULL else 4)

    @settings(
        max_examples=times, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(name=hostile_names(jail).filter(lambda text: "\0" not in text and not text.startswith("-")))
    def tried(name: str) -> None:
        # An argument of a program holds no zero byte and no half of a character; options are another thing.
        plain = name.encode("utf-8", "replace").decode()
        said = typed([word.replace("{}", plain) for word in COMMANDS[command]], monkeypatch, capsys)
        assert SECRET not in said

    tried()


def strings_of(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a storyboard strings stand."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        if isinstance(value, str):
            yield (*at, key)
        else:
            yield from strings_of(value, (*at, key))


def changed(data: Any, at: tuple[Any, ...], value: str) -> Any:
    head, *rest = at
    if isinstance(data, dict):
        return {**data, head: changed(data[head], tuple(rest), value) if rest else value}
    return [changed(one, tuple(rest), value) if rest and n == head else one for n, one in enumerate(data)]


def drawn_up(path: Path, jail: Jail) -> None:
    """All that becomes of a storyboard on disk, without drawing: its folder, its files by name."""
    board = load_storyboard(path)
    production = Production.claim(jail.productions, _slug(board.title), "r")
    keep_storyboard(production, board)
    keep_storyboard(production, board.model_copy(update={"title": "Another"}))
    try:
        made = put(production.store)
        for one in board.shots:
            for call in (f"{one.id}.still", f"{one.id}.line1", f"v2.{one.id}.still"):
                for tool in ("generate_image", "synthesize_speech", "compose_music"):
                    record = made.record.model_copy(
                        update={"tool": tool, "output": {"image": "text.txt", "file": "text.txt"}}
                    )
                    for _, file, name in exports(call, made.__class__(made.path, record)):
                        with suppress(InvalidInput):
                            production.export(made, file, name)
    finally:
        production.store.close()


def _slug(title: str) -> str:
    from tools.storyboard import slugify

    return slugify(title)


def test_no_string_of_a_storyboard_leads_elsewhere(jail: Jail) -> None:
    whole = jail.productions / "board.yaml"
    board = beach(shot("s1", "luca", dialogue=[line("luca", "Ciao!", language="it")]), shot("s2", location="forest"))
    save_storyboard(board, whole)
    data = yaml.safe_load(whole.read_text(encoding="utf-8"))
    places = list(strings_of(data))
    assert len(places) > 10, "the control"
    seen = {"drawn up": 0, "refused": 0}

    @settings(max_examples=NAMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(at=st.sampled_from(places), name=hostile_names(jail))
    def tried(at: tuple[Any, ...], name: str) -> None:
        text = yaml.safe_dump(changed(data, at, name), allow_unicode=True)
        path = jail.productions / "changed.yaml"
        path.write_bytes(text.encode("utf-8", "replace"))
        try:
            drawn_up(path, jail)
            seen["drawn up"] += 1
        except (ToolError, YamlProblem):
            seen["refused"] += 1

    tried()
    assert min(seen.values()) > 3, f"the control: some are drawn up, some refused: {seen}"


def test_no_argument_of_a_function_leads_elsewhere(jail: Jail) -> None:
    """What a chat model or an MCP client calls, with hostile strings for every argument that is a string."""
    from dataclasses import replace

    from agent.functions.desk import Desk
    from agent.functions.offer import studio_functions
    from agent.functions.table import FunctionTable
    from agent.wiring import create_context
    from configs.settings import Settings
    from tests.agent.fakes import FakeToolbox

    own = Settings()
    at = Desk(replace(create_context(own), toolbox=FakeToolbox(own)))
    functions = {one.name: one for one in studio_functions()}
    schemas = {name: one.schema()["function"]["parameters"] for name, one in functions.items()}
    slots = [
        (name, field) for name, schema in schemas.items() for field, kind in schema.get("properties", {}).items()
        if "string" in str(kind.get("type")) or "anyOf" in kind
    ]  # fmt: skip
    assert len(slots) > 8, "the control"

    @settings(max_examples=NAMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(slot=st.sampled_from(slots), name=hostile_names(jail))
    def tried(slot: tuple[str, str], name: str) -> None:
        table = FunctionTable(list(functions.values()), at, allowed=frozenset(functions), root=at.productions)
        needed = dict.fromkeys(schemas[slot[0]].get("required", ()), "a beach with Luca")
        for seen in table.run([{"name": slot[0], "args": {**needed, slot[1]: name}, "id": "1"}]):
            assert SECRET not in f"{seen.text} {seen.data}"

    tried()


def test_no_name_within_the_stores_leads_elsewhere(jail: Jail) -> None:
    from agent.functions.desk import Desk
    from agent.mcp.resources import ShownFiles
    from agent.shelf import Shelf
    from agent.wiring import create_context
    from agent.workbench import thoughts_of
    from configs.settings import Settings
    from tools.voice.shelf import VoiceShelf

    production = Production.claim(jail.productions, "beach", "r")
    artifact = put(production.store)
    shelf, voices = Shelf(jail.studio / "shelf"), VoiceShelf(jail.studio / "voices")
    at = Desk(create_context(Settings()))
    shown = ShownFiles(jail.productions)
    roads: list[Callable[[str], Any]] = [
        lambda name: production.export(artifact, "text.txt", name),
        lambda name: production.take_down(artifact, "text.txt", name),
        lambda name: Production.claim(jail.productions, name, "r2"),
        lambda name: Production.open(jail.productions, name),
        lambda name: artifact.file(name).read_bytes(),
        lambda name: production.store.get(name),
        lambda name: shelf.get(name),
        lambda name: voices.get(name, "xtts"),
        lambda name: voices.remove("luca", name),
        lambda name: at.file(name).read_bytes(),
        lambda name: production.export(artifact, "text.txt", f"extra/{name}/text.txt"),
        lambda name: str(thoughts_of(Settings(), name)).encode(),
        lambda name: shown.find(f"studio://production/{name}").path.read_bytes(),
        lambda name: shown.find(f"studio://production/beach/{name}").path.read_bytes(),
    ]

    @settings(max_examples=NAMES * 2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(road=st.sampled_from(roads), name=hostile_names(jail))
    def tried(road: Callable[[str], Any], name: str) -> None:
        with suppress(ToolError):
            found = road(name)
            assert not isinstance(found, bytes) or SECRET.encode() not in found

    tried()
    production.store.close()


def test_the_twin_that_joins_names_is_found_out(tmp_path: Path) -> None:
    made = jail_in(tmp_path)
    before = made.outside()
    escaped = []

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(name=hostile_names(made))
    def tried(name: str) -> None:
        with suppress(OSError, ValueError):
            (made.productions / name).write_text("here I am", encoding="utf-8")
            if made.outside() != before:
                escaped.append(name)

    tried()
    assert len(escaped) > 3


CALLS = ("open", "mkdir", "link", "rename", "replace", "unlink", "fsync")


def swapped(production: Production, elsewhere: Path, at: int, write: Callable[[str], object]) -> bool:
    """Write a file, while somebody puts a link in its folder's place just before the operation of that number.

    Returns:
        Whether there was such an operation.
    """
    folder = production.path / "stills"
    folder.mkdir(exist_ok=True)
    real = {name: getattr(os, name) for name in CALLS}
    left = at

    def before(name: str) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                real["rename"](folder, folder.with_name("away"))
                folder.symlink_to(elsewhere, target_is_directory=True)
            return real[name](*args, **named)

        return call

    with mock.patch.multiple(os, **{name: before(name) for name in CALLS}), suppress(ToolError, OSError):
        write("stills/s1.txt")
    if left <= 0:
        folder.unlink()
        shutil.rmtree(folder.with_name("away"))
    return left <= 0


def naive_export(production: Production, source: Path, name: str) -> None:
    """The twin: looks whether the folder lies inside, and writes by name afterwards."""
    target = production.path / name
    if not target.parent.resolve().is_relative_to(production.path.resolve()):
        raise InvalidInput("leads out of the production by a link")
    temp = target.with_name(".s1.tmp")
    os.link(source, temp)
    os.replace(temp, target)


def test_a_folder_swapped_for_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    production = Production.claim(tmp_path / "p", "beach", "r")
    artifact = put(production.store)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moments = 0
    while swapped(production, elsewhere, moments + 1, lambda name: production.export(artifact, "text.txt", name)):
        moments += 1
        assert not list(elsewhere.iterdir()), f"at operation {moments}"
    assert moments >= 5, "the control: there were moments"
    source = artifact.file("text.txt")
    assert swapped(production, elsewhere, 1, lambda name: naive_export(production, source, name))
    assert [one.name for one in elsewhere.iterdir()] == ["s1.txt"]
    production.store.close()


PATHLIKE = re.compile(r"(image|file|path|folder|model|picture)$")


def named_by_path(node: dict[str, Any], defs: dict[str, Any], at: str = "") -> Iterator[str]:
    """Dotted paths of the free strings in a schema whose names say that they are paths."""
    if "$ref" in node:
        yield from named_by_path(defs[node["$ref"].rpartition("/")[2]], defs, at)
    for one in [*node.get("anyOf", []), *([node["items"]] if "items" in node else [])]:
        yield from named_by_path(one, defs, at)
    for name, one in node.get("properties", {}).items():
        yield from named_by_path(one, defs, f"{at}.{name}".lstrip("."))
    if node.get("type") == "string" and not {"enum", "const", "pattern"} & node.keys() and PATHLIKE.search(at):
        yield at


def test_no_tool_takes_a_path_that_a_client_of_ours_may_not_name(jail: Jail) -> None:
    """Every argument that is a path is declared in engines.yaml, so that it is held against what may be read."""
    from agent.functions.bench import bench_functions
    from agent.functions.desk import Desk
    from agent.wiring import create_context
    from configs.settings import Settings

    at = Desk(create_context(Settings()))
    registry = at.context.toolbox.registry
    declared = {one.name: {*one.files, *one.weights} for one in registry.tools()}
    schemas = {one.name: one.input_schema for one in registry.tools()}
    found = {name: set(named_by_path(schema, schema.get("$defs", {}))) for name, schema in schemas.items()}
    # The judge is told about a shot, and opens none of the pictures that it was drawn from.
    found["review_artifact"].discard("shot.control.image")
    assert found == declared
    assert sum(map(len, found.values())) >= 8, "the control"
    draw = next(one for one in bench_functions(at) if one.name == "generate_image")
    shot = {"id": "s1", "location": "beach"}
    for name in (str(jail.root / "secret.yaml"), "../../../secret.txt", "link/secret.txt", str(jail.root / "secret")):
        for rendering in ({"loras": [{"file": name}]}, {"controls": [{"kind": "depth", "model": name}]}):
            with pytest.raises(InvalidInput, match="may be read"):
                draw.call(at, {"shot": shot, "width": 64, "height": 64, "rendering": rendering})
    at.context.toolbox.close()
