"""Search services behind one interface: a question in, hits out.

`ddgs` is asked, or its predecessor `duckduckgo-search` where only that is installed; both ask DuckDuckGo and nobody
else. They make their own connections, since the service turns away what does not look like a browser: they are
given one fixed host and the words of the question, and nothing that a page or a hit says. Pages are fetched by
`fetch`, never by them.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict

from configs.unreached import why_unreached
from knowledge.splitting import without_controls
from knowledge.web.problems import NotReached, SearchRefused, TooSlow

__all__ = ["DdgsProvider", "DuckduckgoSearchProvider", "Hit", "SearchProvider", "find_provider"]

MOST_WORDS = 400
"""Characters of a question that are sent."""

_TURNED_AWAY = frozenset({202, 403, 418, 429})
"""DuckDuckGo answers 202 with a page of its own to what it takes for a robot."""
_CHALLENGE = ("anomaly-modal", "anomaly.js", "challenge-form")
_NOTHING = ("no-results", "No results found", "No  results")


class Hit(BaseModel):
    """One result of a search, as the service gave it: a title and a snippet somebody else wrote, and an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    url: str
    snippet: str = ""


class SearchProvider(Protocol):
    """Asks a search service."""

    @property
    def name(self) -> str:
        """What it is called in what is told and in the cache."""
        ...

    def find(self, query: str, *, limit: int, seconds: float) -> list[Hit]:
        """The hits for a question, best first; none where the service has none.

        Raises:
            SearchRefused: the service turns us away.
            NotReached: it could not be reached, or answered with an error.
            TooSlow: it took longer than `seconds`.
        """
        ...


class DdgsProvider:
    """DuckDuckGo, by `ddgs`.

    Its own front door reads "turned away", "error" and "nothing found" all as "No results found"; so its engine for
    DuckDuckGo is asked itself, and the status of the answer is looked at.
    """

    name = "ddgs"

    def find(self, query: str, *, limit: int, seconds: float) -> list[Hit]:
        """See `SearchProvider`."""
        from ddgs.engines.duckduckgo import Duckduckgo
        from ddgs.exceptions import DDGSException, TimeoutException

        engine = Duckduckgo(timeout=max(1, round(seconds)), verify=True)
        seen: list[tuple[int, str]] = []

        def request(method: str, url: str, **more: Any) -> str | None:
            # Redirects are not followed: the one host that is asked cannot send this library elsewhere.
            answer = engine.http_client.request(method, url, follow_redirects=False, **more)
            seen.append((answer.status_code, answer.text))
            # Its parser fails on a page of nothing but white space.
            return answer.text if answer.status_code == 200 and answer.text.strip() else None

        engine.request = request
        try:
            found = engine.search(query[:MOST_WORDS], region="wt-wt", safesearch="moderate") or []
        except TimeoutException:
            raise TooSlow(f"the search took longer than {seconds:g} s") from None
        except DDGSException as error:
            raise NotReached(f"the search service could not be reached: {why_unreached(error)}") from error
        hits = _hits((result.title, result.href, result.body) for result in found)
        if not hits:
            _judge(*(seen[-1] if seen else (0, "")))
        return hits[:limit]


class DuckduckgoSearchProvider:
    """DuckDuckGo, by `duckduckgo-search` 8, the predecessor of `ddgs`."""

    name = "duckduckgo-search"

    def find(self, query: str, *, limit: int, seconds: float) -> list[Hit]:
        """See `SearchProvider`."""
        from duckduckgo_search import DDGS
        from duckduckgo_search.exceptions import DuckDuckGoSearchException, RatelimitException, TimeoutException

        try:
            found = DDGS(timeout=max(1, round(seconds))).text(query[:MOST_WORDS], backend="html", max_results=limit)
        except RatelimitException:
            raise SearchRefused(_TOO_MANY) from None
        except TimeoutException:
            raise TooSlow(f"the search took longer than {seconds:g} s") from None
        except DuckDuckGoSearchException as error:
            if "No results" in str(error):
                return []
            raise NotReached(f"the search service could not be reached: {why_unreached(error)}") from error
        return _hits((one.get("title", ""), one.get("href", ""), one.get("body", "")) for one in found)[:limit]


_TOO_MANY = "the search service turns us away (too many questions, or it takes us for a robot); try again later"


def find_provider(is_there: Callable[[str], bool] | None = None) -> SearchProvider | None:
    """The provider whose library is installed, the newer one first; None where there is none."""
    there = is_there or (lambda module: find_spec(module) is not None)
    if there("ddgs"):
        return DdgsProvider()
    return DuckduckgoSearchProvider() if there("duckduckgo_search") else None


def _judge(status: int, page: str) -> None:
    """Tell why there are no hits; says nothing where there simply are none.

    Raises:
        SearchRefused: the page is one for robots.
        NotReached: it is an error, or nothing that is understood.
    """
    if status in _TURNED_AWAY or any(mark in page for mark in _CHALLENGE):
        raise SearchRefused(_TOO_MANY)
    if status != 200:
        raise NotReached(f"the search service answered {status}")
    if not page.strip():
        # A service that has nothing says so on a page; an empty one is how it ends what it does not like.
        raise SearchRefused("the search service answered with an empty page; try again later")


def _hits(found: Any) -> list[Hit]:
    hits: list[Hit] = []
    for title, url, snippet in found:
        place = _place(str(url))
        if place and place not in (hit.url for hit in hits):
            hits.append(Hit(title=_plain(title, 300), url=place, snippet=_plain(snippet, 1_000)))
    return hits


def _place(url: str) -> str:
    """The address behind a link of the results: without the service's own redirect, and no advertisement."""
    url = f"https:{url}" if url.startswith("//") else url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if (parts.hostname or "").removeprefix("html.").removeprefix("www.") == "duckduckgo.com":
        return parse_qs(parts.query).get("uddg", [""])[0] if parts.path == "/l/" else ""
    return url if parts.scheme in ("http", "https") else ""


def _plain(text: Any, most: int) -> str:
    return " ".join(without_controls(html.unescape(str(text or ""))[: 4 * most]).split())[:most]
