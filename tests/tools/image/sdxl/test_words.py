"""A shot as words: everybody described, every phrase once, nobody's brackets taken for weights. Needs no torch."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.characters import load_characters
from configs.images import load_images
from tests.tools.image.sdxl.conftest import TWO, asked
from tools.errors import InvalidInput, MissingPrerequisite
from tools.image.rendering import Rendering
from tools.image.sdxl.words import Prompts, plain, write_prompts


def written(triggers: tuple[str, ...] = (), style: str = "pixar_3d", more: str = "", **shot: object) -> Prompts:
    args = asked(**shot)  # type: ignore[arg-type]
    return write_prompts(
        args.shot, args.cast, load_characters(), load_images(), style=style, triggers=triggers, more=more
    )


def test_the_prompt_holds_who_where_when_and_the_style_once() -> None:
    prompts = written(
        ("3d animation", "Smooth Shading", "boy"), people=TWO, location="beach", time_of_day="sunset", weather="fog",
        action="they talk",
    )  # fmt: skip
    for word in ("brown hair", "curly hair", "beach", "at sunset", "fog", "they talk", "cinematic lighting"):
        assert word in prompts.whole
    assert prompts.whole.lower().count("3d animation") == prompts.whole.lower().count("smooth shading") == 1
    assert prompts.negative == "2d, flat, anime, low quality, blurry, distorted"
    assert "brown hair" in prompts.people["luca"]
    assert "curly hair" not in prompts.people["luca"]
    assert "at sunset" in prompts.people["alberto"]


def test_another_style_is_not_called_flat_nor_3d() -> None:
    prompts = written(style="ink_drawing")
    assert "ink drawing" in prompts.whole
    assert "3d animation" not in prompts.whole
    assert "flat" not in prompts.negative


def test_what_was_asked_for_in_weights_is_kept() -> None:
    assert "(fog)1.4" in written(more="(fog)1.4").whole


@given(st.text(max_size=200))
def test_peoples_own_text_holds_no_weights(text: str) -> None:
    assert not re.search(r"[()\[\]{}+^]", plain(text))


def test_plain_words_stay_as_they_are() -> None:
    assert plain("a well-known boy, aged 12. He runs!") == "a well-known boy, aged 12. He runs!"
    assert plain("a (boy)1.5 runs++") == "a boy 1.5 runs"


def test_an_engine_without_its_libraries_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.image.sdxl import files
    from tools.models import libraries

    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(MissingPrerequisite, match=r"need torch\..*-m pip install .*\[models\]"):
        files.check_libraries()


def test_it_is_never_the_default_on_a_machine_without_a_gpu() -> None:
    from configs.profiles import load_profiles
    from tools.registry import Registry

    registry = Registry.load(profile=load_profiles().profiles["cpu"])
    assert registry.pick("generate_image").name == "draft"
    assert {one.name for one in registry.engines("generate_image")} >= {"sdxl", "sdxl_refined", "sdxl_lightning"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"repair": "luca"},
        {"loras": [{"weight": 1.0}]},
        {"loras": [{"name": "a", "file": "b"}]},
        {"controls": [{"kind": "depth", "start": 0.5, "end": 0.5}]},
        {"start": {"call": "a"}, "start_image": "b.png"},
        {"steps": 0},
    ],
)
def test_contradictions_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Rendering.model_validate(wrong)


def test_the_fingerprint_follows_words_and_files() -> None:
    from tools.image.sdxl.engine import SdxlImage, SdxlLightningImage

    engine = SdxlImage()
    assert engine.fingerprint(asked()) == engine.fingerprint(asked())
    assert engine.fingerprint(asked()) != engine.fingerprint(asked(rendering={"steps": 3}))
    with pytest.raises(InvalidInput, match="preset"):
        engine.fingerprint(asked(rendering={"preset": "none"}))
    with pytest.raises(MissingPrerequisite, match="sdxl_lightning"):
        SdxlLightningImage().fingerprint(asked())
