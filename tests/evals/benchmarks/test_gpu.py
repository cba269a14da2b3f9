"""The benchmark of the real networks: they have the published sizes, and all of it runs, in small, on any machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evals.benchmarks import gpu, gpu_full

for library in ("torch", "diffusers", "transformers", "accelerate", "compel", "torchao"):
    pytest.importorskip(library)


@pytest.mark.parametrize("name", gpu_full.NETWORKS)
def test_a_network_of_full_size_has_the_published_number_of_parameters(name: str) -> None:
    network = gpu_full.make(name)
    assert gpu_full.parameters(network) == gpu_full.NETWORKS[name].parameters
    assert all(weight.is_meta for weight in network.parameters()), "it takes no memory"
    assert not any(buffer.is_meta for buffer in network.buffers()), "what is computed from the configuration is there"


def test_one_size_off_is_noticed() -> None:
    """The broken twin: a configuration with a layer less has other parameters."""
    known = gpu_full.NETWORKS["sdxl_text"]
    config = {**known.config, "num_hidden_layers": 11}
    gpu_full.NETWORKS["twin"] = gpu_full.Network(known.library, known.kind, config, {}, 0, known.of_config)
    try:
        assert gpu_full.parameters(gpu_full.make("twin")) != known.parameters
    finally:
        del gpu_full.NETWORKS["twin"]


def test_weights_are_the_same_for_a_seed_and_what_is_tied_stays_tied() -> None:
    import torch

    def text(seed: int) -> Any:
        return gpu_full.fill(gpu_full.make("ltx_text", small=True), "cpu", torch.float32, seed)

    one, same, other = text(1), text(1), text(2)
    weights = [torch.cat([weight.flatten() for weight in network.parameters()]) for network in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert one.shared.weight is one.encoder.embed_tokens.weight


def test_where_there_is_no_card_nothing_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert gpu.measure() == []
    assert "not measured, torch sees no card" in capsys.readouterr().err


def test_the_whole_benchmark_runs_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    torch.set_num_threads(1)
    monkeypatch.setattr(sys, "argv", [
        "gpu", "--device", "cpu", "--small", "--times", "1", "--ways", "graphs,kept", "--out", str(tmp_path),
    ])  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        gpu.main()
    result: dict[str, Any] = json.loads(next(tmp_path.iterdir()).read_text())
    assert ended.value.code == 0, result["failed"]
    assert not result["counts_for_a_card"], "a CPU says nothing about a card"
    assert set(result["figures"]) == {"sdxl", "ltx", "vision"}
    sdxl = result["figures"]["sdxl"]
    for way, told in sdxl["ours"].items():
        for picture in ("30 steps", "4 steps", "30 steps + ControlNet"):
            assert told[picture]["from stock"]["mean"] < 0.01, f"{way} draws what stock diffusers draws"
    assert [row["name"] for row in result["rows"] if row["goal"]] == [
        next(row["name"] for row in result["rows"] if row["name"].startswith("SDXL 30 steps,")),
        "SDXL 30 steps, ours / stock",
        next(row["name"] for row in result["rows"] if row["name"].startswith("SDXL 4 steps,")),
        "SDXL peak of all ways", "LTX 2B, 8 steps, words read before", "LTX peak, T5 beside it included",
        "Qwen2.5-VL peak",
    ]  # fmt: skip


def test_a_part_that_fails_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> Any:
        raise RuntimeError("no kernel for this card")

    monkeypatch.setattr(gpu, "measure_ltx", broken)
    result = gpu.run(gpu.Options(device="cpu", small=True, only=("ltx", "vision"), times=1))
    assert result["failed"] == {"ltx": "RuntimeError: no kernel for this card"}
    assert set(result["figures"]) == {"vision"}
