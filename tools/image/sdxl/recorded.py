"""Fewer launches for the same numbers: passes of a network are recorded as CUDA graphs and replayed step after step.

A step of SDXL is thousands of kernels, and a fast card waits for Python to ask for them one by one; a graph is asked
for once (PyTorch, "Accelerating PyTorch with CUDA Graphs"). It is recorded for one call and let go of with it: its
memory is working memory of that call, and the weights must lie where they lay. What is replayed is what would have been
computed, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from tools.image.sdxl.denoise import Look, Request

if TYPE_CHECKING:
    import torch

__all__ = ["WORTH_RECORDING", "CudaGraph", "Graph", "Recorded", "recorded", "replayed"]

WORTH_RECORDING = 8
"""Steps: the first of a kind is computed as ever, the second takes longer than that."""


class Graph(Protocol):
    """A recorded computation: replayed, it computes the same from what its inputs hold then."""

    def replay(self) -> Any:
        """Compute again; the result lies where it lay."""


class CudaGraph:
    """A computation recorded on the present card.

    Args:
        compute: computes from tensors that stay where they are; asks the card for nothing but kernels.

    Raises:
        RuntimeError: it waits for the card, or something else that cannot be recorded.
    """

    def __init__(self, compute: Callable[[], Any]) -> None:
        import torch

        # Once beside: libraries take their own memory before anything is recorded.
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            compute()
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = compute()

    def replay(self) -> Any:
        self._graph.replay()
        return self._result


class Recorded:
    """A network that is called as the network is.

    The first pass of a kind (sizes of what goes in, `state`) is computed as ever, the second recorded, all others are
    replayed. Where recording fails all are computed as ever, and `note` says why.

    Args:
        net: the network.
        state: what else its passes depend on, as the LoRAs that are switched on.
        record: makes a graph.
    """

    def __init__(
        self, net: Any, state: Callable[[], Hashable], record: Callable[[Callable[[], Any]], Graph] = CudaGraph
    ) -> None:
        self._net, self._state, self._record = net, state, record
        self._graphs: dict[Hashable, tuple[list[torch.Tensor], Graph] | None] = {}
        self.note = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

        leaves, shape = tree_flatten((args, kwargs))
        kind = (self._state(), str(shape), tuple(_kind(leaf) for leaf in leaves))
        if self.note or kind not in self._graphs:
            self._graphs.setdefault(kind, None)
            return self._net(*args, **kwargs)
        found = self._graphs[kind]
        if found is None:
            held = [leaf.clone() if _is_tensor(leaf) else leaf for leaf in leaves]
            again, more = tree_unflatten(held, shape)
            try:
                graph = self._record(lambda: self._net(*again, **more))
            except RuntimeError as error:
                self.note = str(error).strip().splitlines()[0][:200]
                self._graphs.clear()
                return self._net(*args, **kwargs)
            found = self._graphs[kind] = ([leaf for leaf in held if _is_tensor(leaf)], graph)
        for place, leaf in zip(found[0], (leaf for leaf in leaves if _is_tensor(leaf)), strict=True):
            place.copy_(leaf)
        # The next replay writes over it.
        return tree_map(lambda one: one.clone() if _is_tensor(one) else one, found[1].replay())

    def close(self) -> None:
        """Let go of what was recorded, and of its memory."""
        self._graphs.clear()


def _is_tensor(leaf: Any) -> bool:
    import torch

    return isinstance(leaf, torch.Tensor)


def _kind(leaf: Any) -> Hashable:
    return (tuple(leaf.shape), leaf.dtype, leaf.device) if _is_tensor(leaf) else repr(leaf)


def _give_back() -> None:
    """What was recorded lay in memory of its own: the decoder needs it next."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


@contextmanager
def recorded(
    net: Any, state: Callable[[], Hashable], record: Callable[[Callable[[], Any]], Graph] = CudaGraph
) -> Iterator[Recorded]:
    """`net`, recorded while the block runs."""
    made = Recorded(net, state, record)
    try:
        yield made
    finally:
        made.close()
        _give_back()


@contextmanager
def replayed(
    asked: Request,
    record: Callable[[Callable[[], Any]], Graph] = CudaGraph,
    *,
    when: bool = True,
    note: Callable[[str], None] = lambda _text: None,
) -> Iterator[Request]:
    """A request whose passes are recorded, each look (LoRAs, references) for itself, while the block runs.

    Not unless `when`, and not where there are too few steps for it to be worth while. `note` is told why,
    where recording failed and the passes were computed as ever.
    """
    if not when or len(asked.timesteps) < WORTH_RECORDING:
        yield asked
        return
    worn: list[Hashable] = [None]

    @contextmanager
    def wear(look: Look) -> Iterator[None]:
        with asked.wear(look):
            worn[0] = look
            yield

    with recorded(asked.unet, lambda: worn[0], record) as unet:
        yield replace(asked, unet=unet, wear=wear)
        if unet.note:
            note(f"The passes of the UNet were not recorded for replay: {unet.note}.")
