"""Which model aligns which language's words; asked before anything runs, so nothing here imports torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from tools.transcription.tool import Transcribe

__all__ = ["ALIGNERS", "wants"]

ALIGNERS: Mapping[str, str] = MappingProxyType({"en": "align_english", "it": "align_italian"})
"""By language: a model of configs/models.yaml."""


def wants(asked: Transcribe.Input, here: Collection[str]) -> list[str]:
    """Names of the aligners that a call uses: its language's; where that is to be found out first, all of them.

    Args:
        asked: the call.
        here: names of the aligners that are on this machine.
    """
    if not asked.words:
        return []
    return [name for code, name in ALIGNERS.items() if asked.language in ("", code) and name in here]
