"""Prompts as embeddings of SDXL's text encoders, of any length and with weights, through compel."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput

if TYPE_CHECKING:
    import torch

__all__ = ["Words", "encode"]


@dataclass(frozen=True)
class Words:
    """One prompt: `embeds` 1 x tokens x width, `pooled` 1 x width."""

    embeds: torch.Tensor
    pooled: torch.Tensor


def encode(pipeline: Any, prompts: Sequence[str], device: str, dtype: torch.dtype) -> list[Words]:
    """The embeddings of several prompts, padded to the longest: they go through the UNet side by side.

    Args:
        pipeline: of SDXL base (two encoders) or of the refiner (the second alone).
        prompts: in compel's syntax; longer ones than 75 tokens are encoded in pieces.

    Raises:
        InvalidInput: a prompt breaks the syntax.
    """
    import torch
    from compel import Compel, ReturnedEmbeddingsType

    penultimate = ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED
    common = {"returned_embeddings_type": penultimate, "truncate_long_prompts": False, "device": device}
    readers = []
    if pipeline.text_encoder is not None:
        readers.append(Compel(tokenizer=pipeline.tokenizer, text_encoder=pipeline.text_encoder, **common))
    readers.append(
        Compel(tokenizer=pipeline.tokenizer_2, text_encoder=pipeline.text_encoder_2, requires_pooled=True, **common)
    )
    # Reading the syntax takes longer than the encoders do: both read what was read once.
    parse = cache(Compel.parse_prompt_string)
    for reader in readers:
        reader.parse_prompt_string = parse
    parts: list[list[torch.Tensor]] = []
    pooled: list[torch.Tensor] = []
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        for prompt in prompts:
            row = []
            for number, reader in enumerate(readers):
                row.append(_read(reader, prompt, number == len(readers) - 1, pooled))
            parts.append(row)
        blanks = [reader("")[0] if index == len(readers) - 1 else reader("") for index, reader in enumerate(readers)]
    length = max(one.shape[1] for row in parts for one in row)
    whole = [
        torch.cat([_padded(one, blank, length) for one, blank in zip(row, blanks, strict=True)], dim=-1)
        for row in parts
    ]
    return [Words(one.to(dtype), pool.to(dtype)) for one, pool in zip(whole, pooled, strict=True)]


def _read(reader: Any, prompt: str, is_last: bool, pooled: list[torch.Tensor]) -> torch.Tensor:
    from pyparsing import ParseException

    try:
        found = reader(prompt)
    except (ParseException, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"the prompt cannot be read: {error}", where="prompt", hint="Weights are (word)1.3."
        ) from None
    if is_last:
        pooled.append(found[1])
        found = found[0]
    embeds: torch.Tensor = found
    return embeds


def _padded(embeds: torch.Tensor, blank: torch.Tensor, length: int) -> torch.Tensor:
    """Filled up with the embeddings of nothing, a whole window each."""
    import torch

    missing = (length - embeds.shape[1]) // blank.shape[1]
    return torch.cat([embeds, blank.repeat(1, missing, 1)], dim=1) if missing else embeds
