"""The benchmark of a card: its models have the real sizes, and the whole of it runs, in small, on any machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import pytest

from evals.benchmarks import gpu_models, gpu_swap
from evals.benchmarks.gpu_models import MODELS, Shape

BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "int8": 1, "int32": 4}


def parameters(shapes: Iterator[Shape]) -> int:
    return sum(prod(size) for _, size, _ in shapes)


def plain(wide: int, layers: int, keys: int, inner: int) -> Iterator[Shape]:
    return gpu_models.qwen_language(wide, layers, keys, inner, "float16", "float16", lambda _layer: "float16")


def test_the_shapes_add_up_to_the_released_models() -> None:
    assert parameters(gpu_models.sdxl_unet()) == 2_567_463_684
    assert parameters(gpu_models.sdxl_vae()) == 83_653_863
    assert parameters(gpu_models.clip_text(768, 12)) == 123_060_480
    assert parameters(gpu_models.clip_text(1280, 32, 1280)) == 694_659_840
    assert parameters(plain(5120, 48, 1024, 13824)) == 14_770_033_664
    assert parameters(gpu_models.qwen_vision()) + parameters(plain(3584, 28, 512, 18944)) == 8_292_166_656


def test_no_name_stands_twice_and_each_model_fits_with_its_working_memory_but_no_two_together() -> None:
    sizes = []
    for spec in MODELS:
        for shapes in spec.modules.values():
            names = [name for name, _, _ in shapes()]
            assert len(set(names)) == len(names)
        weights = sum(prod(size) * BYTES[kind] for make in spec.modules.values() for _, size, kind in make())
        assert weights + spec.working <= gpu_swap.BUDGET
        sizes.append(weights)
    assert sum(sizes) == pytest.approx(30.7e9, rel=0.01)
    assert min(sizes) + sorted(sizes)[1] > gpu_swap.BUDGET, "each turn is a swap"


def test_where_nothing_can_be_measured_nothing_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert gpu_swap.measure() == []
    assert "not measured" in capsys.readouterr().err


def test_the_whole_benchmark_runs_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the benchmark moves torch modules")
    monkeypatch.setattr(sys, "argv", [
        "gpu_swap", "--device", "cpu", "--shrink", "60", "--cycles", "2", "--swaps", "6", "--out", str(tmp_path),
    ])  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        gpu_swap.main()
    assert ended.value.code == 0
    result: dict[str, Any] = json.loads(next(tmp_path.iterdir()).read_text())
    assert not result["counts_for_a_card"], "a CPU says nothing about a card"
    assert [model["name"] for model in result["models"]] == ["llm", "sdxl", "judge"]
    assert len(result["rows"]) == 6
    assert result["figures"]["drift"]["swaps"] == 6
    assert result["figures"]["ledger_peak"] > 0
