"""A slab moves whole models without changing a bit of them. Runs on the CPU wherever torch is installed."""

from __future__ import annotations

import gc
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="slabs move torch modules; torch is installed with the extra `models`")

from tools.errors import EngineFailed, InvalidInput, OutOfMemory  # noqa: E402
from tools.runtime.residency import host_memory  # noqa: E402
from tools.runtime.residency.slab import Slab  # noqa: E402

nn = torch.nn


class Small(nn.Module):  # type: ignore[misc, name-defined]
    """Mixed types, a tied weight, buffers kept and not, a view as a buffer, odd sizes, channels-last, an empty one."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 5)
        self.head = nn.Linear(5, 7, bias=False)
        self.head.weight = self.embed.weight
        self.thin = nn.Linear(5, 3).half()
        self.conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        self.register_buffer("kept", torch.arange(9, dtype=torch.int64))
        self.register_buffer("passing", torch.rand(3, dtype=torch.float64), persistent=False)
        self.register_buffer("ids", torch.arange(6).expand((1, -1)))
        self.register_buffer("spread", torch.rand(4, 1).expand(4, 3))
        self.register_buffer("flag", torch.tensor(True))
        self.register_buffer("nothing", torch.empty(0, 4))
        self.fused = nn.Parameter(torch.rand(6, 4), requires_grad=False)
        self.upper = nn.Parameter(self.fused.data[:3], requires_grad=False)
        self.turned = nn.Parameter(self.fused.data.t(), requires_grad=False)

    def forward(self, index: Any) -> Any:
        seen = self.head(self.embed(index)).sum() + self.conv(torch.ones(1, 3, 4, 4)).sum()
        return seen + self.thin.weight.float().sum() + (self.upper @ self.turned).sum() + self.passing.sum()


def model(seed: int = 0) -> Small:
    torch.manual_seed(seed)
    made = Small()
    made.eval()
    return made


def content(module: Any) -> dict[str, Any]:
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return {name: (tensor.dtype, tuple(tensor.stride()), tensor.detach().clone()) for name, tensor in named}


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, (dtype, stride, tensor) in one.items():
        assert (dtype, stride) == other[name][:2], name
        assert torch.equal(tensor, other[name][2]), name


def test_a_model_is_the_same_packed_loaded_and_evicted() -> None:
    small = model()
    before, index = content(small), torch.tensor([1, 2])
    with torch.no_grad():
        said = small(index)
        identities = {name: id(tensor) for name, tensor in small.named_parameters()}
        slab = Slab({"small": small}, "cpu")
        assert_same(before, content(small))
        for number in range(3):
            slab.load()
            assert slab.is_resident
            assert slab.generation == number + 1
            assert_same(before, content(small))
            assert torch.equal(small(index), said)
            slab.evict()
            assert not slab.is_resident
            assert_same(before, content(small))
    assert {name: id(tensor) for name, tensor in small.named_parameters()} == identities, "references stay good"


def test_what_shared_memory_still_does_and_the_slab_is_no_larger_than_the_weights() -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    slab.load()
    assert small.head.weight is small.embed.weight
    assert small.upper.untyped_storage().data_ptr() == small.fused.untyped_storage().data_ptr()
    assert small.upper.data_ptr() == small.fused.data_ptr() == small.turned.data_ptr()
    storages = {t.untyped_storage().data_ptr() for t in [*small.parameters(), *small.buffers()] if t.numel()}
    assert len(storages) == 1, "everything lies in one slab"
    one_by_one = sum(t.numel() * t.element_size() for t in [*small.parameters(), *small.buffers()])
    assert slab.nbytes < one_by_one + 14 * 256


def test_several_modules_are_one_slab_and_may_share_weights() -> None:
    one, two = model(1), nn.Sequential(nn.Linear(4, 4))
    two[0].weight = nn.Parameter(one.fused.data[:4], requires_grad=False)
    before = content(one), content(two)
    slab = Slab({"one": one, "two": two}, "cpu")
    slab.load()
    assert_same(before[0], content(one))
    assert_same(before[1], content(two))
    assert two[0].weight.data_ptr() == one.fused.data_ptr()


def test_slices_of_one_large_storage_bring_along_only_themselves() -> None:
    file = torch.rand(100_000)
    tall = nn.Module()
    tall.a = nn.Parameter(file[10:20])
    tall.b = nn.Parameter(file[50_000:50_100])
    before = content(tall)
    slab = Slab({"tall": tall}, "cpu")
    assert slab.nbytes < 2000
    slab.load()
    assert_same(before, content(tall))


def test_the_old_memory_is_let_go_while_packing() -> None:
    from torch.multiprocessing.reductions import StorageWeakRef

    plain = nn.Sequential(*[nn.Linear(64, 64) for _ in range(4)])
    old = [StorageWeakRef(weight.untyped_storage()) for weight in plain.parameters()]
    Slab({"plain": plain}, "cpu")
    gc.collect()
    assert all(reference.expired() for reference in old)


def test_the_checksum_sees_one_changed_bit_and_not_the_place() -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    in_host = slab.checksum()
    slab.load()
    assert slab.checksum() == in_host
    small.kept.data[0] += 1
    assert slab.checksum() == in_host + 1


def test_eviction_never_copies_back() -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    kept = slab._host.tensor.clone()
    slab.load()
    small.kept.fill_(7)
    slab.evict()
    assert torch.equal(slab._host.tensor, kept), "a buffer written to is as it was packed"


def test_what_was_changed_is_not_lost_in_silence() -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    slab.load()
    with torch.no_grad():
        small.thin.weight.add_(1.0)
    with pytest.raises(InvalidInput, match=r"small\.thin\.weight: changed since it was packed \(1 tensors\).*refresh"):
        slab.evict()
    assert slab.is_resident
    changed = small.thin.weight.detach().clone()
    slab.refresh()
    slab.evict()
    slab.load()
    assert torch.equal(small.thin.weight, changed)


@pytest.mark.parametrize("resident", [True, False])
def test_refresh_takes_in_what_a_lora_adds_takes_out_or_replaces(resident: bool) -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    if resident:
        slab.load()
    small.lora = nn.Linear(5, 2)
    del small.conv
    small.thin.weight = nn.Parameter(torch.rand(3, 5))
    expected = content(small)
    assert {"small.lora.weight", "small.conv.bias", "small.thin.weight"} <= set(slab.changes())
    slab.refresh()
    assert slab.changes() == []
    assert slab.is_resident == resident
    assert_same(expected, content(small))
    slab.load()
    slab.evict()
    assert_same(expected, content(small))


def test_an_eviction_can_take_changes_along() -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    slab.load()
    with torch.no_grad():
        small.thin.weight.add_(1.0)
    written = content(small)
    slab.evict(keep_changes=True)
    assert not slab.is_resident
    assert_same(written, content(small))
    slab.load()
    small.lora = nn.Linear(5, 2)
    small.thin.weight = nn.Parameter(torch.rand(3, 5))
    grown = content(small)
    slab.evict(keep_changes=True)
    assert (slab.is_resident, slab.changes()) == (False, [])
    assert_same(grown, content(small))
    slab.load()
    assert_same(grown, content(small))
    slab.evict()


def test_who_holds_on_to_weights_is_found_out() -> None:
    small = model()
    slab = Slab({"small": small}, "cpu")
    slab.load()
    cached = small.thin.weight.data.t()
    with pytest.raises(EngineFailed, match="something outside the model holds them"):
        slab.evict()
    del cached
    slab.load()
    circle: list[Any] = [small.thin.weight.data]
    circle.append(circle)
    del circle
    slab.evict()


class Scaled(torch.Tensor):  # type: ignore[misc, name-defined]
    """As torchao's quantised weights: whole numbers and a scale in the shape of a tensor."""

    @staticmethod
    def __new__(cls, data: Any, scale: Any) -> Any:
        return torch.Tensor._make_wrapper_subclass(cls, data.shape, dtype=scale.dtype, device=data.device)

    def __init__(self, data: Any, scale: Any) -> None:
        self.data_part, self.scale_part = data, scale

    def __tensor_flatten__(self) -> tuple[list[str], dict[str, int]]:
        return ["data_part", "scale_part"], {"bits": 8}

    @staticmethod
    def __tensor_unflatten__(parts: Any, context: dict[str, int], size: Any, stride: Any) -> Any:
        assert (context["bits"], tuple(size)) == (8, tuple(parts["data_part"].shape))
        return Scaled(parts["data_part"], parts["scale_part"])

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert function is torch.ops.aten.detach.default, function
        return Scaled(args[0].data_part.detach(), args[0].scale_part.detach())

    def plain(self) -> Any:
        return self.data_part * self.scale_part


