"""One film that is really made, for all tests that look at one."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.expect.seen import Seen
from tests.evals.scenarios.files import play

SAID = 'Luca and Alberto at the beach, Luca says "Ciao!", 2 seconds, square, 8 fps'


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What was seen of a whole film."""
    folder = tmp_path_factory.mktemp("film")
    run = play(folder, name="small_film", turns=[{"say": SAID, "expect": {"made": True}}])
    assert run.outcome == "passed", (run.why, run.log)
    return Seen(tuple(run.turns), Path(folder / "results" / run.folder))
