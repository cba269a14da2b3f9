"""Figures as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.runtime.telemetry.summary import Summary

__all__ = ["bytes_text", "parts_text", "seconds_text", "summary_text"]


def seconds_text(seconds: float) -> str:
    """`0.004 s`, `0.42 s`, `12.3 s`, `3:07 min`, `1:02:00 h`."""
    if seconds < 0.0005:
        return "0 s"
    if seconds < 1:
        return f"{seconds:.3f} s" if seconds < 0.01 else f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02} h"


def bytes_text(size: float) -> str:
    """`13.8 GiB`, `250 MiB`, `70 B`."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 100 * unit else f"{size / unit:.0f} {name}"
    return f"{size:.0f} B"


def parts_text(name: str, seconds: float, total: float) -> str:
    """`loading models 1.2 s (8 %)`."""
    return f"{name} {seconds_text(seconds)} ({100 * seconds / total:.0f} %)"


def summary_text(summary: Summary) -> str:
    """The run in one line."""
    calls = ", ".join(f"{count} {outcome}" for outcome, count in summary.calls.items())
    told = [f"{seconds_text(summary.wall_s)} in all", f"calls: {calls or 'none'}"]
    if summary.switches:
        told.append(f"{summary.switches} models loaded, {seconds_text(summary.loading_s)} waited for")
    if summary.plan is not None and summary.plan.switches:
        told.append("no order loads less" if summary.plan.proven else f"{summary.plan.gap:.2f} x the least possible")
    peaks = [f"{name} {bytes_text(one.peak_bytes)}" for name, one in summary.devices.items() if one.peak_bytes]
    if peaks:
        told.append(f"peak {', '.join(peaks)}")
    if summary.waiting_s >= 0.01:
        told.append(f"{seconds_text(summary.waiting_s)} waiting for a device")
    if summary.retries or summary.remade:
        told.append(f"{summary.retries} tried again, {summary.remade} made again")
    return "  ·  ".join(told)
