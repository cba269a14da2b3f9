"""A message laid out for reading: what is quoted, which files it names, its tokens and the phrases found in them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.planners.offline.cues import find_captions, find_cues, find_sendings
from agent.planners.offline.dashes import find_dashed
from agent.planners.offline.headings import heading_at
from agent.planners.offline.lexicon import Match
from agent.planners.offline.quotes import FILE_MARK, LINE_MARK, QUOTE_MARK, Quote, find_quotes, find_unquoted
from agent.planners.offline.text import Token, fold, tokenise
from agent.planners.offline.vocabulary import READING, Vocabulary
from agent.planners.offline.wordlists import pattern
from agent.planners.offline.wordlists import words as word_list
from tools.storyboard import Language

__all__ = ["FILE_MARK", "LINE_MARK", "QUOTE_MARK", "Page", "Quote", "lay_out"]

_FILE = re.compile(
    r"(?<![\w/.])(?:[a-z]:\\|~?/|\.{1,2}/)?(?:[\w\-]{1,60}[\\/]){0,8}[\w\-]{1,80}(?:\.[\w\-]{1,20}){0,3}"
    r"\.(?:png|jpe?g|webp|gif|bmp|tiff?|svg|mp4|mov|mkv|avi|webm|m4v|mp3|wav|flac|ogg|opus|m4a|aac|srt|vtt|ass|txt|md|"
    r"pdf|ya?ml|json|csv|docx?|safetensors|zip|py|exe|sh)(?![\w])",
    re.IGNORECASE,
)


@dataclass
class Page:
    """A cleaned message and what was found in it; token numbers index `tokens`."""

    text: str
    masked: str
    tokens: list[Token]
    matches: list[Match]
    quotes: list[Quote]
    files: list[str]
    language: Language
    corrected: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Token -> (as written, as read), for misspelled words."""
    sends: bool = False
    """Whether it asks to send the film to somebody."""

    def words(self, start: int, end: int) -> str:
        """The text of tokens `start` to `end` as it was written, quotes and files included."""
        if start >= min(end, len(self.tokens)):
            return ""
        return self.text[self.tokens[start].start : self._stop(end)].strip()

    def _stop(self, end: int) -> int:
        return self.tokens[end].start if end < len(self.tokens) else len(self.text)

    def __post_init__(self) -> None:
        self.keep(self.matches)
        self._breaks = [0]
        """How many sentences and lines end before each token."""
        for number, token in enumerate(self.tokens):
            ends = token.key in (".", "!", "?", ";") or "\n" in self.masked[token.end : self._stop(number + 1)]
            self._breaks.append(self._breaks[-1] + ends)

    def keep(self, matches: list[Match]) -> None:
        """Let only these matches stand on the page."""
        self.matches = matches
        self._at: dict[int, list[Match]] = {}
        self._of: dict[str, tuple[list[int], list[Match]]] = {}
        for match in matches:
            starts, found = self._of.setdefault(match.subject, ([], []))
            starts.append(match.start)
            found.append(match)
            for token in range(match.start, match.end):
                self._at.setdefault(token, []).append(match)

    def of(self, *subjects: str, start: int = 0, end: int | None = None) -> list[Match]:
        """Matches of these subjects among tokens `start` to `end`, in order."""
        stop = len(self.tokens) if end is None else end
        rows: list[Match] = []
        for subject in subjects:
            starts, found = self._of.get(subject, ([], []))
            rows += [m for m in found[bisect_left(starts, start) : bisect_left(starts, stop)] if m.end <= stop]
        return sorted(rows, key=lambda match: match.start) if len(subjects) > 1 else rows

    def at(self, token: int, *subjects: str) -> Match | None:
        """The match of one of the subjects that covers a token."""
        return next((m for m in self._at.get(token, ()) if m.subject in subjects), None)

    def key(self, token: int) -> str:
        """Folded word at `token`; empty outside the page."""
        return self.tokens[token].key if 0 <= token < len(self.tokens) else ""

    @property
    def is_caseless(self) -> bool:
        """Whether capitals tell nothing: all capitals, no capitals, or a Title Like This."""
        words = [token for token in self.tokens if token.is_word and len(token.text) > 1]
        upper = sum(token.text[0].isupper() for token in words)
        return len(words) >= 5 and upper > 0.6 * len(words)

    def starts_sentence(self, token: int) -> bool:
        """Whether a token is the first of a sentence or of a line."""
        if token == 0:
            return True
        before, here = self.tokens[token - 1], self.tokens[token]
        if before.text == LINE_MARK:
            return True
        return before.key in (".", "!", "?", ":", "-", "•", "*", ")") or "\n" in self.masked[before.end : here.start]

    def breaks_between(self, first: int, second: int) -> bool:
        """Whether a sentence ends between two tokens."""
        first, second = max(first, 0), min(second, len(self.tokens))
        return second > first and self._breaks[second] > self._breaks[first]


