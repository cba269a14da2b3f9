"""The web in the agent: who searches, how findings are summed up, and how that is told with its sources."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from agent.chat_models.base import ChatModel, Piece
from agent.chat_models.errors import ChatFailed
from agent.replies import Replies
from agent.requests import without_controls
from configs.settings import Settings
from knowledge.embedding.opened_later import EmbedderLater
from knowledge.offline_search import OfflineSearch
from knowledge.passage import Passage, SearchAnswer, WebSearch

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from agent.state import AgentState
    from knowledge.web.synthesis import Synthesis

__all__ = ["Summary", "create_search", "sum_up", "tell_search", "tell_sources", "tell_synthesis"]

TEMPERATURE = 0.2
"""Of summing up: nothing is to be invented."""


class Statement(Piece):
    """One sentence of a summary."""

    text: str = Field(max_length=400, description="one sentence, in the language of the question")
    sources: list[int] = Field(min_length=1, max_length=5, description="numbers of the sources that say so")


class Summary(Piece):
    """What the sources say about a question."""

    sentences: list[Statement] = Field(min_length=1, max_length=6)


def create_search(
    settings: Settings,
    *,
    cancel: threading.Event | None = None,
    embedder: EmbedderLater | None = None,
    remember: bool = True,
) -> WebSearch:
    """The search of these settings: of the web where the network is on, else one that says that it is off.

    Args:
        settings: of this run.
        cancel: set it to stop waiting.
        embedder: the embedding model, shared with who else compares meaning; None is one of its own.
        remember: whether answers are kept, and taken from what was kept.
    """
    if not settings.network:
        return OfflineSearch()
    return _OpenedLater(lambda: _open(settings, cancel, embedder or EmbedderLater(), remember))


def sum_up(
    query: str,
    passages: Sequence[Passage],
    *,
    model: ChatModel | None = None,
    embedder: EmbedderLater | None = None,
) -> tuple[Synthesis, str]:
    """What the passages say about a question, with sources; and why a model's own words are not in it, if they are not.

    Args:
        query: what the web was asked.
        passages: what was found, best first.
        model: writes it; None takes sentences of the pages.
        embedder: makes meaning comparable, for the latter; not opened before it is needed.

    Raises:
        Cancelled: a person stopped it.
    """
    from knowledge.web.synthesis import extract_synthesis, validated

    why = ""
    if model is not None and passages:
        try:
            stated = model.piece(Summary, _messages(query, passages), label="web summary", temperature=TEMPERATURE)
            written = validated(stated.sentences, passages, by=model.name)
            if written.sentences:
                return written, ""
            why = f"{model.name} named no source that exists"
        except ChatFailed as problem:
            why = str(problem)
    embed = embedder.embed() if embedder and passages else None
    return extract_synthesis(query, passages, embed=embed), why


def tell_synthesis(synthesis: Synthesis, replies: Replies) -> list[str]:
    """The lines of an answer from the web: each sentence with its numbers, then the sources."""
    told = [
        f"{without_controls(sentence.text)} {' '.join(f'[{number}]' for number in sentence.sources)}"
        for sentence in synthesis.sentences
    ]
    by = replies.say("web_by", model=synthesis.by) if synthesis.by else replies.say("web_says")
    return [by, *told, *tell_sources(synthesis, replies)] if told else []


def tell_search(state: AgentState, replies: Replies) -> list[str]:
    """The answer from the web to a question, with what else is to be said of it; nothing where the web has none."""
    synthesis = state.get("synthesis")
    if state.get("search") != "found" or synthesis is None or not synthesis.sentences:
        return []
    return [*state["assumptions"], *state.get("remarks", []), *tell_synthesis(synthesis, replies)]


def tell_sources(synthesis: Synthesis, replies: Replies) -> list[str]:
    """The sources by number, one a line."""
    lines = [f"  [{s.number}] {without_controls(s.title)}{': ' if s.title else ''}{s.url}" for s in synthesis.sources]
    return [replies.say("web_sources"), *lines] if lines else []


def _messages(query: str, passages: Sequence[Passage]) -> list[BaseMessage]:
    from langchain_core.messages import HumanMessage, SystemMessage

    from agent.fencing import as_data

    asked = f"The question:\n{query}\n\n{as_data(passages)}\n\nSum up what the sources say about the question."
    return [SystemMessage(_prompt()), HumanMessage(asked)]


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "prompts" / "web_summary.md").read_text(encoding="utf-8")


class _OpenedLater:
    """A `WebSearch` that is opened at the first search: its libraries are not imported before."""

    def __init__(self, opens: Callable[[], WebSearch]) -> None:
        self._opens = opens
        self._search: WebSearch | None = None

    def search(self, query: str, *, limit: int = 5) -> SearchAnswer:
        """See `WebSearch`."""
        self._search = self._search or self._opens()
        return self._search.search(query, limit=limit)


def _open(settings: Settings, cancel: threading.Event | None, embedder: EmbedderLater, remember: bool) -> WebSearch:
    from knowledge.web.cache import WebCache
    from knowledge.web.fetch import Fetcher
    from knowledge.web.providers import find_provider
    from knowledge.web.search import WebSearcher

    return WebSearcher(
        find_provider(),
        Fetcher(),
        pages=settings.search_results,
        cache=WebCache(settings.knowledge_home / "web") if remember else None,
        embedder=embedder.embed,
        cancel=cancel,
    )
