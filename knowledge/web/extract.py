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
from knowledge.web.problems import PageRefused
from knowledge.web.waiting import run_within

__all__ = ["Reading", "extract"]

PAGE_CPU_S = 5.0
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
        TooSlow: they took longer than `seconds`.
        Stopped: `cancel` was set.
    """
    results: list[Reading | PageRefused] = []
    running: list[subprocess.Popen[bytes]] = []

    def read_all() -> None:
        while len(results) < len(pages):
            rest = pages[len(results) :]
            results.extend(_read(page, told) for page, told in zip(rest, _run(rest, page_cpu_s, running), strict=False))
            if len(results) < len(pages):
                # The process was ended over this page; the next ones get a new process.
                results.append(PageRefused("takes too long to read"))

    try:
        run_within(read_all, seconds, what="reading the pages", cancel=cancel)
    finally:
        for process in running:
            process.kill()
    return results


def _run(pages: Sequence[Page], page_cpu_s: float, running: list[subprocess.Popen[bytes]]) -> list[dict[str, Any]]:
    """What the process says of the pages: of all, or of those before the one it was ended over."""
    orders = {"path": sys.path, "seconds": page_cpu_s, "megabytes": MEGABYTES}
    lines = [json.dumps(orders)]
    for page in pages:
        data = base64.b64encode(page.data).decode()
        lines.append(json.dumps({"url": page.url, "type": page.type, "charset": page.charset, "data": data}))
    process = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    running.append(process)
    output, _ = process.communicate(("\n".join(lines) + "\n").encode())
    running.remove(process)
    return [json.loads(line) for line in output[:_MOST_OUTPUT].splitlines() if line.endswith(b"}")]


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
