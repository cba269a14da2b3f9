"""Words set off as said or shown: quotes with marks, and speech that no mark sets off."""

from __future__ import annotations

from dataclasses import dataclass

from agent.planners.offline.lexicon import Match
from agent.planners.offline.text import Token
from agent.planners.offline.wordlists import words as word_list

__all__ = ["FILE_MARK", "LINE_MARK", "QUOTE_MARK", "Quote", "find_quotes", "find_unquoted"]

QUOTE_MARK, FILE_MARK, LINE_MARK = "\ue000", "\ue001", "\ue002"
"""Stand for a quote, a file and a line of a script in the masked text (`clean` lets no such character through)."""

_PAIRS = {"“": "”", "„": "“”", "«": "»", "»": "«", "‹": "›", "「": "」", '"': '"', "‘": "’", "'": "'", "”": "”"}
MAX_QUOTE = 1200
"""A quote that is longer than this is taken to be an unclosed mark."""


@dataclass(slots=True)
class Quote:
    """Words set off from the rest: in quotes, or a line of a script.

    Attributes:
        text: the words, without marks.
        start, end: offsets of the whole, marks included, in the cleaned text.
        speaker: as written, when a script line names it.
        manner: what stands in brackets after the speaker.
    """

    text: str
    start: int
    end: int
    speaker: str = ""
    manner: str = ""
    token: int = -1


def find_quotes(text: str) -> list[Quote]:
    """Every quote, whichever marks it has; an apostrophe is none, and an unclosed mark runs to the end of its line."""
    quotes: list[Quote] = []
    at = 0
    while at < len(text):
        closers = _PAIRS.get(text[at])
        before = text[at - 1] if at else " "
        single = text[at] in "'‘"
        if closers is None or (single and before.isalnum()) or at + 1 >= len(text) or (single and text[at + 1] == " "):
            at += 1
            continue
        if text[at] == '"' and before.isdigit():  # 12" is a length.
            at += 1
            continue
        end = _closing(text, at, closers, single)
        if end is None:
            at += 1
            continue
        inner = text[at + 1 : end].strip(" \n,")
        closed = end < len(text) and text[end] in f'{closers}"'
        if inner and any(char.isalnum() for char in inner):
            quotes.append(Quote(inner, at, min(end + closed, len(text))))
        at = end + 1
    return quotes


def _closing(text: str, opening: int, closers: str, single: bool) -> int | None:
    """Where the quote that opens at `opening` ends."""
    stop = min(len(text), opening + MAX_QUOTE)
    if not single:
        found = [at for closer in closers if (at := text.find(closer, opening + 1, stop)) >= 0]
        blank = text.find("\n\n", opening, stop)
        again = text.find(text[opening], opening + 1, stop) if text[opening] in "„“" else -1
        plain = text.find('"', opening + 1, stop) if text[opening] in "„“" else -1
        if plain >= 0 and (not found or 0 <= again < min(found)):  # `„Komm mit!" ... „Nein!"`
            return plain
        if found and not 0 <= blank < min(found):
            return min(found)
        stop = opening
    for at in range(opening + 1, stop):
        if text[at] in closers:
            after = text[at + 1] if at + 1 < len(text) else " "
            if not after.isalnum() and text[at - 1] not in " (":
                return at
        elif text[at] == "\n":
            break
    if single:
        return None
    line_end = text.find("\n", opening)
    end = len(text) if line_end < 0 else line_end
    return end if end - opening <= MAX_QUOTE else None


def find_unquoted(masked: str, text: str, tokens: list[Token], matches: list[Match]) -> list[Quote]:
    """Speech without marks: `Luca says I am hungry`, `Alberto shouts: run!`; it ends with its sentence."""
    by_start: dict[int, list[Match]] = {}
    for match in matches:
        by_start.setdefault(match.start, []).append(match)
    found: list[Quote] = []
    for verb in matches:
        at = verb.end
        if verb.subject != "speech" or at >= len(tokens) or (found and tokens[verb.start].start < found[-1].end):
            continue
        colon = tokens[at].key == ":"
        at += tokens[at].key in (":", ",")
        opening = next((m for m in by_start.get(at, ()) if m.subject == "opening"), None)
        if at >= len(tokens) or tokens[at].text in (QUOTE_MARK, LINE_MARK):
            continue
        if opening and opening.id == "word" and not colon and _quote_follows(tokens, at):
            continue  # `says hi in Spanish: "Hola!"`
        if colon and _lists_people(tokens, at, by_start):
            continue
        says = tokens[verb.start].key.endswith(
            tuple(word_list("saying_endings"))
        )  # `what does Luca say in shot 1?` asks.
        if not (opening or colon or (says and _exclaimed(tokens, at, by_start, masked))):
            continue
        stop = (
            tokens[opening.end - 1].end
            if opening and opening.id == "word" and not colon
            else _speech_end(tokens, at, by_start, masked)
        )
        words = text[tokens[at].start : stop].strip(" ,;")
        if any(char.isalnum() for char in words):
            found.append(Quote(words, tokens[at].start, stop))
    return found + [quote for quote in _behind_colon(masked, text, tokens, by_start) if not _overlaps(quote, found)]


