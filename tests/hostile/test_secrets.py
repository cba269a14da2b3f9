"""Keys, tokens and passwords in the environment, with servers that tell them back: they are nowhere but at the server.

Every file that was written and every line that was said is searched for each canary, as it is and in base64. The twin
that writes down what a server said is found out. `STUDIO_FULL=1` runs every command each time, and makes a film.
"""

from __future__ import annotations

import base64
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile.echoing import Echo, echoing
from tests.hostile.media import whole

FULL = bool(os.environ.get("STUDIO_FULL"))
CANARIES = {
    "STUDIO_LLM_API_KEY": "sk-canary-llm-5f1c77",
    "OPENAI_API_KEY": "sk-canary-openai-a90b",
    "ELEVENLABS_API_KEY": "canary-eleven-33ab21",
    "HF_TOKEN": "hf_canaryhuggingface9",
    "STUDIO_MCP_TOKEN": "canary-mcp-token-00fe",
    "LANGSMITH_API_KEY": "canary-langsmith-1d",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret-77",
}
USER, PASSWORD, PROXY_PASSWORD = "canaryuser", "canary-url-password", "canary-proxy-password"
EVERY = [*CANARIES.values(), PASSWORD, PROXY_PASSWORD]

Studio = Callable[..., str]


@pytest.fixture
def server() -> Iterator[Echo]:
    with echoing() as up:
        yield up


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Echo, capfd: pytest.CaptureFixture[str]) -> Studio:
    """The command line, in this process, with secrets in every place that knows some; gives all that it said."""
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://{USER}:{PROXY_PASSWORD}@{server.address}")
    monkeypatch.setenv("HF_ENDPOINT", f"http://{server.address}")
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path / "productions"))
    monkeypatch.setenv("STUDIO_MODELS_FOLDER", str(tmp_path / "models"))
    monkeypatch.setenv("STUDIO_KNOWLEDGE_FOLDER", str(tmp_path / "knowledge"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STUDIO_PROFILE", "cpu")
    monkeypatch.setenv("STUDIO_WORKERS", "1")
    monkeypatch.setenv("STUDIO_MODEL_TIMEOUT_S", "5")
    monkeypatch.setenv("STUDIO_LLM_BASE_URL", f"http://{server.address}/v1")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        from agent.cli import main

        monkeypatch.setattr(sys, "argv", ["studio", *words])
        with pytest.raises(SystemExit):
            main()
        told = capfd.readouterr()
        assert "should not have happened" not in told.err, told.err
        return f"$ studio {' '.join(words)}\n{told.out}{told.err}"

    return run


def forms(secret: str) -> list[bytes]:
    """A secret as it may stand somewhere: plain, and at each of the three places that base64 gives it."""
    plain = secret.encode()
    coded = [base64.b64encode(b"x" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)]
    return [plain, *(one for one in coded if len(one) > 8)]


def hits(folder: Path, said: str, bodies: list[bytes]) -> list[str]:
    """Where a canary is, besides the server's own."""
    texts = {"what was said": said.encode(), **{f"request {n}": body for n, body in enumerate(bodies)}}
    for path in folder.rglob("*"):
        if path.is_file():
            texts[str(path.relative_to(folder))] = path.read_bytes() + path.name.encode()
    return [f"{secret} in {name}" for name, text in texts.items() for secret in EVERY
            if any(form in text for form in forms(secret))]  # fmt: skip


def everything(studio: Studio, folder: Path, share: str) -> str:
    """Commands that speak to a server, read settings or write: those of a share, with `STUDIO_FULL=1` all of them."""
    (folder / "note.md").write_text("# A note\n\nLuca likes the harbour at dawn.\n")
    (folder / "call.json").write_text('[{"id": "a", "tool": "compose_music", "args": {"mood": "calm"}}]')
    recording, picture = str(whole("wav", folder)), str(whole("png", folder))
    shares: dict[str, list[tuple[str, ...]]] = {
        "error": [("look", picture, "--about", "a boy")],
        "answer": [("make", "only the script: Luca and Alberto at the harbour"), ("mcp", "tools")],
        "web": [("search", "Ligurian harbours"), ("models", "pull", "whisper_small")],
        "the rest": [
            ("doctor",),
            ("transcribe", recording), ("tools",), ("models", "list"), ("stacks", "list"), ("voice", "list"),
            ("voice", "check"), ("knowledge", "add", str(folder / "note.md")), ("knowledge", "search", "harbour"),
            ("knowledge", "list"), ("knowledge", "rebuild"), ("jobs", "add", str(folder / "call.json")),
            ("jobs", "run"), ("jobs", "list"), ("show",), ("models", "check"), ("knowledge", "lessons"),
            ("make", "Luca on the beach, 1 second. Luca says hello"), ("trace",), ("mcp", "list"),
            ("eval", "answer_*", "--keep", "--out", str(folder / "evals")),
        ],
    }  # fmt: skip
    lines = [
        ("plan", "a beach with Luca, he says hello", "--thread", "t"),
        ("plan", "make it night", "--thread", "t", "--strategy", "react"),
        *(line for name, some in shares.items() if name == share or (FULL and (name != "web" or name == share))
          for line in some),
        ("trace", "--thoughts"),
    ]  # fmt: skip
    return "\n".join(studio(*line) for line in lines)


@pytest.mark.parametrize("mode", ["error", "answer"])
def test_no_secret_is_kept_or_told(
    mode: str, studio: Studio, server: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_PRIMARY", "server/some-model")
    monkeypatch.setenv("STUDIO_VISION", "server/some-eyes")
    server.mode = mode
    said = everything(studio, tmp_path, mode)
    assert any(CANARIES["STUDIO_LLM_API_KEY"] in key for key in server.keys), "the control: the server knows the key"
    assert (tmp_path / "productions" / ".studio" / "threads.sqlite").is_file(), "the control: something was kept"
    with sqlite3.connect(tmp_path / "productions" / ".studio" / "threads.sqlite") as kept:
        assert kept.execute("SELECT count(*) FROM checkpoints").fetchone()[0] > 0
    kept.close()
    assert hits(tmp_path, said, server.bodies) == []


def test_no_password_in_an_address_is_kept_or_told(
    studio: Studio, server: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy with a password, a server with a password, and the web allowed."""
    monkeypatch.setenv("STUDIO_NETWORK", "true")
    monkeypatch.setenv("STUDIO_PRIMARY", "server/some-model")
    monkeypatch.setenv("STUDIO_VISION", "openai/some-eyes")
    monkeypatch.setenv("STUDIO_LLM_BASE_URL", f"http://{USER}:{PASSWORD}@{server.address}/v1")
    said = everything(studio, tmp_path, "web")
    assert hits(tmp_path, said, server.bodies) == []


def test_the_twin_that_writes_down_what_a_server_said_is_found_out(
    studio: Studio, server: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from configs.chat_models import Endpoint

    monkeypatch.setenv("STUDIO_PRIMARY", "server/some-model")
    monkeypatch.setattr(Endpoint, "clean", lambda _self, text: text)
    server.mode = "answer"
    said = studio("plan", "a beach with Luca", "--thread", "t") + studio("trace", "--thoughts")
    assert hits(tmp_path, said, server.bodies)
    (tmp_path / "log").write_bytes(base64.b64encode(b"Basic " + PASSWORD.encode()))
    assert hits(tmp_path, "", []), "also in base64"
