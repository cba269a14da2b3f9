"""`studio models pull` against a hub on loopback, by HF_ENDPOINT as a person would name a mirror."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals.checkpoints.common import safetensors_bytes
from tests.tools.models.loopback_hub import COMMIT, LoopbackHub

pytest.importorskip("huggingface_hub", reason="pulling needs huggingface_hub, of the `models` extra")

PARTS = ("down_blocks.0", "mid_block", "time_embedding", "controlnet_cond_embedding", "add_embedding")
WEIGHTS = safetensors_bytes({f"{part}.weight": (4, 4) for part in PARTS})
FILES = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": WEIGHTS, "extra.bin": b"\x80\x04K\x01."}


def studio(tmp_path: Path, endpoint: str, *args: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "STUDIO_PRODUCTIONS": str(tmp_path / "productions"),
        "STUDIO_MODELS_FOLDER": str(tmp_path / "kept"),
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "0",
    }
    command = [sys.executable, "-m", "agent", "models", *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_a_model_is_pulled_checked_and_removed(tmp_path: Path) -> None:
    with LoopbackHub(FILES, repo="xinsir/controlnet-union-sdxl-1.0", cuts=[1]) as server:
        done = studio(tmp_path, server.endpoint, "pull", "controlnet_union", "--json")
        assert done.returncode == 0, done.stderr
        row = json.loads(done.stdout)
        assert (row["here"], row["revision"], row["family"]) == ("pulled", COMMIT, "ControlNet for SDXL (diffusers)")
        assert "licence Apache-2.0" in done.stderr
        assert not server.strange
    assert not (tmp_path / "kept/controlnet_union/extra.bin").exists()
    assert studio(tmp_path, "", "check", "controlnet_union", "--full").returncode == 0
    assert json.loads(studio(tmp_path, "", "remove", "controlnet_union", "--json").stdout)["files_removed"] is True
    assert not (tmp_path / "kept/controlnet_union").exists()


def test_a_slip_in_one_of_several_names_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    with LoopbackHub(FILES, repo="xinsir/controlnet-union-sdxl-1.0") as server:
        done = studio(tmp_path, server.endpoint, "pull", "controlnet_union", "sdxl_bass")
    assert done.returncode == 1
    assert "sdxl_bass" in done.stderr
    assert not (tmp_path / "kept/controlnet_union").exists()


def test_a_gated_model_says_what_to_do_in_a_line(tmp_path: Path) -> None:
    with LoopbackHub(FILES, repo="meta-llama/Llama-3.1-8B-Instruct", gated=True) as server:
        done = studio(tmp_path, server.endpoint, "pull", "llama_8b")
    assert done.returncode == 1
    assert "hf auth login" in done.stderr
    assert "Llama 3.1 Community License" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_without_commercial_use_says_so(tmp_path: Path) -> None:
    with LoopbackHub(FILES, repo="x/y") as server:
        done = studio(tmp_path, server.endpoint, "pull", "musicgen_small")
    assert done.returncode == 1
    assert "does not allow commercial use" in done.stderr
    assert "no such repository" in done.stderr
