"""A server of services.yaml as a model of models.yaml: the runtime brings it to the device and off it like its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from configs.services import SERVICES_YAML, ServiceEntry, load_services
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput, MissingPrerequisite, ToolError
from tools.model import Placing, Weights
from tools.runtime.services.comfyui import ComfyServer
from tools.runtime.services.command import CommandServer
from tools.runtime.services.gpt_sovits import GptSovitsServer, gpt_sovits_launch
from tools.runtime.services.llama_cpp import LlamaServer, LlamaSwapModel
from tools.runtime.services.ollama import OllamaModel
from tools.runtime.services.server import Launch, Server, Timeouts
from tools.runtime.services.vllm import VllmServer

__all__ = ["ServiceWeights", "server_of"]


def server_of(name: str, entry: ServiceEntry, private: Path) -> Server:
    """The server of an entry; nothing is started.

    Args:
        private: a folder for what the server writes, made when it is needed.

    Raises:
        InvalidInput: the address is not of this machine.
        MissingPrerequisite: the checkout named by `root` is not there.
    """
    launch = _launch_of(entry, private)
    makers: dict[str, Callable[[], Server]] = {
        "vllm": lambda: VllmServer(name, entry.url, launch, level=entry.level, remote=entry.remote),
        "ollama": lambda: OllamaModel(name, entry.model, entry.url, launch, remote=entry.remote),
        "llama_swap": lambda: LlamaSwapModel(name, entry.model, entry.url, launch, remote=entry.remote),
        "llama_server": lambda: LlamaServer(name, entry.url, launch, remote=entry.remote),
        "gpt_sovits": lambda: GptSovitsServer(name, entry.url, launch, remote=entry.remote),
        "comfyui": lambda: ComfyServer(name, entry.url, launch, remote=entry.remote),
        "command": lambda: CommandServer(name, entry.url, launch, ready_path=entry.ready_path, remote=entry.remote),
    }
    server = makers[entry.kind]()
    server.timeouts = _timeouts_of(entry, server.timeouts)
    return server


def _launch_of(entry: ServiceEntry, private: Path) -> Launch | None:
    if entry.root is not None:
        started = gpt_sovits_launch(entry.root, urlsplit(entry.url).port or 9880, private, python=entry.python)
        return replace(started, env=entry.env, ready_line=entry.ready_line)
    if not entry.command:
        return None
    return Launch(entry.command, entry.cwd, entry.env, entry.ready_line)


def _timeouts_of(entry: ServiceEntry, usual: Timeouts) -> Timeouts:
    said = {name: value for name, value in entry.timeouts.model_dump().items() if value is not None}
    return replace(usual, **said)


class ServiceWeights(Weights):
    """`source` is the name of a server in services.yaml; engines get the `Server` (its address is `server.http.url`).

    The weights are in the server's hands: `load` has it run, `wake` and `sleep` move them, `unload` ends what was
    started here. Nothing of `Placing` applies but where the server's own command says so.
    """

    name = "service"
    services_yaml = SERVICES_YAML

    def __init__(self) -> None:
        self._server: Server | None = None
        self._size = 0
        self._remains = 0
        """Bytes of a server that is not ours, after it was let go."""
        self._private: TemporaryDirectory[str] | None = None

    def _entry(self, source: str) -> ServiceEntry:
        try:
            services = load_services(self.services_yaml).services
        except YamlProblem as error:
            raise InvalidInput(error.message, where=error.where) from None
        if source not in services:
            there = ", ".join(services) or "none"
            raise InvalidInput(f"services.yaml has no server {source!r}; there are: {there}", where="models.yaml")
        return services[source]

    def check(self, source: str) -> None:
        """Look whether it runs, or can be started.

        Raises:
            MissingPrerequisite: neither.
            InvalidInput: services.yaml does not have it, or is wrong.
        """
        if self._server is not None:
            return
        with TemporaryDirectory(prefix="studio-service-") as private:
            server = server_of(source, self._entry(source), Path(private))
            if server.launch is not None:
                return
            try:
                state = server.state()
            except ToolError:
                # It is there, and not well: `load` tells more.
                return
        if state == "stopped":
            raise MissingPrerequisite(f"{source} does not run on {server.http.url}.", command=server.how_to_start)

    def load(self, source: str, placing: Placing) -> Server:  # noqa: ARG002 - its own command says how it is placed
        """Have it run. It may be awake then: the runtime has room for it before it loads a model."""
        entry = self._entry(source)
        self._private = TemporaryDirectory(prefix="studio-service-")
        self._server = server_of(source, entry, Path(self._private.name))
        self._size = round(entry.size_gb * 2**30)
        try:
            self._server.start()
        except BaseException:
            self.unload()
            raise
        return self._server

    def wake(self, device: str) -> int:  # noqa: ARG002 - a server has chosen its device itself
        """Have its weights on the device; returns what it takes there."""
        server = self._loaded()
        server.wake()
        return server.size_bytes() or self._size

    def sleep(self) -> None:
        """Have its weights off the device."""
        self._loaded().sleep()

    def left(self) -> int:
        """What it keeps of the device while it sleeps, as far as it or the driver says: see `Ledger.evict`."""
        server = self._server
        if server is None:
            return self._remains
        return (server.size_bytes() or 0) if server.can_sleep else 0

    def unload(self) -> None:
        """End it where it was started here; where not, it sleeps."""
        server, self._server = self._server, None
        try:
            if server is not None and server.is_ours:
                server.stop()
            elif server is not None and server.can_sleep:
                if server.state() == "awake":
                    server.sleep()
                self._remains = _kept(server)
        finally:
            if self._private is not None:
                self._private.cleanup()
                self._private = None

    def _loaded(self) -> Server:
        if self._server is None:
            raise InvalidInput("the server was not loaded")
        return self._server


def _kept(server: Server) -> int:
    """What a server that sleeps has of the device; 0 where it says nothing."""
    try:
        return server.size_bytes() or 0
    except ToolError:
        return 0
