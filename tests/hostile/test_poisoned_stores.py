"""Rows and files of the studio's own memory that somebody else wrote: whatever they ask for, no object of it is built.

Conversations are in tests/agent/test_checkpoints.py, with the twin. Here: preferences and generations, with what
msgpack, LangChain's JSON, YAML and pickle know as an order to make an object.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from knowledge.generations import Generations
from knowledge.preference_words import read_wishes
from knowledge.preferences import Preferences, PreferenceStore, PreferencesUnreadable
from tests.agent.test_checkpoints import command


class Order:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (self.folder,)


def poisons(folder: Path) -> dict[str, bytes]:
    """Orders to make that folder, in each language that some reader obeys."""
    where = str(folder)
    call = {"lc": 2, "type": "constructor", "id": ["os", "mkdir"], "method": None, "args": [where], "kwargs": {}}
    return {
        "msgpack": command(where),
        "pickle": pickle.dumps(Order(where)),
        "constructor": json.dumps(call).encode(),
        "constructor within": json.dumps({"value": call, "at": call, "id": call}).encode(),
        "yaml": f"!!python/object/apply:os.mkdir ['{where}']".encode(),
        "py/object": json.dumps({"py/reduce": [{"py/function": "os.mkdir"}, {"py/tuple": [where]}]}).encode(),
    }


NAMES = sorted(poisons(Path("x")))


def test_the_poison_works_where_it_is_obeyed(tmp_path: Path) -> None:
    """The control."""
    pickle.loads(poisons(tmp_path / "evil")["pickle"])
    assert (tmp_path / "evil").is_dir()


@pytest.mark.parametrize("name", NAMES)
def test_a_poisoned_preference_builds_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "preferences.sqlite"
    kept = Preferences(PreferenceStore(path))
    kept.keep(read_wishes("always widescreen"))
    assert [one.kind for one in kept.all()] == ["aspect"], "the control: it is kept there"

    poison = poisons(tmp_path / "evil")[name]
    with sqlite3.connect(path) as rows:
        assert rows.execute("UPDATE store SET value = ?", (poison,)).rowcount == 1
    rows.close()
    with suppress(PreferencesUnreadable):
        again = Preferences(PreferenceStore(path))
        assert not [one for one in again.all() if str(tmp_path) in str(one)]
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_poisoned_generation_builds_nothing(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "generations"
    folder.mkdir()
    for ending in ("json", "yaml", "pkl"):
        (folder / f"{'a' * 24}.{ending}").write_bytes(poisons(tmp_path / "evil")[name])
    assert list(Generations(tmp_path).all()) == []
    assert not (tmp_path / "evil").exists()
