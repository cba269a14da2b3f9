"""With a model without sense every request still ends in a film that plays to its end.

The films are made by the real draft engine, as small as the pictures' own limits allow; sense is no matter of size.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent import storywriting
from agent.context import AgentContext, RunOptions
from agent.planners.base import Composition
from agent.storywriting import nowhere_to_go
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from evals.peer.server import Peer
from tests.agent.planners.offline.test_read import board, rows
from tools.storyboard import ASPECT_SIZES
from tools.video.probe import probe

FULL = bool(os.environ.get("STUDIO_FULL"))
HANDFUL = 3
SMALL = {"16:9": (192, 108), "9:16": (108, 192), "1:1": (128, 128), "4:3": (128, 96)}
FILM_LIKE = ("scene", "edit")


def shuffled() -> list[dict[str, Any]]:
    """Every request of the planner tests, in an order that has nothing to do with their subjects."""
    found = [param.values[0] for param in rows() if param.values[0]["ask"].strip()]
    Random(6).shuffle(found)
    return found


ALL = shuffled()
FILMED = ALL if FULL else [row for row in ALL if row.get("lines") and not row.get("board")][:HANDFUL]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(seed=23) as up, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_LLM_BASE_URL", up.url)
        yield up


@pytest.fixture(scope="module")
def studio(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentContext]:
    """One studio for all films: its workers take longer to start than a film to be made."""
    folder, model = tmp_path_factory.mktemp("films"), f"server/{peer.models[0]}"
    settings = Settings(productions=folder, primary=model, model_timeout_s=60, workers=2)
    with pytest.MonkeyPatch.context() as patch:
        for aspect, size in SMALL.items():
            patch.setitem(ASPECT_SIZES, aspect, size)
        patch.setattr(storywriting, "_compose", slower(storywriting._compose))
        made = create_context(settings)
        yield made
        made.toolbox.close()


def slower(compose: Callable[..., Composition]) -> Callable[..., Composition]:
    """The same storyboards at eight frames a second."""

    def composed(*args: Any) -> Composition:
        written = compose(*args)
        return replace(written, storyboard=written.storyboard.model_copy(update={"fps": 8}))

    return composed


def said(studio: AgentContext, text: str, thread: str, **options: Any) -> dict[str, Any]:
    """The state after a message in a conversation."""
    context = replace(studio, options=RunOptions(**options))
    agent = create_agent(context=context)
    found = agent.invoke({"messages": text}, {"configurable": {"thread_id": thread}}, context=context)  # type: ignore[call-overload]
    return dict(found)


@pytest.mark.parametrize("row", FILMED, ids=lambda row: repr(row["ask"][:48]))
def test_a_request_ends_in_a_film_that_plays(row: dict[str, Any], studio: AgentContext, peer: Peer) -> None:
    peer.reset()
    thread = f"row {ALL.index(row)}"
    for text in row.get("after", []):
        said(studio, text, thread, plan_only=True)
    if row.get("board"):
        said(studio, "make it", thread, plan_only=True, given=board())
    state = said(studio, row["ask"], thread)
    assert state["messages"][-1].text.strip()
    assert peer.refused == [], [seen.error for seen in peer.refused]
    if state["intent"].kind not in FILM_LIKE or not state.get("made"):
        assert state["intent"].kind not in FILM_LIKE or only_told(state), state["messages"][-1].text
        return
    assert not state["work"].failures
    films = [Path(path) for name, path in state["files"].items() if Path(path).suffix == ".mp4"]
    if "video" not in state["outputs"]:
        assert state["files"]
        return
    assert len(films) >= 1
    for film in films:
        found = probe(film, decode=True)
        assert found.video is not None
        assert (found.video.width, found.video.height) == SMALL[state["storyboard"].aspect]
        assert found.video.decoded == found.video.frames > 0
        assert found.video.errors == 0
        assert found.audio is None or found.audio.errors == 0
        # Speech may stretch a shot; nothing shortens one.
        assert found.video.duration_s >= state["storyboard"].duration_s - 0.2


def only_told(state: dict[str, Any]) -> bool:
    """Whether nothing was to be made: a script is written, a change was not understood, something is asked back, or
    there is no step to go back or forward to."""
    if nowhere_to_go(state):  # type: ignore[arg-type]
        return True
    return set(state["outputs"]) <= {"script", "text"} or bool(state["intent"].questions) or not state["intent"].edits
