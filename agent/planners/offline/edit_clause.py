"""One clause of a follow-up -> edits: undone, swapped, replaced, moved, removed, added; then its attributes."""

from __future__ import annotations

from agent.intent import Edit, Performance
from agent.planners.offline.acting import perform
from agent.planners.offline.beats import Cut
from agent.planners.offline.cast import Mention
from agent.planners.offline.clause import Clause
from agent.planners.offline.edit_attributes import has_acts, read_attributes, without
from agent.planners.offline.edit_becoming import become
from agent.planners.offline.edit_direct import (
    give_line,
    move_aside,
    rename,
    side_in,
    silence,
    split,
    swap_lines,
    take_out_by_pronoun,
    tone,
    wider,
    zoom_on,
)
from agent.planners.offline.edit_lines import line_by_number, read_line_edits
from agent.planners.offline.edit_staging import copy_shot, quieter, redress, turn
from agent.planners.offline.wordlists import holds, starts_with, words

__all__ = ["read_clause"]


MOST_STEPS = 20
"""So many changes are undone at once at most."""


def read_clause(clause: Clause) -> list[Edit]:
    """The edits of one clause, in the order they are to be carried out."""
    for reader in (
        rename,
        _history,
        split,
        become,
        swap_lines,
        give_line,
        silence,
        copy_shot,
        quieter,
        redress,
        take_out_by_pronoun,
        turn,
        move_aside,
        zoom_on,
        _swap,
        _replace,
        _move,
        _remove,
        _add_shot,
        _caption,
        read_line_edits,
        _text,
        _add_character,
    ):
        found = reader(clause)
        if found:
            return found if reader in _WHOLE else [*found, *read_attributes(clause, found)]
        if clause.asked:
            return []
    return read_attributes(clause, []) or wider(clause) or tone(clause)


def _history(clause: Clause) -> list[Edit]:
    for op in ("undo", "redo"):
        if clause.verb(op) and not clause.quotes and not clause.has("place", "cast", "time"):
            numbers = clause.page.of("number", start=clause.start, end=clause.end)
            digits = [int(t.text) for t in clause.page.tokens[clause.start : clause.end] if t.text.isdecimal()]
            times = digits[0] if digits else int(numbers[0].entry.value or 1) if numbers else 1
            return [Edit.model_validate({"op": op})] * min(max(times, 1), MOST_STEPS)
    return []


def _swap(clause: Clause) -> list[Edit]:
    if not clause.verb("swap"):
        return []
    ids = list(dict.fromkeys(i for m in clause.mentions for i in m.ids))
    shots = clause.shots_named(clause.start, clause.end)
    if not ids and len(shots) == 2:
        (first, _), (second, _) = shots
        low, high = sorted((first, second)) if min(first, second) > 0 else (first, second)
        return (
            [Edit(op="reorder_shot", shot=low, to=high), Edit(op="reorder_shot", shot=high - 1, to=low)]
            if low > 0 and high - low > 1
            else [Edit(op="reorder_shot", shot=low, to=high)]
        )
    if not ids and clause.thing("shot", "scene"):
        return _swap_counted(clause)
    if len(ids) == 1 and not clause.page.of("pronoun", start=clause.start, end=clause.end):
        return []
    pair = ids[:2] or list(clause.reading.roster.present)[:2]
    if len(pair) < 2:
        return []
    return [Edit(op="swap", shot=clause.shot, character=pair[0], performance=Performance(character=pair[1]))]


def _swap_counted(clause: Clause) -> list[Edit]:
    """`swap the first two shots`, `inverti le ultime due inquadrature`."""
    page, board = clause.page, clause.reading.request.storyboard
    ordinals = page.of("ordinal", start=clause.start, end=clause.end)
    numbers = [m.entry.value for m in page.of("number", start=clause.start, end=clause.end)]
    count = len(board.shots) if board else 0
    two = 2 in numbers or any(t.text == "2" for t in page.tokens[clause.start : clause.end])
    if not two or count < 2 or (not ordinals and count != 2):
        return []
    low = count - 1 if ordinals and (ordinals[0].entry.value or 1) < 0 else 1
    return [Edit(op="reorder_shot", shot=low, to=low + 1)]


