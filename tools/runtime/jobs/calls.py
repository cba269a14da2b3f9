"""Jobs that are a batch of tool calls, for one production."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.artifact import Artifact, canonical_json
from tools.base import Call
from tools.errors import Cancelled, InvalidInput, ToolError
from tools.runtime.events import CallEvent
from tools.runtime.executor import Executor
from tools.runtime.jobs.journaled import run_journaled
from tools.runtime.jobs.runner import JobOutcome, RunningJob
from tools.runtime.storage.manifest import AttemptRecord
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore

__all__ = ["CallsJob", "CallsKind", "Workplace"]


class CallsJob(BaseModel):
    """The payload of such a job; the calls themselves are in its journal.

    Attributes:
        production: name of the folder to make below the productions folder; it gets a number where it is taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    production: str = Field("calls", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")


class Workplace(Protocol):
    """Where calls are made: workers, devices, tools."""

    def executor(
        self, store: ArtifactStore, on_event: Callable[[CallEvent], None], cancel: threading.Event
    ) -> Executor:
        """An executor on this store; what it needs is started if it is not running."""
        ...

    def close(self) -> None:
        """End the workers, so that all memory is given back; `executor` may follow."""
        ...


class CallsKind:
    """Carries them out.

    Args:
        productions: the folder of all productions.
        workplace: where the calls are made.
    """

    def __init__(self, productions: Path, workplace: Workplace) -> None:
        self._productions, self._workplace = productions, workplace

    def carry_out(self, job: RunningJob) -> JobOutcome:
        """Make what is not made yet; results are exported nowhere, they lie in the production's store."""
        try:
            payload = CallsJob.model_validate(job.spec.payload)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidInput(f"{first['loc'][0]}: {first['msg']}", where=f"job {job.id}") from error
        calls = job.journal.found.graph
        production = Production.claim(self._productions, payload.production, _request(payload, calls))
        with production.lock():
            executor = self._workplace.executor(production.store, job.tell, job.cancel)
            results = run_journaled(executor, job.journal, calls)
            manifest = production.manifest()
            for name, result in results.items():
                if isinstance(result, Artifact):
                    manifest.record(AttemptRecord.of(name, result))
            production.save_manifest(manifest)
        failures = {name: result for name, result in results.items() if isinstance(result, ToolError)}
        stopped = next((error for error in failures.values() if isinstance(error, Cancelled)), None)
        if stopped is not None:
            raise stopped
        return JobOutcome(failures, {"production": production.slug})

    def free(self) -> None:
        """End the workers; the next job starts new ones."""
        self._workplace.close()


def _request(payload: CallsJob, calls: Sequence[Call]) -> str:
    """Who owns the folder: the same work given twice is found there, and not made twice."""
    work = [payload.model_dump(mode="json"), *(call.model_dump(mode="json") for call in calls)]
    return hashlib.sha256(canonical_json(work)).hexdigest()[:24]