def test_tensors_made_of_tensors_are_made_anew_around_their_parts() -> None:
    def scaled(add: int = 0) -> Any:
        numbers = torch.arange(8, dtype=torch.int8).reshape(2, 4) + add
        return nn.Parameter(Scaled(numbers, torch.tensor([[0.5], [0.25]])), requires_grad=False)

    module = nn.Linear(4, 4)
    module.quantised = module.tied = scaled()
    expected = module.quantised.plain()
    slab = Slab({"m": module}, "cpu")
    for _ in range(2):
        for move in (slab.load, slab.evict):
            move()
            assert isinstance(module.quantised, Scaled)
            assert isinstance(module.quantised, nn.Parameter)
            assert module.tied is module.quantised
            assert torch.equal(module.quantised.plain(), expected)
            ours = module.quantised.scale_part.untyped_storage().data_ptr()
            assert ours == module.weight.untyped_storage().data_ptr()
    slab.load()
    module.quantised = scaled(1)
    assert slab.changes() == ["m.quantised"]
    with pytest.raises(InvalidInput, match="changed since"):
        slab.evict()
    slab.refresh()
    slab.evict()
    assert torch.equal(module.quantised.plain(), scaled(1).plain())


class Quantised(nn.Parameter):  # type: ignore[misc, name-defined]
    """As bitsandbytes' weights: a parameter with tensors of its own besides."""


