"""Little memory: tiles, shorter clips, 8 bits, weights in parts, a text encoder that comes and goes; and its plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.engines import load_engines
from configs.models import load_models
from configs.profiles import load_profiles
from tests.tools.video.filmed import Studio, asked, difference
from tests.tools.video.ltx.conftest import load_model, load_text_encoder
from tools.errors import EngineFailed, InvalidInput
from tools.model import Placing
from tools.runtime.device.hardware import Gpu
from tools.runtime.device.opening import placing_of, size_of
from tools.runtime.residency.ledger import Ledger
from tools.runtime.scheduling.problem import Model, Problem, Task, peak_bytes
from tools.runtime.scheduling.search import plan_order

ELSEWHERE = "cpu:0"
"""The same memory under a name of its own: what is true of a card's way holds, without a card."""
GIB = 2**30


def test_tiles_change_no_size_and_leave_the_decoder_as_it_was(studio: Studio, plain: np.ndarray) -> None:
    vae = studio.models["ltx_video"].vae
    tiled = studio.film(placing=Placing(tiled=True))
    assert tiled.shape == plain.shape
    assert not vae.use_tiling
    assert not vae.use_framewise_decoding
    assert np.array_equal(studio.film(), plain)


def test_smaller_draws_shorter_clips_then_smaller_pictures(studio: Studio) -> None:
    studio.rules(ltx={"clip": {"frames": 41}})
    args = asked(shot={"duration_s": 1.6})
    whole = studio.film(args)
    assert "clips" not in studio.notes
    shorter = studio.film(args, placing=Placing(smaller=1))
    assert "clips of 17 frames" in studio.notes
    assert "multiples of 32" not in studio.notes
    smaller = studio.film(args, placing=Placing(smaller=2))
    assert "Drawn at 32x32" in studio.notes or "Drawn at 64x32" in studio.notes or "Drawn at 32x64" in studio.notes
    assert whole.shape == shorter.shape == smaller.shape


def test_8_bits_draw_about_the_same_and_take_a_quarter(
    studio: Studio, ltx_folder: Path, text_folder: Path, plain: np.ndarray
) -> None:
    narrow = Placing(quantise="int8")
    studio.models = {
        "ltx_video": load_model(ltx_folder, narrow),
        "ltx_text_encoder": load_text_encoder(text_folder, narrow),
    }
    film = studio.film(placing=narrow)
    assert 0 < difference(film, plain) < 40
    weight = studio.models["ltx_video"].transformer.transformer_blocks[0].attn1.to_q.weight
    assert type(weight).__name__ != "Parameter"
    assert np.array_equal(studio.film(placing=narrow), film)
    with pytest.raises(EngineFailed, match="int4"):
        load_model(ltx_folder, Placing(quantise="int4"))


def test_a_lora_is_worn_over_8_bits(studio: Studio, ltx_folder: Path, make_lora_file: Any) -> None:
    narrow = Placing(quantise="int8")
    studio.models["ltx_video"] = load_model(ltx_folder, narrow)
    bare = studio.film(placing=narrow)
    worn = studio.film(asked(filming={"loras": [{"file": str(make_lora_file())}]}), placing=narrow)
    assert difference(worn, bare) > 1
    assert np.array_equal(studio.film(placing=narrow), bare)


@pytest.mark.parametrize("offload", ["group", "sequential"])
def test_weights_in_parts_draw_the_same(
    studio: Studio, ltx_folder: Path, text_folder: Path, plain: np.ndarray, make_lora_file: Any, offload: Any
) -> None:
    from tools.video.ltx.text import LtxTextEncoder
    from tools.video.ltx.weights import LtxVideo

    placing = Placing(device=ELSEWHERE, offload=offload)
    weights = (LtxVideo(), LtxTextEncoder())
    studio.models = {
        "ltx_video": weights[0].load(str(ltx_folder), placing),
        "ltx_text_encoder": weights[1].load(str(text_folder), placing),
    }
    assert [one.modules() for one in weights] == [{}, {}], "nothing of it is moved as a whole"
    assert np.array_equal(studio.film(placing=placing), plain)
    worn = studio.film(asked(filming={"loras": [{"file": str(make_lora_file())}]}), placing=placing)
    assert difference(worn, plain) > 1
    assert np.array_equal(studio.film(placing=placing), plain)


def test_weights_cannot_be_streamed_to_a_device_that_is_none(ltx_folder: Path) -> None:
    with pytest.raises(EngineFailed, match="tarot"):
        load_model(ltx_folder, Placing(device="tarot:0", offload="group"))


