"""What a run cost and where the time went: recorded from its events, kept as a trace, counted, drawn."""

from tools.runtime.telemetry.recorder import Recorder
from tools.runtime.telemetry.recordings import Recording, Recordings

__all__ = ["Recorder", "Recording", "Recordings"]
