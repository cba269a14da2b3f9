"""LoRA: several with weights, in kohya's and diffusers' names; off again without a trace, whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.image.sdxl.conftest import TWO, Studio, asked, difference, state_of
from tools.errors import BadOutput, Cancelled, InvalidInput, MissingPrerequisite

Make = Callable[..., Path]


def wearing(*files: tuple[Path, float], **more: Any) -> dict[str, Any]:
    return {"loras": [{"file": str(file), "weight": weight, **more} for file, weight in files]}


def modules_of(pipeline: Any) -> list[str]:
    return [f"{name} {type(module).__name__}" for name, module in pipeline.unet.named_modules()]


@pytest.mark.parametrize("options", [{}, {"kohya": True}, {"text": True}, {"kohya": True, "text": True}], ids=str)
def test_both_formats_change_the_picture_by_their_weight_and_leave_no_trace(
    studio: Studio, plain_picture: np.ndarray, make_lora_file: Make, options: dict[str, bool]
) -> None:
    file = make_lora_file(**options)
    before, modules = state_of(studio.pipeline), modules_of(studio.pipeline)
    strong = studio.draw(asked(rendering=wearing((file, 1.0))))
    weak = studio.draw(asked(rendering=wearing((file, 0.3))))
    assert difference(strong, plain_picture) > 1
    assert difference(weak, strong) > 0.5
    assert state_of(studio.pipeline) == before
    assert modules_of(studio.pipeline) == modules
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_kohyas_and_diffusers_names_of_the_same_weights_are_the_same_lora(studio: Studio, make_lora_file: Make) -> None:
    one, other = make_lora_file("a"), make_lora_file("b", kohya=True)
    pictures = [studio.draw(asked(rendering=wearing((file, 0.8)))) for file in (one, other)]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_weight_zero_changes_nothing(studio: Studio, plain_picture: np.ndarray, make_lora_file: Make) -> None:
    assert np.array_equal(studio.draw(asked(rendering=wearing((make_lora_file(), 0.0)))), plain_picture)


def test_two_at_once_each_with_its_weight(studio: Studio, make_lora_file: Make) -> None:
    one, two = make_lora_file("one", seed=4), make_lora_file("two", seed=5)
    one, two = one.rename(one.with_name("one.safetensors")), two.rename(two.with_name("two.safetensors"))
    both = studio.draw(asked(rendering=wearing((one, 0.5), (two, 0.5))))
    assert difference(both, studio.draw(asked(rendering=wearing((one, 0.5))))) > 0.5
    assert difference(both, studio.draw(asked(rendering=wearing((two, 0.5))))) > 0.5
    assert difference(both, studio.draw(asked(rendering=wearing((one, 0.5), (two, 1.0))))) > 0.5
    with pytest.raises(InvalidInput, match="twice"):
        studio.draw(asked(rendering=wearing((one, 0.5), (one, 0.7))))


def test_registered_ones_are_worn_by_whom_the_shot_shows_and_their_words_come_once(
    studio: Studio, plain_picture: np.ndarray, make_lora_file: Make
) -> None:
    from tools.image.sdxl.plan import make_plan

    file = make_lora_file()
    entry = {"about": "soft", "kind": "style", "file": str(file), "weight": 0.7, "when": ["pixar_3d"]}
    studio.config("loras", {"loras": {"soft": {**entry, "trigger": ["3d animation", "soft clay"]}}})
    plan = make_plan(asked(), paths=studio.paths)
    assert [(one.name, one.weight) for one in plan.adapters] == [("soft", 0.7)]
    assert plan.prompts.whole.count("3d animation") == plan.prompts.whole.count("soft clay") == 1
    assert difference(studio.draw(asked()), plain_picture) > 1
    assert studio.output is not None
    assert list(studio.output.loras) == ["soft"]
    assert studio.output.loras["soft"].startswith("0.7, file ")
    assert not make_plan(asked(style="ink"), paths=studio.paths).adapters


def test_after_an_error_or_a_stop_it_is_off(
    studio: Studio, plain_picture: np.ndarray, make_lora_file: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of(studio.pipeline)
    rendering = wearing((make_lora_file(text=True), 1.0))
    told: list[str] = []
    with pytest.raises(Cancelled):
        studio.draw(
            asked(rendering=rendering), report=lambda _f, text: told.append(text),
            is_cancelled=lambda: "step 1 of 2" in told,
        )  # fmt: skip
    assert state_of(studio.pipeline) == before
    monkeypatch.setattr("tools.image.sdxl.draw.decode", _blank)
    with pytest.raises(BadOutput):
        studio.draw(asked(rendering=rendering))
    monkeypatch.undo()
    assert state_of(studio.pipeline) == before
    assert np.array_equal(studio.draw(asked()), plain_picture)


def _blank(*_: object) -> np.ndarray:
    raise BadOutput("blank")


def _wrong_shape(file: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(str(file))
    save_file(
        {name: tensor[:, :-1].contiguous() if "lora_A" in name else tensor for name, tensor in tensors.items()}, file
    )


def _wrong_shape_in_text(file: Path) -> None:
    """Fails only after its part of the UNet is attached."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(str(file))
    save_file(
        {name: tensor[:, :-1].contiguous() if "text_encoder_2" in name and "lora_A" in name else tensor
         for name, tensor in tensors.items()}, file,
    )  # fmt: skip


