"""What is on this machine: registered by path, checked by its record, removed without touching a person's files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from configs.models import ModelEntry, ModelsFile, load_models
from evals.checkpoints.common import safetensors_bytes
from tools.errors import InvalidInput, MissingPrerequisite
from tools.models import PickleRefused, WrongFamily
from tools.models.kinds import FAMILY_NAMES
from tools.models.shelf import KnownFile, ModelRecord, Shelf

LORA = safetensors_bytes({"lora_unet_x_attn2_to_k.lora_down.weight": (4, 2048)})


def shelf(tmp_path: Path) -> Shelf:
    models = {
        "luca": ModelEntry(about="a LoRA", family="lora", base="sdxl"),
        "base": ModelEntry(about="x", family="sdxl"),
    }
    return Shelf(tmp_path / "models", ModelsFile(models=models))


def lora(tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "luca.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(LORA)
    return path


def test_a_file_of_ones_own_is_registered_checked_and_forgotten(tmp_path: Path) -> None:
    home, path = shelf(tmp_path), lora(tmp_path)
    record = home.register("luca", path)
    assert record.family == "LoRA for SDXL (kohya)"
    assert home.source_of("luca") == str(path) == home.placed().models["luca"].source
    assert home.check("luca").ok
    assert home.check("luca", full=True).ok
    home.remove("luca")
    assert path.read_bytes() == LORA, "a person's own files stay"
    with pytest.raises(MissingPrerequisite, match="studio models path luca PATH"):
        home.check("luca")


def test_a_folder_of_ones_own_may_have_a_new_name(tmp_path: Path) -> None:
    home, path = shelf(tmp_path), lora(tmp_path)
    (path.parent / "config.json").write_text("{}")
    assert set(home.register("my_style", path.parent).files) == {"luca.safetensors", "config.json"}
    assert home.source_of("my_style") == str(path.parent)


def test_sizes_on_the_device_follow_files_that_are_far_smaller_than_the_listed_ones(tmp_path: Path) -> None:
    entry = ModelEntry(
        about="x", weights="tools.image.sdxl.weights:SdxlCheckpoint", weights_gb={"fp16": 6.0}, working_gb=4.0,
        download_gb=6.0, repo="owner/name", files=("x.safetensors",), licence="MIT",
    )  # fmt: skip
    home = Shelf(tmp_path / "models", ModelsFile(models={"luca": entry}))
    home.register("luca", lora(tmp_path))
    placed = home.placed().models["luca"]
    share = len(LORA) / 6e9
    assert placed.weights_gb == {"fp16": pytest.approx(6.0 * share)}
    assert placed.working_gb == pytest.approx(4.0 * share)
    assert not placed.repo, "nobody knows where a person's own file is from"
    half = KnownFile(bytes=3_000_000_000, sha256="0" * 64)
    home.keep("luca", ModelRecord(kind="path", path=str(tmp_path), files={"x.safetensors": half}))
    assert home.placed().models["luca"].weights_gb == {"fp16": 6.0}, "another width of the same model"
    commit = "a" * 40
    home.keep("luca", ModelRecord(kind="pulled", path=str(tmp_path), revision=commit, files={"x.safetensors": half}))
    pulled = home.placed().models["luca"]
    assert (pulled.repo, pulled.revision) == ("owner/name", commit)


def test_what_was_changed_is_found(tmp_path: Path) -> None:
    home, path = shelf(tmp_path), lora(tmp_path)
    home.register("luca", path)
    changed = LORA[:-1] + b"\x01"
    path.write_bytes(changed)
    assert "another content" in home.check("luca").problems["."]
    stat = path.stat()
    path.write_bytes(LORA[:-1] + b"\x02")
    record = home.record("luca")
    assert record is not None
    os.utime(path, ns=(stat.st_atime_ns, record.files["."].changed_ns))
    assert home.check("luca").ok, "the quick check goes by size and time, and says so"
    assert not home.check("luca", full=True).ok
    path.write_bytes(LORA[:-5])
    assert "bytes" in home.check("luca").problems["."]
    path.unlink()
    assert home.check("luca").problems == {".": "is missing"}


def test_what_is_not_fit_is_not_registered(tmp_path: Path) -> None:
    home, path = shelf(tmp_path), lora(tmp_path)
    with pytest.raises(WrongFamily, match="expected was an SDXL"):
        home.register("base", path)
    path.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(PickleRefused):
        home.register("luca", path)
    assert home.records() == {}


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "A", "x" * 60, "a.b", "-x"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is no name"):
        shelf(tmp_path).register(name, lora(tmp_path))


def test_a_record_that_was_edited_deletes_nothing_elsewhere(tmp_path: Path) -> None:
    home, path = shelf(tmp_path), lora(tmp_path)
    known = KnownFile(bytes=len(LORA), sha256="0" * 64)
    home.keep("luca", ModelRecord(kind="pulled", path=str(path.parent), files={"luca.safetensors": known}))
    home.remove("luca")
    assert path.exists()


def test_a_damaged_record_says_where(tmp_path: Path) -> None:
    home = shelf(tmp_path)
    home.folder.mkdir(parents=True)
    (home.folder / "luca.yaml").write_text("kind: stolen\n")
    with pytest.raises(InvalidInput, match=r"luca\.yaml:1"):
        home.record("luca")


def test_every_entry_of_the_studio_is_complete() -> None:
    for name, entry in load_models().models.items():
        assert entry.licence, name
        assert entry.weights_gb or entry.family == "lora", name
        assert entry.pullable or entry.by_hand or entry.source, name
        assert not entry.family or entry.family in FAMILY_NAMES, name
        assert not entry.base or entry.base in FAMILY_NAMES, name


def studio(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "STUDIO_PRODUCTIONS": str(tmp_path / "productions"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "agent", "models", *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_the_command_has_honest_exit_codes(tmp_path: Path) -> None:
    path = lora(tmp_path)
    assert "sdxl_base" in studio(tmp_path).stdout
    rows = {row["name"]: row for row in json.loads(studio(tmp_path, "list", "--json").stdout)}
    assert rows["musicgen_small"]["commercial"] is False
    assert rows["sdxl_base"]["here"] == ""
    added = studio(tmp_path, "path", "luca_lora", str(path), "--json")
    assert json.loads(added.stdout)["family"] == "LoRA for SDXL (kohya)", added.stderr
    assert studio(tmp_path, "path", "luca_lora").stdout.strip() == str(path)
    assert [row["name"] for row in json.loads(studio(tmp_path, "list", "--here", "--json").stdout)] == ["luca_lora"]
    assert studio(tmp_path, "check").returncode == 0
    path.write_bytes(LORA[:-1])
    broken = studio(tmp_path, "check", "--json")
    assert broken.returncode == 3
    assert json.loads(broken.stdout)[0]["ok"] is False
    assert json.loads(studio(tmp_path, "remove", "luca_lora", "--json").stdout)["files_removed"] is False
    assert path.exists()
    assert studio(tmp_path, "remove", "luca_lora").returncode == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("pull", "sdxl_bse"), "Did you mean 'sdxl_base'?"),
        (("pull", "arcface"), "buffalo_l"),
        (("pull", "sdxl_base"), "To mend it"),
        (("path", "sdxl_base", "/nowhere.safetensors"), "no such file"),
        (("check", "sdxl_base"), "studio models pull sdxl_base"),
    ],
)
def test_the_command_says_in_a_line_what_is_wrong(tmp_path: Path, args: tuple[str, ...], told: str) -> None:
    done = studio(tmp_path, *args)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_through_another_folder_is_kept_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lora(tmp_path)
    passed = tmp_path / "passed through"
    passed.mkdir()
    monkeypatch.chdir(passed)
    home = shelf(tmp_path)
    home.register("luca", Path("..") / path.relative_to(tmp_path))
    passed.rmdir()
    assert Path(home.source_of("luca")) == path.resolve()
