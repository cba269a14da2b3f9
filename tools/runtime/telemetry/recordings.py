"""The recordings of a process: one a run, written after each of its batches, and never in the run's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.artifact import write_atomic
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.telemetry.files import FOLDER, METRICS, trace_path, write_trace
from tools.runtime.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from tools.runtime.device.lane import Lane
    from tools.runtime.telemetry.metrics import Metrics

__all__ = ["Recording", "Recordings"]

_OPEN = 16
"""Runs that may go on at once; of more, the one begun first is written no further."""


class Recording:
    """Of one run. Whatever goes wrong with it is told once and ends the recording, not the run.

    Args:
        production: folder.
        title: of the production.
        note: told why nothing more is recorded.
    """

    def __init__(self, production: Path, title: str, note: Callable[[str], None]) -> None:
        self.recorder = Recorder(title, production.name)
        self.note = note
        self._production = production
        self._path: Path | None = None
        self._earlier: Metrics | None = None
        self._over = False

    def on_call(self, event: CallEvent) -> None:
        """Take in an event of a call."""
        self._careful(lambda: self.recorder.hear_call(event))

    def on_device(self, event: DeviceEvent) -> None:
        """Take in an event of a device."""
        self._careful(lambda: self.recorder.hear_device(event))

    @contextmanager
    def batch(self, calls: int, lane: Lane | None = None) -> Iterator[None]:
        """Around a batch; what was recorded so far is written at its end, however it ends.

        Args:
            calls: how many there are.
            lane: the device that they may use.
        """
        self._careful(lambda: self._begin_batch(calls, lane))
        try:
            yield
        finally:
            self._careful(self._end_batch)

    def _careful(self, work: Callable[[], None]) -> None:
        if self._over:
            return
        try:
            work()
        except Exception as error:  # A full disk, or a bug of ours: a film is worth more than the record of its making.
            self._over = True
            self.note(f"This run is recorded no further: {str(error) or type(error).__name__}")

    def _begin_batch(self, calls: int, lane: Lane | None) -> None:
        self.recorder.begin_batch(calls)
        if lane is not None:
            taken = lane.ledger.snapshot()
            self.recorder.find_device(lane.device, lane.budget, taken.weights + taken.working)

    def _end_batch(self) -> None:
        from tools.runtime.telemetry.metrics import metrics_of, metrics_text

        self.recorder.end_batch()
        record = self.recorder.record
        if not record.spans:
            # All was there already: the trace of when it was made says more.
            return
        folder = self._production / FOLDER
        if self._path is None or self._earlier is None:
            self._path = trace_path(self._production, record.wall)
            self._earlier = _metrics_in(folder / METRICS)
        write_trace(self._path, record)
        write_atomic(folder / METRICS, metrics_text(metrics_of(record).after(self._earlier)))


def _metrics_in(path: Path) -> Metrics:
    """What was counted until now; begun anew where the file is damaged, as Prometheus expects of counters."""
    from tools.runtime.telemetry.metrics import Metrics, read_metrics

    try:
        return read_metrics(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, IndexError):
        return Metrics()


class Recordings:
    """Finds the recording that a batch belongs to. Any thread may ask."""

    def __init__(self) -> None:
        self._open: dict[tuple[Path, str], Recording] = {}
        self._guard = threading.Lock()

    def of(self, production: Path, run: str, title: str, note: Callable[[str], None]) -> Recording:
        """The recording of a run, begun where there is none.

        Args:
            production: its folder.
            run: the same for every batch of the run.
            title: of the production.
            note: told, from now on, why nothing more is recorded.
        """
        with self._guard:
            key = (production, run)
            found = self._open.get(key)
            if found is None:
                for old in [known for known in self._open if known[0] == production][:]:
                    # A production has one writer: its earlier run is over.
                    del self._open[old]
                while len(self._open) >= _OPEN:
                    del self._open[next(iter(self._open))]
                found = self._open[key] = Recording(production, title, note)
            found.note = note
            return found
