"""How a character is named in words that tell of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.planners.offline.wordlists import pattern, words_in
from tools.storyboard import CastMember

__all__ = ["name_in_text"]


def name_in_text(member: CastMember, others: Sequence[CastMember] = ()) -> re.Pattern[str]:
    """Finds a character in a text: the full name and its words (`Luca`; of `black cat` the noun), with the article.

    Words that also name one of `others` stay out: of two robots `Robot 1` is found, `robot` is not.
    """
    taken = {part.lower() for other in others if other.id != member.id for part in other.name.split()}
    own = [part for part in member.name.split() if part.lower() not in taken and len(part) > 1 and part.isalpha()]
    forms = sorted({member.name, *(own if member.known else _noun(member, own))}, key=len, reverse=True)
    article = "" if member.known else r"(?:\b(?:{articles_one}|{articles_the})\s*)?"
    return pattern(rf"{article}\b(?:{'|'.join(re.escape(form) for form in forms)})\b")


def _noun(member: CastMember, own: list[str]) -> list[str]:
    """Of one who is described the noun, for an adjective alone names nobody: the last word of `old fisherman`, the
    first of `gatto nero`; all words of a name (`Captain Rosso`)."""
    if not own or all(word[:1].isupper() for word in member.name.split()):
        return own
    first = member.look.description.lower().split(" ", 1)[0] if member.look else ""
    return [own[-1] if first in words_in("en", "articles_one", "articles_the") or not first else own[0]]
