"""Changes that need the present staging to be read: who turns to whom, other clothes, a shot made twice."""

from __future__ import annotations

from typing import Any

from agent.intent import Edit, Performance
from agent.planners.offline.cast import Mention
from agent.planners.offline.clause import Clause
from agent.planners.offline.looks import read_look
from agent.planners.offline.wordlists import holds, starts_with, words
from tools.storyboard import CastMember, Facing, Look, Placement, Shot

__all__ = ["asks_for_output", "copy_shot", "quieter", "redress", "turn"]

_OPPOSITE: dict[Facing, Facing] = {"left": "right", "right": "left", "front": "back", "back": "front"}
_WORN = frozenset({"top", "bottom", "shoes", "accessories", "top_color", "bottom_color"})
"""Fields of `Look` that are clothes; an age or a build is nothing to change into."""
_ANEW = _WORN | {"hair", "hair_color", "eye_color", "skin", "freckles"}


def copy_shot(clause: Clause) -> list[Edit]:
    """`duplicate shot 2`, `ripeti l'ultima inquadratura`."""
    shots = clause.shots_named(clause.start, clause.end)
    if not _holds(clause, "copy_verbs") or not shots or clause.quotes:
        return []
    return [Edit(op="copy_shot", shot=shots[0][0])]


def quieter(clause: Clause) -> list[Edit]:
    """`quieter music`: music has no loudness of its own (speech ducks it); a calmer one comes nearest."""
    of_music = any(m.id == "music" for m in clause.page.of("output", start=clause.start, end=clause.end))
    if not of_music or not _holds(clause, "quieter"):
        return []
    clause.reading.notes.assume("quieter_music")
    return [Edit(op="set_mood", shot=clause.shot, mood="calm")]


# -- directions -------------------------------------------------------------------------------------------------------


def turn(clause: Clause) -> list[Edit]:
    """`turn Luca around`, `Alberto looks at Luca`, `they face each other`: directions that hang on who stands where."""
    board = clause.reading.request.storyboard
    who = list(dict.fromkeys(i for m in clause.mentions for i in m.ids))
    if board is None or clause.quotes or not who or any(i not in clause.reading.roster.present for i in who):
        return []
    numbered = [(n, shot) for n, shot in enumerate(board.shots, 1) if clause.shot in (None, n)]
    if clause.shot == -1:
        numbered = [(len(board.shots), board.shots[-1])]
    if _turns_round(clause):
        return _merged([(n, p.character, _OPPOSITE[p.facing]) for n, shot in numbered for p in shot.placements
                        if p.character in who], len(numbered), clause)  # fmt: skip
    pairs = _pairs(clause, who)
    turned = [(n, one, side) for n, shot in numbered for one, other in pairs if (side := _towards(shot, one, other))]
    return _merged(turned, len(numbered), clause)


def _turns_round(clause: Clause) -> bool:
    keys = [token.key for token in clause.page.tokens[clause.start : clause.end]]
    if holds(keys, "turning_round"):
        return True
    first, last = clause.mentions[0], clause.mentions[-1]
    before, behind = keys[: first.start - clause.start], keys[last.end - clause.start :]
    return holds(before, "turn_verbs") and bool(starts_with(behind, "round_words"))


def _pairs(clause: Clause, who: list[str]) -> list[tuple[str, str]]:
    """Who is to look at whom."""
    page, named = clause.page, [m for m in clause.mentions if len(m.ids) == 1]
    if _holds(clause, "each_other_looks") and len(who) > 1:
        return [(who[0], who[1]), (who[1], who[0])]
    if len(named) != 2 or named[0].ids == named[1].ids:
        return []
    between = [page.key(at) for at in range(named[0].end, named[1].start)]
    return [(named[0].ids[0], named[1].ids[0])] if holds(between, "look_verbs") else []


def _towards(shot: Shot, one: str, other: str) -> Facing | None:
    spots: dict[str, Placement] = {p.character: p for p in shot.placements}
    if one not in spots or other not in spots:
        return None
    return "right" if spots[other].x >= spots[one].x else "left"


def _merged(turned: list[tuple[int, str, Facing]], count: int, clause: Clause) -> list[Edit]:
    """One edit for somebody who is turned the same way in every shot, else one a shot."""
    edits: list[Edit] = []
    for who in dict.fromkeys(one for _, one, _ in turned):
        rows = [(n, side) for n, one, side in turned if one == who]
        if clause.shot is None and len({side for _, side in rows}) == 1:
            rows = [(0, rows[0][1])]
        for number, side in rows:
            act = Performance(character=who, facing=side)
            edits.append(Edit(op="set_performance", shot=number or None, character=who, performance=act))
    return edits if count else []


