from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.voice.people import Household


@pytest.fixture(autouse=True)
def _own_leases(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for another studio of this machine."""
    monkeypatch.setenv("STUDIO_LEASES", str(tmp_path_factory.mktemp("leases")))


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household(tmp_path)
