"""What pages say: title, date and main text, read by trafilatura in a process with limits."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.splitting import without_controls
from knowledge.web.fetch import Page
from knowledge.web.problems import PageRefused, TooSlow
from knowledge.web.waiting import run_within

__all__ = ["Reading", "extract"]

PAGE_CPU_S = 3.0
"""Seconds of work on one page; an ordinary one takes a twentieth of a second."""
MEGABYTES = 1_000
"""Memory of the process; an ordinary page takes 80."""
_CHILD = Path(__file__).with_name("extract_child.py")
_MOST_OUTPUT = 8_000_000


class Reading(BaseModel):
    """A page, read.

    Attributes:
        url: of the page.
        title, site: as the page says; may be empty.
        date: when it was published, as YYYY-MM-DD; may be empty.
        text: what it says, without menus and the like.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    title: str = ""
    date: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    site: str = ""
    text: str


def extract(
    pages: Sequence[Page],
    *,
    seconds: float = 20.0,
    page_cpu_s: float = PAGE_CPU_S,
    cancel: threading.Event | None = None,
) -> list[Reading | PageRefused]:
    """Read pages; one that cannot be read is told in its place, and the others are read all the same.

    Args:
        pages: as they were fetched.
        seconds: for all of them.
        page_cpu_s: seconds of work on one of them.
        cancel: set it to stop waiting.

    Raises:
        Stopped: `cancel` was set.
    """
    child = _Child(page_cpu_s)
    results: list[Reading | PageRefused] = []

    def read_all() -> None:
        while len(results) < len(pages):
            rest = pages[len(results) :]
            told, failed = child.read(rest)
            results.extend(_read(page, one) for page, one in zip(rest, told, strict=False))
            if failed:
                return
            if len(results) < len(pages):
                # The process was ended over this page; the next ones get a new process.
                results.append(PageRefused("takes too long to read"))

    try:
        run_within(read_all, seconds, what="reading the pages", cancel=cancel)
    except TooSlow:
        pass  # What is not read by now is told below.
    finally:
        child.end()
    done = results[: len(pages)]
    return [*done, *(PageRefused("could not be read in time") for _ in pages[len(done) :])]


class _Child:
    """Runs extract_child.py, once or, after a page that it was ended over, again."""

    def __init__(self, page_cpu_s: float) -> None:
        self._page_cpu_s = page_cpu_s
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.Lock()

    def read(self, pages: Sequence[Page]) -> tuple[list[dict[str, Any]], bool]:
        """What it says of the pages, or of those before the one it was ended over; and whether it cannot go on."""
        lines = [json.dumps({"path": sys.path, "seconds": self._page_cpu_s, "megabytes": MEGABYTES})]
        for page in pages:
            data = base64.b64encode(page.data).decode()
            lines.append(json.dumps({"url": page.url, "type": page.type, "charset": page.charset, "data": data}))
        with self._lock:
            if self._ended:
                return [], True
            process = self._process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
            )
        output, _ = process.communicate(("\n".join(lines) + "\n").encode())
        told = [json.loads(line) for line in output[:_MOST_OUTPUT].splitlines() if line.endswith(b"}")]
        # Ended by a signal it was over a page; by itself, without its work done, it does not work at all.
        return told, process.returncode > 0 or self._ended

    def end(self) -> None:
        """End it, for good."""
        with self._lock:
            self._ended = True
            if self._process is not None:
                self._process.kill()


def _read(page: Page, told: dict[str, Any]) -> Reading | PageRefused:
    if "error" in told:
        return PageRefused(without_controls(str(told["error"])))
    date = str(told.get("date", ""))
    try:
        return Reading(
            url=page.url,
            title=_line(told["title"]),
            site=_line(told["site"]),
            date=date if len(date) == 10 else "",
            text=without_controls(str(told["text"])),
        )
    except (ValidationError, KeyError):
        return PageRefused("could not be read")


def _line(text: Any) -> str:
    return " ".join(without_controls(str(text)).split())
