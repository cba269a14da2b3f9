"""Writes the report of a result beside it, and reads what a person points at."""

from __future__ import annotations

from pathlib import Path

from evals.report.page import draw_report
from evals.report.pictures import Album
from evals.result import EvalResult
from evals.run.comparing import Comparison

__all__ = ["COMPARISON", "REPORT", "results_file", "write_report"]

REPORT, COMPARISON = "report.html", "compare.html"


def results_file(given: Path) -> Path:
    """results.json of a folder, or the file itself."""
    return given / "results.json" if given.is_dir() else given


def write_report(results: Path, result: EvalResult | None = None, compared: Comparison | None = None) -> Path:
    """Write the report of a result; the same result gives the same bytes.

    Args:
        results: results.json; the report is written beside it, and pictures are looked for there.
        result: what is in it, where it is at hand.
        compared: with an earlier result: the page is compare.html then, and begins with what changed.

    Returns:
        The file.

    Raises:
        InvalidInput: it is not there, or no result.
        StorageFailed: the folder cannot be written to.
    """
    from tools.artifact import write_atomic

    loaded = result or EvalResult.load(results)
    page = draw_report(loaded, Album(results.parent), compared)
    path = results.parent / (COMPARISON if compared else REPORT)
    write_atomic(path, page.encode())
    return path
