"""A model's weights as one stretch of memory: pinned in the host, copied to the device in one go. Needs torch.

Moving a model tensor by tensor costs an allocation and a copy from pageable memory for each of its thousands of
tensors, and copies everything back on the way out although weights never change. A slab is packed once; then

    load    allocate one device slab, copy it asynchronously at the full rate of the link, and meanwhile point every
            parameter and buffer at its place
    evict   point them back at the host copy and drop the device slab; nothing is copied

A model is used by one thread at a time, and so is its slab. CUDA graphs captured on it must be captured again after
each load (`generation` counts them), for the device slab may lie elsewhere.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tools.errors import EngineFailed, InvalidInput, OutOfMemory
from tools.runtime.residency.host_memory import HostMemory
from tools.runtime.residency.layout import Layout, find_sites, lay_out

if TYPE_CHECKING:
    import torch

__all__ = ["Slab"]

CHUNK = 1 << 29
"""Bytes of one asynchronous copy: large enough for the full rate, small enough that several streams share the work."""


class Slab:
    """The weights of one model, which may be several modules (a UNet, text encoders, a VAE).

    Packing copies every weight into the host slab and lets go of its old memory one storage after the other, so that
    the host never holds a second whole copy.

    Args:
        modules: by name; loaded on any device, not in training.
        device: `cuda`, `cuda:1`, ... `cpu` keeps the "device" slab in ordinary memory: the same code, for tests and
            for machines without a card.
        streams: copies that run at once. One saturates a link; some machines gain a little from two.

    Raises:
        InvalidInput: a tensor cannot be kept in a slab; says which and why.
        OutOfMemory: the host's memory does not hold it.
    """

    def __init__(self, modules: Mapping[str, torch.nn.Module], device: str = "cuda", *, streams: int = 1) -> None:
        import torch

        self.modules = dict(modules)
        self.device = torch.device(device)
        if self.device.type not in ("cuda", "cpu"):
            raise InvalidInput("slabs are for cuda (also ROCm) and cpu; on others a model moves itself", where=device)
        self.generation = 0
        self._stream_count = max(1, streams)
        self._streams: list[Any] = []
        self._slab: torch.Tensor | None = None
        self._versions: list[int] = []
        self._copied: list[Any] = []
        self._layout, self._host = self._pack()

    @property
    def nbytes(self) -> int:
        """Bytes of the slab, the same in the host and on the device; exact before anything is loaded."""
        return self._layout.nbytes

    @property
    def is_resident(self) -> bool:
        """Whether the weights are on the device, or on their way."""
        return self._slab is not None

    @property
    def note(self) -> str:
        """Why the host copy is not pinned, which makes loads slow; empty where all is well."""
        return self._host.note

    def _pack(self) -> tuple[Layout, HostMemory]:
        import torch

        layout = lay_out(self.modules)
        elsewhere = sum(block.source.numel() for block in layout.blocks if block.source.device.type != "cpu")
        host = HostMemory(layout.nbytes, given_back=layout.nbytes - elsewhere)
        pieces = deque(sorted((one for one in layout.pieces if one.start is not None), key=lambda one: one.start or 0))
        with torch.no_grad():
            while layout.blocks:
                block = layout.blocks.pop(0)
                end = block.start + block.source.numel()
                host.tensor[block.start : end].copy_(block.source)
                # Pointing the tensors elsewhere and dropping the block frees what it came from.
                while pieces and (pieces[0].start or 0) < end:
                    piece = pieces.popleft()
                    piece.tensor.data = piece.view(host.tensor)
            self._point(layout, host.tensor)
        if self.device.type == "cuda":
            host.pin()
        return layout, host

    @staticmethod
    def _point(layout: Layout, slab: torch.Tensor) -> None:
        """Point every tensor of the model at its place in `slab`."""
        for piece in layout.pieces:
            piece.tensor.data = piece.view(slab)
        for wrapper in layout.wrappers:
            wrapper.rebuild()

    def start_load(self) -> None:
        """Begin to load: the copies run on streams of their own, beside what the device computes now.

        The model may be used after `finish_load`. Nothing happens where it is resident already.

        Raises:
            OutOfMemory: the device has no room; the model is parked as before.
        """
        import torch

        if self._slab is not None:
            return
        if self.device.type == "cuda" and not self._streams:
            self._streams = [torch.cuda.Stream(self.device) for _ in range(self._stream_count)]
        try:
            # Allocated on the stream that copies: it need not wait for what the device computes now (see `_copy`).
            with torch.cuda.stream(self._streams[0] if self._streams else None):
                slab = torch.empty(self.nbytes, dtype=torch.uint8, device=self.device)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise OutOfMemory(f"the device has no room for {self.nbytes / 2**30:.2f} GiB of weights.") from error
            raise
        self._copy(slab)
        self._slab = slab
        # The copies run meanwhile.
        with torch.no_grad():
            self._point(self._layout, slab)
        self._note_versions()
        self.generation += 1

    def _copy(self, slab: torch.Tensor) -> None:
        """Begin to fill a fresh slab. Nobody else's work on its memory is left: `evict` waits for all of the device."""
        import torch

        if not self._streams:
            slab.copy_(self._host.tensor)
            return
        for number, start in enumerate(range(0, self.nbytes, CHUNK)):
            end = min(start + CHUNK, self.nbytes)
            with torch.cuda.stream(self._streams[number % len(self._streams)]):
                slab[start:end].copy_(self._host.tensor[start:end], non_blocking=True)
        for stream in self._streams:
            self._copied.append(stream.record_event())

    def finish_load(self) -> None:
        """Wait until what `start_load` began is on the device; at once where nothing was begun."""
        import torch

        for event in self._copied:
            event.synchronize()
        if self._copied and self._slab is not None:
            # Should a view outlive the eviction, its memory waits for whoever computes with it.
            self._slab.record_stream(torch.cuda.current_stream(self.device))
        self._copied.clear()

    def load(self) -> None:
        """`start_load` and `finish_load`."""
        self.start_load()
        self.finish_load()

    def checksum(self) -> int:
        """The sum of the slab's 32-bit words, where the weights are now: equal on the device and in the host.

        For checks: it reads every byte.
        """
        import torch

        self.finish_load()
        slab = self._host.tensor if self._slab is None else self._slab
        words = slab[: self.nbytes // 4 * 4].view(torch.int32)
        return int(sum(int(part.sum(dtype=torch.int64)) for part in words.split(CHUNK)))

    def changes(self) -> list[str]:
        """Names of what is no longer as it was packed: put in, taken out, replaced or written to.

        A write through `.data`, or into a buffer, leaves no trace and is not seen: call `refresh` after such.
        """
        return sorted({*self._moved(), *self._written()})

    def _moved(self) -> Iterator[str]:
        """Names of tensors that came, went, or lie elsewhere."""
        before = {(id(site.module), site.table, site.name): site for site in self._layout.sites}
        ours = {id(piece.tensor) for piece in self._layout.pieces}
        ours |= {id(wrapper.current) for wrapper in self._layout.wrappers}
        for site in find_sites(self.modules):
            known = before.pop((id(site.module), site.table, site.name), None)
            if known is None or id(site.tensor) not in ours:
                yield site.path
        for site in before.values():
            yield site.path
        base = (self._host.tensor if self._slab is None else self._slab).data_ptr()
        for piece in self._layout.pieces:
            if piece.start is not None and (
                piece.tensor.data_ptr() != base + piece.start or tuple(piece.tensor.size()) != piece.size
            ):
                yield piece.path

    def _written(self) -> Iterator[str]:
        """Names of weights that were written to since they were loaded."""
        if self._slab is not None:
            for piece, version in zip(self._layout.weights, self._versions, strict=True):
                if piece.tensor._version != version:
                    yield piece.path

    def _note_versions(self) -> None:
        self._versions = [piece.tensor._version for piece in self._layout.weights]

    def evict(self, *, trim: bool = True, keep_changes: bool = False) -> None:
        """Give the device memory back; the model lies in the host. Nothing happens where it is not resident.

        Args:
            trim: give it back to the driver, for other processes; else only to torch's own allocator.
            keep_changes: where the model was changed since it was packed, take that over first, as `refresh` does.

        Raises:
            InvalidInput: the model was changed since it was packed (a LoRA, say), and `keep_changes` was not said; or
                what came in cannot be kept in a slab. It stays resident.
            EngineFailed: something outside the model still holds the memory; the worker should be restarted.
        """
        import torch
        from torch.multiprocessing.reductions import StorageWeakRef

        if self._slab is None:
            return
        changed = self.changes()
        if changed and not keep_changes:
            raise InvalidInput(
                f"changed since it was packed ({len(changed)} tensors)",
                where=changed[0],
                hint="Call refresh() to keep the change, or undo it.",
            )
        self.finish_load()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        if changed:
            self._take_over()
        with torch.no_grad():
            self._point(self._layout, self._host.tensor)
        held = StorageWeakRef(self._slab.untyped_storage())
        self._slab = None
        if not held.expired():
            gc.collect()
        if not held.expired():
            raise EngineFailed(
                f"{self.nbytes / 2**30:.2f} GiB of weights were evicted, but something outside the model holds them."
            )
        if trim and self.device.type == "cuda":
            torch.cuda.empty_cache()

    def restore(self) -> None:
        """Make the weights on the device again what is kept in the host, to the bit: after something was merged in.

        Raises:
            InvalidInput: the model is not on the device, or tensors came, went or were replaced meanwhile.
        """
        if self._slab is None:
            raise InvalidInput("a model is restored where it is resident")
        moved = sorted(self._moved())
        if moved:
            raise InvalidInput(f"{len(moved)} tensors are not where they were packed", where=moved[0])
        self.finish_load()
        if self.device.type == "cuda":
            import torch

            # Whoever still computes with the weights is waited for.
            torch.cuda.synchronize(self.device)
        self._copy(self._slab)
        self.finish_load()
        self._note_versions()

    def refresh(self) -> None:
        """Make the weights as they are now the ones that are kept: after a LoRA was fused, loaded or unloaded.

        Weights that were written to in place are copied back once. Where tensors came, went or were replaced, the
        model is packed anew and loaded again if it was resident; the host then holds both copies for a moment.

        Raises:
            InvalidInput, OutOfMemory: as when it was made; the model is as it was before the call.
        """
        self.finish_load()
        was_resident = self.is_resident
        if self._take_over():
            self._slab = None
            if was_resident:
                self.load()

    def _take_over(self) -> bool:
        """Make the host copy what the weights are now; True where that took a new one, to which all points then."""
        if not any(self._moved()):
            if self._slab is not None:
                self._host.tensor.copy_(self._slab)
                self._note_versions()
            return False
        old = self._host
        self._layout, self._host = self._pack()
        old.close()
        return True

    def close(self) -> None:
        """Give back the device memory and unpin the host's, which goes when the model itself does."""
        import torch

        self.finish_load()
        if self._slab is not None:
            with torch.no_grad():
                self._point(self._layout, self._host.tensor)
            self._slab = None
        self._host.close()
