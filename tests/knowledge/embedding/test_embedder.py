"""The embedding model without torch, against the same weights run by transformers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding.embedder import Embedder, open_embedder
from knowledge.embedding.graph import encoder_graph
from knowledge.embedding.weights import find_weights, read_tensors
from knowledge.problems import NoWeights
from tests.knowledge.bases import cache_with_model, needs_weights

pytestmark = needs_weights

TEXTS = [
    "make a beach scene with Luca and Alberto",
    "How far may the camera go?",
    "Perché il mare è così calmo?",
    "",
    "a",
    "\ud800 \x00 \u200b",
    "日本語のテキスト",
    "word " * 3000,
    "Long prose about light, and how it falls. " * 12,
]


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    """Vectors by transformers' own BertModel, one text at a time, without padding."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = str(find_weights().folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.no_grad():
        for text in TEXTS:
            plain = text.encode("utf-8", "replace").decode()
            given = tokenizer(plain, return_tensors="pt", truncation=True, max_length=256)
            mean = model(**given).last_hidden_state[0].mean(0)
            rows.append((mean / mean.norm()).numpy())
    return np.stack(rows)


def embedders() -> dict[str, Embedder]:
    from knowledge.embedding.ways import NumpyEmbedder, OnnxEmbedder

    weights = find_weights()
    return {"fp32": OnnxEmbedder(weights, "fp32"), "numpy": NumpyEmbedder(weights), "int8": OnnxEmbedder(weights)}


def test_every_way_gives_the_vectors_of_the_published_model(reference: np.ndarray) -> None:
    cosines = {name: (one.encode(TEXTS) * reference).sum(1).min() for name, one in embedders().items()}
    assert cosines["fp32"] > 0.9999
    assert cosines["numpy"] > 0.9999
    # 8 bits: nearer to the model than any two different texts here are to each other.
    assert cosines["int8"] > 0.93
    others = reference @ reference.T - 2 * np.eye(len(TEXTS))
    assert others.max() < 0.93


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    one = embedders()["fp32"]
    together = one.encode(TEXTS)
    alone = np.concatenate([one.encode([text]) for text in TEXTS])
    assert (together * alone).sum(1).min() > 0.9999
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert one.encode([]).shape == (0, 384)


def test_the_same_text_gives_the_same_bytes_again() -> None:
    one = open_embedder()
    assert one.encode(TEXTS[:3]).tobytes() == one.encode(TEXTS[:3]).tobytes()


def test_weights_with_one_byte_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_with_model(tmp_path, monkeypatch)
    good = find_weights()
    copy = tmp_path / "minilm"
    copy.mkdir()
    (copy / "tokenizer.json").write_bytes(good.tokenizer.read_bytes())
    data = bytearray(good.tensors.read_bytes())
    (copy / "model.safetensors").write_bytes(data)
    assert find_weights(copy).folder == copy, "the control: an honest copy is taken"
    data[50_000_000] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    # No other place: neither the package nor the Hub's cache.
    monkeypatch.setattr("knowledge.embedding.weights.PACKAGE", "no_such_package_here")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    with pytest.raises(NoWeights, match="studio models pull minilm"):
        find_weights(copy)


def test_no_weights_name_the_command_that_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.embedding.weights.PACKAGE", "no_such_package_here")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(NoWeights, match="studio models pull minilm"):
        open_embedder()


def test_a_kept_graph_that_was_changed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_with_model(tmp_path, monkeypatch)
    tensors = read_tensors(find_weights().tensors)
    made = encoder_graph(tensors, "fp32")
    kept = next((cache / "models").glob("*fp32*"))
    for change in (lambda data: data[: len(data) // 2], lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda _: b""):
        kept.write_bytes(change(kept.read_bytes()))
        assert encoder_graph(tensors, "fp32") == made


def test_sentence_transformers_is_named_where_it_is_asked_for_and_missing() -> None:
    try:
        import sentence_transformers  # noqa: F401
    except ImportError:
        with pytest.raises(NoWeights, match="sentence_transformers"):
            open_embedder(way="sentence_transformers")
    else:
        theirs, ours = open_embedder(way="sentence_transformers"), embedders()["fp32"]
        assert (theirs.encode(TEXTS[:3]) * ours.encode(TEXTS[:3])).sum(1).min() > 0.9999


def test_the_model_runs_without_onnxruntime() -> None:
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from knowledge.embedding.embedder import open_embedder\n"
        "one = open_embedder(); assert one.way in ('numpy', 'sentence-transformers'), one.way\n"
        "a, b, c = one.encode(['a boat at sea', 'a ship on the ocean', 'income tax'])\n"
        "assert a @ b > a @ c + 0.2, (a @ b, a @ c)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("code", "told"), [("open_embedder()", False), ("import onnxruntime as o; o.get_device()", True)]
)
def test_onnxruntime_tells_nobody_that_it_runs(code: str, told: bool, tmp_path: Path) -> None:
    """Left to itself, which is the control, it makes an id of this machine to send with what it reports."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("CI", "ORT_DISABLE_TELEMETRY", "GITHUB_ACTIONS")
    }
    environment = {**kept, "XDG_CACHE_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "none")}
    code = f"from knowledge.embedding.embedder import open_embedder; {code}"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = any("onnxruntime" in path.name for path in tmp_path.rglob("*"))
    if told and not made:
        pytest.skip("this build of ONNX Runtime reports nothing by itself")
    assert made == told
