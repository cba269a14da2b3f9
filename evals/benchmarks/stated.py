"""Every speed that the project states, and the figure that measures it: `stated.yaml`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model

__all__ = ["STATED_YAML", "Claim", "Stated", "load_stated"]

STATED_YAML = Path(__file__).with_name("stated.yaml")


class Claim(BaseModel):
    """One speed that is stated.

    Attributes:
        claim: in words.
        figure: how the name of its row begins.
        unit: of value and goal.
        goal: at most so much; None where a figure is told without a promise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str = Field(min_length=1)
    figure: str = Field(min_length=1)
    unit: str
    goal: float | None = None


class Stated(BaseModel):
    """The claims by benchmark, in the order in which these are run; and what is measured elsewhere, with how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmarks: dict[str, list[Claim]]
    elsewhere: dict[str, str]


def load_stated() -> Stated:
    """Read stated.yaml.

    Raises:
        YamlProblem: it is not valid; with the line.
    """
    return load_yaml_model(STATED_YAML, Stated)
