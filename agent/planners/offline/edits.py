from __future__ import annotations
from agent.intent import Intent
from agent.planners.offline.reading import Reading
def read_edits(reading: Reading) -> Intent | None:
    return None
