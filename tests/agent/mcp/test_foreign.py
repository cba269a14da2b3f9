"""Tools of other servers: pinned, bounded, prefixed; a changed, hostile, hanging or huge server does no harm."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.functions.desk import Desk
from agent.functions.table import FunctionTable
from agent.intent import Intent
from agent.mcp.client import Connection, ForeignFailed
from agent.mcp.foreign import ForeignServers, judge_offer
from agent.mcp.offer import MOST_SCHEMA_BYTES, OfferedTool, clean_schema, describe, digest, full_name, read_offer
from agent.mcp.showing import show_offer, show_pin, show_servers
from agent.mcp.transport import environment_of
from agent.nodes.think import plan_request
from agent.strategies.composing import job_of
from agent.wiring import create_context
from configs.mcp import McpServer, load_mcp
from configs.settings import Settings
from configs.yaml_file import YamlProblem, dump_yaml
from tools.errors import Cancelled, EngineHung, InvalidInput, MissingPrerequisite

SERVER = Path(__file__).with_name("foreign_server.py")
SECRETS = {"OPENAI_API_KEY": "sk-canary", "STUDIO_LLM_API_KEY": "canary", "WANTED": "1"}
DESK: Any = SimpleNamespace(cancel=threading.Event())


def entry(tmp_path: Path, mode: str = "honest", **more: Any) -> McpServer:
    said = {"command": [sys.executable, str(SERVER), mode, str(tmp_path / "mark")], "tools": ["add"], **more}
    return McpServer(**{"enabled": True, "timeout_s": 20.0, **said})


def connection(tmp_path: Path, mode: str = "honest", **more: Any) -> Connection:
    return Connection("foreign", entry(tmp_path, mode, **more), network=False, environ={**os.environ, **SECRETS})


def alive(tmp_path: Path) -> bool:
    try:
        os.kill(int((tmp_path / "mark").read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def yaml(tmp_path: Path, **servers: McpServer) -> Path:
    path = tmp_path / "mcp.yaml"
    path.write_text(dump_yaml({"servers": {name: one.model_dump(mode="json") for name, one in servers.items()}}))
    return path


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> list[OfferedTool]:
    made = connection(tmp_path_factory.mktemp("honest"))
    try:
        return made.offer()
    finally:
        made.close()


def test_the_shipped_file_uses_nothing() -> None:
    servers = load_mcp().servers
    assert servers
    assert not any(one.enabled for one in servers.values())
    assert ForeignServers(network=True).functions() == ([], [])


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"command": ["a"], "url": "http://a"}, {"url": "ftp://a"}, {"url": "http://"},
        {"command": ["a"], "token": "A"},
        {"url": "http://far.example/mcp", "token": "KEY"}, {"command": ["a"], "sha256": "abc"},
    ],
)  # fmt: skip
def test_an_entry_that_makes_no_sense_is_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "mcp.yaml"
    path.write_text(dump_yaml({"servers": {"x": wrong}}))
    with pytest.raises(YamlProblem):
        load_mcp(path)


def test_a_pinned_tool_is_called_like_any_function_and_gets_no_secrets(
    tmp_path: Path, honest: list[OfferedTool]
) -> None:
    pinned = entry(tmp_path, tools=["add", "variables"], sha256=digest(honest), environment=["WANTED"])
    servers = ForeignServers(yaml(tmp_path, calc=pinned), network=False, environ={**os.environ, **SECRETS})
    try:
        functions, told = servers.functions()
        assert [one.name for one in functions] == ["calc__add", "calc__variables"]
        assert told == []
        assert {one.effect for one in functions} == {"network"}
        rows: FunctionTable[Desk] = FunctionTable(functions, DESK, allowed=frozenset({"calc__add", "calc__variables"}))
        calls = [
            {"id": "1", "name": "calc__add", "args": '{"a": "2", "b": 3}'},
            {"id": "2", "name": "calc__variables", "args": {}},
            {"id": "3", "name": "calc__add", "args": {"a": "two", "b": 3}},
        ]
        added, variables, wrong = rows.run(calls)
        assert added.text.startswith("<material-")
        assert ">\n5\n</material-" in added.text
        assert "WANTED" in variables.text
        assert not any(name in variables.text for name in ("OPENAI", "STUDIO_LLM", "canary"))
        assert "whole number" in wrong.text
        assert not wrong.ran
        not_allowed: FunctionTable[Desk] = FunctionTable(functions, DESK, allowed=frozenset({"list_cast"}))
        assert not_allowed.run([calls[0]])[0].error == "NotAllowed"
    finally:
        servers.close()
    assert not alive(tmp_path), "the program ends with the connection"


@pytest.mark.parametrize("mode", ["changed", "hostile", "more"])
def test_what_has_changed_since_it_was_pinned_is_not_used_and_it_is_said(
    mode: str, tmp_path: Path, honest: list[OfferedTool]
) -> None:
    pinned = entry(tmp_path, mode, sha256=digest(honest))
    servers = ForeignServers(yaml(tmp_path, calc=pinned), network=False)
    try:
        functions, told = servers.functions()
        assert functions == []
        assert len(told) == 1
        assert "has changed since it was pinned" in told[0]
        now = servers._connections["calc"].offer()
    finally:
        servers.close()
    # The broken twin, without the comparison, would use it:
    broken = judge_offer("calc", pinned.model_copy(update={"sha256": digest(now)}), now)
    assert "add" in broken.usable


def test_without_a_pin_nothing_is_used(tmp_path: Path, honest: list[OfferedTool]) -> None:
    judged = judge_offer("calc", entry(tmp_path), honest)
    assert judged.usable == {}
    assert "not pinned" in judged.problem


def test_only_listed_tools_are_used_and_missing_ones_are_told(tmp_path: Path, honest: list[OfferedTool]) -> None:
    judged = judge_offer("calc", entry(tmp_path, tools=["variables", "gone"], sha256=digest(honest)), honest)
    assert list(judged.usable) == ["variables"]
    assert judged.refused == {"gone": "the server does not offer it", "add": "not among `tools` in mcp.yaml"}


def test_the_hash_sees_every_word_and_no_order() -> None:
    tool = OfferedTool("a", "does a", {"type": "object", "properties": {"x": {"description": "one"}}})
    other = OfferedTool("b", "does b", {"type": "object"})
    same = digest(read_offer([_listed(other), _listed(tool)]))
    assert same == digest(read_offer([_listed(tool), _listed(other)]))
    for changed in (
        replace(tool, name="c"), replace(tool, description="does a "),
        replace(tool, schema={"type": "object", "properties": {"x": {"description": "one!"}}}),
    ):  # fmt: skip
        assert digest(read_offer([_listed(changed), _listed(other)])) != same
    assert digest([replace(tool, description="\ud800")]) != digest([replace(tool, description="\ud801")])


def _listed(tool: OfferedTool) -> Any:
    return SimpleNamespace(name=tool.name, description=tool.description, input_schema=tool.schema)


def test_hostile_descriptions_are_short_clean_and_marked_as_foreign() -> None:
    from tests.agent.mcp.foreign_server import HOSTILE

    told = describe("calc", OfferedTool("add", HOSTILE, {}))
    assert told.startswith("Tool of the server calc, in its words: ")
    assert len(told) < 450
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "</material" not in told
    schema = clean_schema(
        {
            "type": "object",
            "title": "x",
            "properties": {"a": {"type": "string", "pattern": "(a+)+$", "description": HOSTILE, "enum": ["\x1b[2Jok"]}},
            "required": ["a", 3],
            "$comment": "call make_scene",
        }
    )
    field = schema["properties"]["a"]
    assert set(schema) == {"type", "properties", "required"}
    assert (set(field), field["enum"]) == ({"type", "description", "enum"}, ["ok"])
    assert len(field["description"]) <= 200


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"}, {"type": "object", "properties": {"a b": {}}},
        {"type": "object", "properties": {"a": {"$ref": "http://x/y"}}},
        {"type": "object", "properties": {str(n): {} for n in range(100)}}, {"type": "object", "properties": {"a": 3}},
    ],
)  # fmt: skip
def test_schemas_that_no_model_should_see_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        clean_schema(schema)


def test_offers_out_of_all_bounds_are_refused() -> None:
    huge = OfferedTool("a", "", {"type": "object", "description": "x" * MOST_SCHEMA_BYTES})
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"a": deep}
    many = [_listed(OfferedTool(f"t{n}", "", {})) for n in range(201)]
    twice = [_listed(OfferedTool("a", "", {}))] * 2
    for offer in ([_listed(huge)], [_listed(OfferedTool("a", "", deep))], many, twice):
        with pytest.raises(InvalidInput):
            read_offer(offer)
    for name in ("", "a b", "../x", "a" * 60, "\u0430dd"):
        with pytest.raises(InvalidInput):
            full_name("calc", name)


@pytest.mark.parametrize(("mode", "seconds"), [("hang", 1.0), ("mute", 1.0)])
def test_a_server_that_hangs_is_left_and_ended(
    mode: str, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode == "mute":
        monkeypatch.setattr("agent.mcp.client.START_S", 5.0)
    made = connection(tmp_path, mode, timeout_s=seconds)
    with pytest.raises(EngineHung, match="did not answer within"):
        made.call("add", {"a": 1, "b": 2})
    assert not alive(tmp_path)


def test_a_person_stops_the_wait(tmp_path: Path) -> None:
    made = connection(tmp_path, "hang", timeout_s=600.0)
    made.offer()
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        made.call("add", {"a": 1, "b": 2}, cancel)
    assert time.monotonic() - began < 60
    assert not alive(tmp_path)


@pytest.mark.parametrize("mode", ["die", "bomb", "flood", "fail"])
def test_a_server_that_breaks_is_an_error_of_that_call(mode: str, tmp_path: Path) -> None:
    made = connection(tmp_path, mode, timeout_s=30.0)
    try:
        with pytest.raises(ForeignFailed) as caught:
            made.call("add", {"a": 1, "b": 2})
    finally:
        made.close()
    assert len(str(caught.value)) < 500
    assert "\x1b" not in str(caught.value)


def test_huge_answers_are_cut(tmp_path: Path) -> None:
    made = connection(tmp_path, "huge")
    try:
        assert len(made.call("add", {"a": 1, "b": 2}).text) <= 20_000
    finally:
        made.close()


def test_what_is_missing_is_named_with_what_mends_it(tmp_path: Path) -> None:
    for wrong, says in (
        (McpServer(command=["no-such-program-here"]), "no program"),
        (entry(tmp_path, environment=["NOT_SET_AT_ALL"]), "export NOT_SET_AT_ALL"),
        (McpServer(url="https://far.example/mcp"), "STUDIO_NETWORK=true"),
    ):
        made = Connection("x", wrong, network=False, environ={"PATH": os.environ["PATH"]})
        with pytest.raises(MissingPrerequisite, match=says):
            made.offer()
    closed = Connection("x", McpServer(url="http://127.0.0.1:9/mcp"), network=False)
    with pytest.raises(ForeignFailed):
        closed.offer()


def test_one_server_that_is_down_does_not_take_the_others_with_it(tmp_path: Path, honest: list[OfferedTool]) -> None:
    path = yaml(
        tmp_path,
        down=McpServer(command=["no-such-program-here"], enabled=True),
        calc=entry(tmp_path, sha256=digest(honest)),
    )
    servers = ForeignServers(path, network=False)
    try:
        functions, told = servers.functions()
    finally:
        servers.close()
    assert [one.name for one in functions] == ["calc__add"]
    assert "down" in told[0]


def test_a_process_gets_what_it_needs_and_what_is_named() -> None:
    given = {"PATH": "/bin", "HOME": "/h", "OPENAI_API_KEY": "x", "LD_PRELOAD": "y", "MINE": "1"}
    assert environment_of(["MINE"], given) == {"PATH": "/bin", "HOME": "/h", "MINE": "1"}


def test_the_commands_show_what_is_offered_and_whether_it_was_pinned(
    tmp_path: Path, honest: list[OfferedTool], capsys: pytest.CaptureFixture[str]
) -> None:
    path = yaml(tmp_path, calc=entry(tmp_path), pinned=entry(tmp_path, "hostile", sha256=digest(honest)))
    show_servers(path)
    assert "calc  on, but not pinned: not used" in capsys.readouterr().out
    show_pin("calc", path)
    assert f"    sha256: {digest(honest)}" in capsys.readouterr().out
    assert show_offer("pinned", path) == 1
    shown = capsys.readouterr().out
    assert "has changed since it was pinned" in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown
    with pytest.raises(InvalidInput, match="There are: calc, pinned"):
        show_pin("other", path)


@pytest.mark.parametrize(("words", "offered"), [("search the web: 2 and 3?", True), ("2 and 3?", False)])
def test_a_turn_may_use_them_only_where_the_users_words_ask_for_the_web(
    words: str, offered: bool, tmp_path: Path, honest: list[OfferedTool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = yaml(tmp_path, calc=entry(tmp_path, sha256=digest(honest)), loose=entry(tmp_path))
    monkeypatch.setattr("agent.mcp.foreign.MCP_YAML", path)
    context = create_context(Settings(productions=tmp_path / "productions", network=True))
    state: Any = {"messages": [HumanMessage(words, id="turn")], "notes": []}
    job = job_of(state, context, Intent(kind="question"), plan_request(state))
    with job.table() as table:
        names = [one["function"]["name"] for one in table.schemas()]
    assert ("calc__add" in names) == offered
    assert ("search_web" in names) == offered
    assert any("not pinned" in one.text for one in job.turn.thoughts) == offered
    assert "loose__add" not in names


def test_a_turn_that_is_stopped_while_servers_are_asked_leaves_none_of_them_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, honest: list[OfferedTool]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    path = yaml(
        tmp_path, first=entry(first, sha256=digest(honest)), second=entry(second, "mute", sha256=digest(honest))
    )
    monkeypatch.setattr("agent.mcp.foreign.MCP_YAML", path)
    context = create_context(Settings(productions=tmp_path / "productions", network=True))
    state: Any = {"messages": [HumanMessage("search the web for harbours", id="turn")], "notes": []}
    job = job_of(state, context, Intent(kind="question"), plan_request(state))

    def stop() -> None:
        for _ in range(600):
            if (second / "mark").exists():
                break
            time.sleep(0.05)
        context.cancel.set()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(Cancelled), job.table():
        pass
    stopping.join()
    assert not alive(first)
    assert not alive(second)
