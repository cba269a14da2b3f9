"""A look at a picture: asked once, and in another order again where the first answer lies near the threshold."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tools.base import EngineContext
from tools.seeing.asking import Question, ask_with_repair, pool, question
from tools.seeing.pictures import encoded, picture_of, read_picture
from tools.seeing.tool import SeePicture

__all__ = ["SEEN", "look"]

SEEN = "seen.jpg"
_APART = 0.5
"""Two askings that differ by more than this on a criterion are told: two steps of the scale."""


def look(
    args: SeePicture.Input,
    ctx: EngineContext,
    model: str,
    asker: Callable[[bytes], Callable[[Question, str, str], tuple[str, int]]],
) -> SeePicture.Output:
    """Look at a picture and write down what was seen.

    Args:
        model: who looks, as provider/model.
        asker: is handed the JPEG, gives what asks about it (see `ask_with_repair`).

    Raises:
        InvalidInput: no picture, or one that is not read.
        BadOutput: no usable answer; besides, what asking raises.
    """
    artifact = ctx.open(args.picture) if args.picture is not None else None
    ctx.progress(0.0, "opening the picture")
    shown = picture_of(artifact) if artifact is not None else read_picture(Path(args.file).expanduser())
    data = encoded(shown)
    (ctx.out / SEEN).write_bytes(data)
    ask = asker(data)
    seed = ctx.seed * 1000 + args.variant
    begun = time.monotonic()
    ctx.progress(0.1, f"{model} looks")
    answers = [ask_with_repair(ask, question(args.rubric, seed), args.rubric, model)]
    scores, overall, apart, suggestion = pool(args.rubric, answers)
    notes: list[str] = []
    if abs(overall - args.threshold) <= args.margin and len(args.rubric.criteria) > 1:
        ctx.progress(0.5, f"{model} looks again")
        first = overall
        answers.append(ask_with_repair(ask, question(args.rubric, seed, second=True), args.rubric, model))
        scores, overall, apart, suggestion = pool(args.rubric, answers)
        notes.append(f"asked twice, for {first:.2f} lies near {args.threshold:.2f}; the mean is taken")
    if apart > _APART:
        notes.append(f"the two answers differ by up to {apart:.2f} on one question")
    ctx.progress(1.0, f"{overall:.2f}")
    return SeePicture.Output(
        seen=SEEN,
        scores=scores,
        overall=overall,
        suggestion=suggestion,
        model=model,
        askings=len(answers),
        disagreement=apart,
        tokens=sum(answer.tokens for answer in answers),
        seconds=round(time.monotonic() - begun, 3),
        key=artifact.key if artifact is not None else "",
        notes=notes,
    )
