"""Burned-in captions: spoken words grouped into short phrases, timed by the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.timeline import SpokenWord

__all__ = ["Caption", "group_captions"]

LONGEST_S = 5.0
LINGER_S = 0.35
"""How long a caption stays after its last word when nothing follows."""
PAUSE_S = 0.6
"""A silence this long starts a new caption."""


@dataclass(frozen=True)
class Caption:
    """Text shown from `start` to `end`, seconds from the first frame of the shot."""

    start: float
    end: float
    text: str


def group_captions(lines: Sequence[tuple[float, Sequence[SpokenWord]]], max_chars: int) -> list[Caption]:
    """Group words into captions of at most two lines of about half of `max_chars` each.

    A caption ends after a sentence, at a pause, when it is full, or after a comma when it is more than half full.

    Args:
        lines: for each clip, in order, the second in the shot at which it starts, and its words.
        max_chars: in one caption.
    """
    groups: list[list[tuple[float, float, str]]] = []
    for offset, words in lines:
        group: list[tuple[float, float, str]] = []
        for word in words:
            start, end = offset + word.start, offset + word.end
            length = sum(len(text) + 1 for _, _, text in group)
            full = length + len(word.text) > max_chars
            paused = bool(group) and start - group[-1][1] > PAUSE_S
            long = bool(group) and end - group[0][0] > LONGEST_S
            ended = bool(group) and group[-1][2][-1:] in ".!?…" and length >= 12
            breath = bool(group) and group[-1][2][-1:] in ",;:" and length > max_chars * 0.55
            if group and (full or paused or long or ended or breath):
                groups.append(group)
                group = []
            group.append((start, end, word.text))
        if group:
            groups.append(group)
    captions = []
    for index, group in enumerate(groups):
        after = groups[index + 1][0][0] if index + 1 < len(groups) else float("inf")
        end = min(group[-1][1] + LINGER_S, after)
        captions.append(Caption(group[0][0], end, " ".join(text for _, _, text in group)))
    return captions
