"""A scenario: a conversation in a world, and what must come of it. One YAML file each; docs/evals.md explains them.

for path in scenario_files(): scenario = load_scenario(path)
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.intent import OutputKind
from configs.yaml_file import YamlProblem, load_yaml_model
from evals.expect.model import Expect
from evals.world.model import World
from tools.storyboard import Storyboard

__all__ = [
    "SCENARIOS_DIR",
    "Moment",
    "Options",
    "Scenario",
    "Turn",
    "load_scenario",
    "load_scenarios",
    "scenario_files",
]

SCENARIOS_DIR = Path(__file__).with_name("scenarios")
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{2,79}$")]
Tag = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{1,39}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Moment(_Model):
    """A moment of a turn.

    Attributes:
        call: pattern of call ids, with `status`; or `node`: of the graph, when it has ended.
        nth: the first time, the second, ...
    """

    call: str | None = None
    status: Literal["queued", "running", "done", "cached", "failed"] = "done"
    node: Literal["think", "retrieve", "search", "reason", "act", "judge", "respond"] | None = None
    nth: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _either(self) -> Moment:
        if (self.call is None) == (self.node is None):
            raise ValueError("say either call or node")
        return self


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


class Turn(_Model):
    """One thing that the person does.

    Attributes:
        say: the request. render: a storyboard to make as it stands, without a request; or edit: changes to the
            storyboard.yaml of the production so far, which is then rendered. back: turns to go back. branch: name of a
            conversation to begin from this one.
        thread: of the conversation.
        options: beside it.
        answers: to the question for approval, in order: yes, no, what is to be changed, in words, or a change of the
            storyboard by hand: {replace, by}.
        cancel_at: the person stops it then. kill_at: the process is killed then (SIGKILL), and started again.
        after_kill: `again`: the same is said again; `continue`: the conversation goes on from its last checkpoint.
        expect: what must be so after this turn.
    """

    say: str | None = Field(None, min_length=1, max_length=20_000)
    render: Storyboard | None = None
    edit: tuple[Edited, ...] = ()
    back: int | None = Field(None, ge=1)
    branch: str | None = None
    thread: str = "main"
    options: Options = Options()
    answers: tuple[str | Edited, ...] = ()
    cancel_at: Moment | None = None
    kill_at: Moment | None = None
    after_kill: Literal["again", "continue"] = "again"
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _one_deed(self) -> Turn:
        given = [self.say is not None, self.render is not None, bool(self.edit), self.back is not None,
                 self.branch is not None]  # fmt: skip
        if sum(given) != 1:
            raise ValueError("a turn does one of: say, render, edit, back, branch")
        if self.answers and not self.options.approve:
            raise ValueError("answers: nobody asks without options: {approve: true}")
        return self


class Scenario(_Model):
    """One scenario.

    Attributes:
        name: the name of its file.
        about: what it shows, in one line.
        tags: by which it is chosen.
        time_limit_s: for all of it; beyond it has failed.
        world, turns: where, and what happens.
        expect: after the last turn, over all of it: numbers are sums, storyboard and message those of the last turn.
    """

    name: Name
    about: str = Field(min_length=8, max_length=300)
    tags: tuple[Tag, ...] = Field(min_length=1)
    time_limit_s: float = Field(180.0, gt=0.0, le=600.0)
    world: World = World()
    turns: tuple[Turn, ...] = Field(min_length=1, max_length=20)
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _something_is_expected(self) -> Scenario:
        if not any(one.given for one in (self.expect, *(turn.expect for turn in self.turns))):
            raise ValueError("expects nothing: it could not fail. Say what must be so under expect")
        return self

    @model_validator(mode="after")
    def _what_is_expected_can_be(self) -> Scenario:
        """Some expectations hold of themselves where the world has nothing that they are about."""
        expected = [self.expect, *(turn.expect for turn in self.turns)]
        if self.world.model is None and any(one.model is not None for one in expected):
            raise ValueError("expect.model: the world has no chat model, so nothing would be looked at")
        there = repr((self.world, [(turn.say, turn.answers, turn.render, turn.edit) for turn in self.turns]))
        for secret in (secret for one in expected for secret in one.secrets_absent or ()):
            if repr(secret)[1:-1] not in there:
                raise ValueError(f"secrets_absent: {secret!r} stands nowhere in world or turns, so it could not leak")
        return self

    def chosen_by(self, patterns: Sequence[str]) -> bool:
        """Whether one of the patterns is a glob of its name or one of its tags; none chooses all."""
        return not patterns or any(fnmatchcase(self.name, one) or one in self.tags for one in patterns)


def scenario_files(folder: Path = SCENARIOS_DIR) -> list[Path]:
    """All scenario files below a folder, by name."""
    return sorted(folder.rglob("*.yaml"), key=lambda path: path.stem)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario.

    Raises:
        YamlProblem: with file, line and field, and what is wrong there.
    """
    scenario = load_yaml_model(path, Scenario)
    if scenario.name != path.stem:
        raise YamlProblem(f"name: {scenario.name!r} must be that of the file, {path.stem!r}", where=f"{path}:1")
    return scenario


def load_scenarios(folder: Path = SCENARIOS_DIR, patterns: Sequence[str] = ()) -> list[Scenario]:
    """The scenarios of a folder that the patterns choose, by name; every file is read, lest a broken one hide.

    The name of a folder below it is a pattern, too.

    Raises:
        YamlProblem: see `load_scenario`; or a name stands twice.
    """
    found: dict[str, Scenario] = {}
    chosen: set[str] = set()
    for path in scenario_files(folder):
        scenario = load_scenario(path)
        if patterns and path.parent.name in patterns and path.parent != folder:
            chosen.add(scenario.name)
        if scenario.name in found:
            raise YamlProblem("there is another scenario of this name", where=str(path))
        found[scenario.name] = scenario
    return [one for one in found.values() if one.name in chosen or one.chosen_by(patterns)]
