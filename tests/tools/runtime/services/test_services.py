"""Servers as residents, against doubles that answer and fail over real connections."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tools.runtime.services.doubles import serving
from tools.errors import (
    BadOutput,
    EngineCrashed,
    EngineFailed,
    EngineHung,
    InvalidInput,
    MissingPrerequisite,
    OutOfMemory,
)
from tools.runtime.services.command import CommandServer
from tools.runtime.services.gpt_sovits import GptSovitsServer, gpt_sovits_launch
from tools.runtime.services.http import ServerHttp
from tools.runtime.services.llama_cpp import LlamaServer, LlamaSwapModel
from tools.runtime.services.ollama import OllamaModel
from tools.runtime.services.server import Launch, Server, Timeouts
from tools.runtime.services.vllm import VllmServer, vllm_launch

SCRIPT = Path(__file__).with_name("doubles.py")
SHORT = Timeouts(start=1.0, wake=1.0, sleep=1.0, stop=0.3, probe=1.0)
"""For those that hang."""
PATIENT = Timeouts(start=20.0, wake=5.0, sleep=5.0, stop=3.0, probe=2.0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(kind: str, port: int, fault: str = "", ready_line: str = "") -> Launch:
    return Launch([sys.executable, str(SCRIPT), kind, str(port), fault], ready_line=ready_line)


def gone(pid: int, within_s: float = 2.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def child_of(server: Server) -> int:
    assert server._process is not None
    found = re.search(r"child (\d+)", server._process.words())
    assert found, server._process.words()
    return int(found[1])


# What the servers are told ----------------------------------------------------------------------------------------


def test_vllm_sleeps_and_wakes_by_its_own_interface() -> None:
    with serving("vllm") as double:
        server = VllmServer("vllm", double.url, timeouts=PATIENT)
        assert server.state() == "awake"
        server.sleep()
        assert (server.state(), double.level) == ("asleep", 1)
        server.sleep()
        server.wake()
        assert server.state() == "awake"
        asked = [line for line in double.seen if line.startswith("POST")]
        assert asked == ["POST /sleep?level=1", "POST /wake_up"], "what is so already is not asked for again"


def test_vllm_level_2_reads_its_weights_again_before_the_cache_comes() -> None:
    with serving("vllm") as double:
        server = VllmServer("vllm", double.url, timeouts=PATIENT, level=2)
        server.sleep()
        server.wake()
        assert server.state() == "awake"
        assert [line for line in double.seen if line.startswith("POST")] == [
            "POST /sleep?level=2",
            "POST /wake_up?tags=weights",
            "POST /collective_rpc",
            "POST /wake_up?tags=kv_cache",
        ]


def test_vllm_without_its_developer_mode_is_told_how_to_start() -> None:
    with serving("vllm", "/sleep=404") as double, pytest.raises(MissingPrerequisite, match="VLLM_SERVER_DEV_MODE=1"):
        VllmServer("vllm", double.url, timeouts=PATIENT).sleep()
    started = vllm_launch("Qwen/Qwen2.5-14B-Instruct-AWQ", 8001, more=["--gpu-memory-utilization", "0.6"])
    assert started.env == {"VLLM_SERVER_DEV_MODE": "1"}
    assert list(started.command)[:3] == ["vllm", "serve", "Qwen/Qwen2.5-14B-Instruct-AWQ"]
    assert "--enable-sleep-mode" in started.command


def test_ollama_loads_and_unloads_and_waits_until_the_memory_is_free() -> None:
    with serving("ollama") as double:
        model = OllamaModel("llm", "qwen2.5:14b", double.url, timeouts=PATIENT)
        assert (model.state(), model.size_bytes()) == ("asleep", 0)
        model.start()
        assert (model.state(), model.size_bytes()) == ("awake", 9_000)
        model.sleep()
        assert not double.loaded, "the answer came before that"
        assert model.state() == "asleep"
        with pytest.raises(MissingPrerequisite, match="ollama pull nothing:latest"):
            OllamaModel("llm", "nothing", double.url, timeouts=PATIENT).wake()


@pytest.mark.parametrize("fault", ["", "/api/models/unload/qwen=404"])
def test_llama_swap_loads_and_unloads_old_and_new(fault: str) -> None:
    with serving("swap", fault) as double:
        model = LlamaSwapModel("llm", "qwen", double.url, timeouts=PATIENT)
        assert model.state() == "asleep"
        model.start()
        assert model.state() == "awake"
        model.stop()
        assert model.state() == "asleep"
        assert ("GET /unload" in double.seen) == bool(fault)
        with pytest.raises(MissingPrerequisite, match="llama-swap has no model gemma"):
            LlamaSwapModel("llm", "gemma", double.url, timeouts=PATIENT).wake()


@pytest.mark.parametrize("kind", [LlamaServer, GptSovitsServer])
def test_what_cannot_sleep_and_is_not_ours_is_left_alone_and_that_is_said(kind: type[Server]) -> None:
    with serving("llama" if kind is LlamaServer else "sovits") as double:
        server = kind("server", double.url, timeouts=PATIENT)
        server.start()
        assert not server.is_ours
        for leave in (server.sleep, server.stop):
            with pytest.raises(InvalidInput, match="cannot sleep, and is not ours to end"):
                leave()
        assert server.state() == "awake"


# What they do wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("/sleep=500", EngineFailed, "answered 500 to /sleep: .*it broke"),
        ("/sleep=oom", OutOfMemory, "CUDA out of memory"),
        ("/sleep=hang", EngineHung, "did not answer POST /sleep within 1 s"),
        ("/sleep=lie", EngineHung, "was not asleep within 1 s"),
        ("/is_sleeping=garbage", BadOutput, "not JSON"),
        ("/is_sleeping=drip", EngineHung, "did not answer GET /is_sleeping within 1 s"),
        ("/is_sleeping=500", EngineFailed, "500"),
        ("/is_sleeping=hang", EngineHung, "/is_sleeping"),
    ],
)
def test_a_server_that_is_not_ours_and_fails_gives_a_typed_error_in_time(
    fault: str, error: type[Exception], said: str
) -> None:
    with serving("vllm", fault) as double:
        server = VllmServer("vllm", double.url, timeouts=SHORT)
        begun = time.monotonic()
        with pytest.raises(error, match=said):
            server.sleep()
        assert time.monotonic() - begun < 5.0


@pytest.mark.parametrize(
    ("kind", "fault", "error", "said"),
    [
        ("ollama", "/api/ps=garbage", BadOutput, "not JSON"),
        ("ollama", "/api/generate=oom", OutOfMemory, "memory"),
        ("ollama", "/api/generate=500", EngineFailed, "it broke"),
        ("ollama", "/api/generate=hang", EngineHung, "/api/generate"),
        ("swap", "/running=garbage", BadOutput, "not JSON"),
        ("swap", "/upstream/qwen/health=oom", OutOfMemory, "out of memory"),
        ("swap", "/upstream/qwen/health=502", EngineFailed, "502"),
    ],
)
def test_so_do_the_others(kind: str, fault: str, error: type[Exception], said: str) -> None:
    with serving(kind, fault) as double:
        server: Server
        if kind == "ollama":
            server = OllamaModel("llm", "qwen2.5:14b", double.url, timeouts=SHORT)
        else:
            server = LlamaSwapModel("llm", "qwen", double.url, timeouts=SHORT)
        with pytest.raises(error, match=said):
            server.wake()


def test_a_server_that_does_not_run_names_what_starts_it() -> None:
    server = VllmServer("vllm", f"http://127.0.0.1:{free_port()}", timeouts=SHORT)
    assert server.state() == "stopped"
    server.sleep()
    server.stop()
    with pytest.raises(MissingPrerequisite, match="vllm serve MODEL --enable-sleep-mode"):
        server.start()
    with pytest.raises(EngineCrashed, match="does not run"):
        server.wake()


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.4:8000", "http://example.org", "https://127.0.0.1", "ftp://127.0.0.1", "127.0.0.1:8000",
        "http://127.0.0.1:8000?x=1", "http://user@127.0.0.1:8000", "http://127.0.0.1:99999", "http://127.0.0.1.evil.org",
    ],
)  # fmt: skip
def test_only_servers_of_this_machine_are_spoken_to(url: str) -> None:
    with pytest.raises(InvalidInput):
        VllmServer("vllm", url)


def test_another_machine_is_allowed_by_name_and_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ServerHttp("far", "http://gpu.studio:8000", remote=True).host == "gpu.studio"
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving("ollama") as double:
        assert ServerHttp("near", double.url).must("GET", "/api/version", timeout_s=2).json() == {"version": "0.40.12"}


# Our own ----------------------------------------------------------------------------------------------------------


def test_our_own_server_is_started_put_to_sleep_woken_and_ended_with_all_it_started() -> None:
    port = free_port()
    server = VllmServer("vllm", f"http://127.0.0.1:{port}", launch("vllm", port), PATIENT)
    with server:
        server.start()
        assert server.is_ours
        server.start()
        server.sleep()
        assert server.state() == "asleep"
        server.start()
        assert server.state() == "awake"
        child = child_of(server)
        server.stop()
        assert server.state() == "stopped"
        assert gone(child)
        server.start()
        assert server.state() == "awake", "it can come back"
        child = child_of(server)
    assert gone(child)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda port: LlamaServer("llama", f"http://127.0.0.1:{port}", launch("llama", port), PATIENT), "llama"),
        (lambda port: CommandServer("any", f"http://127.0.0.1:{port}", launch("sovits", port), PATIENT), "port"),
        (
            lambda port: CommandServer(
                "any", f"http://127.0.0.1:{port}", launch("sovits", port), PATIENT, ready_path="/openapi.json"
            ),
            "path",
        ),
        (
            lambda port: CommandServer(
                "any", f"http://127.0.0.1:{port}", launch("sovits", port, ready_line="Uvicorn running"), PATIENT
            ),
            "line",
        ),
    ],
)
def test_what_cannot_sleep_is_ended_and_started_again(make: object, kind: str) -> None:
    server: Server = make(free_port())  # type: ignore[operator]
    with server:
        server.wake()
        child = child_of(server)
        server.sleep()
        assert server.state() == "stopped", kind
        assert gone(child)
        server.wake()
        assert server.state() == "awake"


def test_gpt_sovits_gets_a_copy_of_its_configuration_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "GPT-SoVITS"
    config = root / "GPT_SoVITS" / "configs" / "tts_infer.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("custom:\n  version: v2\n")
    (root / "api_v2.py").write_text(
        "import runpy, sys\n"
        "assert open(sys.argv[6]).read().startswith('custom')\n"
        "open(sys.argv[6], 'w').write('broken by a failed change of weights')\n"
        f"sys.argv = ['doubles.py', 'sovits', sys.argv[4]]\nrunpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    port = free_port()
    started = gpt_sovits_launch(root, port, tmp_path / "private", python=sys.executable)
    with GptSovitsServer("voices", f"http://127.0.0.1:{port}", started, PATIENT) as server:
        for _ in range(2):
            server.wake()
            assert server.state() == "awake"
            server.sleep()
    assert config.read_text() == "custom:\n  version: v2\n"
    with pytest.raises(MissingPrerequisite, match=r"there is no .*api_v2\.py"):
        gpt_sovits_launch(tmp_path, port, tmp_path / "private")


def test_our_own_server_that_dies_as_it_wakes_is_an_error_with_its_last_words_and_leaves_nothing() -> None:
    port = free_port()
    with VllmServer("vllm", f"http://127.0.0.1:{port}", launch("vllm", port, "/wake_up=die"), PATIENT) as server:
        server.start()
        child = child_of(server)
        server.sleep()
        with pytest.raises(EngineCrashed, match=r"Its last words: .*Uvicorn running"):
            server.wake()
        assert server.state() == "stopped"
        assert not server.is_ours
        assert gone(child), "what it started went with it"


def test_our_own_server_that_hangs_is_ended() -> None:
    port = free_port()
    patient = Timeouts(start=20.0, wake=0.6, sleep=0.6, stop=0.3, probe=2.0)
    with VllmServer("vllm", f"http://127.0.0.1:{port}", launch("vllm", port, "/sleep=hang"), patient) as server:
        server.start()
        child = child_of(server)
        with pytest.raises(EngineHung, match="It was ended"):
            server.sleep()
        assert server.state() == "stopped", "so its memory is free"
        assert gone(child)


def test_a_server_that_ends_as_it_starts_or_never_gets_ready() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(EngineCrashed, match=r"ended before it was ready\. Its last words: no such model"):
        VllmServer("vllm", url, launch("vllm", port, "start=die"), PATIENT).start()
    server = VllmServer("vllm", url, launch("vllm", port, "start=hang"), SHORT)
    with pytest.raises(EngineHung, match=r"was not ready within 1 s"):
        server.start()
    assert not server.is_ours
    with pytest.raises(MissingPrerequisite, match="there is no program not-installed"):
        VllmServer("vllm", url, Launch(["not-installed"]), SHORT).start()
    with pytest.raises(MissingPrerequisite, match="there is no folder"):
        VllmServer("vllm", url, Launch([sys.executable], cwd=Path("/nowhere")), SHORT).start()


def test_a_server_that_will_not_stop_is_killed() -> None:
    port = free_port()
    short = Timeouts(start=20.0, stop=0.3, probe=2.0)
    server = VllmServer("vllm", f"http://127.0.0.1:{port}", launch("vllm", port, "start=stay"), short)
    server.start()
    child = child_of(server)
    begun = time.monotonic()
    server.stop()
    assert 0.3 <= time.monotonic() - begun < 5.0
    assert gone(child)


def test_a_stranger_on_the_port_is_not_taken_for_ours() -> None:
    with serving("sovits") as double:
        server = VllmServer("vllm", double.url, launch("vllm", 1), SHORT)
        with pytest.raises(EngineFailed, match="another program listens"):
            server.start()
        assert not server.is_ours


@pytest.mark.parametrize("keeper", ["", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[4:]))"])
def test_the_studio_dies_and_takes_its_servers_along_but_not_with_a_keeper_that_has_no_lifeline(keeper: str) -> None:
    port = free_port()
    code = (
        "import sys, time\n"
        "from tests.tools.runtime.services.test_services import VllmServer, launch, child_of, PATIENT\n"
        "from tools.runtime.services import owned_process\n"
        f"owned_process._KEEPER = {keeper!r} or owned_process._KEEPER\n"
        f"s = VllmServer('vllm', 'http://127.0.0.1:{port}', launch('vllm', {port}), PATIENT)\n"
        "s.start()\n"
        "print(s._process.pid, child_of(s), flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).parents[4]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as studio:
        assert studio.stdout is not None
        pids = [int(word) for word in studio.stdout.readline().split()]
        assert len(pids) == 2
        assert not any(gone(pid, 0.05) for pid in pids), "the control: they run"
        os.kill(studio.pid, signal.SIGKILL)
        studio.wait()
        if keeper:
            assert not any(gone(pid, 0.3) for pid in pids), "the broken twin leaves them behind"
            os.killpg(pids[0], signal.SIGKILL)
        assert all(gone(pid) for pid in pids)
