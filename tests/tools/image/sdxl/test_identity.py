"""IP-Adapter, base and plus: references change the picture by their weight, and leave no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.image.sdxl.conftest import TWO, Studio, asked, difference, state_of
from tools.errors import InvalidInput, MissingPrerequisite


@pytest.fixture(scope="module", params=["base", "plus"])
def adapter(request: pytest.FixtureRequest) -> Path:
    from evals.checkpoints.sdxl import make_ip_adapter

    return built(make_ip_adapter, plus=request.param == "plus")


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    from tools.layout.png import write_png

    rng = np.random.default_rng(3)
    files = [tmp_path / f"reference{number}.png" for number in range(2)]
    for file in files:
        write_png(file, rng.integers(0, 255, (48, 48, 3), dtype=np.uint8))
    return [str(file) for file in files]


def register(studio: Studio, adapter: Path, scale: float = 0.8) -> None:
    from configs.images import load_images

    data = load_images().model_dump(mode="json")
    studio.config("images", {**data, "identity": {"about": "tiny", "file": str(adapter), "scale": scale}})


def references(*uses: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"references": [{"image": image, "character": who} for image, who in uses], **more}


def test_a_reference_changes_the_picture_by_its_weight_and_leaves_no_trace(
    studio: Studio, adapter: Path, pictures: list[str], plain_picture: np.ndarray
) -> None:
    register(studio, adapter)
    before = state_of(studio.pipeline)
    one = studio.draw(asked(control=[{"kind": "reference", "image": pictures[0]}]))
    assert difference(one, plain_picture) > 0.5
    assert np.array_equal(studio.draw(asked(rendering=references((pictures[0], "")))), one)
    assert difference(studio.draw(asked(rendering=references((pictures[1], "")))), one) > 0.1
    assert difference(studio.draw(asked(rendering=references((pictures[0], ""), identity=0.3))), one) > 0.1
    both = studio.draw(asked(rendering=references((pictures[0], ""), (pictures[1], ""))))
    assert difference(both, one) > 0.05
    assert np.array_equal(studio.draw(asked(rendering=references((pictures[0], ""), identity=0.0))), plain_picture)
    assert state_of(studio.pipeline) == before
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_each_characters_reference_shapes_its_own_part(studio: Studio, adapter: Path, pictures: list[str]) -> None:
    from tools.layout.png import read_png

    register(studio, adapter, scale=1.5)
    bare = studio.draw(asked(TWO))
    ratios = {}
    for name in ("luca", "alberto"):
        changed = np.abs(studio.draw(asked(TWO, rendering=references((pictures[0], name)))) - bare)
        assert studio.output is not None
        masks = {who: read_png(studio.out / mask)[..., 0] > 127 for who, mask in studio.output.masks.items()}
        ratios[name] = float(changed[masks["luca"]].mean() / changed[masks["alberto"]].mean())
    assert ratios["luca"] > ratios["alberto"]


def test_with_a_lora_and_a_reference_both_are_off_afterwards(
    studio: Studio, adapter: Path, pictures: list[str], plain_picture: np.ndarray, make_lora_file: Any
) -> None:
    register(studio, adapter)
    before = state_of(studio.pipeline)
    rendering = references((pictures[0], ""), loras=[{"file": str(make_lora_file()), "weight": 0.7}])
    assert difference(studio.draw(asked(rendering=rendering)), plain_picture) > 0.5
    assert state_of(studio.pipeline) == before


def test_without_an_adapter_a_reference_is_said_to_be_unused(studio: Studio, pictures: list[str]) -> None:
    studio.draw(asked(control=[{"kind": "reference", "image": pictures[0]}]))
    assert studio.output is not None
    assert any("IP-Adapter" in note for note in studio.output.notes)
    with pytest.raises(MissingPrerequisite, match="studio models pull ip_adapter_plus"):
        studio.draw(asked(rendering=references((pictures[0], ""))))


@pytest.mark.parametrize("pack", [False, True])
def test_plus_face_without_a_face_pack_says_that_whole_pictures_are_looked_at(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: bool
) -> None:
    from evals.checkpoints.faces import make_face_pack
    from evals.checkpoints.sdxl import make_ip_adapter
    from tests.tools.identity.stills import write_portrait

    there = str(built(make_face_pack)) if pack else ""
    monkeypatch.setattr("tools.identity.face_pack.placed_pack", lambda _name="arcface": there)
    plus = built(make_ip_adapter, plus=True)
    face = tmp_path / "ip-adapter-plus-face_sdxl.safetensors"
    face.symlink_to(plus)
    (tmp_path / "image_encoder").symlink_to(plus.with_name("image_encoder"))
    portrait = str(write_portrait(tmp_path / "face.png", 1))
    for adapter, silent in ((face, pack), (plus, True)):
        register(studio, adapter)
        studio.draw(asked(rendering=references((portrait, ""))))
        assert studio.output is not None
        assert any("whole reference pictures" in note for note in studio.output.notes) is not silent


def test_a_file_of_another_kind_is_refused_and_nothing_stays(
    studio: Studio, pictures: list[str], make_lora_file: Any
) -> None:
    register(studio, make_lora_file())
    before = state_of(studio.pipeline)
    with pytest.raises((InvalidInput, MissingPrerequisite), match=r"LoRA|image encoder"):
        studio.draw(asked(rendering=references((pictures[0], ""))))
    assert state_of(studio.pipeline) == before
