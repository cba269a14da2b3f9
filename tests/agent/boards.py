"""Small storyboards for tests."""

from __future__ import annotations

from typing import Any

from tools.storyboard import CastMember, Line, Placement, Shot, Storyboard

__all__ = ["beach", "line", "shot"]


def line(who: str, text: str, **more: Any) -> Line:
    """A line of dialogue."""
    return Line(character=who, text=text, **more)


def shot(shot_id: str, *who: str, **more: Any) -> Shot:
    """A shot with the given characters side by side."""
    xs = [0.5] if len(who) == 1 else [0.3 + 0.4 * i / max(1, len(who) - 1) for i in range(len(who))]
    placements = [Placement(character=name, x=x) for name, x in zip(who, xs, strict=True)]
    return Shot(id=shot_id, placements=placements, **{"duration_s": 1.0, "ambience": "beach", **more})


def beach(*shots: Shot, **more: Any) -> Storyboard:
    """A storyboard with Luca and Alberto."""
    chosen = list(shots) or [shot("s1", "luca", "alberto", dialogue=[line("luca", "Silenzio, Bruno!")])]
    cast = [
        CastMember(id="luca", name="Luca Paguro", known=True),
        CastMember(id="alberto", name="Alberto Scorfano", known=True),
    ]
    total = sum(s.duration_s for s in chosen)
    return Storyboard(**{"title": "Test beach", "duration_s": total, "cast": cast, "shots": chosen, **more})
