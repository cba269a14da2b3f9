"""What the studio's way of asking a chat model costs, beside OpenAI's bare client, on a server that answers at once.

The server is the contract peer on loopback: it checks the request against the API and answers one scripted line, to
both sides the same. Ours bounds sizes and times, holds the server to a schema, validates and books what was spent.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evals.benchmarks.row import Row, timed_process
from tools.errors import MissingPrerequisite

__all__ = ["measure"]

QUESTIONS, WARM = 60, 5
PROCESSES = 3
ANSWER = {"title": "The boat", "lines": ["Luca: We can do this!", "Alberto: Of course we can."]}
WORDS = "You write scenes for two boys by the sea. " * 20
ASK = "A scene of two lines, please."
OURS = """
import os
from evals.benchmarks.chat import asker
asker(os.environ["BENCH_URL"])()
"""
THEIRS = """
import os
from evals.benchmarks.chat import bare
bare(os.environ["BENCH_URL"])()
"""


def measure() -> list[Row]:
    """Sixty questions, in turn; then the first question of a new process, three times, with what it imports."""
    try:
        from evals.peer import Peer
        from evals.peer import answers as answered
    except ImportError as error:
        raise MissingPrerequisite(f"the peer needs {error.name}", command='pip install ".[test]"') from None
    with Peer(mode="scripted") as peer:
        peer.script(answered(ANSWER), times=None)
        ours, theirs = asker(peer.url), bare(peer.url)
        taken: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(WARM + QUESTIONS):
            taken["ours"].append(_seconds(ours) * 1000)
            taken["theirs"].append(_seconds(theirs) * 1000)
        first: dict[str, list[float]] = {"ours": [], "theirs": []}
        with tempfile.TemporaryDirectory() as folder:
            env = {"BENCH_URL": peer.url, "STUDIO_PRODUCTIONS": folder, "PYTHONPATH": os.pathsep.join(_paths())}
            for _ in range(PROCESSES):
                for name, code in (("ours", OURS), ("theirs", THEIRS)):
                    first[name].append(timed_process(["-c", code], cwd=Path(folder), env=env).wall_s)
        if peer.refused:
            raise RuntimeError(f"the peer refused: {peer.refused[0].error}")
    with_client = "openai's client alone, the same request"
    return [
        Row.of("a piece from a chat model that answers at once", taken["ours"][WARM:], "ms",
               against=taken["theirs"][WARM:], compared_with=with_client),
        Row.of("the first piece of a new process", first["ours"], "s", against=first["theirs"],
               compared_with=with_client),
    ]  # fmt: skip


def _paths() -> list[str]:
    return [str(Path(__file__).parent.parent.parent), *filter(None, [os.environ.get("PYTHONPATH", "")])]


def _seconds(ask: Callable[[], None]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def asker(url: str) -> Callable[[], None]:
    """Asks through the studio's own layer, a turn a question."""
    from langchain_core.messages import HumanMessage, SystemMessage

    from agent.chat_models.base import Piece
    from agent.chat_models.chat import Chat
    from agent.chat_models.wire import Wire
    from agent.turns import Spending, Turn
    from configs.chat_models import Endpoint, Provider
    from configs.settings import Settings

    class Script(Piece):
        """A small scene."""

        title: str
        lines: list[str]

    entry = Provider(about="the peer", url=url, key_needed=False, structured="json_schema")
    wire = Wire(Endpoint("peer", "tiny-random", url, "none", entry), 30.0)
    settings = Settings()

    def ask() -> None:
        turn = Turn("bench", Spending(10, 1_000_000, 60.0))
        piece = Chat(wire, settings, turn).piece(Script, [SystemMessage(WORDS), HumanMessage(ASK)], label="script")
        if piece.model_dump() != ANSWER:
            raise RuntimeError(f"another answer came: {piece}")

    return ask


def bare(url: str) -> Callable[[], None]:
    """Asks by OpenAI's client and reads the JSON."""
    from openai import OpenAI

    client: Any = OpenAI(base_url=url, api_key="none")
    strings = {"type": "array", "items": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "lines": strings},
        "required": ["title", "lines"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "Script", "schema": schema}}
    messages = [{"role": "system", "content": WORDS}, {"role": "user", "content": ASK}]

    def ask() -> None:
        got = client.chat.completions.create(
            model="tiny-random", messages=messages, response_format=form, temperature=0.7, max_tokens=1_500
        )
        if json.loads(got.choices[0].message.content) != ANSWER:
            raise RuntimeError("another answer came")

    return ask
