"""Which tools and engines there are: names from engines.yaml, classes imported when they are first asked for.

Importing this module imports no tool and no engine. Engine classes are never imported here at all: they live in
worker processes, and the registry knows them by `module:Class`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from configs.engines import ENGINES_YAML, Cost, EngineEntry, EnginesFile, StackEntry, ToolEntry, load_engines
from configs.models import MODELS_YAML, ModelsFile, load_models
from configs.own import OWN_PACKAGE, allowed_modules, own_file, with_own_engines
from configs.profiles import Profile
from configs.yaml_file import YamlProblem
from tools.base import Call, Tool, ToolInput, ToolOutput
from tools.errors import InvalidInput, MissingPrerequisite
from tools.functions.schema import function_schema, simplify

__all__ = ["EngineSpec", "Registry", "ToolSpec"]


@dataclass(frozen=True)
class ToolSpec:
    """What the model sees of a tool.

    Attributes:
        name: its name.
        description: the docstring of its class.
        tool: the class.
        files: dotted paths of arguments that name files outside the store.
        weights: dotted paths of arguments that name models by path.
    """

    name: str
    description: str
    tool: type[Tool]
    files: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the arguments; made when it is first asked for, since most turns show tools to no model."""
        return self.tool.Input.model_json_schema()

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """JSON schema of the result."""
        return self.tool.Output.model_json_schema()

    @property
    def function(self) -> dict[str, Any]:
        """The tool as an OpenAI function schema, short enough for small models."""
        return function_schema(self.name, self.description, simplify(self.input_schema))


@dataclass(frozen=True)
class EngineSpec:
    """One engine of a tool, by name; see `configs.engines.EngineEntry` for the fields of the same names."""

    tool: str
    name: str
    path: str
    about: str
    device: str
    stack: str
    licence: str
    embedded: bool
    models: tuple[str, ...]
    companions: tuple[str, ...]
    wants: str
    sparing: tuple[str, ...]
    reads: tuple[str, ...]
    languages: tuple[str, ...]
    voices: str
    from_still: bool
    serves_cpu: bool
    paid: bool
    network: bool
    role: str
    levers: tuple[str, ...]
    libraries: tuple[str, ...]
    cost: Cost
    silence_s: float

    @classmethod
    def of(cls, tool: str, name: str, entry: EngineEntry) -> EngineSpec:
        values = {key: getattr(entry, key) for key in EngineEntry.model_fields if key != "engine"}
        return cls(tool=tool, name=name, path=entry.engine, **values)

    def predicted_s(self, args: dict[str, Any]) -> float:
        """Predicted seconds of a call with these arguments."""
        total = self.cost.base
        for path, rate in self.cost.per.items():
            for value in values_at(args, path):
                if isinstance(value, list):
                    total += rate * len(value)
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    total += rate * value
        return total