def quantised() -> Any:
    weight = torch.Tensor._make_subclass(Quantised, torch.rand(2, 2))
    weight.scale = torch.rand(2)
    return weight


def with_gradient() -> Any:
    weight = nn.Parameter(torch.rand(2))
    weight.grad = torch.rand(2)
    return weight


def in_inference() -> Any:
    with torch.inference_mode():
        return torch.rand(2)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (quantised, "Quantised holds tensors besides its data"),
        (with_gradient, "has a gradient"),
        (in_inference, "inference mode"),
        (lambda: torch.empty(2, device="meta"), "no data yet"),
        (lambda: torch.eye(2).to_sparse(), "layout is torch.sparse_coo"),
        (lambda: torch._empty_affine_quantized([2], scale=0.1, zero_point=0, dtype=torch.qint8), "quantised by torch"),
        (lambda: torch.rand(2, dtype=torch.complex64).conj(), "lazy conjugate"),
    ],
)
def test_what_cannot_be_kept_in_a_slab_is_refused_by_name_and_nothing_is_touched(make: Any, reason: str) -> None:
    module, tensor = nn.Linear(2, 2), make()
    if isinstance(tensor, nn.Parameter):
        module.odd = tensor
    else:
        module.register_buffer("odd", tensor)
    storage = module.weight.untyped_storage().data_ptr()
    with pytest.raises(InvalidInput, match=f"model.odd: cannot be kept in a slab: .*{reason}"):
        Slab({"model": module}, "cpu")
    assert module.weight.untyped_storage().data_ptr() == storage


def test_neither_a_model_without_weights_nor_one_that_accelerate_moves() -> None:
    with pytest.raises(InvalidInput, match="empty: there are no weights"):
        Slab({"empty": nn.ReLU()}, "cpu")
    hooked = nn.Linear(2, 2)
    hooked._hf_hook = object()
    with pytest.raises(InvalidInput, match="device_map"):
        Slab({"unet": hooked}, "cpu")
    with pytest.raises(InvalidInput, match="moves itself"):
        Slab({"unet": nn.Linear(2, 2)}, "mps")


