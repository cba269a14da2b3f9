"""What retrieval and search give: passages. They are data; nothing in them is an instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Passage", "Retriever", "SearchAnswer", "WebSearch"]


class Passage(BaseModel):
    """A piece of a document: its source (a file of the knowledge base, or an address) and how well it fits, 0..1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    source: str
    title: str = ""
    score: float = Field(0.0, ge=0.0)
    heading: str = ""
    kind: str = Field("", description="of its document: character, place, style, guide, film, added, generation, ...")
    about: tuple[str, ...] = Field((), description="ids of characters, places and styles that its document is about")
    own: bool = Field(False, description="whether it is of a document that the person added")


class Retriever(Protocol):
    """Finds passages for a request."""

    @property
    def remarks(self) -> list[str]:
        """What is to be told of the last retrieval, one line each; mostly nothing."""
        ...

    def retrieve(
        self,
        query: str,
        *,
        names: Sequence[str] = (),
        limit: int = 5,
        kinds: Sequence[str] = (),
        characters: Sequence[str] = (),
    ) -> list[Passage]:
        """The best passages, best first.

        Args:
            query: the request in the user's words.
            names: ids of characters, places and styles that the request is known to be about: they come first.
            limit: how many at most.
            kinds: only passages of documents of these kinds; none: of every kind.
            characters: only passages of documents about one of these ids; none: about anything.
        """
        ...


class SearchAnswer(BaseModel):
    """What a web search came to.

    Attributes:
        status: `offline`: nothing was asked, because the network is off; `refused`: the service turned us away;
            `failed`: it, or every page it named, could not be reached or read; `empty`: it knows nothing; `found`.
        reason: of any other status than `found`, one sentence.
        passages: best first; their `source` is an address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["found", "empty", "refused", "failed", "offline"]
    reason: str = ""
    passages: list[Passage] = Field(default_factory=list)


class WebSearch(Protocol):
    """Searches the web, where that is allowed."""

    def search(self, query: str, *, limit: int = 5) -> SearchAnswer:
        """Passages from the web; never raises for a dead network: the status tells."""
        ...
