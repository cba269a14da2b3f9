"""The documents: they parse, say what they are about, and agree with the settings they quote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from configs.characters import load_characters
from knowledge.documents_folder import Document, DocumentsFolder

ROOT = Path(__file__).parents[2]
DOCUMENTS = DocumentsFolder().documents
BY_ID = {document.id: document for document in DOCUMENTS}


def _yaml(path: str) -> dict[str, object]:
    data: dict[str, object] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return data


def _known() -> set[str]:
    places = {path.stem for path in (ROOT / "tools/layout/packs/places").glob("*.yaml")}
    loras, styles = _yaml("configs/loras.yaml")["loras"], _yaml("configs/images.yaml")["styles"]
    assert isinstance(loras, dict)
    assert isinstance(styles, dict)
    return {*load_characters(), *places, *loras, *styles}


def _text(name: str) -> str:
    return " ".join(" ".join(text for _, text in BY_ID[name].sections).split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.id)
def test_each_says_what_it_is_about_and_enough_of_it(document: Document) -> None:
    assert set(document.about) <= _known()
    assert document.kind in ("guide", "film") or document.about
    assert 100 <= sum(len(text.split()) for _, text in document.sections) <= 600
    assert len(document.sections) >= 4
    assert all(heading and len(text.split()) <= 150 for heading, text in document.sections)
    assert document.words


def test_there_are_no_two_alike() -> None:
    assert len(DOCUMENTS) >= 35
    assert len({document.title for document in DOCUMENTS}) == len(DOCUMENTS)
    texts = [text for document in DOCUMENTS if document.id != "staging" for _, text in document.sections]
    assert len(set(texts)) == len(texts)


def test_every_character_and_place_has_one() -> None:
    about = {name for document in DOCUMENTS for name in document.about}
    places = {path.stem for path in (ROOT / "tools/layout/packs/places").glob("*.yaml")}
    assert {*load_characters(), *places, "pixar_3d", "portorosso"} <= about


@pytest.mark.parametrize("name", ["luca", "alberto", "giulia"])
def test_numbers_of_the_cast_are_those_of_the_settings(name: str) -> None:
    sheets = {one["id"]: one for one in _yaml("configs/characters.yaml")["characters"]}  # type: ignore[attr-defined]
    voice = _yaml("configs/voices.yaml")["voices"][name]  # type: ignore[index]
    text = _text(name)
    assert f"weight {sheets[name]['lora']['weight']:.2f}" in text
    assert f"{sheets[name]['identity_threshold']:.2f}" in text
    assert f"{voice['pitch']} Hz" in text
    assert f"{voice['rate']} words a minute" in text


def test_numbers_of_the_guides_are_those_of_the_settings() -> None:
    nets = _yaml("configs/controlnets.yaml")["controlnets"]
    for kind in ("openpose", "depth", "canny"):
        assert f"{kind} {nets[kind]['strength']}" in _text("controlnet_strengths")  # type: ignore[index]
    for name, preset in _yaml("configs/images.yaml")["presets"].items():  # type: ignore[attr-defined]
        assert re.search(rf"{name} {preset['steps']} steps", _text("steps_and_presets")), name
    loras = _yaml("configs/loras.yaml")["loras"]
    for name in ("luca", "alberto", "portorosso", "pixar_3d", "lightning"):
        assert f"{name} {loras[name]['weight']}" in _text("lora_weights")  # type: ignore[index]
    emotions = _yaml("configs/voice_engines.yaml")["gpt_sovits"]["emotions"]  # type: ignore[index]
    for emotion in ("neutral", "happy", "sad", "excited"):
        assert f"{emotion} {emotions[emotion]['temperature']}" in _text("gpt_sovits")
