"""Folders as diffusers and transformers write them: what asks for code of its own is refused, the rest accepted."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from evals.checkpoints.common import safetensors_bytes
from tests.tools.models.hostile import pickles
from tools.errors import MissingPrerequisite
from tools.models import PickleRefused, RemoteCodeRefused, WrongFile, inspect_folder

WEIGHTS = safetensors_bytes({"a.weight": (4, 4)})


def folder(root: Path, files: dict[str, bytes | dict[str, object]]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return root


SOUND: dict[str, bytes | dict[str, object]] = {
    "model_index.json": {"_class_name": "StableDiffusionXLPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
                         "feature_extractor": [None, None], "force_zeros": True},
    "unet/config.json": {"_class_name": "UNet2DConditionModel", "block_out_channels": [1, 2]},
    "unet/diffusion_pytorch_model.safetensors": WEIGHTS,
    "tokenizer/vocab.json": {"auto_map": 1},
    "tokenizer/merges.txt": b"#version: 0.2\nc at\ni n\nR b\n",
    "tokenizer/vocab.txt": b"[PAD]\n[unused0]\ncat\nimportant\nRb\n",
    "README.md": b"# a model",
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(60),
}  # fmt: skip


def test_a_sound_folder_is_accepted(tmp_path: Path) -> None:
    found = inspect_folder(folder(tmp_path, SOUND))
    assert [file.path.name for file in found.weights] == ["diffusion_pytorch_model.safetensors"]
    assert found.parameters == 16
    assert found.passed_over == ()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("unet/config.json", {"auto_map": {"AutoModel": "modeling.Evil"}}),
        ("unet/config.json", {"text_config": {"deep": [{"auto_map": {"AutoModel": "me/other--modeling.Evil"}}]}}),
        ("tokenizer/tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tokenization.Evil", None]}}),
        ("preprocessor_config.json", {"auto_map": {"AutoProcessor": "p.Evil"}}),
        ("config.json", {"custom_pipelines": {"x": {"impl": "x.Evil"}}}),
        ("model_index.json", {"_class_name": ["pipeline", "Evil"]}),
        ("model_index.json", {"_class_name": "P", "unet": ["modeling_evil", "Evil"]}),
        ("model_index.json", {"_class_name": "P", "unet": ["os", "system"]}),
    ],
)
def test_a_folder_that_asks_for_its_own_code_is_refused(tmp_path: Path, name: str, data: dict[str, object]) -> None:
    mark = tmp_path / "it ran"
    evil = f"import os\nos.mkdir({str(mark)!r})\n".encode()
    root = folder(tmp_path / "model", {**SOUND, name: data, "modeling.py": evil, "modeling_evil.py": evil})
    with pytest.raises(RemoteCodeRefused) as caught:
        inspect_folder(root)
    assert str(root / name) in str(caught.value)
    assert not mark.exists()


def test_a_loader_that_does_not_look_would_run_it(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    (tmp_path / "modeling.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    # The broken twin: takes the name of a module from the settings.
    exec(compile((tmp_path / "modeling.py").read_text(), "modeling", "exec"), {})
    assert mark.exists(), "the control"


@pytest.mark.parametrize("name", ["unet/model.safetensors", "unet/notes.txt", "config.json", "face.png", "x.gguf"])
@pytest.mark.parametrize("way", ["protocol 0", "protocol 4", "torch zip", "torch legacy"])
def test_a_disguised_pickle_is_refused(tmp_path: Path, name: str, way: str) -> None:
    mark = tmp_path / "it ran"
    with pytest.raises(PickleRefused):
        inspect_folder(folder(tmp_path / "model", {**SOUND, name: pickles(mark)[way]}))
    assert not mark.exists()


def test_a_pickle_beside_safetensors_is_passed_over_and_alone_refused(tmp_path: Path) -> None:
    data = pickle.dumps({"a": 1})
    root = folder(tmp_path / "model", {**SOUND, "unet/diffusion_pytorch_model.bin": data, "training_args.bin": data})
    passed_over = {path.name for path in inspect_folder(root).passed_over}
    assert passed_over == {"diffusion_pytorch_model.bin", "training_args.bin"}
    folder(root, {"vae/diffusion_pytorch_model.bin": data})
    with pytest.raises(PickleRefused, match="no safetensors beside it"):
        inspect_folder(root)


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    root = folder(tmp_path / "model", SOUND)
    (tmp_path / "secret").write_bytes(WEIGHTS)
    link = root / "more.safetensors"
    for target in (tmp_path / "secret", Path("../secret"), Path("/etc/passwd"), tmp_path):
        link.symlink_to(target)
        with pytest.raises(WrongFile, match="link"):
            inspect_folder(root)
        link.unlink()
    link.symlink_to("unet/diffusion_pytorch_model.safetensors")
    assert len(inspect_folder(root).weights) == 2, "a link inside is accepted"


def test_a_snapshot_of_the_hubs_cache_is_accepted(tmp_path: Path) -> None:
    repo = tmp_path / "models--a--b"
    folder(repo, {"blobs/00": WEIGHTS, "refs/main": b"0"})
    snapshot = repo / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/00")
    assert inspect_folder(snapshot).parameters == 16
    (snapshot / "more.safetensors").symlink_to("../../refs/main")
    with pytest.raises(WrongFile, match="leads out"):
        inspect_folder(snapshot)


@pytest.mark.parametrize("shard", ["../../x.safetensors", "/etc/x.safetensors", "a\\..\\x.safetensors", ""])
def test_an_index_that_names_files_elsewhere_is_refused(tmp_path: Path, shard: str) -> None:
    index = {"weight_map": {"a.weight": shard}}
    with pytest.raises(WrongFile, match="elsewhere"):
        inspect_folder(folder(tmp_path, {**SOUND, "unet/model.safetensors.index.json": index}))


def test_an_index_whose_file_is_missing_says_which(tmp_path: Path) -> None:
    index = {"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}}
    with pytest.raises(MissingPrerequisite, match="model-00001-of-00002"):
        inspect_folder(folder(tmp_path, {**SOUND, "unet/model.safetensors.index.json": index}))


@pytest.mark.parametrize("raw", [b"{" * 100_000, b"[" * 2_000_000, b'{"a":' * 1000, b"{}" * 9_000_000])
def test_settings_that_are_bombs_are_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(WrongFile):
        inspect_folder(folder(tmp_path, {**SOUND, "unet/config.json": raw}))


def test_an_empty_folder_and_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match="no weights"):
        inspect_folder(tmp_path)
    with pytest.raises(MissingPrerequisite, match="no such folder"):
        inspect_folder(tmp_path / "none")