def _pickled(file: Path) -> None:
    import torch

    torch.save({"weight": torch.zeros(4)}, file)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _no_lora(file: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"conv.weight": torch.zeros(4, 4)}, file)


@pytest.mark.parametrize("harm", [_wrong_shape, _wrong_shape_in_text, _pickled, _cut, _no_lora])
def test_a_file_that_does_not_fit_is_named_and_nothing_of_it_stays(
    studio: Studio, make_lora_file: Make, plain_picture: np.ndarray, harm: Callable[[Path], None]
) -> None:
    file = make_lora_file(text=True)
    harm(file)
    before = state_of(studio.pipeline)
    with pytest.raises(InvalidInput, match=r"pytorch_lora_weights\.safetensors"):
        studio.draw(asked(rendering=wearing((file, 1.0))))
    assert state_of(studio.pipeline) == before
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_one_that_is_not_there_is_said(studio: Studio) -> None:
    with pytest.raises(MissingPrerequisite, match="nowhere"):
        studio.draw(asked(rendering=wearing((Path("/nowhere/x.safetensors"), 1.0))))
    with pytest.raises(InvalidInput, match="portorosso"):
        studio.draw(asked(rendering={"loras": [{"name": "portorosa"}]}))


def test_two_peoples_loras_shape_each_its_own_part(studio: Studio, make_lora_file: Make) -> None:
    """The part of the picture that shows the wearer changes more than the one that shows the other."""
    from tools.layout.png import read_png

    file = make_lora_file()
    bare = studio.draw(asked(TWO))
    changes = {}
    for name in ("luca", "alberto"):
        worn = studio.draw(asked(TWO, rendering=wearing((file, 1.0), character=name)))
        assert studio.output is not None
        masks = {who: read_png(studio.out / mask)[..., 0] > 127 for who, mask in studio.output.masks.items()}
        changes[name] = {who: float(np.abs(worn - bare)[mask].mean()) for who, mask in masks.items()}
    assert changes["luca"]["luca"] / changes["luca"]["alberto"] > 1.2 * (
        changes["alberto"]["luca"] / changes["alberto"]["alberto"]
    )


@pytest.mark.parametrize(
    ("width", "model"), [(768, "Stable Diffusion 1.5"), (1024, "Stable Diffusion 2"), (1280, "SDXL refiner")]
)
@pytest.mark.parametrize("kohya", [True, False], ids=["kohya", "diffusers"])
def test_one_for_another_model_is_refused_before_anything_of_it_is_read(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, model: str, kohya: bool
) -> None:
    from evals.checkpoints.common import write_shapes

    block = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    name = f"lora_unet_{block}".replace(".", "_") if kohya else f"unet.{block}"
    down, up = (".lora_down.weight", ".lora_up.weight") if kohya else (".lora_A.weight", ".lora_B.weight")
    file = write_shapes(tmp_path / "elsewhere.safetensors", {name + down: (4, width), name + up: (320, 4)})
    monkeypatch.setattr(studio.pipeline, "load_lora_weights", lambda *_, **__: pytest.fail("it was read"))
    before = state_of(studio.pipeline)
    with pytest.raises(InvalidInput, match=rf"elsewhere\.safetensors.*{model}"):
        studio.draw(asked(rendering=wearing((file, 1.0))))
    assert state_of(studio.pipeline) == before


def test_a_header_that_claims_too_much_is_refused_by_its_file(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "bomb.safetensors"
    file.write_bytes((2**40 - 1).to_bytes(8, "little") + b"{" + bytes(2000))
    with pytest.raises(InvalidInput, match=r"bomb\.safetensors"):
        studio.draw(asked(rendering=wearing((file, 1.0))))
    file.write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"bomb\.safetensors.*empty"):
        studio.draw(asked(rendering=wearing((file, 1.0))))
