"""Whether a picture shows what the storyboard asked for: from what a vision model saw, or plainly not run.

A check a criterion (`meaning_who.luca`, `meaning_where`, ...), and `meaning` for all of them together. They stand
beside the checks that measure: a failed one lowers the score like any other, a passed one raises nothing that failed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.artifact import Artifact
from tools.errors import InvalidInput
from tools.review.limits import MeaningLimits
from tools.review.tool import Check
from tools.review.verdict import Levers, above, not_run
from tools.seeing.tool import Score, SeePicture, Suggestion

__all__ = ["check_meaning", "levers_of"]

NEEDS = (
    "a vision model: `ollama pull qwen2.5vl:7b`, then STUDIO_VISION=ollama/qwen2.5vl:7b "
    "(or `studio models pull qwen_vl_7b` with a GPU)"
)
_STEP = {"wider": -0.1, "closer": 0.12, "brighter": 0.15, "darker": -0.12}
"""By change of the layout: by how much of itself zoom or exposure changes for each step of `amount`."""
_SHIFT = 0.06
"""Fraction of the frame's width that somebody is moved for each step of `amount`."""


def check_meaning(subject: Artifact, seen: Artifact | None, limits: MeaningLimits) -> Iterator[Check]:
    """The checks of what was seen; one that was not run where nobody looked.

    Args:
        subject: what was looked at.
        seen: result of `see_picture` about it.

    Raises:
        InvalidInput: it is something else, or about another result.
    """
    if seen is None:
        yield not_run("meaning", NEEDS)
        return
    if seen.record.tool != "see_picture":
        raise InvalidInput(f"{seen.record.tool} looks at no picture", where="seen")
    found = SeePicture.Output.model_validate(seen.output)
    if found.key != subject.key:
        raise InvalidInput("what was seen is another picture than this one", where="seen")
    fix: Levers = {**levers_of(found.suggestion), "take": 1}
    for score in found.scores:
        yield _check(score, found.suggestion, fix, limits)
    weakest = min(found.scores, key=lambda score: score.score)
    twice = ", asked twice" if found.askings > 1 else ""
    told = f"{found.model} gives {found.overall:.2f}{twice}, at least {limits.min_overall:g}"
    if found.overall < limits.min_overall:
        told += f"; weakest: {weakest.name} ({weakest.reason or 'no reason given'})"
    yield above("meaning", found.overall, limits.min_overall, told, fix=fix)


def _check(score: Score, suggestion: Suggestion, fix: Levers, limits: MeaningLimits) -> Check:
    """A criterion's check. The change that was proposed is about one of them; the others ask for another take, which
    helps where the maker has that lever: what is drawn by rules shows the same place and the same faces again."""
    kind, _, whom = score.name.partition(".")
    name = f"meaning_{kind}.{whom}" if whom else f"meaning_{kind}"
    told = f"{score.score:.2f}, at least {limits.min_criterion:g}: {score.reason or 'no reason given'}"
    mine = suggestion.about in ("", score.name, whom)
    return above(name, score.score, limits.min_criterion, told, fix=fix if mine else {"take": 1})


def levers_of(suggestion: Suggestion) -> Levers:
    """A change of the closed list as levers (see `tools.review.fixes`); empty where nothing is to be changed.

    Every number comes from here: of the model's own there is none but the three steps of `amount`.
    """
    change, about, amount = suggestion.change, suggestion.about, suggestion.amount
    if change in ("wider", "closer"):
        return {"zoom": round(1 + _STEP[change] * amount, 3)}
    if change in ("brighter", "darker"):
        return {"exposure": round(1 + _STEP[change] * amount, 3)}
    if change in ("move_left", "move_right"):
        return {f"dx.{about}": round(_SHIFT * amount * (-1 if change == "move_left" else 1), 3)}
    if change in ("emphasise", "redraw", "more_alike"):
        return {change: about, "amount": float(amount)}
    if change in ("avoid_artefacts", "follow_layout_more", "follow_layout_less"):
        return {change: "", "amount": float(amount)}
    return {}
