"""What turns of a scenario are made of: commands as they are typed, moments, damage, what an MCP client asks."""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from agent.intent import OutputKind

__all__ = ["PROGRAM", "Asked", "Damaged", "Edited", "Meanwhile", "Moment", "Options", "Typed"]

PROGRAM = "studio"
"""The program that a command is of; no other is run."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _split(typed: Any) -> Any:
    """A line as a shell splits it; a list stands as it is."""
    if not isinstance(typed, str):
        return typed
    try:
        return shlex.split(typed)
    except ValueError as error:
        raise ValueError(f"is no command line: {error}") from None


def _of_the_studio(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or words[0] != PROGRAM:
        raise ValueError(f"begins with `{PROGRAM}`, as it is typed; no other program is run")
    if any("\0" in word for word in words):
        raise ValueError("no word of a command holds a zero")
    return words


def _below(pattern: str) -> str:
    """A pattern of files in the scenario's folder.

    Raises:
        ValueError: it leads elsewhere.
    """
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise ValueError("is a pattern of files in the scenario's folder")
    return pattern


Typed = Annotated[tuple[str, ...], Field(max_length=60), BeforeValidator(_split), AfterValidator(_of_the_studio)]
"""A command as it is typed: one line (`studio jobs add "Luca waving"`), or its words as a list. No shell reads it."""


class Moment(_Model):
    """A moment of a turn.

    Attributes:
        call: pattern of call ids, with `status`; or `node`: of the graph, when it has ended.
        prints: of a command: this regular expression is found in what it has printed so far; of an MCP client: in
            what it is told of progress. file: of a command: a file of this pattern lies in the scenario's folder.
        nth: the first time, the second, ... (of `call` and `node`)
    """

    call: str | None = None
    status: Literal["queued", "running", "done", "cached", "failed"] = "done"
    node: Literal["think", "retrieve", "search", "reason", "act", "judge", "respond"] | None = None
    prints: str | None = Field(None, min_length=1)
    file: str | None = Field(None, min_length=1)
    nth: int = Field(1, ge=1)

    @field_validator("prints")
    @classmethod
    def _is_a_pattern(cls, prints: str | None) -> str | None:
        try:
            empty = prints is not None and re.compile(prints).search("")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if empty:
            raise ValueError("is found in every text, before anything is printed")
        return prints

    @model_validator(mode="after")
    def _one_of_them(self) -> Moment:
        given = [self.call, self.node, self.prints, self.file]
        if sum(one is not None for one in given) != 1:
            raise ValueError("say either call or node; of a command prints or file")
        if self.file is not None:
            _below(self.file)
        return self

    @property
    def is_seen_from_outside(self) -> bool:
        """Whether it is one of a process that is watched, not of the agent in this one."""
        return self.prints is not None or self.file is not None


class Options(_Model):
    """What the command line would say beside the request (`agent.options.RunOptions`)."""

    plan_only: bool = False
    approve: bool = False
    burn_subtitles: bool = False
    outputs: tuple[OutputKind, ...] = ()
    engines: tuple[str, ...] = ()
    preset: Literal["", "draft", "standard", "high", "master"] = ""
    strategy: Literal["", "plain", "react", "chain_of_thought", "tree_of_thoughts", "reflexion"] = ""


class Edited(_Model):
    """What the person changes by hand in the text of the storyboard (as storyboard.yaml has it)."""

    replace: str = Field(min_length=1)
    by: str


class Damaged(_Model):
    """What becomes of files between two turns: by a failing disk, by somebody's hand.

    Attributes:
        file: pattern of the files, in the scenario's folder.
        how: `cut`: the second half is gone; `scribble`: other bytes stand there; `remove`: it is gone.
    """

    file: str = Field(min_length=1)
    how: Literal["cut", "scribble", "remove"] = "scribble"

    _inside = field_validator("file")(_below)


class Meanwhile(_Model):
    """What is typed in a second terminal while the command of the turn runs.

    Attributes:
        at: when. command: what. exit: what it must return.
    """

    at: Moment
    command: Typed
    exit: int = 0

    @model_validator(mode="after")
    def _from_outside(self) -> Meanwhile:
        if not self.at.is_seen_from_outside:
            raise ValueError("at: of a command, say prints or file")
        return self


class Asked(_Model):
    """What an MCP client asks the studio (`studio mcp`, over standard input and output).

    Attributes:
        call: a tool, with `arguments`; or show: lists what there is; or read: a resource, by its address.
        low_level: the server was started with --tools.
        client: by name; each has a connection and a server of its own, which stay until the scenario ends.
    """

    call: str | None = Field(None, min_length=1, max_length=200)
    arguments: dict[str, Any] = Field(default_factory=dict)
    show: Literal["tools", "resources"] | None = None
    read: str | None = Field(None, min_length=1, max_length=1000)
    low_level: bool = False
    client: str = Field("first", pattern=r"^[a-z][a-z0-9_]{0,39}$")

    @model_validator(mode="after")
    def _one_question(self) -> Asked:
        if sum(one is not None for one in (self.call, self.show, self.read)) != 1:
            raise ValueError("say one of: call, show, read")
        if self.arguments and self.call is None:
            raise ValueError("arguments: only a call has them")
        return self

    @property
    def deed(self) -> str:
        """What is asked, in one line."""
        if self.call is not None:
            return f"{self.call} {json.dumps(self.arguments, ensure_ascii=False)}"
        return f"read {self.read}" if self.read is not None else f"list {self.show}"
