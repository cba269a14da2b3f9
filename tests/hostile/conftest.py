"""The fenced piece of disk, for every test that tries to get out of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.paths import Jail, jail_in


@pytest.fixture
def jail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jail]:
    made = jail_in(tmp_path)
    for name, value in {
        "HOME": made.root / "home",
        "STUDIO_PRODUCTIONS": made.productions,
        "STUDIO_MODELS_FOLDER": made.studio / "models",
        "STUDIO_KNOWLEDGE_FOLDER": made.studio / "knowledge",
        "STUDIO_PROFILE": "cpu",
        "STUDIO_WORKERS": "1",
        "XDG_CACHE_HOME": made.studio / "cache",
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(made.root / "a" / "b")
    before = made.outside()
    yield made
    after = made.outside()
    assert {name: after.get(name) for name in before | after} == {name: before.get(name) for name in before | after}
