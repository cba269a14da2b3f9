"""What a person is told of the engines of a scene, before it is made and after: who makes what, and who could not."""

from __future__ import annotations

from collections.abc import Iterator

from agent.lineup import Lineup, Part, PassedOver
from agent.replies import Replies
from tools.storyboard import Storyboard

__all__ = ["tell_lineup"]

UNTOLD = ("transcribe", "compare_faces", "see_picture")
"""Tools of the judge: its checks say which could be run, and what the others need."""


def tell_lineup(
    lineup: Lineup | None, board: Storyboard, replies: Replies, preset: str = "", *, made: bool = False
) -> list[str]:
    """A line of who makes what, a line for each engine that was passed over; none where all is as it always is.

    Args:
        lineup: of this turn.
        board: whose characters have names.
        replies: in the language of the person.
        preset: for pictures by an image model; where none draws them, that it does nothing is told.
        made: it is made already; how long it will take is no news then.
    """
    lines = _tell_engines(lineup, board, replies, made=made)
    pictures = lineup.part("generate_image") if lineup is not None else None
    if preset and pictures is not None and pictures.embedded:
        lines.append(replies.say("preset_unused", preset=preset, engine=pictures.engine))
    return lines


def _tell_engines(lineup: Lineup | None, board: Storyboard, replies: Replies, *, made: bool) -> list[str]:
    if lineup is not None:
        lineup = Lineup(parts=[part for part in lineup.parts if part.tool not in UNTOLD])
    if lineup is None or (lineup.all_embedded and not any(part.passed_over for part in lineup.parts)):
        return []
    names = {member.id: member.name.partition(" ")[0] for member in board.cast}
    lines = [replies.say("engines", list=_who_makes_what(lineup, names, replies))]
    spoken = [line for shot in board.shots for line in shot.dialogue]
    paid = [line.text for line in spoken if _is_paid(lineup, line.character, line.language)]
    if paid:
        from tools.voice.spending import cost_of

        lines.append(replies.say("costs", cost=cost_of(" ".join(paid))))
    slow = dict.fromkeys(part.engine for part in lineup.parts if part.on_cpu)
    if slow and not made:
        lines.append(replies.say("on_cpu", list=", ".join(slow)))
    lines += _passed_over(lineup, names, replies)
    licences = dict.fromkeys(part.licence for part in lineup.parts if part.licence)
    if licences:
        lines.append(replies.say("not_commercial", list="; ".join(licences)))
    return lines


def _is_paid(lineup: Lineup, character: str, language: str) -> bool:
    part = lineup.part("synthesize_speech", character, language)
    return part is not None and part.paid


def _who_makes_what(lineup: Lineup, names: dict[str, str], replies: Replies) -> str:
    """`pictures by sdxl; voices by gpt_sovits (Luca, Alberto), espeak (Giulia); music by score`."""
    makers: dict[str, dict[str, list[str]]] = {}
    for part in lineup.parts:
        if part.engine:
            who = makers.setdefault(part.tool, {}).setdefault(part.engine, [])
            if part.character:
                who.append(_whose(part, lineup, names))
    told = []
    for tool, engines in makers.items():
        alone = len(engines) == 1
        listed = [name if alone or not who else f"{name} ({', '.join(who)})" for name, who in engines.items()]
        told.append(replies.say("made_by", what=replies.name("tools", tool), engine=", ".join(listed)))
    return "; ".join(told)


def _whose(part: Part, lineup: Lineup, names: dict[str, str]) -> str:
    """`Luca`, or `Luca, it` for one who speaks several languages."""
    name = names.get(part.character, part.character)
    languages = {other.language for other in lineup.parts if other.character == part.character}
    return f"{name} [{part.language}]" if len(languages) > 1 else name


def _until_one_can_be_had(passed: list[PassedOver]) -> Iterator[PassedOver]:
    """What is preferred most, down to the first that a command would bring: that one is enough to know."""
    for one in passed:
        yield one
        if one.command:
            return


def _passed_over(lineup: Lineup, names: dict[str, str], replies: Replies) -> list[str]:
    """Each reason once, with all that it kept an engine from."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for part in lineup.parts:
        for one in _until_one_can_be_had(part.passed_over):
            # Whose voice is lacking stands before the reason, not in it.
            why = one.why.removeprefix(f"{part.character} ") if part.character else one.why
            command = one.command if not part.character else one.command.replace(part.character, "NAME", 1)
            whose = groups.setdefault((part.tool, one.engine, why, command), [])
            if part.character:
                whose.append(_whose(part, lineup, names))
    lines = []
    for (tool, engine, why, command), whose in groups.items():
        what = replies.name("tools", tool) + (f" ({', '.join(whose)})" if whose else "")
        key = "passed_over" if command else "passed_over_plain"
        lines.append(replies.say(key, engine=engine, what=what, why=why, command=command))
    return lines
