"""`studio search "words"`: hits of the web, what they say, and the sources; or plainly why not.

Only Typer and the standard library are imported here; the command imports what it needs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from knowledge.passage import SearchAnswer
    from knowledge.web.synthesis import Synthesis

__all__ = ["search"]


def search(
    words: Annotated[list[str], typer.Argument(help="What the web is asked; only these words go out.")],
    pages: Annotated[int, typer.Option(min=0, max=20, help="Pages to look at; 0 takes the setting.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask anew, and remember nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Search the web: hits, a summary, its sources. Needs STUDIO_NETWORK=true."""
    from agent.interrupts import CancelOnInterrupt
    from agent.requests import clean_request
    from agent.searching import create_search, sum_up
    from agent.turns import Spending, Turn
    from agent.wiring import create_context
    from configs.settings import Settings
    from knowledge.web.problems import Stopped
    from tools.errors import Cancelled, EngineFailed, InvalidInput, MissingPrerequisite

    settings = Settings(search_results=pages) if pages else Settings()
    if not settings.network:
        raise MissingPrerequisite(
            "the network is off, so the web was not asked.", command="STUDIO_NETWORK=true studio search ..."
        )
    query = clean_request(" ".join(words))
    with CancelOnInterrupt() as cancel:
        context = create_context(settings, cancel=cancel)
        try:
            web = create_search(settings, cancel=cancel, embedder=context.embedder, remember=not fresh)
            try:
                answer = web.search(query)
            except Stopped:
                raise Cancelled("stopped") from None
            if answer.status in ("refused", "failed"):
                raise EngineFailed(answer.reason)
            spending = Spending(settings.max_steps, settings.turn_tokens, settings.turn_seconds, cancel)
            model, lacks = None, ""
            if settings.planner != "offline":
                try:
                    model = context.models.of("primary", Turn("search", spending))
                except InvalidInput as problem:
                    # What was found is worth more than who puts it into words.
                    lacks = str(problem)
            synthesis, why = sum_up(query, answer.passages, model=model, embedder=context.embedder)
            why = why or lacks
        finally:
            context.toolbox.close()
    if as_json:
        told = {**answer.model_dump(mode="json"), "synthesis": synthesis.model_dump(mode="json"), "note": why}
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    _tell(answer, synthesis, why)


def _tell(answer: SearchAnswer, synthesis: Synthesis, why: str) -> None:
    """Hits, summary and sources, for a terminal; what others wrote has no power over it."""
    from agent.printing import open_console, tell
    from agent.replies import Replies
    from agent.searching import tell_synthesis
    from knowledge.web.search import Findings

    console = open_console()
    if answer.status == "empty":
        tell(console, answer.reason)
        return
    if isinstance(answer, Findings):
        for number, hit in enumerate(answer.hits, start=1):
            note = f"  (not read: {answer.unread[hit.url]})" if hit.url in answer.unread else ""
            tell(console, f"{number:2}. {hit.title}{note}")
            tell(console, f"    {hit.url}", "dim", whole=True)
        if answer.remembered:
            tell(console, "The list of hits is remembered from before; --fresh asks anew.", "dim")
        tell(console, "")
    replies = Replies("en")
    if why:
        tell(console, replies.say("web_not_by", why=why), "yellow")
    for line in tell_synthesis(synthesis, replies):
        tell(console, line, whole=line.startswith("  ["))
