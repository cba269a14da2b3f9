"""What a run of the benchmarks leaves behind: one JSON, whose schema these models are.

studio bench --schema        # the JSON schema
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FORMAT", "BenchRow", "BenchRun", "Commit", "Machine", "Spread"]

FORMAT: Literal["studio-bench/1"] = "studio-bench/1"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Part):
    """Repeats of one figure, in its unit."""

    count: int = Field(ge=1)
    min: float
    median: float
    max: float


class BenchRow(_Part):
    """A figure; see `evals.benchmarks.row.Row` for what the fields mean.

    Attributes:
        benchmark: which module measured it.
        met: whether value <= goal; None where there is no goal or no value.
        repeats, against_repeats: of value and comparison; None for what is measured once.
        ratio_repeats: value / against of repeats that were taken in pairs.
        yardstick_ms: what a fixed piece of Python took right before and after this benchmark (the mean of both
            medians): how fast the machine was meanwhile.
        load: load average of the last minute when this benchmark began.
    """

    benchmark: str
    name: str = Field(min_length=1)
    value: float | None
    unit: str
    goal: float | None = None
    against: float | None = None
    compared_with: str = ""
    ratio: float | None = None
    met: bool | None = None
    repeats: Spread | None = None
    against_repeats: Spread | None = None
    ratio_repeats: Spread | None = None
    not_run: str = ""
    exact: bool = False
    yardstick_ms: float | None = Field(None, gt=0)
    load: float | None = None


class Machine(_Part):
    """Where it was measured. No name of host or user: results are shown to others."""

    system: str
    processor: str
    cores: int = Field(ge=1)
    memory_gb: float
    gpu: str
    python: str
    libraries: dict[str, str]


class Commit(_Part):
    """What was measured. `changed`: the tree had changes that were in no commit."""

    id: str = Field(pattern=r"^[0-9a-f]{7,64}$")
    date: datetime
    title: str = Field(max_length=200)
    changed: bool


class BenchRun(_Part):
    """One run of `studio bench`.

    Attributes:
        format: of this record.
        date: when it began, with its zone.
        took_s: seconds in all.
        commit: None where there is no git checkout.
        load_before, load_after: load averages over 1, 5 and 15 minutes; empty where the system has none.
        quiet: whether nothing else kept the cores busy; goals of a run that is not quiet say little.
        warnings: what to know before reading the figures.
        rows: the figures.
        failed: benchmarks that broke, and how.
    """

    format: Literal["studio-bench/1"] = FORMAT
    date: datetime
    took_s: float
    machine: Machine
    commit: Commit | None
    load_before: list[float]
    load_after: list[float]
    quiet: bool
    warnings: list[str]
    rows: list[BenchRow]
    failed: dict[str, str] = Field(default_factory=dict)

    @property
    def missed(self) -> list[BenchRow]:
        """Figures beyond their goal."""
        return [row for row in self.rows if row.met is False]

    @property
    def label(self) -> str:
        """The run in a few letters: commit and day."""
        commit = (self.commit.id[:7] + ("+" if self.commit.changed else "")) if self.commit else "no commit"
        return f"{commit}, {self.date:%Y-%m-%d %H:%M}"

    def as_json(self) -> dict[str, Any]:
        """Plain data, as it is printed and kept."""
        data: dict[str, Any] = self.model_dump(mode="json")
        return data
