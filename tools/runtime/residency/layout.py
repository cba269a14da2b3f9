"""Where every tensor of a model lies in its slab. Needs torch; used inside a worker.

Storages are laid out, not tensors: what shares memory in the model (tied weights, slices of one matrix) shares it in
the slab, with the same strides. What cannot be moved by pointing it elsewhere is refused with its name and the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput

if TYPE_CHECKING:
    import torch

__all__ = ["Block", "Layout", "Piece", "Site", "Wrapper", "find_sites", "lay_out"]

ALIGN = 256
"""Blocks begin at multiples of this many bytes, as cudaMalloc's do; it is a multiple of every element size."""


@dataclass(frozen=True)
class Site:
    """A place in a module where a tensor hangs: `module._parameters[name]` or `module._buffers[name]`."""

    module: torch.nn.Module
    table: str
    name: str
    path: str

    @property
    def tensor(self) -> Any:
        """What hangs there now; None where nothing does."""
        return getattr(self.module, self.table).get(self.name)

    def put(self, tensor: Any) -> None:
        """Hang another tensor there."""
        getattr(self.module, self.table)[self.name] = tensor


@dataclass(frozen=True)
class Piece:
    """A plain tensor and its place.

    Attributes:
        tensor: of the model; it keeps its identity, only its data is pointed elsewhere.
        path: its name.
        start: bytes from the beginning of the slab; None for a tensor without elements.
        size, stride: in elements.
        is_weight: whether it is a parameter, which does not change while it is resident.
    """

    tensor: torch.Tensor
    path: str
    start: int | None
    size: tuple[int, ...]
    stride: tuple[int, ...]
    is_weight: bool

    def view(self, slab: torch.Tensor) -> torch.Tensor:
        """The tensor's place in `slab` (uint8, one dimension) as a tensor of its own shape and type."""
        import torch

        if self.start is None:
            return torch.empty(self.size, dtype=self.tensor.dtype, device=slab.device)
        empty = torch.empty(0, dtype=self.tensor.dtype, device=slab.device)
        return empty.set_(slab.untyped_storage(), self.start // empty.element_size(), self.size, self.stride)


@dataclass
class Wrapper:
    """A tensor made of tensors (a traceable wrapper subclass, as torchao's); it is made anew around its moved parts.

    Attributes:
        sites: where it hangs.
        outer: as it was when it was packed; gives its type, shape and whether it is a parameter.
        parts: by attribute: its plain tensors.
        context: what its class needs to make one from parts.
        current: what hangs at the sites now.
    """

    sites: tuple[Site, ...]
    outer: Any
    parts: Mapping[str, torch.Tensor]
    context: Any
    current: Any

    def rebuild(self) -> None:
        """Hang a new one at every site, around the parts as they are now."""
        import torch

        made = type(self.outer).__tensor_unflatten__(self.parts, self.context, self.outer.size(), self.outer.stride())
        if isinstance(self.outer, torch.nn.Parameter):
            made = torch.nn.Parameter(made, requires_grad=self.outer.requires_grad)
        self.current = made
        for site in self.sites:
            site.put(made)


@dataclass(frozen=True)
class Block:
    """A stretch of one storage.

    Attributes:
        source: the bytes where they lay before the model was packed (uint8, one dimension).
        start: where they begin in the slab, bytes.
    """

    source: torch.Tensor
    start: int


@dataclass(frozen=True)
class Layout:
    """The whole plan.

    Attributes:
        blocks: what is to be copied, by start; taken out one by one, so that the memory of each is free thereafter.
        pieces, wrappers: what is to be pointed at the slab.
        sites: where tensors hung, to notice changes of the model.
        nbytes: of the slab.
    """

    blocks: list[Block]
    pieces: tuple[Piece, ...]
    wrappers: tuple[Wrapper, ...]
    sites: tuple[Site, ...]
    nbytes: int

    @property
    def weights(self) -> tuple[Piece, ...]:
        """The parameters; they do not change while they are resident."""
        return tuple(piece for piece in self.pieces if piece.is_weight)


@dataclass
class _Plain:
    """A plain tensor that was found, with the bytes [low, high) of its storage that it covers."""

    tensor: torch.Tensor
    path: str
    is_weight: bool
    low: int
    high: int

    def piece(self, start: int | None) -> Piece:
        """The same tensor with its place in the slab."""
        size, stride = tuple(self.tensor.size()), tuple(self.tensor.stride())
        return Piece(self.tensor, self.path, start, size, stride, self.is_weight)


def lay_out(modules: Mapping[str, torch.nn.Module]) -> Layout:
    """Find every parameter and buffer (persistent or not) of some modules and give each its place.

    Raises:
        InvalidInput: there is none, or one of them cannot be moved in this way; says which and why.
    """
    sites = tuple(find_sites(modules))
    plain: dict[int, _Plain] = {}
    wrapped: dict[int, tuple[list[Site], dict[str, Any], Any]] = {}
    for site in sites:
        tensor = site.tensor
        if id(tensor) in wrapped:
            wrapped[id(tensor)][0].append(site)
        elif id(tensor) not in plain:
            if _is_wrapper(tensor):
                parts, context = _open(tensor, site.path)
                wrapped[id(tensor)] = ([site], parts, context)
                for name, part in parts.items():
                    plain.setdefault(id(part), _plain(part, f"{site.path}.{name}", is_weight=False))
            else:
                plain[id(tensor)] = _plain(tensor, site.path, is_weight=site.table == "_parameters")
    blocks, starts, nbytes = _place(list(plain.values()))
    if not nbytes:
        raise InvalidInput("there are no weights in it", where=", ".join(modules) or "the model")
    pieces = tuple(
        Piece(
            one.tensor,
            one.path,
            starts.get(number),
            tuple(one.tensor.size()),
            tuple(one.tensor.stride()),
            one.is_weight,
        )
        for number, one in plain.items()
    )
    wrappers = tuple(
        Wrapper(tuple(where), where[0].tensor, parts, context, where[0].tensor)
        for where, parts, context in wrapped.values()
    )
    return Layout(blocks, pieces, wrappers, sites, nbytes)


def find_sites(modules: Mapping[str, torch.nn.Module]) -> Iterator[Site]:
    """Every place where a tensor hangs, tied ones at each of their names; `InvalidInput` where accelerate holds it."""
    for name, module in modules.items():
        for path, part in module.named_modules(prefix=name, remove_duplicate=True):
            if hasattr(part, "_hf_hook"):
                raise InvalidInput(
                    "accelerate moves this module by a hook of its own",
                    where=path,
                    hint="Load the model without device_map and CPU offload.",
                )
            for table in ("_parameters", "_buffers"):
                for key, tensor in getattr(part, table).items():
                    if tensor is not None:
                        yield Site(part, table, key, f"{path}.{key}")


def _is_wrapper(tensor: torch.Tensor) -> bool:
    from torch.utils._python_dispatch import is_traceable_wrapper_subclass

    return bool(is_traceable_wrapper_subclass(tensor))


def _open(tensor: Any, path: str) -> tuple[dict[str, Any], Any]:
    names, context = tensor.__tensor_flatten__()
    parts = {name: getattr(tensor, name) for name in names}
    for name, part in parts.items():
        if _is_wrapper(part):
            raise InvalidInput(f"its part {name} is made of tensors again, which is not supported", where=path)
    return parts, context


def _plain(tensor: torch.Tensor, path: str, *, is_weight: bool) -> _Plain:
    reason = _why_not(tensor)
    if reason:
        raise InvalidInput(f"cannot be kept in a slab: {reason}", where=path)
    if tensor.numel() == 0:
        return _Plain(tensor, path, is_weight, 0, 0)
    width = tensor.element_size()
    low = tensor.storage_offset() * width
    last = sum((size - 1) * stride for size, stride in zip(tensor.size(), tensor.stride(), strict=True))
    return _Plain(tensor, path, is_weight, low, low + (last + 1) * width)


def _why_not(tensor: torch.Tensor) -> str:
    """The reason for which a tensor cannot be moved by pointing it elsewhere; empty where it can."""
    import torch

    if tensor.is_meta:
        return "it has no data yet (device meta); load the weights first"
    if tensor.layout != torch.strided or tensor.is_quantized:
        return f"its layout is {tensor.layout}" + (", quantised by torch" if tensor.is_quantized else "")
    if tensor.is_conj() or tensor.is_neg():
        return "it is a lazy conjugate or negative; resolve it first"
    if tensor.is_inference():
        return "it was made in inference mode; load the weights outside of it"
    if tensor.grad is not None:
        return "it has a gradient; a slab is for weights that do not change"
    if type(tensor).__module__.startswith("bitsandbytes"):
        return "bitsandbytes moves its own parts; keep the model as an engine that moves itself"
    if any(_holds_tensors(value) for value in vars(tensor).values()):
        return f"{type(tensor).__name__} holds tensors besides its data; keep the model as an engine that moves itself"
    return ""


def _holds_tensors(value: object) -> bool:
    import torch

    inside = value if isinstance(value, list | tuple) else getattr(value, "__dict__", {}).values()
    return isinstance(value, torch.Tensor) or any(isinstance(part, torch.Tensor) for part in inside)


def _place(found: list[_Plain]) -> tuple[list[Block], dict[int, int], int]:
    """Blocks, the start of each tensor by id, and the size of the slab. Overlapping tensors share a block."""
    import torch

    by_storage: dict[tuple[str, int], list[_Plain]] = {}
    for one in found:
        if one.high > one.low:
            key = (str(one.tensor.device), one.tensor.untyped_storage().data_ptr())
            by_storage.setdefault(key, []).append(one)
    blocks: list[Block] = []
    starts: dict[int, int] = {}
    end = 0
    for members in by_storage.values():
        for run in _runs(sorted(members, key=lambda one: (one.low, one.high))):
            low = run[0].low // ALIGN * ALIGN
            high = max(one.high for one in run)
            storage = run[0].tensor.untyped_storage()
            source = torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage, low, (high - low,), (1,))
            start = -(-end // ALIGN) * ALIGN
            blocks.append(Block(source, start))
            starts.update({id(one.tensor): start + one.low - low for one in run})
            end = start + high - low
    return blocks, starts, end


def _runs(members: list[_Plain]) -> Iterator[list[_Plain]]:
    """Groups of tensors whose bytes overlap; `members` are sorted by their first byte."""
    run: list[_Plain] = []
    high = 0
    for one in members:
        if run and one.low >= high:
            yield run
            run = []
        run.append(one)
        high = max(high if len(run) > 1 else 0, one.high)
    yield run
