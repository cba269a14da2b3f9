"""A turn of a scenario: one thing that the person does, and what must be so after it.

They say something to the agent, type a command of the studio, or have an MCP client of theirs ask the studio.
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from agent.intent import OutputKind
from evals.expect.model import Expect
from tools.storyboard import Storyboard

__all__ = [
    "OF_AN_AGENT",
    "OF_A_CLIENT",
    "OF_A_COMMAND",
    "PROGRAM",
    "Asked",
    "Edited",
    "Meanwhile",
    "Moment",
    "Options",
    "Turn",
    "Typed",
]

PROGRAM = "studio"
"""The program that a command is of; no other is run."""
OF_AN_AGENT = (
    "intent", "assumptions", "problems", "thoughts", "notes", "search", "asked", "strategy", "trajectory",
    "tool_calls", "switches", "again", "scores", "attempts", "retries", "improved", "failures", "passed_over",
    "metrics",
)  # fmt: skip
"""What is only seen where the agent is talked with in this process."""
OF_A_COMMAND = ("output", "stderr")
OF_A_CLIENT = ("progress", "contents")


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
        if self.file is not None and (self.file.startswith("/") or ".." in self.file.split("/")):
            raise ValueError("file: is a pattern below the scenario's folder")
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


class Turn(_Model):
    """One thing that the person does.

    Attributes:
        say: the request. render: a storyboard to make as it stands, without a request; or edit: changes to the
            storyboard.yaml of the production so far, which is then rendered. back: turns to go back. branch: name of a
            conversation to begin from this one. command: of the studio, typed in a terminal. mcp: asked by an MCP
            client.
        thread: of the conversation.
        options: beside it.
        answers: to the question for approval, in order: yes, no, what is to be changed, in words, or a change of the
            storyboard by hand: {replace, by}.
        stdin: what the command reads. meanwhile: typed in a second terminal.
        within_s: for a command or an MCP request; one that takes longer is ended, and has failed.
        cancel_at: the person stops it then (Ctrl-C; an MCP client cancels its request). kill_at: the process is killed
            then (SIGKILL), and started again, but for a command: that is typed again by another turn.
        after_kill: `again`: the same is said again; `continue`: the conversation goes on from its last checkpoint.
        expect: what must be so after this turn.
    """

    say: str | None = Field(None, min_length=1, max_length=20_000)
    render: Storyboard | None = None
    edit: tuple[Edited, ...] = ()
    back: int | None = Field(None, ge=1)
    branch: str | None = None
    command: Typed | None = None
    mcp: Asked | None = None
    thread: str = "main"
    options: Options = Options()
    answers: tuple[str | Edited, ...] = ()
    stdin: str = Field("", max_length=100_000)
    meanwhile: Meanwhile | None = None
    within_s: float = Field(90.0, gt=0.0, le=600.0)
    cancel_at: Moment | None = None
    kill_at: Moment | None = None
    after_kill: Literal["again", "continue"] = "again"
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _one_deed(self) -> Turn:
        given = [self.say is not None, self.render is not None, bool(self.edit), self.back is not None,
                 self.branch is not None, self.command is not None, self.mcp is not None]  # fmt: skip
        if sum(given) != 1:
            raise ValueError("a turn does one of: say, render, edit, back, branch, command, mcp")
        if self.answers and not self.options.approve:
            raise ValueError("answers: nobody asks without options: {approve: true}")
        return self

    @model_validator(mode="after")
    def _what_belongs_to_it(self) -> Turn:
        """A field that nothing would look at is refused: the file would say more than is done."""
        said = self.model_fields_set
        if self.is_outside:
            self._refuse(said & {"thread", "options", "answers", "after_kill"}, "belongs to a conversation")
        else:
            self._refuse(said & {"within_s"}, "belongs to a command or mcp")
        if self.command is None:
            self._refuse(said & {"stdin", "meanwhile"}, "belongs to a command")
        if self.mcp is not None:
            self._refuse(said & {"kill_at"}, "nothing kills an MCP server here; cancel_at stops its work")
        for name in ("cancel_at", "kill_at"):
            moment: Moment | None = getattr(self, name)
            if moment is None:
                continue
            if self.is_outside and not moment.is_seen_from_outside:
                raise ValueError(f"{name}: of a command or mcp, say prints (or file, of a command)")
            if self.mcp is not None and moment.prints is None:
                raise ValueError(f"{name}: of mcp, say prints: words of its progress")
            if not self.is_outside and moment.is_seen_from_outside:
                raise ValueError(f"{name}: prints and file belong to a command; say call or node")
        return self

    @model_validator(mode="after")
    def _what_is_seen_of_it(self) -> Turn:
        """What is expected must be seen at all."""
        expected = self.expect.model_fields_set
        if self.is_outside:
            self._refuse(expected & set(OF_AN_AGENT), "of a command or mcp nothing is seen from inside", "expect.")
        if self.command is None:
            self._refuse(expected & set(OF_A_COMMAND), "only a command prints", "expect.")
        else:
            self._refuse(expected & {"message", "error"}, "of a command, say output, stderr, exit", "expect.")
        if self.mcp is None:
            self._refuse(expected & set(OF_A_CLIENT), "only an MCP client is told it", "expect.")
        else:
            self._refuse(expected & {"exit"}, "of mcp, say error", "expect.")
        if not self.is_outside:
            self._refuse(expected & {"data"}, "of a command or mcp alone", "expect.")
        return self

    @staticmethod
    def _refuse(names: set[str], why: str, where: str = "") -> None:
        if names:
            raise ValueError(f"{where}{sorted(names)[0]}: {why}")

    @property
    def is_outside(self) -> bool:
        """Whether a process of its own does it, that is looked at from outside."""
        return self.command is not None or self.mcp is not None

    @property
    def deed(self) -> str:
        """What is done, in one line."""
        if self.say is not None:
            return self.say
        if self.command is not None:
            return "$ " + shlex.join(self.command)
        if self.mcp is not None:
            return f"MCP: {_asked(self.mcp)}"
        if self.render is not None:
            return "render"
        return "edit" if self.edit else f"back {self.back or self.branch}"


def _asked(asked: Asked) -> str:
    import json

    if asked.call is not None:
        return f"{asked.call} {json.dumps(asked.arguments, ensure_ascii=False)}"
    return f"read {asked.read}" if asked.read is not None else f"list {asked.show}"
