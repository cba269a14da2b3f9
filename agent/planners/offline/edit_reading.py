"""Follow-ups: is a message a change to the present storyboard, and which changes does it ask for?"""

from __future__ import annotations

from agent.intent import Edit, Intent, OutputKind
from agent.planners.offline.clause import Clause
from agent.planners.offline.edit_clause import read_clause
from agent.planners.offline.edit_direct import refuse_unoffered
from agent.planners.offline.edit_naming import read_naming
from agent.planners.offline.edit_selecting import select_shots
from agent.planners.offline.edit_who import Present, settle_present
from agent.planners.offline.finish import base_intent
from agent.planners.offline.lexicon import Match
from agent.planners.offline.limits import read_variations
from agent.planners.offline.page import Page
from agent.planners.offline.reading import Reading
from agent.planners.offline.wants import full_scene
from agent.planners.offline.wordlists import holds, starts_with, words

__all__ = ["read_edits"]

_EDITING = frozenset({"edit"})
_HEADS = (
    "add",
    "remove",
    "change",
    "make",
    "swap",
    "move",
    "undo",
    "redo",
    "rename",
    "longer",
    "shorter",
    "slower",
    "faster",
    "instead",
    "again",
)
_STRONG = (
    "add",
    "remove",
    "change",
    "swap",
    "move",
    "undo",
    "redo",
    "rename",
    "longer",
    "shorter",
    "slower",
    "faster",
    "instead",
    "also",
    "more",
    "less",
)
MAX_CLAUSES = 40
_SHOTS = ("shot", "scene")


def read_edits(reading: Reading) -> Intent | None:
    """The intent of a change; None when the message asks for something new, or for nothing that can be told."""
    page = reading.page
    verbs = reading.vocabulary.find(page.tokens, page.language, _EDITING)
    inside = {at for m in verbs if m.end - m.start > 1 for at in range(m.start, m.end)}
    page.keep([m for m in page.matches if m.subject != "pose" or m.start not in inside])  # `plus court` runs nowhere.
    reading.shots_shown = select_shots(reading, verbs)
    if not all(reading.shots_shown.values()):
        return base_intent(reading, kind="edit", edits=[], outputs=["text"], confidence=0.4)
    present = settle_present(reading)
    if (whole := _whole_message(reading, present)) is not None:
        return whole
    if _is_new(reading, verbs):
        return None
    clauses = _clauses(reading, verbs)
    edits: list[Edit] = []
    lost: list[str] = []
    previous: Clause | None = None
    refused = asked = False
    for start, end in clauses:
        clause = Clause(reading, start, end, [m for m in verbs if start <= m.start < end], previous, present)
        found = read_clause(clause)
        edits += _for_each_shot(clause, found)
        previous = clause
        refused = refuse_unoffered(clause) or refused
        asked = clause.asked or asked
        if not found and not clause.is_filler and not clause.asked and not refused:
            lost.append(page.words(start, end).strip(" ,.;!"))
    again = any(m.id == "again" for m in verbs) or read_variations(page, reading.notes) > 1
    if not edits and refused:
        return _intent(reading, [], lost, False)
    if not edits and asked:
        return base_intent(reading, kind="edit", edits=[], outputs=["text"], confidence=0.4)
    if not edits and not again:
        if reading.mentions or page.of("place", "pose", "group"):
            ours = all(i in reading.roster.present for m in reading.mentions for i in m.ids)
            elsewhere = bool(page.of("place", "pose")) or not ours
            return None if elsewhere and not any(m.id in _STRONG for m in verbs) else _nothing(reading)
        return _nothing(reading) if verbs or lost else None
    edits = _each_once(edits)
    if not edits:
        lost = []
    for lost_words in lost[:3]:
        reading.notes.ask("edit_not_read", words=lost_words[:80])
    return _intent(reading, edits, lost, again and not edits)


def _whole_message(reading: Reading, present: Present) -> Intent | None:
    """What only a whole message says: a name for somebody, back to the first version, leave it."""
    text = reading.page.text
    if (naming := read_naming(reading, present, text)) is not None:
        strangers = set(reading.roster.members) - set(reading.roster.present)
        for who in strangers:  # The new name is nobody new.
            del reading.roster.members[who]
        return _intent(reading, [naming], [], False)
    keys = [token.key for token in reading.page.tokens if not token.is_mark]
    while keys and keys[0] in words("before_change"):
        keys = keys[1:]
    if (size := starts_with(keys, "start_over")) and size >= len(keys) - 2:
        reading.notes.assume("started_over")
        return _intent(reading, [Edit(op="undo", to=1)], [], False)
    if len(keys) <= 9 and holds(keys, "first_version"):
        return _intent(reading, [Edit(op="undo", to=1)], [], False)
    if (size := starts_with(keys, "leave_it")) and size >= len(keys) - 1:
        reading.notes.assume("left_as_is")
        return base_intent(reading, kind="smalltalk", topic="no", outputs=["text"], confidence=1.0)
    return None


