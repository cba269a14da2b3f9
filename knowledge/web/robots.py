"""robots.txt (RFC 9309): asked once a site, obeyed.

No such file (4xx) allows everything; a site whose file cannot be read (5xx, too large) is left alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from urllib.robotparser import RobotFileParser

from knowledge.web.addresses import Address
from knowledge.web.problems import PageRefused, WrongType
from knowledge.web.waiting import Deadline

__all__ = ["AGENT", "Robots"]

AGENT = "animation-studio"
"""The name that a robots.txt may speak of."""

_MOST_SITES = 200
_MOST_LINES = 5_000


class Robots:
    """What sites say of robots, remembered while the studio runs.

    Args:
        read: gives status and text of a robots.txt.
    """

    def __init__(self, read: Callable[[Address, Deadline], tuple[int, str]]) -> None:
        self._read = read
        self._known: OrderedDict[str, RobotFileParser | None] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, address: Address, deadline: Deadline) -> None:
        """Raise if a page is not for robots.

        Raises:
            PageRefused: the site says no, or does not say.
            WebProblem: the site cannot be asked at all.
        """
        with self._lock:
            known = address.origin in self._known
            rules = self._known.get(address.origin)
        if not known:
            rules = self._ask(address, deadline)
            with self._lock:
                self._known[address.origin] = rules
                while len(self._known) > _MOST_SITES:
                    self._known.popitem(last=False)
        if rules is not None and not rules.can_fetch(AGENT, address.url):
            raise PageRefused(f"{address.host} does not want this page read by programs (robots.txt)")

    def _ask(self, address: Address, deadline: Deadline) -> RobotFileParser | None:
        """The rules of a site; None where there are none."""
        try:
            status, text = self._read(replace(address, target="/robots.txt"), deadline)
        except WrongType:
            return None  # A page for people, or a picture, where robots.txt should be: there is none.
        except PageRefused as problem:
            raise PageRefused(f"robots.txt of {address.host}: {problem}") from None
        if 400 <= status < 500 and status != 429:
            return None
        if status != 200:
            raise PageRefused(f"{address.host} does not say whether programs may read it (robots.txt: {status})")
        rules = RobotFileParser()
        rules.parse(text.splitlines()[:_MOST_LINES])
        return rules
