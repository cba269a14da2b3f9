"""Earlier storyboards: what was put there comes back, and no name leads elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.shelf import Shelf, Version
from tests.agent.boards import beach
from tools.errors import InvalidInput


def test_what_was_put_there_comes_back(tmp_path: Path) -> None:
    version = Version(storyboard=beach(), production="p", outputs=["video"], request="a beach")
    shelf = Shelf(tmp_path / "shelf")
    assert shelf.get(shelf.put(version)) == version
    assert shelf.put(version) == shelf.put(version)
    assert len(list((tmp_path / "shelf").iterdir())) == 1


@pytest.mark.parametrize("name", ["../secret", "", "/etc/passwd", "0" * 23, "0" * 24, "x" * 500])
def test_no_name_leads_elsewhere(tmp_path: Path, name: str) -> None:
    version = Version(storyboard=beach(), production="p", outputs=[])
    (tmp_path / "secret.json").write_text(version.model_dump_json(), encoding="utf-8")
    with pytest.raises(InvalidInput):
        Shelf(tmp_path / "shelf").get(name)