def lay_out(text: str, vocabulary: Vocabulary, language: Language, is_speaker: Callable[[str], bool]) -> Page:
    """Lay out a cleaned message. `is_speaker` tells whether words before a colon may name who speaks."""
    quotes = find_quotes(text)
    dashed = find_dashed(text, lambda words: _is_saying(words, vocabulary, language))
    quotes += [d for d in dashed if not any(d.start < q.end and q.start < d.end for q in quotes)]
    quotes.sort(key=lambda quote: quote.start)
    masked = _mask(text, [(q.start, q.end) for q in quotes], QUOTE_MARK)
    files: list[str] = []
    for match in list(_FILE.finditer(masked)):
        files.append(text[match.start() : match.end()])
        masked = _mask(masked, [match.span()], FILE_MARK)
    cues = [Quote(c.text, c.start, c.end, c.speaker, c.manner) for c in find_cues(text, is_speaker)]
    masked_cues = _mask(masked, [(cue.start, cue.end) for cue in cues], LINE_MARK)
    lines = [
        *find_script_lines(
            text, masked_cues, quotes, is_speaker, lambda words: _is_action(words, vocabulary, language)
        ),
        *cues,
    ]
    quotes = [quote for quote in quotes if not any(line.start <= quote.start < line.end for line in lines)]
    masked = _mask(masked, [(line.start, line.end) for line in lines], LINE_MARK)
    sendings = find_sendings(masked)
    masked = _blank(masked, sendings)
    captions = [Quote(c.text, c.start, c.end) for c in find_captions(text, masked)]
    masked = _mask(masked, [(quote.start, quote.end) for quote in captions], QUOTE_MARK)
    quotes = sorted([*quotes, *lines, *captions], key=lambda quote: quote.start)
    for quote in quotes:  # A file named in quotes is a file: `use "pose.png"`.
        if not quote.speaker and _FILE.fullmatch(quote.text.strip()):
            files.append(quote.text.strip())
    tokens, corrected, matches = _look_up(masked, vocabulary, language)
    if spoken := find_unquoted(masked, text, tokens, matches):
        quotes = sorted([*quotes, *spoken], key=lambda quote: quote.start)
        masked = _mask(masked, [(quote.start, quote.end) for quote in spoken], QUOTE_MARK)
        tokens, corrected, matches = _look_up(masked, vocabulary, language)
    by_start = {quote.start: quote for quote in quotes}
    for number, token in enumerate(tokens):
        if token.text in (QUOTE_MARK, LINE_MARK) and token.start in by_start:
            by_start[token.start].token = number
    quotes = [quote for quote in quotes if quote.token >= 0]
    matches = [match for match in matches if match.subject != "opening"]
    return Page(text, masked, tokens, matches, quotes, list(dict.fromkeys(files)), language, corrected, bool(sendings))


def _is_saying(words: str, vocabulary: Vocabulary, language: Language) -> bool:
    """Whether words begin with a verb of saying: `dice Alberto`."""
    found = vocabulary.find(tokenise(words[:60])[:4], language, frozenset({"speech"}))
    return any(match.start <= 1 for match in found) and not words.lstrip()[:1].isupper()


def _look_up(
    masked: str, vocabulary: Vocabulary, language: Language
) -> tuple[list[Token], dict[int, tuple[str, str]], list[Match]]:
    tokens = tokenise(masked)
    corrected = _correct(tokens, vocabulary, language)
    return tokens, corrected, vocabulary.find(tokens, language, READING)


_COLON = re.compile(r" ?:(?![\d/]) ?(?=\S)")
_WORD_BACK = re.compile(r"(?:^|(?<=[^\w'’.\-]))(?:(?:[^\W\d_]\.){2,4}|[^\W\d_][\w'’\-]{0,24}\.?|\d{1,2})$")
_MANNER_BACK = re.compile(r" ?\(([^()\n]{1,60})\)$")


@dataclass(slots=True)
class _Tag:
    name: str
    manner: str
    start: int
    end: int


def find_script_lines(
    text: str,
    masked: str,
    quotes: list[Quote],
    is_speaker: Callable[[str], bool],
    is_action: Callable[[str], bool],
) -> list[Quote]:
    """Lines of the form `Name: words` and `Name (scared): words`; the words run to the next tag or the line's end."""
    tags: list[_Tag] = []
    for colon in _COLON.finditer(masked):
        on_line = bool(tags) and "\n" not in masked[tags[-1].end : colon.start()]
        tag = _tag_before(masked, colon, is_speaker, on_line)
        if tag:
            tags.append(tag)
    opened = {quote.start: quote for quote in quotes}
    lines: list[Quote] = []
    for number, tag in enumerate(tags):
        quoted = opened.get(tag.end)
        if quoted:
            lines.append(Quote(quoted.text, tag.start, quoted.end, tag.name, tag.manner))
            continue
        stop = masked.find("\n", tag.end)
        stop = len(masked) if stop < 0 else stop
        if number + 1 < len(tags):
            stop = min(stop, tags[number + 1].start)
        stop = _direction_at(text, tag.end, heading_at(text, tag.end, stop), is_action)
        words, aside = _aside(text[tag.end : stop])
        if QUOTE_MARK not in masked[tag.end : stop] and any(char.isalnum() for char in words):
            lines.append(Quote(words, tag.start, stop, tag.name, f"{tag.manner} {aside}".strip()))
    return lines


