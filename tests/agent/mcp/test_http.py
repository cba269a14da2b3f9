"""`studio mcp --http`: only the person's own client gets in, whatever is sent."""

from __future__ import annotations

import http.client
import os
import random
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.mcp.guard import MOST_BODY, Guard

ROOT = Path(__file__).parents[3]
HELLO = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18",'
    b' "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}}'
)


class Served:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], port: int, token: str) -> None:
        self.process, self.port, self.token = process, port, token

    def headers(self, **changed: str | None) -> dict[str, str]:
        """What the person's own client sends, with changes; None leaves one out."""
        own: dict[str, str | None] = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        return {name: value for name, value in {**own, **changed}.items() if value is not None}

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of one request."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                link.putheader(name, value)
            link.putheader("Content-Length", str(len(body)))
            link.endheaders(body)
            answer = link.getresponse()
            return answer.status, answer.read(2000)
        finally:
            link.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("http")
    environment = {**os.environ, "STUDIO_PRODUCTIONS": str(folder), "PYTHONPATH": str(ROOT)}
    environment.pop("STUDIO_MCP_TOKEN", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "mcp", "--http", "0"], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said = process.stderr.readline() + process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/mcp\nAuthorization: Bearer (\S{40,})\n", said)
    assert found, said
    made = Served(process, int(found[1]), found[2])
    for _ in range(600):
        try:
            made.ask("GET", "/", {})
            break
        except OSError:
            time.sleep(0.1)
    yield made
    process.terminate()
    process.wait(timeout=60)


def test_the_own_client_lists_and_plans(served: Served) -> None:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def run() -> None:
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {served.token}"}, trust_env=False) as web:
            transport = streamable_http_client(f"http://127.0.0.1:{served.port}/mcp", http_client=web)
            with anyio.fail_after(200):
                async with Client(transport) as client:
                    assert len((await client.list_tools()).tools) > 10
                    planned = await client.call_tool("plan_scene", {"request": "Luca on the beach, 2 seconds"})
                    assert not planned.is_error
                    shown = await client.call_tool("show_storyboard", {})
                    assert shown.structured_content["data"] == planned.structured_content["data"]

    anyio.run(run)


WRONG: list[dict[str, str | None]] = [
    {"Host": None}, {"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Host": "127.0.0.1:1"},
    {"Host": "localhost.evil.example:{port}"},
    {"Host": "127.0.0.1:{port}.evil.example"}, {"Host": "127.0.0.1:{port}@evil"}, {"Host": "[::1]:{port}"},
    {"Host": "0:{port}"},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "https://127.0.0.1:{port}"}, {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:{port}.evil.example"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": ""},
    {"Authorization": None}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "},
    {"Authorization": "Bearer x{token}"}, {"Authorization": "Bearer {token}x"}, {"Authorization": "Basic {token}"},
    {"Authorization": "{token}"}, {"Authorization": "bearer {token} {token}"},
]  # fmt: skip


@pytest.mark.parametrize("path", ["/mcp", "/", "/mcp/", "/sse", "/.well-known/oauth-protected-resource", "/docs"])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "OPTIONS", "PUT"])
def test_nothing_wrong_is_accepted_on_any_route(served: Served, method: str, path: str) -> None:
    for wrong in WRONG:
        filled = {
            name: value and value.replace("{port}", str(served.port)).replace("{token}", served.token)
            for name, value in wrong.items()
        }
        status, _ = served.ask(method, path, served.headers(**filled), HELLO if method == "POST" else b"")
        assert status in (400, 401, 403, 421), (wrong, status)


def test_the_control_what_is_right_is_accepted(served: Served) -> None:
    for changed in ({}, {"Origin": f"http://localhost:{served.port}"}, {"Host": f"LOCALHOST:{served.port}"}):
        status, body = served.ask("POST", "/mcp", served.headers(**changed), HELLO)
        # The SDK compares hosts letter by letter after us: a stranger spelling is refused there.
        assert status == 200 or "LOCALHOST" in changed.get("Host", ""), (changed, status, body)


