"""Wav2Lip's generator: what is heard, and a face whose mouth is covered, to the face with its mouth (arXiv:2008.10010).

Written from the table of its layers; parameters have the names of the published checkpoints, which fit as they are.
The number of channels is read from the file, so that a checkpoint of the same shape with fewer of them is one, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FACE", "FIRST", "build_network", "channels_of"]

FACE = 96
"""Pixels of a side of the faces it sees."""
FIRST = "face_encoder_blocks.0.0.conv_block.0.weight"
"""The weight whose first dimension is the number of channels everything else is a multiple of: 16 as published."""

_FACE_ENCODER: Sequence[tuple[int, int]] = ((1, 0), (2, 2), (4, 3), (8, 2), (16, 2), (32, 1))
"""Each block of the encoder: its channels as a multiple of the first's, and how many residual layers follow."""
_FACE_DECODER: Sequence[tuple[int, int]] = ((32, 1), (32, 2), (24, 2), (16, 2), (8, 2), (4, 2))
_AUDIO: Sequence[tuple[int, Any, int]] = ((2, 1, 2), (4, (3, 1), 2), (8, 3, 2), (16, (3, 2), 1))
"""Of the audio encoder: channels, stride, residual layers."""


def channels_of(state: Mapping[str, Any]) -> int:
    """Channels of the first layer, 0 where this is no such checkpoint."""
    shape = tuple(state[FIRST].shape) if FIRST in state else ()
    return int(shape[0]) if len(shape) == 4 and shape[1:] == (6, 7, 7) else 0


def _layers() -> tuple[Any, Any]:
    """Classes of the two kinds of layers; torch is imported here, not with the module."""
    from torch import Tensor, nn

    class Layer(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self, into: int, out: int, kernel: int, stride: Any = 1, padding: int = 0, *, adds: bool = False):
            super().__init__()
            self.conv_block = nn.Sequential(nn.Conv2d(into, out, kernel, stride, padding), nn.BatchNorm2d(out))
            self.adds = adds

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv_block(x)
            return nn.functional.relu(y + x if self.adds else y)

    class Growing(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self, into: int, out: int, stride: int, padding: int, more: int):
            super().__init__()
            grown = nn.ConvTranspose2d(into, out, 3, stride, padding, more)
            self.conv_block = nn.Sequential(grown, nn.BatchNorm2d(out))

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.relu(self.conv_block(x))

    return Layer, Growing


def build_network(channels: int) -> Any:
    """The network with random weights, a torch module.

    It takes sound (batch x 1 x 80 x 16) and faces (batch x 6 x 96 x 96, 0..1: covered, then whole, blue green red) and
    gives faces (batch x 3 x 96 x 96, 0..1).

    Args:
        channels: of the first layer; 16 as published (36 million parameters).
    """
    import torch
    from torch import Tensor, nn

    Layer, Growing = _layers()

    def steady(width: int, count: int) -> list[Any]:
        return [Layer(width, width, 3, 1, 1, adds=True) for _ in range(count)]

    class Network(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self, c: int) -> None:
            super().__init__()
            encoder, widths = [nn.Sequential(Layer(6, c, 7, 1, 3))], [c]
            for into, (part, count) in itertools.pairwise(_FACE_ENCODER):
                encoder.append(nn.Sequential(Layer(into[0] * c, part * c, 3, 2, 1), *steady(part * c, count)))
                widths.append(part * c)
            deep = 32 * c
            encoder.append(nn.Sequential(Layer(deep, deep, 3), Layer(deep, deep, 1)))
            widths.append(deep)
            self.face_encoder_blocks = nn.ModuleList(encoder)
            heard, before = [], 1
            for part, stride, count in _AUDIO:
                heard += [Layer(before, part * c, 3, stride, 1), *steady(part * c, count)]
                before = part * c
            self.audio_encoder = nn.Sequential(*heard, Layer(before, deep, 3), Layer(deep, deep, 1))
            decoder, before = [nn.Sequential(Layer(deep, deep, 1))], deep
            for number, (part, count) in enumerate(_FACE_DECODER):
                stride, padding, more = (1, 0, 0) if number == 0 else (2, 1, 1)
                grown = Growing(before + widths[-1 - number], part * c, stride, padding, more)
                decoder.append(nn.Sequential(grown, *steady(part * c, count)))
                before = part * c
            self.face_decoder_blocks = nn.ModuleList(decoder)
            self.output_block = nn.Sequential(Layer(before + c, 2 * c, 3, 1, 1), nn.Conv2d(2 * c, 3, 1), nn.Sigmoid())

        def forward(self, sound: Tensor, face: Tensor) -> Tensor:
            seen = []
            for block in self.face_encoder_blocks:
                face = block(face)
                seen.append(face)
            x = self.audio_encoder(sound)
            for block in self.face_decoder_blocks:
                x = torch.cat((block(x), seen.pop()), dim=1)
            shown: Tensor = self.output_block(x)
            return shown

    return Network(channels)
