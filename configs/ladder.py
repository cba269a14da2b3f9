"""The schema of ladder.yaml: what is tried, in which order, when a device's memory runs out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.engines import Name
from configs.yaml_file import load_yaml_model

__all__ = ["LADDER_YAML", "Change", "LadderFile", "LadderStep", "StepKind", "load_ladders"]

LADDER_YAML = Path(__file__).with_name("ladder.yaml")

StepKind = Literal["free", "slice", "tile", "offload", "quantise", "smaller"]


class Change(BaseModel):
    """How a model is loaded from then on; what is not named stays."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    offload: Literal["group", "sequential"] | None = None
    quantise: Literal["int8", "int4"] | None = None


class LadderStep(BaseModel):
    """One step down.

    Attributes:
        name: for people; unique in its ladder.
        step: what is done.
        about: what that means, in one line.
        set: to what, for `offload` and `quantise`.
        needs: what the engine and its models must be able to do; empty is the step's own kind.
        times: how often it may be taken; only `smaller` more than once.
        changes_result: the result differs by more than rounding.
        slower: how much longer a call takes, roughly.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=60)
    step: StepKind
    about: str = Field(min_length=1)
    set: Change = Change()
    needs: tuple[str, ...] = ()
    times: int = Field(1, ge=1, le=8)
    changes_result: bool = False
    slower: float = Field(1.0, ge=1.0, le=100.0)

    @model_validator(mode="after")
    def _says_to_what(self) -> LadderStep:
        for kind, value in (("offload", self.set.offload), ("quantise", self.set.quantise)):
            if (self.step == kind) != (value is not None):
                raise ValueError(f"{self.name!r}: `set: {{{kind}: ...}}` belongs to the step {kind}, and it needs it")
        if self.times > 1 and self.step != "smaller":
            raise ValueError(f"{self.name!r}: only the step smaller can be taken several times")
        if self.step == "quantise" and not self.changes_result:
            raise ValueError(f"{self.name!r}: fewer bits change the result; say `changes_result: true`")
        return self


class LadderFile(BaseModel):
    """ladder.yaml: steps by tool."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    ladders: dict[Name, tuple[LadderStep, ...]]

    @model_validator(mode="after")
    def _names_are_unique(self) -> LadderFile:
        if "default" not in self.ladders:
            raise ValueError("there must be a ladder named default")
        for tool, steps in self.ladders.items():
            names = [step.name for step in steps]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise ValueError(f"{tool}: two steps are named {twice!r}")
        return self


def load_ladders(path: Path = LADDER_YAML) -> LadderFile:
    """Read ladder.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, LadderFile)
