"""Which engines could work on this machine now, and what each of the others lacks. Imports no engine.

What an engine needs stands in engines.yaml and models.yaml: a device, libraries or an environment of its own, models,
a server, a key, the network. Whether the files are whole is looked at later, when the engine is loaded.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from configs.chat_models import find_endpoint
from configs.models import ModelEntry
from configs.services import SERVICES_YAML, ServiceEntry, load_services
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.libraries import is_installed
from tools.models.shelf import Shelf
from tools.registry import EngineSpec, Registry
from tools.runtime.workers.stacks import interpreter_of

__all__ = ["NO_GPU", "Lack", "Readiness", "answers"]

SERVICE_WEIGHTS = "tools.runtime.services."
_CONNECT_S = 0.3
_EXAMPLES = {"vision": "ollama/qwen2.5vl:7b"}
"""By role: a model that anybody can have, by whose name the command shows its form."""


@dataclass(frozen=True)
class Lack:
    """What an engine lacks, in a few words, and the command that mends it; empty where no command does."""

    what: str
    command: str = ""


NO_GPU = Lack("it needs a GPU, and none was found")


def answers(url: str) -> bool:
    """Whether somebody listens at the address of a server."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_CONNECT_S):
            return True
    except OSError:
        return False


class Readiness:
    """How the engines of a registry stand on this machine. Each question is answered once and kept.

    Args:
        registry: tools, engines and models.
        shelf: models that are here.
        gpu: whether there is a device besides the CPU.
        network: whether anything may leave this machine.
        environment: where keys of services are.
        listens: whether a server answers at a URL; None tries to connect.
        services: path of services.yaml.
        roles: by role of the settings the chat model that is named for it, as provider/model.
    """

    def __init__(
        self,
        registry: Registry,
        shelf: Shelf,
        *,
        gpu: bool,
        network: bool = False,
        environment: Mapping[str, str] | None = None,
        listens: Callable[[str], bool] | None = None,
        services: Path = SERVICES_YAML,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        self.registry = registry
        self._shelf = shelf
        self.gpu = gpu
        self._network = network
        self._environment = os.environ if environment is None else environment
        self._listens = listens or answers
        self._services_path = services
        self._roles = roles or {}
        self._services: Mapping[str, ServiceEntry] | None = None
        self._known: dict[tuple[str, str], Lack | None] = {}

    def lack(self, engine: EngineSpec, *, named: bool = False) -> Lack | None:
        """The first thing that an engine lacks; None where it could work now.

        Args:
            engine: of the registry.
            named: a person asks for it by name, so what is slow on a CPU may be.

        Raises:
            InvalidInput: a file of configuration or the record of a model is damaged.
        """
        if engine.device == "gpu" and not (self.gpu or named or engine.serves_cpu):
            return NO_GPU
        key = (engine.tool, engine.name)
        if key not in self._known:
            self._known[key] = self._look(engine)
        return self._known[key]

    def _look(self, engine: EngineSpec) -> Lack | None:
        if engine.network and not self._network:
            return Lack("it asks another machine, and the network is not allowed", "export STUDIO_NETWORK=true")
        stack = self.registry.stacks[engine.stack]
        for key in stack.keys:
            if not self._environment.get(key):
                return Lack(f"{key} is not set", f"export {key}=...")
        try:
            own_interpreter = interpreter_of(engine.stack, stack, self._shelf.folder)
        except MissingPrerequisite as error:
            return Lack(error.message.rstrip("."), error.command)
        if own_interpreter:
            if shutil.which(own_interpreter) is None:
                return Lack(f"there is no interpreter {own_interpreter}", "studio doctor")
        elif missing := [name for name in engine.libraries if not is_installed(name)]:
            return Lack(f"{', '.join(missing)} not installed", f"{sys.executable} -m pip install {' '.join(missing)}")
        if engine.role and (lack := self._role(engine.role)) is not None:
            return lack
        return next((lack for name in (*engine.models, *engine.reads) if (lack := self._model(name)) is not None), None)

    def _role(self, role: str) -> Lack | None:
        """What the chat model of a role lacks: a name, an address or key, pictures, a server that answers."""
        named = self._roles.get(role, "")
        if not named:
            return Lack(f"no {role} model is named", f"export STUDIO_{role.upper()}={_EXAMPLES[role]}")
        try:
            endpoint = find_endpoint(named, network=self._network, environ=self._environment)
        except YamlProblem as problem:
            named_wrongly = f"export STUDIO_{role.upper()}={_EXAMPLES[role]}"
            mends = {"network": "export STUDIO_NETWORK=true", "model": named_wrongly}
            return Lack(problem.message, mends.get(problem.where, ""))
        if role == "vision" and not endpoint.entry.images:
            return Lack(f"{endpoint.provider} takes no pictures")
        if not endpoint.is_remote and not self._listens(endpoint.url):
            start = f"ollama pull {endpoint.model} && ollama serve" if endpoint.provider == "ollama" else ""
            return Lack(f"no server answers at {endpoint.shown_url} for {endpoint.name}", start)
        return None

    def _model(self, name: str) -> Lack | None:
        entry = self.registry.models.models.get(name)
        if entry is None:
            return Lack(f"models.yaml has no {name}")
        if entry.weights.startswith(SERVICE_WEIGHTS):
            return self._service(entry.source or name)
        record = self._shelf.record(name)
        if record is not None:
            place = Path(self._shelf.source_of(name))
            mend = f"studio models pull {name}" if record.kind == "pulled" else f"studio models path {name} PATH"
            return None if place.exists() else Lack(f"the model {name} is gone from {place}", mend)
        if entry.source and Path(entry.source).expanduser().exists():
            return None
        return Lack(f"the model {name} is not here{_size(entry)}", _how_to_get(name, entry))

    def _service(self, name: str) -> Lack | None:
        if self._services is None:
            try:
                self._services = load_services(self._services_path).services
            except YamlProblem as problem:
                raise InvalidInput(problem.message, where=problem.where) from problem
        entry = self._services.get(name)
        if entry is None:
            return Lack(f"services.yaml names no {name}", "studio doctor")
        if entry.root is not None:
            return None if entry.root.expanduser().is_dir() else Lack(f"there is no folder {entry.root}")
        if entry.command:
            found = shutil.which(entry.command[0])
            return None if found else Lack(f"{entry.command[0]}, which starts it, is not installed")
        return None if self._listens(entry.url) else Lack(f"no server answers at {entry.url}", _start(entry))


def _start(entry: ServiceEntry) -> str:
    from tools.runtime.services.gpt_sovits import GptSovitsServer

    return GptSovitsServer.how_to_start if entry.kind == "gpt_sovits" else ""


def _size(entry: ModelEntry) -> str:
    return f" ({entry.download_gb:g} GB)" if entry.download_gb and entry.pullable else ""


def _how_to_get(name: str, entry: ModelEntry) -> str:
    return f"studio models pull {name}" if entry.pullable else f"studio models path {name} PATH"
