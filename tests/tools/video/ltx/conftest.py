"""A tiny LTX-Video with its text encoder, read by the production loaders, and the engine on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.video.filmed import Studio
from tools.model import Placing


def load_text_encoder(source: Path, placing: Placing = Placing()) -> Any:  # noqa: B008 - it is frozen
    from tools.video.ltx.text import LtxTextEncoder

    weights = LtxTextEncoder()
    weights.check(str(source))
    return weights.load(str(source), placing)


def load_model(source: Path, placing: Placing = Placing(), kind: str = "LtxVideo") -> Any:  # noqa: B008 - it is frozen
    from tools.video.ltx import weights

    made = getattr(weights, kind)()
    made.check(str(source))
    return made.load(str(source), placing)


@pytest.fixture(scope="session")
def ltx_folder() -> Path:
    from evals.checkpoints.ltx import make_ltx

    return built(make_ltx)


@pytest.fixture(scope="session")
def text_folder() -> Path:
    from evals.checkpoints.ltx import make_text_encoder

    return built(make_text_encoder)


@pytest.fixture(scope="session")
def single_file() -> Path:
    from evals.checkpoints.ltx import make_single_file

    return built(make_single_file)


@pytest.fixture(scope="session")
def ltx_models(ltx_folder: Path, text_folder: Path) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    return {"ltx_video": load_model(ltx_folder), "ltx_text_encoder": load_text_encoder(text_folder)}


@pytest.fixture
def studio(tmp_path: Path, ltx_models: dict[str, Any]) -> Studio:
    from tools.video.ltx.engine import LtxShot

    return Studio(tmp_path, dict(ltx_models), LtxShot)


@pytest.fixture(scope="session")
def plain(ltx_models: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The frames of a shot from words alone with nothing added: what every test of an addition is compared with."""
    from tools.video.ltx.engine import LtxShot

    return Studio(tmp_path_factory.mktemp("plain"), dict(ltx_models), LtxShot).film()


@pytest.fixture
def make_lora_file(tmp_path: Path) -> Callable[..., Path]:
    from evals.checkpoints.ltx import make_lora

    def make(name: str = "lora", **options: Any) -> Path:
        return make_lora(tmp_path / name, **options)

    return make