@dataclass
class Registry:
    """Tools and engines by name.

    Attributes:
        entries: engines.yaml, read.
        profile: of the machine; None allows the CPU engines.
        allow: prefixes of the modules that class paths may name.
        models: models.yaml, read.
    """

    entries: EnginesFile
    profile: Profile | None = None
    allow: tuple[str, ...] = ("tools.",)
    models: ModelsFile = field(default_factory=ModelsFile)
    _specs: dict[str, ToolSpec] = field(default_factory=dict, repr=False)

    @classmethod
    def load(
        cls,
        path: Path = ENGINES_YAML,
        profile: Profile | None = None,
        allow: tuple[str, ...] | None = None,
    ) -> Registry:
        """Read engines.yaml and the models.yaml beside it; check all that can be checked without importing an engine.

        The studio's own file is joined by that of a folder of one's own (`configs.own`), and so is `allow`: None is
        what `allowed_modules()` says.

        Raises:
            InvalidInput: a file is malformed, names a module outside `allow` or one that does not exist; the profile
                names an engine that is not in the file; or an engine a model that it cannot use.
        """
        try:
            entries = load_engines(path)
            if path == ENGINES_YAML:
                entries = with_own_engines(entries)
            registry = cls(entries, profile, allowed_modules() if allow is None else allow, _models_beside(path))
        except YamlProblem as problem:
            raise InvalidInput(problem.message, where=problem.where) from problem
        registry._check(path)
        registry._check_models(path)
        return registry

    def _check(self, path: Path) -> None:
        for tool, entry in self.entries.tools.items():
            for name, class_path in [("tool", entry.tool), *((e, v.engine) for e, v in entry.engines.items())]:
                module = class_path.partition(":")[0]
                if not module.startswith(self.allow):
                    raise InvalidInput(f"{tool}/{name}: modules under {', '.join(self.allow)} only", where=str(path))
                if not _module_exists(module):
                    # Of a folder of one's own: it is that folder's file which names it.
                    own = own_file("engines.yaml") if module.startswith(f"{OWN_PACKAGE}.") else None
                    raise InvalidInput(f"{tool}/{name}: there is no module {module}", where=str(own or path))
        for tool, names in (self.profile.engines if self.profile else {}).items():
            known = self.entries.tools[tool].engines if tool in self.entries.tools else {}
            for name in names:
                if name not in known:
                    raise InvalidInput(f"the profile prefers {tool}/{name}, which {path.name} does not list")

    def _check_models(self, engines: Path) -> None:
        models = engines.with_name(MODELS_YAML.name)
        for name, model in self.models.loadable.items():
            module = model.weights.partition(":")[0]
            if not module.startswith(self.allow) or not _module_exists(module):
                raise InvalidInput(f"model {name}: there is no module {module} that may be used", where=str(models))
            stack = self.entries.stacks.get(model.stack)
            if stack is None or stack.workers != 1:
                raise InvalidInput(
                    f"model {name}: its stack {model.stack!r} is not in {engines.name} with `workers: 1`; one process "
                    "owns a device",
                    where=str(models),
                )
        for tool, entry in self.entries.tools.items():
            for engine, about in entry.engines.items():
                if about.wants and not about.wants.startswith(self.allow):
                    allowed = ", ".join(self.allow)
                    raise InvalidInput(f"{tool}/{engine}: modules under {allowed} only", where=str(engines))
                for name in about.reads:
                    if name not in self.models.models:
                        raise InvalidInput(f"{tool}/{engine}: {models.name} has no {name!r}", where=str(engines))
                for name in (*about.models, *about.companions):
                    known = self.models.loadable.get(name)
                    if known is None or known.stack != about.stack:
                        raise InvalidInput(
                            f"{tool}/{engine}: {models.name} has no {name!r} to be loaded in the stack {about.stack!r}",
                            where=str(engines),
                        )

    @property
    def stacks(self) -> dict[str, StackEntry]:
        """The stacks by name."""
        return self.entries.stacks

    def tool(self, name: str) -> ToolSpec:
        """A tool by name.

        Raises:
            InvalidInput: there is none of that name, or its class breaks the contract of `tools.base`.
        """
        if name not in self._specs:
            if name not in self.entries.tools:
                raise InvalidInput(f"there is no tool {name!r}.", hint=_suggest(name, list(self.entries.tools)))
            entry = self.entries.tools[name]
            self._specs[name] = _spec(name, entry)
        return self._specs[name]

    def tools(self) -> list[ToolSpec]:
        """Every tool, in the order of engines.yaml."""
        return [self.tool(name) for name in self.entries.tools]

    def engines(self, tool: str) -> list[EngineSpec]:
        """Every engine of a tool, in the order of engines.yaml, whether the profile allows it or not."""
        self.tool(tool)
        return [EngineSpec.of(tool, name, entry) for name, entry in self.entries.tools[tool].engines.items()]

    def pick(self, tool: str, engine: str = "") -> EngineSpec:
        """The engine that carries out a call; a named one is never replaced by another.

        Raises:
            InvalidInput: the tool has no engine of that name.
            MissingPrerequisite: none is allowed on this machine.
        """
        engines = self.engines(tool)
        if engine:
            for spec in engines:
                if spec.name == engine:
                    return spec
            names = [spec.name for spec in engines]
            raise InvalidInput(f"{tool} has no engine {engine!r}.", hint=_suggest(engine, names))
        preferred = (self.profile.engines if self.profile else {}).get(tool)
        if preferred:
            return next(spec for spec in engines if spec.name == preferred[0])
        has_gpu = self.profile is not None and self.profile.budget_gb > 0
        for spec in engines:
            if has_gpu or spec.device == "cpu":
                return spec
        raise MissingPrerequisite(
            f"every engine of {tool} needs a GPU ({', '.join(spec.name for spec in engines)}).",
            command="studio doctor",
        )

    def models_of(self, engine: EngineSpec, asked: ToolInput, here: Collection[str] = ()) -> tuple[str, ...]:
        """The models that a call needs on the device: the engine's own, and the companions that it uses.

        Args:
            asked: its arguments, validated.
            here: names of the companions that are on this machine.

        Raises:
            InvalidInput: what tells them is not there, or names something that engines.yaml does not.
        """
        known = frozenset(here).intersection(engine.companions)
        if not known:
            return engine.models
        module, _, name = engine.wants.partition(":")
        try:
            wants = getattr(importlib.import_module(module), name)
        except (ModuleNotFoundError, AttributeError) as error:
            raise InvalidInput(f"{engine.tool}/{engine.name}: wants {engine.wants}: {error}") from None
        found = frozenset(wants(asked, known))
        if not found <= known:
            strange = ", ".join(sorted(found - known))
            raise InvalidInput(f"{engine.tool}/{engine.name} wants {strange}, not among its own")
        return (*engine.models, *(one for one in engine.companions if one in found))

    def used_together(self, here: Collection[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """By engine whose models are on this machine: those, and all its companions, the likeliest first."""
        found = {
            (entry.models, entry.companions): None
            for tool in self.entries.tools.values() for entry in tool.engines.values()
            if entry.models and set(entry.models) <= set(here)
        }  # fmt: skip
        return list(found)

    def validate(self, call: Call) -> ToolInput:
        """The arguments of a call as the tool's `Input`.

        Raises:
            InvalidInput: unknown tool or engine, or arguments that break the schema; `where` is `call.field`.
        """
        try:
            spec = self.tool(call.tool)
            self.pick(call.tool, call.engine)
        except InvalidInput as error:
            raise InvalidInput(error.message, where=call.id, hint=error.hint) from None
        try:
            return spec.tool.Input.model_validate(call.args)
        except ValidationError as error:
            raise _readable(error, call.id) from None
        except RecursionError:
            raise InvalidInput("the arguments nest too deeply", where=call.id) from None

    def external_files(self, tool: str, args: dict[str, Any]) -> list[str]:
        """Paths among the arguments that name files outside the store, each once, in order."""
        found = (value for path in self.tool(tool).files for value in values_at(args, path))
        return list(dict.fromkeys(value for value in found if isinstance(value, str) and value))


def _models_beside(engines: Path) -> ModelsFile:
    path = engines.with_name(MODELS_YAML.name)
    return load_models(path) if path.exists() else ModelsFile()


def values_at(data: Any, path: str) -> Iterator[Any]:
    """Every value at a dotted path; a list met on the way stands for each of its items."""
    head, _, rest = path.partition(".")
    if isinstance(data, list):
        for item in data:
            yield from values_at(item, path)
    elif isinstance(data, dict) and head in data:
        if rest:
            yield from values_at(data[head], rest)
        else:
            yield data[head]


def _module_exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _suggest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    listed = f"There are: {', '.join(known) or 'none'}."
    return f"Did you mean {close[0]!r}? {listed}" if close else listed


def _spec(name: str, entry: ToolEntry) -> ToolSpec:
    module, _, attribute = entry.tool.partition(":")
    try:
        tool = getattr(importlib.import_module(module), attribute)
    except AttributeError:
        raise InvalidInput(f"tool {name}: {module} has no class {attribute}") from None
    problem = _tool_problem(name, tool)
    if problem:
        raise InvalidInput(f"tool {name} ({entry.tool}): {problem}")
    description = " ".join((tool.__doc__ or "").split())
    return ToolSpec(name, description, tool, entry.files, entry.weights)


def _tool_problem(name: str, tool: Any) -> str:
    if not (isinstance(tool, type) and issubclass(tool, Tool)):
        return "is not a tools.base.Tool"
    if getattr(tool, "name", None) != name:
        return f"calls itself {getattr(tool, 'name', None)!r}"
    if not (tool.__doc__ or "").strip() or tool.__doc__ == Tool.__doc__:
        return "has no docstring; the model would not know what it is for"
    for side, base in (("Input", ToolInput), ("Output", ToolOutput)):
        model = getattr(tool, side, None)
        if not (isinstance(model, type) and issubclass(model, base)):
            return f"has no {side} that is a {base.__name__}"
        if model.model_config.get("extra") != "forbid":
            return f"its {side} accepts unknown fields"
    return ""


def _readable(error: ValidationError, call_id: str) -> InvalidInput:
    problems = error.errors(include_url=False)
    first = problems[0]
    where = ".".join([call_id, *(str(part) for part in first["loc"])])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return InvalidInput(first["msg"].removeprefix("Value error, ") + more, where=where)