def test_two_hosts_or_two_tokens_are_refused(served: Served) -> None:
    for twice in ("Host", "Authorization", "Origin"):
        lines = [f"{name}: {value}" for name, value in served.headers(Origin=f"http://127.0.0.1:{served.port}").items()]
        lines += [line for line in lines if line.startswith(twice)]
        text = "POST /mcp HTTP/1.1\r\n" + "\r\n".join([*lines, f"Content-Length: {len(HELLO)}"]) + "\r\n\r\n"
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as link:
            link.sendall(text.encode() + HELLO)
            assert int(link.recv(100).split()[1]) in (400, 401, 403, 421)


def test_it_listens_on_this_machine_alone(served: Served) -> None:
    import psutil

    listening = [one.laddr for one in psutil.Process(served.process.pid).net_connections() if one.status == "LISTEN"]
    assert [(one.ip, one.port) for one in listening] == [("127.0.0.1", served.port)]


def test_fuzzed_bodies_do_not_bring_it_down(served: Served) -> None:
    dice = random.Random(7)
    for number in range(150):
        body = bytearray(HELLO)
        for _ in range(dice.randrange(1, 12)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        cut = bytes(body[: dice.randrange(len(body))]) if number % 3 == 0 else bytes(body)
        status, _ = served.ask("POST", "/mcp", served.headers(), cut)
        assert status < 500 or status == 501, (number, status, cut)
    for body in (b"[" * 100_000, b'{"a":' * 50_000, b"\xff" * 1000, b"null", b"[]", b'{"jsonrpc":"2.0","id":1e999}'):
        status, _ = served.ask("POST", "/mcp", served.headers(), body)
        assert 400 <= status < 500
    try:
        status, _ = served.ask("POST", "/mcp", served.headers(), b" " * (MOST_BODY + 1))
        assert status == 413
    except OSError:
        # It may hang up before all of it was sent.
        pass
    assert served.process.poll() is None
    assert served.ask("POST", "/mcp", served.headers(), HELLO)[0] == 200


def test_the_token_is_said_once_and_nothing_else_is(served: Served) -> None:
    served.ask("POST", "/mcp", served.headers(Authorization="Bearer wrong"), HELLO)
    assert served.process.stderr is not None
    said, _, _ = select.select([served.process.stderr], [], [], 0.5)
    assert not said


@pytest.mark.parametrize("token", ["short", "with space " * 5, "\u00e9" * 40])
def test_a_token_that_is_easy_to_guess_is_refused(token: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "STUDIO_PRODUCTIONS": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "STUDIO_MCP_TOKEN": token,
    }
    done = subprocess.run(
        [sys.executable, "-m", "agent", "mcp", "--http", "0"],
        cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "STUDIO_MCP_TOKEN" in done.stderr
    assert token not in done.stderr


class Reached(Exception):
    """The guarded application was reached."""


async def _app(_scope: Any, _receive: Any, _send: Any) -> None:
    raise Reached


class Open(Guard):
    """The broken twin: it refuses nobody."""

    def refusal(self, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        """Let everybody in."""
        return None


@pytest.mark.parametrize("guard", [Guard, Open])
def test_without_the_guard_the_application_is_reached(guard: type[Guard]) -> None:
    sent: list[Any] = []

    async def ask() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        await guard(_app, 8123, "t" * 43)({"type": "http", "headers": [(b"host", b"evil.example")]}, None, send)

    if guard is Open:
        with pytest.raises(Reached):
            anyio.run(ask)
    else:
        anyio.run(ask)
        assert sent[0]["status"] == 421


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"host", b"Host", b"origin", b"authorization", b"x"]), st.binary(max_size=40)),
        max_size=6,
    )
)
def test_no_other_headers_than_the_right_ones_pass(headers: list[tuple[bytes, bytes]]) -> None:
    guard = Guard(_app, 8123, "t" * 43)
    right = [(b"host", b"127.0.0.1:8123"), (b"authorization", b"Bearer " + b"t" * 43)]
    assert guard.refusal(right) is None
    assert guard.refusal(headers) is not None
    extra = [one for one in headers if one[0] != b"x"]
    if extra:
        assert guard.refusal([*right, *extra]) is not None
