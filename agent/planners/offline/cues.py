"""Words set off without quotation marks: the cues of a screenplay, captions in capitals, a title behind `call it`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Cue", "find_captions", "find_cues", "find_sendings"]

_CUE = re.compile(
    r"^[ \t]*(?P<name>[^\W\d_][^\W\d_'’.]*(?: [^\W\d_][^\W\d_'’.]*){0,3})"
    r"[ \t]*(?:\((?P<beside>[^()\n]{1,40})\))?[ \t]*\n"
    r"(?:[ \t]*\((?P<manner>[^()\n]{1,60})\)[ \t]*\n)?",
    re.MULTILINE,
)
_SPEECH = re.compile(r"(?:[ \t]*\S[^\n]*(?:\n|\Z))+")
_CAPITALS = re.compile(r"[^\W\d_a-zß-öø-ÿ][^\Wa-zß-öø-ÿ]*(?:[ '’&!?.,-]{1,2}[^\W_a-zß-öø-ÿ]+){0,8}[!?]?")
_BEFORE_CAPTION = re.compile(
    r"\b(?:put|write|add|place|metti|scrivi|aggiungi|with|con|the words?|the text|la scritta|testo|says?|saying|reads?|"
    r"reading|con scritto|titled|title card|title|titolo|cartello|card|overlay|schreibe|pon|escribe|mets|écris):?[ ]$",
    re.IGNORECASE,
)
_NAMING = re.compile(
    r"\b(?:call|name|title|retitle|entitle)(?: it| this| the (?:film|movie|video|scene|story))[ ]+(?:as )?|"
    r"\b(?:chiamal[ao]|intitolal[ao]|chiama il (?:film|video)|nenn es|nenne es|llámal[ao]|appelle-l[ea])[ ]+",
    re.IGNORECASE,
)
_NAME_END = re.compile(r"[.;,\n]|\s(?:and|then|e|ed|poi|und|y|et)\s|$")


_SENDING = re.compile(
    r"(?:,? ?\b(?:and|then|e|poi)\b )?\b(?:please )?(?:(?:send|e-?mail|mail|post|upload|share|whatsapp|text) "
    r"(?:it|this|the (?:film|video|movie|picture|result))|(?:invia|manda|spedisci|condividi)(?:l[ao]|(?= (?:il|la) ))"
    r"(?: (?:il|la) (?:film|video|filmato|immagine))?)"
    r"(?: (?:to|on|with|via|over|a|al|alla|ai|su|per|in)\b[^.,;!?\n]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cue:
    """Words without marks; offsets in the text. `speaker` is empty for a caption."""

    text: str
    start: int
    end: int
    speaker: str = ""
    manner: str = ""


def find_cues(text: str, is_speaker: Callable[[str], bool]) -> Iterator[Cue]:
    """Speech as screenplays set it: a name in capitals on its own line, the words below it up to a blank line."""
    taken = 0
    for head in _CUE.finditer(text):
        name = head["name"]
        if head.start() < taken or not name.isupper() or len(name) < 2 or not is_speaker(name):
            continue
        body = _SPEECH.match(text, head.end())
        if body is None:
            continue
        stop = body.end()
        after = next((n for n in _CUE.finditer(text, head.end(), stop) if n["name"].isupper()), None)
        if after is not None and is_speaker(after["name"]):
            stop = after.start()
        words = " ".join(text[head.end() : stop].split())
        if any(char.isalnum() for char in words):
            start = head.start("name")
            yield Cue(
                words, start, len(text[:stop].rstrip()), name, f"{head['beside'] or ''} {head['manner'] or ''}".strip()
            )
            taken = stop


def find_sendings(masked: str) -> list[tuple[int, int]]:
    """What asks to send the film to somebody: nobody named there plays in it."""
    return [match.span() for match in _SENDING.finditer(masked)]


def find_captions(text: str, masked: str) -> Iterator[Cue]:
    """A title that nothing marks but its capitals (`put THE END on the last shot`) or its verb (`call it Home`)."""
    for head in _NAMING.finditer(masked):
        end = _NAME_END.search(masked, head.end())
        stop = end.start() if end else len(masked)
        words = text[head.end() : stop].strip()
        if words[:1].isalnum() and masked[head.end() : stop].strip() == words:
            yield Cue(words, head.end(), stop)
    if text.isupper():  # Everything is shouted: capitals tell nothing.
        return
    for caps in _CAPITALS.finditer(masked):
        words = caps.group().strip()
        if sum(char.isalpha() for char in words) >= 3 and _BEFORE_CAPTION.search(
            masked[max(0, caps.start() - 40) : caps.start()]
        ):
            yield Cue(words, caps.start(), caps.start() + len(words))
