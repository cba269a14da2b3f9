"""The UNet compiled, where a preset asks for it; where it cannot be, the record of the picture says so."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.image.sdxl.plan import Plan

__all__ = ["Haste"]

_LISTED = 200


class Haste:
    """Compiles a UNet by torch's compiler (PyTorch, `torch.compile`), each size of picture on its first use.

    Compiled and plain passes differ in their last bits. So that a call gives one picture however often it is made, what
    could not be compiled in one size is never tried again in that size by this process.

    Args:
        backend: of torch's compiler.
    """

    def __init__(self, backend: Any = "inductor") -> None:
        self._backend = backend
        self._failed: dict[Hashable, str] = {}
        self._made: tuple[Any, Any] = (None, None)
        self.note = ""
        """Why the last call was not compiled, though it asked for it; empty where all is well."""

    def of(self, unet: Any) -> Callable[[Plan], AbstractContextManager[None]]:
        """What compiles this UNet for a plan, while a block runs."""
        return lambda plan: self._compiled(unet, plan)

    @contextmanager
    def _compiled(self, unet: Any, plan: Plan) -> Iterator[None]:
        self.note = ""
        if not plan.preset.compile:
            yield
            return
        why = _why_not(unet, plan)
        if why:
            self.note = f"The UNet was not compiled: {why}."
            yield
            return
        try:
            unet.forward = self._or_plain(unet)
            yield
        finally:
            del unet.forward

    def _or_plain(self, unet: Any) -> Callable[..., Any]:
        """The compiled pass; where compiling fails the plain one."""
        import torch

        plain = unet.forward
        if self._made[0] is not unet:
            # Whole or not at all: a part that is left out would be left out in silence.
            self._made = (unet, torch.compile(plain, backend=self._backend, dynamic=False, fullgraph=True))
        compiled = self._made[1]

        def forward(sample: Any, *args: Any, **kwargs: Any) -> Any:
            size = (tuple(sample.shape), tuple(kwargs["encoder_hidden_states"].shape), *sorted(kwargs))
            if size not in self._failed:
                try:
                    return compiled(sample, *args, **kwargs)
                except Exception as error:
                    if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor", "torch.fx")):
                        raise
                    self._failed[size] = f"{type(error).__name__}, {' '.join(str(error).split())[:_LISTED]}"
            self.note = f"The UNet was not compiled: {self._failed[size]}."
            return plain(sample, *args, **kwargs)

        return forward


def _why_not(unet: Any, plan: Plan) -> str:
    """What changes the UNet's layers during a call would have them compiled again and again."""
    if any(".lora_" in name for name, _ in unet.named_parameters()):
        return "LoRAs are switched on and off in it"
    if plan.references:
        return "an IP-Adapter is attached to it"
    return "its weights are streamed" if hasattr(unet, "_diffusers_hook") else ""
