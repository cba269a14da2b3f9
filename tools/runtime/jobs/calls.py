"""Jobs that are a batch of tool calls, for one production."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.artifact import Artifact, canonical_json
from tools.base import Call
from tools.errors import Cancelled, InvalidInput, ToolError
from tools.registry import Registry
from tools.runtime.executor import Executor
from tools.runtime.jobs.journaled import run_journaled
from tools.runtime.jobs.runner import JobOutcome, RunningJob
from tools.runtime.manifest import AttemptRecord
from tools.runtime.pool import WorkerPool
from tools.runtime.production import Production

__all__ = ["CallsJob", "CallsKind"]


class CallsJob(BaseModel):
    """The payload of such a job; the calls themselves are in its journal.

    Attributes:
        production: name of the folder to make below the productions folder; it gets a number where it is taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    production: str = Field("calls", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")


class CallsKind:
    """Carries them out.

    Args:
        productions: the folder of all productions.
        registry: tools and engines.
        new_pool: makes the workers when they are first needed, and again after `free`.
    """

    def __init__(self, productions: Path, registry: Registry, new_pool: Callable[[], WorkerPool]) -> None:
        self._productions, self._registry, self._new_pool = productions, registry, new_pool
        self._pool: WorkerPool | None = None

    def carry_out(self, job: RunningJob) -> JobOutcome:
        """Make what is not made yet; results are exported nowhere, they lie in the production's store."""
        try:
            payload = CallsJob.model_validate(job.spec.payload)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidInput(f"{first['loc'][0]}: {first['msg']}", where=f"job {job.id}") from error
        calls = job.journal.found.graph
        production = Production.claim(self._productions, payload.production, _request(payload, calls))
        facts = {"production": production.slug}
        with production.lock():
            executor = Executor(self._registry, production.store, self._workers(), job.tell, job.cancel)
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
        return JobOutcome(failures, facts)

    def _workers(self) -> WorkerPool:
        if self._pool is None:
            self._pool = self._new_pool()
            self._pool.start()
        return self._pool

    def free(self) -> None:
        """End the workers; the next job starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


def _request(payload: CallsJob, calls: Sequence[Call]) -> str:
    """Who owns the folder: the same work given twice is found there, and not made twice."""
    work = [payload.model_dump(mode="json"), *(call.model_dump(mode="json") for call in calls)]
    return hashlib.sha256(canonical_json(work)).hexdigest()[:24]
