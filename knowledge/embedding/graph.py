"""The encoder as an ONNX graph: made once from the safetensors file, quantised to 8 bits, kept by its hash.

The graph begins behind the look-up of words (row sums of three tables, done in numpy on the mapped file): the table of
words is two thirds of the weights, and a request touches a dozen of its rows.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.weights import WEIGHTS_SHA256
from knowledge.user_cache import replace_file, user_cache

__all__ = ["DIM", "HEADS", "LAYERS", "Width", "encoder_graph"]

LAYERS = 6
HEADS = 12
DIM = 384
EPSILON = 1e-12
FORMAT = 1
"""Raised when the graph is built in another way: graphs of earlier versions are then not taken."""
Width = Literal["fp32", "int8"]

Tensors = dict[str, NDArray[np.float32]]


def encoder_graph(tensors: Tensors, width: Width) -> bytes:
    """The graph as ONNX: `embedded [n, s, 384]` and `mask [n, s]` in, `vectors [n, 384]` of length 1 out.

    It is kept in the user's cache with its hash in front; a file that does not match is made again.
    """
    kept = user_cache() / "models" / f"minilm-{WEIGHTS_SHA256[:12]}-{width}-{FORMAT}.onnx"
    try:
        data = kept.read_bytes()
    except OSError:
        data = b""
    if len(data) > 32 and hashlib.sha256(data[32:]).digest() == data[:32]:
        return data[32:]
    graph = build_graph(tensors)
    if width == "int8":
        graph = _quantised(graph)
    made: bytes = graph.SerializeToString(deterministic=True)
    try:
        replace_file(kept, hashlib.sha256(made).digest() + made, durable=False)
    except OSError:
        pass  # A read-only home: it is made again the next time.
    return made


def build_graph(tensors: Tensors) -> Any:
    """The encoder in plain ONNX operators, float32."""
    from onnx import TensorProto, helper

    build = _Builder(tensors)
    hidden = build.norm("embedded", "embeddings.LayerNorm")
    build.constant("one", np.float32(1.0))
    build.constant("far", np.float32(-1e9))
    build.constant("axes_12", np.array([1, 2], np.int64))
    build.constant("axis_1", np.array([1], np.int64))
    build.constant("axis_2", np.array([2], np.int64))
    build.constant("axis_last", np.array([-1], np.int64))
    hidden_mask = build.node("Unsqueeze", ["mask", "axes_12"])
    bias = build.node("Mul", [build.node("Sub", ["one", hidden_mask]), "far"])
    build.constant("split_heads", np.array([0, 0, HEADS, DIM // HEADS], np.int64))
    build.constant("join_heads", np.array([0, 0, DIM], np.int64))
    for layer in range(LAYERS):
        hidden = build.layer(f"encoder.layer.{layer}", hidden, bias)
    weight = build.node("Unsqueeze", ["mask", "axis_2"])
    total = build.node("ReduceSum", [build.node("Mul", [hidden, weight]), "axis_1"], keepdims=0)
    count = build.node("ReduceSum", ["mask", "axis_1"], keepdims=1)
    mean = build.node("Div", [total, count])
    build.node("Div", [mean, build.node("ReduceL2", [mean, "axis_last"], keepdims=1)], output="vectors")
    graph = helper.make_graph(
        build.nodes,
        "all-MiniLM-L6-v2",
        [
            helper.make_tensor_value_info("embedded", TensorProto.FLOAT, ["n", "s", DIM]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", "s"]),
        ],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", DIM])],
        build.constants,
    )
    # Versions that every ONNX Runtime of the allowed range reads: Gelu came with operator set 20.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


class _Builder:
    """Nodes and constants of a graph that is being written."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], *, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def norm(self, hidden: str, name: str) -> str:
        scale = self.constant(f"{name}.weight", self._tensors[f"{name}.weight"])
        bias = self.constant(f"{name}.bias", self._tensors[f"{name}.bias"])
        return self.node("LayerNormalization", [hidden, scale, bias], axis=-1, epsilon=EPSILON)

    def linear(self, hidden: str, name: str) -> str:
        weight = self.constant(f"{name}.weight", self._tensors[f"{name}.weight"].T)
        bias = self.constant(f"{name}.bias", self._tensors[f"{name}.bias"])
        return self.node("Add", [self.node("MatMul", [hidden, weight]), bias])

    def layer(self, name: str, hidden: str, bias: str) -> str:
        query, key, value = (self.linear(hidden, f"{name}.attention.self.{part}") for part in ("query", "key", "value"))
        query, value = (self._heads(part, [0, 2, 1, 3]) for part in (query, value))
        key = self._heads(key, [0, 2, 3, 1])
        root = self.constant(f"{name}.root", np.float32((DIM // HEADS) ** -0.5))
        scores = self.node("Add", [self.node("Mul", [self.node("MatMul", [query, key]), root]), bias])
        attended = self.node("MatMul", [self.node("Softmax", [scores], axis=-1), value])
        joined = self.node("Reshape", [self.node("Transpose", [attended], perm=[0, 2, 1, 3]), "join_heads"])
        out = self.linear(joined, f"{name}.attention.output.dense")
        hidden = self.norm(self.node("Add", [out, hidden]), f"{name}.attention.output.LayerNorm")
        inner = self.node("Gelu", [self.linear(hidden, f"{name}.intermediate.dense")])
        out = self.linear(inner, f"{name}.output.dense")
        return self.norm(self.node("Add", [out, hidden]), f"{name}.output.LayerNorm")

    def _heads(self, hidden: str, order: list[int]) -> str:
        return self.node("Transpose", [self.node("Reshape", [hidden, "split_heads"])], perm=order)


def _quantised(model: Any) -> Any:
    """Weights of the layers in 8 bits, one scale a column; what flows is quantised as it comes."""
    import logging
    import tempfile

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        # It recommends, through the root logger, what is of no use here.
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            quantize_dynamic(
                model, made, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8,
                reduce_range=False,
            )  # fmt: skip
        finally:
            logging.disable(before)
        return onnx.load(made)
