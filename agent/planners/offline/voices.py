"""Those who are heard and never seen: narrators, voices, radios."""

from __future__ import annotations

from agent.planners.offline.cast import Mention
from agent.planners.offline.page import LINE_MARK, QUOTE_MARK, Page
from agent.planners.offline.text import tokenise
from agent.planners.offline.wordlists import phrases, starts_with, words
from tools.storyboard import Language

__all__ = ["find_voices", "is_off", "is_voice", "voice_name"]

_REACH = 6
_NARRATOR: dict[str, str] = {"it": "Narratore", "en": "Narrator"}


def is_voice(name: str) -> bool:
    """Whether a script's speaker is only heard: `VO`, `A voice`, `Voce fuori campo`, `Luca's voice`."""
    keys = [token.key for token in tokenise(name)]
    return any(starts_with(keys[at:], "narrators", "voices") for at in range(len(keys)))


def voice_name(name: str, language: Language) -> str:
    """What one who is heard is called: a narrator by one name, others as written, without the article."""
    tokens = tokenise(name)
    keys = [token.key for token in tokens]
    if any(starts_with(keys[at:], "narrators") for at in range(len(keys))):
        return _NARRATOR.get(language, _NARRATOR["en"])
    skip = int(bool(keys) and keys[0] in words("articles_one", "articles_the") and len(keys) > 1)
    plain = name[tokens[skip].start :] if tokens else name
    return plain[:1].upper() + plain[1:]


def find_voices(page: Page) -> list[Mention]:
    """Voices that say something here; a voice that is only asked for (`with a voice-over`) is an output."""
    keys = [token.key for token in page.tokens]
    found: list[Mention] = []
    at = 0
    while at < len(keys):
        length = starts_with(keys[at:], "narrators", "voices")
        wanted_alone = page.key(at + length) in words("only_behind") or page.at(at - 1, "negation") is not None
        remark = wanted_alone or (at > 1 and page.key(at - 1) in (",", "(") and page.at(at - 2, "cast") is not None)
        if not length or remark or not _says(page, at, at + length):
            at += 1
            continue
        start, end, ids = at, at + length, ()
        owner = page.at(at - 2, "cast") if page.key(at - 1) == "'s" else None
        if page.key(end) in words("possessive_of") and (owned := page.at(end + 1, "cast")):
            found.append(Mention(start, owned.end, (owned.id,), kind="voice", words=page.words(start, owned.end)))
            at = owned.end
            continue
        if owner:
            start = owner.start
            found.append(Mention(start, end, (owner.id,), kind="voice", words=page.words(start, end)))
        else:
            while start > 0 and page.at(start - 1, "trait", "emotion", "delivery"):
                start -= 1
            found.append(Mention(start, end, ids, kind="voice", words=page.words(start, end).strip(" ,:")))
        while (
            more := next((n for n in range(end, min(end + 4, len(keys))) if starts_with(keys[n:], "voices")), 0)
        ) and all(page.tokens[n].is_word for n in range(end, more)):
            end = more + starts_with(keys[more:], "voices")  # `a voice from the radio`: one voice.
            found[-1].end = end
        at = end
    return found


def _says(page: Page, start: int, end: int) -> bool:
    """Whether words are said by it: a verb of saying and a quote follow, or a quote and the verb stand before it."""
    stop = next(
        (at for at in range(end, min(end + _REACH, len(page.tokens))) if page.breaks_between(end, at)), end + _REACH
    )
    ahead = page.tokens[end : min(stop, len(page.tokens))]
    quoted = any(token.text in (QUOTE_MARK, LINE_MARK) for token in ahead)
    before = page.of("speech", "delivery", start=max(0, start - 3), end=start)
    answered = bool(before) and any(t.text == QUOTE_MARK for t in page.tokens[max(0, before[0].start - 2) : start])
    return quoted or answered


def is_off(page: Page, unseen: bool, speaker: str, manner: str, span: tuple[int, int]) -> bool:
    """Whether a line is heard from off stage: a narrator's, `Luca (O.S.)`, `Luca's voice`.

    Args:
        unseen: the one who says it is only ever heard.
        speaker, manner: of a script's line: the name before the colon, and what stands in brackets.
        span: tokens that tell who says it.
    """
    if unseen or is_voice(speaker):
        return True
    told = [token.key for token in page.tokens[span[0] : span[1]]]
    if any(starts_with(told[at:], "off_stage") > 1 for at in range(len(told))):  # `shouts from off screen`
        return True
    keys = [token.key for token in tokenise(manner) if token.key != "."]
    offs = [tuple(key for key in off if key != ".") for off in phrases("off_stage")]
    return any(off == tuple(keys[at : at + len(off)]) for off in offs for at in range(len(keys)))
