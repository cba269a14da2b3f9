"""A tiny MusicGen, read by the production loader, and its engine with short windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tools.base import EngineContext
from tools.model import Placing
from tools.music.tool import ComposeMusic

SHORT = {"window_s": 1.2, "prompt_s": 0.4, "crossfade_s": 0.08, "loop_s": 0.3}
"""As the real ones, in small: a second and a half needs two windows."""


@pytest.fixture(scope="session")
def musicgen_folder() -> Path:
    pytest.importorskip("transformers")
    from evals.checkpoints.build import built
    from evals.checkpoints.musicgen import make_musicgen

    return built(make_musicgen)


@pytest.fixture(scope="session")
def net(musicgen_folder: Path) -> Any:
    import torch

    from tools.music.musicgen_weights import MusicgenSmall

    torch.set_num_threads(1)
    weights = MusicgenSmall()
    weights.check(str(musicgen_folder))
    return weights.load(str(musicgen_folder), Placing())


@pytest.fixture(scope="session")
def short_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tools.music.musicgen_words import MUSICGEN_PATH

    path = tmp_path_factory.mktemp("book") / "musicgen.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(MUSICGEN_PATH.read_text()), **SHORT}))
    return path


@pytest.fixture
def draw(net: Any, short_book: Path, tmp_path: Path) -> Callable[..., np.ndarray]:
    """Runs the engine: `draw(seed=, net=, words=, context=, **args)`; the file's samples, `(n, 2)`."""
    from tools.music.musicgen import MusicgenMusic
    from tools.sound import read_wav

    made = []

    def run(seed: int = 1, words: Path = short_book, context: Any = None, **args: Any) -> np.ndarray:
        out = tmp_path / f"out{len(made)}"
        out.mkdir()
        made.append(out)
        model = args.pop("net", net)
        ctx = EngineContext(
            out=out, seed=seed, models={"musicgen_small": model},
            **{"open_artifact": lambda key: pytest.fail(key), **(context or {})},
        )  # fmt: skip
        asked = ComposeMusic.Input(**{"mood": "calm", "duration_s": 0.8, **args})
        output = MusicgenMusic(words).run(asked, ctx)
        samples, rate = read_wav(out / output.file)
        assert (rate, output.sample_rate) == (48_000, 48_000)
        assert output.duration_s == pytest.approx(len(samples) / 48_000, abs=1e-9)
        return samples

    return run
