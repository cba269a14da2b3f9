"""A search start to end: hits, pages, passages, sentences with sources; what is remembered; what hostile pages do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from knowledge.passage import Passage
from knowledge.web.cache import WebCache
from knowledge.web.extract import Reading, extract
from knowledge.web.fetch import Page
from knowledge.web.problems import NotReached, PageRefused, SearchRefused, WebProblem
from knowledge.web.providers import Hit
from knowledge.web.ranking import Candidate, rank
from knowledge.web.search import WebSearcher
from knowledge.web.synthesis import extract_synthesis, number_sources, validated
from tests.knowledge.web.sites import Site, answer, serving

HARBOUR = "The harbour of Camogli is lined with tall painted houses in ochre and rose."
BOATS = "Fishing boats called gozzi are drawn up on the stones below the church."
WEATHER = "Rain in Oslo falls on every second day of the year, mostly in autumn."


def article(*sentences: str, title: str = "Harbours") -> str:
    body = "".join(f"<p>{one}</p>" for one in sentences)
    head = f"<html><head><title>{title}</title></head><body><nav>Home</nav>"
    return f"{head}<article><h1>{title}</h1>{body}</article></body></html>"


class Provider:
    """A search service of paper."""

    name = "paper"

    def __init__(self, *urls: str, problem: WebProblem | None = None) -> None:
        self.hits = [Hit(title=f"Hit {n}", url=url, snippet="Camogli is a harbour town.") for n, url in enumerate(urls)]
        self.problem = problem
        self.asked: list[str] = []

    def find(self, query: str, *, limit: int, seconds: float) -> list[Hit]:
        self.asked.append(query)
        if self.problem:
            raise self.problem
        return self.hits[:limit]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as served:
        served.pages |= {
            "a.example/": answer(article(HARBOUR, BOATS, HARBOUR.replace("Camogli", "Recco") * 2)),
            "b.example/": answer(article(WEATHER, "The harbour of Camogli has a lighthouse from 1890 at its end.")),
        }
        yield served


def test_what_is_found_names_its_sources(site: Site) -> None:
    provider = Provider("http://a.example/", "http://b.example/", "http://127.0.0.1/", "file:///etc/passwd")
    found = WebSearcher(provider, site.fetcher()).search("harbour of  Camogli")
    assert found.status == "found"
    assert provider.asked == ["harbour of Camogli"]
    assert {passage.source for passage in found.passages} >= {"http://a.example/", "http://b.example/"}
    assert set(found.unread) == {"http://127.0.0.1/", "file:///etc/passwd"}
    summary = extract_synthesis("harbour of Camogli", found.passages)
    assert summary.sentences
    texts = {passage.source: " ".join(passage.text.split()) for passage in found.passages}
    urls = {source.number: source.url for source in summary.sources}
    assert [source.number for source in summary.sources] == list(range(1, len(urls) + 1))
    for sentence in summary.sentences:
        assert all(
            any(sentence.text in text for url, text in texts.items() if url == urls[n]) for n in sentence.sources
        )


@pytest.mark.parametrize(
    ("problem", "status"), [(SearchRefused("no"), "refused"), (NotReached("dead"), "failed"), (None, "empty")]
)
def test_refused_failed_and_empty_are_told_apart(site: Site, problem: WebProblem | None, status: str) -> None:
    answer_ = WebSearcher(Provider(problem=problem), site.fetcher()).search("harbours")
    assert answer_.status == status
    assert answer_.reason
    assert WebSearcher(None, site.fetcher()).search("harbours").status == "failed"


def test_the_same_question_goes_out_once(site: Site, tmp_path: Path) -> None:
    provider, cache = Provider("http://a.example/"), WebCache(tmp_path)
    first = WebSearcher(provider, site.fetcher(), cache=cache).search("harbours")
    second = WebSearcher(provider, site.fetcher(), cache=cache).search("harbours")
    assert (len(provider.asked), len(site.requests)) == (1, 1)
    assert second.remembered
    assert second.passages == first.passages
    assert not any("harbour" in path.name or "example" in path.name for path in tmp_path.iterdir())
    WebSearcher(provider, site.fetcher()).search("harbours")
    assert len(provider.asked) == 2, "without a cache it is asked again"


def test_what_is_remembered_ages_shrinks_and_may_be_damaged(tmp_path: Path) -> None:
    now = [1_000.0]
    cache = WebCache(tmp_path, most_bytes=2_000, clock=lambda: now[0])
    assert cache.put("search", "one", ["x"])
    assert cache.get("search", "one") == ["x"]
    assert cache.get("search", "two") is None
    now[0] += 2 * 24 * 3600
    assert cache.get("search", "one") is None
    now[0] = 0.0
    assert cache.get("search", "one") is None, "what comes from the future is not believed"
    for n in range(40):
        cache.put("page", str(n), "y" * 100)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2_000
    (path,) = [path for path in tmp_path.glob("page-*.json") if json.loads(path.read_text())["key"] == "39"]
    whole = path.read_bytes()
    for damaged in (whole[:20], b"", b"[" * 100_000, b'{"key": "39"}', b"\xff\xfe"):
        path.write_bytes(damaged)
        assert cache.get("page", "39") is None
    assert not WebCache(tmp_path / "search-x" if path.write_text("") else path / "y").put("page", "k", 1)


def page_of(html: str | bytes, kind: str = "text/html", charset: str = "utf-8") -> Page:
    return Page("https://a.example/", kind, charset, html if isinstance(html, bytes) else html.encode())


HOSTILE = {
    "attributes": "<p " + " ".join(f"a{n}=1" for n in range(150_000)) + ">x",
    "paragraphs": "<p>word " * 250_000,
    "links": "<a href=x>" * 200_000,
    "nested": "<div>" * 300_000,
    "tables": "<table><tr><td>" * 130_000,
    "entities": "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><p>&b;",
    "outside": "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><p>&f; root",
}


def test_hostile_pages_cost_little_and_the_next_one_is_read() -> None:
    pages = [page_of(f"<html><body>{html}") for html in HOSTILE.values()]
    found = extract([*pages, page_of(article(HARBOUR, BOATS))], seconds=120, page_cpu_s=1.0)
    assert isinstance(found[-1], Reading)
    assert HARBOUR in found[-1].text
    told = dict(zip(HOSTILE, found, strict=False))
    assert isinstance(told["attributes"], PageRefused)
    assert "root:" not in str(told["outside"])


def test_time_that_is_over_is_told_of_each_page() -> None:
    found = extract([page_of(article(HARBOUR))] * 3, seconds=0.001)
    assert len(found) == 3
    assert all(isinstance(one, PageRefused) for one in found)


@pytest.mark.parametrize("charset", ["utf-8", "", "latin-1", "no-such", "unicode_escape", "zip", "utf-16"])
def test_any_charset_is_survived(charset: str) -> None:
    (found,) = extract([page_of(article(HARBOUR + " È già tardi.", BOATS), charset=charset)])
    assert isinstance(found, Reading | PageRefused)
    if charset in ("utf-8", "", "no-such", "unicode_escape", "zip"):
        assert isinstance(found, Reading)
        assert "È già tardi" in found.text


def test_ranking_by_meaning_by_words_without_twins_and_not_all_of_one_site() -> None:
    rows = [
        Candidate("Rain in Oslo.", "https://c.example/"), Candidate("A quay with boats.", "https://a.example/1"),
        Candidate("A quay with boats.", "https://d.example/"), Candidate("A pier with ships.", "https://a.example/2"),
        Candidate("A mole with barges.", "https://www.a.example/3"),
    ]  # fmt: skip

    def embed(texts: Sequence[str]) -> np.ndarray:
        sea = np.array([[0.1, 1.0] if "Oslo" in text else [1.0, 0.1 * n] for n, text in enumerate(texts)], np.float32)
        return sea / np.linalg.norm(sea, axis=1, keepdims=True)

    by_meaning = [one.text for _, one in rank("harbour", rows, limit=5, embed=embed)]
    assert "Rain in Oslo." not in by_meaning
    assert len(by_meaning) == len(set(by_meaning)) <= 3
    by_words = rank("boats at the quay", rows, limit=2)
    assert by_words[0][1].text == "A quay with boats."
    assert all(0 <= score <= 1 for score, _ in by_words)


def test_sentences_of_a_model_without_a_source_are_dropped() -> None:
    passages = [Passage(text=HARBOUR, source=f"https://{n}.example/", title=n) for n in ("a", "b", "c")]
    stated = [
        SimpleNamespace(text="True [7].", sources=[3]), SimpleNamespace(text="Of nobody.", sources=[]),
        SimpleNamespace(text="Of a stranger.", sources=[1, 9]), SimpleNamespace(text="Both.", sources=[3, 1]),
        SimpleNamespace(text=" ", sources=[1]),
    ]  # fmt: skip
    kept = validated(stated, passages, by="peer/x")
    assert [(one.text, one.sources) for one in kept.sentences] == [("True.", (1,)), ("Both.", (1, 2))]
    assert [(source.number, source.title) for source in kept.sources] == [(1, "c"), (2, "a")]
    assert [source.number for source in number_sources(passages)] == [1, 2, 3]
