"""Stable Video Diffusion's checkpoint as users have it, in little memory; what is broken is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.video.filmed import Studio, difference
from tests.tools.video.svd.conftest import from_one, load_svd
from tools.errors import MissingPrerequisite, ToolError
from tools.model import Placing, Weights
from tools.video.svd.weights import SvdCheckpoint


def test_fp16_files_alone_are_read_as_they_were_pulled(svd_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pulled"
    shutil.copytree(svd_folder, folder)
    for file in folder.rglob("*.safetensors"):
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    assert load_svd(folder).unet.config.num_frames == 25


def test_the_vae_stays_in_float32_and_the_film_is_about_the_same(
    svd_folder: Path, studio: Studio, plain: np.ndarray
) -> None:
    import torch

    studio.models["svd_xt"] = load_svd(svd_folder, Placing(dtype="bf16"))
    film = studio.film(from_one(), placing=Placing(dtype="bf16"))
    assert 0 < difference(film, plain) < 20
    pipeline = studio.models["svd_xt"]
    assert (pipeline.unet.dtype, pipeline.vae.dtype) == (torch.bfloat16, torch.float32)


@pytest.mark.parametrize("offload", ["group", "sequential"])
def test_weights_in_parts_draw_the_same(svd_folder: Path, studio: Studio, plain: np.ndarray, offload: Any) -> None:
    weights = SvdCheckpoint()
    placing = Placing(device="cpu:0", offload=offload)
    studio.models["svd_xt"] = weights.load(str(svd_folder), placing)
    assert not weights.modules()
    assert difference(studio.film(from_one(), placing=placing), plain) < 0.5, "but for rounding"


def test_every_tensor_may_live_in_a_slab(svd_folder: Path, studio: Studio, plain: np.ndarray) -> None:
    from tools.runtime.residency.slab import Slab

    weights = SvdCheckpoint()
    studio.models["svd_xt"] = weights.load(str(svd_folder), Placing())
    slab = Slab(weights.modules(), "cpu")
    slab.load()
    assert difference(studio.film(from_one()), plain) < 0.5, "but for rounding"
    slab.evict(keep_changes=True)
    slab.close()


def _first(folder: Path) -> Path:
    return sorted(folder.glob("*.safetensors"))[0]


def _truncated(part: Path) -> None:
    file = _first(part)
    file.write_bytes(file.read_bytes()[:-500])


def _zero_bytes(part: Path) -> None:
    _first(part).write_bytes(b"")


def _pickled(part: Path) -> None:
    file = _first(part)
    file.rename(file.with_suffix(".bin"))


def _disguised(part: Path) -> None:
    _first(part).write_bytes(b"\x80\x04\x95" + b"x" * 100)


def _another_family(part: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"conv.weight": torch.zeros(4, 4)}, str(_first(part)))


def _missing(part: Path) -> None:
    shutil.rmtree(part)


def _a_weight_less(part: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(str(_first(part)))
    tensors.pop(max(name for name in tensors if name.endswith("weight")))
    save_file(tensors, str(_first(part)), metadata={"format": "pt"})


def _no_index(part: Path) -> None:
    (part.parent / "model_index.json").unlink()


def _read(weights: Weights, folder: Path) -> None:
    weights.check(str(folder))
    weights.load(str(folder), Placing())


@pytest.mark.parametrize(
    "harm", [_truncated, _zero_bytes, _pickled, _disguised, _another_family, _missing, _a_weight_less, _no_index]
)
@pytest.mark.parametrize("part", ["unet", "vae", "image_encoder"])
def test_a_broken_folder_is_named(svd_folder: Path, tmp_path: Path, part: str, harm: Callable[[Path], None]) -> None:
    folder = tmp_path / "broken-svd"
    shutil.copytree(svd_folder, folder)
    harm(folder / part)
    weights = SvdCheckpoint()
    with pytest.raises(ToolError, match="broken-svd"):
        _read(weights, folder)
    assert not weights.modules(), "nothing of it stays"


def test_nothing_registered_names_the_command() -> None:
    with pytest.raises(MissingPrerequisite, match="studio models pull svd_xt"):
        SvdCheckpoint().check("")
    with pytest.raises(MissingPrerequisite, match="nowhere"):
        SvdCheckpoint().check("/nowhere/svd")


def test_nothing_is_asked_of_the_network(svd_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    load_svd(svd_folder)
