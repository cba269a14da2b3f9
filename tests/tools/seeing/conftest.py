"""A peer that looks at pictures, and a picture to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evals.peer import Peer
from tools.layout.png import write_png


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """A server of OpenAI's chat API, where `server/...` of chat_models.yaml is."""
    with Peer(seed=3, mode="scripted") as one:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", one.url)
        monkeypatch.delenv("STUDIO_LLM_API_KEY", raising=False)
        yield one


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A wide picture of colours, larger than what is shown to a model."""
    rng = np.random.default_rng(5)
    colours = np.repeat(np.repeat(rng.integers(0, 255, (15, 20, 3), np.uint8), 100, axis=0), 100, axis=1)
    path = tmp_path / "colours.png"
    write_png(path, np.ascontiguousarray(colours))
    return path
