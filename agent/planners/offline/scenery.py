"""Where and when: place, time, weather, mood, framing and camera of a beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.planners.offline.acting import is_of_the_scene, is_refused
from agent.planners.offline.lexicon import Match
from agent.planners.offline.limits import clock_times
from agent.planners.offline.named_places import find_named_places
from agent.planners.offline.page import Page
from agent.planners.offline.say import Notes
from agent.planners.offline.text import fold
from agent.planners.offline.vocabulary import Vocabulary
from agent.planners.offline.wordlists import starts_with, words
from tools.storyboard import TimeOfDay

__all__ = ["DEFAULT_PLACE", "careful_ok", "read_scenery"]

DEFAULT_PLACE = "beach"
OTHER_PLACE = "harbour"
"""Where a scene is set that is not to be at the default place and names no other."""
NAMED_PLACE = "town_square"
"""Stands in for a place of which no more is known than its name."""
_INDOORS = frozenset({"kitchen", "bedroom"})
"""Drawn places that stand in for rooms."""
_QUALIFYING = ("trait", "colour", "ordinary", "weather", "emotion", "mood", "negation", "number")


def read_scenery(
    page: Page, start: int, end: int, vocabulary: Vocabulary, notes: Notes, hour: TimeOfDay | None = None
) -> dict[str, Any]:
    """Fields of `Beat` that say where, when and how it is looked at; what is not said is left out.

    Args:
        hour: the time of day, where it is settled already.
    """
    fields: dict[str, Any] = {}
    fields.update(_place(page, start, end, vocabulary, notes))
    if time := hour or _time(page, start, end, vocabulary, notes):
        fields["time_of_day"] = time
    if weather := _weather(page, start, end, vocabulary, notes):
        fields["weather"] = weather
    _sun_at_night(page, start, end, fields.get("time_of_day"), notes)
    if mood := _mood(page, start, end):
        fields["mood"] = mood
    for subject in ("framing", "camera"):
        shown = [
            m for m in page.of(subject, start=start, end=end) if careful_ok(page, m, start) and not is_refused(page, m)
        ]
        if shown:
            fields[subject] = shown[0].id
    if fields.get("camera") == "push" and "framing" not in fields and _on_face(page, start, end):
        fields["framing"] = "close"
    return fields


def _on_face(page: Page, start: int, end: int) -> bool:
    """`zoom in on Alberto's face`."""
    camera = page.of("camera", start=start, end=end)[0]
    faces = [m for m in page.of("thing", start=camera.end, end=min(end, camera.end + 6)) if m.id == "face"]
    return bool(faces)


def careful_ok(page: Page, match: Match, start: int) -> bool:
    """Whether a word that has everyday uses (close, push) is meant for the camera here."""
    if page.tokens[match.start : match.end] == [] or not match.entry.careful:
        return True
    written = " ".join(page.key(at) for at in range(match.start, match.end))
    if written not in {fold(word) for word in match.entry.careful}:
        return True
    beside = [
        page.at(at, "thing", "camera", "framing") for at in (match.start - 2, match.start - 1, match.end, match.end + 1)
    ]
    if any(m and m is not match and (m.subject != "thing" or m.id in ("shot", "camera")) for m in beside):
        return True
    opens = match.start - (page.key(match.start - 1) in words("intensifying"))
    alone = opens == start or page.key(opens - 1) in (",", ".", "(")
    if alone and (match.end >= len(page.tokens) or page.tokens[match.end].is_mark):
        return True
    if page.key(match.start - 1) in words("one_article") and page.key(match.end) in words("framing_of"):
        return True
    return match.start == start and (
        match.end >= len(page.tokens) or page.key(match.end) in {",", ":", "-"} | words("framing_of")
    )


def _place(page: Page, start: int, end: int, vocabulary: Vocabulary, notes: Notes) -> dict[str, Any]:
    named = [one for one in find_named_places(page, vocabulary) if start <= one.start < end]
    drawn: list[tuple[int, int, Match]] = []
    denied: list[Match] = []
    for match in page.of("place", "elsewhere", start=start, end=end):
        located = _is_located(page, match) or _whole(match, named) is not None
        if is_refused(page, match) or (match.subject == "elsewhere" and not located and not match.entry.weak):
            continue
        if _is_denied(page, match):
            denied.append(match)
            continue
        weak = match.entry.weak
        drawn.append((1 if weak else 0, 0 if located else 1, match))
    if not drawn and any(match.id == DEFAULT_PLACE for match in denied):
        label = vocabulary.label("place", OTHER_PLACE, page.language if page.language == "it" else "en")
        notes.assume("place_denied", words=_words(page, denied[0]), place=label)
        return {"location": OTHER_PLACE}
    if not drawn:
        if named:
            return _assumed_place(page, named[0], vocabulary, notes)
        return _unknown_place(page, start, end, vocabulary, notes)
    ranked = sorted(drawn, key=lambda row: (row[0], row[1], row[2].start))
    best = ranked[0][2]
    whole = _whole(best, named)
    written = page.words(whole.start, whole.stop) if whole else _words(page, best)
    language = page.language
    if best.entry.instead is None:
        return {"location": best.id, **({"location_words": written} if whole else {})}
    season = {"weather": best.entry.goes_with} if best.entry.goes_with else {}
    others = [row[2] for row in ranked[1:] if row[2].entry.instead is None]
    if not others and _is_outside(page, best) and best.entry.instead in _INDOORS:
        label = vocabulary.label("place", "street", language if language == "it" else "en")
        notes.assume("place_instead", words=written, place=label)
        return {"location": "street", "location_words": written}
    stand_in = others[0].id if others else _drawn(best.entry.instead, vocabulary)
    label = vocabulary.label("place", stand_in, language if language == "it" else "en")
    notes.assume("place_unlike" if best.entry.unlike and not others else "place_instead", words=written, place=label)
    return {"location": stand_in, "location_words": written, **season}


def _whole(match: Match, named: Sequence[range]) -> range | None:
    """The name of a place that the noun belongs to: `Zanzu tower`."""
    return next((one for one in named if match.start < one.stop and one.start < match.end), None)


def _assumed_place(page: Page, name: range, vocabulary: Vocabulary, notes: Notes) -> dict[str, Any]:
    """A place by a name whose noun nobody draws, nor anything like it: `Fort Zanzu`."""
    written = page.words(name.start, name.stop)
    label = vocabulary.label("place", NAMED_PLACE, page.language if page.language == "it" else "en")
    notes.assume("place_unknown", words=written, place=label)
    return {"location": NAMED_PLACE, "location_words": written}


def _is_denied(page: Page, match: Match) -> bool:
    """`Luca and Alberto are not on the beach`: where they are not; but `they do not swim at the beach` is there."""
    at = match.start - 1
    while at > 0 and (page.key(at) in words("locating", "determining") or page.key(at) in words("articles_the")):
        at -= 1
    denial = page.at(at, "negation")
    if denial is None or denial.id != "not":
        return False
    said = {page.key(here) for here in range(denial.start - 1, denial.end)}
    return bool(said & words("being_somewhere"))


def _is_outside(page: Page, match: Match) -> bool:
    """`in front of the cafe`, `davanti alla scuola`: before the house, not in it."""
    keys = [page.key(at) for at in range(max(0, match.start - 4), match.start)]
    return any(starts_with(keys[at:], "outside_words") for at in range(len(keys)))


def _drawn(id_: str, vocabulary: Vocabulary) -> str:
    """The drawn place behind a stand-in, which may have one itself."""
    for _ in range(3):
        entry = vocabulary.lexicons["place"].entries.get(id_)
        if entry is None or entry.instead is None:
            break
        id_ = entry.instead
    return id_


def _words(page: Page, match: Match) -> str:
    """A place as written, without preposition and article."""
    at = match.start
    while at < match.end - 1 and page.key(at) in words("locating", "determining", "place_openers", "framing_of"):
        at += 1
    return page.text[page.tokens[at].start : page.tokens[match.end - 1].end]


def _is_located(page: Page, match: Match) -> bool:
    """Whether a preposition leads to a place, or a scene is named after it: `in the old castle`, `castle scene`."""
    if match.end - match.start > 1 and page.key(match.start) in words("locating", "place_openers"):
        return True
    head = match.start
    while head > max(0, match.start - 4) and not page.starts_sentence(head) and _may_qualify(page, head - 1):
        head -= 1
    if page.starts_sentence(head) and not page.of("cast", "person", "group", end=match.start):
        return True  # `A castle on a hill at midnight`
    if _is_subject_of_film(page, match.start):
        return True
    for at in range(match.start - 1, max(match.start - 5, -1), -1):
        joiner = page.at(at, "joiner")
        if joiner and joiner.id == "where":
            return True
        if page.tokens[at].is_mark or page.at(at, "pose", "cast", "person"):
            break
    thing = page.at(match.end, "thing")
    return (thing is not None and thing.id in ("scene", "place", "story")) or page.at(
        match.start - 1, "thing"
    ) is not None


def _may_qualify(page: Page, at: int) -> bool:
    """Whether a token may be an adjective before the place that opens a request: `a haunted house`."""
    return page.tokens[at].is_word and page.at(at, "cast", "person", "pose", "joiner", "speech", "request") is None


def _is_subject_of_film(page: Page, start: int) -> bool:
    """`a picture of a castle`, `an ad for a gelato shop`."""
    at = start - 1
    while at > 0 and _qualifies(page, at):
        at -= 1
    return page.key(at) in words("belonging", "head_of") and page.at(at - 1, "output", "thing") is not None


def _qualifies(page: Page, at: int) -> bool:
    """Whether a token is an article or an adjective before a place: `a foggy old harbour`."""
    return page.key(at) in words("determining") or page.at(at, *_QUALIFYING) is not None


def _unknown_place(page: Page, start: int, end: int, vocabulary: Vocabulary, notes: Notes) -> dict[str, Any]:
    """A place by a word that nobody knows: `in the zorbatorium`, `a Camogli`."""
    for at in range(start, end - 1):
        if page.key(at) not in words("locating") or (page.at(at, "joiner") or page.at(at, "negation")) is None:
            continue
        first = at + 1
        while first < end and (
            page.key(first) in words("determining") or page.at(first, "trait", "colour", "ordinary")
        ):
            first += 1
        last = first
        while last < end and page.tokens[last].is_word and not vocabulary.is_known(page.key(last)) and last - first < 3:
            last += 1
        if first == last or page.at(first, "cast", "name"):
            continue
        capital = page.tokens[first].text[0].isupper()
        if not capital and (
            first == at + 1 or page.key(at) in words("vague_locating")
        ):  # `on skates`, `a pezzi` are no places.
            continue
        written = page.text[page.tokens[first].start : page.tokens[last - 1].end]
        place = NAMED_PLACE if capital else DEFAULT_PLACE
        notes.assume(
            "place_unknown",
            words=written,
            place=vocabulary.label("place", place, page.language if page.language == "it" else "en"),
        )
        return {"location": place, "location_words": written}
    return {}


def _time(page: Page, start: int, end: int, vocabulary: Vocabulary, notes: Notes) -> str | None:
    found = [(m.id, m.start) for m in page.of("time", start=start, end=end) if not is_refused(page, m)]
    found += [(time, at) for time, at in clock_times(page, start, end)]
    if not found:
        found = [("night", at) for at in range(start, end) if _makes_dark(page, at)]
    ids = list(dict.fromkeys(id_ for id_, _ in sorted(found, key=lambda row: row[1])))
    if len(ids) < 2:
        return ids[0] if ids else None
    special = [id_ for id_ in ids if id_ != "day"]
    chosen = special[0]
    if not (len(special) == 1 and special[0] in ("sunset", "dawn")):  # `a summer day at sunset` is no contradiction.
        tongue = page.language if page.language == "it" else "en"
        first, second, kept = (vocabulary.label("time", id_, tongue) for id_ in (ids[0], ids[1], chosen))
        notes.assume("time_conflict", first=first, second=second, chosen=kept)
    return chosen


def _makes_dark(page: Page, at: int) -> bool:
    """`a dark bedroom`, `nel bosco buio`: no light is on there, so it is night."""
    if page.key(at) not in words("dark_words"):
        return False
    behind = (at - 1,) if page.language in ("it", "es", "fr") else ()
    return any(page.at(near, "place", "elsewhere") for near in (at + 1, *behind))


def _weather(page: Page, start: int, end: int, vocabulary: Vocabulary, notes: Notes) -> str | None:
    """The weather; of two at once the one that is not clear, which is said."""
    found = page.of("weather", start=start, end=end)
    refused = [m for m in found if is_refused(page, m)]
    said = list(dict.fromkeys(m.id for m in found if m not in refused))
    special = [id_ for id_ in said if id_ != "clear"]
    chosen = next(iter(special or said), None)
    if len(said) > 1:
        tongue = page.language if page.language == "it" else "en"
        labels = [vocabulary.label("weather", id_, tongue) for id_ in (said[0], said[1], chosen or "clear")]
        notes.assume("weather_conflict", first=labels[0], second=labels[1], chosen=labels[2])
    return chosen or ("clear" if refused else None)


def _sun_at_night(page: Page, start: int, end: int, time: str | None, notes: Notes) -> None:
    """Say it where the sun is asked for by night."""
    if time != "night" or any(m.id != "night" for m in page.of("time", start=start, end=end)):
        return  # Two times at once are said already.
    for at in range(start, end):
        if page.key(at) in words("sunshine") and page.at(at, "time") is None and not _is_done(page, at):
            notes.assume("sun_at_night", words=page.tokens[at].text)
            return


def _is_done(page: Page, at: int) -> bool:
    """`the sun has set`, `dreams of the sun`: the sun is not there."""
    return any(page.at(near, "negation", "pose") for near in (at - 2, at - 1))


def _mood(page: Page, start: int, end: int) -> str | None:
    """A mood named of the scene or the music; else one whose word means nothing else (`epic`, `mysterious`)."""
    moods = [m for m in page.of("mood", start=start, end=end) if not is_refused(page, m)]
    for match in moods:
        if is_of_the_scene(page, match):
            return match.id
    for match in page.of("emotion", start=start, end=end):
        if is_of_the_scene(page, match) and match.entry.goes_with and not is_refused(page, match):
            return match.entry.goes_with
    alone: Sequence[Match] = [
        m for m in moods if not page.at(m.start, "emotion", "trait", "colour", "delivery", "weather", "thing", "pose")
    ]
    return alone[0].id if alone else None
