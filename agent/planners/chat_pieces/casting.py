"""Who may take part: the characters with sheets, and new ones where the request asks to invent them."""

from __future__ import annotations

from agent.intent import Brief, Intent
from agent.planners.base import PlanRequest
from agent.planners.chat_pieces.asking import Asker
from agent.planners.chat_pieces.outline import Cast, Newcomer
from agent.planners.chat_pieces.prompts import read_prompt
from agent.planners.chat_pieces.questions import LANGUAGES, quoted, request_in_words
from configs.characters import load_characters
from tools.storyboard import CastMember, Look, slugify

__all__ = ["invented_cast", "known_cast"]

MOST_CAST = 6


def known_cast() -> dict[str, CastMember]:
    """The characters that have sheets, by id."""
    return {who: CastMember(id=who, name=sheet.name, known=True) for who, sheet in load_characters().items()}


def invented_cast(intent: Intent, request: PlanRequest, asker: Asker, temperature: float) -> Intent:
    """The intent with the new characters that the request asks for; as it was where the model gives none."""
    brief = intent.brief or Brief()
    here = ", ".join(member.name for member in brief.cast) or "nobody yet"
    piece = asker.ask(
        "primary",
        Cast,
        read_prompt("cast", language=LANGUAGES[intent.language]),
        f"{quoted('cast_already', here)}\n{request_in_words(request)}",
        label="cast",
        temperature=temperature,
        max_tokens=500,
        check=_names_are_new,
    )
    if piece is None:
        return intent
    taken = {member.id for member in brief.cast} | set(known_cast())
    members = list(brief.cast)
    for newcomer in piece.characters:
        who = slugify(newcomer.name, "")
        if who and who not in taken and len(members) < MOST_CAST:
            taken.add(who)
            members.append(_member(who, newcomer))
    if len(members) == len(brief.cast):
        return intent
    new = [member for member in members if member not in brief.cast]
    return intent.model_copy(
        update={
            "brief": brief.model_copy(update={"cast": members}),
            "characters": [*intent.characters, *(one.id for one in new)],
            "unknown_names": [*intent.unknown_names, *(one.name for one in new)],
        }
    )


def _names_are_new(cast: Cast) -> None:
    """No name of the studio's own cast: those have sheets.

    Raises:
        ValueError: in words for the model.
    """
    known = {alias for sheet in load_characters().values() for alias in (sheet.id, *sheet.aliases)}
    for newcomer in cast.characters:
        slug = slugify(newcomer.name, "")
        if not slug:
            raise ValueError(f"{newcomer.name!r} is no name")
        if slug.split("_")[0] in known:
            raise ValueError(f"{newcomer.name} is there already; invent other names")


def _member(who: str, one: Newcomer) -> CastMember:
    look = Look(description=one.looks, species=one.species, age=one.age, gender=one.gender)
    return CastMember(id=who, name=one.name[:80], known=False, look=look)
