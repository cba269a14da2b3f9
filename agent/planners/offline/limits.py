"""Numbers of a request: lengths, shapes, frame rates, versions, times by the clock."""

from __future__ import annotations

from collections.abc import Sequence

from agent.planners.offline.cast import MAX_CHARACTERS
from agent.planners.offline.listing import is_each, listed_items, shots_counted
from agent.planners.offline.page import Page
from agent.planners.offline.say import Notes
from agent.planners.offline.text import fold, tokenise
from agent.planners.offline.wordlists import pattern, starts_with, word_values, words
from tools.storyboard import ASPECT_SIZES, Aspect, TimeOfDay

__all__ = [
    "MAX_SECONDS",
    "clock_times",
    "ratio_spans",
    "read_aspect",
    "read_duration",
    "read_each",
    "read_fps",
    "read_variations",
    "tell_limits",
]

MAX_SECONDS, MIN_SECONDS = 1800.0, 0.5
MAX_VARIATIONS = 16
_RATIO = r"(?<![\d:.])(\d{1,4})\s?(?::|x|×|/|{by})\s?(\d{1,4})(?!\d|:\d)"
_MINUTES = r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])(?!\s?(?:{clock_short})\b)"
_CLOCK = (
    r"(?<![\d:])(\d{1,2})(?:[:.]([0-5]\d))?\s?({clock_hours})(?!\w)"
    r"|\b(?:{clock_before})\s?(\d{1,2})(?:[:.]([0-5]\d))?(?!\d|\s?(?:{seconds}))"
)
_SMALL_RATIOS: dict[tuple[int, int], Aspect] = {(16, 9): "16:9", (9, 16): "9:16", (1, 1): "1:1", (4, 3): "4:3"}


def read_aspect(page: Page, notes: Notes) -> Aspect | None:
    """The shape of the picture, by its numbers or by its name; another ratio gives the nearest and a note."""
    for match in pattern(_RATIO).finditer(page.masked):
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
    chosen = next((m for m in named if page.tokens[m.start].key not in words("any_feed")), named[0] if named else None)
    return next((known for known in _SMALL_RATIOS.values() if chosen and known == chosen.id), None)


def ratio_spans(page: Page) -> list[tuple[int, int]]:
    """Where shapes written as numbers (`9:16`) stand in the text."""
    return [m.span() for m in pattern(_RATIO).finditer(page.masked) if (int(m[1]), int(m[2])) in _SMALL_RATIOS]


def _is_town_square(page: Page, at: int) -> bool:
    """`in a square with a fountain` is a place."""
    return page.key(at) in words("squares") and (
        page.key(at - 1) in words("on_the_square")
        or (page.key(at - 1) in words("one_article") and page.key(at - 2) in words("across_a"))
        or (page.key(at + 1) in words("square_with") and not page.at(at + 1, "aspect"))
    )


def read_duration(page: Page, notes: Notes, start: int = 0, end: int | None = None, whole: bool = True) -> float | None:
    """Seconds, from `30 second`, `half a minute`, `1:30`, `un minuto e mezzo`; brought within what can be made."""
    seconds = _spelled(page, start, len(page.tokens) if end is None else end)
    if seconds is None and whole:
        for match in pattern(_MINUTES).finditer(page.masked):
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


def read_each(page: Page) -> tuple[int, float] | None:
    """`5 seconds each`: the token and the seconds of a length that is that of every shot."""
    for unit in page.of("unit"):
        amount = _amount(page, unit.start) if unit.entry.value and unit.start else None
        if amount is not None and is_each(page, unit.start, unit.end):
            return unit.start, min(max(amount * float(unit.entry.value or 1.0), MIN_SECONDS), MAX_SECONDS)
    return None


