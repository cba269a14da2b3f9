"""Words set off without quotation marks: the cues of a screenplay, captions in capitals, a title behind `call it`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.planners.offline.wordlists import pattern

__all__ = ["Cue", "find_captions", "find_cues", "find_sendings"]

_CUE = re.compile(
    r"^[ \t]*(?P<name>[^\W\d_][^\W\d_'’.]*(?: [^\W\d_][^\W\d_'’.]*){0,3})"
    r"[ \t]*(?:\((?P<beside>[^()\n]{1,40})\))?[ \t]*\n"
    r"(?:[ \t]*\((?P<manner>[^()\n]{1,60})\)[ \t]*\n)?",
    re.MULTILINE,
)
_SPEECH = re.compile(r"(?:[ \t]*\S[^\n]*(?:\n|\Z))+")
_CAPITALS = re.compile(r"[^\W\d_a-zß-öø-ÿ][^\Wa-zß-öø-ÿ]*(?:[ '’&!?.,-]{1,2}[^\W_a-zß-öø-ÿ]+){0,8}[!?]?")
_BEFORE_CAPTION = r"\b(?:{before_caption}):?[ ]$"
_NAMING = r"\b(?:{naming}) (?:{named_film})[ ]+(?:as )?|\b(?:{naming_with_it})[ ]+"
_LABEL = r"\b(?:{title_labels})(?: ?:| (?:{title_links})) +(?=[\w¡¿])"
_CARD = r"\b(?:{card_labels})(?: (?:{card_places}))? ?: +(?=[\w¡¿])"
_NAME_END = r"[.;,\n]|\s(?:{name_ends})\s|$"
_SENDING = (
    r"(?:,? ?\b(?:{then_words})\b )?\b(?:(?:{please_words}) )?"
    r"(?:(?:{send_verbs}) (?:{sent_film})|(?:{send_verbs_it})(?:l[ao]|(?= (?:{it_articles}) ))"
    r"(?: (?:{it_articles}) (?:{it_film}))?)"
    r"(?: (?:{send_to})\b[^.,;!?\n]*)?"
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
    return [match.span() for match in pattern(_SENDING).finditer(masked)]


def find_captions(text: str, masked: str) -> Iterator[Cue]:
    """A title that nothing marks but its capitals (`put THE END on the last shot`) or its verb (`call it Home`)."""
    for head in pattern(_NAMING).finditer(masked):
        end = pattern(_NAME_END).search(masked, head.end())
        stop = end.start() if end else len(masked)
        words = text[head.end() : stop].strip()
        if words[:1].isalnum() and masked[head.end() : stop].strip() == words:
            yield Cue(words, head.end(), stop)
    for head in (*pattern(_LABEL).finditer(masked), *pattern(_CARD).finditer(masked)):
        stop = masked.find("\n", head.end())
        end = re.compile(r"[.;](?=\s|$)").search(masked, head.end(), len(masked) if stop < 0 else stop)
        stop = end.start() if end else len(masked) if stop < 0 else stop
        words = text[head.end() : stop].strip()
        if (words[:1].isupper() or words[:1].isdigit()) and masked[head.end() : stop].strip() == words:
            yield Cue(words, head.end(), head.end() + len(words))
    if text.isupper():  # Everything is shouted: capitals tell nothing.
        return
    for caps in _CAPITALS.finditer(masked):
        words = caps.group().strip()
        if sum(char.isalpha() for char in words) >= 3 and pattern(_BEFORE_CAPTION).search(
            masked[max(0, caps.start() - 40) : caps.start()]
        ):
            yield Cue(words, caps.start(), caps.start() + len(words))
