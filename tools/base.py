"""The two things to write when adding a generator: a `Tool` (what the model sees) and an `Engine` (what does it).

A tool is a name, a sentence, and a pydantic model each for what goes in and what comes out. An engine carries one
tool out. Engines are named in configs/engines.yaml by `module:Class` and imported only when they run; heavy
libraries are imported inside `load()`.

    class Echo(Tool):
        '''Say a text back.'''
        name = "echo"
        class Input(ToolInput):
            text: str
        class Output(ToolOutput):
            file: str

    class PlainEcho(Engine[Echo.Input, Echo.Output]):
        tool, name, version = Echo, "plain", "1"
        def run(self, args, ctx):
            (ctx.out / "echo.txt").write_text(args.text)
            return Echo.Output(file="echo.txt")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tools.artifact import Artifact
from tools.errors import Cancelled, InvalidInput
from tools.model import Placing

__all__ = ["ArtifactRef", "Call", "Engine", "EngineContext", "Tool", "ToolInput", "ToolOutput", "find_refs"]


class ToolInput(BaseModel):
    """Base of what goes into a tool: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolOutput(BaseModel):
    """Base of what comes out of a tool: names of the files written, and what is known of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ArtifactRef(BaseModel):
    """An argument that is the result of another call of the plan: `{"call": "s1.line1"}`.

    The executor runs that call first and puts the artifact's `key` in; an engine opens it with `ctx.open(ref)`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    call: str = Field(description="id of the call; empty where the key is given")
    key: str = Field("", description="of the result, as an earlier answer told it")


class Tool(ABC):
    """What the model sees: the docstring is the description, `Input` and `Output` the schema."""

    name: ClassVar[str]
    Input: ClassVar[type[ToolInput]]
    Output: ClassVar[type[ToolOutput]]


InputT = TypeVar("InputT", bound=ToolInput)
OutputT = TypeVar("OutputT", bound=ToolOutput)


@dataclass
class EngineContext:
    """All that an engine may use besides its arguments.

    Attributes:
        out: an empty folder; every file the engine writes goes here and nowhere else.
        seed: seed of everything random in this call.
        open_artifact: key -> Artifact, for the references among the arguments.
        models: what the engine's `models` of engines.yaml gave (`tools.model.Weights.load`), by name, on the device.
        placing: how they were loaded, and how sparing the engine should be with memory.
        restores: by model: makes its weights what was read again, to the bit. An engine that writes into weights (to
            merge a LoRA) calls it when it is done, however it ends; a model that is not in it must not be written into.
        report: called with (fraction done 0..1, short text); cheap, call it often.
        is_cancelled: True once the call should stop.
    """

    out: Path
    seed: int
    open_artifact: Callable[[str], Artifact]
    report: Callable[[float, str], None] = field(default=lambda _fraction, _text: None)
    is_cancelled: Callable[[], bool] = field(default=lambda: False)
    models: Mapping[str, Any] = field(default_factory=dict)
    placing: Placing = field(default=Placing())
    restores: Mapping[str, Callable[[], None]] = field(default_factory=dict)

    def model(self, name: str) -> Any:
        """A model that engines.yaml names for this engine; it is on the device while the call runs.

        Raises:
            InvalidInput: engines.yaml does not name it.
        """
        if name not in self.models:
            raise InvalidInput(f"the engine asked for the model {name!r}, which engines.yaml does not give it")
        return self.models[name]

    def open(self, ref: ArtifactRef) -> Artifact:
        """The artifact that `ref` stands for."""
        return self.open_artifact(ref.key)

    def progress(self, fraction: float, text: str = "") -> None:
        """Report progress and stop here if the call was cancelled.

        Raises:
            Cancelled: the call should stop.
        """
        if self.is_cancelled():
            raise Cancelled("stopped")
        self.report(fraction, text)


class Engine(ABC, Generic[InputT, OutputT]):
    """Carries out one tool. Construction is free; `load()` takes the time and the memory."""

    tool: ClassVar[type[Tool]]
    name: ClassVar[str]
    version: ClassVar[str]
    """Raise it when the same arguments would give a different result: old results are then made again."""

    def check(self) -> None:
        """Look whether everything needed is there, without loading it.

        Raises:
            MissingPrerequisite: names the command that mends it.
        """

    def load(self) -> None:
        """Import libraries and load weights. Called once before the first `run`."""

    def unload(self) -> None:
        """Give back all memory. `load` may follow."""

    def fingerprint(self, args: InputT) -> str:  # noqa: ARG002
        """A digest of the data files (rig packs, voices, weights) that the result depends on, beyond `args`."""
        return ""

    @abstractmethod
    def run(self, args: InputT, ctx: EngineContext) -> OutputT:
        """Make it: write files into `ctx.out`, return what was made.

        Raises:
            ToolError: any of the tree in `tools.errors`.
        """


class Call(BaseModel):
    """One tool call of a plan.

    Attributes:
        id: unique in the plan, as `s1.still`, `s1.line1.speech`, `film`; references name it.
        tool: name of the tool.
        args: its arguments as JSON data; references as `{"call": id, "key": ""}`.
        engine: name of the engine; empty lets the profile choose.
        seed: seed of the call.
        stage: calls of a lower stage are judged before those of the next begin.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    tool: str
    args: dict[str, Any]
    engine: str = ""
    seed: int = 0
    stage: int = 0

    @property
    def needs(self) -> list[str]:
        """Ids of the calls whose results this one takes in."""
        return list(dict.fromkeys(ref["call"] for ref in find_refs(self.args)))


def find_refs(data: Any) -> Iterator[dict[str, Any]]:
    """Every reference inside JSON arguments, in order (the dicts themselves, so that a caller may fill in `key`)."""
    if isinstance(data, dict):
        if set(data) == {"call", "key"}:
            if not isinstance(data["call"], str):
                raise InvalidInput("a reference names its call by a string", where="call")
            yield data
        else:
            for value in data.values():
                yield from find_refs(value)
    elif isinstance(data, list):
        for value in data:
            yield from find_refs(value)
