"""A tiny Stable Video Diffusion, read by the production loader, and the engine on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.checkpoints.build import built
from tests.tools.video.filmed import Studio
from tools.model import Placing


def load_svd(source: Path, placing: Placing = Placing()) -> Any:  # noqa: B008 - it is frozen
    from tools.video.svd.weights import SvdCheckpoint

    weights = SvdCheckpoint()
    weights.check(str(source))
    return weights.load(str(source), placing)


@pytest.fixture(scope="session")
def svd_folder() -> Path:
    from tests.checkpoints.svd import make_svd

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
    """The frames of a shot from the still `one`: what every change is compared with."""
    from tests.tools.video.filmed import asked

    return studio.film(asked(picture=studio.still("one")))