def test_a_host_without_memory_is_told_before_anything_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    small = model()
    before = content(small)
    monkeypatch.setattr(host_memory, "available_bytes", lambda: 0)
    with pytest.raises(OutOfMemory, match=r"of host memory, 0\.00 are free"):
        host_memory.HostMemory(1000)
    Slab({"small": small}, "cpu").close()
    assert_same(before, content(small))


def test_a_device_without_memory_leaves_the_model_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    small = model()
    before, slab = content(small), Slab({"small": small}, "cpu")

    def refuse(*_args: Any, **_more: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty", refuse)
        with pytest.raises(OutOfMemory, match="the device has no room"):
            slab.load()
    assert not slab.is_resident
    slab.load()
    assert_same(before, content(small))


def test_pinning_registers_the_whole_block_once_and_a_refusal_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []

    class Driver:
        """In place of the CUDA runtime."""

        code = 0

        def cudaHostRegister(self, address: int, size: int, flags: int) -> int:
            calls.append(("register", size))
            return self.code

        def cudaHostUnregister(self, address: int) -> int:
            calls.append(("unregister", 0))
            return 0

    driver = Driver()
    monkeypatch.setattr(torch.cuda, "cudart", lambda: driver)
    memory = host_memory.HostMemory(9 * 2**20 + 5)
    memory.pin()
    memory.pin()
    assert memory.pinned
    memory.close()
    memory.close()
    assert calls == [("register", 9 * 2**20 + 5), ("unregister", 0)]

    def repeat_the_error(*_args: Any, **_more: Any) -> None:
        calls.append(("clear", 0))
        raise RuntimeError("CUDA error: out of memory")

    driver.code = 2
    monkeypatch.setattr(torch, "zeros", repeat_the_error)
    memory.pin()
    assert calls[-1] == ("clear", 0), "the driver repeats its last error once: not to whoever comes next"
    assert not memory.pinned
    assert "could not be pinned (CUDA error 2)" in memory.note


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_the_copy_in_chunks_over_several_streams_is_whole(monkeypatch: pytest.MonkeyPatch, streams: int) -> None:
    from contextlib import nullcontext

    from tools.runtime.residency import slab as module

    class Stream:
        """In place of a CUDA stream."""

        def record_event(self) -> None:
            """Nothing to wait for."""

    slab = Slab({"small": model()}, "cpu")
    monkeypatch.setattr(module, "CHUNK", 100)
    monkeypatch.setattr(torch.cuda, "stream", lambda _stream: nullcontext())
    slab._streams = [Stream() for _ in range(streams)]
    target = torch.zeros(slab.nbytes, dtype=torch.uint8)
    slab._copy(target)
    assert slab.nbytes % 100 != 0
    assert torch.equal(target, slab._host.tensor)


def test_two_hundred_swaps_leave_nothing_behind() -> None:
    import psutil

    slabs = [Slab({"m": nn.Sequential(*[nn.Linear(512, 512) for _ in range(8)])}, "cpu") for _ in range(2)]
    process = psutil.Process()

    def swap(times: int) -> int:
        for number in range(times):
            slabs[number % 2].load()
            slabs[number % 2].evict()
        gc.collect()
        return int(process.memory_info().rss)

    before = swap(20)
    assert swap(200) - before < 16 * 2**20


def test_restored_weights_are_those_that_were_packed_whatever_was_merged_in() -> None:
    made = model()
    slab = Slab({"net": made}, "cpu")
    with pytest.raises(InvalidInput, match="resident"):
        slab.restore()
    slab.load()
    before = content(made)
    made.thin.weight.data += 0.3
    made.conv.weight.data.mul_(2.0)
    assert not torch.equal(made.thin.weight, before["thin.weight"][2])
    slab.restore()
    assert_same(content(made), before)
    assert not slab.changes()
    slab.evict()
    assert_same(content(made), before)
    slab.load()
    made.thin.weight = nn.Parameter(torch.zeros(3, 5))
    with pytest.raises(InvalidInput, match=r"thin\.weight"):
        slab.restore()
    slab.close()
