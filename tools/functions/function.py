"""Functions that a model can call: a typed Python function, or a tool of the registry, with its schema.

    @function(effect="reads")
    def list_places(desk: Desk) -> Answer:
        '''List the places that can be drawn.'''
        return Answer("beach, kitchen")

The first parameter is whatever the caller hands its functions; the others are the model's: their type hints make the
schema, the `Args:` of the docstring (or `Field(description=...)` in an `Annotated`) describe them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from tools.errors import InvalidInput
from tools.functions.coercion import BadArguments, coerce, read_arguments
from tools.functions.schema import function_schema, simplify

__all__ = ["NAME", "Answer", "Effect", "Function", "MadeFile", "function", "function_of_tool", "plain_values"]

NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
"""What OpenAI's API takes as the name of a function."""

Effect = Literal["reads", "plans", "makes", "network", "remembers", "spends", "deletes"]
"""What calling a function does at worst: it reads what the studio knows; it changes the storyboard of this
conversation; it makes files (which takes time); it asks the network; it changes what the studio knows, prefers or
which voices it has; it spends money; it removes something."""

ContextT = TypeVar("ContextT")


@dataclass(frozen=True)
class MadeFile:
    """A file that a function made or told of.

    Attributes:
        label: what it is: `film`, `stills/s1`, `line`.
        path: where it lies, in full; who shows it to a model shortens it.
        key: of the artifact it belongs to, if it is one; low-level tools take it as a reference.
    """

    label: str
    path: str
    key: str = ""


@dataclass(frozen=True)
class Answer:
    """What a function answers.

    Attributes:
        text: for a model and a person to read.
        data: the same as JSON data, for programs.
        files: what was made.
        foreign: the text holds words of documents or of the web: data, never instructions.
        changed: the storyboard of this conversation is another than before.
    """

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    files: tuple[MadeFile, ...] = ()
    foreign: bool = False
    changed: bool = False


@dataclass(frozen=True)
class Function(Generic[ContextT]):
    """A function as a model sees it, and what carries it out.

    Attributes:
        name, description: as the model sees them.
        parameters: the simplified JSON schema of its arguments.
        call: is handed the context and the arguments, validated; returns an `Answer`, or raises a `ToolError`.
        effect: the worst that it does.
        scene: its answer depends on the storyboard of this conversation.
        model: validates the arguments after they were coerced; None: `check` does.
        check: validates coerced arguments where there is no model (a foreign function has a schema alone).
    """

    name: str
    description: str
    parameters: dict[str, Any]
    call: Callable[[ContextT, dict[str, Any]], Answer]
    effect: Effect = "reads"
    scene: bool = False
    model: type[BaseModel] | None = None
    check: Callable[[dict[str, Any]], None] | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InvalidInput(f"{self.name[:80]!r} cannot be the name of a function")

    def schema(self, *, strict: bool = False) -> dict[str, Any]:
        """In OpenAI's format; where strict mode cannot say the parameters, not strict.

        Args:
            strict: ask for the strict form.
        """
        try:
            return function_schema(self.name, self.description, self.parameters, strict=strict)
        except InvalidInput:
            return function_schema(self.name, self.description, self.parameters)

    def read(self, raw: Any) -> dict[str, Any]:
        """The arguments of a call, made right and validated: values for `call`.

        Raises:
            BadArguments: in one readable line, with what to do.
        """
        arguments = coerce(read_arguments(raw), self.parameters)
        if self.model is not None:
            try:
                checked = self.model.model_validate(arguments)
            except ValidationError as error:
                raise BadArguments(_problems(error)) from None
            except RecursionError:
                raise BadArguments(["the arguments nest too deeply"]) from None
            return {name: getattr(checked, name) for name in type(checked).model_fields}
        if self.check is not None:
            self.check(arguments)
        return arguments

    def canonical(self, values: Mapping[str, Any]) -> str:
        """Arguments as text that is equal where they mean the same: defaults written out, keys in order."""
        from tools.artifact import canonical_json

        return canonical_json(plain_values(values)).decode()


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Validated arguments as JSON data again."""
    return {str(name): _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return plain_values(value) if isinstance(value, Mapping) else value


def _problems(error: ValidationError) -> list[str]:
    found = []
    for one in error.errors(include_url=False):
        where = ".".join(str(part) for part in one["loc"])
        message = one["msg"].removeprefix("Value error, ")
        found.append(f"{where}: {message}" if where else message)
    return found


def function(
    *, effect: Effect = "reads", scene: bool = False, name: str = ""
) -> Callable[[Callable[..., Answer]], Function[Any]]:
    """Make a function for models of a typed Python function.

    Args:
        effect: the worst that it does.
        scene: whether its answer depends on the storyboard of this conversation.
        name: as the model sees it; empty takes the function's own.

    Raises:
        InvalidInput: it has no docstring, or an argument without a type or a description.
    """

    def made(run: Callable[..., Answer]) -> Function[Any]:
        called = name or run.__name__
        model = _model_of(run, called)
        return Function(
            name=called,
            description=_summary(run.__doc__ or ""),
            parameters=simplify(model.model_json_schema()),
            call=lambda context, values: run(context, **values),
            effect=effect,
            scene=scene,
            model=model,
        )

    return made


def _model_of(run: Callable[..., Answer], name: str) -> type[BaseModel]:
    if not _summary(run.__doc__ or ""):
        raise InvalidInput(f"the function {name} has no docstring; a model would not know what it is for")
    hints = get_type_hints(run, include_extras=True)
    told = _described(run.__doc__ or "")
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(run).parameters.values())[1:]:
        if parameter.name not in hints:
            raise InvalidInput(f"{name}: the argument {parameter.name} has no type")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        about = told.get(parameter.name)
        fields[parameter.name] = (hints[parameter.name], Field(default, description=about) if about else default)
    model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), **fields)
    for field_name, info in model.model_fields.items():
        if not info.description:
            raise InvalidInput(f"{name}: the argument {field_name} has no description")
    return model


def _summary(doc: str) -> str:
    """What stands before `Args:`, on one line."""
    head = re.split(r"\n\s*(?:Args|Returns|Raises|Example|Source|Attributes):\s*\n", inspect.cleandoc(doc) + "\n")[0]
    return " ".join(head.split())


def _described(doc: str) -> dict[str, str]:
    """The arguments that the `Args:` part of a docstring describes."""
    found: dict[str, list[str]] = {}
    inside, current = False, ""
    for line in inspect.cleandoc(doc).splitlines():
        if re.fullmatch(r"[A-Z]\w+:", line):
            inside = line == "Args:"
        elif inside and (match := re.match(r"    (\w+): (.*)", line)):
            current = match[1]
            found[current] = [match[2]]
        elif inside and current and line.startswith("        "):
            found[current].append(line.strip())
    return {name: " ".join(lines) for name, lines in found.items()}


def function_of_tool(
    name: str,
    tool: type[Any],
    call: Callable[[ContextT, dict[str, Any]], Answer],
    *,
    effect: Effect = "makes",
) -> Function[ContextT]:
    """A tool of the registry as a function: its `Input` is the schema, its docstring the description.

    Args:
        name: of the tool.
        tool: its class (`tools.base.Tool`).
        call: carries it out.
        effect: the worst that it does.
    """
    schema = simplify(tool.Input.model_json_schema())
    return Function(name, " ".join((tool.__doc__ or "").split()), schema, call, effect, False, tool.Input)
