"""A scenario: a conversation in a world, and what must come of it. One YAML file each; docs/evals.md explains them.

for path in scenario_files(): scenario = load_scenario(path)
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import YamlProblem, load_yaml_model
from evals.expect.model import Expect
from evals.turn import OF_A_CLIENT, OF_A_COMMAND, OF_AN_AGENT, Turn
from evals.world.model import World
from tools.errors import InvalidInput

__all__ = [
    "SCENARIOS_DIR",
    "Scenario",
    "load_scenario",
    "load_scenarios",
    "scenario_files",
]

SCENARIOS_DIR = Path(__file__).with_name("scenarios")
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{2,79}$")]
Tag = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{1,39}$")]
_REACHES_A_PROCESS = {
    "settings", "profile", "absent", "stand_ins", "knowledge", "preferences", "files", "own", "weights", "machine",
    "ears", "web", "model", "servers", "faults", "environment",
}  # fmt: skip
"""What of a world a command and an MCP server of the studio see, too: by files and variables, or `evals.run.child`."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
        there = repr((self.world, [turn.model_dump(exclude={"expect"}) for turn in self.turns]))
        for secret in (secret for one in expected for secret in one.secrets_absent or ()):
            if repr(secret)[1:-1] not in there:
                raise ValueError(f"secrets_absent: {secret!r} stands nowhere in world or turns, so it could not leak")
        return self

    @model_validator(mode="after")
    def _the_world_reaches_it(self) -> Scenario:
        """What a process of its own does not see of the world must not be claimed of it."""
        for number, turn in enumerate(self.turns):
            unseen = sorted(self.world.model_fields_set - _REACHES_A_PROCESS)
            if self.world.machine is not None and self.world.machine.sizes == "published":
                unseen.append("machine.sizes")
            if turn.is_outside and unseen:
                raise ValueError(f"turns.{number}: a process of its own does not see world.{unseen[0]}")
        return self

    @model_validator(mode="after")
    def _named_engines_are_there(self) -> Scenario:
        """A name that no engine bears would only be told when the scenario is played."""
        named = {number: turn.options.engines for number, turn in enumerate(self.turns) if turn.options.engines}
        if not named or "engines.yaml" in self.world.own:
            # Of a folder of one's own the names are known when it is written.
            return self
        from agent.choosing import read_wishes
        from tools.registry import Registry

        registry = Registry.load()
        for number, words in named.items():
            try:
                read_wishes(words, registry, f"turns.{number}.options.engines")
            except InvalidInput as problem:
                raise ValueError(str(problem)) from None
        return self

    @model_validator(mode="after")
    def _the_end_can_show_it(self) -> Scenario:
        """What is expected in the end is what the last turn leaves, or all of them together."""
        expected, last = self.expect.model_fields_set, self.turns[-1]
        if all(turn.is_outside for turn in self.turns):
            self._refuse(expected & set(OF_AN_AGENT), "no turn talks with the agent")
        if last.command is None:
            self._refuse(expected & set(OF_A_COMMAND), "the last turn is no command")
        if last.mcp is None:
            self._refuse(expected & set(OF_A_CLIENT), "the last turn is no MCP client's")
        if not last.is_outside:
            self._refuse(expected & {"data"}, "the last turn is neither a command nor MCP")
        return self

    @staticmethod
    def _refuse(names: set[str], why: str) -> None:
        if names:
            raise ValueError(f"expect.{min(names)}: {why}, so nothing would be looked at")

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
