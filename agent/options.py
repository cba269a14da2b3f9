"""What one run is told beside the message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.storyboard import Storyboard

__all__ = ["RunOptions"]


@dataclass(frozen=True)
class RunOptions:
    """What one run is told beside the message: LangGraph's run context.

    Attributes:
        plan_only: stop at the storyboard.
        approve: show storyboard and draft stills, and wait for a person before the long work begins.
        given: a storyboard to make as it stands; the message is then not read.
        given_path: the file `given` was read from, if any.
        out: the production's folder; None lets the studio choose one below `settings.productions`.
        outputs: what to make, instead of what the message asks for.
        burn_subtitles: also draw the subtitles into the picture.
        engines: `TOOL=NAME`, or NAME alone: engines to take instead of what the profile prefers.
        strategy: how to think before the storyboard is written (`agent.strategies`); empty chooses by the request.
        preset: of images.yaml, for pictures by an image model: `draft`, `standard`, `high`, `master`.
    """

    plan_only: bool = False
    approve: bool = False
    given: Storyboard | None = None
    given_path: Path | None = None
    out: Path | None = None
    outputs: tuple[str, ...] = ()
    burn_subtitles: bool = False
    engines: tuple[str, ...] = ()
    preset: str = ""
    strategy: str = ""
