"""Runs a batch of calls with its journal kept: what the act node and the jobs' runner do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, CorruptArtifact, ToolError
from tools.runtime.events import CallEvent
from tools.runtime.executor import Executor
from tools.runtime.jobs.journal import SUFFIX, Journal
from tools.runtime.storage.disk import storage_errors

__all__ = ["journal_events", "open_work_journal", "run_journaled"]

_LARGEST = 16 * 2**20
"""A production is worked on for years; its journal begins anew beyond so many bytes."""


def open_work_journal(folder: Path) -> Journal:
    """The journal of all that is made in a production: `work.journal` in its folder.

    It only tells what happened; results are in the store. One that is damaged, or has grown large, is put aside as
    `work.journal.old`.

    Raises:
        ProductionBusy: another process is writing it.
        StorageFailed: the disk refuses.
    """
    path = folder / f"work{SUFFIX}"
    with storage_errors(f"cannot open {path}"):
        if path.exists() and path.stat().st_size > _LARGEST:
            path.replace(path.with_suffix(".journal.old"))
    try:
        return Journal.open(folder, "work")
    except CorruptArtifact:
        with storage_errors(f"cannot put {path} aside"):
            path.replace(path.with_suffix(".journal.old"))
        return Journal.open(folder, "work")


def journal_events(journal: Journal, on_event: Callable[[CallEvent], None]) -> Callable[[CallEvent], None]:
    """A hearer of events that writes each call's beginning and its commit down before it passes them on."""
    begun: set[str] = set()

    def hear(event: CallEvent) -> None:
        if event.status == "running" and event.call_id not in begun:
            begun.add(event.call_id)
            journal.started(event.call_id)
        elif event.key:
            journal.committed(event.call_id, event.key)
        on_event(event)

    return hear


def run_journaled(
    executor: Executor, journal: Journal, calls: Sequence[Call], known: Mapping[str, Artifact] | None = None
) -> dict[str, Artifact | ToolError]:
    """`Executor.run`, with the batch written down before anything of it is begun, and how each call ended.

    Raises:
        InvalidInput: the batch is wrong; nothing was written and nothing run.
        StorageFailed: the journal cannot be written; what is finished lies in the store.
    """
    executor.plan(calls, known)
    journal.accept(calls)
    on_event, executor.on_event = executor.on_event, journal_events(journal, executor.on_event)
    try:
        results = executor.run(calls, known)
    finally:
        executor.on_event = on_event
    for name, result in results.items():
        # What was stopped did not end: it is made when the job goes on.
        if isinstance(result, ToolError) and not isinstance(result, Cancelled):
            journal.failed(name, result)
    return results
