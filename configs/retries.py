"""The schema of retries.yaml: what is tried again when it fails, how often, and after what pause."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model

__all__ = ["RETRIES_YAML", "ErrorKind", "RetriesFile", "RetryRule", "load_retries"]

RETRIES_YAML = Path(__file__).with_name("retries.yaml")

ErrorKind = Literal[
    "EngineFailed", "EngineCrashed", "EngineHung", "OutOfMemory", "BadOutput", "CorruptArtifact", "ProductionBusy",
    "DeviceBusy",
]  # fmt: skip
"""The errors of `tools.errors` that another attempt may mend."""


class RetryRule(BaseModel):
    """How often, and after what pause.

    Attributes:
        attempts: in all, the first included.
        pause_s: seconds before the second attempt.
        factor: each further pause is so many times the one before.
        longest_s: no pause is longer.
        ladder: each further attempt needs a step that takes less memory; only for `OutOfMemory`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    attempts: int = Field(ge=1, le=100)
    pause_s: float = Field(0.0, ge=0.0, le=3600.0)
    factor: float = Field(2.0, ge=1.0, le=10.0)
    longest_s: float = Field(60.0, ge=0.0, le=86400.0)
    ladder: bool = False

    def pause(self, attempt: int) -> float:
        """Seconds to wait after this attempt, counted from 1."""
        return min(self.pause_s * self.factor ** (attempt - 1), self.longest_s)


class RetriesFile(BaseModel):
    """retries.yaml: rules by kind of error, for one call and for a whole job."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    calls: dict[ErrorKind, RetryRule] = Field(default_factory=dict)
    jobs: dict[ErrorKind, RetryRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ladders_are_for_memory(self) -> RetriesFile:
        rules = [(kind, rule, kind == "OutOfMemory") for kind, rule in self.calls.items()]
        rules += [(kind, rule, False) for kind, rule in self.jobs.items()]
        wrong = [kind for kind, rule, may_climb in rules if rule.ladder and not may_climb]
        if wrong:
            raise ValueError(f"{wrong[0]}: a ladder is climbed by a call that ran out of memory, and by nothing else")
        return self


def load_retries(path: Path = RETRIES_YAML) -> RetriesFile:
    """Read retries.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, RetriesFile)