def _direction_at(text: str, begin: int, stop: int, is_action: Callable[[str], bool]) -> int:
    """Where a direction follows the words of a script line: `Emma: Where? We see a cave.`; `stop` when none does."""
    bracket = re.search(r"\(([^()]{1,80})\)[ \t.]*$", text[begin:stop])
    if bracket and is_action(bracket.group()):
        return begin + bracket.start()
    for match in re.finditer(r"(?<=[.!?…])[ \t]+(?=\S)", text[begin:stop]):
        at = begin + match.end()
        if pattern(r"(?:{camera_openers})\b").match(text, at) or is_action(text[at:stop]):
            return begin + match.start()
    return stop


def _is_action(words: str, vocabulary: Vocabulary, language: Language) -> bool:
    """Whether a sentence tells what one of the cast does: `Luca waves from the harbour`."""
    if words.startswith("("):  # `(at the cliff, sunset)`: where and when, not how it is said.
        scenery = frozenset({"place", "elsewhere", "time", "weather"})
        return bool(vocabulary.find(tokenise(words[:80]), language, scenery))
    found = vocabulary.find(tokenise(words[:80])[:4], language, frozenset({"cast", "pose", "pronoun"}))
    return (
        len(found) > 1
        and (found[0].subject == "cast" or found[0].id == "they")
        and not found[0].start
        and found[1].subject == "pose"
        and (found[1].start == found[0].end)
    )


def _tag_before(masked: str, colon: re.Match[str], is_speaker: Callable[[str], bool], on_line: bool) -> _Tag | None:
    """The speaker's name before a colon: up to three words, at the start of a line or sentence."""
    begin = max(0, colon.start() - 160)
    head, manner = masked[begin : colon.start()], ""
    if match := _MANNER_BACK.search(head):
        head, manner = head[: match.start()].rstrip(), match.group(1)
    at = len(head)
    found: _Tag | None = None
    for _ in range(5):
        match = _WORD_BACK.search(head, max(0, at - 28), at)
        if not match:
            break
        if found and match.group().endswith(".") and fold(match.group()) not in word_list("honorifics"):
            break  # A sentence ends there: `Robot: Bip. Volpe: Ciao!`
        before = head[: match.start()].rstrip(" ")
        opens = (not before and begin == 0) or before[-1:] in (*"\n.!?;:…-–—*•)", QUOTE_MARK, LINE_MARK)
        if (opens or (on_line and before[-1:] == ",")) and is_speaker(head[match.start() :]):
            found = _Tag(head[match.start() :], manner, begin + match.start(), colon.end())
        at = len(before)
    return found


def _aside(words: str) -> tuple[str, str]:
    """Cut stage directions in brackets off a script line: `(whispers) Come! (laughs)`."""
    aside: list[str] = []
    words = words.strip()
    while match := re.match(r"\(([^()]{1,60})\)\s*", words):
        aside.append(match.group(1))
        words = words[match.end() :]
    while match := re.search(r"\s*\(([^()]{1,60})\)\s*$", words):
        aside.append(match.group(1))
        words = words[: match.start()]
    words = re.sub(r"\s+[-–—/|]+$", "", words)  # What parts this line from the next.
    return words.strip(' "“”«»'), " ".join(aside)


def _mask(text: str, spans: list[tuple[int, int]], mark: str) -> str:
    """`text` with each span turned to a mark and blanks of the same length; line ends stay."""
    chars = list(text)
    for start, end in spans:
        for at in range(start, min(end, len(chars))):
            if chars[at] != "\n":
                chars[at] = " "
        chars[start] = mark
    return "".join(chars)


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _is_form(key: str, vocabulary: Vocabulary) -> bool:
    """Whether a word is a form of one that is known: `leaving` of `leave` is no slip for `leaping`."""
    stems = [key[: -len(ending)] for ending in ("ing", "ed", "es", "s", "er") if key.endswith(ending)]
    return any(vocabulary.is_known(form) for stem in stems if len(stem) > 2 for form in (stem, f"{stem}e"))


def _correct(tokens: list[Token], vocabulary: Vocabulary, language: Language) -> dict[int, tuple[str, str]]:
    """Put the right word in place of misspelled ones among `tokens`; names are left to the reading of people."""
    corrected: dict[int, tuple[str, str]] = {}
    tried: dict[str, str | None] = {}
    for number, token in enumerate(tokens):
        if not token.is_word or len(token.key) < 5 or (token.text[0].isupper() and number and not token.text.isupper()):
            continue
        if token.key not in tried:
            if len(tried) > 150 or vocabulary.near_name(token.key):
                continue
            tried[token.key] = None if _is_form(token.key, vocabulary) else vocabulary.near_word(token.key, language)
            if not tried[token.key] and token.key.endswith("in") and vocabulary.is_known(f"{token.key}g"):
                tried[token.key] = None if vocabulary.is_known(token.key) else f"{token.key}g"  # dancin, runnin
        meant = tried[token.key]
        if meant:
            tokens[number] = Token(token.text, meant, token.start, token.end)
            corrected[number] = (token.text, meant)
    return corrected