def _each_once(edits: list[Edit]) -> list[Edit]:
    """The same change is made once; steps back are counted."""
    kept: list[Edit] = []
    for edit in edits:
        if edit not in kept or edit.op in ("undo", "redo"):
            kept.append(edit)
    return kept


def _for_each_shot(clause: Clause, edits: list[Edit]) -> list[Edit]:
    """`make shots 1 and 2 longer`: the same change for each of them."""
    if len(clause.shots) < 2 or not edits or any(e.op in ("reorder_shot", "remove_shot", "add_shot") for e in edits):
        return edits
    return [edit.model_copy(update={"shot": shot}) for edit in edits for shot in clause.shots]


def _intent(reading: Reading, edits: list[Edit], lost: list[str], again: bool) -> Intent:
    chosen = [e.outputs for e in edits if e.op == "set_outputs" and e.outputs]
    outputs: list[OutputKind] = chosen[0] if chosen else _present(reading, edits)
    if any(e.op == "mute_music" for e in edits):
        outputs = [kind for kind in outputs if kind != "music"] or outputs
        edits = [e.model_copy(update={"outputs": outputs}) if e.op == "set_outputs" else e for e in edits]
    burn = reading.wants.burn or (_subtitles_wanted(reading, edits))
    if burn and not reading.wants.burn:
        reading.notes.assume("burn_assumed")
    variations = read_variations(reading.page, reading.notes)
    share = len(edits) / (len(edits) + len(lost)) if edits else 0.8
    confidence = (
        max(0.2, round(0.95 * share - 0.1 * len(reading.notes.questions), 2))
        if lost or reading.notes.questions
        else 0.95
    )
    return base_intent(
        reading,
        kind="edit",
        edits=edits,
        outputs=outputs,
        burn_subtitles=burn,
        variations=max(variations, 2) if again else variations,
        topic="again" if again else "",
        confidence=confidence,
    )


def _subtitles_wanted(reading: Reading, edits: list[Edit]) -> bool:
    """`and now with subtitles`: files of them are made anyway, so they are meant to be seen."""
    wants = reading.wants
    return (
        any(e.op == "set_outputs" and "subtitles" in (e.outputs or []) for e in edits)
        and "subtitles" in (wants.added | wants.head) - wants.only - wants.refused
    )


def _present(reading: Reading, edits: list[Edit]) -> list[OutputKind]:
    board = reading.request.storyboard
    spoken = any(e.op in ("add_line", "set_line") for e in edits) or bool(
        board and any(shot.dialogue for shot in board.shots)
    )
    outputs = full_scene(spoken)
    if any(e.op == "mute_music" for e in edits):
        outputs.remove("music")
    return outputs


def _nothing(reading: Reading) -> Intent:
    asked = " ".join(reading.page.text.split())
    reading.notes.ask("edit_nothing", words=asked if len(asked) < 80 else asked[:77] + "...")
    return base_intent(reading, kind="edit", edits=[], outputs=["text"], confidence=0.2)


def _is_new(reading: Reading, verbs: list[Match]) -> bool:
    """Whether the message asks for another scene rather than for a change."""
    page = reading.page
    fresh = [m for m in verbs if m.id == "fresh"]
    adds = [m for m in verbs if m.id == "add" and page.key(m.start) not in words("with_words")]
    if fresh and not (adds and adds[0].start < fresh[0].start):
        return True
    for verb in page.of("request"):
        if verb.id in ("make", "draw") and _makes_a_scene(reading, verb):
            return True
    marked = [m for m in verbs if m.id in _STRONG and page.key(m.start) not in words("not_marking")]
    refers = bool(reading.shots_shown) or any(
        t.id in _SHOTS and (page.at(t.start - 1, "ordinal") or page.key(t.start - 1) in words("this_scene"))
        for t in page.of("thing")
    )
    it = any(page.key(m.end) in words("it_words") for m in verbs if m.id in ("make", "change")) or any(
        page.key(m.start) in words("must_be") for m in verbs if m.id == "make"
    )
    if marked or refers or it or any(m.id == "make" and m.start <= 3 for m in verbs):
        return False
    place = [m for m in page.of("place") if not m.entry.weak]
    indefinite = page.key(0) in words("indefinite_start")
    people = bool(reading.mentions) and bool(page.of("pose") or indefinite or page.of("framing", "thing"))
    return (
        bool(place and people)
        or (len(page.of("framing")) > 1 and bool(place))
        or (bool(reading.mentions) and len(page.tokens) > 25)
    )


