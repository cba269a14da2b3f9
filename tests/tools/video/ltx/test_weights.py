"""LTX-Video's checkpoints as users have them; what is broken is named before, or while, it is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tools.video.filmed import Studio, difference
from tests.tools.video.ltx.conftest import load_model, load_text_encoder
from tools.errors import InvalidInput, MissingPrerequisite, ToolError
from tools.model import Placing, Weights


def test_a_single_file_is_read_by_its_original_names(studio: Studio, single_file: Path, plain: np.ndarray) -> None:
    """Its decoder is of a later generation, which is told how noisy its input is: the film is another, and sound."""
    from tools.video.ltx.engine import LtxDistilledShot

    studio.models["ltx_video_distilled"] = load_model(single_file, kind="LtxDistilled")
    assert studio.models["ltx_video_distilled"].vae.config.timestep_conditioning
    studio.kind = LtxDistilledShot
    film = studio.film()
    assert film.shape == plain.shape
    assert film.std() > 5
    assert np.array_equal(studio.film(), film)
    studio.rules(ltx={"decode_noise": 0.9})
    assert difference(studio.film(), film) > 1


def test_every_weight_of_a_single_file_arrives(single_file: Path) -> None:
    from evals.checkpoints.ltx import VAE_091, make_transformer, make_vae

    model = load_model(single_file)
    for made, read in ((make_transformer(1), model.transformer), (make_vae(1, VAE_091), model.vae)):
        wanted, found = made.state_dict(), read.state_dict()
        assert wanted.keys() == found.keys()
        assert all(bool((wanted[name] == found[name]).all()) for name in wanted)


@pytest.mark.parametrize(
    ("generation", "parameters"),
    [("0.9.0", (1_923_385_472, 419_193_649)), ("0.9.5", (1_923_385_472, 1_246_913_522))],
)
def test_built_in_settings_give_the_published_sizes(
    tmp_path: Path, generation: str, parameters: tuple[int, int]
) -> None:
    """What diffusers makes of them, without memory: the distilled file has 6.34 GB, as both together in 16 bits."""
    from accelerate import init_empty_weights
    from diffusers import AutoencoderKLLTXVideo, LTXVideoTransformer3DModel

    from tools.video.ltx.generations import write_settings

    settings = write_settings(generation, tmp_path)
    sizes = []
    for part, kind in (("transformer", LTXVideoTransformer3DModel), ("vae", AutoencoderKLLTXVideo)):
        with init_empty_weights():
            module = kind.from_config(json.loads((settings / part / "config.json").read_text()))
        sizes.append(sum(one.numel() for one in module.parameters()))
    assert tuple(sizes) == parameters


def test_the_generation_is_told_by_the_tensors(single_file: Path) -> None:
    from tools.models import inspect_file
    from tools.video.ltx.generations import generation_of

    tensors = dict(inspect_file(single_file).tensors)
    assert generation_of(tensors) == "0.9.1"
    conv = tensors["vae.encoder.conv_out.conv.weight"]
    wide = {**tensors, "vae.encoder.conv_out.conv.weight": replace(conv, shape=(129, 2048, 3, 3, 3))}
    assert generation_of(wide) == "0.9.5"
    assert generation_of({**wide, "model.diffusion_model.transformer_blocks.47.scale_shift_table": conv}) == "0.9.7"
    assert generation_of({name: one for name, one in tensors.items() if "last_time_embedder" not in name}) == "0.9.0"


def test_a_file_without_settings_beside_it_takes_the_built_in_ones(tmp_path: Path, single_file: Path) -> None:
    """The tiny one has not their shapes: the error says which file, after the settings were found."""
    lonely = tmp_path / "lonely.safetensors"
    shutil.copy(single_file, lonely)
    with pytest.raises(InvalidInput, match=r"lonely\.safetensors: time_embed.* has the shape 32, and 2048 is needed"):
        load_model(lonely)


def test_what_was_cut_into_several_files_is_read_whole(
    ltx_folder: Path, text_folder: Path, tmp_path: Path, studio: Studio, plain: np.ndarray
) -> None:
    """As the published transformer and text encoder are: several files and an index."""
    folder = tmp_path / "cut"
    shutil.copytree(ltx_folder, folder)
    shutil.copytree(text_folder, folder, dirs_exist_ok=True)
    parts = {"transformer": load_model(ltx_folder).transformer, "text_encoder": load_text_encoder(text_folder).encoder}
    for part, module in parts.items():
        for file in (folder / part).glob("*.safetensors"):
            file.unlink()
        module.save_pretrained(folder / part, max_shard_size="20KB")
        assert len(list((folder / part).glob("*.safetensors"))) > 2
    studio.models = {"ltx_video": load_model(folder), "ltx_text_encoder": load_text_encoder(folder)}
    assert np.array_equal(studio.film(), plain)
    sorted((folder / "text_encoder").glob("*.safetensors"))[1].unlink()
    with pytest.raises(InvalidInput, match=r"text_encoder|T5"):
        load_text_encoder(folder)


def test_eight_steps_are_those_that_the_distilled_model_was_made_for() -> None:
    """The sigmas of its published settings (ltxv-2b-0.9.8-distilled)."""
    from diffusers.pipelines.ltx.pipeline_ltx_condition import linear_quadratic_schedule

    published = [1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875]
    assert np.allclose(linear_quadratic_schedule(8).numpy(), published)


def test_fp16_is_read_as_bf16(ltx_folder: Path, text_folder: Path) -> None:
    import torch

    model, reader = load_model(ltx_folder, Placing(dtype="fp16")), load_text_encoder(text_folder, Placing(dtype="fp16"))
    assert {model.transformer.dtype, model.vae.dtype, reader.encoder.dtype} == {torch.bfloat16}


def test_the_tokenizer_is_read_from_its_sentencepiece_model(text_folder: Path) -> None:
    reader = load_text_encoder(text_folder)
    assert not (text_folder / "tokenizer" / "tokenizer.json").exists()
    ids = reader.tokenizer("a boy").input_ids
    assert reader.tokenizer.decode(ids[:-1]) == "a boy"
    assert ids[-1] == 1
    words = reader.read("a boy waves", "", 8)
    assert words.embeds.shape[:2] == words.mask.shape == (1, 8)
    assert words.lost
    assert not reader.read("a", "", 8).lost


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


def _no_settings(part: Path) -> None:
    (part / "config.json").unlink()


def _missing(part: Path) -> None:
    shutil.rmtree(part)


def _a_weight_less(part: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(str(_first(part)))
    tensors.pop(max(name for name in tensors if name.endswith("weight")))
    save_file(tensors, str(_first(part)), metadata={"format": "pt"})


def _other_widths(part: Path) -> None:
    known = json.loads((part / "config.json").read_text())
    for name in ("caption_channels", "d_ff", "latent_channels"):
        if name in known:
            known[name] += 8
    (part / "config.json").write_text(json.dumps(known))


def _read(weights: Weights, folder: Path) -> None:
    weights.check(str(folder))
    weights.load(str(folder), Placing())


HARMS = [_truncated, _zero_bytes, _pickled, _disguised, _another_family, _no_settings, _missing, _a_weight_less,
         _other_widths]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_a_broken_folder_is_named(ltx_folder: Path, tmp_path: Path, part: str, harm: Callable[[Path], None]) -> None:
    from tools.video.ltx.weights import LtxVideo

    folder = tmp_path / "broken-ltx"
    shutil.copytree(ltx_folder, folder)
    harm(folder / part)
    weights = LtxVideo()
    with pytest.raises(ToolError, match="broken-ltx"):
        _read(weights, folder)
    assert not weights.modules(), "nothing of it stays"


@pytest.mark.parametrize("harm", HARMS)
def test_a_broken_text_encoder_is_named(text_folder: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    from tools.video.ltx.text import LtxTextEncoder

    folder = tmp_path / "broken-t5"
    shutil.copytree(text_folder, folder)
    harm(folder / "text_encoder")
    weights = LtxTextEncoder()
    with pytest.raises(ToolError, match="broken-t5"):
        _read(weights, folder)
    assert not weights.modules()


def test_a_loader_would_fill_what_is_lacking_with_random_values(
    text_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the weight that is lacking above: without our look nobody would hear of it."""
    folder = tmp_path / "holes"
    shutil.copytree(text_folder, folder)
    _a_weight_less(folder / "text_encoder")
    monkeypatch.setattr("tools.models.whole.require_whole", lambda *_: None)
    assert load_text_encoder(folder).read("a boy", "", 16).embeds.shape == (1, 16, 32)