def _replace(clause: Clause) -> list[Edit]:
    """`replace Alberto with Giulia`, `metti Giulia al posto di Alberto`."""
    named = [m for m in clause.mentions if len(m.ids) == 1 and m.kind != "pronoun"]
    people = [m for n, m in enumerate(named) if not n or m.ids != named[n - 1].ids]  # `a robot called Bip` is one.
    if len(people) != 2 or clause.quotes:
        return []
    pair = _stead(clause, people)
    if pair is None:
        return []
    new, old = pair
    members = clause.reading.roster.members
    if new not in members or old == new:
        return []
    return [
        Edit(
            op="add_character",
            shot=clause.shot,
            character=new,
            member=members[new],
            performance=Performance(character=new),
        ),
        Edit(op="remove_character", shot=clause.shot, character=old),
    ]


def _stead(clause: Clause, people: list[Mention]) -> tuple[str, str] | None:
    """(who comes, who goes) of two people."""
    first, second = people
    keys = [token.key for token in clause.page.tokens]
    instead, change = clause.verb("instead"), clause.verb("change")
    if starts_with(keys[second.end : second.end + 2], "in_stead"):
        return first.ids[0], second.ids[0]
    if any(
        starts_with(keys[at : first.start], "stead_of") == first.start - at for at in range(clause.start, first.start)
    ):
        return second.ids[0], first.ids[0]
    if instead is not None and first.end <= instead.start < second.start:
        return first.ids[0], second.ids[0]
    if change is not None and change.start < first.start:
        return second.ids[0], first.ids[0]
    return None


def _move(clause: Clause) -> list[Edit]:
    shots = clause.shots_named(clause.start, clause.end)
    if not shots or not clause.verb("move", "make", "change"):
        return []
    verbs = {m.id for m in clause.verbs}
    shot = shots[0][0]
    if "end" in verbs:
        return [Edit(op="reorder_shot", shot=shot, to=-1)]
    if "start" in verbs:
        return [Edit(op="reorder_shot", shot=shot, to=1)]
    if not clause.verb("move"):
        return []
    if len(shots) > 1 and verbs & {"before", "after"}:
        other = shots[1][0]
        step = (0 if shot > other else -1) if "before" in verbs else (1 if shot > other else 0)
        return [Edit(op="reorder_shot", shot=shot, to=max(1, other + step) if other > 0 else other)]
    ordinals = [m for m in clause.page.of("ordinal", start=shots[0][1] + 1, end=clause.end) if m.entry.value]
    numbers = [int(t.text) for t in clause.page.tokens[shots[0][1] + 1 : clause.end] if t.text.isdigit()]
    if ordinals:
        return [Edit(op="reorder_shot", shot=shot, to=int(ordinals[-1].entry.value or 1))]
    return [Edit(op="reorder_shot", shot=shot, to=numbers[-1])] if len(numbers) > 1 else []


