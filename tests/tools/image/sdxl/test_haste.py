"""LoRAs merged, several pictures in one call, a compiled UNet: faster, and the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.tools.image.sdxl.conftest import ONE, TWO, Studio, asked, difference
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
def carried(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carried]:
    from tools.image.sdxl import draw
    from tools.image.sdxl.weights import SdxlCheckpoint

    weights = SdxlCheckpoint()
    # Two steps are worth it here: more of them show nothing more.
    monkeypatch.setattr(draw, "_MERGE_FROM_STEPS", 2)
    (tmp_path / "carried").mkdir()
    studio = Carried(tmp_path / "carried", weights.load(str(base), Placing()))
    studio.slab = Slab(weights.modules(), "cpu")
    studio.slab.load()
    yield studio
    studio.slab.close()


def worn(*files: Path, steps: int = 2, people: Any = None, **more: Any) -> Any:
    loras = [{"file": str(file), "weight": 0.8, **more} for file in files]
    return asked(people or ONE, rendering={"steps": steps, "loras": loras})


def test_merged_loras_compute_the_same_and_the_weights_come_back_to_the_bit(
    carried: Carried, make_lora_file: Make
) -> None:
    import torch

    from tools.image.sdxl.encode import encode
    from tools.image.sdxl.lora import Adapter, attached

    pipeline, before = carried.pipeline, carried.slab.checksum()
    files = {"one": make_lora_file("one", seed=4, text=True), "two": make_lora_file("two", seed=5, kohya=True)}
    worn = [Adapter(name, file, 0.2) for name, file in files.items()]

    def computed() -> list[Any]:
        torch.manual_seed(0)
        words = encode(pipeline, ["a boy"], "cpu", torch.float32)[0]
        added = {"text_embeds": words.pooled, "time_ids": torch.ones(1, 6)}
        noise = pipeline.unet(
            torch.randn(1, 4, 8, 8), torch.tensor(5.0), encoder_hidden_states=words.embeds, added_cond_kwargs=added
        ).sample
        return [words.embeds, noise]

    with torch.no_grad():
        plain = computed()
        with attached(pipeline, worn, torch.float32, "cpu") as wardrobe:
            assert wardrobe is not None
            wardrobe.wear((("one", 0.2), ("two", 0.2)))
            apart = computed()
        with attached(pipeline, worn, torch.float32, "cpu", carried.slab.restore):
            merged = computed()
    for one, other, bare in zip(merged, apart, plain, strict=True):
        effect = float((other - bare).abs().mean())
        assert effect > 0.05
        assert float((one - other).abs().mean()) < 0.01 * effect
    assert carried.slab.checksum() == before
    assert not carried.slab.changes()


def test_a_picture_with_merged_loras_is_the_same_again(carried: Carried, make_lora_file: Make) -> None:
    before, file = carried.slab.checksum(), make_lora_file(text=True)
    merged = carried.draw(worn(file))
    assert carried.restored == 1
    assert difference(merged, carried.draw(worn())) > 1
    assert np.array_equal(carried.draw(worn(file)), merged)
    assert carried.slab.checksum() == before
    carried.slab.evict()


def test_what_gains_nothing_by_it_or_is_one_persons_is_not_merged(carried: Carried, make_lora_file: Make) -> None:
    file = make_lora_file()
    carried.draw(worn(file, steps=1))
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
            worn(file), report=lambda _f, text: told.append(text), is_cancelled=lambda: "step 1 of 2" in told
        )  # fmt: skip
    assert carried.slab.checksum() == before

    def blank(*_: object) -> np.ndarray:
        raise BadOutput("blank")

    with monkeypatch.context() as patched:
        patched.setattr("tools.image.sdxl.draw.decode", blank)
        with pytest.raises(BadOutput):
            carried.draw(worn(file))
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


class Net:
    """What `Haste` knows of a UNet, small enough to be compiled here."""

    def __new__(cls) -> Any:
        import torch

        class Small(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
            def __init__(self) -> None:
                super().__init__()
                self.layer = torch.nn.Linear(4, 4)

            def forward(self, sample: Any, time: Any, *, encoder_hidden_states: Any) -> Any:
                return torch.tanh(self.layer(sample) * time) + encoder_hidden_states.sum()

        torch.manual_seed(1)
        return Small().requires_grad_(False)


def passes(haste: Any, net: Any, width: int = 2) -> Any:
    import torch

    plan = SimpleNamespace(preset=SimpleNamespace(compile=True), references={})
    with haste.of(net)(plan):
        return net(torch.ones(width, 4), torch.tensor(2.0), encoder_hidden_states=torch.ones(1, 3, 5))


def test_a_net_is_compiled_once_a_size_and_computes_the_same_every_time() -> None:
    import torch

    from tools.image.sdxl.haste import Haste

    graphs: list[Any] = []

    def backend(graph: Any, _inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    net, haste = Net(), Haste(backend)
    plain = net(torch.ones(2, 4), torch.tensor(2.0), encoder_hidden_states=torch.ones(1, 3, 5))
    assert torch.allclose(passes(haste, net), plain)
    assert torch.equal(passes(haste, net), passes(haste, net))
    assert len(graphs) == 1
    passes(haste, net, width=3)
    assert len(graphs) == 2
    assert not haste.note
    assert "forward" not in vars(net), "outside of a call it is plain"


def test_a_size_that_cannot_be_compiled_is_computed_plain_for_good_and_said() -> None:
    import torch

    from tools.image.sdxl.haste import Haste

    tries: list[int] = []

    def backend(_graph: Any, _inputs: Any) -> Any:
        tries.append(1)
        raise RuntimeError("no compiler on this machine")

    net, haste = Net(), Haste(backend)
    plain = net(torch.ones(2, 4), torch.tensor(2.0), encoder_hidden_states=torch.ones(1, 3, 5))
    for _ in range(2):
        assert torch.equal(passes(haste, net), plain)
        assert "no compiler on this machine" in haste.note
    assert len(tries) == 1, "not tried again"


def test_what_the_net_itself_raises_is_not_swallowed() -> None:
    import torch

    from tools.image.sdxl.haste import Haste

    net = Net()

    def full(*_: Any, **__: Any) -> Any:
        raise MemoryError("the device is full")

    net.layer.forward = full
    with pytest.raises(Exception, match="the device is full"):
        passes(Haste(lambda graph, _inputs: graph.forward), net)
    assert not torch.is_grad_enabled() or "forward" not in vars(net)


def test_a_preset_asks_for_it_and_what_stands_against_it_is_noted(
    studio: Studio, plain_picture: np.ndarray, make_lora_file: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from configs.images import load_images

    data = load_images().model_dump(mode="json")
    data["presets"]["standard"]["compile"] = True
    studio.config("images", data)
    asked_for: list[dict[str, Any]] = []
    monkeypatch.setattr(torch, "compile", lambda plain, **options: asked_for.append(options) or plain)
    assert np.array_equal(studio.draw(asked()), plain_picture)
    assert [one["fullgraph"] for one in asked_for] == [True]
    studio.draw(asked(rendering={"loras": [{"file": str(make_lora_file()), "weight": 0.5}]}))
    assert studio.output is not None
    assert any("not compiled: LoRAs" in note for note in studio.output.notes)
    assert len(asked_for) == 1
