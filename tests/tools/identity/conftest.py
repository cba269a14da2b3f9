"""The tiny face pack, read from its folder as a user's own would be."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.checkpoints.build import built
from evals.checkpoints.faces import make_face_pack
from tests.tools.review.fabricate import Shelf
from tools.identity.arcface import ArcFace


@pytest.fixture(scope="session")
def pack_folder() -> Path:
    return built(make_face_pack)


@pytest.fixture
def engine(pack_folder: Path, monkeypatch: pytest.MonkeyPatch) -> ArcFace:
    made = ArcFace()
    monkeypatch.setattr(made, "source", lambda: str(pack_folder))
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)