def _remove(clause: Clause) -> list[Edit]:
    verb = clause.verb("remove")
    page = clause.page
    if clause.mentions and not clause.quotes and not clause.has("pose", "emotion", "facing", "speech"):
        behind = page.at(clause.mentions[-1].end, "negation")
        if behind is not None and behind.id == "not":  # `Luca shouldn't be in the second shot`
            return [Edit(op="remove_character", shot=clause.shot, character=i) for m in clause.mentions for i in m.ids]
    if (taken := _taken_out(clause)) and not clause.quotes:
        return [Edit(op="remove_character", shot=clause.shot, character=i) for i in taken]
    refusing = next((m for m in page.of("negation", start=clause.start, end=clause.end) if m.id == "none"), None)
    begin = verb.start if verb else refusing.start if refusing else None
    if begin is None:
        return []
    people = [m for m in clause.mentions if m.start >= begin] + _refused_people(clause, begin)
    if clause.quotes or clause.thing("line"):
        quote = clause.quotes[0].text if clause.quotes else None
        ids = [i for m in clause.mentions for i in m.ids]
        if clause.thing("title_card", "overlay", "title") and not clause.thing("line"):
            return [Edit(op="set_overlay", shot=clause.shot, text="")]
        quote = quote or line_by_number(clause)
        return [Edit(op="remove_line", shot=clause.shot, character=ids[0] if ids else None, old_text=quote)]
    if people:
        gone = dict.fromkeys(i for m in people for i in m.ids)
        return [Edit(op="remove_character", shot=clause.shot, character=i) for i in gone]
    shots = clause.shots_named(begin, clause.end)
    thing = clause.thing("shot", "scene")
    if verb and shots and thing and not clause.has("time", "weather", "output", "camera"):
        numbers = sorted({n for n, _ in shots if n > 0}, reverse=True) + [n for n, _ in shots if n < 0]
        return [Edit(op="remove_shot", shot=number) for number in numbers]
    if clause.thing("title_card", "overlay", "title"):
        return [Edit(op="set_overlay", shot=clause.shot, text="")]
    if clause.has("camera") or (clause.thing("camera") and verb):
        return [Edit(op="set_camera", shot=clause.shot, camera="static")]
    weather = page.of("weather", start=begin, end=clause.end)
    if weather and verb:
        return [Edit(op="set_weather", shot=clause.shot, weather="clear")]
    outputs = [m.id for m in page.of("output", start=begin, end=clause.end)]
    if outputs and verb and not refusing:
        return without(clause, outputs)
    return []


def _taken_out(clause: Clause) -> list[str]:
    """`get Alberto out of there`: the verb's second half stands behind those who go."""
    keys = [token.key for token in clause.page.tokens[clause.start : clause.end]]
    if not clause.mentions or clause.has("pose", "output"):
        return []
    behind_them = clause.page.of("thing", start=clause.mentions[-1].end, end=clause.end)  # `take` is a noun too.
    if any(m.id not in ("shot", "scene") for m in behind_them):
        return []
    before = keys[: clause.mentions[0].start - clause.start]
    behind = keys[clause.mentions[-1].end - clause.start :]
    if not holds(before, "take_verbs") or not starts_with(behind, "out_words"):
        return []
    return list(dict.fromkeys(i for m in clause.mentions for i in m.ids))


def _refused_people(clause: Clause, begin: int) -> list[Mention]:
    """Those behind `no` and `without`, whom the casting has set aside."""
    found = []
    for match in clause.page.of("cast", "spelling", start=begin, end=clause.end):
        if not any(m.start <= match.start < m.end for m in clause.mentions):
            found.append(Mention(match.start, match.end, (match.id,)))
    for match in clause.page.of("person", start=begin, end=clause.end):  # `without the whale`
        who = clause.present.named(clause.page.tokens[match.start : match.end])
        if who and not any(m.start <= match.start < m.end for m in clause.mentions):
            found.append(Mention(match.start, match.end, (who,)))
    return found


def _add_shot(clause: Clause) -> list[Edit]:
    verb = clause.verb("add", "fresh")
    thing = clause.thing("shot", "scene", "title_card")
    page = clause.page
    if verb is None or thing is None or not verb.start < thing.start <= verb.end + 5:
        return []
    if (
        page.key(thing.start - 1) in words("definite_shot")
        or page.at(thing.end, "number")
        or (thing.id == "shot" and page.at(thing.start - 1, "ordinal"))
    ):
        return []
    if thing.end < len(page.tokens) and page.tokens[thing.end].is_number:
        return []
    if any(
        page.tokens[at].key in words("to_a_shot") and page.key(at + 1) in words("this_scene")
        for at in range(verb.end, thing.start)
    ):
        return []
    beat = clause.reading.beat(Cut(verb.end, clause.end, True))
    if thing.id == "title_card" and not beat.text_overlay:
        text = clause.quotes[0].text[:200] if clause.quotes else ""
        if not text:
            return []
        beat = beat.model_copy(update={"text_overlay": text, "dialogue": []})
    verbs = {m.id for m in clause.verbs}
    others = clause.shots_named(thing.end, clause.end)
    if len(others) > 1 and any(page.key(at) in words("between") for at in range(thing.end, clause.end)):
        return [Edit(op="add_shot", to=max(number for number, _ in others), beat=beat)]
    if "start" in verbs or (thing.id == "title_card" and not others and "end" not in verbs):
        return [Edit(op="add_shot", to=1, beat=beat)]
    if others and verbs & {"before", "after"}:
        number = others[-1][0]
        return [Edit(op="add_shot", to=number if "before" in verbs else number + 1 if number > 0 else -1, beat=beat)]
    return [Edit(op="add_shot", beat=beat)]