@pytest.mark.parametrize("width", ["none", "int8"])
def test_the_text_encoder_is_on_the_device_only_while_it_reads(text_folder: Path, width: Any) -> None:
    reader = load_text_encoder(text_folder, Placing(device=ELSEWHERE, quantise=width))
    encoder = reader.encoder
    at_home = dict(encoder.named_parameters())
    seen: list[bool] = []
    encoder.register_forward_hook(
        lambda *_: seen.append(any(one is at_home.get(name) for name, one in encoder.named_parameters()))
    )
    reader.read("a boy", "ugly", 32)
    assert seen == [False, False], "both were read by weights that were brought"
    assert all(one is at_home[name] for name, one in encoder.named_parameters()), "which are gone again"
    reader.read("a boy", "ugly", 32)
    reader.read("a boy", "ugly", 32)
    assert len(seen) == 2, "what is known is not read again"
    reader.read("a girl", "ugly", 32)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("placing", "whole"), [(Placing(), True), (Placing(dtype="bf16"), False), (Placing(device=ELSEWHERE), False)]
)
def test_the_account_knows_its_weights_where_they_stay(text_folder: Path, placing: Placing, whole: bool) -> None:
    from tools.video.ltx.text import LtxTextEncoder

    weights = LtxTextEncoder()
    weights.load(str(text_folder), placing)
    assert bool(weights.modules()) == whole
    weights.unload()
    assert not weights.modules()


def test_it_leaves_the_device_also_after_a_failure(text_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = load_text_encoder(text_folder, Placing(device=ELSEWHERE))
    at_home = dict(reader.encoder.named_parameters())

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(reader.encoder, "forward", fail)
    with pytest.raises(RuntimeError):
        reader.read("a boy", "ugly", 32)
    assert all(one is at_home[name] for name, one in reader.encoder.named_parameters())


def test_every_tensor_may_live_in_a_slab(ltx_folder: Path, studio: Studio, plain: np.ndarray) -> None:
    """The runtime packs the modules and moves them as one block; the film does not change by it."""
    from tools.runtime.residency.slab import Slab
    from tools.video.ltx.weights import LtxVideo

    for placing in (Placing(), Placing(quantise="int8")):
        weights = LtxVideo()
        studio.models["ltx_video"] = weights.load(str(ltx_folder), placing)
        bare = studio.film(placing=placing)
        slab = Slab(weights.modules(), "cpu")
        slab.load()
        assert np.array_equal(studio.film(placing=placing), bare)
        slab.evict(keep_changes=True)
        slab.close()
    assert plain.shape == bare.shape


def _models(profile_name: str) -> tuple[dict[str, Model], int]:
    """The models of the video engines as the studio reckons with them on a card of that kind."""
    models, profile = load_models(), load_profiles().profiles[profile_name]
    budget = int(profile.budget_gb * GIB)
    gpu = Gpu("a card of paper", profile.min_vram_gb, "1")
    names = ("ltx_video", "ltx_text_encoder", "ltx_video_distilled", "svd_xt", "sdxl_base")
    return {
        name: size_of(name, models.models[name], placing_of(models.models[name], profile, gpu, budget), models).within(
            budget
        )
        for name in names
    }, budget


@pytest.mark.parametrize("profile", ["8gb", "16gb", "24gb"])
@pytest.mark.parametrize("engine", ["ltx", "ltx_distilled", "svd"])
def test_each_engine_fits_each_kind_of_card(profile: str, engine: str) -> None:
    models, budget = _models(profile)
    needed = load_engines().tools["animate_shot"].engines[engine].models
    assert peak_bytes(needed, needed, models) <= budget
    ledger = Ledger(budget, models.values())
    for name in needed:
        with ledger.loading(name):
            pass
    with ledger.running(needed):
        assert ledger.snapshot().free >= 0


def test_a_scene_of_stills_and_clips_is_planned_on_16_gb() -> None:
    models, budget = _models("16gb")
    ltx = frozenset(load_engines().tools["animate_shot"].engines["ltx"].models)
    tasks = []
    for number in range(6):
        tasks.append(Task(f"still{number}", frozenset(["sdxl_base"]), seconds=10.0))
        tasks.append(Task(f"clip{number}", ltx, needs=(f"still{number}",), seconds=30.0))
    found = plan_order(Problem.of(tasks, models.values(), budget))
    assert found.peak_bytes <= budget
    assert found.switches <= 3, "SDXL once, then LTX with its text encoder once"


def test_the_whole_of_it_at_once_would_not_fit() -> None:
    """The control: T5 as a resident beside transformer and a step's working memory is too much for 16 GB."""
    models, budget = _models("16gb")
    t5 = Model("ltx_text_encoder", int(8.9 * GIB), int(0.3 * GIB))
    distilled = models["ltx_video_distilled"]
    with pytest.raises(InvalidInput, match="budget"):
        Problem.of([Task("clip", frozenset([t5.name, distilled.name]))], [t5, distilled], budget)
