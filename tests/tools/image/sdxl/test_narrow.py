"""Weights in 8 and 4 bits, a UNet as GGUF: nearly the same picture in less memory, moved and dressed as wide ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.image.sdxl.conftest import Studio, asked, difference
from tools.errors import InvalidInput, MissingPrerequisite
from tools.model import Placing, Weights

Width = Literal["int8", "int4"]


@pytest.fixture(scope="module")
def gguf_file(base: Path) -> Path:
    from evals.checkpoints.sdxl import make_gguf

    return built(make_gguf, base=base)


def read(source: Path, **placing: Any) -> tuple[Weights, Any]:
    from tools.image.sdxl.weights import SdxlCheckpoint

    weights = SdxlCheckpoint()
    weights.check(str(source))
    return weights, weights.load(str(source), Placing(**placing))


def stored(weights: Weights, part: str) -> int:
    """Bytes of a part, as the slab that carries it to the device counts them."""
    from tools.runtime.residency.slab import Slab

    slab = Slab({part: weights.modules()[part]}, "cpu")
    try:
        return slab.nbytes
    finally:
        slab.close()


@pytest.fixture(scope="module")
def wide(base: Path) -> dict[str, int]:
    weights, _ = read(base)
    return {part: stored(weights, part) for part in ("unet", "text_encoder", "vae")}


@pytest.mark.parametrize(("width", "share", "error"), [("int8", 0.62, 0.45), ("int4", 0.55, 0.8)])
def test_fewer_bits_are_smaller_and_draw_nearly_the_same(
    studio: Studio, base: Path, plain_picture: np.ndarray, wide: dict[str, int], width: Width, share: float,
    error: float, make_lora_file: Callable[..., Path],
) -> None:  # fmt: skip
    """The tiny network is random: it makes much more of a rounding than a trained one does."""
    weights, pipeline = read(base, quantise=width)
    studio.models["sdxl_base"] = pipeline
    other = difference(studio.draw(asked(), seed=8), plain_picture)
    narrow = studio.draw(asked())
    assert 0 < difference(narrow, plain_picture) < error * other
    assert np.array_equal(studio.draw(asked()), narrow), "the same again"
    worn = asked(rendering={"loras": [{"file": str(make_lora_file(text=True)), "weight": 1.0}]})
    assert difference(studio.draw(worn), narrow) > 1
    assert np.array_equal(studio.draw(asked()), narrow), "and off again"
    assert stored(weights, "unet") < share * wide["unet"]
    assert stored(weights, "text_encoder") < wide["text_encoder"]
    assert stored(weights, "vae") == wide["vae"]
    assert np.array_equal(studio.draw(asked()), narrow), "also after a slab carried it"


def test_4_bits_are_those_of_ggml() -> None:
    import gguf
    import torch

    from tools.image.sdxl.narrow import _q4_0

    torch.manual_seed(1)
    weight = torch.randn(8, 96)
    weight[3] = 0.0
    theirs = gguf.quants.quantize(weight.numpy(), gguf.GGMLQuantizationType.Q4_0)
    assert np.array_equal(_q4_0(weight).data.numpy(), theirs)


@pytest.mark.parametrize("way", ["group", "sequential"])
def test_narrow_weights_are_streamed_too(studio: Studio, base: Path, way: Literal["group", "sequential"]) -> None:
    from tools.models.streaming import stream

    for width in ("int8", "int4"):
        weights, studio.models["sdxl_base"] = read(base, quantise=width)
        resident = studio.draw(asked())
        stream(weights.modules(), Placing(offload=way, quantise=width), ("unet",))  # type: ignore[arg-type]
        assert np.array_equal(studio.draw(asked()), resident)


def test_a_unet_as_gguf_draws_nearly_the_same_and_stays_narrow(
    studio: Studio, gguf_file: Path, plain_picture: np.ndarray, wide: dict[str, int],
    make_lora_file: Callable[..., Path],
) -> None:  # fmt: skip
    weights, studio.models["sdxl_base"] = read(gguf_file)
    picture = studio.draw(asked())
    assert 0 < difference(picture, plain_picture) < 0.45 * difference(studio.draw(asked(), seed=8), plain_picture)
    worn = asked(rendering={"loras": [{"file": str(make_lora_file()), "weight": 1.0}]})
    assert difference(studio.draw(worn), picture) > 1
    assert np.array_equal(studio.draw(asked()), picture)
    assert stored(weights, "unet") < 0.62 * wide["unet"]


def test_a_gguf_file_is_registered_like_every_model(gguf_file: Path, tmp_path: Path) -> None:
    from configs.models import load_models
    from tools.models.shelf import Shelf

    shelf = Shelf(tmp_path, load_models())
    assert "SDXL" in shelf.register("sdxl_base", gguf_file).family
    read(Path(shelf.source_of("sdxl_base")))


def test_what_a_gguf_file_lacks_is_named(gguf_file: Path, base: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.gguf"
    shutil.copy(gguf_file, alone)
    with pytest.raises(MissingPrerequisite, match=r"alone\.gguf holds the UNet alone.*hf download"):
        read(alone)
    shutil.copytree(base, tmp_path / "sdxl")
    read(alone)
    shutil.rmtree(tmp_path / "sdxl" / "vae")
    with pytest.raises(InvalidInput, match="vae"):
        read(alone)


def test_a_broken_gguf_file_is_refused_by_name(gguf_file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(gguf_file.read_bytes()[:-5000])
    shutil.copytree(gguf_file.with_suffix(""), tmp_path / "sdxl")
    with pytest.raises(InvalidInput, match=r"cut\.gguf"):
        read(cut)
    other = tmp_path / "other.gguf"
    _write_gguf(other, gguf_file, without="input_blocks.4.1.proj_in.weight")
    lacks = r"other\.gguf: lacks 1 weights of .*down_blocks.1.attentions.0.proj_in.weight"
    with pytest.raises(InvalidInput, match=lacks):
        read(other)
    from evals.checkpoints.common import gguf_bytes

    language = tmp_path / "language.gguf"
    language.write_bytes(gguf_bytes({"blk.0.attn_q.weight": (8, 8)}, metadata={"general.architecture": "llama"}))
    with pytest.raises(InvalidInput, match=r"language\.gguf"):
        read(language)


def _write_gguf(path: Path, like: Path, without: str) -> None:
    """The same file without one of its tensors."""
    import gguf

    reader = gguf.GGUFReader(str(like))
    writer = gguf.GGUFWriter(str(path), "sdxl")
    for tensor in reader.tensors:
        if tensor.name != without:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_companions_come_in_fewer_bits_too(studio: Studio, plain_picture: np.ndarray) -> None:
    from evals.checkpoints.sdxl import make_controlnet
    from tools.image.sdxl.nets import SdxlControlNet

    net = built(make_controlnet)
    entry = {"model": "controlnet_depth", "strength": 1.0}
    studio.config("controlnets", {"controlnets": {"depth": entry}})
    args = asked(rendering={"controls": [{"kind": "depth", "model": str(net)}]})
    wide = studio.draw(args)
    effect = difference(wide, plain_picture)
    for width in ("int8", "int4"):
        narrow = SdxlControlNet()
        narrow.check(str(net))
        engine = studio.engine()
        loaded = narrow.load(str(net), Placing(quantise=width))  # type: ignore[arg-type]
        engine._net = lambda *_, loaded=loaded: loaded
        assert 0 < difference(studio.draw(args, engine=engine), wide) < 0.5 * effect