# -- clothes ----------------------------------------------------------------------------------------------------------


def redress(clause: Clause) -> list[Edit]:
    """`put Luca in a red sweater`, `the cat should be orange`, `togli il cappello a Giulia`."""
    page, roster = clause.page, clause.reading.roster
    people = [m for m in clause.mentions if len(m.ids) == 1 and m.ids[0] in roster.present]
    if len(people) != 1 or len(clause.mentions) > 1 or clause.quotes or clause.shot is not None:
        return []
    said = page.of("trait", "colour", start=clause.start, end=clause.end)
    said = [m for m in said if not people[0].start <= m.start < people[0].end]
    id_ = people[0].ids[0]
    look = {k: v for k, v in read_look(said, page, _is_creature(clause, id_)).items() if k in _ANEW}
    asks = _holds(clause, "wearing") or clause.verb("make", "change", "add", "remove") or _only_look(clause, people[0])
    if not look or not asks or clause.has("framing", "camera", "time", "weather", "output", "style"):
        return []
    member = roster.present[id_]
    worn = member.look or _sheet_look(clause, id_)
    gone = clause.verb("remove") is not None or _holds(clause, "undressing")
    changed = _without(worn, look) if gone else _with(worn, look)
    if changed == worn:
        return []
    redressed = CastMember(id=id_, name=member.name, known=member.known, look=changed)
    return [Edit(op="set_look", character=id_, member=redressed)]


def _with(worn: Look, look: dict[str, object]) -> Look:
    values: dict[str, Any] = {**worn.model_dump(), **look}
    if isinstance(items := look.get("accessories"), list):
        values["accessories"] = list(dict.fromkeys([*worn.accessories, *items]))[-6:]
    told = [part for part in worn.description.split(", ") if part and part not in _told(look)]
    values["description"] = ", ".join([*told, *_told(look)])[:300]
    return Look.model_validate(values)


def _told(look: dict[str, object]) -> list[str]:
    """What is new in words, for the engines that read the description: `red sweater`, `glasses`."""
    parts: list[str] = []
    for noun, colour in (("top", "top_color"), ("bottom", "bottom_color"), ("hair", "hair_color")):
        if noun in look or colour in look:
            kind = "hair" if noun == "hair" else look.get(noun) or noun
            shape = f"{look['hair']} " if noun == "hair" and "hair" in look else ""
            parts.append(f"{look.get(colour, '')} {shape}{kind}".strip().replace("_", " "))
    parts += [str(item).replace("_", " ") for item in _items(look.get("accessories"))]
    parts += [str(look[name]) for name in ("shoes", "skin") if name in look]
    return parts


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _without(worn: Look, look: dict[str, object]) -> Look:
    gone = _items(look.get("accessories"))
    values: dict[str, Any] = {"accessories": [item for item in worn.accessories if item not in gone]}
    values.update({name: None for name in look if name in ("top", "bottom", "shoes") and getattr(worn, name)})
    left = [part for part in worn.description.split(", ") if part not in _told(look)]
    values["description"] = ", ".join(left)
    return worn.model_copy(update=values)


def _sheet_look(clause: Clause, id_: str) -> Look:
    sheet = clause.reading.vocabulary.cast.get(id_)
    if sheet is None:
        return Look()
    return Look.model_validate({"description": sheet.description, **(getattr(sheet, "look", None) or {})})


def _is_creature(clause: Clause, id_: str) -> bool:
    look = clause.reading.roster.present[id_].look
    return look is not None and look.species != "human"


def _only_look(clause: Clause, mention: Mention) -> bool:
    """`Luca with glasses`, `Giulia in a yellow raincoat`: nothing else is said."""
    return mention.start == clause.start and not clause.has("pose", "emotion", "place", "speech")


def _holds(clause: Clause, name: str) -> bool:
    keys = [token.key for token in clause.page.tokens[clause.start : clause.end]]
    return holds(keys, name)


def asks_for_output(clause: Clause) -> bool:
    """`now make the film`, `with music too`: the clause says nothing but what is to be made."""
    page = clause.page
    about = {at for m in [*page.of("output", "request", "negation", "joiner", start=clause.start, end=clause.end),
                          *clause.verbs] for at in range(m.start, m.end)}  # fmt: skip
    said = [at for at in range(clause.start, clause.end) if page.tokens[at].is_word and at not in about]
    return all(
        page.key(at) in words("around_output", "filler", "before_change", "articles_the", "articles_one") for at in said
    )
