"""Bytes of one file from the Hub to the disk, continued where they were cut off."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadOutput, Cancelled, StorageFailed

if TYPE_CHECKING:
    from tools.models.hub import Hub

__all__ = ["fetch"]

ATTEMPTS = 5
"""In a row without a single new byte; then it is given up."""
PAUSE_S = 0.5
"""Before the second attempt; doubled each time."""


def fetch(
    hub: Hub, url: str, part: Path, size: int, told: Callable[[int], None], cancelled: Callable[[], bool]
) -> None:
    """Have `size` bytes of `url` in `part`; what is there already is continued, never asked for again.

    Raises:
        PullFailed: the Hub broke off, again and again.
        BadOutput: it sends more than it announced.
        Cancelled: `cancelled` became true; the part stays.
        StorageFailed: the disk is full.
    """
    from tools.models.hub import PullFailed

    if part.exists() and part.stat().st_size > size:
        part.unlink()
    failed = restarts = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        if before == size and part.exists():
            return
        try:
            if not _continue(hub, url, part, size, told, cancelled):
                restarts += 1
                if restarts > 1:
                    raise BadOutput(f"{url}: it ends after {before:,} of the {size:,} bytes that were announced.")
                continue
        except PullFailed:
            after = part.stat().st_size if part.exists() else 0
            failed = 0 if after > before else failed + 1
            if failed >= ATTEMPTS:
                raise
            _wait(PAUSE_S * 2 ** max(0, failed - 1), cancelled)
            continue
        after = part.stat().st_size
        if after < size:
            # Closed early, and politely: the length was announced by the listing, not by this answer.
            failed = 0 if after > before else failed + 1
            if failed >= ATTEMPTS:
                raise PullFailed(
                    f"{url}: {after:,} of {size:,} bytes came.", hint="The same command goes on from here."
                )
            _wait(PAUSE_S, cancelled)


def _wait(seconds: float, cancelled: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if cancelled():
            raise Cancelled("stopped")
        time.sleep(min(0.05, seconds))


def _continue(
    hub: Hub, url: str, part: Path, size: int, told: Callable[[int], None], cancelled: Callable[[], bool]
) -> bool:
    """Read one answer to its end; False where it cannot be continued: then the part is gone."""
    begin = part.stat().st_size if part.exists() else 0
    with hub.open(url, begin) as response:
        if response.status_code == 416 or (response.status_code == 206 and not _begins_at(response, begin)):
            # It cannot be continued: what is there is of no use.
            part.unlink(missing_ok=True)
            return False
        if response.status_code != 206:
            begin = 0
        try:
            with part.open("ab" if begin else "wb") as stream:
                at = begin
                for chunk in response.iter_bytes():
                    at += len(chunk)
                    if at > size:
                        raise BadOutput(f"{url}: more came than the {size:,} bytes that were announced.")
                    stream.write(chunk)
                    told(at)
                    if cancelled():
                        raise Cancelled("stopped")
        except OSError as error:
            if _is_of_the_network(error):
                raise
            raise StorageFailed(f"cannot write {part}: {error.strerror or error}.", hint="Free some space.") from error
        except BadOutput:
            part.unlink(missing_ok=True)
            raise
    return True


def _begins_at(response: Any, begin: int) -> bool:
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {begin}-")


def _is_of_the_network(error: OSError) -> bool:
    return type(error).__module__.split(".")[0] not in ("builtins",)
