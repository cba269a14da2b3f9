"""A turn of a scenario: one thing that the person does, and what must be so after it.

They say something to the agent, type a command of the studio, or have an MCP client of theirs ask the studio.
"""

from __future__ import annotations

import shlex
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from evals.deeds import Asked, Damaged, Edited, Meanwhile, Moment, Options, Typed
from evals.expect.model import Expect
from tools.storyboard import Storyboard

__all__ = ["OF_AN_AGENT", "OF_A_CLIENT", "OF_A_COMMAND", "Turn"]

OF_AN_AGENT = (
    "intent", "assumptions", "problems", "thoughts", "notes", "search", "asked", "strategy", "trajectory",
    "tool_calls", "switches", "again", "scores", "attempts", "retries", "improved", "failures", "passed_over",
    "metrics",
)  # fmt: skip
"""What is only seen where the agent is talked with in this process."""
OF_A_COMMAND = ("output", "stderr")
OF_A_CLIENT = ("progress", "contents")


class Turn(BaseModel):
    """One thing that the person does.

    Attributes:
        say: the request. render: a storyboard to make as it stands, without a request; or edit: changes to the
            storyboard.yaml of the production so far, which is then rendered. back: turns to go back. branch: name of a
            conversation to begin from this one. damage: what becomes of files before the next turn. command: of the
            studio, typed in a terminal. mcp: asked by an MCP client.
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

    model_config = ConfigDict(extra="forbid", frozen=True)

    say: str | None = Field(None, min_length=1, max_length=20_000)
    render: Storyboard | None = None
    edit: tuple[Edited, ...] = ()
    back: int | None = Field(None, ge=1)
    branch: str | None = None
    damage: Damaged | None = None
    command: Typed | None = None
    mcp: Asked | None = None
    thread: str = "main"
    options: Options = Options()
    answers: tuple[str | Edited, ...] = ()
    stdin: str = Field("", max_length=100_000)
    meanwhile: Meanwhile | None = None
    within_s: float = Field(120.0, gt=0.0, le=600.0)
    cancel_at: Moment | None = None
    kill_at: Moment | None = None
    after_kill: Literal["again", "continue"] = "again"
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _one_deed(self) -> Turn:
        given = [self.say is not None, self.render is not None, bool(self.edit), self.back is not None,
                 self.branch is not None, self.damage is not None, self.command is not None,
                 self.mcp is not None]  # fmt: skip
        if sum(given) != 1:
            raise ValueError("a turn does one of: say, render, edit, back, branch, damage, command, mcp")
        if self.answers and not self.options.approve:
            raise ValueError("answers: nobody asks without options: {approve: true}")
        return self

    @model_validator(mode="after")
    def _what_belongs_to_it(self) -> Turn:
        """A field that nothing would look at is refused: the file would say more than is done."""
        said = self.model_fields_set
        if self.damage is not None:
            self._refuse(said - {"damage", "expect"}, "has nothing to do with files that are damaged")
            self._refuse(self.expect.model_fields_set - {"stored"}, "of damage, only what is stored is seen", "expect.")
        elif self.is_outside:
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
            spent = {"steps", "tokens"} & set(self.expect.model or {})
            self._refuse(spent, "what a process of its own spends is not counted here", "expect.model.")
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
            return f"MCP: {self.mcp.deed}"
        if self.render is not None:
            return "render"
        if self.damage is not None:
            return f"({self.damage.how} {self.damage.file})"
        return "edit" if self.edit else f"back {self.back or self.branch}"
