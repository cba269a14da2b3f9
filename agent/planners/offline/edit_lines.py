"""Changes to what is said: another line, one more, the same said otherwise."""

from __future__ import annotations

from typing import Any

from rapidfuzz import fuzz

from agent.intent import Edit
from agent.planners.offline.clause import Clause
from agent.planners.offline.dialogue import MAX_LINE
from agent.planners.offline.page import Quote
from agent.planners.offline.tongue import language_of_line
from agent.planners.offline.wordlists import starts_with
from tools.storyboard import Line

__all__ = ["line_by_number", "read_line_edits"]

_ALIKE = 60.0
"""A quote this like a present line (rapidfuzz ratio, 0..100) is taken to quote it."""


def read_line_edits(clause: Clause) -> list[Edit]:
    """Edits of lines; none when the clause quotes nothing that is said."""
    if not clause.quotes:
        return _how_said(clause)
    if clause.thing("title", "overlay", "title_card") and not clause.thing("line") and not clause.has("speech"):
        return []
    scripts = [quote for quote in clause.quotes if quote.speaker]
    if scripts and not clause.verb("change", "instead"):
        return [_add(clause, quote, who) for quote in scripts for who in clause.reading.speakers(quote.speaker)]
    new, old = _new_and_old(clause)
    if len(clause.quotes) == 1 and clause.verb("change", "instead", "add") is None and not clause.has("speech"):
        present = _present_text(_lines(clause), clause.quotes[0].text, 95.0)
        if present is not None:
            clause.disliked = present
            return []
    if old is None and clause.previous is not None and clause.previous.disliked is not None:
        old = Quote(clause.previous.disliked, 0, 0)
    who = _speaker(clause, new)
    if new is None:
        return []
    replaces = (
        old is not None
        or clause.verb("change", "instead") is not None
        or (clause.thing("line") is not None and clause.verb("add") is None)
    )
    if (
        who is None
        and not replaces
        and clause.verb("make") is None
        and not clause.has("speech")
        and not clause.verb("add")
    ):
        return []
    spoken = _lines(clause)
    if who is not None and not replaces and clause.verb("make") is not None and clause.verb("add") is None:
        replaces = any(line.character == who for line in spoken)
    if (
        replaces
        and old is None
        and any(m.id == "reply" for m in clause.page.of("speech", start=clause.start, end=clause.end))
    ):
        replaces = clause.verb("change", "instead") is not None
    if replaces and old is None and clause.verb("end", "start") and not clause.verb("change", "instead"):
        replaces = False  # `let Luca answer "Good idea!"` is one line more.
    first = _comes_first(clause, new) and old is None and clause.thing("line") is None
    if not replaces or first:
        who = who or _only_one(clause)
        if who is None:
            clause.reading.notes.ask("speaker_unknown", text=new.text)
            return []
        added = _add(clause, new, who)
        return [added.model_copy(update={"to": 1}) if first else added]
    old_text = _present_text(spoken, old.text) if old else None
    if who is None and old_text is not None:
        who = next((line.character for line in spoken if line.text == old_text), None)
    if old_text is None:
        number = next(
            (
                m.entry.value
                for m in clause.page.of("ordinal", start=clause.start, end=clause.end)
                if (t := clause.page.at(m.end, "thing")) and t.id == "line"
            ),
            None,
        )
        own = [line for line in spoken if who is None or line.character == who]
        if number and own:
            chosen = own[int(number) - 1 if number > 0 else -1] if abs(int(number)) <= len(own) else own[0]
            who, old_text = chosen.character, chosen.text
        elif own and old is None:
            if len(own) > 1:
                clause.reading.notes.assume("line_guess", text=own[0].text)
            who, old_text = own[0].character, own[0].text
        elif old is not None:
            old_text = old.text
    text = new.text[:MAX_LINE]
    fields: dict[str, Any] = {"op": "set_line", "shot": clause.shot, "character": who, "old_text": old_text}
    if who is None:
        return [Edit(**fields, text=text)]
    return [Edit(**fields, line=_line(clause, new, who))]


def _comes_first(clause: Clause, quote: Quote) -> bool:
    """`Luca should say "Wait!" first`: before all other lines."""
    behind = [token.key for token in clause.page.tokens[quote.token + 1 : clause.end]]
    before = [token.key for token in clause.page.tokens[clause.start : quote.token]]
    return bool(starts_with(behind, "first_of_all")) or bool(starts_with(before, "first_of_all"))


def _lines(clause: Clause) -> list[Line]:
    board = clause.reading.request.storyboard
    if board is None:
        return []
    shots = board.shots
    if clause.shot and 0 < clause.shot <= len(shots):
        shots = [shots[clause.shot - 1]]
    return [line for shot in shots for line in shot.dialogue]


