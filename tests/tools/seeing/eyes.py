"""What tests of the judge with eyes share: a rubric, answers to it, and a call through the engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from configs.characters import load_characters
from configs.settings import Settings
from evals.peer import Reply, Seen, answers
from tests.agent.boards import beach, shot
from tools.base import EngineContext
from tools.seeing.rubric import rubric_of_shot
from tools.seeing.tool import Rubric, SeePicture
from tools.seeing.vision_server import VisionServerLook

__all__ = ["NAMED", "judged", "rubric", "says_scores", "scores_of", "see"]

NAMED = "server/tiny-random"
"""The model as the settings name it; STUDIO_LLM_BASE_URL says where it is."""
_LINE = re.compile(r"^(q\d+)\. (.*)$", re.MULTILINE)


def rubric(*who: str, levers: tuple[str, ...] = ("layout", "prompt", "repair", "controls", "likeness")) -> Rubric:
    """Of a shot at the beach with these people; with Luca and Alberto where none are named."""
    board = beach(shot("s1", *(who or ("luca", "alberto")), action="They wave at a boat."))
    return rubric_of_shot(board.shots[0], board.cast, load_characters(), "pixar_3d", levers=levers)


def judged(text: str, scores: Callable[[str], int], change: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer to a question: `scores` is asked with each question's words."""
    found = {key: {"reason": f"because of {key}", "score": scores(words)} for key, words in _LINE.findall(text)}
    return {**found, "change": {"change": "nothing", "about": "", "amount": 1, **(change or {})}}


def says_scores(scores: Callable[[str], int], change: dict[str, Any] | None = None) -> Callable[[Seen], Reply]:
    """What a peer answers to whatever it is asked about."""
    return lambda seen: answers(judged(seen.text, scores, change))


def scores_of(found: SeePicture.Output) -> dict[str, float]:
    """By criterion."""
    return {one.name: one.score for one in found.scores}


def see(out: Path, picture: Path, *, seed: int = 0, timeout_s: float = 60.0, **args: Any) -> Any:
    """Look at a picture by the engine, at the peer whose address is in the environment."""
    out.mkdir(parents=True, exist_ok=True)
    asked = SeePicture.Input(**{"file": str(picture), "rubric": rubric(), **args})
    engine = VisionServerLook(Settings(vision=NAMED, model_timeout_s=timeout_s))
    ctx = EngineContext(out=out, seed=seed, open_artifact=lambda _key: None)  # type: ignore[arg-type,return-value]
    return engine.run(asked, ctx)
