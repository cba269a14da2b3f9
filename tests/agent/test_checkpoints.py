"""Conversations on disk: what is torn is told, what is hostile builds nothing, what is long does not pile up."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_POS_ARGS, JsonPlusSerializer

from agent.checkpoints import KEPT_STEPS, KEPT_TURNS, _seal
from agent.context import RunOptions
from agent.wiring import Agent, create_agent, create_context
from configs.settings import Settings
from tools.errors import StorageFailed

CONFIG: Any = {"configurable": {"thread_id": "t"}}


def talk(folder: Path) -> Agent:
    return create_agent(context=create_context(Settings(productions=folder), options=RunOptions(plan_only=True)))


def say(agent: Agent, text: str) -> dict[str, Any]:
    return agent.invoke({"messages": text}, CONFIG)  # type: ignore[no-any-return]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    agent = talk(tmp_path)
    say(agent, "make a beach scene with Luca")
    agent.checkpointer.close()  # type: ignore[union-attr]
    return tmp_path / ".studio" / "threads.sqlite"


def command(folder: str) -> bytes:
    """What a msgpack row looks like that asks for `os.mkdir(folder)`."""
    call = ormsgpack.packb(("os", "mkdir", (folder,)))
    return ormsgpack.packb(ormsgpack.Ext(EXT_CONSTRUCTOR_POS_ARGS, call))


def test_the_poison_works_where_nothing_stops_it(tmp_path: Path) -> None:
    """The control: LangGraph's own serializer, as it comes, does build it."""
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", command(str(tmp_path / "evil"))))
    assert (tmp_path / "evil").is_dir()


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("table", ["checkpoints", "writes"])
def test_a_poisoned_row_builds_nothing(database: Path, tmp_path: Path, table: str, sealed: bool) -> None:
    poison = command(str(tmp_path / "evil"))
    kind = f"msgpack:{_seal('msgpack', poison)}" if sealed else "msgpack"
    column = "checkpoint" if table == "checkpoints" else "value"
    with sqlite3.connect(database) as connection:
        connection.execute(f"UPDATE {table} SET type = ?, {column} = ?", (kind, poison))
    connection.close()
    # LangGraph imported first, as by a program of its own: its switch for strictness is then off.
    script = (
        "import langgraph.checkpoint.serde.jsonplus, sys\n"
        "from pathlib import Path\n"
        "from tests.agent.test_checkpoints import CONFIG, talk\n"
        "agent = talk(Path(sys.argv[1]))\n"
        "for row in agent.checkpointer.list(CONFIG): pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("LANGGRAPH_STRICT_MSGPACK", None)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert not (tmp_path / "evil").exists()
    assert "Blocked deserialization of os.mkdir" in done.stderr if sealed else "StorageFailed" in done.stderr


TEARS: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda data: b"garbage" * len(data),
    "cut short": lambda data: data[: len(data) // 2],
    "a flipped byte in the state": lambda data: data.replace(b"storyboard", b"storybo\xffrd"),
    "another title": lambda data: data.replace(b"beach", b"peach"),
}


@pytest.mark.parametrize("name", TEARS)
def test_a_torn_database_is_told_in_one_line(database: Path, tmp_path: Path, name: str) -> None:
    torn = TEARS[name](database.read_bytes())
    assert torn != database.read_bytes()
    database.write_bytes(torn)
    with pytest.raises(StorageFailed) as caught:
        say(talk(tmp_path), "make it night")
    assert "conversation" in str(caught.value)


def test_a_full_disk_is_told_and_the_conversation_goes_on_afterwards(tmp_path: Path) -> None:
    agent = talk(tmp_path)
    say(agent, "make a beach scene with Luca")
    with agent.checkpointer.cursor() as cursor:  # type: ignore[union-attr]
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFailed, match="Free some space"):
        say(agent, "make it night " * 3000)
    with agent.checkpointer.cursor() as cursor:  # type: ignore[union-attr]
        cursor.execute("PRAGMA max_page_count = 100000")
    assert say(agent, "make it dawn")["storyboard"].shots[0].time_of_day == "dawn"


def test_a_locked_database_is_told(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr("agent.checkpoints.sqlite3.connect", lambda path, **kw: connect(path, **{**kw, "timeout": 0.1}))
    holder = connect(database, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    agent = talk(tmp_path)
    with pytest.raises(StorageFailed, match="locked"):
        say(agent, "make it night")
    holder.execute("ROLLBACK")
    holder.close()
    assert say(agent, "make it night")["storyboard"].shots[0].time_of_day == "night"


def test_a_long_conversation_does_not_pile_up(tmp_path: Path) -> None:
    agent = talk(tmp_path)
    say(agent, "make a beach scene with Luca")
    sizes = []
    for turn in range(1, 41):
        say(agent, "make it night" if turn % 2 else "make it day")
        if turn in (20, 40):
            with agent.checkpointer.cursor() as cursor:  # type: ignore[union-attr]
                count, size = cursor.execute("SELECT count(*), sum(length(checkpoint)) FROM checkpoints").fetchone()
                writes = cursor.execute("SELECT count(DISTINCT checkpoint_id) FROM writes").fetchone()[0]
            assert count <= KEPT_STEPS + KEPT_TURNS + 10
            assert writes <= count
            sizes.append(size)
    assert sizes[1] <= 2.2 * sizes[0]
    state = say(agent, "undo")
    assert state["storyboard"].shots[0].time_of_day == "night"
    assert len(list(agent.get_state_history(CONFIG))) >= KEPT_STEPS