def _new_and_old(clause: Clause) -> tuple[Quote | None, Quote | None]:
    """Which of two quotes is to come and which is to go."""
    quotes = clause.quotes
    if len(quotes) < 2:
        return quotes[0], None
    first, second = quotes[0], quotes[1]
    between = [m for m in clause.verbs if first.token < m.start < second.token]
    before = [m for m in clause.verbs if m.start < first.token]
    if any(m.id == "instead" for m in between):
        return first, second
    if any(m.id in ("change", "instead") for m in before) or clause.page.of(
        "negation", start=clause.start, end=first.token
    ):
        return second, first
    spoken = [line.text for line in _lines(clause)]
    if any(fuzz.ratio(first.text, text) >= 90 for text in spoken):
        return second, first
    return first, None


def _speaker(clause: Clause, quote: Quote | None) -> str | None:
    """Who is named with the line: `Luca should say "..."`, `Luca's line`."""
    if quote is not None and quote.speaker:
        found = clause.reading.speakers(quote.speaker)
        return found[0] if found else None
    verbs = clause.page.of("speech", start=clause.start, end=clause.end)
    before = [m for m in clause.mentions if len(m.ids) == 1 and (not verbs or m.start < verbs[0].start)]
    named = before or [m for m in clause.mentions if len(m.ids) == 1]
    return named[0].ids[0] if named else None


def _only_one(clause: Clause) -> str | None:
    present = list(clause.reading.roster.present)
    return present[0] if len(present) == 1 else None


def line_by_number(clause: Clause) -> str | None:
    """The text of `the second line`, `the last line`."""
    for ordinal in clause.page.of("ordinal", start=clause.start, end=clause.end):
        thing, number = clause.page.at(ordinal.end, "thing"), int(ordinal.entry.value or 1)
        spoken = _lines(clause)
        if thing and thing.id == "line" and abs(number) <= len(spoken):
            return spoken[number - 1 if number > 0 else number].text
    return None


def _present_text(spoken: list[Line], quoted: str, alike: float = _ALIKE) -> str | None:
    best = max(spoken, key=lambda line: fuzz.ratio(line.text.lower(), quoted.lower()), default=None)
    return best.text if best and fuzz.ratio(best.text.lower(), quoted.lower()) >= alike else None


def _line(clause: Clause, quote: Quote, who: str) -> Line:
    found = clause.page.of("emotion", "delivery", start=clause.start, end=clause.end)
    emotions = [m.id for m in found if m.subject == "emotion"]
    deliveries = [m.id for m in found if m.subject == "delivery"]
    language = language_of_line(quote.text, clause.reading.vocabulary, clause.page.language)
    fields: dict[str, Any] = {"character": who, "text": quote.text[:MAX_LINE], "language": language}
    if emotions:
        fields["emotion"] = emotions[-1]
    if deliveries:
        fields["delivery"] = deliveries[-1]
    return Line(**fields)


def _add(clause: Clause, quote: Quote, who: str) -> Edit:
    roster = clause.reading.roster
    member = roster.members.get(who) if who not in roster.present else None
    return Edit(op="add_line", shot=clause.shot, character=who, member=member, line=_line(clause, quote, who))


def _how_said(clause: Clause) -> list[Edit]:
    """`Luca should whisper it`: the present line, said otherwise."""
    page = clause.page
    delivery = [
        m
        for m in page.of("delivery", start=clause.start, end=clause.end)
        if page.at(m.start, "speech")
        or clause.thing("line")
        or any(n.id == "voice" for n in page.of("output", start=clause.start, end=clause.end))
    ]
    tells = bool(clause.mentions) and clause.mentions[0].start == clause.start  # `vorrei che | Luca sussurri`
    outputs = {m.id for m in page.of("output", start=clause.start, end=clause.end)}  # `make her voice louder`
    if not delivery or outputs - {"voice"} or not (clause.verb("make") or clause.thing("line") or tells):
        return []
    who = [m.ids[0] for m in clause.mentions if len(m.ids) == 1]
    own = [line for line in _lines(clause) if not who or line.character == who[0]]
    if not own and who:
        clause.reading.notes.ask("says_nothing", name=clause.reading.roster.name(who[0]))
        clause.asked = True
    if not own:
        return []
    ordinals = [
        int(m.entry.value or 1)
        for m in page.of("ordinal", start=clause.start, end=clause.end)
        if (noun := page.at(m.end, "thing")) and noun.id == "line"
    ]
    number = ordinals[0] if ordinals and abs(ordinals[0]) <= len(own) else 1
    old = own[number - 1 if number > 0 else number]
    line = old.model_copy(update={"delivery": delivery[0].id})
    return [Edit(op="set_line", shot=clause.shot, character=line.character, old_text=line.text, line=line)]
