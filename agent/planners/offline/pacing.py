"""How long shots last: speech is fitted before anything is made, and a total that was asked for is kept exactly.

All lengths are seconds. Shots are cut on a grid of tenths; a total with hundredths ends in the last shot.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from agent.planners.offline.direction import load_direction
from tools.storyboard import Line, Shot
from tools.timeline import LEAD_S, LINE_GAP_S, TAIL_S, estimate_speech_s

__all__ = ["fitted", "share_out", "shortest", "speech_need", "spoken_s", "total_of"]

GRID = 10
"""Parts of a second that shots are cut on."""
USUAL_RATE = 2.6
"""Words a second; see `tools.timeline.estimate_speech_s`."""


def spoken_s(line: Line) -> float:
    """Seconds a line takes to say: sad, tender and sleepy ones are slower."""
    pace = load_direction().coverage.pace
    rate = pace.emotions.get(line.emotion, 1.0) * pace.deliveries.get(line.delivery, 1.0)
    return estimate_speech_s(line.text, USUAL_RATE * rate)


def speech_need(lines: Sequence[Line]) -> float:
    """Seconds a shot must have to hold these lines with the silences around them; 0 without lines."""
    if not lines:
        return 0.0
    speech = sum(spoken_s(line) for line in lines) + LINE_GAP_S * (len(lines) - 1)
    return LEAD_S + speech + TAIL_S


def shortest(lines: Sequence[Line], least: float) -> float:
    """The least length of a shot, on the grid: room for its lines, and never below `least`."""
    return ceil(max(least, speech_need(lines)) * GRID - 1e-6) / GRID


def fitted(shot: Shot) -> Shot:
    """The shot, made longer when its lines do not fit."""
    need = shortest(shot.dialogue, 0.5)
    return shot if shot.duration_s >= need - 1e-9 else shot.model_copy(update={"duration_s": need})


def total_of(shots: Sequence[Shot]) -> float:
    """The length of the film."""
    return round(sum(shot.duration_s for shot in shots), 2)


def share_out(total: float, weights: Sequence[float], least: Sequence[float], most: float = 120.0) -> list[float]:
    """Divide `total` among shots in the ratio of `weights`, none below its `least` nor above `most`.

    Args:
        total: at least the sum of `least`; otherwise the answer is `least` itself.
        weights: positive.
        least: the shortest lengths, on the grid.

    Returns:
        lengths whose sum, rounded to hundredths, is `total` (or what `least` and `most` make of it).
    """
    count = len(weights)
    floor = [round(value * GRID) for value in least]
    whole = int(total * GRID + 1e-6)
    rest = total - whole / GRID
    ceiling = int(most * GRID)
    if whole <= sum(floor):
        lengths = floor
        rest = max(0.0, total - sum(floor) / GRID) if whole == sum(floor) else 0.0
    else:
        lengths = _water_fill(whole, list(weights), floor, ceiling)
    shares = [value / GRID for value in lengths]
    if rest > 1e-6 and shares[count - 1] + rest <= most:
        shares[count - 1] = round(shares[count - 1] + rest, 2)
    return shares


def _water_fill(whole: int, weights: list[float], floor: list[int], ceiling: int) -> list[int]:
    """Shares in grid units: proportional where the bounds allow it; what remains after rounding goes to the largest."""
    free = set(range(len(weights)))
    fixed: dict[int, int] = {}
    while free:
        left = whole - sum(fixed.values())
        scale = left / sum(weights[i] for i in free)
        low = [i for i in free if weights[i] * scale < floor[i]]
        high = [i for i in free if weights[i] * scale > ceiling]
        if not low and not high:
            break
        # Bounds of one side at a time, the side that is farther out first, so that the other can still give way.
        short = sum(floor[i] - weights[i] * scale for i in low)
        over = sum(weights[i] * scale - ceiling for i in high)
        for i in low if short >= over else high:
            fixed[i] = floor[i] if short >= over else ceiling
            free.discard(i)
    lengths = dict(fixed)
    if free:
        left = whole - sum(fixed.values())
        scale = left / sum(weights[i] for i in free)
        exact = {i: weights[i] * scale for i in free}
        lengths |= {i: int(value + 1e-9) for i, value in exact.items()}
        spare = left - sum(lengths[i] for i in free)
        for i in sorted(free, key=lambda i: (lengths[i] - exact[i], i))[:spare]:
            lengths[i] += 1
    return [lengths[i] for i in range(len(weights))]