def _caption(clause: Clause) -> list[Edit]:
    """`put THE END on the last shot`, `call it Home`: words over the picture, and the name of the film."""
    if len(clause.quotes) != 1 or clause.mentions or clause.has("speech"):
        return []
    quote, page = clause.quotes[0], clause.page
    if holds([token.key for token in page.tokens[clause.start : quote.token]], "name_of_film"):
        return [Edit(op="set_title", text=quote.text[:120])]
    verb = quote.token - (3 if page.key(quote.token - 2) in words("articles_the", "these") else 2)
    behind_it = page.key(quote.token - 1) in words("film_words") and page.key(verb) in words("title_verbs")
    if behind_it or page.key(quote.token - 1) in words("title_verbs_with_it"):
        return [Edit(op="set_title", text=quote.text[:120])]
    over = page.key(quote.token + 1) in (
        words("over") if clause.verb("add", "make") else words("over") - words("within")
    )
    if over and clause.shot is not None:
        return [Edit(op="set_overlay", shot=clause.shot, text=quote.text[:200])]
    return []


def _text(clause: Clause) -> list[Edit]:
    """Titles: of the film, or drawn over the picture."""
    thing = clause.thing("title", "overlay", "title_card")
    if thing is None or not clause.quotes:
        return []
    text = clause.quotes[-1].text
    film = (
        thing.id == "title"
        and (
            clause.verb("change", "make") is not None
            or clause.page.key(thing.start) in words("titled")
            or clause.page.key(thing.end) == ":"
        )
        and not clause.verb("add")
    )
    if film:
        return [Edit(op="set_title", text=text[:120])]
    return [Edit(op="set_overlay", shot=clause.shot, text=text[:200])]


def _add_character(clause: Clause) -> list[Edit]:
    verb = clause.verb("add") or next((m for m in clause.verbs if m.id == "add"), None)
    if verb is None or not clause.mentions:
        return []
    roster = clause.reading.roster
    new = [m for m in clause.mentions if m.kind != "pronoun"]
    weak = clause.page.key(verb.start) in words("with_words")
    if weak and (clause.verb("change", "make") or any(i in roster.present for m in new for i in m.ids)):
        return []
    acts = {p.character: p for p in perform(clause.page, clause.reading.mentions, clause.start, clause.end)}
    ids = list(
        dict.fromkeys(
            i for m in new for i in m.ids if m.start >= verb.end or clause.page.key(verb.start) in words("joining")
        )
    )
    fresh = [i for i in ids if i not in roster.present] or ids[:1]
    beside = [i for i in ids if i in roster.present and i not in fresh]
    if not fresh:
        return []
    for id_ in [i for i in fresh if i in roster.present]:
        clause.reading.notes.assume("already_there", name=roster.name(id_))
    del beside
    added = [
        Edit(
            op="set_performance" if i in roster.present and has_acts(acts.get(i)) else "add_character",
            shot=clause.shot,
            character=i,
            member=roster.members[i],
            performance=acts.get(i) or Performance(character=i),
        )
        for i in fresh
        if i in roster.members
    ]
    # `add Giulia on the left`, `bring Alberto in behind them`
    place = side_in(clause, new[-1].end if new else verb.end, clause.end)
    moves = [Edit(op="move_character", shot=clause.shot, character=i, side=place) for i in fresh] if place else []
    return [*added, *moves]


_WHOLE = (
    rename,
    become,
    _history,
    split,
    swap_lines,
    give_line,
    copy_shot,
    quieter,
    redress,
    take_out_by_pronoun,
    _swap,
    _replace,
    _move,
    _add_shot,
)
"""Readers after which nothing more is looked for in the clause."""
