"""What is published under which name, and what is taken down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.publishing import call_of, kind_of, publish
from agent.state import Work
from tests.agent.boards import beach, shot
from tools.artifact import Artifact, artifact_key
from tools.registry import Registry
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import Provenance


@pytest.mark.parametrize(
    ("label", "call", "kind"),
    [
        ("film", "film", "video"),
        ("v2/film", "v2.film", "video"),
        ("stills/s1", "s1.still", "image"),
        ("v3/stills/s1", "v3.s1.still", "image"),
        ("voices/s1.line2", "s1.line2", "voice"),
        ("music/music1", "music1", "music"),
        ("subtitles", "subtitles", "subtitles"),
        ("subtitles.vtt", "subtitles", ""),
        ("script", "script", "script"),
    ],
)
def test_a_label_leads_back_to_its_call(label: str, call: str, kind: str) -> None:
    assert call_of(label) == call
    assert kind_of(label) == kind


def still(production: Production, name: str, notes: list[str]) -> Artifact:
    key = artifact_key(tool="generate_image", engine="draft", version="1", args={"n": name}, seed=0, inputs={})
    temp = production.store.begin(key)
    (temp / "still.png").write_bytes(b"a picture of " + name.encode())
    made = Provenance(key, "generate_image", "draft", "1", {"n": name}, 0, {})
    return production.store.commit(temp, made, {"image": "still.png", "notes": notes}, 0.1)


def state(results: dict[str, str], **more: Any) -> Any:
    board = beach(shot("s1"), shot("s2"))
    return {
        "storyboard": board,
        "outputs": ["image"],
        "work": Work(results=results),
        "assumptions": [],
        "remarks": [],
        "problems": [],
        **more,
    }


def test_stills_of_shots_that_are_no_more_are_taken_down_and_stay_in_the_store(tmp_path: Path) -> None:
    production = Production.at(tmp_path / "p", "r")
    one, two = still(production, "one", ["drawn as a beach"]), still(production, "two", ["drawn as a beach"])
    registry = Registry.load()
    files, notes = publish(production, state({"s1.still": one.key, "s2.still": two.key}), registry)
    assert set(files) == {"stills/s1", "stills/s2"}
    assert notes == ["drawn as a beach"]
    assert production.manifest().degraded == ["drawn as a beach"]
    files, _ = publish(production, state({"s1.still": two.key}), registry)
    assert set(files) == {"stills/s1"}
    assert (production.path / "stills/s1.png").read_bytes() == b"a picture of two"
    assert not (production.path / "stills/s2.png").exists()
    assert production.store.get(one.key) is not None


def test_an_older_film_stays_when_only_a_picture_was_asked_for(tmp_path: Path) -> None:
    production = Production.at(tmp_path / "p", "r")
    one = still(production, "one", [])
    publish(production, state({"s1.still": one.key}), Registry.load())
    manifest = production.manifest()
    manifest.exports["film.mp4"] = (one.key, "still.png")
    production.save_manifest(manifest)
    (production.path / "film.mp4").write_bytes(b"film")
    publish(production, state({"s1.still": one.key}), Registry.load())
    assert (production.path / "film.mp4").exists()
