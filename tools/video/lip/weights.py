"""Wav2Lip's weights: one safetensors file, made once from the published pickle by `tools.video.lip.convert`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tools.errors import InvalidInput, MissingPrerequisite
from tools.model import Placing, Weights
from tools.models import inspect_file
from tools.models.libraries import require_libraries

__all__ = ["Wav2LipWeights", "check_libraries", "into_network"]

CONVERT = "python -m tools.video.lip.convert wav2lip_gan.pth wav2lip.safetensors"
GET = f"{CONVERT} && studio models path wav2lip wav2lip.safetensors"
"""What gives the weights, once a person has them from their authors."""


def check_libraries() -> None:
    """See that this is an environment with torch.

    Raises:
        MissingPrerequisite: with the command that makes one.
    """
    require_libraries("Wav2Lip needs", ("torch", "safetensors", "av"), "studio stacks install wav2lip")


class Wav2LipWeights(Weights):
    """`wav2lip` or `wav2lip_gan`, in float32: small, and its output is seen."""

    name: ClassVar[str] = "wav2lip"

    def __init__(self) -> None:
        self._network: Any = None

    def check(self, source: str) -> None:
        check_libraries()
        _file(source)

    def load(self, source: str, placing: Placing) -> Any:  # noqa: ARG002 - 36 million parameters fit everywhere
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = _file(source)
        try:
            state = load_file(path, device="cpu")
        except (OSError, ValueError, SafetensorError) as error:
            raise InvalidInput(f"cannot be read: {' '.join(str(error).split())[:200]}", where=str(path)) from error
        self._network = into_network(state, str(path))
        return self._network

    def modules(self) -> Mapping[str, Any]:
        return {} if self._network is None else {"network": self._network}

    def unload(self) -> None:
        self._network = None


def _file(source: str) -> Path:
    if not source:
        raise MissingPrerequisite("wav2lip is not on this machine.", command=GET)
    path = Path(source).expanduser()
    if not path.is_file():
        raise MissingPrerequisite(f"wav2lip: there is no file {path}.", command=GET)
    if inspect_file(path).format != "safetensors":
        raise InvalidInput("is no safetensors file", where=str(path), hint=f"Convert it: {CONVERT}")
    return path


def into_network(state: Mapping[str, Any], where: str) -> Any:
    """The network with these weights, ready to be used.

    Raises:
        InvalidInput: they are another network's, incomplete, or hold what is no number.
    """
    import torch

    from tools.video.lip.network import FIRST, build_network, channels_of

    channels = channels_of(state)
    if not 1 <= channels <= 64:
        raise InvalidInput(f"is no checkpoint of Wav2Lip: it has no {FIRST} of its shape", where=where)
    network = build_network(channels)
    wanted = network.state_dict()
    lacking = [name for name in wanted if name not in state]
    unknown = [name for name in state if name not in wanted]
    if lacking or unknown:
        named, word = (lacking, "lacks") if lacking else (unknown, "holds what Wav2Lip has not:")
        told = f"{word} {', '.join(named[:3])}" + (f" and {len(named) - 3} more" if len(named) > 3 else "")
        raise InvalidInput(told, where=where, hint="It is cut off, or a checkpoint of another network.")
    for name, tensor in wanted.items():
        if tuple(state[name].shape) != tuple(tensor.shape):
            shapes = f"{tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            raise InvalidInput(f"{name} has the shape {shapes}", where=where)
        if state[name].is_floating_point() and not bool(torch.isfinite(state[name]).all()):
            raise InvalidInput(f"{name} holds values that are no numbers", where=where, hint="Convert it again.")
    network.load_state_dict({name: state[name] for name in wanted})
    return network.float().eval().requires_grad_(requires_grad=False)
