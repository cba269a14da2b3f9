"""Search services: nothing found, turned away and out of reach are three things; asked on loopback."""

# ruff: noqa: ARG005 - doubles keep the shape of what they stand for.
from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from knowledge.web.problems import NotReached, SearchRefused, TooSlow
from knowledge.web.providers import DdgsProvider, DuckduckgoSearchProvider, find_provider
from tests.knowledge.web.sites import Site, answer, serving

HIT = (
    '<div class="result"><div class="links_main result__body body"><h2><a href="{url}">{title}</a></h2>'
    '<a href="{url}">{text}</a></div></div>'
)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    from ddgs.engines.duckduckgo import Duckduckgo

    with serving(Site()) as site:
        monkeypatch.setattr(Duckduckgo, "search_url", f"http://127.0.0.1:{site.port}/html/")
        yield site


def page(*urls: str) -> bytes:
    hits = "".join(
        HIT.format(url=url, title=f"Title &amp; {n}", text="Some\x1b[31m words\u202e") for n, url in enumerate(urls)
    )
    return answer(f"<html><body>{hits}</body></html>")


def test_hits_are_plain_and_lead_to_the_sites_themselves(service: Site) -> None:
    service.pages["/html/"] = page(
        "https://a.example/x",
        "//duckduckgo.com/l/?uddg=https%3A%2F%2Fb.example%2Fy%3Fq%3D1&amp;rut=1",
        "https://duckduckgo.com/y.js?ad=1",
        "https://a.example/x",
        "javascript:alert(1)",
    )
    hits = DdgsProvider().find("harbours", limit=5, seconds=5)
    assert [hit.url for hit in hits] == ["https://a.example/x", "https://b.example/y?q=1"]
    assert hits[0].title == "Title & 0"
    assert not {"\x1b", "\u202e"} & set(hits[0].snippet)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [202, 403, 429])
def test_being_turned_away_is_told(service: Site, status: int) -> None:
    service.pages["/html/"] = answer("<html>anything", status=status)
    with pytest.raises(SearchRefused):
        DdgsProvider().find("harbours", limit=5, seconds=5)


@pytest.mark.parametrize("body", ['<form id="challenge-form">', '<div class="anomaly-modal__title">', "", "  \n"])
def test_pages_for_robots_are_told(service: Site, body: str) -> None:
    service.pages["/html/"] = answer(body)
    with pytest.raises(SearchRefused):
        DdgsProvider().find("harbours", limit=5, seconds=5)


def test_nothing_found_is_an_empty_list(service: Site) -> None:
    service.pages["/html/"] = answer(
        '<html><body><div class="no-results">No  results found for harbours</div></body></html>'
    )
    assert DdgsProvider().find("harbours", limit=5, seconds=5) == []


@pytest.mark.parametrize("status", [500, 503, 302])
def test_errors_are_told(service: Site, status: int) -> None:
    service.pages["/html/"] = answer("oops", status=status, Location="http://127.0.0.1:1/inner")
    with pytest.raises(NotReached):
        DdgsProvider().find("harbours", limit=5, seconds=5)
    assert len(service.requests) == 1, "its redirects are not followed"


def test_a_service_that_is_not_there() -> None:
    from ddgs.engines.duckduckgo import Duckduckgo

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Duckduckgo, "search_url", "http://127.0.0.1:9/html/")
        with pytest.raises(NotReached, match=r"^the search service could not be reached: nobody answers there"):
            DdgsProvider().find("harbours", limit=5, seconds=3)


def test_a_service_that_hangs(service: Site) -> None:
    service.pages["/html/"] = lambda request: service.stop.wait(6) and None  # type: ignore[func-returns-value]
    with pytest.raises((TooSlow, NotReached)):
        DdgsProvider().find("harbours", limit=5, seconds=1)


def older(monkeypatch: pytest.MonkeyPatch, outcome: object) -> list[tuple[str, dict[str, object]]]:
    """The older package, as far as it is used, in place of the one that is not installed."""
    asked: list[tuple[str, dict[str, object]]] = []
    package, errors = types.ModuleType("duckduckgo_search"), types.ModuleType("duckduckgo_search.exceptions")

    class DuckDuckGoSearchException(Exception): ...

    errors.DuckDuckGoSearchException = DuckDuckGoSearchException  # type: ignore[attr-defined]
    for name in ("RatelimitException", "TimeoutException"):
        setattr(errors, name, type(name, (DuckDuckGoSearchException,), {}))

    class DDGS:
        def __init__(self, timeout: int) -> None: ...

        def text(self, query: str, **more: object) -> object:
            asked.append((query, more))
            if isinstance(outcome, tuple):
                raise getattr(errors, outcome[0])(outcome[1])
            return outcome

    package.DDGS = DDGS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "duckduckgo_search", package)
    monkeypatch.setitem(sys.modules, "duckduckgo_search.exceptions", errors)
    return asked


def test_the_older_package_answers_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = older(monkeypatch, [{"title": "T", "href": "https://a.example/", "body": "B"}])
    (hit,) = DuckduckgoSearchProvider().find("harbours", limit=3, seconds=2)
    assert (hit.title, hit.url, hit.snippet) == ("T", "https://a.example/", "B")
    assert asked == [("harbours", {"backend": "html", "max_results": 3})]


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (("RatelimitException", "202 Ratelimit"), SearchRefused),
        (("TimeoutException", "timed out"), TooSlow),
        (("DuckDuckGoSearchException", "connection refused"), NotReached),
    ],
)
def test_the_older_package_fails_alike(
    monkeypatch: pytest.MonkeyPatch, outcome: tuple[str, str], problem: type[Exception]
) -> None:
    older(monkeypatch, outcome)
    with pytest.raises(problem):
        DuckduckgoSearchProvider().find("harbours", limit=3, seconds=2)
    older(monkeypatch, ("DuckDuckGoSearchException", "No results found."))
    assert DuckduckgoSearchProvider().find("harbours", limit=3, seconds=2) == []


def test_the_newer_package_is_taken_first() -> None:
    assert isinstance(find_provider(lambda module: True), DdgsProvider)
    assert isinstance(find_provider(lambda module: module == "duckduckgo_search"), DuckduckgoSearchProvider)
    assert find_provider(lambda module: False) is None
