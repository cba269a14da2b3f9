"""Texts and archives that open to something enormous: each is read or refused within 10 s and 1 GB.

The twin, PyYAML's own loader, takes more than that for the first of them. `STUDIO_FULL=1` reads each of them by each
way, and not each by three of them.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.bombs import BOMBS, WAYS
from tests.hostile.opening import ROOT

FULL = bool(os.environ.get("STUDIO_FULL"))
CPU_S = 10.0
PEAK_KB = 1 << 20


def written(folder: Path) -> list[Path]:
    files = []
    for number, make in enumerate(BOMBS.values()):
        path = folder / f"{number}.yaml"
        path.write_bytes(make())
        files.append(path)
    os.truncate(files[-1], 4 << 30)
    return files


def test_every_bomb_is_read_or_refused_within_its_bounds(tmp_path: Path) -> None:
    files = written(tmp_path)
    pairs = [(way, path) for at, way in enumerate(WAYS) for number, path in enumerate(files)
             if FULL or (at + number) % 4 == 0]  # fmt: skip
    command = [sys.executable, "-m", "tests.hostile.bombs", *(str(one) for pair in pairs for one in pair)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    lines = done.stdout.splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
    assert lines[-1:] == ["alive"], f"it died after {found[-1:]}: {done.returncode} {done.stderr[-500:]}"
    assert len(found) == len(pairs)
    for one in found:
        name = [*BOMBS][int(one["file"].partition(".")[0])]
        assert one["told"].startswith(("read", "refused")), (name, one)
        assert "\n" not in one["told"], (name, one)
        assert one["cpu_s"] <= CPU_S, (name, one)
        assert one["peak_kb"] <= PEAK_KB, (name, one)
    most = max(one["cpu_s"] for one in found), max(one["peak_kb"] for one in found) / (1 << 20)
    print(f"{len(pairs)} times a bomb: most work {most[0]:.1f} s, most memory {most[1]:.2f} GB")


def test_the_twin_is_not_done_within_them(tmp_path: Path) -> None:
    """PyYAML shares what repeats; whoever looks at each of it does not."""
    path = tmp_path / "laughs.yaml"
    path.write_bytes(BOMBS["a billion laughs"]())
    code = (
        "import resource, sys, yaml\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (10, 10))\n"
        "data = yaml.safe_load(open(sys.argv[1]))\n"
        "def opened(one): return b''.join(map(opened, one)) if isinstance(one, list) else bytes(1000)\n"
        "print(len(opened(data['a9'])))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "MemoryError" in done.stderr or done.returncode < 0


class Bombing(BaseHTTPRequestHandler):
    """Answers everything with a gigabyte of spaces in a megabyte of gzip."""

    body = gzip.compress(gzip.compress(b"x") + b" " * (1 << 20))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        packed = gzip.compress(b" " * (64 << 20))
        try:
            for _ in range(16):
                # Members one after the other are one stream (RFC 1952).
                self.wfile.write(packed)
        except OSError:
            pass

    do_GET = do_POST

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


ASKED = """
import json, sys, threading
from pathlib import Path
from langchain_core.messages import HumanMessage
from configs.chat_models import find_endpoint
from agent.chat_models.wire import Request, Wire
from agent.chat_models.errors import ChatFailed
from tests.memory import peak_kb
import os
os.environ["STUDIO_LLM_BASE_URL"] = sys.argv[1]
wire = Wire(find_endpoint("server/x", network=False), 20)
wire._chat()
before = peak_kb()
try:
    wire.send(Request([HumanMessage("hello")], max_tokens=10), seconds=20, cancel=threading.Event())
    told = "read"
except ChatFailed as error:
    told = f"refused: {error}"
print(json.dumps({"told": told, "taken_kb": peak_kb() - before}))
"""


def test_a_packed_answer_of_a_model_server_is_not_unpacked_whole() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Bombing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        done = subprocess.run([sys.executable, "-c", ASKED, url], cwd=ROOT, capture_output=True, text=True, check=False)
        server.shutdown()
    assert done.returncode == 0, done.stderr[-800:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["told"].startswith("refused"), found
    assert found["taken_kb"] < 300_000, found


@pytest.mark.parametrize("way", WAYS)
def test_what_is_whole_is_read_the_same_ways(way: str, tmp_path: Path) -> None:
    """The control: none refuses everything."""
    from tests.agent.boards import beach
    from tests.hostile.test_paths_of_files import SCENARIO
    from tools.runtime.telemetry.chrome import to_chrome
    from tools.runtime.telemetry.record import Record
    from tools.storyboard import save_storyboard

    path = tmp_path / "whole.yaml"
    node = {"class_type": "A", "inputs": {"text": "x"}}
    texts = {
        "scenario": json.dumps({**SCENARIO, "name": "whole"}),
        "workflow": json.dumps({"6": node, "9": node}),
        "lessons": '{"request": ["beach"], "cause": "user", "text": "wider"}',
        "thoughts": '{"kind": "note", "text": "a thought"}',
        "preset": (ROOT / "configs" / "characters.yaml").read_text(encoding="utf-8"),
        "services": (ROOT / "configs" / "services.yaml").read_text(encoding="utf-8"),
        "document": "title: A note",
        "page": "<p>Luca and Alberto talk by the harbour, and the sun goes down over the sea behind them.</p>" * 5,
        "job": '[{"id": "a", "tool": "compose_music", "args": {"mood": "calm", "duration_s": 2}}]',
        "manifest": "{}",
        "arguments": '{"mood": "calm"}',
    }
    save_storyboard(beach(), path)
    if way in texts:
        path.write_text(texts[way], encoding="utf-8")
    if way == "trace":
        path.write_bytes(to_chrome(Record(title="a beach", wall=1.0)))
    assert WAYS[way](path)