def _quote_follows(tokens: list[Token], at: int) -> bool:
    """Whether words in marks come before the sentence ends."""
    for token in tokens[at : at + 10]:
        if token.text == QUOTE_MARK:
            return True
        if token.key in (".", "!", "?", ";"):
            return False
    return False


def _lists_people(tokens: list[Token], at: int, by_start: dict[int, list[Match]]) -> bool:
    """`everyone laughs: Alberto, Giulia and the fisherman`: those who do it, nothing that is said."""
    people = {"cast", "name", "spelling", "person", "group"}
    joined = at + 2 < len(tokens) and tokens[at + 1].key in word_list("and_words") | {","}
    return joined and all({m.subject for m in by_start.get(number, ())} & people for number in (at, at + 2))


def _overlaps(quote: Quote, others: list[Quote]) -> bool:
    return any(quote.start < other.end and other.start < quote.end for other in others)


def _exclaimed(tokens: list[Token], at: int, by_start: dict[int, list[Match]], masked: str) -> bool:
    """`Luca says so good!`: a call or a question behind the verb is said; `says to`, `says that`, `asks her` tell."""
    told = word_list("telling")
    if tokens[at].key in told or any(
        m.subject in ("cast", "name", "spelling", "person", "pronoun", "emotion", "delivery", "thing", "output")
        for m in by_start.get(at, ())
    ):
        return False
    return masked[: _speech_end(tokens, at, by_start, masked)].rstrip().endswith(("!", "?"))


def _behind_colon(masked: str, text: str, tokens: list[Token], by_start: dict[int, list[Match]]) -> list[Quote]:
    """`close-up of Alberto, sad: I waited all night`: a name, how they feel, and words that open speech."""
    found: list[Quote] = []
    if ":" not in masked:
        return found
    covering: dict[int, set[str]] = {}
    for match in (m for rows in by_start.values() for m in rows):
        for at in range(match.start, match.end):
            covering.setdefault(at, set()).add(match.subject)
    for number, token in enumerate(tokens[:-1]):
        called = (
            masked[: _speech_end(tokens, number + 1, by_start, masked)].endswith(("!", "?")) if token.key == ":" else 0
        )
        opens = called or any(m.subject == "opening" for m in by_start.get(number + 1, ()))
        if token.key != ":" or not opens or tokens[number + 1].text in (QUOTE_MARK, LINE_MARK):
            continue
        back = number - 1
        while back > 0 and (tokens[back].key == "," or covering.get(back, set()) & {"emotion", "delivery"}):
            back -= 1
        if covering.get(back, set()) & {"cast", "spelling", "name", "person"}:
            stop = _speech_end(tokens, number + 1, by_start, masked)
            found.append(Quote(text[tokens[number + 1].start : stop].strip(" ,;"), tokens[number + 1].start, stop))
    return found


def _speech_end(tokens: list[Token], at: int, by_start: dict[int, list[Match]], masked: str) -> int:
    """Where unquoted speech ends: with its sentence or line, or where another begins to speak."""
    for number in range(at, min(at + 60, len(tokens))):
        token = tokens[number]
        if token.text in (QUOTE_MARK, LINE_MARK) or "\n" in masked[tokens[number - 1].end : token.start]:
            return tokens[number - 1].end
        if token.key in (".", "!", "?", ";", "("):
            return token.end if token.key in ("!", "?") else token.start
        if number > at and token.key in word_list("speech_enders"):
            ahead = number + 1 if tokens[number + 1 : number + 2] and tokens[number + 1].key != "and" else number + 2
            subjects = {m.subject for m in by_start.get(ahead, ())}
            if subjects & {"cast", "name", "spelling", "person", "pronoun"}:
                return token.start
    return tokens[min(at + 60, len(tokens)) - 1].end
