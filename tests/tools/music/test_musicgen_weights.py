"""MusicGen's folders as users have them; what is broken is named before it is used."""

from __future__ import annotations

import json
import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.models import load_models
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, InvalidInput, MissingPrerequisite, ToolError
from tools.model import Placing
from tools.sound import read_wav


def _weights() -> Any:
    from tools.music.musicgen_weights import MusicgenSmall

    return MusicgenSmall()


def _rewrite(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _narrow(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    name = next(one for one in tensors if one.endswith("lm_heads.0.weight"))
    save_file({**tensors, name: tensors[name][:, :8].contiguous()}, folder / "model.safetensors", {"format": "pt"})


def _lacking(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "layers.1.fc1" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})


def _other_family(folder: Path) -> None:
    from evals.checkpoints.common import safetensors_bytes

    shapes = {"model.layers.0.self_attn.q_proj.weight": (8, 8), "model.embed_tokens.weight": (8, 8)}
    (folder / "model.safetensors").write_bytes(safetensors_bytes(shapes))


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut off": (lambda f: _cut(f / "model.safetensors"), "model.safetensors"),
    "empty": (lambda f: (f / "model.safetensors").write_bytes(b""), "empty"),
    "a pickle by its name": (
        lambda f: ((f / "pytorch_model.bin").write_bytes(pickle.dumps([1])), (f / "model.safetensors").unlink()),
        "pickle",
    ),
    "a pickle in disguise": (lambda f: (f / "model.safetensors").write_bytes(pickle.dumps([1, 2])), "pickle"),
    "another family": (_other_family, "MusicGen"),
    "other sizes": (_narrow, r"model\.safetensors: .* has the shape .* is needed"),
    "weights missing": (_lacking, "lacks"),
    "code of its own": (lambda f: _rewrite(f, auto_map={"AutoModel": "evil.Model"}), "auto_map"),
    "another model": (lambda f: _rewrite(f, model_type="t5"), "'t5'"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json"),
    "no settings": (lambda f: (f / "config.json").unlink(), "config.json"),
}


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_and_nothing_stays_loaded(name: str, musicgen_folder: Path, tmp_path: Path) -> None:
    spoil, told = BROKEN[name]
    folder = tmp_path / "tiny-musicgen"
    shutil.copytree(musicgen_folder, folder)
    spoil(folder)
    weights = _weights()
    with pytest.raises(ToolError, match=told) as caught:  # noqa: PT012 - either may find it
        weights.check(str(folder))
        weights.load(str(folder), Placing())
    assert isinstance(caught.value, InvalidInput)
    assert "tiny-musicgen" in str(caught.value)
    assert weights.modules() == {}


def test_a_folder_as_it_was_published_is_read_the_same(musicgen_folder: Path, tmp_path: Path) -> None:
    """transformers 4 wrote other names for the codec's weights, and the processor's settings into another file."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "published"
    shutil.copytree(musicgen_folder, folder)
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    tensors = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        for new, before in old.items():
            name = name.replace(new, before)
        tensors[name] = tensor
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    settings = json.loads((folder / "processor_config.json").read_text())
    (folder / "processor_config.json").unlink()
    plain = {**settings["feature_extractor"], "processor_class": "MusicgenProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(plain))
    weights = _weights()
    weights.check(str(folder))
    found = weights.load(str(folder), Placing()).model.state_dict()
    same = _weights().load(str(musicgen_folder), Placing()).model.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in same.items())


def test_what_is_not_there_names_the_command(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    for source in ("", str(tmp_path / "nowhere")):
        with pytest.raises(MissingPrerequisite, match="studio models pull musicgen_small"):
            _weights().check(source)


def test_the_codec_stays_in_float32_and_the_rest_is_as_asked(
    musicgen_folder: Path, draw: Callable[..., np.ndarray]
) -> None:
    import torch

    weights = _weights()
    net = weights.load(str(musicgen_folder), Placing(dtype="bf16"))
    assert net.model.decoder.dtype == net.model.text_encoder.dtype == torch.bfloat16
    assert net.model.audio_encoder.dtype == torch.float32
    assert draw(net=net, duration_s=1.6).shape == (76_800, 2)
    weights.unload()
    assert weights.modules() == {}


def test_every_tensor_may_live_in_a_slab(musicgen_folder: Path, draw: Callable[..., np.ndarray]) -> None:
    """The runtime packs the model and moves it as one block; the sound does not change by it."""
    from tools.runtime.residency.slab import Slab

    weights = _weights()
    net = weights.load(str(musicgen_folder), Placing())
    before = draw(net=net)
    slab = Slab(weights.modules(), "cpu")
    slab.load()
    slab.evict()
    slab.load()
    assert np.array_equal(draw(net=net), before)
    slab.close()


def test_a_stereo_checkpoint_is_heard_in_stereo(draw: Callable[..., np.ndarray]) -> None:
    pytest.importorskip("transformers")
    from evals.checkpoints.build import built
    from evals.checkpoints.musicgen import make_musicgen

    folder = built(make_musicgen, channels=2)
    net = _weights().load(str(folder), Placing())
    sound = draw(net=net, duration_s=1.7)
    assert sound.shape == (81_600, 2)
    assert np.abs(sound[:, 0] - sound[:, 1]).mean() > 1e-3


def test_the_shelf_takes_it_under_its_name(musicgen_folder: Path, tmp_path: Path) -> None:
    from tools.models.shelf import Shelf

    shelf = Shelf(tmp_path / "models", load_models())
    shelf.register("musicgen_small", musicgen_folder)
    _weights().check(shelf.source_of("musicgen_small"))


def test_a_piece_is_made_in_the_worker_and_a_stop_is_heard(musicgen_folder: Path, tmp_path: Path) -> None:
    from tools.registry import Registry
    from tools.runtime.device.lane import Lane
    from tools.runtime.executor import Executor
    from tools.runtime.scheduling.problem import Model
    from tools.runtime.storage.store import ArtifactStore
    from tools.runtime.workers.pool import WorkerPool

    registry, size = Registry.load(), 64 << 20
    entry = load_models().models["musicgen_small"].model_copy(update={"source": str(musicgen_folder)})
    models = {"musicgen_small": (entry, Model("musicgen_small", size, size, load_s=1.0))}
    lane = Lane("cpu", 4 * size, models, {"musicgen_small": Placing()}, None)
    cancel = threading.Event()

    def call(name: str, seconds: float) -> Call:
        args = {"mood": "calm", "duration_s": seconds}
        return Call(id=name, tool="compose_music", engine="musicgen", seed=3, args=args)

    def listen(event: Any) -> None:
        if event.call_id == "long" and event.text.startswith("step"):
            cancel.set()

    with WorkerPool(1, registry.stacks) as pool:
        store = ArtifactStore(tmp_path / "store")
        made = Executor(registry, store, pool, lane=lane).run([call("a", 1.0)])["a"]
        assert isinstance(made, Artifact), made
        assert read_wav(made.file("music.wav"))[0].shape == (48_000, 2)
        assert made.record.engine == "musicgen"
        stopping = Executor(registry, store, pool, lane=lane, cancel=cancel)
        stopping.on_event = listen
        assert isinstance(stopping.run([call("long", 600.0)])["long"], Cancelled)
        assert isinstance(Executor(registry, store, pool, lane=lane).run([call("b", 0.6)])["b"], Artifact)
    lane.close()
