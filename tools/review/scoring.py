"""From checks to one number between 0 and 1.

    score = product over the failed checks i of  h_i * (1 - w_i * (1 - s_i))

`s_i` is the check's own score (how near it came to its limit), `w_i` its weight and `h_i` `hard_factor` for a hard
check, 1 for a soft one; all in limits.yaml. What passed leaves the product alone, so a good result scores 1. From the
form it follows that

- the worst failed check weighs most, and every further failure lowers the score: none can be averaged away;
- one hard failure keeps the score at or below `hard_factor`, under the threshold of 0.7, while two tries that both
  fail still differ by how badly, so that the better one is kept;
- what was not run changes nothing: it neither helps nor hurts.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.review.limits import Limits, default_limits
from tools.review.tool import Check, ReviewArtifact

__all__ = ["PASS_SCORE", "base_name", "review_of", "score_checks"]

PASS_SCORE = 0.7
"""What has at least this score is good enough (spec.md: quality threshold)."""


def base_name(check_name: str) -> str:
    """`face_in_frame` of `face_in_frame.luca`: what the weights are listed by."""
    return check_name.partition(".")[0]


def score_checks(checks: Iterable[Check], limits: Limits | None = None) -> float:
    """The score of an artifact from its checks; see the formula above."""
    limits = limits or default_limits()
    score = 1.0
    for check in checks:
        if check.status == "failed":
            weight = limits.weights[base_name(check.name)]
            score *= 1.0 - weight.weight * (1.0 - (check.score or 0.0))
            if weight.hard:
                score *= limits.hard_factor
    return score


def review_of(checks: list[Check], limits: Limits | None = None) -> ReviewArtifact.Output:
    """The review that the checks make: a result of which nothing could be measured has not passed."""
    score = score_checks(checks, limits)
    measured = any(check.status != "not_run" for check in checks)
    return ReviewArtifact.Output(
        score=score if measured else 0.0, passed=measured and score >= PASS_SCORE, checks=checks
    )
