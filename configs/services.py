"""The schema of services.yaml: model servers that take turns on the device with the studio's own models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.engines import Name
from configs.yaml_file import load_yaml_model

__all__ = ["SERVICES_YAML", "ServiceEntry", "ServiceTimeouts", "ServicesFile", "load_services"]

SERVICES_YAML = Path(__file__).with_name("services.yaml")

Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Word = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*$")]


class ServiceTimeouts(BaseModel):
    """Seconds until a server must be ready, awake, asleep, ended, or have said how it is; None: what its kind takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    start: Seconds | None = None
    wake: Seconds | None = None
    sleep: Seconds | None = None
    stop: Seconds | None = None
    probe: Seconds | None = None


class ServiceEntry(BaseModel):
    """One server, or one model of a server that holds several.

    Attributes:
        about: one line.
        kind: how it is spoken to.
        url: where it listens.
        model: its name there, for `ollama` and `llama_swap`.
        level: of `vllm`: 1 keeps the weights in host memory while it sleeps, 2 does not.
        size_gb: GiB on the device while awake, where nobody can say.
        command: program and arguments that start it; empty: somebody else does.
        root, python: of `gpt_sovits`, in place of a command: the checkout, and the interpreter of its environment.
        cwd: where the command runs.
        env: set for the command besides what every worker is given.
        ready_line: ready when a line of its output matches this regular expression.
        ready_path: of `command`: ready when this path answers 200; empty: when its port is open.
        timeouts: see there.
        remote: the address may be another machine's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    about: str = Field(min_length=1)
    kind: Literal["vllm", "ollama", "llama_server", "llama_swap", "gpt_sovits", "comfyui", "command"]
    url: str = Field(min_length=1)
    model: str = ""
    level: Literal[1, 2] = 1
    size_gb: float = Field(gt=0.0, le=1000.0)
    command: tuple[Word, ...] = ()
    root: Path | None = None
    python: str = "python"
    cwd: Path | None = None
    env: dict[str, str] = Field(default_factory=dict)
    ready_line: str = ""
    ready_path: str = Field("", pattern=r"^(/.*)?$")
    timeouts: ServiceTimeouts = ServiceTimeouts()
    remote: bool = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ServiceEntry:
        if (self.kind in ("ollama", "llama_swap")) != bool(self.model):
            raise ValueError(f"`model` belongs to ollama and llama_swap, and they need it; this is {self.kind}")
        if self.root is not None and (self.kind != "gpt_sovits" or self.command):
            raise ValueError("`root` belongs to gpt_sovits without a command")
        if self.ready_path and self.kind != "command":
            raise ValueError(f"`ready_path` belongs to the kind command; {self.kind} has its own")
        if self.ready_line and not self.command:
            raise ValueError("`ready_line` needs a command whose output is read")
        if self.remote and (self.command or self.root):
            raise ValueError("a server on another machine cannot be started from here")
        try:
            re.compile(self.ready_line)
        except re.error as error:
            raise ValueError(f"`ready_line` is no regular expression: {error}") from None
        return self


class ServicesFile(BaseModel):
    """services.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    services: dict[Name, ServiceEntry] = Field(default_factory=dict)


def load_services(path: Path = SERVICES_YAML) -> ServicesFile:
    """Read services.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ServicesFile)
