"""The whole way: a still, its faces compared in a worker by the pack that was registered, and the judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.models import load_models
from tests.tools.identity.stills import write_portrait
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import MissingPrerequisite
from tools.identity.tool import CompareFaces
from tools.models.shelf import Shelf
from tools.registry import Registry
from tools.review.tool import ReviewArtifact
from tools.runtime.executor import Executor
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

STILL = {
    "shot": {"id": "s1", "framing": "medium", "placements": [{"character": "luca", "x": 0.5, "depth": 0.0}]},
    "cast": [{"id": "luca", "name": "Luca", "known": True}], "width": 320, "height": 180, "maps": [],
}  # fmt: skip
REF = {"call": "s1.still", "key": ""}


def test_a_draft_has_no_face_and_the_judge_says_so(
    tmp_path: Path, pack_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, portrait = tmp_path / "models", write_portrait(tmp_path / "luca.png", 1)
    # The keys of results are told in the studio's own process, which looks where its settings say.
    monkeypatch.setenv("STUDIO_MODELS_FOLDER", str(home))
    registry = Registry.load()
    calls = [
        Call(id="s1.still", tool="generate_image", engine="draft", seed=3, args=STILL),
        Call(
            id="s1.faces", tool="compare_faces",
            args={"pictures": [REF], "references": [{"character": "luca", "image": str(portrait)}]},
        ),
        Call(
            id="s1.still.review", tool="review_artifact",
            args={"kind": "image", "subject": REF, "shot": STILL["shot"], "cast": STILL["cast"],
                  "faces": {"call": "s1.faces", "key": ""}},
        ),
    ]  # fmt: skip
    pool = WorkerPool(1, registry.stacks, models_home=home)
    try:
        executor = Executor(registry, ArtifactStore(tmp_path / "store"), pool)
        missing = executor.run(calls)["s1.faces"]
        assert isinstance(missing, MissingPrerequisite), missing
        assert "studio models path arcface" in str(missing)
        Shelf(home, load_models()).register("arcface", pack_folder)
        results = executor.run(calls)
    finally:
        pool.close()
    faces, review = results["s1.faces"], results["s1.still.review"]
    assert isinstance(faces, Artifact), faces
    assert isinstance(review, Artifact), review
    assert CompareFaces.Output.model_validate(faces.output).pictures[0].faces["luca"].status == "no_face"
    checks = {one.name: one for one in ReviewArtifact.Output.model_validate(review.output).checks}
    assert checks["identity.luca"].status == "not_run"
    assert "no face found" in checks["identity.luca"].detail
