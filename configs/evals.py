"""The schema of evals.yaml."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model

__all__ = ["EVALS_YAML", "EvalsFile", "load_evals"]

EVALS_YAML = Path(__file__).with_name("evals.yaml")


class EvalsFile(BaseModel):
    """evals.yaml.

    Attributes:
        threshold: part of the scenarios that must pass.
        jobs: scenarios at once; 0 is one per CPU core.
        history: folders of earlier results that are kept.
        results: folder of the results, below the one the person stands in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float = Field(ge=0.0, le=1.0)
    jobs: int = Field(0, ge=0, le=64)
    history: int = Field(20, ge=1, le=1000)
    results: str = Field(min_length=1)


def load_evals(path: Path = EVALS_YAML) -> EvalsFile:
    """Read evals.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, EvalsFile)
