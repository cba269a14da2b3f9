"""Recorded passes draw what plain ones draw, to the bit; what they depend on besides their inputs is never mixed up.

There is no card: in the place of a CUDA graph stands one traced by torch, which does not run Python again either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from tools.image.sdxl.denoise import Look, Part, Request, denoise  # noqa: E402
from tools.image.sdxl.encode import Words  # noqa: E402
from tools.image.sdxl.recorded import Recorded, replayed  # noqa: E402
from tools.image.sdxl.schedulers import make_scheduler  # noqa: E402


class Traced:
    """A computation as a graph of operations over the very tensors that it was traced with."""

    made = 0

    def __init__(self, compute: Callable[[], Any]) -> None:
        from torch.fx.experimental.proxy_tensor import make_fx

        type(self).made += 1
        self._graph = make_fx(compute)()

    def replay(self) -> Any:
        return self._graph()


class Scaled(torch.nn.Module):  # type: ignore[name-defined, misc]
    """A network whose passes depend on a number of Python's, as a UNet's do on the weights of a LoRA."""

    factor = 1.0

    def forward(self, sample: Any, time: Any, **_: Any) -> tuple[Any]:
        return (sample * self.factor + time,)


def words(value: float) -> Words:
    return Words(torch.full((1, 77, 192), value), torch.full((1, 128), value))


def request(unet: Any, config: Any, parts: list[Part], **more: Any) -> Request:
    scheduler = make_scheduler("dpmpp_2m", config)
    scheduler.set_timesteps(10)
    return Request(
        unet=unet, scheduler=scheduler, timesteps=scheduler.timesteps, parts=parts, negative=words(0.1), guidance=5.0,
        time_ids=torch.tensor([[64.0, 64, 0, 0, 64, 64]]), generator=None, progress=lambda _fraction, _text: None,
        **more,
    )  # fmt: skip


def noise() -> Any:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))


def test_a_recorded_picture_is_the_plain_one_to_the_bit(pipeline: Any) -> None:
    Traced.made = 0
    with torch.no_grad():
        plain = denoise(noise(), request(pipeline.unet, pipeline.scheduler.config, [Part(words(0.5))]))
        asked = request(pipeline.unet, pipeline.scheduler.config, [Part(words(0.5))])
        with replayed(asked, Traced) as ready:
            drawn = denoise(noise(), ready)
    assert torch.equal(plain, drawn)
    assert Traced.made == 1


class Closet:
    """Switches looks on as LoRAs are: by a number that the network reads."""

    def __init__(self, net: Scaled) -> None:
        self.net = net

    @contextmanager
    def wear(self, look: Look) -> Iterator[None]:
        self.net.factor = look.identity
        yield


def two_looks(config: Any) -> Request:
    net = Scaled()
    half = torch.full((1, 1, 8, 8), 0.5)
    parts = [Part(words(0.5), half, Look(identity=0.3)), Part(words(0.7), half, Look(identity=0.9))]
    return request(net, config, parts, wear=Closet(net).wear)


def test_each_look_is_recorded_for_itself(pipeline: Any) -> None:
    Traced.made = 0
    config = pipeline.scheduler.config
    with replayed(two_looks(config), Traced) as ready:
        drawn = denoise(noise(), ready)
    assert torch.equal(denoise(noise(), two_looks(config)), drawn)
    assert Traced.made == 2


def test_looks_that_are_not_told_apart_draw_another_picture(pipeline: Any) -> None:
    """The broken twin: what Python switches is not part of what is recorded."""
    config = pipeline.scheduler.config
    asked = two_looks(config)
    from dataclasses import replace

    mixed = denoise(noise(), replace(asked, unet=Recorded(asked.unet, lambda: 0, Traced)))
    assert not torch.equal(denoise(noise(), two_looks(config)), mixed)


def test_other_sizes_are_recorded_anew_and_results_are_not_overwritten() -> None:
    net = Scaled()
    recorded = Recorded(net, lambda: 0, Traced)
    time = torch.tensor(2.0)
    first = [recorded(torch.full((size,), 1.0), time)[0] for size in (2, 3, 2, 3, 2, 3)]
    kept = recorded(torch.full((2,), 5.0), time)[0]
    recorded(torch.full((2,), 9.0), time)
    assert [one.tolist() for one in first[4:]] == [[3.0, 3.0], [3.0, 3.0, 3.0]]
    assert kept.tolist() == [7.0, 7.0]
    recorded.close()
    assert recorded(torch.full((2,), 1.0), time)[0].tolist() == [3.0, 3.0]


def test_it_is_not_done_unasked_nor_for_few_steps(pipeline: Any) -> None:
    from dataclasses import replace

    asked = request(pipeline.unet, pipeline.scheduler.config, [Part(words(0.5))])
    with replayed(asked, Traced, when=False) as ready:
        assert ready is asked
    short = replace(asked, timesteps=asked.timesteps[:4])
    with replayed(short, Traced) as ready:
        assert ready is short


def test_what_cannot_be_recorded_is_computed_and_the_reason_kept() -> None:
    def refuse(_compute: Callable[[], Any]) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    recorded = Recorded(Scaled(), lambda: 0, refuse)
    for _ in range(4):
        assert recorded(torch.ones(2), torch.tensor(1.0))[0].tolist() == [2.0, 2.0]
    assert recorded.note == "operation not permitted when stream is capturing"
    assert recorded.factor == 1.0, "what is asked of it besides is the network's own"


def test_a_picture_whose_passes_were_not_recorded_says_so(pipeline: Any) -> None:
    def refuse(_compute: Callable[[], Any]) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    for record, wanted in ((refuse, 1), (Traced, 0)):
        told: list[str] = []
        asked = two_looks(pipeline.scheduler.config)
        with replayed(asked, record, note=told.append) as ready:
            denoise(noise(), ready)
        assert len(told) == wanted
        assert all("not recorded for replay: operation not permitted when stream is capturing." in one for one in told)
