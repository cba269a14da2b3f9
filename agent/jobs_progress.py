"""What `studio jobs run` shows while it works."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any

from agent.printing import tell
from agent.progress import ProgressView
from tools.runtime.events import CallEvent

if TYPE_CHECKING:
    from rich.console import Console

    from tools.runtime.jobs.runner import JobEvent

__all__ = ["JobsProgress"]


class JobsProgress:
    """A heading a job, its progress as `studio make` shows it, and how it ended. Enter it; `hear` and `update` it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._open = ExitStack()
        self._view: ProgressView | None = None

    def __enter__(self) -> JobsProgress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()

    def hear(self, event: JobEvent) -> None:
        """A job changed its state."""
        self._open.close()
        self._view = None
        if event.state == "running":
            tell(self.console, f"Job {event.id}: {event.spec.title}", "bold")
            self._view = self._open.enter_context(ProgressView(self.console))
        elif event.retry_in_s:
            tell(self.console, f"  failed: {event.reason}", "yellow")
            tell(self.console, f"  tried again in {event.retry_in_s:.0f} s", "dim")
        else:
            text = f"  {event.state}{': ' if event.reason else ''}{event.reason}"
            tell(self.console, text, "red" if event.state == "failed" else "")

    def update(self, _job_id: str, said: Any) -> None:
        """Something happened within it: an event of the agent, or of a call."""
        event = {"node": "act", "path": "", **asdict(said)} if isinstance(said, CallEvent) else said
        if self._view is not None and isinstance(event, dict):
            self._view.update(event)
