"""How a measured value becomes a `Check`: one way for all, so that scores and sentences are alike."""

from __future__ import annotations

from tools.review.tool import Check

__all__ = ["Levers", "above", "as_sized", "below", "between", "holds", "not_run", "share"]

Levers = dict[str, float | str]
"""What a failed check asks to be changed, by name: `zoom` (factor), `dy` and `dx.<character>` (fractions of the
frame, added), `exposure` (factor), `rate` and `target_lufs` (new values), `seed` (step). tools/review/fixes.py turns
them into arguments."""
NEARLY = 0.95
"""The most a failed check scores, however near the limit it came: failing always costs something."""


def holds(name: str, ok: bool, detail: str, *, score: float = 0.0, fix: Levers | None = None) -> Check:
    """A check that passes or fails; a failed one scores `score` at most `NEARLY`."""
    if ok:
        return Check(name=name, status="passed", score=1.0, detail=detail)
    return Check(name=name, status="failed", score=min(NEARLY, max(0.0, score)), detail=detail, fix=fix or {})


def above(name: str, value: float, limit: float, detail: str, *, fix: Levers | None = None) -> Check:
    """Passes where `value >= limit`; a failed one scores the part of the limit it reached (limit > 0)."""
    return holds(name, value >= limit, detail, score=value / limit if limit > 0 else 0.0, fix=fix)


def below(name: str, value: float, limit: float, detail: str, *, fix: Levers | None = None) -> Check:
    """Passes where `value <= limit`; a failed one scores how small a part of the value the limit is (value > 0)."""
    return holds(name, value <= limit, detail, score=limit / value if value > 0 else 0.0, fix=fix)


def between(
    name: str,
    value: float,
    low: float,
    high: float,
    detail: str,
    *,
    span: float | None = None,
    fix: Levers | None = None,
) -> Check:
    """Passes from `low` to `high`; a failed one loses 1 for every `span` (default: the range's width) outside."""
    outside = max(low - value, value - high, 0.0)
    return holds(name, low <= value <= high, detail, score=1.0 - outside / (span or high - low), fix=fix)


def as_sized(found: tuple[int, int], wanted: tuple[int, int]) -> Check:
    """`size`: width and height in pixels are as asked."""
    told = f"{found[0]}x{found[1]} pixels"
    return holds("size", found == wanted, told if found == wanted else f"{told}; {wanted[0]}x{wanted[1]} were asked")


def not_run(name: str, needs: str) -> Check:
    """A check that could not be made; it never counts, neither for nor against."""
    return Check(name=name, status="not_run", score=None, detail=f"not run: needs {needs}")


def share(value: float) -> str:
    """A part of the whole as people read it: `12 %`, `0.4 %`."""
    percent = value * 100
    return f"{percent:.0f} %" if percent >= 2 or percent == 0 else f"{percent:.1f} %"
