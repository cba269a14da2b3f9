"""A search of the web, start to end: hits of a service, their pages fetched and read, the passages that answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from knowledge.passage import Passage, SearchAnswer
from knowledge.splitting import split_text
from knowledge.web.cache import WebCache
from knowledge.web.extract import Reading, extract
from knowledge.web.fetch import Fetcher, Page
from knowledge.web.problems import SearchRefused, Stopped, WebProblem
from knowledge.web.providers import Hit, SearchProvider
from knowledge.web.ranking import Candidate, Embed, rank
from knowledge.web.waiting import Deadline, run_each, run_within

__all__ = ["Findings", "WebSearcher"]

_SEARCH_S = 8.0
_WHOLE_S = 30.0
"""Seconds for everything; what is not there by then is left out."""
_PASSAGE_TOKENS = 120
_SNIPPET = "as quoted by the search service"
_HITS = TypeAdapter(list[Hit])


class Findings(SearchAnswer):
    """A search's answer with what is behind it.

    Attributes:
        hits: what the service named.
        unread: addresses of hits whose pages could not be had, and why.
        remembered: whether the service's answer was known from before, so that nothing was asked.
    """

    hits: list[Hit] = Field(default_factory=list)
    unread: dict[str, str] = Field(default_factory=dict)
    remembered: bool = False


class WebSearcher:
    """Searches the web. Only the words of the question go out, and requests for the pages that are read.

    Args:
        provider: asks a search service; None: no library for it is installed.
        fetcher: fetches the pages; nothing else does.
        pages: how many are looked at.
        cache: what was asked and read before; None remembers nothing.
        embedder: gives what makes meaning comparable, or None; it is asked when it is first needed.
        cancel: set it to stop waiting.
    """

    def __init__(
        self,
        provider: SearchProvider | None,
        fetcher: Fetcher,
        *,
        pages: int = 5,
        cache: WebCache | None = None,
        embedder: Callable[[], Embed | None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self._provider = provider
        self._fetcher = fetcher
        self._pages = pages
        self._cache = cache
        self._embedder = embedder or (lambda: None)
        self._cancel = cancel

    def search(self, query: str, *, limit: int = 5) -> Findings:
        """See `WebSearch`.

        Raises:
            Stopped: a person stopped it.
        """
        query = " ".join(query.split())
        if not query:
            return Findings(status="empty", reason="Nothing was asked.")
        if self._provider is None:
            return Findings(status="failed", reason="No search library is installed. To mend it: pip install ddgs")
        provider = self._provider
        deadline = Deadline(_WHOLE_S)
        try:
            hits, remembered = self._hits(provider, query)
        except Stopped:
            raise
        except SearchRefused as problem:
            return Findings(status="refused", reason=_sentence(problem))
        except WebProblem as problem:
            return Findings(status="failed", reason=_sentence(problem))
        if not hits:
            reason = f"The search service ({provider.name}) found nothing for it."
            return Findings(status="empty", reason=reason, remembered=remembered)
        readings, unread = self._read(hits[: self._pages], deadline)
        passages = self._passages(query, hits, readings, limit)
        behind: dict[str, Any] = {"hits": hits, "unread": unread, "remembered": remembered}
        if not passages:
            why = next(iter(unread.values()), "they say nothing about it")
            told = f"{len(hits)} pages were found, but none could be read: {why}"
            return Findings(status="failed", reason=_sentence(told), **behind)
        return Findings(status="found", passages=passages, **behind)

    def _hits(self, provider: SearchProvider, query: str) -> tuple[list[Hit], bool]:
        """The service's hits, and whether they were known from before."""
        most = 2 * self._pages
        key = f"{provider.name}\n{most}\n{query}"
        known = self._cache.get("search", key) if self._cache else None
        if known is not None:
            try:
                return _HITS.validate_python(known), True
            except ValidationError:
                pass  # Damaged: asked again.
        # The libraries have time limits of their own, which do not hold for everything that may hang.
        hits = run_within(
            lambda: provider.find(query, limit=most, seconds=_SEARCH_S),
            _SEARCH_S + 1.0,
            what="the search",
            cancel=self._cancel,
        )
        if self._cache and hits:
            self._cache.put("search", key, [hit.model_dump() for hit in hits])
        return hits, False

    def _read(self, hits: Sequence[Hit], deadline: Deadline) -> tuple[dict[str, Reading], dict[str, str]]:
        """What the pages of the hits say, by the hits' addresses; and why others could not be had."""
        readings: dict[str, Reading] = {}
        unread: dict[str, str] = {}
        for hit in hits:
            if (known := self._known(hit.url)) is not None:
                readings[hit.url] = known
        wanted = [hit.url for hit in hits if hit.url not in readings]
        # With no cancel inside: whoever waits here looks at it, and leaves all of them behind at once.
        jobs = [partial(self._fetcher.fetch, url) for url in wanted]
        seconds = deadline.left(self._fetcher.limits.seconds + 1.5)
        pages: list[tuple[str, Page]] = []
        for url, got in zip(wanted, run_each(jobs, seconds, what="the page", cancel=self._cancel), strict=True):
            if isinstance(got, Page):
                pages.append((url, got))
            elif isinstance(got, WebProblem):
                unread[url] = str(got)
            else:
                raise got
        read = extract([page for _, page in pages], seconds=deadline.left(15.0), cancel=self._cancel)
        for (url, _), found in zip(pages, read, strict=True):
            if isinstance(found, Reading):
                readings[url] = found
                if self._cache:
                    self._cache.put("page", url, found.model_dump())
            else:
                unread[url] = str(found)
        return readings, unread

    def _known(self, url: str) -> Reading | None:
        try:
            known = self._cache.get("page", url) if self._cache else None
            return Reading.model_validate(known) if known is not None else None
        except ValidationError:
            return None

    def _passages(self, query: str, hits: Sequence[Hit], readings: dict[str, Reading], limit: int) -> list[Passage]:
        """The passages that answer; of a page that could not be read, what the service quotes of it."""
        candidates: list[Candidate] = []
        titles: dict[str, str] = {}
        for hit in hits:
            reading = readings.get(hit.url)
            if reading is None:
                titles.setdefault(hit.url, hit.title)
                candidates += [Candidate(hit.snippet, hit.url, _SNIPPET)] if hit.snippet else []
                continue
            title = reading.title or hit.title
            titles[reading.url] = f"{title} ({reading.date})" if reading.date else title
            pieces = split_text(reading.text, most=_PASSAGE_TOKENS, overlap=0)
            candidates += [Candidate(piece, reading.url) for piece in pieces]
        ranked = rank(query, candidates, limit=limit, embed=self._embedder())
        return [
            Passage(text=one.text, source=one.url, title=titles[one.url], score=score, heading=one.heading, kind="web")
            for score, one in ranked
        ]


def _sentence(problem: WebProblem | str) -> str:
    told = str(problem)
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith(('.', '?', '!')) else '.'}"