def _spelled(page: Page, start: int, end: int) -> float | None:
    total: float | None = None
    last = -1
    for unit in page.of("unit", start=start, end=end):
        if not unit.entry.value or unit.start == 0:
            continue
        amount = _amount(page, unit.start)
        if amount is None or page.key(unit.start - 2) in words("clock_before"):
            continue
        if page.at(unit.start, "ordinal") and not page.tokens[unit.start - 1].is_number and page.at(unit.end, "thing"):
            continue  # `the second shot` is no length.
        value = amount * unit.entry.value
        if is_each(page, unit.start, unit.end):  # `3 shots, 4 seconds each`
            counts = (shots_counted(page, m.start) for m in page.of("thing", "output"))
            return value * next((count for count in counts if count), 1)
        if starts_with([page.key(at) for at in range(unit.end, unit.end + 4)], "and_a_half"):
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
    if token.key in words("article_as_one") and page.tokens[at].key not in words("no_unit_of_one"):
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
    """How many versions are wanted; a list (`three images: Luca happy, Luca sad`) is none of versions."""
    if listed_items(page) is not None:
        return 1
    for thing in page.of("thing"):
        if thing.id != "variation" or not thing.start:
            continue
        at = thing.start
        while at > 0 and page.key(at - 1) in words("different"):
            at -= 1
        amount = _amount(page, at) if at else None
        if amount and amount >= 2:
            if amount > MAX_VARIATIONS:
                notes.assume("variations_cut", count=MAX_VARIATIONS)
            return int(min(amount, MAX_VARIATIONS))
    counts = word_values("two", "three", "four", "five", "six")
    for template in (
        r"\b(?P<count>\d{1,3})\s?(?:{many_versions})\b",
        r"\b(?P<count>\d{1,2}|{two}|{three}|{four}|{five}|{six})\s(?:{pictures})\b",
    ):
        if found := pattern(template).search(page.masked):
            said = found["count"]
            count = int(said) if said.isdigit() else int(counts[fold(said)])
            if count >= 2 and ("{pictures}" in template or _is_different(found.group())):
                return min(count, MAX_VARIATIONS)
    return 1


def tell_limits(page: Page, aspect: Aspect, notes: Notes) -> None:
    """Say which of the things asked for no film of ours has: a larger picture, a crowd, a GIF."""
    if found := pattern(r"(?<!\w)(?:{resolution})(?!\w)").search(page.masked):
        width, height = ASPECT_SIZES[aspect]
        notes.assume("resolution_fixed", asked=found.group(), width=width, height=height)
    if found := pattern(r"(?<!\w)(?:{slow_motion})(?!\w)").search(page.masked):
        notes.assume("no_slow_motion", asked=found.group())
    for at, token in enumerate(page.tokens):
        # Counts of six figures and less; `²` is a digit to Python and no number.
        whole = token.text.isdecimal() and len(token.text) < 7 and page.key(at - 1) not in (":", "x")
        if whole and int(token.text) > MAX_CHARACTERS and _counts_people(page, at + 1):
            notes.assume("crowd", most=MAX_CHARACTERS, count=token.text)
    if any(token.key in words("soundless_formats") for token in page.tokens):
        notes.assume("no_gif")


def _counts_people(page: Page, at: int) -> bool:
    """Whether a plural of persons stands at token `at`, or behind one adjective there."""
    for near in (at, at + 1):
        if near >= len(page.tokens):
            return False
        thing = page.at(near, "thing")
        crowd = (
            near > 0
            and page.tokens[near].is_word
            and page.at(near + 1, "pose")
            and page.at(near, "unit", "thing") is None
        )
        if crowd or page.at(near, "group", "person") or (thing is not None and thing.id == "character"):
            return page.at(near, "unit") is None
    return False


def _is_different(phrase: str) -> bool:
    """`3 different images` are versions, `3 times` and `3x` may be anything."""
    return any(token.key in words("different") for token in tokenise(phrase))


def clock_times(page: Page, start: int, end: int) -> Sequence[tuple[TimeOfDay, int]]:
    """Times of day told by the clock between two tokens, with the token where they stand."""
    found: list[tuple[TimeOfDay, int]] = []
    for match in pattern(_CLOCK).finditer(page.masked):
        at = next((n for n, token in enumerate(page.tokens) if token.start >= match.start()), len(page.tokens))
        if not start <= at < end:
            continue
        hour = int(match.group(1) or match.group(4))
        half = fold(match.group(3) or "").replace(".", "")
        if hour > 24:
            continue
        if half in words("evening_hours") and hour < 12:
            hour += 12
        elif half in words("morning_hours") and hour == 12:
            hour = 0
        elif half in words("night_hours") and 5 < hour < 12:
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
