"""Dynamic time warping: which moment of one recording is which moment of another that says the same.

Source: Sakoe & Chiba, "Dynamic programming algorithm optimization for spoken word recognition", 1978. The table is
filled along its anti-diagonals, whose cells do not depend on one another, so that numpy does each of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.sound import FloatArray

__all__ = ["Path", "pooled", "warp"]

COARSE = 500
"""Frames of the first, unbounded pass."""
BAND_S = 24
"""Frames that the second pass may leave the path of the first."""
STRAIGHT = 1.8
"""Weight of a diagonal step against a horizontal or vertical one of 1: below 2 both going on together is preferred."""


@dataclass(frozen=True)
class Path:
    """A path through both recordings.

    Attributes:
        rows, columns: `(k,)` frames that belong together; both never fall.
        cost: mean distance along it.
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    cost: float


def pooled(features: FloatArray, count: int) -> FloatArray:
    """Features `(n, d)` as `(count, d)`, each the mean of those it stands for."""
    edges = np.linspace(0, len(features), count + 1).astype(np.int64)
    sums = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0, dtype=np.float64)])
    widths = np.maximum(1, edges[1:] - edges[:-1])[:, None]
    return np.asarray((sums[np.maximum(edges[1:], edges[:-1] + 1)] - sums[edges[:-1]]) / widths, dtype=np.float32)


def warp(first: FloatArray, second: FloatArray) -> Path:
    """Align two recordings.

    Args:
        first, second: features `(n, d)` and `(m, d)`, at least one frame each.
    """
    n, m = len(first), len(second)
    shrink = max(n, m) / COARSE
    if shrink <= 1.5:
        return _banded(first, second, np.zeros(n + m - 1), max(n, m))
    rough = warp(pooled(first, max(1, round(n / shrink))), pooled(second, max(1, round(m / shrink))))
    # Where the rough path crosses each anti-diagonal of the fine table.
    rows = (rough.rows + 0.5) * n / (rough.rows[-1] + 1) - 0.5
    columns = (rough.columns + 0.5) * m / (rough.columns[-1] + 1) - 0.5
    middle = np.interp(np.arange(n + m - 1), rows + columns, rows)
    return _banded(first, second, middle, BAND_S + int(3 * shrink))


def _banded(first: FloatArray, second: FloatArray, middle: npt.NDArray[np.float64], reach: int) -> Path:
    """The best path whose row, on anti-diagonal k, lies within `reach` of `middle[k]`."""
    n, m = len(first), len(second)
    count = n + m - 1
    diagonals = np.arange(count)
    low = np.maximum(np.maximum(0, diagonals - m + 1), np.floor(middle).astype(np.int64) - reach)
    high = np.minimum(np.minimum(n - 1, diagonals), np.ceil(middle).astype(np.int64) + reach)
    # From one diagonal to the next the window moves by a row at most, and both corners are inside.
    low = np.minimum.accumulate(low[::-1])[::-1]
    high = np.maximum(np.maximum.accumulate(high), low)
    high = np.minimum(high, np.minimum(n - 1, diagonals))
    low = np.minimum(low, high)
    infinite = np.float32(np.inf)
    # Row i is kept at i + 1, so that i - 1 is always there.
    before, last = np.full(n + 1, infinite), np.full(n + 1, infinite)
    choices: list[npt.NDArray[np.int8]] = []
    for k in range(count):
        a, b = int(low[k]), int(high[k]) + 1
        distance = _distances(first, second, a, b, k)
        if k == 0:
            total, choice = distance, np.zeros(1, dtype=np.int8)
        else:
            options = np.stack(
                [before[a:b] + STRAIGHT * distance, last[a:b] + distance, last[a + 1 : b + 1] + distance]
            )
            choice = options.argmin(axis=0).astype(np.int8)
            total = options.min(axis=0)
        before, last = last, np.full(n + 1, infinite)
        last[a + 1 : b + 1] = total
        choices.append(choice)
    rows, columns = _traced(choices, low, n, m)
    return Path(rows, columns, float(last[n]) / (n + m))


def _distances(first: FloatArray, second: FloatArray, a: int, b: int, k: int) -> FloatArray:
    """Distances of the cells (i, k - i), a <= i < b."""
    apart = first[a:b] - second[k - b + 1 : k - a + 1][::-1]
    lengths: FloatArray = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return lengths


def _traced(
    choices: list[npt.NDArray[np.int8]], low: npt.NDArray[np.int64], n: int, m: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    i, k = n - 1, n + m - 2
    cells = [(i, k - i)]
    while k > 0:
        step = int(choices[k][i - int(low[k])])
        # 0: both go on; 1: the first goes on (row i - 1); 2: the second goes on.
        if step == 0:
            i, k = i - 1, k - 2
        elif step == 1:
            i, k = i - 1, k - 1
        else:
            k -= 1
        cells.append((i, k - i))
    path = np.array(cells[::-1], dtype=np.int64)
    return path[:, 0], path[:, 1]
