"""A server of services.yaml behaves as a model of models.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from configs.services import load_services
from configs.yaml_file import YamlProblem
from tests.tools.runtime.services.doubles import serving
from tests.tools.runtime.services.test_services import SCRIPT, child_of, free_port, gone
from tools.errors import InvalidInput, MissingPrerequisite
from tools.model import Placing
from tools.runtime.services.weights import ServiceWeights, server_of
from tools.runtime.workers.construct import construct_weights
from tools.runtime.workers.residents import Residents

PATH = "tools.runtime.services.weights:ServiceWeights"


def weights(tmp_path: Path, text: str) -> ServiceWeights:
    made = construct_weights(PATH, ("tools.",))
    assert isinstance(made, ServiceWeights)
    made.services_yaml = tmp_path / "services.yaml"
    made.services_yaml.write_text("services:\n  mine: {about: x, size_gb: 2, " + text + "}\n")
    return made


def test_the_runtime_moves_a_server_as_it_moves_its_own_models(tmp_path: Path) -> None:
    with serving("ollama") as double:
        made = weights(tmp_path, f"kind: ollama, model: 'qwen2.5:14b', url: '{double.url}'")
        residents = Residents(lambda _path: made)
        answer = residents.bring("llm", PATH, "mine", Placing(), 10**12)
        assert answer["bytes"] == 9_000, "as the server says"
        assert double.loaded
        assert made.left() == 9_000
        assert residents.evict("llm") == {"left": 0}
        assert not double.loaded
        assert made.left() == 0
        assert residents.bring("llm", PATH, "mine", Placing(), 10**12)["cold_s"] == 0.0
        assert residents.contents(["llm"])["llm"].http.url == double.url
        residents.unload("llm")
        assert not double.loaded, "it was there before us: it sleeps, it is not ended"


def test_a_server_that_is_started_here_is_ended_here(tmp_path: Path) -> None:
    port = free_port()
    command = f"command: ['{sys.executable}', '{SCRIPT}', llama, '{port}']"
    made = weights(tmp_path, f"kind: llama_server, url: 'http://127.0.0.1:{port}', {command}, timeouts: {{start: 20}}")
    made.check("mine")
    server = made.load("mine", Placing())
    assert made.wake("cuda:0") == 2 * 2**30, "as services.yaml says, where nobody else does"
    child = child_of(server)
    made.sleep()
    assert gone(child)
    made.wake("cuda:0")
    child = child_of(server)
    made.unload()
    assert gone(child)


def test_a_server_that_is_not_there_is_named_with_what_starts_it(tmp_path: Path) -> None:
    made = weights(tmp_path, f"kind: vllm, url: 'http://127.0.0.1:{free_port()}'")
    with pytest.raises(MissingPrerequisite, match="vllm serve"):
        made.check("mine")
    with pytest.raises(MissingPrerequisite, match="vllm serve"):
        made.load("mine", Placing())
    with pytest.raises(InvalidInput, match="has no server 'yours'; there are: mine"):
        made.check("yours")


def test_every_server_that_comes_with_the_studio_can_be_made(tmp_path: Path) -> None:
    services = load_services().services
    assert {entry.kind for entry in services.values()} >= {"vllm", "ollama", "llama_server", "llama_swap", "gpt_sovits"}
    for name, entry in services.items():
        server = server_of(name, entry, tmp_path)
        assert (server.launch is not None) == bool(entry.command)
        assert server.timeouts.start == (entry.timeouts.start or server.timeouts.start)
    assert server_of("v", services["qwen_vllm"], tmp_path).timeouts.start == 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: ollama, url: 'http://127.0.0.1'", "need it"),
        ("kind: vllm, model: x, url: 'http://127.0.0.1'", "belongs to ollama"),
        ("kind: vllm, ready_path: /x, url: 'http://127.0.0.1'", "ready_path"),
        ("kind: command, ready_line: '(', command: [x], url: 'http://127.0.0.1'", "regular expression"),
        ("kind: command, ready_line: x, url: 'http://127.0.0.1'", "needs a command"),
        ("kind: vllm, remote: true, command: [x], url: 'http://far'", "cannot be started from here"),
        ("kind: vllm, root: /x, url: 'http://127.0.0.1'", "belongs to gpt_sovits"),
        ("kind: vllm, timeouts: {start: 0}, url: 'http://127.0.0.1'", "greater than 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    made = weights(tmp_path, text)
    with pytest.raises(YamlProblem, match=said) as error:
        load_services(made.services_yaml)
    assert error.value.where.endswith(":2")
    with pytest.raises(InvalidInput, match=r"services\.yaml:2"):
        made.check("mine")
