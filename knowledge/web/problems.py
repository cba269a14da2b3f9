"""What may go wrong on the web, as one tree.

    WebProblem            says in one line what, and with which site
    ├── AddressRefused    it is not an address of the public web: nothing was sent there
    ├── PageRefused       it answered, with what is not wanted: too much, an error, a no in robots.txt
    │   └── WrongType     something that is not read, such as a film
    ├── NotReached        no such name, no connection, or it broke off
    ├── TooSlow           the time for it is over
    ├── SearchRefused     the search service turns us away: too many requests, or it takes us for a robot
    └── Stopped           a person stopped it

A search that finds nothing is no problem: its list of hits is empty.
"""

from __future__ import annotations

__all__ = [
    "AddressRefused",
    "NotReached",
    "PageRefused",
    "SearchRefused",
    "Stopped",
    "TooSlow",
    "WebProblem",
    "WrongType",
]


class WebProblem(Exception):
    """Base of the tree."""


class AddressRefused(WebProblem):
    """It is not an address of the public web."""


class PageRefused(WebProblem):
    """It answered, with what is not wanted."""


class WrongType(PageRefused):
    """It is of a type that is not read."""


class NotReached(WebProblem):
    """No such name, no connection, or it broke off."""


class TooSlow(WebProblem):
    """The time for it is over."""


class SearchRefused(WebProblem):
    """The search service turns us away."""


class Stopped(WebProblem):
    """A person stopped it."""
