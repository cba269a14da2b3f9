"""Numbers of a request: lengths, shapes, frame rates, versions, times by the clock."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.planners.offline.page import Page
from agent.planners.offline.say import Notes
from tools.storyboard import ASPECT_SIZES, Aspect, TimeOfDay

__all__ = ["MAX_SECONDS", "clock_times", "ratio_spans", "read_aspect", "read_duration", "read_fps", "read_variations"]

MAX_SECONDS, MIN_SECONDS = 1800.0, 0.5
MAX_VARIATIONS = 16
_RATIO = re.compile(r"(?<![\d:.])(\d{1,4})\s?(?::|x|×|/|by)\s?(\d{1,4})(?!\d|:\d)", re.IGNORECASE)
_MINUTES = re.compile(
    r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])(?!\s?(?:am|pm|a\.m|p\.m|uhr|h\b|o'clock))", re.IGNORECASE
)
_CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2})(?:[:.]([0-5]\d))?\s?(am|pm|a\.m\.?|p\.m\.?|o'clock|uhr|in the morning|at night|di notte|"
    r"di mattina|del mattino|di sera|della sera|del pomeriggio|heures)(?!\w)|"
    r"(?:\balle|\ball'|\ba las|\bum)\s?(\d{1,2})(?:[:.]([0-5]\d))?(?!\d|\s?(?:second|minut|sec))",
    re.IGNORECASE,
)
_SMALL_RATIOS: dict[tuple[int, int], Aspect] = {(16, 9): "16:9", (9, 16): "9:16", (1, 1): "1:1", (4, 3): "4:3"}


def read_aspect(page: Page, notes: Notes) -> Aspect | None:
    """The shape of the picture, by its numbers or by its name; another ratio gives the nearest and a note."""
    for match in _RATIO.finditer(page.masked):
        width, height = int(match.group(1)), int(match.group(2))
        if not width or not height:
            continue
        exact = _SMALL_RATIOS.get((width, height))
        if exact:
            return exact
        pixels = width >= 240 and height >= 240
        if not pixels and not (
            ":" in match.group()
            and (width, height) in ((3, 4), (2, 3), (4, 5), (5, 4), (3, 2), (21, 9), (2, 1), (1, 2), (16, 10))
        ):
            continue
        ratio = width / height
        nearest = min(ASPECT_SIZES, key=lambda name: abs(ASPECT_SIZES[name][0] / ASPECT_SIZES[name][1] / ratio - 1))
        aspect = next(known for known in _SMALL_RATIOS.values() if known == nearest)
        if abs(ASPECT_SIZES[aspect][0] / ASPECT_SIZES[aspect][1] / ratio - 1) > 0.02:
            notes.assume("aspect_nearest", asked=match.group(), aspect=aspect)
        return aspect
    named = [m for m in page.of("aspect") if not _is_town_square(page, m.start)]
    chosen = next(
        (m for m in named if page.tokens[m.start].key not in ("instagram", "youtube")), named[0] if named else None
    )
    return next((known for known in _SMALL_RATIOS.values() if chosen and known == chosen.id), None)


def ratio_spans(page: Page) -> list[tuple[int, int]]:
    """Where shapes written as numbers (`9:16`) stand in the text."""
    return [m.span() for m in _RATIO.finditer(page.masked) if (int(m[1]), int(m[2])) in _SMALL_RATIOS]


def _is_town_square(page: Page, at: int) -> bool:
    """`in a square with a fountain` is a place."""
    return page.key(at) in ("square", "squared") and (
        page.key(at - 1) in ("in", "on", "across", "the", "old", "to")
        or (page.key(at - 1) == "a" and page.key(at - 2) in ("in", "on", "across"))
        or (page.key(at + 1) in ("with", "of") and not page.at(at + 1, "aspect"))
    )


def read_duration(page: Page, notes: Notes, start: int = 0, end: int | None = None, whole: bool = True) -> float | None:
    """Seconds, from `30 second`, `half a minute`, `1:30`, `un minuto e mezzo`; brought within what can be made."""
    seconds = _spelled(page, start, len(page.tokens) if end is None else end)
    if seconds is None and whole:
        for match in _MINUTES.finditer(page.masked):
            pair = int(match.group(1)), int(match.group(2))
            if pair not in _SMALL_RATIOS and pair[1] not in (9, 16) and pair[0] + pair[1]:
                seconds = pair[0] * 60.0 + pair[1]
                break
    if seconds is None:
        return None
    if seconds > MAX_SECONDS:
        notes.assume("film_too_long", count=int(MAX_SECONDS // 60))
        return MAX_SECONDS
    if seconds < MIN_SECONDS:
        notes.assume("film_too_short", count=MIN_SECONDS)
        return MIN_SECONDS
    return seconds


def _spelled(page: Page, start: int, end: int) -> float | None:
    total: float | None = None
    last = -1
    for unit in page.of("unit", start=start, end=end):
        if not unit.entry.value or unit.start == 0:
            continue
        amount = _amount(page, unit.start)
        if amount is None or page.key(unit.start - 2) in ("alle", "um"):
            continue
        if page.at(unit.start, "ordinal") and not page.tokens[unit.start - 1].is_number and page.at(unit.end, "thing"):
            continue  # `the second shot` is no length.
        value = amount * unit.entry.value
        behind = [page.key(at) for at in range(unit.end, unit.end + 3)]
        if behind[:2] in (["and", "a"], ["e", "mezzo"], ["y", "medio"], ["et", "demi"]) and "half" in (
            *behind,
            "half" if behind[0] != "and" else "",
        ):
            value += 0.5 * unit.entry.value
        if total is None:
            total, last = value, unit.end
        elif unit.start - last <= 4 and unit.entry.value == 1:  # `1 minute and 30 seconds`
            return total + value
        else:
            break
    return total


def _amount(page: Page, at: int) -> float | None:
    """The number right before token `at`."""
    before = at - 1
    if page.key(before) == "-":
        before -= 1
    if before < 0:
        return None
    token = page.tokens[before]
    if token.is_number:
        return float(token.text.replace(",", "."))
    number = page.at(before, "number")
    if number and number.entry.value is not None:
        return number.entry.value
    if token.key in ("a", "an", "un", "una", "une", "ein", "eine", "one") and page.tokens[at].key not in (
        "s",
        "m",
        "second",
    ):
        return 1.0
    return None


def read_fps(page: Page, notes: Notes) -> int | None:
    """Frames per second."""
    for unit in page.of("unit"):
        if unit.entry.value == 0 and unit.start and (amount := _amount(page, unit.start)) is not None:
            fps = round(min(max(amount, 8), 60))
            if fps != amount:
                notes.assume("fps_limits", count=fps)
            return fps
    return None


def read_variations(page: Page, notes: Notes) -> int:
    """How many versions are wanted."""
    for thing in page.of("thing"):
        if thing.id != "variation" or not thing.start:
            continue
        at = thing.start
        while at > 0 and page.key(at - 1) in (
            "different",
            "diverse",
            "more",
            "altre",
            "new",
            "verschiedene",
            "diferentes",
            "other",
            "alternative",
            "possible",
        ):
            at -= 1
        amount = _amount(page, at) if at else None
        if amount and amount >= 2:
            if amount > MAX_VARIATIONS:
                notes.assume("variations_cut", count=MAX_VARIATIONS)
            return int(min(amount, MAX_VARIATIONS))
    times = re.search(
        r"\b(\d{1,3}|twice|three times|four times)\s?(?:x\b|times\b|different (?:image|picture|video|clip)s)",
        page.masked,
    )
    images = re.search(
        r"\b(\d{1,2}|two|three|four|five|six|due|tre|quattro|cinque|drei|zwei|vier)\s(?:images|pictures|pics|immagini|foto|photos|Bilder|imágenes|stills)\b",
        page.masked,
        re.IGNORECASE,
    )
    words = {
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "due": 2,
        "tre": 3,
        "quattro": 4,
        "cinque": 5,
        "zwei": 2,
        "drei": 3,
        "vier": 4,
    }
    for found in (times, images):
        if found and (found.group(1).isdigit() or found.group(1).lower() in words):
            count = int(found.group(1)) if found.group(1).isdigit() else words[found.group(1).lower()]
            if count >= 2 and not (found is times and "different" not in found.group()):
                return min(count, MAX_VARIATIONS)
    return 1


def clock_times(page: Page, start: int, end: int) -> Sequence[tuple[TimeOfDay, int]]:
    """Times of day told by the clock between two tokens, with the token where they stand."""
    found: list[tuple[TimeOfDay, int]] = []
    for match in _CLOCK.finditer(page.masked):
        at = next((n for n, token in enumerate(page.tokens) if token.start >= match.start()), len(page.tokens))
        if not start <= at < end:
            continue
        hour = int(match.group(1) or match.group(4))
        half = (match.group(3) or "").lower().replace(".", "")
        if hour > 24:
            continue
        if half in ("pm", "di sera", "della sera", "del pomeriggio") and hour < 12:
            hour += 12
        elif half in ("am", "in the morning", "di mattina", "del mattino", "di notte") and hour == 12:
            hour = 0
        elif half == "at night" and 5 < hour < 12:
            hour += 12
        found.append((_time_of_hour(hour % 24), at))
    return found


def _time_of_hour(hour: int) -> TimeOfDay:
    """Dawn from 5 to 8, day to 17, sunset to 21, else night."""
    if 5 <= hour < 8:
        return "dawn"
    if 8 <= hour < 17:
        return "day"
    return "sunset" if 17 <= hour < 21 else "night"
