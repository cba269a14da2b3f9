"""LoRAs merged, several pictures in one call, a compiled UNet: faster, and the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.image.sdxl.conftest import TWO, Studio, asked, difference
from tools.errors import BadOutput, Cancelled, InvalidInput
from tools.model import Placing
from tools.runtime.residency.slab import Slab

Make = Callable[..., Path]


class Carried(Studio):
    """The checkpoint as a slab carries it, which alone can restore it."""

    slab: Slab
    restored = 0

    def draw(self, *args: Any, **context: Any) -> np.ndarray:
        def restore() -> None:
            self.restored += 1
            self.slab.restore()

        return super().draw(*args, **{"restores": {"sdxl_base": restore}, **context})


@pytest.fixture
def carried(tmp_path: Path, base: Path) -> Iterator[Carried]:
    from tools.image.sdxl.weights import SdxlCheckpoint

    weights = SdxlCheckpoint()
    studio = Carried(tmp_path, weights.load(str(base), Placing()))
    studio.slab = Slab(weights.modules(), "cpu")
    studio.slab.load()
    yield studio
    studio.slab.close()


def worn(*files: Path, steps: int = 6, people: Any = None, **more: Any) -> Any:
    loras = [{"file": str(file), "weight": 0.8, **more} for file in files]
    return asked(people or TWO[:1], rendering={"steps": steps, "loras": loras})


def test_merged_loras_draw_the_same_and_the_weights_come_back_to_the_bit(
    carried: Carried, studio: Studio, make_lora_file: Make
) -> None:
    one, two = make_lora_file("one", seed=4, text=True), make_lora_file("two", seed=5, kohya=True)
    before = carried.slab.checksum()
    merged = carried.draw(worn(one, two))
    assert carried.restored == 1
    assert carried.slab.checksum() == before
    assert not carried.slab.changes()
    apart = studio.draw(worn(one, two))
    assert np.abs(merged - apart).max() <= 2, "up to rounding"
    assert difference(merged, studio.draw(worn())) > 1
    assert np.array_equal(carried.draw(worn(one, two)), merged)
    carried.slab.evict()


def test_what_gains_nothing_by_it_or_is_one_persons_is_not_merged(carried: Carried, make_lora_file: Make) -> None:
    file = make_lora_file()
    carried.draw(worn(file, steps=2))
    carried.draw(worn(file, people=TWO, character="luca"))
    assert carried.restored == 0
    carried.draw(worn(file, people=TWO))
    assert carried.restored == 1


def test_after_a_stop_or_an_error_the_weights_are_what_they_were(
    carried: Carried, make_lora_file: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file, save_file

    before = carried.slab.checksum()
    file, told = make_lora_file(text=True), []
    with pytest.raises(Cancelled):
        carried.draw(
            worn(file), report=lambda _f, text: told.append(text), is_cancelled=lambda: "step 1 of 6" in told
        )  # fmt: skip
    assert carried.slab.checksum() == before

    def blank(*_: object) -> np.ndarray:
        raise BadOutput("blank")

    monkeypatch.setattr("tools.image.sdxl.draw.decode", blank)
    with pytest.raises(BadOutput):
        carried.draw(worn(file))
    monkeypatch.undo()
    broken = make_lora_file("broken", text=True)
    tensors = load_file(str(broken))
    save_file({name: one[:, :-1].contiguous() if "text_encoder_2" in name and "lora_A" in name else one
               for name, one in tensors.items()}, str(broken))  # fmt: skip
    with pytest.raises(InvalidInput, match="does not fit"):
        carried.draw(worn(broken))
    assert carried.slab.checksum() == before
    assert not carried.slab.changes()


def test_without_a_second_copy_nothing_is_merged(studio: Studio, make_lora_file: Make) -> None:
    """The twin: written into weights that cannot be restored, a LoRA would stay."""
    from tests.tools.image.sdxl.conftest import state_of

    before = state_of(studio.pipeline)
    studio.draw(worn(make_lora_file()))
    assert state_of(studio.pipeline) == before


def test_several_pictures_are_each_what_its_seed_gives_alone(studio: Studio) -> None:
    from tools.layout.png import read_png

    told: list[float] = []
    first = studio.draw(
        asked(rendering={"variants": 3, "scheduler": "euler_a"}), report=lambda fraction, _t: told.append(fraction)
    )
    assert studio.output is not None
    assert (studio.output.image, studio.output.variants) == ("still.png", ["still-2.png", "still-3.png"])
    found = [first, *(read_png(studio.out / name).astype(int) for name in studio.output.variants)]
    assert told == sorted(told)
    alone = [studio.draw(asked(rendering={"scheduler": "euler_a"}), seed=7 + number) for number in range(3)]
    assert all(np.array_equal(one, other) for one, other in zip(found, alone, strict=True))
    assert difference(found[0], found[1]) > 1
    studio.draw(asked())
    assert studio.output.variants == []


def test_several_pictures_stop_within_one_step(studio: Studio) -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        studio.draw(
            asked(rendering={"variants": 4}), report=lambda _f, text: told.append(text),
            is_cancelled=lambda: "picture 2 of 4, step 1 of 2" in told,
        )  # fmt: skip
    assert "picture 2 of 4, step 2 of 2" not in told


def compiling(studio: Studio, backend: Any) -> Any:
    from configs.images import load_images
    from tools.image.sdxl.haste import Haste

    data = load_images().model_dump(mode="json")
    data["presets"]["standard"]["compile"] = True
    studio.config("images", data)
    engine = studio.engine()
    engine._haste = Haste(backend)
    return engine


def notes(studio: Studio) -> list[str]:
    assert studio.output is not None
    return [note for note in studio.output.notes if "compiled" in note]


def test_a_compiled_unet_draws_the_same_every_time(studio: Studio, plain_picture: np.ndarray) -> None:
    calls: list[int] = []

    def backend(graph: Any, _inputs: Any) -> Any:
        calls.append(1)
        return graph.forward

    engine = compiling(studio, backend)
    picture = studio.draw(asked(), engine=engine)
    assert calls, "it was compiled"
    assert np.abs(picture - plain_picture).max() <= 1
    assert not notes(studio)
    made = len(calls)
    assert np.array_equal(studio.draw(asked(), engine=engine), picture)
    assert len(calls) == made, "once a size"
    assert "forward" not in vars(studio.pipeline.unet)


def test_what_cannot_be_compiled_is_drawn_plain_and_said(
    studio: Studio, plain_picture: np.ndarray, make_lora_file: Make
) -> None:
    tries: list[int] = []

    def backend(_graph: Any, _inputs: Any) -> Any:
        tries.append(1)
        raise RuntimeError("no compiler on this machine")

    engine = compiling(studio, backend)
    for _ in range(2):
        assert np.array_equal(studio.draw(asked(), engine=engine), plain_picture)
        assert "no compiler" in notes(studio)[0]
    assert len(tries) == 1, "not tried again"
    dressed = asked(rendering={"loras": [{"file": str(make_lora_file()), "weight": 0.5}]})
    studio.draw(dressed, engine=engine)
    assert "LoRAs" in notes(studio)[0]