def test_a_tokenizer_that_knows_nothing_or_too_much_is_refused(text_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(text_folder, folder)
    spiece = folder / "tokenizer" / "spiece.model"
    whole = spiece.read_bytes()
    spiece.write_bytes(whole[:40])
    with pytest.raises(InvalidInput, match="tokenizer"):
        load_text_encoder(folder)
    spiece.write_bytes(whole)
    settings = folder / "tokenizer" / "tokenizer_config.json"
    settings.write_text(settings.read_text().replace('"extra_ids": 100', '"extra_ids": 900'))
    with pytest.raises(InvalidInput, match="do not fit"):
        load_text_encoder(folder)
    spiece.unlink()
    with pytest.raises(InvalidInput, match=r"spiece\.model"):
        load_text_encoder(folder)


def test_a_single_file_of_something_else_is_refused(tmp_path: Path, single_file: Path) -> None:
    from safetensors.torch import load_file, save_file

    from evals.checkpoints.ltx import make_lora

    with pytest.raises(InvalidInput, match="LoRA"):
        load_model(make_lora(tmp_path / "lora"))
    disguised = tmp_path / "model.safetensors"
    disguised.write_bytes(b"\x80\x04\x95" + b"x" * 100)
    with pytest.raises(InvalidInput, match=r"model\.safetensors.*pickle"):
        load_model(disguised)
    half = tmp_path / "half.safetensors"
    save_file({n: one for n, one in load_file(str(single_file)).items() if not n.startswith("vae.")}, str(half))
    with pytest.raises(InvalidInput, match="without the decoder"):
        load_model(half)


def test_nothing_registered_names_the_command() -> None:
    from tools.video.ltx.text import LtxTextEncoder
    from tools.video.ltx.weights import LtxDistilled, LtxVideo

    for kind in (LtxVideo, LtxDistilled, LtxTextEncoder):
        with pytest.raises(MissingPrerequisite, match=f"studio models pull {kind.name}"):
            kind().check("")
        with pytest.raises(MissingPrerequisite, match="nowhere"):
            kind().check("/nowhere/ltx")


def test_nothing_is_asked_of_the_network(
    ltx_folder: Path, text_folder: Path, single_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    load_model(ltx_folder)
    load_model(single_file)
    load_text_encoder(text_folder)
