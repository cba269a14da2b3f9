"""A tiny ArcFace pack: the five ONNX files of buffalo_l, whose detector really finds faces and whose recogniser tells
them apart.

The detector answers like SCRFD to what the tests call a face: a square of saturated magenta, 4 strides of 32 wide in a
picture brought to 640, its middle at (32 k + 16, 32 n + 16), anything inside. The recogniser is a random linear map
of the cut-out: the same face is 1 like itself, another one about 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["FACE_SIDE", "make_face_pack", "painted_face"]

FACE_SIDE = 128
"""Pixels of a face in a picture whose longer side is 640."""
_POINTS = ((-9.5, -2.3), (9.4, -2.4), (0.0, 8.4), (-7.7, 19.4), (7.9, 19.4))
"""Of a face of 128 pixels, from its middle: ArcFace's own cut around them holds the pattern and nothing else."""


def painted_face(picture: np.ndarray, centre: tuple[int, int], pattern: int, noise: float = 0.0) -> None:
    """Paint what the tiny detector takes for a face: a magenta square, pattern number `pattern` in it.

    Args:
        picture: height x width x 3 uint8, painted on.
        noise: deviation of what is added to the pattern, in 8-bit levels.
    """
    x, y = centre
    half = FACE_SIDE // 2
    picture[y - half : y + half, x - half : x + half] = (255, 0, 255)
    coarse = np.random.default_rng(pattern).integers(0, 256, (8, 8)).astype(float)
    inner = np.kron(coarse, np.ones((FACE_SIDE // 16, FACE_SIDE // 16)))
    inner = np.clip(inner + np.random.default_rng(99).normal(0, noise, inner.shape), 0, 255)
    # Magenta stays what it is mostly: the pattern is told in green alone.
    picture[y - half // 2 : y + half // 2, x - half // 2 : x + half // 2, 1] = inner * 0.35


def make_face_pack(folder: Path, *, not_a_number: bool = False) -> Path:
    """Write the pack; `not_a_number` has the recogniser answer NaN."""
    folder.mkdir(parents=True, exist_ok=True)
    _detector(folder / "det_10g.onnx")
    _recogniser(folder / "w600k_r50.onnx", not_a_number=not_a_number)
    for name in ("1k3d68", "2d106det", "genderage"):
        _save(folder / f"{name}.onnx", [_node("Flatten", ["pixels"], "numbers")], (192, 192), ["numbers"], [])
    return folder


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs, [output], **attributes)


def _save(path: Path, nodes: list[Any], size: tuple[Any, Any], outputs: list[str], weights: list[Any]) -> None:
    import onnx
    from onnx import TensorProto, helper

    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, *size])
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(nodes, path.stem, [given], told, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def _constant(name: str, value: np.ndarray) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(value, name)


def _detector(path: Path) -> None:
    """Means over cells of 32; magenta is red plus blue minus twice green. Only stride 32 ever answers."""
    nodes: list[Any] = []
    weights = [
        # Pixels are -1..1. Magenta scores 4, black -0, white 0.
        _constant("magenta", np.array([1.0, -2.0, 1.0], np.float32).reshape(1, 3, 1, 1)),
        _constant("blur", np.full((1, 1, 3, 3), 1 / 9, np.float32)),
        _constant("rows", np.array([-1, 1], np.int64)),
    ]
    names: list[list[str]] = [[], [], []]
    for stride in (8, 16, 32):
        tag = f"_{stride}"
        nodes.append(_node("AveragePool", ["pixels"], f"mean{tag}", kernel_shape=[stride] * 2, strides=[stride] * 2))
        nodes.append(_node("Conv", [f"mean{tag}", "magenta"], f"colour{tag}"))
        nodes.append(_node("Conv", [f"colour{tag}", "blur"], f"soft{tag}", pads=[1, 1, 1, 1]))
        # Two anchors a cell; the second never answers, nor do the finer strides.
        steep = np.array([[12.0, 0.0]] if stride == 32 else [[0.0, 0.0]], np.float32)
        shift = np.array([[-40.0, -40.0]], np.float32)
        weights += [_constant(f"steep{tag}", steep), _constant(f"shift{tag}", shift)]
        nodes.append(_node("Reshape", [f"soft{tag}", "rows"], f"cells{tag}"))
        nodes.append(_node("Gemm", [f"cells{tag}", f"steep{tag}", f"shift{tag}"], f"logits{tag}"))
        nodes.append(_node("Sigmoid", [f"logits{tag}"], f"pairs{tag}"))
        nodes.append(_node("Reshape", [f"pairs{tag}", "rows"], f"scores{tag}"))
        names[0].append(f"scores{tag}")
        middle = 0.5
        box = np.array([2 - middle, 2 - middle, 2 + middle, 2 + middle], np.float32)
        points = np.array(_POINTS, np.float32).reshape(-1) / 32 + middle
        for row, kind, constant in ((1, "boxes", box), (2, "points", points)):
            weights.append(_constant(f"{kind}_of{tag}", constant.reshape(1, -1)))
            nodes.append(_node("Mul", [f"scores{tag}", "nothing"], f"zeros_{kind}{tag}"))
            nodes.append(_node("Add", [f"zeros_{kind}{tag}", f"{kind}_of{tag}"], f"{kind}{tag}"))
            names[row].append(f"{kind}{tag}")
    weights.append(_constant("nothing", np.zeros((1, 1), np.float32)))
    _save(path, nodes, ("height", "width"), [name for kind in names for name in kind], weights)


def _recogniser(path: Path, *, not_a_number: bool) -> None:
    rng = np.random.default_rng(8)
    # Green alone, less its own mean: likeness is then the correlation of the patterns.
    kernel = np.zeros((1, 3, 7, 7), np.float32)
    kernel[0, 1] = 1 / 49
    weights = [
        _constant("kernel", kernel),
        _constant("random", rng.normal(0, np.nan if not_a_number else 1.0, (256, 512)).astype(np.float32)),
    ]
    nodes = [
        _node("Conv", ["pixels", "kernel"], "cells", strides=[7, 7]),
        _node("Flatten", ["cells"], "flat"),
        _node("ReduceMean", ["flat"], "mean", axes=[1]),
        _node("Sub", ["flat", "mean"], "centred"),
        _node("MatMul", ["centred", "random"], "embedding"),
    ]
    _save(path, nodes, (112, 112), ["embedding"], weights)
