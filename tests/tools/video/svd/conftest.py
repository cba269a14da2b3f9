"""A tiny Stable Video Diffusion, read by the production loader, and the engine on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.video.filmed import Studio, asked
from tools.model import Placing
from tools.video.tool import AnimateShot


def from_one(**changes: Any) -> AnimateShot.Input:
    """A shot from the still `one`, at the model's own rate: what follows movement would make much of little."""
    return asked(**{"fps": 12, "picture": {"call": "one", "key": "one"}, **changes})


def load_svd(source: Path, placing: Placing = Placing()) -> Any:  # noqa: B008 - it is frozen
    from tools.video.svd.weights import SvdCheckpoint

    weights = SvdCheckpoint()
    weights.check(str(source))
    return weights.load(str(source), placing)


@pytest.fixture(scope="session")
def svd_folder() -> Path:
    from evals.checkpoints.svd import make_svd

    return built(make_svd)


@pytest.fixture(scope="session")
def pipeline(svd_folder: Path) -> Any:
    import torch

    torch.set_num_threads(1)
    return load_svd(svd_folder)


@pytest.fixture
def studio(tmp_path: Path, pipeline: Any) -> Studio:
    from tools.video.svd.engine import SvdShot

    return Studio(tmp_path, {"svd_xt": pipeline}, SvdShot)


@pytest.fixture
def plain(studio: Studio) -> np.ndarray:
    """The frames of `from_one()`: what every change is compared with."""
    studio.still("one")
    return studio.film(from_one())
