"""What a person is told of what stayed below the threshold or could not be made: what, where, why, what was tried."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from agent.replies import Replies
from agent.state import Attempt, Override, Recalled
from tools.storyboard import Storyboard

__all__ = ["tell_attempt", "tell_failures", "tell_recalled", "tell_retry", "tell_weaknesses"]

MOST_PARTS = 4
MOST_CHECKS = 3
_PAINTED = ("prompt", "negative", "repair", "control_scale", "likeness_scale")
_CALL = re.compile(r"(?:(?P<version>v\d+)\.)?(?:(?P<shot>[^.]+)\.)?(?P<part>[a-z]+)(?P<n>\d*)")


def tell_weaknesses(attempts: list[Attempt], threshold: float, board: Storyboard, replies: Replies) -> list[str]:
    """A line for each of the weakest parts; none where everything is good enough."""
    weak = sorted((one for one in attempts if one.best and one.score < threshold), key=lambda one: one.score)
    if not weak:
        return []
    names = _first_names(board)
    lines = [replies.say("weak")]
    for one in weak[:MOST_PARTS]:
        tries = [other for other in attempts if other.call == one.call]
        lines.append(
            replies.say(
                "weak_one",
                part=_part(one.call, replies),
                list=_shortcomings(one, names, replies),
                tries=_tried(tries, replies),
            )
        )
    if len(weak) > MOST_PARTS:
        lines.append(replies.say("weak_more", n=len(weak) - MOST_PARTS))
    return lines


def tell_retry(attempt: Attempt, override: Override, board: Storyboard, replies: Replies) -> str:
    """`picture of s1: Luca: face cut off; trying a wider or closer view`."""
    what = f"{_part(attempt.call, replies)}: {_shortcomings(attempt, _first_names(board), replies)}"
    return replies.say("trying", what=what, list=_changes([attempt.override, override], replies))


def tell_attempt(attempt: Attempt, tries: list[Attempt], board: Storyboard, replies: Replies) -> str:
    """`  0.91  picture of s1 (attempt 2, another take)`: its score, what fell short, what was changed for it."""
    mine = [one for one in tries if one.call == attempt.call and one.number <= attempt.number]
    changed = _changes([one.override for one in mine], replies)
    lacks = f": {_shortcomings(attempt, _first_names(board), replies)}" if attempt.failed else ""
    told = replies.say("attempt", n=attempt.number) if attempt.number > 1 else ""
    more = ", ".join(text for text in (told, changed) if text)
    return f"  {attempt.score:.2f}  {_part(attempt.call, replies)}{lacks}" + (f" ({more})" if more else "")


def tell_recalled(recalled: dict[str, Recalled], replies: Replies) -> list[str]:
    """`As last time, for the picture of s1: a wider or closer view (0.61 before, 0.93 with it).`"""
    told = [
        replies.say(
            "as_last_time",
            what=_part(call, replies),
            list=_changes([Override(), one.override], replies),
            before=f"{one.before:.2f}",
            after=f"{one.after:.2f}",
        )
        for call, one in recalled.items()
    ]
    more = [replies.say("as_last_time_more", n=len(told) - MOST_PARTS)] if len(told) > MOST_PARTS else []
    return [*told[:MOST_PARTS], *more]


def tell_failures(failures: dict[str, str], replies: Replies) -> list[str]:
    """Each reason once, behind all that it kept from being made: one full disk is not told five times."""
    groups: dict[str, dict[str, str]] = {}
    for call, why in failures.items():
        # The cause stands last: `cannot write .../still.png: No space left on device. Free some space.`
        cause = why.rpartition(": ")[2]
        groups.setdefault(cause.partition(".")[0], {})[call] = why
    told = []
    for reasons in groups.values():
        parts = ", ".join(_part(call, replies) for call in reasons)
        whole = list(dict.fromkeys(reasons.values()))
        causes = [why.rpartition(": ")[2] for why in whole]
        # The longest says what mends it.
        told.append(f"{parts}: {whole[0] if len(whole) == 1 else max(causes, key=len)}")
    return told


def _part(call: str, replies: Replies) -> str:
    """`s2.line1` is line 1 of s2."""
    found = _CALL.fullmatch(call)
    if found is None:
        return call
    version = f" ({found['version']})" if found["version"] else ""
    return replies.name("parts", found["part"], shot=found["shot"] or "", n=found["n"]).strip() + version


def _shortcomings(attempt: Attempt, names: dict[str, str], replies: Replies) -> str:
    """`Luca: face cut off, too dark or too bright`; the reason itself where there was no review."""
    told = []
    for check in attempt.failed:
        name, _, whom = check.partition(".")
        who = f"{names.get(whom, whom)}: " if whom else ""
        told.append(who + replies.name("checks", name))
    told = list(dict.fromkeys(told))
    more = f", +{len(told) - MOST_CHECKS}" if len(told) > MOST_CHECKS else ""
    return ", ".join(told[:MOST_CHECKS]) + more if told else attempt.reason


def _tried(tries: list[Attempt], replies: Replies) -> str:
    """`3 attempts: a wider or closer view, another take`."""
    told = _changes([one.override for one in tries], replies)
    if not told:
        return replies.say("nothing_tried")
    return replies.say("tried", attempts=replies.count("attempts", len(tries)), list=told)


def _changes(overrides: list[Override], replies: Replies) -> str:
    """What was changed from one attempt to the next, in words, each once."""
    levers: dict[str, None] = {}
    for before, after in pairwise(overrides):
        old, new = _settings(before), _settings(after)
        levers |= dict.fromkeys(name for name in new if new[name] != old.get(name))
    return ", ".join(replies.name("levers", name) for name in levers)


def _settings(override: Override) -> dict[str, Any]:
    from tools.image.rendering import Rendering
    from tools.image.tool import StageAdjustment

    stage = StageAdjustment.model_validate(override.args.get("adjust", {})).model_dump()
    plain = {name: value for name, value in override.args.items() if name not in ("adjust", "rendering")}
    # Of how a picture is painted each setting is a lever of its own; the picture begun from belongs to the repair.
    painted = Rendering.model_validate(override.args.get("rendering") or {}).model_dump(mode="json")
    painted = {name: painted[name] for name in _PAINTED}
    return {**stage, **painted, **plain, "seed": override.seed_step}


def _first_names(board: Storyboard) -> dict[str, str]:
    return {member.id: member.name.partition(" ")[0] for member in board.cast}