def _makes_a_scene(reading: Reading, verb: Match) -> bool:
    """`make a night scene with Luca`, `generate an image of Giulia`; not `make it a night scene`."""
    page = reading.page
    at = verb.end
    if page.key(at) in words("to_me"):
        at += 1
    if page.key(at) not in words("one_more"):
        return page.tokens[verb.start].key in words("creating") and bool(reading.mentions) and bool(page.of("place"))
    for ahead in range(at, min(at + 7, len(page.tokens))):
        noun = page.at(ahead, "thing", "output")
        if noun and (noun.id in ("scene", "story") or (noun.subject == "output" and noun.id in ("video", "image"))):
            return not page.at(verb.start - 1, "edit") or bool(reading.mentions or page.of("place"))
    return False


def _clauses(reading: Reading, verbs: list[Match]) -> list[tuple[int, int]]:
    """Token ranges of one change each: cut at marks and at `and` where a new change begins."""
    page = reading.page
    heads = {m.start for m in verbs if m.id in _HEADS}
    starts = [0]
    for at in range(1, len(page.tokens)):
        key = page.key(at)
        sentence = page.starts_sentence(at) and page.key(at - 1) not in (":", "-", ")")
        joiner = page.at(at, "joiner")
        joined = key in words("clause_joiners") or (joiner is not None and joiner.id in ("then", "while"))
        if not sentence and not joined:
            continue
        begin = at if sentence else at + 1
        while begin < min(len(page.tokens), at + 8) and _is_small(page, begin):
            begin += 1
        if begin < len(page.tokens) and begin > starts[-1] and (sentence or _opens(reading, starts[-1], begin, heads)):
            starts.append(begin)
    starts = list(dict.fromkeys(starts))[:MAX_CLAUSES]
    return [(s, e) for s, e in zip(starts, [*starts[1:], len(page.tokens)], strict=True) if s < e]


def _is_small(page: Page, at: int) -> bool:
    """`and then please`: words before a change that say nothing."""
    joiner = page.at(at, "joiner")
    return page.key(at) in words("before_change") or (joiner is not None and joiner.id in ("and", "then"))


def _opens(reading: Reading, since: int, at: int, heads: set[int]) -> bool:
    """Whether a new change begins at a token: with its verb, a refusal, a shot, or one who should do something."""
    page = reading.page
    if at in heads and page.key(at) not in words("not_opening"):
        return True
    if page.at(at, "negation") is not None or page.at(at, "request") is not None:
        return True
    ahead = at + 1 if page.key(at) in words("before_shot") else at
    ahead = ahead + 1 if page.key(ahead) in words("before_shot") else ahead
    thing = page.at(ahead, "thing")
    if (page.at(ahead, "ordinal") and page.at(ahead + 1, "thing")) or (thing is not None and thing.id == "shot"):
        if any(page.key(number) in words("between") for number in range(since, at)):
            return False
        # `make shot 2 and shot 3 longer` is one change: nothing was said of shot 2 yet.
        return bool(
            page.of("framing", "camera", "time", "weather", "emotion", "pose", "unit", "place", start=since, end=at)
        )
    mention = next((m for m in reading.mentions if m.start == at), None)
    if mention is None:
        return False
    beside = any(since <= m.start and m.end in (at - 1, at - 2) for m in reading.mentions if m is not mention)
    if beside and not page.of("pose", "emotion", "facing", "speech", "place", "time", start=since, end=at):
        return False  # `make Giulia and the cat dance` is one change: nothing was said of Giulia yet.
    follows = next(
        (m for m in page.matches if m.start == mention.end and m.subject in ("pose", "emotion", "speech", "joiner")),
        None,
    )
    swapped = any(
        m.id == "swap" for m in reading.vocabulary.find(page.tokens[mention.end :][:1], page.language, _EDITING)
    )
    should = (mention.end in heads and not swapped) or page.key(mention.end) in words("should_words")
    return should or (follows is not None and follows.subject in ("pose", "emotion", "speech"))
