"""A tiny SDXL, read by the production loader, and the engine on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from evals.checkpoints.build import built
from tools.base import EngineContext
from tools.image.tool import GenerateImage
from tools.model import Placing

CAST = [{"id": "luca", "name": "Luca", "known": True}, {"id": "alberto", "name": "Alberto", "known": True}]
ONE = [{"character": "luca", "x": 0.5, "depth": 0.1}]
TWO = [{"character": "luca", "x": 0.3, "depth": 0.0}, {"character": "alberto", "x": 0.7, "depth": 0.0}]
LIBRARIES = ("torch", "diffusers", "transformers", "peft", "compel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The words of a prompt are tested everywhere; what draws needs the libraries of the `models` extra."""
    from importlib.util import find_spec

    lacking = [name for name in LIBRARIES if find_spec(name) is None]
    for item in items:
        if lacking and Path(__file__).parent in item.path.parents and item.path.name != "test_words.py":
            item.add_marker(pytest.mark.skip(reason=f"needs the models extra: {', '.join(lacking)} not installed"))


def asked(
    people: list[dict[str, Any]] = ONE, rendering: dict[str, Any] | None = None, **shot: Any
) -> GenerateImage.Input:
    """A shot of 64 x 64 pixels, in two steps."""
    size = {key: shot.pop(key) for key in ("width", "height", "maps", "style") if key in shot}
    return GenerateImage.Input.model_validate(
        {
            "shot": {"id": "s1", "framing": "full", "placements": people, **shot},
            "cast": CAST,
            "width": 64,
            "height": 64,
            "maps": [],
            "rendering": {"steps": 2, **(rendering or {})},
            **size,
        }
    )


class Studio:
    """Draws with the tiny checkpoint; `config(kind, data)` replaces a configuration file."""

    def __init__(self, folder: Path, pipeline: Any) -> None:
        from tools.image.sdxl.plan import ConfigPaths

        self.folder, self.pipeline, self.paths, self.calls = folder, pipeline, ConfigPaths(), 0
        self.models = {"sdxl_base": pipeline}
        self.output: GenerateImage.Output | None = None

    def config(self, kind: str, data: dict[str, Any]) -> None:
        from dataclasses import replace

        path = self.folder / f"{kind}.yaml"
        path.write_text(yaml.safe_dump(data))
        self.paths = replace(self.paths, **{kind: path})

    def engine(self, kind: str = "SdxlImage") -> Any:
        from tools.image.sdxl import engine

        made = getattr(engine, kind)()
        made.paths = self.paths
        return made

    def draw(
        self,
        args: GenerateImage.Input,
        seed: int = 7,
        placing: Placing = Placing(),  # noqa: B008 - it is frozen
        engine: Any = None,
        **context: Any,
    ) -> np.ndarray:
        """The still, height x width x 3."""
        from tools.layout.png import read_png

        self.calls += 1
        self.out = self.folder / f"out{self.calls}"
        self.out.mkdir()
        ctx = EngineContext(
            out=self.out, seed=seed, models=self.models, placing=placing,
            **{"open_artifact": lambda key: pytest.fail(key), **context},
        )  # fmt: skip
        self.output = (engine or self.engine()).run(args, ctx)
        return read_png(self.out / "still.png").astype(int)


@pytest.fixture(scope="session")
def base() -> Path:
    from evals.checkpoints.sdxl import make_base

    return built(make_base)


@pytest.fixture(scope="session")
def pipeline(base: Path) -> Any:
    import torch

    from tools.image.sdxl.weights import SdxlCheckpoint

    torch.set_num_threads(1)
    weights = SdxlCheckpoint()
    weights.check(str(base))
    return weights.load(str(base), Placing())


@pytest.fixture
def studio(tmp_path: Path, pipeline: Any) -> Studio:
    return Studio(tmp_path, pipeline)


@pytest.fixture
def larger(studio: Studio) -> Iterator[Studio]:
    """Drawn at 192 x 192: two people stand apart from each other also in the latents."""
    unet = studio.pipeline.unet
    unet.register_to_config(sample_size=24)
    yield studio
    unet.register_to_config(sample_size=8)


@pytest.fixture(scope="session")
def plain_picture(pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What `asked()` gives with nothing added: what every test of an addition is compared with."""
    return Studio(tmp_path_factory.mktemp("plain"), pipeline).draw(asked())


@pytest.fixture
def make_lora_file(tmp_path: Path) -> Callable[..., Path]:
    from evals.checkpoints.sdxl import make_lora

    def make(name: str = "lora", **options: Any) -> Path:
        return make_lora(tmp_path / name, **options)

    return make


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference in 8-bit levels."""
    return float(np.abs(one - other).mean())


def state_of(pipeline: Any) -> dict[str, tuple[int, float]]:
    """Name, address and sum of every tensor: what a clean unload restores."""
    return {
        f"{part}.{name}": (tensor.data_ptr(), float(tensor.double().sum()))
        for part in ("unet", "vae", "text_encoder", "text_encoder_2")
        for name, tensor in getattr(pipeline, part).state_dict().items()
    }
