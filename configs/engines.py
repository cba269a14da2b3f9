"""The schema of engines.yaml: which tools there are, and which engines carry each of them out.

Names only: nothing here imports a tool. `tools.registry` does, when it must.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from configs.yaml_file import load_yaml_model

__all__ = [
    "ENGINES_YAML",
    "ClassPath",
    "Cost",
    "EngineEntry",
    "EnginesFile",
    "StackEntry",
    "ToolEntry",
    "load_engines",
]

ENGINES_YAML = Path(__file__).with_name("engines.yaml")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
ClassPath = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$")]
"""`package.module:Class`. Which packages are accepted is the registry's business."""
Requirement = Annotated[str, Field(pattern=r"^[^-\s\x00][^\r\n\x00]*$")]
"""As pip takes it; what begins with `-` would be one of its options, as another index."""
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
ArgumentPath = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$")]
"""Dotted path to an argument, as `shot.control.image`; a list on the way stands for each of its items."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StackEntry(_Model):
    """A set of libraries that live in one process, apart from the others.

    Attributes:
        about: one line.
        python: interpreter that runs it; empty is the studio's own, or, where it `requires` something, that of the
            environment that `studio stacks install NAME` makes.
        requires: what pip installs into an environment of its own, first to last; empty shares the studio's.
        workers: how many processes at most; 0 is one per CPU core, up to the pool's limit.
        keys: environment variables with keys of services that its workers are given; no other worker sees them.
        chat_models: its workers are given the addresses and keys that chat_models.yaml names, where they are set.
    """

    about: str = Field(min_length=1)
    python: str = ""
    requires: tuple[Requirement, ...] = ()
    workers: int = Field(0, ge=0, le=64)
    keys: tuple[EnvironmentName, ...] = ()
    chat_models: bool = False


class Cost(_Model):
    """Predicted seconds of one call on the machine of the README: `base`, plus a rate times each numeric argument.

    Only the order of calls and the time shown before a run depend on it, never a result.
    """

    base: float = Field(0.2, ge=0.0, description="seconds")
    per: dict[ArgumentPath, float] = Field(
        default_factory=dict, description="by argument path: seconds per unit; a list counts its items"
    )


class EngineEntry(_Model):
    """One engine of a tool.

    Attributes:
        engine: its class.
        about: one line, what it is and what it is good for.
        device: what it computes on.
        stack: which worker it lives in.
        licence: of the engine with its library and weights, as an SPDX name where there is one.
        embedded: comes with `pip install`, needs no weights and no network.
        models: weights it needs, by their names in models.yaml; they are on the device while it runs.
        companions: weights that some of its calls need besides, where they are on this machine; those that calls use
            most stand first.
        wants: the function that tells which of its companions a call uses: `(input, here) -> names`, where `here` holds
            the names of those on this machine. It imports no heavy library.
        sparing: what it can do when memory runs out: `slice`, `tile`, `offload`, `int8`, `int4`, `smaller`; see
            ladder.yaml, and `Placing`, which tells it what to do.
        reads: models that must be on this machine, and that it reads by itself, away from the device.
        languages: that it speaks, by their codes; empty where it does not matter.
        voices: a character needs a voice of this kind (`studio voice list`) for it; empty where any will do.
        from_still: it sets the shot's still in motion, so it is handed that.
        serves_cpu: it wants a GPU, and is quick enough on a CPU to be taken there unasked.
        paid: each call costs money: it is used only where a person names it.
        network: it asks a service of another machine: `Settings.network` must allow that.
        role: it asks the chat model that the settings name for this role.
        levers: what the quality loop may change for it where a result does not show what was asked for: another `take`
            (another seed shows it otherwise; not so where it is drawn by rules), the `layout` it draws from, the words
            of its `prompt`, one character alone (`repair`), how strictly it follows its `controls`, and how closely
            characters keep to their `likeness`.
        libraries: distributions whose versions are recorded with every result.
        cost: predicted seconds.
        silence_s: seconds without a sign of progress after which a call counts as hung.
    """

    engine: ClassPath
    about: str = Field(min_length=1)
    device: Literal["cpu", "gpu"]
    stack: Name = "core"
    licence: str = Field(min_length=1)
    embedded: bool = False
    models: tuple[Name, ...] = ()
    companions: tuple[Name, ...] = ()
    wants: ClassPath | Literal[""] = ""
    sparing: tuple[Literal["slice", "tile", "offload", "int8", "int4", "smaller"], ...] = ()
    reads: tuple[Name, ...] = ()
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    voices: Name | Literal[""] = ""
    from_still: bool = False
    serves_cpu: bool = False
    paid: bool = False
    network: bool = False
    role: Literal["", "vision"] = ""
    levers: tuple[Literal["take", "layout", "prompt", "repair", "controls", "likeness"], ...] = ("take",)
    libraries: tuple[str, ...] = ()
    cost: Cost = Cost()
    silence_s: float = Field(120.0, gt=0.0)

    @model_validator(mode="after")
    def _says_when(self) -> EngineEntry:
        if bool(self.companions) != bool(self.wants) or (self.companions and not self.models):
            raise ValueError("companions: they need models that they go with, and `wants`, which says when")
        return self


class ToolEntry(_Model):
    """A tool and its engines, the preferred one first.

    Attributes:
        tool: its class.
        files: arguments that are paths of files outside the store; their content is part of what makes a result.
        weights: arguments that are paths of models; engines hold them against what they know of models.
        engines: by name.
    """

    tool: ClassPath
    files: tuple[ArgumentPath, ...] = ()
    weights: tuple[ArgumentPath, ...] = ()
    engines: dict[Name, EngineEntry] = Field(min_length=1)


class EnginesFile(_Model):
    """engines.yaml."""

    stacks: dict[Name, StackEntry]
    tools: dict[Name, ToolEntry]

    @field_validator("stacks")
    @classmethod
    def _plain_paths(cls, stacks: dict[str, StackEntry]) -> dict[str, StackEntry]:
        for name, stack in stacks.items():
            if re.search(r"[\x00-\x1f]", stack.python):
                raise ValueError(f"stack {name!r}: the interpreter's path holds control characters")
        return stacks

    @model_validator(mode="after")
    def _stacks_exist(self) -> EnginesFile:
        for tool, entry in self.tools.items():
            for name, engine in entry.engines.items():
                if engine.stack not in self.stacks:
                    raise ValueError(
                        f"{tool}/{name} names the stack {engine.stack!r}; there are {', '.join(self.stacks) or 'none'}"
                    )
        return self


def load_engines(path: Path = ENGINES_YAML) -> EnginesFile:
    """Read engines.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, EnginesFile)
